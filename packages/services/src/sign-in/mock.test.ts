import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { browser, openProviders } from './testing.ts'

const redirectUri = 'https://platform.example.org/callback'

test('the mock realms: a form with a user name, tokens with typ JWT, codes that count once', async (t) => {
  const { contract } = await openProviders(t)
  const party = { clientId: 'platform', name: 'Platform', redirectUris: [redirectUri], secret: 'secret' }
  for (const [issuer, user, algorithm, level, value] of [
    ['cis2', '656005750107', 'RS256', 'authentication_assurance_level', '3'],
    ['nhs-login', '9912003072', 'RS512', 'identity_proofing_level', 'P5'],
  ] as const) {
    await contract.registerMock({ ...party, issuer })
    const metadata = { id_token_signed_response_alg: algorithm }
    const config = await oidc.discovery(
      new URL(contract.mocks[issuer]),
      'platform',
      metadata,
      oidc.ClientSecretPost('secret'),
    )
    const checks = { expectedState: 'a-state', expectedNonce: 'a-nonce' }
    const asked = { redirect_uri: redirectUri, scope: 'openid', state: 'a-state', nonce: 'a-nonce' }
    const url = oidc.buildAuthorizationUrl(config, asked)
    const window = browser()
    const page = await window.open(url)
    const [, action = ''] = /<form id="kc-form-login" method="post" action="(https:[^"]+)"/.exec(page.body) ?? []
    assert.ok(page.body.indexOf('<form') === page.body.indexOf('<form id="kc-form-login"'))
    const form = { ...page, url: action.replaceAll('&amp;', '&') }
    assert.match((await window.submit(form, { username: 'nobody' })).body, /Error: Enter the name/)
    const back = await window.submit(form, { username: user })
    const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
    const header = JSON.parse(Buffer.from((tokens.id_token ?? '').split('.')[0] ?? '', 'base64url').toString())
    assert.deepEqual([header.typ, header.alg], ['JWT', algorithm])
    assert.equal(tokens.claims()?.[level], value)
    const info = await oidc.fetchUserInfo(config, tokens.access_token, user)
    assert.equal(info['sub'], user)
    await assert.rejects(oidc.authorizationCodeGrant(config, new URL(back.url), checks), { error: 'invalid_grant' })
    const astray = new URL(url)
    astray.searchParams.set('redirect_uri', 'https://evil.example.org/')
    const refused = await browser().open(astray)
    assert.equal(refused.status, 400)
    const bearer = { headers: { authorization: `Bearer ${tokens.id_token}` } }
    assert.equal((await fetch(`${contract.mocks[issuer]}/protocol/openid-connect/userinfo`, bearer)).status, 401)
  }
})

test('the credential answers of /mock-jwks: for who has a key, the same every time, and they work', async (t) => {
  const issued: string[] = []
  const revoked = new Set<string>()
  const refusal = { status: 401, contentType: 'application/json', body: '{"fault":{}}', headers: { 'x-a': 'b' } }
  const { contract, origin } = await openProviders(t, {
    mockKeys: {
      admit: (apikey) => (apikey === 'good' ? { application: 'app-1' } : { refusal }),
      async statusKey(application) {
        issued.push(application)
        return `status-${issued.length}`
      },
      opensStatus: (key) => !revoked.has(key),
    },
  })
  const ask = (path: string, apikey?: string) =>
    fetch(`${origin}/mock-jwks/${path}`, apikey === undefined ? {} : { headers: { apikey } })
  for (const path of ['keycloak-client-credentials', 'status-endpoint-api-key'])
    for (const apikey of [undefined, 'wrong']) {
      const answer = await ask(path, apikey)
      assert.deepEqual([answer.status, answer.headers.get('x-a'), await answer.text()], [401, 'b', '{"fault":{}}'])
    }
  const status = async () => (await ask('status-endpoint-api-key', 'good')).text()
  assert.deepEqual([await status(), await status(), issued], ['status-1', 'status-1', ['app-1']])
  // One that opens nothing any more is followed by another.
  revoked.add('status-1')
  assert.equal(await status(), 'status-2')

  const credentials = async () => (await ask('keycloak-client-credentials', 'good')).json()
  const given = (await credentials()) as Record<'cis2' | 'nhs-login', { client_id: string; client_secret: string }>
  assert.deepEqual(await credentials(), given)
  assert.deepEqual(Object.keys(given), ['cis2', 'nhs-login'])
  for (const realm of ['cis2', 'nhs-login'] as const) {
    const tried = await fetch(`${contract.mocks[realm]}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: 'x', ...given[realm] }),
    })
    // The client is known and its secret right: it is the code that is not.
    assert.deepEqual([tried.status, await tried.json()], [400, { error: 'invalid_grant' }])
  }
})
