import assert from 'node:assert/strict'
import { before, beforeEach, describe, it } from 'node:test'
import {
  answered,
  clientId,
  exchangeForm,
  idToken,
  keySet,
  loginProvider,
  providerPair,
  refusedWith,
  secret,
  type TestIdentity,
  testIdentity,
  untilTheEnd,
} from './testing.ts'

const idpKeys = async () => answered(keySet(providerPair.publicKey, 'idp-1', 'RS256'))

describe('token exchange (§2.7)', () => {
  let at: TestIdentity
  const kept = untilTheEnd()
  before(async () => {
    at = await testIdentity(kept, { fetch: idpKeys })
  })
  beforeEach(() => at.families.splice(0))

  const form = (subject: string) => exchangeForm(at.clock.now(), subject)

  it('gives tokens for the person, with lives of the provider', async () => {
    const staff = await at.post(form(idToken(at.clock.now())))
    assert.equal(staff.status, 200, staff.text)
    assert.deepEqual(Object.keys(staff.body), [
      'access_token',
      'expires_in',
      'token_type',
      'issued_token_type',
      'refresh_token',
      'refresh_token_expires_in',
      'refresh_count',
    ])
    assert.equal(staff.body['refresh_token_expires_in'], '43199')
    assert.equal(staff.body['refresh_count'], '0')
    const { grant } = at.families[0] ?? assert.fail()
    assert.deepEqual(
      [grant.level, grant.provider, grant.user, grant.grantType, grant.scopes.length],
      ['aal3', 'nhs-cis2', '656005750107', 'token_exchange', 2],
    )
    const citizen = await at.post(form(idToken(at.clock.now(), { nhs_number: '9912003071' }, {}, loginProvider)))
    assert.equal(citizen.body['refresh_token_expires_in'], '3599', citizen.text)
    assert.equal(at.families[1]?.grant.user, '9912003071')
    const again = await at.post({
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: secret,
      refresh_token: staff.body['refresh_token'] ?? '',
    })
    assert.equal(again.body['refresh_count'], '1', again.text)
  })

  const cases: readonly (readonly [
    string,
    Record<string, unknown>,
    Record<string, unknown>,
    number,
    string,
    string,
  ])[] = [
    ['kid', {}, { kid: undefined }, 400, 'invalid_request', "Missing 'kid' header in subject_token JWT"],
    [
      'typ',
      {},
      { typ: undefined },
      400,
      'invalid_request',
      "Invalid 'typ' header in subject_token JWT - must be 'JWT'",
    ],
    ['alg', {}, { alg: undefined }, 400, 'invalid_request', "Missing 'alg' header in subject_token JWT"],
    ['exp', { exp: undefined }, {}, 400, 'invalid_request', "Missing 'exp' claim in subject_token JWT"],
    [
      'exp text',
      { exp: 'x' },
      {},
      400,
      'invalid_request',
      "Invalid 'exp' claim in subject_token JWT - must be an integer",
    ],
    ['exp past', { exp: 5 }, {}, 400, 'invalid_request', "Invalid 'exp' claim in subject_token JWT - JWT has expired"],
    ['iss', { iss: undefined }, {}, 400, 'invalid_request', "Missing 'iss' claim in subject_token JWT"],
    ['aud', { aud: undefined }, {}, 401, 'invalid_request', "Missing 'aud' claim in subject_token JWT"],
    [
      'iss other',
      { iss: 'https://AM.example:443/openam/oauth2/realms/root/realms/oidc' },
      {},
      400,
      'invalid_request',
      "Missing or non-matching 'iss' claim in subject_token JWT",
    ],
    [
      'kid other',
      {},
      { kid: 'x' },
      401,
      'invalid_request',
      "Invalid 'kid' header in subject_token JWT - no matching public key",
    ],
    ['alg other', {}, { alg: 'HS256' }, 401, 'public_key error', 'JWT signature verification failed'],
    [
      'level',
      { authentication_assurance_level: '2' },
      {},
      401,
      'unauthorized_client',
      'you have tried to request authorization but your application is not configured to use this authorization grant type',
    ],
    [
      'pattern as level',
      { authentication_assurance_level: '.' },
      {},
      401,
      'unauthorized_client',
      'you have tried to request authorization but your application is not configured to use this authorization grant type',
    ],
    [
      'act.sub',
      { nhs_number: '9990000018', act: { sub: 'x' } },
      {},
      400,
      'invalid_request',
      'Malformed JWT in act.sub',
    ],
    [
      'act.sub kid',
      { nhs_number: '9990000018', act: { sub: idToken(0, {}, { kid: '' }) } },
      {},
      400,
      'invalid_request',
      "Missing 'kid' header in act.sub JWT",
    ],
    [
      'act.sub nhs_number',
      { nhs_number: '9990000018', act: { sub: idToken(0) } },
      {},
      400,
      'invalid_request',
      "Missing 'nhs_number' claim in act.sub JWT",
    ],
    [
      'act.sub signature',
      { nhs_number: '9990000018', act: { sub: `${idToken(0, { nhs_number: '9990000026' })}AAAA` } },
      {},
      401,
      'public_key error',
      'JWT signature verification failed',
    ],
  ]
  for (const [name, claims, header, status, error, description] of cases)
    it(`refuses: ${name}`, async () => {
      refusedWith(await at.post(form(idToken(at.clock.now(), claims, header))), status, error, description)
    })

  it('keeps who acts for the patient', async () => {
    const sub = idToken(at.clock.now(), { nhs_number: '9990000026' }, {}, loginProvider)
    const told = await at.post(
      form(idToken(at.clock.now(), { nhs_number: '9990000018', act: { sub } }, {}, loginProvider)),
    )
    assert.equal(told.status, 200, told.text)
    assert.equal(at.families[0]?.grant.actor, '9990000026')
    refusedWith(await at.post(form('')), 400, 'invalid_request', 'Missing subject_token')
    refusedWith(await at.post(form('x')), 400, 'invalid_request', 'Malformed JWT in subject_token')
  })
})
