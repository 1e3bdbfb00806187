/** The mock identity service behind /oauth2-mock (identity specification §2.10): users without passwords, keys by address. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { type Spine, startSpine } from 'openspine'
import { applicationKey, browser, clientAssertion, credentials, type WebClient, webClient } from './token-client.ts'

const callbackUrl = 'https://app.example.test/signed-in'
const own = applicationKey('test-1')

describe('the mock identity service', () => {
  let spine: Spine
  let web: WebClient
  let origin: string
  let application: { readonly id: string; readonly clientId: string; readonly clientSecret: string }
  before(async () => {
    // A port of its own, which the issuers know before it is opened.
    spine = await startSpine()
    origin = String(spine.urls['api'])
    web = webClient(readFileSync(spine.platform.trust.files.bundle, 'utf8'))
    const { gateway } = spine.contracts
    const { application: made, key } = await gateway.create('Mocked', 'test')
    await gateway.change(made.id, { callbackUrl }, 'test')
    for (const { name } of gateway.products()) await gateway.decide(made.id, name, 'approved', 'test')
    application = { id: made.id, clientId: key.secret, clientSecret: key.clientSecret ?? '' }
  })
  after(async () => {
    web?.close()
    await spine?.stop()
  })

  for (const [user, scope, level, provider] of [
    ['656005750107', undefined, 'aal3', 'apim-mock-nhs-cis2'],
    ['9912003071', 'nhs-login', 'p9', 'apim-mock-nhs-login'],
  ] as const)
    it(`signs ${user} in by name alone, and the platform knows it for a mock`, async () => {
      const { clientId: client_id, clientSecret: client_secret } = application
      const go = browser(web, origin)
      const query = new URLSearchParams({ client_id, redirect_uri: callbackUrl, response_type: 'code', state: 'mine' })
      if (scope !== undefined) query.set('scope', scope)
      const page = await go(`${origin}/oauth2-mock/authorize?${query}`)
      assert.match(page.answer.text, /<form id="kc-form-login" method="post"/, page.answer.text)
      const back = await go(page.url, { username: user })
      assert.ok(back.url.startsWith(callbackUrl), `${back.url} ${back.answer.text}`)
      const returned = new URL(back.url).searchParams
      assert.equal(returned.get('state'), 'mine')
      const given = await web.post(`${origin}/oauth2-mock/token`, {
        grant_type: 'authorization_code',
        client_id,
        client_secret,
        redirect_uri: callbackUrl,
        code: returned.get('code') ?? '',
      })
      assert.equal(given.status, 200, given.text)
      const verdict = await spine.contracts.gateway.verify(String(given.json['access_token']))
      assert.ok(verdict.state === 'valid')
      assert.deepEqual([verdict.grant.provider, verdict.grant.level], [provider, level])
    })

  it('answers the key set that its address holds: an application registers it by that', async () => {
    const jwks = `${origin}/mock-jwks/${Buffer.from(own.keySet).toString('base64url')}`
    const shown = await web.ask(jwks)
    assert.deepEqual([shown.status, shown.headers['content-type']], [200, 'application/json'])
    assert.equal(shown.text, own.keySet)
    await spine.contracts.gateway.change(application.id, { publicKeys: { url: jwks } }, 'test')
    const audience = `${origin}/oauth2-mock/token`
    const given = await web.post(audience, credentials(clientAssertion({ ...application, audience }, own)))
    assert.equal(given.status, 200, given.text)
    for (const bad of ['', 'not*base64', Buffer.from('[]').toString('base64url'), 'A'.repeat(13_000)])
      assert.equal((await web.ask(`${origin}/mock-jwks/${bad}`)).status, 400, bad.slice(0, 20))
  })

  it('gives a test pack its credentials for the key of an application', async () => {
    const headers = { apikey: application.clientId }
    const given = await web.ask(`${origin}/mock-jwks/keycloak-client-credentials`, { headers })
    assert.equal(given.status, 200, given.text)
    assert.deepEqual(Object.keys(given.json), ['cis2', 'nhs-login'])
    const status = await web.ask(`${origin}/mock-jwks/status-endpoint-api-key`, { headers })
    assert.equal(status.status, 200, status.text)
    assert.equal(spine.contracts.gateway.opensStatus(status.text), true)
    const shown = await web.ask(`${origin}/oauth2/_status`, { headers: { apikey: status.text } })
    assert.equal(shown.status, 200, shown.text)
  })
})
