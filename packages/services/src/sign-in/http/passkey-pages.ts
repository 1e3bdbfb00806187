import type { StoredPasskey } from '../store.ts'
import { type Html, html, type Page, page } from './html.ts'
import { type Problem, patientProvider, staffProvider, summary, titled } from './pages.ts'

/** Runs on the two pages of passkeys alone: a browser gives a passkey to a script and to nothing else. */
export const passkeyScript = `'use strict'
{
  const form = document.querySelector('form[data-passkey]')
  const told = document.getElementById('passkey-told')
  const button = document.getElementById('passkey')
  const creates = form.dataset.passkey === 'create'
  const read = globalThis.PublicKeyCredential?.[creates ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON']
  if (read === undefined) {
    told.textContent = 'This browser cannot use passkeys here.'
  } else {
    told.textContent = 'Press the button, and do what your browser or device asks.'
    button.hidden = false
    form.addEventListener('submit', async (event) => {
      event.preventDefault()
      button.disabled = true
      try {
        const options = { publicKey: read.call(PublicKeyCredential, JSON.parse(form.dataset.options)) }
        const credential = await (creates ? navigator.credentials.create(options) : navigator.credentials.get(options))
        form.elements.credential.value = JSON.stringify(credential)
        form.submit()
      } catch (error) {
        told.textContent =
          error.name === 'InvalidStateError'
            ? 'This device has a passkey of yours already.'
            : error.name === 'SecurityError'
              ? 'Browsers use no passkeys at this address: it must be a name, not a number, and its certificate must be trusted.'
              : 'No passkey was used. You can try again.'
        button.disabled = false
        button.focus()
      }
    })
  }
}
`

/** What the pages of the two providers say differently. */
export interface PasskeyWording {
  readonly provider: string
  readonly use: string
  readonly first: string
}

export const staffWording: PasskeyWording = {
  provider: staffProvider,
  use: 'With a passkey you sign in at authenticator assurance level 3 without a smartcard.',
  first:
    'Passkeys are added by who has signed in at authenticator assurance level 3. Sign in to an application that way, with a smartcard for example, and come back to this page in the same browser.',
}

export const patientWording: PasskeyWording = {
  provider: patientProvider,
  use: 'With a passkey you sign in without a password and a code.',
  first:
    'Passkeys are added by who has signed in with a second factor. Sign in to an application that way, with a password and a code for example, and come back to this page in the same browser.',
}

type Options = Readonly<Record<string, unknown>>

/** The form that the script sends; without a script it says why nothing happens. */
const ceremony = (kind: 'create' | 'get', options: Options, fields: Html, button: string): Html =>
  html`<form method="post" data-passkey="${kind}" data-options="${JSON.stringify(options)}" autocomplete="off">
<input type="hidden" name="answer" value="yes"><input type="hidden" name="credential">
${fields}<p id="passkey-told" role="status">Passkeys need a script on this page, and scripts are switched off in this browser or blocked.</p>
<p><button id="passkey" hidden>${button}</button></p>
</form>`

/** The step of signing in at which the passkey is used. */
export function usePasskeyPage(about: {
  readonly wording: PasskeyWording
  readonly application: string
  readonly name: string
  readonly options: Options
  readonly script: string
  readonly problems: readonly Problem[]
}): Page {
  const { wording, application, name, options, script, problems } = about
  const title = 'Use your passkey'
  return page(
    titled(title, problems),
    wording.provider,
    html`${summary(problems)}<h1>${title}</h1>
<p>You are signing in to ${application} as ${name}.</p>
${ceremony('get', options, html``, 'Use your passkey')}
<form method="post">
<button class="quiet" name="answer" value="other">Sign in another way</button>
<button class="quiet" name="answer" value="no">Cancel</button>
</form>`,
    script,
  )
}

const day = (at: number) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(at)

/** Where who is signed in sees, adds and removes passkeys. */
export function passkeysPage(about: {
  readonly wording: PasskeyWording
  readonly name: string
  readonly passkeys: readonly StoredPasskey[]
  /** Undefined when there are as many as one may have. */
  readonly options: Options | undefined
  readonly script: string
  readonly problems: readonly Problem[]
  readonly label: string
}): Page {
  const { wording, name, passkeys, options, script, problems, label } = about
  const title = 'Your passkeys'
  const labelProblem = problems.find(({ field }) => field === 'name')
  return page(
    titled(title, problems),
    wording.provider,
    html`${summary(problems)}<h1>${title}</h1>
<p>You are signed in as ${name}. ${wording.use} Who has one here is asked for it.</p>
${
  passkeys.length === 0
    ? html`<p>You have no passkey yet.</p>`
    : html`<ul class="list">${passkeys.map(
        (
          passkey,
        ) => html`<li><form method="post"><strong>${passkey.name}</strong>, added on ${day(passkey.createdAt)}, ${
          passkey.usedAt === undefined ? 'never used' : `last used on ${day(passkey.usedAt)}`
        }${passkey.backedUp ? ', copied to your other devices' : ''}
<input type="hidden" name="credential" value="${passkey.credential}">
<button class="quiet" name="answer" value="remove" aria-label="Remove ${passkey.name}">Remove</button></form></li>
`,
      )}</ul>`
}
<h2>Add a passkey</h2>
${
  options === undefined
    ? html`<p>You have as many passkeys as one person may have. Remove one first.</p>`
    : ceremony(
        'create',
        options,
        html`<label class="field" for="name">Name of the passkey</label>
<p class="hint" id="name-hint">So that you know it again, for example “Ward laptop”</p>
${labelProblem === undefined ? '' : html`<p class="problem" id="name-problem">Error: ${labelProblem.text}</p>`}
<input type="text" id="name" name="name" maxlength="60" required value="${label}" aria-describedby="name-hint${
          labelProblem === undefined ? '' : ' name-problem'
        }">
`,
        'Add a passkey',
      )
}`,
    script,
  )
}

/** For who is not signed in, or not well enough. */
export function signInFirstPage({ provider, first }: PasskeyWording): Page {
  const title = 'Sign in first'
  return page(
    title,
    provider,
    html`<h1>${title}</h1>
<p>${first}</p>`,
  )
}
