import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import type { RelyingParty } from './contract.ts'
import { browser, lifetime, openProviders, type Providers } from './testing.ts'

const redirectUri = 'https://app.example.org/callback'
const party = (clientId: string): RelyingParty => ({
  issuer: 'cis2',
  clientId,
  name: 'An <b>App</b>',
  redirectUris: [redirectUri],
  secret: `the secret of ${clientId}`,
})

let providers: Providers
let authorize: string
let ahead = 0
const life = lifetime()
after(() => life.close())
before(async () => {
  providers = await openProviders(life, { platform: { clock: { now: () => Date.now() + ahead } } })
  await providers.contract.register(party('good'))
  await providers.contract.register(party('evil'))
  authorize = providers.contract.issuers.cis2.authorize
})

const asked = (more: Readonly<Record<string, string>> = {}) =>
  new URLSearchParams({
    client_id: 'good',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 'a-state',
    nonce: 'a-nonce',
    ...more,
  })

async function codeFor(more: Readonly<Record<string, string>> = {}) {
  const window = browser()
  const back = await window.submit(await window.open(`${authorize}?${asked(more)}`), {
    person: '555000000002',
    authenticator: 'AAL3_SMARTCARD',
  })
  return new URL(back.url).searchParams.get('code') ?? ''
}

async function redeem(more: Readonly<Record<string, string>>, client = 'good') {
  const response = await fetch(providers.contract.issuers.cis2.token, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      redirect_uri: redirectUri,
      client_id: client,
      client_secret: `the secret of ${client}`,
      ...more,
    }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

test('nobody is sent to an address that is not registered, letter for letter', async () => {
  for (const address of [
    'https://app.example.org/callback/',
    'https://app.example.org/callback?x=1',
    'https://app.example.org/callback#x',
    'https://app.example.org:443/callback',
    'https://app.example.org/Callback',
    'https://app.example.org/a/../callback',
    'https://app.example.org@evil.example.org/callback',
    'https://app.example.org.evil.example.org/callback',
    'http://app.example.org/callback',
    'javascript:alert(1)',
    '//evil.example.org/callback',
    '',
  ]) {
    const shown = await browser().open(`${authorize}?${asked({ redirect_uri: address })}`)
    assert.equal(shown.status, 400, address)
    assert.ok(shown.url.startsWith(providers.origin), `${address} was followed`)
  }
  const unknown = await browser().open(`${authorize}?${asked({ client_id: 'nobody' })}`)
  assert.equal(unknown.status, 400)
  assert.ok(unknown.url.startsWith(providers.origin))
})

test('errors are pages that show nothing unescaped and run no scripts', async () => {
  const shown = await browser().open(`${authorize}?${asked({ client_id: '<script>alert(1)</script>' })}`)
  assert.equal(shown.body.includes('<script'), false)
  assert.match(String(shown.headers['content-security-policy']), /default-src 'none'/)
  const page = await browser().open(`${authorize}?${asked()}`)
  assert.match(page.body, /An &lt;b&gt;App&lt;\/b&gt;/)
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/)
  const echoed = await browser().open(`${page.url}?q=<script>alert(1)</script>`)
  assert.equal(echoed.body.includes('<script'), false)
})

test('parameters that are given twice are refused', async () => {
  for (const name of ['state', 'nonce', 'scope', 'acr_values', 'prompt', 'response_type']) {
    const twice = asked()
    if (!twice.has(name)) twice.append(name, 'AAL3_ANY')
    twice.append(name, 'another')
    const shown = await browser().open(`${authorize}?${twice}`)
    assert.equal(new URL(shown.url).searchParams.get('error'), 'invalid_request', name)
  }
  for (const name of ['client_id', 'redirect_uri']) {
    const twice = asked()
    twice.append(name, name === 'client_id' ? 'evil' : 'https://evil.example.org/')
    const shown = await browser().open(`${authorize}?${twice}`)
    assert.equal(shown.status, 400, name)
    assert.ok(shown.url.startsWith(providers.origin), name)
  }
  const body = `${new URLSearchParams({ grant_type: 'authorization_code', code: 'x', client_id: 'good', client_secret: 'the secret of good', redirect_uri: redirectUri })}&code=y`
  const response = await fetch(providers.contract.issuers.cis2.token, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  })
  assert.equal(response.status, 400)
  assert.equal(((await response.json()) as { error: string }).error, 'invalid_request')
})

