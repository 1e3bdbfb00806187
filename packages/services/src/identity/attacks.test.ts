/** The attacks of the OAuth security best practice (RFC 9700, RFC 8725) on the authorisation server, each refused in its own words. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { publicJwk, signToken } from '@openspine/standards/jose'
import { type FetchRequest, guardedFetch } from './keys/fetch.ts'
import {
  answered,
  assertion,
  assertionForm,
  callbackUrl,
  client,
  clientId,
  clientKeys,
  exchangeForm,
  idToken,
  keySet,
  loginProvider,
  origin,
  provider,
  providerPair,
  secret,
  type TestIdentity,
  testIdentity,
  tokenUrl,
  untilTheEnd,
} from './testing.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const thief = generateKeyPairSync('rsa', { modulusLength: 2048 })
const loginPair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const unverified = 'JWT signature verification failed'

/** Every address that was asked for anything. */
let asked: FetchRequest[] = []
/** What the provider's token endpoint gives. */
let given = ''

const kept = untilTheEnd()
let at: TestIdentity
before(async () => {
  at = await testIdentity(kept, {
    async fetch(request) {
      asked.push(request)
      if (request.method === 'POST') return answered(JSON.stringify({ id_token: given, access_token: 'external' }))
      // Each provider has keys of its own, under the same kid.
      if (request.url === loginProvider.jwksUrl) return answered(keySet(loginPair.publicKey, 'idp-1', 'RS512'))
      if (request.url === provider.jwksUrl) return answered(keySet(providerPair.publicKey, 'idp-1', 'RS256'))
      return answered(keySet(thief.publicKey, 'test-1'))
    },
  })
})
beforeEach(() => {
  asked = []
  at.known.set(clientId, client)
})

type Told = Awaited<ReturnType<TestIdentity['post']>>
const said = ({ status, body }: Told) => [status, body['error_description']]
const assertionSaid = async (text: string) => said(await at.post(assertionForm(text)))
const exchange = (subject: string) => at.post(exchangeForm(at.clock.now(), subject))
/** Parts of a token with another header, under the old signature. */
const reheaded = (token: string, header: object) => [encode(header), ...token.split('.').slice(1)].join('.')
const maced = (token: string, header: Record<string, unknown>, key: string | Buffer) => {
  const signed = `${encode(header)}.${token.split('.')[1]}`
  return `${signed}.${createHmac(header['alg'] === 'HS512' ? 'sha512' : 'sha256', key)
    .update(signed)
    .digest('base64url')}`
}

/** What a header may say of where its key is. */
const embedded = (key: KeyObject): readonly Record<string, unknown>[] => [
  { jwk: publicJwk(key, { kid: 'test-1', alg: 'RS512' }) },
  { jku: 'https://thief.example/jwks.json' },
  { x5u: 'https://thief.example/chain.pem' },
  { x5c: ['MIIB'], x5t: 'x' },
  { jku: 'http://169.254.169.254/latest/meta-data' },
]

describe('keys that a token brings along', () => {
  it('verify nothing and are never fetched: client assertion', async () => {
    for (const header of embedded(thief.publicKey)) {
      assert.deepEqual(
        await assertionSaid(assertion(at.clock.now(), {}, { key: thief.privateKey, header })),
        [401, unverified],
        JSON.stringify(header),
      )
      assert.equal((await assertionSaid(assertion(at.clock.now(), {}, { header })))[0], 200, 'nor do they harm')
    }
    assert.deepEqual(asked, [])
  })

  it('verify nothing and are never fetched: ID token in an exchange', async () => {
    for (const header of embedded(thief.publicKey)) {
      const forged = signToken(
        { ...claimsOf(idToken(at.clock.now())) },
        { key: thief.privateKey, algorithm: 'RS256', header: { kid: 'idp-1', ...header } },
      )
      assert.deepEqual(said(await exchange(forged)), [401, unverified], JSON.stringify(header))
    }
    assert.ok(asked.every(({ url }) => url === provider.jwksUrl))
  })
})

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('a kid', () => {
  const kids: readonly unknown[] = [
    '../../../../dev/null',
    '/etc/passwd',
    "' union select 'x' --",
    'test-1\u0000',
    ' test-1',
    'TEST-1',
    '__proto__',
    'constructor',
    'https://thief.example/key',
    'x'.repeat(20_000),
    ['test-1'],
    { kid: 'test-1' },
    1,
    true,
  ]
  it('is looked for among the keys of its owner, and nowhere else', async () => {
    for (const kid of kids) {
      const [status, text] = await assertionSaid(
        assertion(at.clock.now(), {}, { header: { kid: kid as string }, key: thief.privateKey }),
      )
      assert.ok(status === 401 || status === 400, `${status} ${JSON.stringify(kid).slice(0, 40)}`)
      assert.match(String(text), /'kid' header|verification failed|Malformed/)
      const told = await exchange(idToken(at.clock.now(), {}, { kid }))
      assert.ok(told.status === 401 || told.status === 400, `${told.status} ${JSON.stringify(kid).slice(0, 40)}`)
    }
    assert.ok(asked.every(({ url }) => url === provider.jwksUrl))
  })
})

