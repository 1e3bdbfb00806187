import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import type { RelyingParty } from './contract.ts'
import { browser, freePort, lifetime, openProviders, type Providers } from './testing.ts'

const redirectUri = 'https://app.example.org/callback'
const clientId = '123456789012.apps.national'

const party: RelyingParty = {
  issuer: 'cis2',
  clientId,
  name: 'Ward App',
  redirectUris: [redirectUri],
  secret: 'a secret of the ward app',
  postLogoutRedirectUris: ['https://app.example.org/bye'],
}

let providers: Providers
const life = lifetime()
after(() => life.close())
before(async () => {
  providers = await openProviders(life)
  await providers.contract.register(party)
})

const scope = 'openid profile email nhsperson nationalrbacaccess associatedorgs professionalmemberships'

function discovered(auth: oidc.ClientAuth = oidc.ClientSecretPost(party.secret), client = clientId) {
  return oidc.discovery(new URL(providers.contract.issuers.cis2.issuer), client, {}, auth)
}

async function begun(config: oidc.Configuration, more: Readonly<Record<string, string>> = {}) {
  const verifier = oidc.randomPKCECodeVerifier()
  const state = oidc.randomState()
  const nonce = oidc.randomNonce()
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } }
}

async function signedIn(
  more: Readonly<Record<string, string>> = {},
  person = '555000000002',
  authenticator = 'AAL3_SMARTCARD',
) {
  const config = await discovered()
  const { url, checks } = await begun(config, more)
  const window = browser()
  const page = await window.open(url)
  assert.equal(page.status, 200, page.body)
  const back = await window.submit(page, { person, authenticator })
  return { config, checks, window, back }
}

const headerOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('a member of staff signs in, and openid-client finds nothing wrong', async () => {
  const { config, checks, back } = await signedIn()
  const query = new URL(back.url).searchParams
  assert.equal(query.get('client_id'), clientId)
  assert.equal(query.get('iss'), config.serverMetadata().issuer)
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  assert.equal(tokens.expires_in, 3599)
  assert.equal(tokens.refresh_token, undefined)
  assert.deepEqual(Object.keys(headerOf(tokens.id_token ?? '')), ['typ', 'kid', 'alg'])
  assert.equal(headerOf(tokens.id_token ?? '').typ, 'JWT')
  const claims = tokens.claims()
  assert.equal(claims?.sub, '555000000002')
  const { auditTrackingId, at_hash, c_hash, s_hash, sid, nonce, auth_time, ...rest } = claims as Record<string, unknown>
  for (const value of [auditTrackingId, at_hash, c_hash, s_hash, sid, nonce]) assert.equal(typeof value, 'string')
  assert.equal(typeof auth_time, 'number')
  assert.equal(rest['exp'], Number(rest['iat']) + 3600)
  assert.deepEqual(
    [rest['acr'], rest['amr'], rest['authentication_assurance_level'], rest['id_assurance_level'], rest['tokenType']],
    ['AAL3_ANY', ['N3_SMARTCARD'], '3', '3', 'JWTToken'],
  )
  const access = claimsOf(tokens.access_token)
  assert.equal('aud' in access, false, 'an access token of CIS2 has no audience')
  const info = await oidc.fetchUserInfo(config, tokens.access_token, '555000000002')
  assert.deepEqual(info, {
    sub: '555000000002',
    name: 'ONEROLE Oona Ms',
    family_name: 'Onerole',
    given_name: 'Oona',
    uid: '555000000002',
    email: 'oona.onerole@example.org',
    nhsid_useruid: '555000000002',
    title: 'Ms',
    idassurancelevel: '3',
    display_name: 'ONEROLE Oona Ms',
    nhsid_user_orgs: [{ org_name: 'INVENTED SURGERY', org_code: 'A99968' }],
    nhsid_nrbac_roles: [
      {
        person_orgid: '955000000020',
        person_roleid: '555000000020',
        org_code: 'A99968',
        role_name: '"Clinical":"Clinical Provision":"Nurse Access Role"',
        role_code: 'S8000:G8000:R8001',
        activities: ['View Patient Demographics', 'Amend Patient Demographics'],
        activity_codes: ['B0820', 'B0825'],
      },
    ],
    nmc_id: '99A9999E',
  })
})

test('a signed assertion authenticates once, and a bad one is told no more than nationally', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS512', use: 'sig' }
  const { secret: _, ...keyed } = party
  await providers.contract.register({
    ...keyed,
    clientId: 'keyed.apps.national',
    jwks: { keys: [jwk] },
    assertionAlgorithm: 'RS512',
  })
  const key = await crypto.subtle.importKey(
    'pkcs8',
    privateKey.export({ format: 'der', type: 'pkcs8' }) as Uint8Array<ArrayBuffer>,
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
    false,
    ['sign'],
  )
  const config = await discovered(oidc.PrivateKeyJwt({ key, kid: 'one' }), 'keyed.apps.national')
  const sent: string[] = []
  config[oidc.customFetch] = async (url, options) => {
    if (options.body !== undefined && options.body !== null) sent.push(String(options.body))
    return fetch(url, options as RequestInit)
  }
  const { url, checks } = await begun(config)
  const window = browser()
  const back = await window.submit(await window.open(url), {
    person: '555000000002',
    authenticator: 'AAL3_FIDO2',
  })
  await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  const again = await fetch(providers.contract.issuers.cis2.token, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: sent[0] ?? '',
  })
  assert.equal(again.status, 401)
  assert.equal(await again.text(), '{"error_description":"JWT is not valid","error":"invalid_client"}')
})

