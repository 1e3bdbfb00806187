import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { before, beforeEach, describe, it, test } from 'node:test'
import { FetchFault } from './keys/fetch.ts'
import {
  assertion,
  assertionForm,
  client,
  clientId,
  clientKeys,
  providerPair,
  refusedWith,
  type TestIdentity,
  testIdentity,
  untilTheEnd,
} from './testing.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const expiredText = "Invalid 'exp' claim in client_assertion JWT - JWT has expired"
const algText = "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'"
const exchangeUrn = 'urn:ietf:params:oauth:grant-type:token-exchange'
const idTokenUrn = 'urn:ietf:params:oauth:token-type:id_token'

test('client credentials: every number is a string, the token is stored with what it stands for', async (t) => {
  const at = await testIdentity(t)
  const told = await at.post(assertionForm(assertion(at.clock.now())))
  assert.equal(told.status, 200, told.text)
  assert.deepEqual(Object.keys(told.body), ['access_token', 'expires_in', 'token_type', 'issued_at'])
  assert.match(told.body['access_token'] ?? '', /^[\w-]{28,}$/)
  assert.deepEqual(
    { ...told.body, access_token: '' },
    { access_token: '', expires_in: '599', token_type: 'Bearer', issued_at: String(at.clock.now()) },
  )
  assert.equal(told.headers['cache-control'], 'no-store')
  assert.equal(told.headers['pragma'], 'no-cache')
  assert.deepEqual(at.families[0]?.grant, {
    application: client.application,
    key: client.key,
    products: ['pds-int'],
    scopes: ['urn:nhsd:apim:app:level3:personal-demographics'],
    type: 'app',
    grantType: 'client_credentials',
    level: 'level3',
    provider: 'apim',
  })
  const shortened = { ...assertionForm(assertion(at.clock.now())), _access_token_expiry_ms: '5000' }
  assert.equal((await at.post(shortened)).body['expires_in'], '4')
  for (const junk of ['600001', '0', '-1', '1e3', 'abc', '']) {
    const form = { ...assertionForm(assertion(at.clock.now())), _access_token_expiry_ms: junk }
    assert.equal((await at.post(form)).body['expires_in'], '599', junk)
  }
})

