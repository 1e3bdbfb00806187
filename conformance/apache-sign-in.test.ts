/** Apache's mod_auth_openidc, a certified relying party of somebody else's, against both of our identity providers. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { browser, lifetime, openProviders, type Providers, type Shown } from '@openspine/services/sign-in/testing'
import { publicJwk } from '@openspine/standards/jose'
import { skipApache as skip, startApache } from './apache.ts'
import { freePort } from './nginx.ts'

type Window = ReturnType<typeof browser>

const staffClient = '123456789012.apps.national'
const secret = 'a secret of the ward'
const life = lifetime()
let providers: Providers
let folder: string
let apache: Awaited<ReturnType<typeof startApache>>
let staffSite: string
let patientSite: string

before(async () => {
  if (skip) return
  // It signs its assertions with RS256, and nothing else can be set.
  providers = await openProviders(life, { config: { nhsLoginAssertions: ['RS512', 'RS256'] } })
  const { contract, platform } = providers
  const [staffPort, patientPort] = [await freePort(), await freePort()]
  staffSite = `https://localhost:${staffPort}`
  patientSite = `https://localhost:${patientPort}`
  folder = mkdtempSync(join(tmpdir(), 'openspine-apache-'))
  const at = (name: string) => join(folder, name)
  const issued = await platform.trust.issue({ fqdn: 'localhost' })
  writeFileSync(at('server.pem'), issued.certificate + issued.chain)
  writeFileSync(at('server.key'), String(issued.key))
  writeFileSync(at('authorities.pem'), platform.trust.material().ca.join('\n'))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(at('assertion.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }))
  writeFileSync(at('assertion.pub'), publicKey.export({ format: 'pem', type: 'spki' }))
  mkdirSync(at('site/ward'), { recursive: true })
  writeFileSync(at('site/ward/index.shtml'), '<pre><!--#printenv --></pre>')
  writeFileSync(at('site/bye.html'), 'Goodbye')
  for (const name of ['site', 'site/bye.html', 'site/ward', 'site/ward/index.shtml', 'authorities.pem'])
    chmodSync(at(name), 0o755)

  await contract.register({
    issuer: 'cis2',
    clientId: staffClient,
    name: 'Ward',
    redirectUris: [`${staffSite}/ward/signed-in`],
    secret,
    postLogoutRedirectUris: [`${staffSite}/bye.html`],
    backchannelLogoutUri: `${staffSite}/ward/signed-in?logout=backchannel`,
  })
  await contract.register({
    issuer: 'nhs-login',
    clientId: 'my-ward',
    name: 'My ward',
    redirectUris: [`${patientSite}/ward/signed-in`],
    jwks: { keys: [{ ...publicJwk(publicKey, { kid: 'ward', alg: 'RS256' }), use: 'sig' }] },
  })
  const site = (port: number, own: string) => `<VirtualHost 127.0.0.1:${port}>
  SSLEngine on
  SSLCertificateFile ${at('server.pem')}
  SSLCertificateKeyFile ${at('server.key')}
  DocumentRoot ${at('site')}
  DirectoryIndex index.shtml
  AddType text/html .shtml
  AddOutputFilter INCLUDES .shtml
  OIDCRedirectURI /ward/signed-in
  OIDCCryptoPassphrase a-passphrase-of-the-ward
  OIDCCABundlePath ${at('authorities.pem')}
  OIDCSSLValidateServer On
${own}
  <Directory ${at('site')}>
    Options +Includes
  </Directory>
  <Location /ward>
    AuthType openid-connect
    Require valid-user
  </Location>
</VirtualHost>`
  apache = await startApache(
    folder,
    [staffPort, patientPort],
    [
      site(
        staffPort,
        `  OIDCProviderMetadataURL ${contract.issuers.cis2.issuer}/.well-known/openid-configuration
  OIDCClientID ${staffClient}
  OIDCClientSecret "${secret}"
  OIDCScope "openid profile nhsperson nationalrbacaccess selectedrole"
  OIDCPKCEMethod S256`,
      ),
      site(
        patientPort,
        `  OIDCProviderMetadataURL ${contract.issuers['nhs-login'].issuer}/.well-known/openid-configuration
  OIDCClientID my-ward
  OIDCScope "openid profile"
  OIDCPublicKeyFiles ward#${at('assertion.pub')}
  OIDCPrivateKeyFiles ward#${at('assertion.key')}
  OIDCProviderTokenEndpointAuth private_key_jwt`,
      ),
    ].join('\n'),
  )
})
after(async () => {
  await apache?.stop()
  await life.close()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** On from host to host, until a page is shown. */