describe('algorithms', () => {
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }) as string
  it('are those of the use: none in every spelling, an HMAC with the public key, another family', async () => {
    const good = assertion(at.clock.now())
    const must = "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'"
    for (const alg of [
      'none',
      'None',
      'NONE',
      'nOnE',
      '',
      'HS256',
      'HS512',
      'RS256',
      'PS512',
      'ES512',
      'rs512',
      1,
      null,
    ])
      for (const signature of ['', good.split('.')[2]])
        assert.deepEqual(
          await assertionSaid(
            `${reheaded(good, { alg, typ: 'JWT', kid: 'test-1' }).split('.').slice(0, 2).join('.')}.${signature}`,
          ),
          [400, must],
          String(alg),
        )
    for (const key of [
      pem(clientKeys.publicKey),
      Buffer.from(encode(publicJwk(clientKeys.publicKey, { kid: 'test-1', alg: 'RS512' }))),
    ])
      assert.deepEqual(await assertionSaid(maced(good, { alg: 'HS512', typ: 'JWT', kid: 'test-1' }, key)), [400, must])
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' })
    const curve = signToken(claimsOf(good), { key: privateKey, algorithm: 'ES512', header: { kid: 'test-1' } })
    assert.deepEqual(await assertionSaid(curve), [400, must])

    const person = idToken(at.clock.now())
    const header = { typ: 'JWT', kid: 'idp-1' }
    for (const alg of ['none', 'NONE', 'HS256', 'PS256', 'ES256'])
      assert.deepEqual(said(await exchange(reheaded(person, { ...header, alg }))), [401, unverified], alg)
    assert.deepEqual(said(await exchange(`${encode({ ...header, alg: 'none' })}.${person.split('.')[1]}.`)), [
      401,
      unverified,
    ])
    const mac = maced(person, { ...header, alg: 'HS256' }, pem(providerPair.publicKey))
    assert.deepEqual(said(await exchange(mac)), [401, unverified])
  })

  it('that a registered key is not for verify nothing', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const set = JSON.stringify({ keys: [publicJwk(publicKey, { kid: 'test-1', alg: 'ES256' })] })
    at.known.set(clientId, { ...client, keys: { keySet: set } })
    const forged = signToken(claimsOf(assertion(at.clock.now())), {
      key: privateKey,
      algorithm: 'ES256',
      header: { kid: 'test-1' },
    })
    assert.equal((await assertionSaid(reheaded(forged, { alg: 'RS512', typ: 'JWT', kid: 'test-1' })))[0], 401)
  })
})