describe('each check of an assertion (§2.6) fails once', () => {
  let at: TestIdentity
  const kept = untilTheEnd()
  before(async () => {
    const fetch = async () => {
      throw new FetchFault('The server answered with status 404.')
    }
    at = await testIdentity(kept, { fetch })
  })
  beforeEach(() => at.known.set(clientId, client))

  type Given = (at: TestIdentity) => Record<string, string> | Promise<Record<string, string>>
  const withClaims = (claims: Record<string, unknown>, header = {}): Given => {
    return (at) => assertionForm(assertion(at.clock.now(), claims, { header }))
  }
  const seconds = (at: TestIdentity) => Math.floor(at.clock.now() / 1000)
  const invalid = 'invalid_request'
  const cases: readonly (readonly [string, Given, number, string, string])[] = [
    [
      '1',
      (at) => ({ ...assertionForm(assertion(at.clock.now())), client_assertion_type: 'x' }),
      400,
      invalid,
      "Missing or invalid client_assertion_type - must be 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
    ],
    [
      '2',
      (at) => ({ ...assertionForm(assertion(at.clock.now())), subject_token_type: idTokenUrn }),
      400,
      invalid,
      'grant_type is invalid',
    ],
    ['3', () => ({ ...assertionForm('') }), 400, invalid, 'Missing client_assertion'],
    ['4 parts', () => assertionForm('a.b'), 400, invalid, 'Malformed JWT in client_assertion'],
    ['4 JSON', () => assertionForm(`${encode('x')}.${encode({})}.`), 400, invalid, 'Malformed JWT in client_assertion'],
    [
      '4 huge',
      () => assertionForm(`${encode({ a: 'x'.repeat(40_000) })}.e30.`),
      400,
      invalid,
      'Malformed JWT in client_assertion',
    ],
    ['4 crit', withClaims({}, { crit: ['b64'], b64: false }), 400, invalid, 'Malformed JWT in client_assertion'],
    ['5', withClaims({}, { alg: 'RS256' }), 400, invalid, algText],
    ['5 absent', withClaims({}, { alg: undefined }), 400, invalid, algText],
    [
      '5 none',
      () => assertionForm(`${encode({ alg: 'none', typ: 'JWT' })}.${encode({ iss: clientId })}.`),
      400,
      invalid,
      algText,
    ],
    ['6', (at) => withClaims({ exp: seconds(at) - 1 })(at), 400, invalid, expiredText],
    ['7', withClaims({}, { kid: undefined }), 400, invalid, "Missing 'kid' header in client_assertion JWT"],
    ['8', withClaims({}, { typ: 'JWS' }), 400, invalid, "Invalid 'typ' header in client_assertion JWT - must be 'JWT'"],
    [
      '8 absent',
      withClaims({}, { typ: undefined }),
      400,
      invalid,
      "Invalid 'typ' header in client_assertion JWT - must be 'JWT'",
    ],
    ['9', withClaims({ exp: undefined }), 400, invalid, "Missing 'exp' claim in client_assertion JWT"],
    ['9 zero', withClaims({ exp: 0 }), 400, invalid, "Missing 'exp' claim in client_assertion JWT"],
    [
      '10',
      withClaims({ exp: 'abc' }),
      400,
      invalid,
      "Invalid 'exp' claim in client_assertion JWT - must be an integer",
    ],
    [
      '11',
      withClaims({ sub: 'other' }),
      400,
      invalid,
      "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT",
    ],
    [
      '11 absent',
      withClaims({ iss: undefined }),
      400,
      invalid,
      "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT",
    ],
    ['12', withClaims({ jti: undefined }), 400, invalid, "Missing 'jti' claim in client_assertion JWT"],
    [
      '13',
      withClaims({ jti: 7 }),
      400,
      invalid,
      "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such as a GUID",
    ],
    [
      '14',
      async (at) => {
        const form = assertionForm(assertion(at.clock.now()))
        assert.equal((await at.post(form)).status, 200)
        return form
      },
      400,
      invalid,
      "Non-unique 'jti' claim in client_assertion JWT",
    ],
    [
      '15',
      (at) => withClaims({ exp: seconds(at) + 311 })(at),
      400,
      invalid,
      "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future",
    ],
    [
      'nbf',
      (at) => withClaims({ nbf: seconds(at) + 11 })(at),
      400,
      invalid,
      "Invalid 'nbf' claim in client_assertion JWT - JWT is not yet valid",
    ],
    [
      'iat',
      (at) => withClaims({ iat: seconds(at) + 61 })(at),
      400,
      invalid,
      "Invalid 'iat' claim in client_assertion JWT - JWT was issued in the future",
    ],
    [
      '16',
      withClaims({ iss: 'unknown', sub: 'unknown' }),
      401,
      invalid,
      "Invalid 'iss'/'sub' claims in client_assertion JWT",
    ],
    [
      'revoked',
      (at) => {
        at.known.set(clientId, { ...client, approved: false })
        return assertionForm(assertion(at.clock.now()))
      },
      401,
      'access_denied',
      'The developer app associated with the API key is not approved or revoked',
    ],
    [
      'inactive owner',
      (at) => {
        const owner = { name: 'Invented Software Ltd', kind: 'company', status: 'inactive' } as const
        at.known.set(clientId, { ...client, owner })
        return assertionForm(assertion(at.clock.now()))
      },
      401,
      'access_denied',
      'The company associated with the developer app that has the API key you are using has an inactive status',
    ],
    [
      '18',
      (at) => {
        at.known.set(clientId, { ...client, keys: undefined })
        return assertionForm(assertion(at.clock.now()))
      },
      403,
      'public_key error',
      'You need to register a public key to use this authentication method - please contact support to configure',
    ],
    [
      '19',
      (at) => {
        at.known.set(clientId, { ...client, keys: { url: 'https://down.example/jwks' } })
        return assertionForm(assertion(at.clock.now()))
      },
      403,
      'public_key error',
      "The JWKS endpoint, for your client_assertion can't be reached",
    ],
    [
      '20',
      withClaims({}, { kid: 'test-2' }),
      401,
      invalid,
      "Invalid 'kid' header in client_assertion JWT - no matching public key",
    ],
    [
      '20 trick',
      withClaims({}, { kid: '__proto__' }),
      401,
      invalid,
      "Invalid 'kid' header in client_assertion JWT - no matching public key",
    ],
    [
      '21',
      (at) => assertionForm(assertion(at.clock.now(), {}, { key: providerPair.privateKey })),
      401,
      'public_key error',
      'JWT signature verification failed',
    ],
    [
      '21 embedded key',
      (at) =>
        assertionForm(
          assertion(
            at.clock.now(),
            {},
            {
              key: providerPair.privateKey,
              header: { jwk: providerPair.publicKey.export({ format: 'jwk' }), jku: 'https://evil.example' },
            },
          ),
        ),
      401,
      'public_key error',
      'JWT signature verification failed',
    ],
    [
      '22',
      withClaims({ aud: 'https://int.api.example/oauth2/token/' }),
      401,
      invalid,
      "Missing or invalid 'aud' claim in client_assertion JWT",
    ],
    [
      '23',
      (at) => {
        at.known.set(clientId, { ...client, products: [] })
        return assertionForm(assertion(at.clock.now()))
      },
      401,
      'unauthorized_client',
      'you have tried to request authorization but your application is not configured to use this authorization grant type',
    ],
  ]
  for (const [name, form, status, error, description] of cases)
    it(`#${name}`, async () => {
      const told = await at.post(await form(at))
      refusedWith(told, status, error, description)
      assert.notEqual(told.body['hint'] ?? '', '', 'a cause for developers')
      const record = await (at.service.contract as { refusal(id: string): Promise<unknown> }).refusal(
        told.body['message_id'] ?? '',
      )
      assert.equal((record as { cause: string }).cause, told.body['hint'])
      assert.ok(!JSON.stringify(record).includes(clientId), 'the key of the application is not in the audit')
    })

  it('#17: the words of the gateway', async (t) => {
    const worded = { body: '{"busy":true}', headers: { 'retry-after': '7' } }
    const at = await testIdentity(t, { rate: () => worded })
    const told = await at.post(assertionForm(assertion(at.clock.now())))
    assert.equal(told.status, 429)
    assert.equal(told.text, worded.body)
    assert.equal(told.headers['retry-after'], '7')
  })

  it('an HMAC with the public key as secret is no signature', async () => {
    const pem = clientKeys.publicKey.export({ type: 'spki', format: 'pem' })
    for (const alg of ['HS512', 'RS512']) {
      const [, claims] = assertion(at.clock.now()).split('.')
      const signed = `${encode({ alg, typ: 'JWT', kid: 'test-1' })}.${claims}`
      const mac = createHmac('sha512', pem).update(signed).digest('base64url')
      assert.equal((await at.post(assertionForm(`${signed}.${mac}`))).status, alg === 'HS512' ? 400 : 401)
    }
  })

  it('clock edges: exp now and at 310 s, nbf at 10 s and iat at 60 s ahead are accepted; aud may be a list', async () => {
    const now = seconds(at)
    const good = [
      { exp: now },
      { exp: now + 310 },
      { nbf: now + 10 },
      { iat: now + 60 },
      { aud: ['x', 'https://int.api.example/oauth2/token'] },
    ]
    for (const claims of good) {
      const told = await at.post(assertionForm(assertion(at.clock.now(), claims)))
      assert.equal(told.status, 200, `${JSON.stringify(claims)}: ${told.text}`)
    }
  })

  it('a used jti is said before whatever is wrong besides (#15 to #23), and after what comes before it (#1 to #13)', async () => {
    const jti = 'used once'
    assert.equal((await at.post(assertionForm(assertion(at.clock.now(), { jti })))).status, 200)
    const now = seconds(at)
    const later = [
      assertion(at.clock.now(), { jti, exp: now + 400 }),
      assertion(at.clock.now(), { jti, aud: 'elsewhere' }),
      assertion(at.clock.now(), { jti }, { header: { kid: 'test-2' } }),
      assertion(at.clock.now(), { jti }, { key: providerPair.privateKey }),
    ]
    for (const text of later)
      refusedWith(await at.post(assertionForm(text)), 400, invalid, "Non-unique 'jti' claim in client_assertion JWT")
    at.known.set(clientId, { ...client, approved: false, products: [] })
    const ofRevoked = await at.post(assertionForm(assertion(at.clock.now(), { jti })))
    at.known.set(clientId, client)
    refusedWith(ofRevoked, 400, invalid, "Non-unique 'jti' claim in client_assertion JWT")
    const before = assertion(at.clock.now(), { jti, sub: 'another' })
    assert.match((await at.post(assertionForm(before))).body['error_description'] ?? '', /'iss'\/'sub'/)
  })

  it('a forged assertion does not burn the jti of its owner', async () => {
    const forged = assertion(at.clock.now(), { jti: 'mine' }, { key: providerPair.privateKey })
    assert.equal((await at.post(assertionForm(forged))).status, 401)
    const true1 = assertion(at.clock.now(), { jti: 'mine' })
    assert.equal((await at.post(assertionForm(true1))).status, 200)
  })

  it('national leaves the additions out; strict tells no hint', async (t) => {
    const national = await testIdentity(t, { config: { compat: 'national' } })
    const future = assertion(national.clock.now(), { nbf: seconds(national) + 100 })
    assert.equal((await national.post(assertionForm(future))).status, 200)
    const twice = `${new URLSearchParams(assertionForm(assertion(national.clock.now())))}&grant_type=x`
    assert.equal((await national.post(twice)).status, 200)
    assert.deepEqual(Object.keys((await national.post({})).body), ['error', 'error_description', 'message_id'])
    const strict = await testIdentity(t, { platform: { profile: 'strict' } })
    assert.deepEqual(Object.keys((await strict.post({})).body), ['error', 'error_description', 'message_id'])
  })
})