async function landed(window: Window, page: Shown): Promise<Shown> {
  let shown = page
  for (let hosts = 0; hosts < 6 && shown.headers.location !== undefined; hosts++) shown = await window.open(shown.url)
  return shown
}

/** The claims that the protected page shows, by name. */
const claimsOf = ({ body }: Shown) =>
  Object.fromEntries(
    [...body.matchAll(/^(?:<pre>)?OIDC_CLAIM_([^=]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )

const openWard = async (window: Window, site: string) => landed(window, await window.open(`${site}/ward/`))

async function until(holds: () => Promise<boolean>, message: string): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries === 200) throw new Error(message)
    await wait(50)
  }
}

describe('mod_auth_openidc', { skip }, () => {
  it('signs staff in with secret and PKCE, shows their claims, and signs them out when the provider tells it', async () => {
    const { contract } = providers
    const window = browser()
    const page = await openWard(window, staffSite)
    assert.match(page.body, /<h1>Sign in as a member of staff<\/h1>/, apache.log())
    const picker = await landed(
      window,
      await window.submit(page, { person: '555000000003', authenticator: 'AAL3_SMARTCARD' }),
    )
    assert.match(picker.body, /<h1>Choose your role<\/h1>/)
    const ward = await landed(window, await window.submit(picker, { role: '555000000031' }))
    assert.deepEqual([ward.status, ward.url], [200, `${staffSite}/ward/`], apache.log())
    const claims = claimsOf(ward)
    assert.deepEqual(
      [
        'iss',
        'aud',
        'sub',
        'name',
        'amr',
        'acr',
        'authentication_assurance_level',
        'selected_roleid',
        'nhsid_useruid',
      ].map((name) => claims[name]),
      [
        contract.issuers.cis2.issuer,
        staffClient,
        '555000000003',
        'TWOROLES Ted',
        'N3_SMARTCARD',
        'AAL3_ANY',
        '3',
        '555000000031',
        '555000000003',
      ],
    )
    assert.equal((await window.open(`${staffSite}/ward/`)).status, 200, 'signed in until told otherwise')

    // Another who is signed in there, at whose session the notice of the first must not touch.
    const other = browser()
    const second = await landed(
      other,
      await other.submit(await openWard(other, staffSite), { person: '555000000002', authenticator: 'AAL3_FIDO2' }),
    )
    assert.equal(claimsOf(second)['sub'], '555000000002', apache.log())

    assert.equal(await contract.end('cis2', '555000000003'), 1)
    await until(
      async () => (await contract.logouts(1))[0]?.state === 'delivered',
      `the notice was not taken: ${apache.log()}`,
    )
    const after = await window.open(`${staffSite}/ward/`)
    assert.equal(after.status, 302)
    assert.ok(after.url.startsWith(`${contract.issuers.cis2.authorize}?`), after.url)
    assert.match((await landed(window, after)).body, /<h1>Sign in as a member of staff<\/h1>/)
    assert.equal((await other.open(`${staffSite}/ward/`)).status, 200, 'the other one stays')

    // Who signs out at the application is signed out at the provider, and comes back.
    const bye = `${staffSite}/bye.html`
    const left = await landed(other, await other.open(`${staffSite}/ward/signed-in?logout=${encodeURIComponent(bye)}`))
    assert.deepEqual([left.status, left.url, left.body], [200, bye, 'Goodbye'], apache.log())
    assert.match((await openWard(other, staffSite)).body, /<h1>Sign in as a member of staff<\/h1>/)
  })

  it('signs patients in with a signed assertion, and shows their claims', async () => {
    const window = browser()
    const page = await openWard(window, patientSite)
    assert.match(page.body, /<h1>Sign in as a patient<\/h1>/, apache.log())
    const fields = { patient: '9990548609', proofing: 'P9', credential: 'Cp.Cd' }
    const ward = await landed(window, await window.submit(page, fields))
    assert.deepEqual([ward.status, ward.url], [200, `${patientSite}/ward/`], apache.log())
    const claims = claimsOf(ward)
    assert.deepEqual(
      ['iss', 'aud', 'nhs_number', 'family_name', 'birthdate', 'identity_proofing_level', 'vot'].map(
        (name) => claims[name],
      ),
      [
        providers.contract.issuers['nhs-login'].issuer,
        'my-ward',
        '9990548609',
        'Testcase',
        '1980-02-29',
        'P9',
        'P9.Cp.Cd',
      ],
    )
  })
})
