import type { Patient, Worker, WorkerRole } from '../contract.ts'
import { type Authenticator, credentials, proofings } from '../levels.ts'
import { Html, html, type Page, page } from './html.ts'

export const staffProvider = 'Sandbox sign-in for staff'
export const patientProvider = 'Sandbox sign-in for patients'

/** Above so many roles the picker has a search (§3.3). */
export const mostRolesListed = 5

/** A field that must be put right; its name is also the id of its first input. */
export interface Problem {
  readonly field: string
  readonly text: string
}

const sandboxNote = html`<div class="note"><p><strong>This is a sandbox.</strong> Everyone here is invented, and you
choose who you are without a password. Nobody could sign in like this where real records are.</p></div>`

/** Has the focus at once, without a script: who hears the page hears this first, and the keyboard begins here. */
export const summary = (problems: readonly Problem[]): Html =>
  problems.length === 0
    ? html``
    : html`<div class="error" role="alert" tabindex="-1" autofocus aria-labelledby="error-title"><h2 id="error-title">There is a problem</h2><ul>
${problems.map(({ field, text }) => html`<li><a href="#${field}">${text}</a></li>`)}
</ul></div>`

interface Choice {
  readonly value: string
  readonly name: string
  readonly more?: string
}

function choices(
  field: string,
  legend: string,
  list: readonly Choice[],
  options: { readonly chosen?: string | undefined; readonly problems: readonly Problem[]; readonly hint?: string },
): Html {
  const problem = options.problems.find((each) => each.field === field)
  const described = [options.hint && `${field}-hint`, problem && `${field}-problem`].filter(Boolean).join(' ')
  return html`<fieldset${described === '' ? '' : new Html(` aria-describedby="${described}"`)}>
<legend>${legend}</legend>
${options.hint === undefined ? '' : html`<p class="hint" id="${field}-hint">${options.hint}</p>`}
${problem === undefined ? '' : html`<p class="problem" id="${field}-problem">Error: ${problem.text}</p>`}
${list.map(
  ({ value, name, more }, place) => html`<label class="choice"><input type="radio" name="${field}"${
    place === 0 ? new Html(` id="${field}"`) : ''
  } value="${value}"${options.chosen === value ? new Html(' checked') : ''}> <span>${name}${
    more === undefined ? '' : html`<span>${more}</span>`
  }</span></label>
`,
)}</fieldset>`
}

const search = (
  text: string,
  label: string,
  hint: string,
): Html => html`<form class="search" method="get" role="search">
<label class="field" for="q">${label}</label><p class="hint" id="q-hint">${hint}</p>
<input type="search" id="q" name="q" value="${text}" aria-describedby="q-hint"> <button class="quiet">Search</button>
</form>`

export const titled = (title: string, problems: readonly Problem[]) =>
  problems.length === 0 ? title : `Error: ${title}`

/** `Nurse Access Role` of `"Clinical":"Clinical Provision":"Nurse Access Role"`. */
export const shortRole = ({ roleName }: WorkerRole) => /"([^"]+)"$/.exec(roleName)?.[1] ?? roleName

const place = ({ organisation, odsCode }: WorkerRole) =>
  organisation === undefined ? odsCode : `${organisation} (${odsCode})`

export function staffPage(about: {
  readonly application: string
  readonly staff: readonly Worker[]
  readonly authenticators: readonly Authenticator[]
  readonly searched: string
  readonly searchable: boolean
  readonly problems: readonly Problem[]
  readonly chosen?: { readonly person?: string | undefined; readonly authenticator?: string | undefined }
}): Page {
  const { application, staff, authenticators, searched, searchable, problems, chosen = {} } = about
  const title = 'Sign in as a member of staff'
  return page(
    titled(title, problems),
    staffProvider,
    html`${summary(problems)}<h1>${title}</h1>
<p>${application} asks who you are.</p>
${sandboxNote}
${searchable ? search(searched, 'Find a member of staff', 'Name, user id, or organisation') : ''}
<form method="post" novalidate>
${
  staff.length === 0
    ? html`<p id="person">Nobody was found${searched === '' ? ': no staff are registered here' : ` for “${searched}”`}.</p>`
    : choices(
        'person',
        'Who are you?',
        staff.map((worker) => ({
          value: worker.uid,
          name: worker.displayName ?? `${worker.givenName ?? ''} ${worker.familyName}`,
          more: `${worker.uid}: ${
            worker.roles.length === 0
              ? 'no roles'
              : worker.roles
                  .slice(0, 3)
                  .map((role) => `${shortRole(role)} at ${place(role)}`)
                  .join('; ') + (worker.roles.length > 3 ? ` and ${worker.roles.length - 3} more` : '')
          }`,
        })),
        { problems, chosen: chosen.person },
      )
}
${choices(
  'authenticator',
  'How do you sign in?',
  authenticators.map(({ value, name, aal }) => ({ value, name, more: `Authenticator assurance level ${aal}` })),
  {
    problems,
    chosen: chosen.authenticator ?? authenticators[0]?.value,
    hint: 'Only what the application accepts is offered.',
  },
)}
<button name="answer" value="yes">Sign in</button>
<button class="quiet" name="answer" value="no">Cancel</button>
</form>
<p>When you are signed in, you can <a href="../passkeys">add or remove a passkey</a> in this browser.</p>`,
  )
}