describe('audience and issuer', () => {
  it('of an assertion are this endpoint and this client, character by character', async () => {
    const wrong = "Missing or invalid 'aud' claim in client_assertion JWT"
    for (const aud of [
      `${tokenUrl}/`,
      `${origin}/oauth2-mock/token`,
      `${origin}/oauth2`,
      origin,
      tokenUrl.replace('https:', 'http:'),
      tokenUrl.replace('int.api', 'INT.API'),
      `${origin}:443/oauth2/token`,
      `${tokenUrl}?x=1`,
      `https://thief.example/?${tokenUrl}`,
      provider.tokenUrl,
      [],
      [[tokenUrl]],
      { 0: tokenUrl },
      undefined,
    ])
      assert.deepEqual(await assertionSaid(assertion(at.clock.now(), { aud })), [401, wrong], JSON.stringify(aud))
    const mock = await at.post(assertionForm(assertion(at.clock.now())), '/oauth2-mock/token')
    assert.deepEqual(said(mock), [401, wrong], 'one for the other base path')
    assert.deepEqual(await assertionSaid(assertion(at.clock.now(), { sub: 'another' })), [
      400,
      "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT",
    ])
  })

  it('of an ID token are those of one provider: its keys vouch for no other', async () => {
    // Signed by the provider of citizens, in the name of that of staff, and the other way round.
    const asStaff = signToken(claimsOf(idToken(at.clock.now())), {
      key: loginPair.privateKey,
      algorithm: 'RS256',
      header: { kid: 'idp-1' },
    })
    assert.deepEqual(said(await exchange(asStaff)), [401, unverified])
    const asCitizen = idToken(at.clock.now(), { nhs_number: '9912003071' }, {}, loginProvider)
    assert.deepEqual(said(await exchange(asCitizen)), [401, unverified])
    const own = signToken(claimsOf(asCitizen), {
      key: loginPair.privateKey,
      algorithm: 'RS512',
      header: { kid: 'idp-1' },
    })
    assert.equal((await exchange(own)).status, 200)
    const elsewhere = "Missing or non-matching 'iss' claim in subject_token JWT"
    for (const iss of [
      `${provider.issuer}/`,
      provider.issuer.replace(':443', ''),
      'https://thief.example',
      loginProvider.jwksUrl,
    ])
      assert.deepEqual(said(await exchange(idToken(at.clock.now(), { iss }))), [400, elsewhere], iss)
    // A client's own assertion is no ID token, and an access token is none.
    assert.equal((await exchange(assertion(at.clock.now()))).status, 400)
    const mockBase = await at.post(
      {
        ...exchangeForm(at.clock.now(), idToken(at.clock.now())),
        client_assertion: assertion(at.clock.now(), { aud: `${origin}/oauth2-mock/token` }),
      },
      '/oauth2-mock/token',
    )
    assert.deepEqual(said(mockBase), [400, elsewhere], 'a provider of the one base path is none of the other')
  })

  it('are not mixed up on the way back from a provider', async () => {
    const state = async (scope?: string) => {
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: callbackUrl,
        response_type: 'code',
        state: 's',
        ...(scope === undefined ? {} : { scope }),
      })
      const told = await at.get(`/oauth2/authorize?${query}`)
      return new URL(String(told.headers['location'])).searchParams
    }
    const staff = await state()
    const nonce = staff.get('nonce')
    // A token of the other provider, for a sign-in that began at this one.
    given = signToken(claimsOf(idToken(at.clock.now(), { nonce }, {}, loginProvider)), {
      key: loginPair.privateKey,
      algorithm: 'RS512',
      header: { kid: 'idp-1' },
    })
    const mixed = await at.get(`/oauth2/callback?code=x&state=${staff.get('state')}`)
    assert.equal(mixed.status, 400)
    assert.match(mixed.body['error_description'] ?? '', /Invalid ('aud'|iss) claim in external ID token JWT/)
    assert.equal(asked.at(-1)?.url, provider.tokenUrl, 'the code went to the provider that was asked')

    const other = (await state()).get('state')
    asked = []
    const answer = `code=x&iss=${encodeURIComponent(loginProvider.issuer)}&state=${other}`
    assert.deepEqual(said(await at.get(`/oauth2/callback?${answer}`)), [
      400,
      'Invalid iss parameter in authorization response',
    ])
    assert.deepEqual(asked, [], 'the code went nowhere')
    // The state was used up: a second try with the right iss comes too late.
    const right = `code=x&iss=${encodeURIComponent(provider.issuer)}&state=${other}`
    assert.deepEqual(said(await at.get(`/oauth2/callback?${right}`)), [400, 'Invalid state parameter.'])
  })

  it('a code of the provider that was stolen does not fit another sign-in', async () => {
    const begin = async () => {
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: callbackUrl,
        response_type: 'code',
        state: 's',
      })
      return new URL(String((await at.get(`/oauth2/authorize?${query}`)).headers['location'])).searchParams
    }
    const [victim, own] = [await begin(), await begin()]
    // What the provider gives for the victim's code has the victim's nonce.
    given = idToken(at.clock.now(), { nonce: victim.get('nonce') })
    assert.deepEqual(said(await at.get(`/oauth2/callback?code=stolen&state=${own.get('state')}`)), [
      400,
      "Invalid 'nonce' claim in external ID token JWT",
    ])
  })
})