test('the level asked for decides what the page offers, what is accepted, and what the token says', async () => {
  const { config, checks, back } = await signedIn({ acr_values: 'AAL2_OR_AAL3_ANY' }, '555000000001', 'AAL2_TOTP')
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  assert.equal(tokens.claims()?.['authentication_assurance_level'], '2')
  assert.deepEqual(tokens.claims()?.['amr'], ['TOTP'])
  const window = browser()
  const page = await window.open((await begun(config)).url)
  assert.equal(page.body.includes('AAL2_TOTP'), false)
  const refused = await window.submit(page, { person: '555000000001', authenticator: 'AAL2_TOTP' })
  assert.equal(refused.status, 400)
  assert.match(refused.body, /<title>Error: Sign in/)
  const wrong = await browser().open((await begun(config, { acr_values: 'AAL9_ANY' })).url)
  assert.equal(new URL(wrong.url).searchParams.get('error'), 'invalid_request')
})

test('a sign-on is used again, stepped up, refused without a prompt, and renewed', async () => {
  const { config, window } = await signedIn({ acr_values: 'AAL2_ANY' }, '555000000001', 'AAL2_TOTP')
  const again = await window.open((await begun(config, { acr_values: 'AAL2_OR_AAL3_ANY', prompt: 'none' })).url)
  assert.ok(new URL(again.url).searchParams.get('code'), again.url)
  const tooLow = await window.open((await begun(config, { prompt: 'none' })).url)
  assert.equal(new URL(tooLow.url).searchParams.get('error'), 'login_required')
  const stepUp = await window.open((await begun(config)).url)
  assert.equal(stepUp.status, 200)
  assert.match(stepUp.body, /AAL3_SMARTCARD/)
  const fresh = await window.open((await begun(config, { acr_values: 'AAL2_ANY', prompt: 'login' })).url)
  assert.match(fresh.body, /Sign in as a member of staff/)
  const stranger = await browser().open((await begun(config, { prompt: 'none' })).url)
  assert.equal(new URL(stranger.url).searchParams.get('error'), 'login_required')
})

test('another person at the same browser ends the sign-on before', async () => {
  const { config, checks, back, window } = await signedIn()
  const first = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  const next = await begun(config, { prompt: 'login' })
  const returned = await window.submit(await window.open(next.url), {
    person: '555000000001',
    authenticator: 'AAL3_FIDO2',
  })
  const second = await oidc.authorizationCodeGrant(config, new URL(returned.url), next.checks)
  assert.equal(second.claims()?.sub, '555000000001')
  await assert.rejects(oidc.fetchUserInfo(config, first.access_token, '555000000002'))
})

for (const [person, roles, expected] of [
  ['555000000001', 'none', undefined],
  ['555000000002', 'one', '555000000020'],
  ['555000000003', 'two', '555000000031'],
  ['555000000006', 'six', '555000000064'],
] as const)
  test(`with ${roles} to choose from, the role is ${expected ?? 'absent'}`, async () => {
    const more = { scope: 'openid selectedrole nationalrbacaccess', prompt: 'login' }
    const { config, checks, back, window } = await signedIn(more, person)
    let end = back
    if (roles === 'two' || roles === 'six') {
      assert.match(back.body, /Choose your role/)
      assert.equal(back.body.includes('type="search"'), roles === 'six')
      const none = await window.submit(back, { role: '999999999999' })
      assert.equal(none.status, 400)
      if (roles === 'six') {
        const searched = await window.open(`${back.url}?q=role+4`)
        assert.equal(searched.body.match(/type="radio"/g)?.length, 1)
      }
      end = await window.submit(back, { role: expected as string })
    }
    const tokens = await oidc.authorizationCodeGrant(config, new URL(end.url), checks)
    assert.equal(tokens.claims()?.['selected_roleid'], expected)
  })

test('the port 443 stays in everything that a client compares', async (t) => {
  const issuer = 'https://am.example.org:443/openam/oauth2/realms/root/realms/oidc'
  const other = await openProviders(t, { config: { cis2Issuer: issuer } })
  const path = '/openam/oauth2/realms/root/realms/oidc/.well-known/openid-configuration'
  const metadata = (await (await fetch(`${other.origin}${path}`)).json()) as Record<string, unknown>
  assert.equal(metadata['issuer'], issuer)
  assert.equal(metadata['token_endpoint'], `${issuer}/access_token`)
  assert.equal(metadata['authorization_endpoint'], `${issuer}/authorize`)
  assert.equal(metadata['jwks_uri'], `${issuer}/connect/jwk_uri`)
  assert.equal(metadata['end_session_endpoint'], `${issuer}/connect/endSession`)
})

test('what one process began another ends, and a restart loses nothing', async (t) => {
  const { store, trust } = providers.platform
  const other = await openProviders(t, { platform: { store, trust }, port: await freePort(), origin: providers.origin })
  const config = await discovered()
  const { url, checks } = await begun(config)
  const window = browser()
  const moved = (address: string) => address.replace(providers.origin, other.door.url)
  const page = await window.open(url)
  // The form goes to the other process, and so do the way back and the code.
  const sent = await window.submit(
    { ...page, url: moved(page.url) },
    { person: '555000000002', authenticator: 'AAL3_IOS' },
    { origin: providers.origin },
  )
  const back = await window.open(moved(sent.url))
  assert.ok(back.url.startsWith(redirectUri), `${back.status} ${back.url}`)
  config[oidc.customFetch] = (address, options) => fetch(moved(address), options as RequestInit)
  const tokens = await oidc.authorizationCodeGrant(config, new URL(back.url), checks)
  const info = await oidc.fetchUserInfo(await discovered(), tokens.access_token, '555000000002')
  assert.equal(info['family_name'], 'Onerole')
})