export function rolePage(about: {
  readonly name: string
  readonly application: string
  readonly roles: readonly WorkerRole[]
  readonly searched: string
  readonly searchable: boolean
  readonly problems: readonly Problem[]
}): Page {
  const { name, application, roles, searched, searchable, problems } = about
  const title = 'Choose your role'
  return page(
    titled(title, problems),
    staffProvider,
    html`${summary(problems)}<h1>${title}</h1>
<p>You are signing in to ${application} as ${name}. The role counts for this sign-in alone.</p>
${searchable ? search(searched, 'Find a role', 'Role, organisation, or code') : ''}
<form method="post" novalidate>
${
  roles.length === 0
    ? html`<p id="role">No role was found for “${searched}”.</p>`
    : choices(
        'role',
        'Which role do you act in?',
        roles.map((role) => ({
          value: role.roleId,
          name: shortRole(role),
          more: `${place(role)}, role profile ${role.roleId}`,
        })),
        { problems },
      )
}
<button name="answer" value="yes">Continue</button>
<button class="quiet" name="answer" value="no">Cancel</button>
</form>`,
  )
}

const proofingNames = {
  P0: 'Not proved',
  P5: 'Proved by answers (medium)',
  P9: 'Proved by photo identification (high)',
} as const

export function patientPage(about: {
  readonly application: string
  readonly patients: readonly Patient[]
  readonly scopes: readonly string[]
  readonly problems: readonly Problem[]
  readonly wanted: readonly string[]
  readonly chosen: Readonly<Record<string, string | undefined>>
}): Page {
  const { application, patients, scopes, problems, wanted, chosen } = about
  const title = 'Sign in as a patient'
  const numberProblem = problems.find(({ field }) => field === 'number')
  return page(
    titled(title, problems),
    patientProvider,
    html`${summary(problems)}<h1>${title}</h1>
<p>${application} asks who you are.</p>
${sandboxNote}
<form method="post" novalidate>
${
  patients.length === 0
    ? ''
    : choices(
        'patient',
        'Who are you?',
        patients.map(({ nhsNumber, givenName = '', familyName, birthDate }) => ({
          value: nhsNumber,
          name: `${givenName} ${familyName}`,
          more: `Born ${inWords(birthDate)}, NHS number ${spaced(nhsNumber)}`,
        })),
        { problems, chosen: chosen['patient'] },
      )
}
<fieldset><legend>${patients.length === 0 ? 'Who are you?' : 'Or somebody else'}</legend>
<label class="field" for="number">NHS number</label>
<p class="hint" id="number-hint">10 digits, of an invented person in this environment’s demographics</p>
${numberProblem === undefined ? '' : html`<p class="problem" id="number-problem">Error: ${numberProblem.text}</p>`}
<input type="text" id="number" name="number" inputmode="numeric" autocomplete="off" value="${chosen['number'] ?? ''}" aria-describedby="number-hint${
      numberProblem === undefined ? '' : ' number-problem'
    }"${numberProblem === undefined ? '' : new Html(' aria-invalid="true"')}>
</fieldset>
${choices(
  'proofing',
  'How was your identity proved?',
  proofings.map((value) => ({ value, name: proofingNames[value], more: `Identity proofing level ${value}` })),
  { problems, chosen: chosen['proofing'] ?? 'P9', hint: `The application accepts: ${wanted.join(', ')}.` },
)}
${choices(
  'credential',
  'How do you sign in?',
  credentials.map(({ value, name }) => ({ value, name, more: value })),
  { problems, chosen: chosen['credential'] ?? 'Cp.Cd' },
)}
<h2>What you share</h2>
<p>${application} will see: ${scopes.join(', ')}.</p>
<button name="answer" value="yes">Sign in and share</button>
<button class="quiet" name="answer" value="no">Do not share</button>
</form>
<p>When you are signed in, you can <a href="../passkeys">add or remove a passkey</a> in this browser.</p>`,
  )
}

/** `29 February 1980` of `1980-02-29`; a date without a day stays as it is. */
const inWords = (date: string) =>
  /^\d{4}-\d\d-\d\d$/.test(date)
    ? new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date))
    : date

const spaced = (nhsNumber: string) => nhsNumber.replace(/^(\d{3})(\d{3})(\d{4})$/, '$1 $2 $3')

export function signOutPage(): Page {
  return page(
    'Sign out',
    staffProvider,
    html`<h1>Sign out</h1>
<p>This ends your sign-on here. The applications that you signed in to are told.</p>
<form method="post"><button name="answer" value="yes">Sign out</button></form>`,
  )
}

export function signedOutPage(): Page {
  return page(
    'You are signed out',
    staffProvider,
    html`<h1>You are signed out</h1>
<p>You can close this page.</p>`,
  )
}
