/** People sign in with a real browser: staff and patients, with scripts and without, and by keyboard alone. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { loadSandbox, type Spine, startSpine } from 'openspine'
import type { Page } from 'playwright-core'
import { barriers } from './accessibility.ts'
import { openChromium, skipChromium as skip } from './chromium.ts'
import { freePort } from './nginx.ts'
import { type RelyingApplication, startApplication } from './relying-application.ts'

let spine: Spine
let chromium: Awaited<ReturnType<typeof openChromium>>
let clinic: RelyingApplication
let myRecord: RelyingApplication

before(async () => {
  if (skip) return
  spine = await startSpine({
    overrides: {
      apiPort: await freePort(),
      publicHost: 'localhost',
      'demographics.accessWithoutToken': 'refused',
      'trust.keyType': 'ec',
      'trust.authorityKeys': 'ec',
    },
  })
  await loadSandbox(spine)
  clinic = await startApplication(spine, 'Clinic')
  myRecord = await startApplication(spine, 'My record', 'nhs-login')
  chromium = await openChromium(spine.platform.trust.material().ca)
})
after(async () => {
  await chromium?.close()
  await clinic?.stop()
  await myRecord?.stop()
  await spine?.stop()
})

/** In a browser of its own, without cookies of others. */
async function opened(url: string, javaScriptEnabled = true): Promise<Page> {
  const context = await chromium.browser.newContext({ javaScriptEnabled })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(url)
  return page
}

/** Waits for a page with that heading; its title says the same. */
async function arrived(page: Page, heading: string, title: string = heading): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  assert.equal(await page.title(), title)
}

const begun = async (application: RelyingApplication, javaScriptEnabled: boolean) => {
  const page = await opened(application.url, javaScriptEnabled)
  await page.getByRole('link', { name: 'Sign in' }).click()
  return page
}

async function reads(page: Page, nhsNumber: string): Promise<void> {
  await page.getByRole('textbox', { name: 'NHS number' }).fill(nhsNumber)
  await page.getByRole('button', { name: 'Read the record' }).click()
  await page.getByRole('heading', { name: /^Answer/ }).waitFor()
}

for (const javaScriptEnabled of [true, false])
  describe(`a browser ${javaScriptEnabled ? 'with' : 'without'} scripts`, { skip }, () => {
    it('a clinician signs in with a smartcard, says in which role, and the record opens', async () => {
      const page = await begun(clinic, javaScriptEnabled)
      await arrived(page, 'Sign in as a member of staff', 'Sign in as a member of staff - Sandbox sign-in for staff')
      await page.getByRole('radio', { name: /Fairweather/ }).check()
      await page.getByRole('radio', { name: /^Smartcard/ }).check()
      await page.getByRole('button', { name: 'Sign in' }).click()
      await arrived(page, 'Signed in')
      assert.equal(await page.getByRole('radio').count(), 2, 'her roles')
      await page.getByRole('radio', { name: /X26/ }).check()
      await reads(page, '9990548609')
      const told = clinic.last()
      assert.deepEqual([told?.status, told?.json['resourceType'], told?.json['id']], [200, 'Patient', '9990548609'])
      await page.context().close()
    })

    it('a patient signs in and reads their own record alone', async () => {
      const page = await begun(myRecord, javaScriptEnabled)
      await arrived(page, 'Sign in as a patient', 'Sign in as a patient - Sandbox sign-in for patients')
      await page.getByRole('radio', { name: /Arlo Testcase/ }).check()
      await page.getByRole('button', { name: 'Sign in and share' }).click()
      await arrived(page, 'Signed in')
      await reads(page, '9990548609')
      assert.deepEqual([myRecord.last()?.status, myRecord.last()?.json['id']], [200, '9990548609'])
      await page.goBack()
      await reads(page, '9990548617')
      assert.equal(myRecord.last()?.status, 403)
      assert.deepEqual(myRecord.last()?.json, {
        resourceType: 'OperationOutcome',
        issue: [
          {
            severity: 'error',
            code: 'forbidden',
            details: {
              coding: [
                {
                  system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode',
                  version: '1',
                  code: 'ACCESS_DENIED',
                  display: 'Patient cannot perform this action',
                },
              ],
            },
            diagnostics:
              'Your access token has insufficient permissions. See documentation regarding Patient access restrictions https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir',
          },
        ],
      })
      await page.context().close()
    })
  })