test('the proof of a code cannot be left out, weakened or invented', async () => {
  const verifier = oidc.randomPKCECodeVerifier()
  const proof = {
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  assert.equal((await redeem({ code: await codeFor(proof) })).body['error'], 'invalid_grant')
  const wrong = await redeem({ code: await codeFor(proof), code_verifier: oidc.randomPKCECodeVerifier() })
  assert.equal(wrong.body['error'], 'invalid_grant')
  const invented = await redeem({ code: await codeFor(), code_verifier: verifier })
  assert.equal(invented.body['error'], 'invalid_grant')
  const plain = await browser().open(
    `${authorize}?${asked({ code_challenge: verifier, code_challenge_method: 'plain' })}`,
  )
  assert.equal(new URL(plain.url).searchParams.get('error'), 'invalid_request')
})

test('a code is of one client and one redirect, and counts once', async () => {
  const code = await codeFor()
  assert.equal((await redeem({ code }, 'evil')).body['error'], 'invalid_grant')
  assert.equal((await redeem({ code, redirect_uri: 'https://app.example.org/other' })).body['error'], 'invalid_grant')
  const first = await redeem({ code })
  assert.equal(first.status, 200)
  ahead += 5_000
  const second = await redeem({ code })
  assert.equal(second.body['error'], 'invalid_grant')
  // Its first use may have been the thief's: what it gave ends (RFC 6749 §4.1.2).
  const { status } = await fetch(providers.contract.issuers.cis2.userinfo, {
    headers: { authorization: `Bearer ${first.body['access_token']}` },
  })
  assert.equal(status, 401)
})

test('of sixteen redemptions of a code at once one succeeds', async () => {
  const code = await codeFor()
  const all = await Promise.all(Array.from({ length: 16 }, () => redeem({ code })))
  assert.equal(all.filter(({ status }) => status === 200).length, 1)
  assert.equal(all.filter(({ body }) => body['error'] === 'invalid_grant').length, 15)
  const [given] = all.filter(({ status }) => status === 200)
  const { status } = await fetch(providers.contract.issuers.cis2.userinfo, {
    headers: { authorization: `Bearer ${given?.body['access_token']}` },
  })
  assert.equal(status, 200, 'and what it gave works')
})

test('tokens of another kind, of nobody, and altered ones open nothing', async () => {
  const { body } = await redeem({ code: await codeFor() })
  const access = body['access_token'] ?? ''
  const [head, claims, signature] = access.split('.')
  const { jti } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()) as { jti: string }
  const none = Buffer.from('{"typ":"JWT","alg":"none"}').toString('base64url')
  for (const token of [
    body['id_token'] ?? '',
    jti,
    `${none}.${claims}.`,
    `${none}.${claims}.${signature}`,
    `${head}.${Buffer.from('{"jti":"x"}').toString('base64url')}.${signature}`,
    'x',
  ]) {
    const response = await fetch(providers.contract.issuers.cis2.userinfo, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(response.status, 401, token)
    assert.match(String(response.headers.get('www-authenticate')), /^Bearer .*error="invalid_token"/)
  }
  const good = await fetch(providers.contract.issuers.cis2.userinfo, { headers: { authorization: `Bearer ${access}` } })
  assert.equal(good.status, 200)
})

test('a form of another site, another browser or another sign-in is refused', async () => {
  const window = browser()
  const page = await window.open(`${authorize}?${asked()}`)
  const fields = { person: '555000000002', authenticator: 'AAL3_SMARTCARD' }
  assert.equal((await window.submit(page, fields, { origin: 'https://evil.example.org' })).status, 403)
  assert.equal((await browser().submit(page, fields)).status, 400)
  const json = await window.submit(page, fields, { 'content-type': 'application/json' })
  assert.equal(json.status, 400)
  const large = await window.submit(page, { ...fields, more: 'x'.repeat(70_000) })
  assert.ok([400, 413].includes(large.status))
  const back = await window.submit(page, fields)
  assert.ok(new URL(back.url).searchParams.get('code'), 'the sign-in itself still works')
})

test('secrets are compared whole, and a wrong one says so', async () => {
  for (const client_secret of ['', 'the secret', 'the secret of good ', 'THE SECRET OF GOOD']) {
    const { status, body } = await redeem({ code: 'x', client_secret })
    assert.ok(status === 401 || status === 400, client_secret)
    assert.match(String(body['error']), /^invalid_(client|request)$/)
  }
})

test('relying parties that could not be safe are not registered', async () => {
  const { register } = providers.contract
  for (const wrong of [
    { ...party('x'), redirectUris: ['http://app.example.org/'] },
    { ...party('x'), redirectUris: ['https://*.example.org/'] },
    { ...party('x'), redirectUris: [] },
    { ...party('x y') },
    { ...party('x'), issuer: 'nhs-login' as const },
    { issuer: 'cis2' as const, clientId: 'x', name: 'x', redirectUris: [redirectUri] },
  ])
    await assert.rejects(register(wrong), { code: 'SIGN_IN_RELYING_PARTY' })
})
