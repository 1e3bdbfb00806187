import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import { signJwt } from './jwt.ts'
import { subjectOf } from './nhs-login.ts'
import { browser, lifetime, openProviders, type Providers } from './testing.ts'

const redirectUri = 'https://app.example.org/callback'
const clientId = 'patient-app'
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS512', use: 'sig' }

let providers: Providers
const life = lifetime()
after(() => life.close())
let config: oidc.Configuration
before(async () => {
  providers = await openProviders(life)
  await providers.contract.register({
    issuer: 'nhs-login',
    clientId,
    name: 'Patient App',
    redirectUris: [redirectUri],
    jwks: { keys: [jwk] },
    refreshTokens: true,
  })
  const key = await crypto.subtle.importKey(
    'pkcs8',
    privateKey.export({ format: 'der', type: 'pkcs8' }) as Uint8Array<ArrayBuffer>,
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
    false,
    ['sign'],
  )
  const auth = oidc.PrivateKeyJwt(
    { key, kid: 'one' },
    {
      [oidc.modifyAssertion]: (_header, payload) => {
        payload['aud'] = providers.contract.issuers['nhs-login'].token
      },
    },
  )
  const metadata = { id_token_signed_response_alg: 'RS512' }
  config = await oidc.discovery(new URL(providers.contract.issuers['nhs-login'].issuer), clientId, metadata, auth)
})

const begun = (more: Readonly<Record<string, string>> = {}) => {
  const checks = { expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile profile_extended email phone gp_registration_details',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  })
  return { url, checks }
}

const without = (url: URL, name: string) => {
  const left = new URL(url)
  left.searchParams.delete(name)
  return left
}

const errorOf = (url: string) => {
  const { searchParams: query, hash } = new URL(url)
  // Response types that are answered in the fragment are refused there too.
  const searchParams = query.has('error') ? query : new URLSearchParams(hash.slice(1))
  return [searchParams.get('error'), searchParams.get('error_description')]
}

test('a patient signs in, shares, and the tokens say what the interface specification says', async () => {
  const { url, checks } = begun()
  const window = browser()
  const page = await window.open(url)
  assert.match(page.body, /Patient App will see: .*your GP practice/)
  const back = await window.submit(page, { patient: '9990548609', proofing: 'P9', credential: 'Cp.Cd' })
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  assert.equal(tokens.expires_in, 300)
  const [head = '', body = ''] = (tokens.id_token ?? '').split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString())
  assert.deepEqual([header.typ, header.alg], ['JWT', 'RS512'])
  const { iat, exp, jti, auth_time, nonce, ...claims } = JSON.parse(Buffer.from(body, 'base64url').toString())
  const { issuer } = providers.contract.issuers['nhs-login']
  assert.equal(exp, iat + 3600)
  assert.deepEqual([typeof jti, typeof auth_time, typeof nonce], ['string', 'number', 'string'])
  assert.deepEqual(claims, {
    iss: issuer,
    sub: subjectOf('9990548609'),
    aud: clientId,
    vot: 'P9.Cp.Cd',
    vtm: `${issuer}/trustmark/${new URL(issuer).host}`,
    identity_proofing_level: 'P9',
    family_name: 'Testcase',
    birthdate: '1980-02-29',
    nhs_number: '9990548609',
  })
  const access = JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(access.requesting_patient, 'http://fhir.nhs.net/Id/nhs-number|9990548609')
  const info = await oidc.fetchUserInfo(config, tokens.access_token, subjectOf('9990548609'))
  assert.deepEqual(info, {
    iss: issuer,
    aud: clientId,
    sub: subjectOf('9990548609'),
    nhs_number: '9990548609',
    birthdate: '1980-02-29',
    family_name: 'Testcase',
    identity_proofing_level: 'P9',
    given_name: 'Arlo',
    email: 'arlo.testcase@example.com',
    email_verified: true,
    phone_number: '07700900001',
    phone_number_verified: true,
    phone_number_pds_matched: true,
    gp_registration_details: { gp_ods_code: 'A20047' },
  })
  const trustmark = (await (await fetch(claims.vtm)).json()) as { idp: string }
  assert.equal(trustmark.idp, `${issuer}/`)
  const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
  assert.equal(refreshed.id_token, undefined)
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''), { error: 'invalid_grant' })
})

test('without proof of identity there is no NHS number, and a level that was not asked for is refused', async () => {
  const { url, checks } = begun({ vtr: '["P0.Cp.Cd"]' })
  const window = browser()
  const page = await window.open(url)
  const refused = await window.submit(page, { patient: '9990548609', proofing: 'P9', credential: 'Cp.Cd' })
  assert.equal(refused.status, 400)
  assert.match(refused.body, /Choose a level that the application accepts: P0\.Cp\.Cd/)
  const back = await window.submit(page, { patient: '9990548609', proofing: 'P0', credential: 'Cp.Cd' })
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  const info = await oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck)
  assert.equal(info['nhs_number'], undefined)
  assert.equal(info['identity_proofing_level'], 'P0')
  const stepUp = await window.open(begun().url)
  assert.match(stepUp.body, /Sign in as a patient/)
  const none = await window.open(begun({ prompt: 'none' }).url)
  assert.equal(errorOf(none.url)[0], 'sso_login_required')
  const again = begun({ vtr: '["P0.Cp"]', prompt: 'none' })
  const silent = await oidc.authorizationCodeGrant(config, new URL((await window.open(again.url)).url), again.checks)
  assert.equal(silent.claims()?.['vot'], 'P0.Cp')
})