describe('the sign-in pages', { skip }, () => {
  /** Without the platform between: the scope that asks for a role (§3.3). */
  const pickerUrl = async () => {
    const { signIn } = spine.contracts
    const redirectUri = `${clinic.url}/signed-in`
    const clientId = 'picker.apps.national'
    await signIn.register({
      issuer: 'cis2',
      clientId,
      name: 'Ward rota',
      redirectUris: [redirectUri],
      secret: 'picker',
    })
    const asked = {
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      state: 'picked',
      scope: 'openid selectedrole',
    }
    return { redirectUri, url: `${signIn.issuers.cis2.authorize}?${new URLSearchParams(asked)}` }
  }

  it('are gone through with the keyboard alone, the role picker too', async () => {
    const { redirectUri, url } = await pickerUrl()
    const page = await opened(url, false)
    const press = async (...keys: readonly string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    // Past the link that skips to the content; the first person, the second authenticator, and away.
    await press('Tab', 'Tab', 'Space', 'Tab', 'ArrowDown', 'Tab', 'Enter')
    await arrived(page, 'Choose your role', 'Choose your role - Sandbox sign-in for staff')
    assert.deepEqual(await barriers(page), [])
    await press('Tab', 'Tab', 'Space', 'ArrowDown', 'Tab', 'Enter')
    await page.waitForURL(`${redirectUri}?**`)
    const returned = new URL(page.url()).searchParams
    assert.ok(returned.get('code'), page.url())
    assert.equal(returned.get('state'), 'picked')
    await page.context().close()
  })

  it('say what is wrong where it is seen, heard and reached first', async () => {
    const { url } = await pickerUrl()
    const page = await opened(url, false)
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    assert.equal(await page.title(), 'Error: Sign in as a member of staff - Sandbox sign-in for staff')
    assert.deepEqual(await barriers(page), [])
    const summary = page.getByRole('alert', { name: 'There is a problem' })
    assert.equal(await summary.evaluate((element) => element === element.ownerDocument.activeElement), true)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    assert.equal(
      await page
        .getByRole('radio')
        .first()
        .evaluate((element) => element === element.ownerDocument.activeElement),
      true,
      'its link leads to the first choice',
    )
    await page.context().close()
  })

  it('of patients keep what was filled in, and name the field that is wrong', async () => {
    const page = await begun(myRecord, false)
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('textbox', { name: 'NHS number' }).fill('999 054 8600')
    await page.getByRole('radio', { name: /P0/ }).check()
    await page.getByRole('button', { name: 'Sign in and share' }).click()
    await page.getByRole('alert').waitFor()
    assert.match(await page.title(), /^Error: /)
    assert.deepEqual(await barriers(page), [])
    const number = page.getByRole('textbox', { name: 'NHS number' })
    assert.deepEqual([await number.inputValue(), await number.getAttribute('aria-invalid')], ['999 054 8600', 'true'])
    assert.equal(await page.getByRole('radio', { name: /P0/ }).isChecked(), true)
    assert.deepEqual(await page.getByRole('alert').getByRole('link').allTextContents(), [
      'Enter an NHS number of 10 digits that is valid',
      'Choose a level that the application accepts: P9.Cp.Cd, P9.Cp.Ck, P9.Cm',
    ])
    await page.context().close()
  })

  it('who does not want to share goes back to the application, which is told', async () => {
    const page = await begun(myRecord, false)
    await page.getByRole('button', { name: 'Do not share' }).click()
    await arrived(page, 'Not signed in')
    assert.match(await page.content(), /ConsentNotGiven/)
    await page.context().close()
  })
})
