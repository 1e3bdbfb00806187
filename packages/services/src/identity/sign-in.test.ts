import assert from 'node:assert/strict'
import { before, beforeEach, describe, it } from 'node:test'
import { readSignedToken, signToken } from '@openspine/standards/jose'
import { FetchFault, type FetchRequest } from './keys/fetch.ts'
import {
  answered,
  callbackUrl,
  client,
  clientId,
  clientKeys,
  idToken,
  keySet,
  loginProvider,
  origin,
  provider,
  providerPair,
  secret,
  type TestIdentity,
  testIdentity,
  untilTheEnd,
} from './testing.ts'

const good = { client_id: clientId, redirect_uri: callbackUrl, response_type: 'code', state: 'app state & more' }
type Query = Readonly<Record<string, string | undefined>>

describe('signing people in', () => {
  let at: TestIdentity
  let asked: FetchRequest[] = []
  /** What the provider answers next. */
  let token: string | number = ''
  let keys = ''
  const kept = untilTheEnd()
  before(async () => {
    at = await testIdentity(kept, {
      async fetch(request) {
        asked.push(request)
        if (request.url === provider.userinfoUrl) return answered('{"nhsid_useruid":"656005750107" }')
        if (request.method !== 'POST') {
          if (keys === 'down') throw new FetchFault('The server cannot be reached.')
          return answered(keys)
        }
        return typeof token === 'number'
          ? answered('{}', token)
          : answered(JSON.stringify({ id_token: token, access_token: 'external', expires_in: 3599 }))
      },
    })
  })
  beforeEach(() => {
    asked = []
    keys = keySet(providerPair.publicKey, 'idp-1', 'RS256')
    at.known.set(clientId, client)
    // A minute, so that unknown key ids are looked for again.
    at.clock.advance(61_000)
  })

  const query = (members: Query) =>
    new URLSearchParams(Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined))
  const authorize = (members: Query = {}) => at.get(`/oauth2/authorize?${query({ ...good, ...members })}`)
  const located = async (members: Query = {}) => new URL(String((await authorize(members)).headers['location']))
  /** Through the provider and back, with this in the ID token. */
  async function back(claims: Record<string, unknown> = {}, header = {}, members: Query = {}, of = provider) {
    const sent = await located(members)
    const nonce = sent.searchParams.get('nonce')
    token = idToken(at.clock.now(), { nonce, sid: 'session-1', ...claims }, header, of)
    return at.get(`/oauth2/callback?${query({ code: 'external-code', state: sent.searchParams.get('state') ?? '' })}`)
  }
  const redeem = (code: string, members: Record<string, string> = {}) =>
    at.post({
      grant_type: 'authorization_code',
      client_id: clientId,
      client_secret: secret,
      redirect_uri: callbackUrl,
      code,
      ...members,
    })
  const codeOf = (told: { headers: Readonly<Record<string, unknown>> }) =>
    new URL(String(told.headers['location'])).searchParams.get('code') ?? ''

  const checks: readonly (readonly [string, Query, number, string, string, Partial<typeof client>?])[] = [
    ['1', { client_id: undefined }, 401, 'invalid_request', 'client_id is missing'],
    ['2', { client_id: 'x' }, 401, 'invalid_request', 'client_id is invalid'],
    [
      '3',
      {},
      401,
      'access_denied',
      'The developer app associated with the API key is not approved or revoked',
      { approved: false },
    ],
    [
      '4',
      {},
      401,
      'access_denied',
      'API Key supplied does not have access to this resource. Please check the API Key you are using belongs to an app which has sufficient access to access this resource.',
      { products: [] },
    ],
    [
      '4b company',
      {},
      401,
      'access_denied',
      'The company associated with the developer app that has the API key you are using has an inactive status',
      { owner: { name: 'Invented Software Ltd', kind: 'company', status: 'inactive' } },
    ],
    [
      '4b developer',
      {},
      401,
      'access_denied',
      'The developer who created the developer app that has the API key you are using has an inactive status',
      { owner: { name: 'Ann Invented', kind: 'developer', status: 'inactive' } },
    ],
    ['6', { redirect_uri: undefined }, 400, 'invalid_request', 'redirect_uri is missing'],
    ['7', { redirect_uri: `${callbackUrl}/` }, 400, 'invalid_request', 'redirect_uri is invalid'],
    ['7 none registered', {}, 400, 'invalid_request', 'redirect_uri is invalid', { callbackUrl: undefined }],
  ]
  for (const [name, members, status, error, description, changed] of checks)
    it(`/authorize #${name}`, async () => {
      at.known.set(clientId, { ...client, ...changed })
      const told = await authorize(members)
      assert.deepEqual([told.status, told.body['error'], told.body['error_description']], [status, error, description])
      assert.equal(told.headers['location'], undefined)
    })

  it('/authorize #8 to #10 are told to the application', async () => {
    const cases: readonly (readonly [Query, string, string, string | null])[] = [
      [{ state: undefined }, 'invalid_request', 'state is missing', null],
      [{ response_type: undefined }, 'invalid_request', 'response_type is missing', good.state],
      [{ response_type: 'token' }, 'unsupported_response_type', 'response_type is invalid', good.state],
    ]
    for (const [members, error, description, state] of cases) {
      const told = await authorize(members)
      assert.equal(told.status, 302)
      const { searchParams, origin: where, pathname } = new URL(String(told.headers['location']))
      assert.equal(where + pathname, callbackUrl)
      assert.deepEqual(
        ['error', 'error_description', 'state'].map((each) => searchParams.get(each)),
        [error, description, state],
      )
    }
  })

  it('sends staff to the one provider and citizens to the other', async () => {
    const staff = await located({ acr_values: 'AAL2_ANY' })
    assert.equal(staff.origin + staff.pathname, provider.authorizeUrl)
    const { state, nonce, ...rest } = Object.fromEntries(staff.searchParams)
    assert.match(state ?? '', /^[\w-]{36}$/)
    assert.ok(nonce)
    assert.deepEqual(rest, {
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: `${origin}/oauth2/callback`,
      scope: 'openid nationalrbacaccess',
      max_age: '300',
      acr_values: 'AAL2_ANY',
    })
    assert.match(staff.search, /scope=openid%20nationalrbacaccess/)
    const citizen = await located({ scope: 'nhs-login' })
    assert.equal(citizen.origin + citizen.pathname, loginProvider.authorizeUrl)
    assert.equal(citizen.searchParams.get('scope'), 'openid profile')
    assert.equal(citizen.searchParams.get('acr_values'), null)
    assert.equal((await located()).searchParams.get('acr_values'), 'AAL3_ANY')
  })

  it('brings a person all the way to tokens, userinfo, refresh and logout', async () => {
    const returned = await back()
    assert.equal(returned.status, 302, returned.text)
    assert.equal(new URL(String(returned.headers['location'])).searchParams.get('state'), good.state)
    const form = new URLSearchParams(asked[0]?.body)
    assert.equal(form.get('client_secret'), provider.secret)
    const told = await redeem(codeOf(returned))
    assert.equal(told.status, 200, told.text)
    const { access_token: access = '', refresh_token: refresh = '', ...rest } = told.body
    assert.deepEqual(rest, {
      expires_in: '599',
      refresh_token_expires_in: '43199',
      refresh_count: '0',
      token_type: 'Bearer',
    })
    const grant = at.families.at(-1)?.grant
    assert.deepEqual([grant?.session, grant?.level, grant?.externalAccessToken], ['session-1', 'aal3', 'external'])

    const info = await at.get('/oauth2/userinfo', { authorization: `Bearer ${access}` })
    assert.equal(info.text, '{"nhsid_useruid":"656005750107" }', 'unchanged')
    assert.equal(asked.at(-1)?.headers?.['authorization'], 'Bearer external')

    const again = { grant_type: 'refresh_token', client_id: clientId, client_secret: secret, refresh_token: refresh }
    const second = await at.post(again)
    assert.deepEqual([second.status, second.body['refresh_count']], [200, '1'])

    const logout = (claims: Record<string, unknown> = {}, header = {}, key = providerPair.privateKey) =>
      at.post(
        {
          logout_token: signToken(
            {
              iss: provider.issuer,
              aud: provider.clientId,
              sid: 'session-1',
              jti: 'j',
              events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
              ...claims,
            },
            { key, algorithm: 'RS256', header: { kid: 'idp-1', ...header } },
          ),
        },
        '/oauth2/backchannel_logout',
      )
    const said = (answer: Awaited<ReturnType<typeof logout>>) => [
      answer.status,
      answer.body['error'],
      answer.body['error_description'],
    ]
    assert.deepEqual(said(await at.post({ logout_token: 'x' }, '/oauth2/backchannel_logout')), [
      400,
      'invalid_request',
      'Malformed JWT in logout_token',
    ])
    const refusals: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ aud: 'x' }, 'Missing/invalid aud claim in JWT'],
      [{ iss: 'x' }, 'Missing/invalid iss claim in JWT'],
      [{ sid: undefined }, 'Missing sid claim in JWT'],
      [{ events: {} }, 'Missing/invalid events claim in JWT'],
      [{ nonce: 'n' }, 'Prohibited nonce claim in JWT'],
    ]
    for (const [claims, text] of refusals) assert.deepEqual(said(await logout(claims)), [400, 'invalid_request', text])
    assert.deepEqual(said(await logout({}, { kid: 'x' })), [400, 'bad_request', 'Unable to verify JWT'])
    assert.deepEqual(said(await logout({}, {}, clientKeys.privateKey)), [400, 'bad_request', 'Unable to verify JWT'])
    assert.deepEqual(said(await logout({ sid: 'other' })), [501, 'not_implemented', 'SID not found'])
    const done = await logout()
    assert.deepEqual([done.status, done.text], [200, '{"success":true}'])
    const gone = await at.get('/oauth2/userinfo', { authorization: `Bearer ${second.body['access_token']}` })
    assert.deepEqual(
      [gone.status, gone.body],
      [
        401,
        {
          fault: {
            faultstring: 'Invalid Access Token',
            detail: { errorcode: 'keymanagement.service.invalid_access_token' },
          },
        },
      ],
    )

    const unredeemed = codeOf(await back({ sid: 'session-2' }))
    assert.equal((await logout({ sid: 'session-2' })).status, 200)
    assert.equal((await redeem(unredeemed)).body['error'], 'invalid_grant', 'the end of a session ends its codes')
  })

  it('refuses logout tokens from elsewhere', async () => {
    const told = await at.app.inject({
      method: 'POST',
      url: '/oauth2/backchannel_logout',
      remoteAddress: '192.0.2.7',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'logout_token=x',
    })
    assert.equal(told.statusCode, 403)
  })

  const returns: readonly (readonly [string, () => ReturnType<typeof back>, number, string, string])[] = [
    ['aud', () => back({ aud: 'x' }), 400, 'invalid_request', "Invalid 'aud' claim in external ID token JWT"],
    ['iss', () => back({ iss: 'x' }), 400, 'invalid_request', 'Invalid iss claim in external ID token JWT'],
    [
      'kid',
      () => back({}, { kid: 'x' }),
      401,
      'invalid_request',
      "Invalid 'kid' header in external ID token JWT - no matching public key",
    ],
    ['alg', () => back({}, { alg: 'none' }), 401, 'public_key error', 'JWT signature verification failed'],
    [
      'exp',
      () => back({ exp: 5 }),
      400,
      'invalid_request',
      "Invalid 'exp' claim in external ID token JWT - JWT has expired",
    ],
    [
      'nonce',
      () => back({ nonce: 'of another' }),
      400,
      'invalid_request',
      "Invalid 'nonce' claim in external ID token JWT",
    ],
    [
      'level',
      () => back({ authentication_assurance_level: undefined }),
      401,
      'unauthorized_client',
      'you have tried to request authorization but your application is not configured to use this authorization grant type',
    ],
  ]
  for (const [name, go, status, error, description] of returns)
    it(`/callback refuses: ${name}`, async () => {
      const told = await go()
      assert.deepEqual([told.status, told.body['error'], told.body['error_description']], [status, error, description])
    })

  it('/callback refuses an unknown or late state, a malformed token, and a provider that fails', async () => {
    const stateText = 'Invalid state parameter.'
    assert.equal((await at.get('/oauth2/callback?code=x&state=y')).body['error_description'], stateText)
    assert.equal((await at.get('/oauth2/callback?code=x')).body['error_description'], stateText)
    const state = async () => (await located()).searchParams.get('state')
    const mock = await at.get(`/oauth2-mock/callback?code=x&state=${await state()}`)
    assert.equal(mock.body['error_description'], stateText)
    const late = await state()
    at.clock.advance(600_000)
    assert.equal((await at.get(`/oauth2/callback?code=x&state=${late}`)).body['error_description'], stateText)
    token = 'x'
    const malformed = await at.get(`/oauth2/callback?code=x&state=${await state()}`)
    assert.equal(malformed.body['error_description'], 'Malformed JWT in External ID token')
    token = 400
    const failed = await at.get(`/oauth2/callback?code=x&state=${await state()}`)
    assert.deepEqual([failed.status, failed.body['error']], [500, 'unknown_error'])
    const error = await at.get(
      `/oauth2/callback?error=access_denied&error_description=No%20thanks&state=${await state()}`,
    )
    const { searchParams } = new URL(String(error.headers['location']))
    assert.deepEqual(
      [searchParams.get('error'), searchParams.get('error_description'), searchParams.get('state')],
      ['access_denied', 'No thanks', good.state],
    )
  })

  it('signs its own assertion for the provider of citizens', async () => {
    const returned = await back({ nhs_number: '9912003071' }, {}, { scope: 'nhs-login' }, loginProvider)
    assert.equal(returned.status, 302, returned.text)
    const reading = readSignedToken(new URLSearchParams(asked[0]?.body).get('client_assertion') ?? '')
    assert.ok(reading.ok)
    assert.deepEqual(reading.token.header, { alg: 'RS512', typ: 'JWT', kid: 'platform-1' })
    assert.equal(reading.token.claims['aud'], loginProvider.tokenUrl)
    const told = await redeem(codeOf(returned))
    assert.equal(told.body['refresh_token_expires_in'], '3599')
    const info = await at.get('/oauth2/userinfo', { authorization: `Bearer ${told.body['access_token']}` })
    assert.equal(info.status, 400)
    assert.match(info.body['error_description'] ?? '', /^The Userinfo endpoint is only supported for Combined Auth/)
  })

  const redemptions: readonly (readonly [string, Record<string, string>, number, string, string])[] = [
    ['no client_id', { client_id: '' }, 401, 'invalid_request', 'client_id is missing'],
    ['unknown client', { client_id: 'x' }, 401, 'invalid_client', 'client_id or client_secret is invalid'],
    ['no secret', { client_secret: '' }, 401, 'invalid_request', 'client_secret is missing'],
    ['wrong secret', { client_secret: 'x' }, 401, 'invalid_client', 'client_id or client_secret is invalid'],
    ['no redirect_uri', { redirect_uri: '' }, 400, 'invalid_request', 'redirect_uri is missing'],
    ['wrong redirect_uri', { redirect_uri: 'x' }, 400, 'invalid_request', 'redirect_uri is invalid'],
    ['no code', { code: '' }, 400, 'invalid_request', 'authorization_code is missing'],
    ['unknown code', { code: 'x' }, 400, 'invalid_grant', 'authorization_code is invalid'],
    ['no refresh token', { grant_type: 'refresh_token' }, 400, 'invalid_request', 'refresh_token is missing'],
    [
      'unknown refresh token',
      { grant_type: 'refresh_token', refresh_token: 'x' },
      401,
      'invalid_grant',
      'refresh_token is invalid',
    ],
  ]
  for (const [name, members, status, error, description] of redemptions)
    it(`/token refuses: ${name}`, async () => {
      const told = await redeem('some code', members)
      assert.deepEqual([told.status, told.body['error'], told.body['error_description']], [status, error, description])
    })

  it('a code is of its client, its callback and its five minutes; an old refresh token ends the family', async () => {
    const other = { ...client, key: 'another', application: 'another' }
    at.known.set('other', other)
    assert.equal(codeOf(await back()).length, 36)
    const code = codeOf(await back())
    const post = (id: string) =>
      at.post({
        grant_type: 'authorization_code',
        client_id: id,
        client_secret: secret,
        redirect_uri: callbackUrl,
        code,
      })
    assert.equal((await post('other')).body['error'], 'invalid_grant')
    at.clock.advance(299_000)
    const told = await redeem(code)
    assert.equal(told.status, 200, 'another client does not use it up')
    const late = codeOf(await back())
    at.clock.advance(300_000)
    assert.equal((await redeem(late)).body['error'], 'invalid_grant')

    const refresh = (refreshToken: string) =>
      at.post({ grant_type: 'refresh_token', client_id: clientId, client_secret: secret, refresh_token: refreshToken })
    const first = told.body['refresh_token'] ?? ''
    const next = (await refresh(first)).body['refresh_token'] ?? ''
    assert.equal((await refresh(first)).body['error_description'], 'refresh_token is invalid')
    assert.equal((await refresh(next)).body['error_description'], 'refresh_token is invalid', 'its family is revoked')
    const fresh = (await redeem(codeOf(await back()))).body['refresh_token'] ?? ''
    at.clock.advance(12 * 3_600_000)
    assert.equal((await refresh(fresh)).body['error_description'], 'refresh token refresh period has expired')
  })

  it('userinfo and _status tell what is wrong; _status tells of the providers', async () => {
    const faults: readonly (readonly [string | undefined, string])[] = [
      [undefined, 'oauth.v2.InvalidAccessToken'],
      ['Basic x', 'oauth.v2.InvalidAccessToken'],
      ['Bearer x', 'keymanagement.service.invalid_access_token'],
    ]
    for (const [authorization, code] of faults) {
      const told = await at.get('/oauth2/userinfo', authorization === undefined ? {} : { authorization })
      assert.equal(told.status, 401)
      assert.match(told.text, new RegExp(`"errorcode":"${code}"`))
    }
    assert.equal((await at.get('/oauth2/_status')).body['error'], 'Access Denied')
    const told = JSON.parse((await at.get('/oauth2/_status', { apikey: 'any' })).text)
    assert.equal(told.status, 'pass')
    assert.deepEqual(told.checks['nhs-cis2'], {
      status: 'pass',
      timeout: 'false',
      responseCode: 200,
      outcome: 'OK',
      links: { self: provider.jwksUrl },
    })
    keys = 'down'
    at.clock.advance(11_000)
    const down = JSON.parse((await at.get('/oauth2/_status', { apikey: 'any' })).text)
    assert.deepEqual(
      [down.status, down.checks['nhs-login'].responseCode, down.checks['nhs-login'].timeout],
      ['fail', null, 'true'],
    )
  })
})
