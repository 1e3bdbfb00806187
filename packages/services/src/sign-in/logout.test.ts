import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { browser, freePort, openProviders } from './testing.ts'

const redirectUri = 'https://app.example.org/callback'
const bye = 'https://app.example.org/bye'

async function until<Value>(read: () => Promise<Value>, holds: (value: Value) => boolean): Promise<Value> {
  for (const end = Date.now() + 20_000; ; ) {
    const value = await read()
    if (holds(value)) return value
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('the end of a sign-on is told to the relying party, again when it does not answer, and ends its tokens', async (t) => {
  const providers = await openProviders(t)
  const port = await freePort()
  const received: string[] = []
  let status = 500
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      received.push(body)
      response.writeHead(status).end()
      status = 200
    })
  }).listen(port, '127.0.0.1')
  t.after(() => server.close())
  const { contract } = providers
  await contract.register({
    issuer: 'cis2',
    clientId: 'app',
    name: 'App',
    redirectUris: [redirectUri],
    secret: 'secret',
    backchannelLogoutUri: `http://127.0.0.1:${port}/logout`,
    postLogoutRedirectUris: [bye],
  })
  const config = await oidc.discovery(new URL(contract.issuers.cis2.issuer), 'app', {}, oidc.ClientSecretPost('secret'))
  const signedIn = async () => {
    const window = browser()
    const url = oidc.buildAuthorizationUrl(config, { redirect_uri: redirectUri, scope: 'openid', state: 's' })
    const back = await window.submit(await window.open(url), { person: '555000000002', authenticator: 'AAL3_FIDO2' })
    const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), { expectedState: 's' })
    return { window, tokens }
  }
  const opens = async (token: string) =>
    (await fetch(contract.issuers.cis2.userinfo, { headers: { authorization: `Bearer ${token}` } })).status

  const first = await signedIn()
  const hint = first.tokens.id_token ?? ''
  const end = oidc.buildEndSessionUrl(config, { id_token_hint: hint })
  end.searchParams.set('post_logout_redirect_uri', 'https://evil.example.org/')
  assert.equal((await fetch(end, { redirect: 'manual' })).status, 400)
  assert.equal(await opens(first.tokens.access_token), 200)
  end.searchParams.set('post_logout_redirect_uri', bye)
  end.searchParams.set('state', 'again')
  const ended = await fetch(end, { redirect: 'manual' })
  assert.equal(ended.status, 303)
  assert.equal(ended.headers.get('location'), `${bye}?state=again`)
  assert.equal(await opens(first.tokens.access_token), 401)

  // 500 at first: written down, and tried again.
  const [waiting] = await until(
    () => contract.logouts(10),
    ([each]) => each?.attempts === 1,
  )
  assert.deepEqual([waiting?.state, waiting?.lastError], ['waiting', 'HTTP 500'])
  const [done] = await until(
    () => contract.logouts(10),
    ([each]) => each?.state === 'delivered',
  )
  assert.equal(done?.attempts, 2)
  assert.equal(received.length, 2)
  const token = new URLSearchParams(received[1]).get('logout_token') ?? ''
  const [head = '', body = ''] = token.split('.')
  assert.equal(JSON.parse(Buffer.from(head, 'base64url').toString()).typ, 'JWT')
  const { iat, exp, jti, ...claims } = JSON.parse(Buffer.from(body, 'base64url').toString())
  assert.ok(exp - iat <= 120)
  assert.equal(typeof jti, 'string')
  assert.deepEqual(claims, {
    iss: contract.issuers.cis2.issuer,
    aud: 'app',
    sid: first.tokens.claims()?.['sid'],
    sub: '555000000002',
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })

  // The person, at a page; and the operator.
  const second = await signedIn()
  const page = await second.window.open(oidc.buildEndSessionUrl(config))
  assert.match(page.body, /Sign out/)
  assert.match((await second.window.submit(page, {})).body, /You are signed out/)
  assert.equal(await opens(second.tokens.access_token), 401)
  const third = await signedIn()
  assert.equal(await contract.end('cis2', '555000000002'), 1)
  assert.equal(await opens(third.tokens.access_token), 401)
  const bad = new URL(`${contract.issuers.cis2.issuer}/connect/endSession?id_token_hint=${third.tokens.access_token}`)
  assert.equal((await fetch(bad)).status, 400)
})

test('a sign-on that nobody uses ends, the relying party is told, and prompt=none finds nothing', async (t) => {
  let ahead = 0
  const providers = await openProviders(t, { platform: { clock: { now: () => Date.now() + ahead } }, sweepMs: 50 })
  const { contract } = providers
  await contract.register({
    issuer: 'cis2',
    clientId: 'app',
    name: 'App',
    redirectUris: [redirectUri],
    secret: 'secret',
    backchannelLogoutUri: `http://127.0.0.1:${await freePort()}/nobody`,
  })
  const asked = (more: Readonly<Record<string, string>> = {}) =>
    `${contract.issuers.cis2.authorize}?${new URLSearchParams({ client_id: 'app', redirect_uri: redirectUri, response_type: 'code', scope: 'openid', state: 's', ...more })}`
  const window = browser()
  await window.submit(await window.open(asked()), { person: '555000000002', authenticator: 'AAL3_FIDO2' })
  ahead += 59 * 60_000
  assert.ok(
    new URL((await window.open(asked({ prompt: 'none' }))).url).searchParams.get('code'),
    'still there, and used',
  )
  ahead += 59 * 60_000
  assert.ok(new URL((await window.open(asked({ prompt: 'none' }))).url).searchParams.get('code'))
  assert.deepEqual(await contract.logouts(10), [])
  ahead += 61 * 60_000
  const error = new URL((await window.open(asked({ prompt: 'none' }))).url).searchParams.get('error')
  assert.equal(error, 'login_required')
  await until(
    () => contract.logouts(10),
    (all) => all.length === 1,
  )
})