describe('redirects and repeated parameters', () => {
  const query = (members: Record<string, string>) =>
    new URLSearchParams({
      client_id: clientId,
      redirect_uri: callbackUrl,
      response_type: 'code',
      state: 's',
      ...members,
    })

  it('nobody is sent to an address that is not registered, letter for letter', async () => {
    for (const address of [
      `${callbackUrl}/`,
      `${callbackUrl}?x=1`,
      `${callbackUrl}#x`,
      `${callbackUrl} `,
      `${callbackUrl}%2f..`,
      'https://app.example/callback/../evil',
      'https://app.example/Callback',
      'https://APP.example/callback',
      'https://app.example:443/callback',
      'http://app.example/callback',
      'https://app.example@thief.example/callback',
      'https://app.example.thief.example/callback',
      'https://app.example\\@thief.example/callback',
      '//app.example/callback',
      'javascript:alert(1)',
      'data:text/html,x',
      '/callback',
    ]) {
      for (const more of [{}, { response_type: 'token' }, { state: '' }]) {
        const told = await at.get(`/oauth2/authorize?${query({ redirect_uri: address, ...more })}`)
        assert.deepEqual(said(told), [400, 'redirect_uri is invalid'], address)
        assert.equal(told.headers['location'], undefined, address)
      }
    }
  })

  it('what is echoed in a redirect cannot end its header or add a parameter', async () => {
    const state = 's\r\nset-cookie: a=b&code=forged#x'
    const told = await at.get(`/oauth2/authorize?${query({ state, response_type: 'token' })}`)
    const location = new URL(String(told.headers['location']))
    assert.equal(location.origin + location.pathname, callbackUrl)
    assert.deepEqual(
      [location.searchParams.get('state'), location.searchParams.get('code'), location.hash],
      [state, null, ''],
    )
    assert.equal(told.headers['set-cookie'], undefined)
  })

  it('a parameter that is there twice is refused wherever it is', async () => {
    for (const twice of ['client_id=other', 'redirect_uri=https://thief.example/', 'state=x', 'scope=a&scope=b'])
      assert.deepEqual(said(await at.get(`/oauth2/authorize?${query({})}&${twice}`)), [
        400,
        'Duplicate parameter in query',
      ])
    for (const twice of ['code=a&code=b&state=x', 'code=a&state=x&state=y'])
      assert.deepEqual(said(await at.get(`/oauth2/callback?${twice}`)), [400, 'Duplicate parameter in query'])
    const form = new URLSearchParams(assertionForm(assertion(at.clock.now())))
    for (const twice of ['client_assertion=x', 'grant_type=refresh_token', 'unknown=1&unknown=2'])
      assert.deepEqual(said(await at.post(`${form}&${twice}`)), [400, 'Duplicate parameter in request body'])
    assert.deepEqual(said(await at.post('logout_token=a&logout_token=b', '/oauth2/backchannel_logout')), [
      400,
      'Duplicate parameter in request body',
    ])
  })
})

describe('tokens that are huge or strange', () => {
  it('are refused in the words for what is malformed', async () => {
    const huge = `${encode({ alg: 'RS512', typ: 'JWT', kid: 'test-1', pad: 'x'.repeat(30_000) })}.${encode({ iss: clientId })}.${'A'.repeat(600)}`
    const deep = `${encode({ alg: 'RS512', typ: 'JWT', kid: 'test-1' })}.${Buffer.from(`{"iss":${'['.repeat(9_000)}${']'.repeat(9_000)}}`).toString('base64url')}.AA`
    for (const text of [huge, deep, `${'.'.repeat(50_000)}`, 'a.b.c', '\u0000.\u0000.\u0000', 'e30.e30.e30.e30'])
      assert.deepEqual(await assertionSaid(text), [400, 'Malformed JWT in client_assertion'], text.slice(0, 20))
    const person = `${encode({ alg: 'RS256', typ: 'JWT', kid: 'idp-1', pad: 'x'.repeat(30_000) })}.${encode({})}.AA`
    assert.deepEqual(said(await exchange(person)), [400, 'Malformed JWT in subject_token'])
    assert.equal((await at.post(`client_assertion=${'x'.repeat(66_000)}`)).status, 413)
    for (const jti of ['x'.repeat(10_000), '\u0000', '😀', '__proto__'])
      assert.equal((await assertionSaid(assertion(at.clock.now(), { jti })))[0], 200, 'any text is a jti')
    for (const jti of [['a'], { a: 1 }, 5, true])
      assert.match(
        String((await assertionSaid(assertion(at.clock.now(), { jti })))[1]),
        /'jti' claim in client_assertion JWT/,
      )
  })

  it('numbers that are none are no times', async () => {
    for (const exp of ['1e99', Number.MAX_SAFE_INTEGER, 1e308, -1, 0, null, [1], { a: 1 }, true])
      assert.match(
        String((await assertionSaid(assertion(at.clock.now(), { exp })))[1]),
        /'exp' claim in client_assertion JWT/,
        JSON.stringify(exp),
      )
  })
})