test('strict: the host that a request names counts only when it is ours', async (t) => {
  const at = await testIdentity(t, { platform: { profile: 'strict' }, config: { origins: [] } })
  const ask = async (host: string, aud: string) => {
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' }
    const payload = new URLSearchParams(assertionForm(assertion(at.clock.now(), { aud }))).toString()
    return (await at.app.inject({ method: 'POST', url: '/oauth2/token', headers, payload })).statusCode
  }
  assert.equal(await ask('int.api.example:8443', 'http://int.api.example:8443/oauth2/token'), 200)
  assert.equal(await ask('another.example', 'http://another.example/oauth2/token'), 401)
  assert.equal(await ask('another.example', 'http://int.api.example/oauth2/token'), 200)
})

test('dispatch (§2.5), methods, media type and size', async (t) => {
  const at = await testIdentity(t)
  const urn = 'urn:ietf:params:oauth:token-type:id_token'
  refusedWith(await at.post({}), 400, 'invalid_request', 'grant_type is missing')
  refusedWith(await at.post({ grant_type: 'password' }), 400, 'unsupported_grant_type', 'grant_type is invalid')
  const missing = `missing or invalid subject_token_type - must be '${urn}'`
  refusedWith(await at.post({ grant_type: exchangeUrn, subject_token_type: 'x' }), 400, 'invalid_request', missing)
  refusedWith(await at.post('grant_type=a&grant_type=b'), 400, 'invalid_request', 'Duplicate parameter in request body')
  for (const type of ['application/x-www-form-urlencoded;charset=UTF-8', 'application/json', undefined]) {
    const headers = type === undefined ? {} : { 'content-type': type }
    const told = await at.app.inject({ method: 'POST', url: '/oauth2/token', headers, payload: 'grant_type=x' })
    assert.equal(told.statusCode, 415)
    assert.equal(told.json().error_description, 'Content-Type header must be application/x-www-form-urlencoded')
  }
  for (const [method, path, allow] of [
    ['GET', 'token', 'POST'],
    ['PUT', 'token', 'POST'],
    ['POST', 'authorize', 'GET'],
    ['HEAD', 'authorize', 'GET'],
  ] as const) {
    const told = await at.app.inject({ method, url: `/oauth2/${path}` })
    assert.deepEqual([told.statusCode, told.headers.allow, told.body], [405, allow, ''])
  }
  for (const path of ['/oauth2/nothing', '/oauth2', '/oauth2/token/', '/oauth2/.well-known/openid-configuration'])
    refusedWith(await at.get(path), 404, 'invalid_request', 'Not Found')
  refusedWith(await at.post('', '/oauth2/callback'), 404, 'invalid_request', 'Not Found')
  assert.equal((await at.post(`grant_type=${'x'.repeat(70_000)}`)).status, 413)
  assert.equal((await at.get('/oauth2/_ping')).status, 200)
  const preflight = await at.app.inject({
    method: 'OPTIONS',
    url: '/oauth2/token',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.statusCode, 200)
  assert.equal(preflight.headers['access-control-allow-methods'], 'GET, PUT, POST, DELETE')
})
