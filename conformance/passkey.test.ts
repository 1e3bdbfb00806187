/** Passkeys with a real browser: Chromium's virtual authenticator registers one for a member of staff and signs in with it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { lifetime, openProviders, type Providers } from '@openspine/services/sign-in/testing'
import type { BrowserContext, CDPSession, Page } from 'playwright-core'
import { barriers } from './accessibility.ts'
import { openChromium, skipChromium as skip } from './chromium.ts'

const clientId = '123456789012.apps.national'
const secret = 'a secret of the ward'
const redirectUri = 'https://ward.example/signed-in'
const ted = /Tworoles/

const life = lifetime()
let providers: Providers
let chromium: Awaited<ReturnType<typeof openChromium>>

before(async () => {
  if (skip) return
  providers = await openProviders(life)
  await providers.contract.register({ issuer: 'cis2', clientId, name: 'Ward', redirectUris: [redirectUri], secret })
  chromium = await openChromium(providers.platform.trust.material().ca)
})
after(async () => {
  await chromium?.close()
  await life.close()
})

/** A browser of its own, in which the application's page is there. */
async function window(options: { readonly javaScriptEnabled?: boolean } = {}): Promise<BrowserContext> {
  const context = await chromium.browser.newContext(options)
  context.setDefaultTimeout(30_000)
  await context.route('https://ward.example/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<h1>Ward</h1>' }),
  )
  return context
}

const authorizeUrl = (acr: string, scope = 'openid') =>
  `${providers.contract.issuers.cis2.authorize}?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    state: 's',
    scope,
    acr_values: acr,
  })}`

async function chooses(page: Page, person: RegExp, authenticator: RegExp): Promise<void> {
  await page.getByRole('radio', { name: person }).check()
  await page.getByRole('radio', { name: authenticator }).check()
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

/** Claims of the ID token for the code that the browser brought back. */
async function claims(page: Page): Promise<Readonly<Record<string, unknown>>> {
  await page.waitForURL(`${redirectUri}?**`)
  const answer = await fetch(providers.contract.issuers.cis2.token, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      client_secret: secret,
      redirect_uri: redirectUri,
      code: new URL(page.url()).searchParams.get('code') ?? '',
    }),
  })
  const { id_token: token } = (await answer.json()) as { id_token: string }
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

interface Authenticator {
  readonly session: CDPSession
  readonly authenticatorId: string
}

async function authenticatorOf(context: BrowserContext, page: Page): Promise<Authenticator> {
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return { session, authenticatorId }
}

describe('passkeys', { skip }, () => {
  it('one is registered after signing in at level 3, and then signs in at level 3', async () => {
    const context = await window()
    const page = await context.newPage()
    const { session, authenticatorId } = await authenticatorOf(context, page)
    const passkeys = `${providers.contract.issuers.cis2.issuer}/passkeys`
    await page.goto(passkeys)
    await heading(page, 'Sign in first')
    await page.goto(authorizeUrl('AAL3_ANY'))
    await chooses(page, ted, /^Smartcard/)
    await page.waitForURL(`${redirectUri}?**`)

    await page.goto(passkeys)
    await heading(page, 'Your passkeys')
    assert.deepEqual(await barriers(page), [])
    await page.getByLabel('Name of the passkey').fill('Ward laptop')
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'Remove Ward laptop' }).waitFor()
    assert.deepEqual(await barriers(page), [])
    // The browser itself knows it again.
    await page.getByLabel('Name of the passkey').fill('Twice')
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByText('This device has a passkey of yours already.').waitFor()

    // Another day: without the sign-on, with the device.
    await context.clearCookies()
    await page.goto(authorizeUrl('AAL3_FIDO2', 'openid selectedrole'))
    await chooses(page, ted, /passkey/)
    await heading(page, 'Use your passkey')
    assert.deepEqual(await barriers(page), [])
    // Somebody who is not recognised: nothing is sent, and it can be tried again.
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await page.getByText('No passkey was used. You can try again.').waitFor()
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await heading(page, 'Choose your role')
    await page.getByRole('radio').first().check()
    await page.getByRole('button', { name: 'Continue' }).click()
    const token = await claims(page)
    assert.deepEqual(
      [token['sub'], token['acr'], token['amr'], token['authentication_assurance_level'], token['selected_roleid']],
      ['555000000003', 'AAL3_FIDO2', ['FIDO2'], '3', '555000000030'],
    )

    // A copy of it, made before it was used: its counter is behind.
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId })
    const [credential] = credentials
    assert.ok(credential !== undefined && credential.signCount > 1)
    await session.send('WebAuthn.clearCredentials', { authenticatorId })
    await session.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, signCount: 0 } })
    await context.clearCookies()
    await page.goto(authorizeUrl('AAL3_FIDO2'))
    await chooses(page, ted, /passkey/)
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await page
      .getByRole('link', { name: 'This passkey cannot be used any more. Sign in another way, and remove it.' })
      .waitFor()
    assert.deepEqual(await barriers(page), [])
    await context.close()
  })

  it('without scripts the page says so, and another way is open', async () => {
    const context = await window({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(authorizeUrl('AAL3_ANY'))
    await chooses(page, ted, /passkey/)
    await heading(page, 'Use your passkey')
    await page.getByText('scripts are switched off').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Use your passkey' }).count(), 0)
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('button', { name: 'Sign in another way' }).click()
    await heading(page, 'Sign in as a member of staff')
    await chooses(page, ted, /^Smartcard/)
    assert.deepEqual((await claims(page))['amr'], ['N3_SMARTCARD'])
    await context.close()
  })
})