describe('clocks', () => {
  const now = () => Math.floor(at.clock.now() / 1000)
  it('an ID token is good until its last second, and not a second longer', async () => {
    assert.equal((await exchange(idToken(at.clock.now(), { exp: now() + 1 }))).status, 200)
    const expired = "Invalid 'exp' claim in subject_token JWT - JWT has expired"
    assert.deepEqual(said(await exchange(idToken(at.clock.now(), { exp: now() - 1 }))), [400, expired])
  })

  it('an assertion is refused one second beyond each edge', async () => {
    for (const [claims, text] of [
      [{ exp: now() - 1 }, 'JWT has expired'],
      [{ exp: now() + 311 }, 'more than 5 minutes in future'],
      [{ nbf: now() + 11 }, 'JWT is not yet valid'],
      [{ iat: now() + 61 }, 'JWT was issued in the future'],
    ] as const)
      assert.match(String((await assertionSaid(assertion(at.clock.now(), claims)))[1]), new RegExp(text))
  })
})

describe('a key set that hangs, never ends, leads inside or elsewhere', () => {
  const unreachable = "The JWKS endpoint, for your client_assertion can't be reached"
  let url = ''
  let hits: string[] = []
  const server = createServer((request, response) => {
    hits.push(request.url ?? '')
    if (request.url === '/hangs') return
    if (request.url === '/elsewhere') return void response.writeHead(302, { location: 'http://localhost:1/keys' }).end()
    if (request.url === '/inside') return void response.writeHead(307, { location: 'http://169.254.169.254/' }).end()
    if (request.url === '/page') return void response.end('<html>not found</html>')
    if (request.url === '/keys') return void response.end(keySet(clientKeys.publicKey, 'test-1'))
    response.writeHead(200)
    let left = 1_000
    const more = () => {
      while (left-- > 0 && response.write(Buffer.alloc(1_048_576))) {}
    }
    response.on('drain', more)
    more()
  })
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    hits = []
  })

  it('is not reached, soon and without being read whole', async () => {
    const bounds = { timeoutMs: 300, maxBytes: 64 * 1024, plain: true }
    const open = await testIdentity(kept, { fetch: guardedFetch({ ...bounds, allow: ['127.0.0.0/8'] }) })
    const ask = async (path: string) => {
      open.known.set(clientId, { ...client, keys: { url: `${url}${path}` } })
      return said(await open.post(assertionForm(assertion(open.clock.now()))))
    }
    assert.deepEqual(await ask('/keys'), [200, undefined])
    for (const path of ['/hangs', '/gigabyte', '/elsewhere', '/inside', '/page'])
      assert.deepEqual(await ask(path), [403, unreachable], path)
    assert.ok(process.memoryUsage().arrayBuffers < 200_000_000, 'the gigabyte was not kept')
  })

  it('at a loopback address is not even asked for, in any spelling', async () => {
    const bounds = { timeoutMs: 300, maxBytes: 64 * 1024, plain: true }
    const closed = await testIdentity(kept, { fetch: guardedFetch({ ...bounds, allow: [] }) })
    const { port } = new URL(url)
    for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0', '127.1']) {
      closed.known.set(clientId, { ...client, keys: { url: `http://${host}:${port}/keys` } })
      assert.deepEqual(said(await closed.post(assertionForm(assertion(closed.clock.now())))), [403, unreachable], host)
    }
    assert.deepEqual(hits, [])
  })
})

describe('secrets', () => {
  it('do not come from another client, and a code is worth nothing without one', async () => {
    for (const wrong of ['', `${secret} `, secret.toUpperCase(), 'x'.repeat(60_000)]) {
      const told = await at.post({
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: wrong,
        redirect_uri: callbackUrl,
        code: 'x',
      })
      assert.equal(told.status, 401, wrong.slice(0, 20))
    }
  })
})