test('state and nonce are mandatory, and what is not supported is refused at the application', async () => {
  const { url } = begun()
  for (const [asked, error, description] of [
    [without(url, 'nonce'), 'invalid_request', "missing required parameter 'nonce'"],
    [without(url, 'state'), 'invalid_request', "missing required parameter 'state'"],
    [begun({ vtr: '["P7.Cx"]' }).url, 'invalid_request', "invalid 'vtr' parameter"],
    [begun({ vtr: 'P9' }).url, 'invalid_request', "invalid 'vtr' parameter"],
    [begun({ scope: 'profile' }).url, 'invalid_request', undefined],
    [begun({ request: 'x.y.z' }).url, 'request_not_supported', undefined],
    [begun({ response_type: 'token' }).url, 'unsupported_response_type', undefined],
  ] as const) {
    const shown = await browser().open(asked)
    assert.ok(shown.url.startsWith(redirectUri), `${asked} led to ${shown.status} ${shown.body}`)
    assert.equal(errorOf(shown.url)[0], error, String(asked))
    if (description !== undefined) assert.equal(errorOf(shown.url)[1], description)
  }
})

test('a patient may refuse to share', async () => {
  const window = browser()
  const back = await window.submit(await window.open(begun().url), { answer: 'no' })
  assert.deepEqual(errorOf(back.url), ['access_denied', 'ConsentNotGiven'])
})

test('the authorisation request may come as a form', async () => {
  const { url } = begun()
  const response = await fetch(`${url.origin}${url.pathname}`, {
    method: 'POST',
    body: new URLSearchParams(url.searchParams),
    redirect: 'manual',
  })
  assert.equal(response.status, 303)
  assert.match((await browser().open(String(response.headers.get('location')))).body, /Sign in as a patient/)
})

test('the token endpoint takes RS512 assertions alone, and refuses with 400', async () => {
  const { token } = providers.contract.issuers['nhs-login']
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: clientId, sub: clientId, aud: token, exp: now + 60, jti: randomUUID() }
  for (const [algorithm, aud] of [
    ['RS256', token],
    ['RS512', 'https://elsewhere.example.org/token'],
  ] as const) {
    const response = await fetch(token, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: redirectUri,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: signJwt({ ...claims, aud }, { kid: 'one', algorithm, privateKey }),
      }),
    })
    assert.equal(response.status, 400)
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_client')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('pragma'), 'no-cache')
  }
})

test('an application keeps a text about its patient, changes it, has it made, and clears it', async () => {
  const { url, checks } = begun({ scope: 'openid profile client_metadata' })
  const window = browser()
  const signedOn = { patient: '9990548609', proofing: 'P9', credential: 'Cp.Cd' }
  const back = await window.submit(await window.open(url), signedOn)
  const { access_token: token } = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  const { userinfo } = providers.contract.issuers['nhs-login']
  const patch = (body: string, more: Readonly<Record<string, string>> = {}) =>
    fetch(userinfo, {
      method: 'PATCH',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more },
    })
  const put = (value: unknown) => patch(JSON.stringify({ client_user_metadata: value }))
  const kept = async () => (await oidc.fetchUserInfo(config, token, subjectOf('9990548609')))['client_user_metadata']
  assert.equal(await kept(), undefined)
  for (const value of ['likes tea', '\u{1F3E5}'.repeat(1024)]) {
    const changed = await put(value)
    assert.deepEqual([changed.status, await changed.text()], [204, ''])
    assert.equal(await kept(), value)
  }
  await put('auto')
  const made = await kept()
  assert.match(String(made), /^[0-9a-f-]{36}$/)
  await put('auto')
  assert.notEqual(await kept(), made)
  await put('')
  assert.equal(await kept(), undefined)

  for (const body of [
    '',
    '[]',
    '{}',
    '{"client_user_metadata":1}',
    JSON.stringify({ client_user_metadata: 'x'.repeat(1025) }),
    JSON.stringify({ client_user_metadata: 'x', nhs_number: '9990100004' }),
  ]) {
    const refused = await patch(body)
    assert.equal(refused.status, 400, body.slice(0, 40))
    assert.equal(((await refused.json()) as { error: string }).error, 'invalid_request')
  }
  const some = '{"client_user_metadata":"x"}'
  assert.equal((await patch(some, { 'content-type': 'text/plain' })).status, 400)
  for (const authorization of ['', 'Bearer x.y.z', `Basic ${token}`]) {
    const refused = await patch(some, { authorization })
    assert.equal(refused.status, 401)
    assert.match(String(refused.headers.get('www-authenticate')), /^Bearer error="invalid_token"/)
  }
  assert.equal(await kept(), undefined)

  const narrow = begun({ scope: 'openid profile' })
  const other = browser()
  const there = await other.submit(await other.open(narrow.url), signedOn)
  const less = await oidc.authorizationCodeGrant(config, new URL(there.url), narrow.checks)
  const refused = await patch(some, { authorization: `Bearer ${less.access_token}` })
  assert.equal(refused.status, 403)
  assert.match(String(refused.headers.get('www-authenticate')), /error="insufficient_scope".*scope="client_metadata"/)
})
