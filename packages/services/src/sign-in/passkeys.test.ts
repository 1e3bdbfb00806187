import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { softAuthenticator } from './passkey-testing.ts'
import { browser, lifetime, openProviders, type Providers, type Shown } from './testing.ts'

const redirectUri = 'https://app.example.org/callback'
const person = '555000000002'
const life = lifetime()
let providers: Providers
let issuer: string
after(() => life.close())
before(async () => {
  providers = await openProviders(life, { config: { passkeys: 'always' } })
  issuer = providers.contract.issuers.cis2.issuer
  const party = { clientId: 'app', name: 'App', redirectUris: [redirectUri], secret: 'secret' }
  await providers.contract.register({ issuer: 'cis2', ...party })
  const jwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
  const { secret: _, ...keyed } = party
  await providers.contract.register({ issuer: 'nhs-login', ...keyed, jwks: { keys: [{ ...jwk, kid: 'one' }] } })
})

const authorizeUrl = (more: Readonly<Record<string, string>> = {}) =>
  `${providers.contract.issuers.cis2.authorize}?${new URLSearchParams({
    client_id: 'app',
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 's',
    ...more,
  })}`

/** What the page gives its script. */
function optionsOf({ body }: Shown): Readonly<Record<string, unknown>> {
  const text = /data-options="([^"]*)"/.exec(body)?.[1] ?? ''
  return JSON.parse(text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'))
}

const policyOf = ({ headers }: Shown) => String(headers['content-security-policy'])

test('a passkey is added by who is signed on at level 3, and then signs in', async () => {
  const authenticator = softAuthenticator({ rpId: 'localhost', origin: providers.origin })
  const window = browser()
  const byPasskey = { person, authenticator: 'AAL3_FIDO2' }

  // Everybody is asked for a passkey here, and nobody has one yet.
  const page = await window.open(authorizeUrl())
  assert.doesNotMatch(policyOf(page), /script-src/)
  const without = await window.submit(page, byPasskey)
  assert.equal(without.status, 400)
  assert.match(without.body, /this person has no passkey here/)

  // Not without a sign-on, nor with one of level 1.
  assert.equal((await window.open(`${issuer}/passkeys`)).status, 403)
  const low = browser()
  await low.submit(await low.open(authorizeUrl({ acr_values: 'AAL1_USERPASS' })), {
    person,
    authenticator: 'AAL1_USERPASS',
  })
  assert.equal((await low.open(`${issuer}/passkeys`)).status, 403)

  await window.submit(await window.open(authorizeUrl()), { person, authenticator: 'AAL3_SMARTCARD' })
  const own = await window.open(`${issuer}/passkeys`)
  assert.equal(own.status, 200)
  assert.match(policyOf(own), new RegExp(`script-src ${issuer}/passkey\\.js$`))
  const script = await fetch(`${issuer}/passkey.js`)
  assert.deepEqual([script.status, script.headers.get('content-type')], [200, 'text/javascript; charset=utf-8'])

  const credential = authenticator.create(optionsOf(own))
  const unnamed = await window.submit(own, { name: ' ', credential })
  assert.deepEqual([unnamed.status, /Enter a name for the passkey/.test(unnamed.body)], [400, true])
  const foreign = await window.submit(own, { name: 'Ward', credential }, { origin: 'https://evil.example.org' })
  assert.equal(foreign.status, 403)
  const added = await window.submit(own, { name: '<Ward> & "laptop"', credential })
  assert.match(added.body, /&lt;Ward&gt; &amp; &quot;laptop&quot;/)
  const replayed = await window.submit(own, { name: 'Again', credential })
  assert.deepEqual([replayed.status, /no longer valid/.test(replayed.body)], [400, true])

  // The sign-on ends, and the passkey begins another.
  const later = browser()
  const asked = await later.submit(await later.open(authorizeUrl({ acr_values: 'AAL3_FIDO2' })), byPasskey)
  assert.match(asked.body, /<h1>Use your passkey<\/h1>/)
  assert.match((await later.open(asked.url)).body, /<h1>Use your passkey<\/h1>/, 'also when the page is loaded again')
  assert.equal((await later.submit(asked, {})).status, 400, 'nothing instead of a passkey')
  // Whatever else the form says, the passkey is waited for.
  const around = await later.submit(asked, { ...byPasskey, authenticator: 'AAL3_SMARTCARD', role: '555000000020' })
  assert.equal(around.status, 400)
  const answer = authenticator.get(optionsOf(asked))
  const back = await later.submit(asked, { credential: answer })
  assert.ok(new URL(back.url).searchParams.get('code'), `${back.status} ${back.url} ${back.body}`)

  const thief = browser()
  const stolen = await thief.submit(await thief.open(authorizeUrl()), byPasskey)
  const refused = await thief.submit(stolen, { credential: answer })
  assert.deepEqual([refused.status, /This attempt is no longer valid/.test(refused.body)], [400, true])
  const other = await thief.submit(refused, { answer: 'other' })
  assert.match(other.body, /<h1>Sign in as a member of staff<\/h1>/)

  // Removed, it signs nobody in.
  const gone = await window.submit(await window.open(`${issuer}/passkeys`), {
    answer: 'remove',
    credential: authenticator.id,
  })
  assert.match(gone.body, /You have no passkey yet/)
})

test('a patient adds a passkey after signing in with a second factor, and meets Cm with it', async () => {
  const authenticator = softAuthenticator({ rpId: 'localhost', origin: providers.origin })
  const { authorize, issuer: patients } = providers.contract.issuers['nhs-login']
  const asked = (vtr: string) =>
    `${authorize}?${new URLSearchParams({
      client_id: 'app',
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid profile',
      state: 's',
      nonce: 'n',
      vtr: JSON.stringify([vtr]),
    })}`
  const arlo = { patient: '9990548609', proofing: 'P9' }

  const low = browser()
  await low.submit(await low.open(asked('P9.Cp')), { ...arlo, credential: 'Cp' })
  assert.equal((await low.open(`${patients}/passkeys`)).status, 403, 'a password alone')

  const window = browser()
  await window.submit(await window.open(asked('P9.Cp.Cd')), { ...arlo, credential: 'Cp.Cd' })
  const own = await window.open(`${patients}/passkeys`)
  assert.equal(own.status, 200)
  assert.doesNotMatch(JSON.stringify(optionsOf(own)), /9990548609/, 'no NHS number goes to an authenticator')
  const added = await window.submit(own, { name: 'Telephone', credential: authenticator.create(optionsOf(own)) })
  assert.match(added.body, /<strong>Telephone<\/strong>/)

  const later = browser()
  const page = await later.submit(await later.open(asked('P9.Cm')), { ...arlo, credential: 'Cm' })
  assert.match(page.body, /<h1>Use your passkey<\/h1>/)
  assert.equal((await later.submit(page, { ...arlo, credential: 'Cp.Cd' })).status, 400, 'nothing else goes on')
  const again = await later.open(page.url)
  const back = await later.submit(again, { credential: authenticator.get(optionsOf(again)) })
  assert.ok(new URL(back.url).searchParams.get('code'), `${back.status} ${back.url} ${back.body}`)

  const stranger = browser()
  const nobody = await stranger.submit(await stranger.open(asked('P9.Cm')), {
    patient: '9990548617',
    proofing: 'P9',
    credential: 'Cm',
  })
  assert.match(nobody.body, /this person has no passkey here/)
})
