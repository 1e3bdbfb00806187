import { requestChecks } from '@openspine/platform/trust'
import * as practiceChecks from '@openspine/practice/checks'
import { outcomes as practiceOutcomes } from '@openspine/practice/outcome'
import { accessChecks } from '@openspine/services/access-control'
import * as adjustments from '@openspine/services/adjustments'
import { outcomes as pdsOutcomes } from '@openspine/services/demographics'
import {
  arrivalChecks,
  authorizationChecks,
  type Check as PdsCheck,
  retrieveChecks,
  searchChecks,
} from '@openspine/services/demographics/checks'
import {
  birthChecks,
  birthQueryChecks,
  coverageBodyChecks,
  coverageChecks,
  coverageOwnerChecks,
  coverageRequestChecks,
  createChecks,
  newBirthChecks,
  newRecordChecks,
  registerRequestChecks,
} from '@openspine/services/demographics/register-checks'
import {
  birthMessageChecks,
  changeWrapperChecks,
  faultChecks,
  type Issue,
  type MessageCheck,
  miniCodes,
  requestChecks as miniRequestChecks,
  nhaisChecks,
  registrationChecks as pdsRegistrationChecks,
  updateChecks as pdsUpdateChecks,
  queryChecks,
  ruleIssue,
  type SyncCheck,
  transportChecks,
  transportFaults,
  wrapperChecks,
} from '@openspine/services/demographics/soap-checks'
import { intentChecks, outcomeChecks, updateRequestChecks } from '@openspine/services/demographics/update-checks'
import { parameterChecks, sdsChecks, writeChecks } from '@openspine/services/directory'
import {
  type DoorCheck,
  headerChecks,
  keyChecks,
  modeChecks,
  permissionCheck,
  rateChecks,
  roleCheck,
  tokenChecks,
} from '@openspine/services/gateway'
import {
  applicationScope,
  assertionChecks,
  authorizeChecks,
  codeChecks,
  logoutChecks,
  refreshChecks,
  subjectChecks,
} from '@openspine/services/identity'
import { checks as proxyChecks } from '@openspine/services/proxy'
import { shapes } from '@openspine/services/proxy/refusal'
import { agreementChecks, endpointChecks, productChecks, setChecks } from '@openspine/services/registration'
import {
  countedCheck,
  newCheck,
  type PasskeyWords,
  registrationChecks,
  signInChecks,
} from '@openspine/services/sign-in'
import * as visitors from '@openspine/services/visitors'

/** One line of a table: what is checked, where it is written, and what the wire says when it fails. */
interface Row {
  readonly name: string
  readonly clause: string
  readonly asks: string
  readonly failure: string
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
/** Placeholders in angle brackets would be taken for HTML, so the words of the wire stand as code. */
const code = (text: string) => `\`${text.replaceAll('`', "'")}\``

function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ name, clause, asks, failure }, index) =>
      `| ${index + 1} | ${cell(name)} | ${cell(clause)} | ${cell(asks)} | ${cell(failure)} |`,
  )
  return ['| # | Check | Clause | What is asked | When it fails |', '|---|---|---|---|---|', ...lines].join('\n')
}

function proxyRows(): Row[] {
  return proxyChecks.map(({ name, clause, asks, failures }) => ({
    name,
    clause,
    asks,
    failure: failures.map(({ status, text }) => `${status} ${shapes[status].reason}: ${code(text)}`).join('; or '),
  }))
}

type PracticeCheck = (typeof practiceChecks)['headChecks'][number]

function practiceRows(checks: readonly PracticeCheck[]): Row[] {
  return checks.map(({ name, clause, outcome, explains }) => {
    const said = practiceOutcomes[outcome]
    if (said === undefined) throw new Error(`the check "${name}" names no outcome that there is: ${outcome}`)
    return { name, clause: `GP Connect ${clause}`, asks: explains, failure: `${said.status} ${code(said.code)}` }
  })
}

/** A table for each endpoint of the practice system, in order. */
function endpointTables(): string {
  return practiceChecks.endpoints
    .map(
      ({ verb, path, interaction, bases, checks }) =>
        `### Then, for ${verb} ${path} (${bases.join(', ')})\n\nInteraction \`${interaction}\`.\n\n${table(practiceRows(checks))}`,
    )
    .join('\n\n')
}

/**
 * What a PDS check answers is written in its function, so it is read from there: every `outcomes.name` in
 * it, called with the literals that stand there, or with the names of its parameters in angle brackets.
 */
export function pdsFailures(check: Pick<PdsCheck<never>, 'name' | 'refusal'>): string[] {
  const source = check.refusal.toString()
  const said = [...source.matchAll(/outcomes\.(\w+)(?:\(((?:`[^`]*`|'[^']*'|[^()])*))?/g)].map(
    ([, name = '', given]) => {
      const outcome: unknown = Reflect.get(pdsOutcomes, name)
      const made = typeof outcome === 'function' ? call(outcome, given ?? '') : outcome
      const { status, coding, diagnostics } = made as { status: number; coding: { code: string }; diagnostics?: string }
      return `${status} ${code(coding.code)}${diagnostics === undefined ? '' : ` ${code(diagnostics)}`}`
    },
  )
  if (said.length === 0) throw new Error(`the check "${check.name}" names no outcome`)
  return [...new Set(said)]
}

function call(outcome: object, given: string): unknown {
  const literals = [...given.matchAll(/^\s*(?:'([^']*)'|`([^`]*)`)/g)].map(([, plain, template]) =>
    (plain ?? template ?? '').replaceAll(/\$\{(\w+)\}/g, '<$1>'),
  )
  const names = (/^\(?([^)=]*)/.exec(outcome.toString())?.[1] ?? '').split(',').map((name) => name.trim())
  const words = names.map((name, index) => literals[index] ?? `<${name}>`)
  try {
    return Reflect.apply(outcome as () => unknown, undefined, words)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return Reflect.apply(outcome as () => unknown, undefined, [words]) // It takes a list.
  }
}

function pdsRows(checks: readonly PdsCheck<never>[]): Row[] {
  return checks.map((check) => ({
    name: check.name,
    clause: check.clause,
    asks: check.explanation,
    failure: check.rules ? 'that of the rule, below' : pdsFailures(check).join('; or '),
  }))
}

/** The rules of items and details, one list a kind: what they answer names the value and its path. */
function pdsRules(checks: readonly Pick<PdsCheck<never>, 'rules'>[]): string {
  return checks
    .flatMap(({ rules }) => Object.entries(rules ?? {}))
    .map(
      ([kind, rules]) =>
        `\`${kind}\`\n\n${rules.map(({ name, clause, explanation }) => `- ${name} (${clause}): ${explanation}`).join('\n')}`,
    )
    .join('\n\n')
}

function soapRows(checks: readonly SyncCheck[]): Row[] {
  return checks.map(({ name, clause, explains, outcome }) => ({
    name: code(name),
    clause,
    asks: explains,
    failure:
      outcome === 'rejected'
        ? `acknowledgement ${code('AR')}, detail ${code('299')}`
        : outcome === 'http'
          ? 'HTTP 400'
          : `SOAP fault ${code(`${outcome} ${transportFaults[outcome].description}`)}`,
  }))
}

/** A table for each query of PDS in HL7 V3. */
function queryTables(): string {
  return Object.entries(queryChecks)
    .map(([kind, checks]) => {
      const rows = messageRows(checks, (issue) => `acknowledgement ${code('AE')}, reason ${code(issue.code)}`)
      return `### Then, for ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}\n\n${table(rows)}`
    })
    .join('\n\n')
}

const changeRows = (checks: readonly MessageCheck<never>[]) =>
  messageRows(checks, (issue) => `MCCI_IN010000UK13, AE, ${code(`${issue.code} ${issue.text}`)}`)

function messageRows(checks: readonly MessageCheck<never>[], refused: (issue: Issue) => string): Row[] {
  return checks.map(({ name, where, clause, explains, level }) => {
    const issue = ruleIssue(name, where, level)
    return {
      name: code(issue.text),
      clause,
      asks: explains,
      failure: issue.level === 'WG' ? `warning ${code(issue.code)}` : refused(issue),
    }
  })
}

/** Checks that look into a body: the code is that of the fault, and its diagnostics name the value and its path. */
function pdsList(checks: readonly Pick<PdsCheck<never>, 'name' | 'clause' | 'explanation'>[]): string {
  return checks.map(({ name, clause, explanation }, at) => `${at + 1}. ${name} (${clause}): ${explanation}`).join('\n')
}

/** What the door of the API platform says is written in its functions, as it is for PDS. */
function doorRows(checks: readonly DoorCheck[]): Row[] {
  return checks.map(({ name, clause, explains, says }) => ({
    name,
    clause: `identity ${clause}`,
    asks: explains,
    failure: code(says),
  }))
}

interface OAuthCheck {
  readonly name: string
  readonly clause: string
  readonly explains: string
  readonly addition?: true
  readonly only?: 'exchange'
  /** A function where another part of the platform words the answer. */
  readonly outcome: unknown
}

function oauthRows(checks: readonly OAuthCheck[]): Row[] {
  return checks.map(({ name, clause, explains, addition, only, outcome }) => {
    const said = outcome as { readonly status?: number; readonly error?: string; readonly description?: string }
    const when = [addition ? 'not in `national`' : '', only === undefined ? '' : 'token exchange alone']
    const note = when.filter((each) => each !== '').join(', ')
    return {
      name,
      clause: `identity ${clause}`,
      asks: note === '' ? explains : `${explains} (${note})`,
      failure: typeof outcome === 'function' ? '429' : `${said.status} ${code(`${said.error}: ${said.description}`)}`,
    }
  })
}

function sdsRows(checks: readonly (typeof sdsChecks | typeof parameterChecks)[number][]): Row[] {
  return checks.map(({ name, clause, asks, says }) => ({
    name,
    clause: `directory ${clause}`,
    asks,
    failure: `${says.status} ${code(says.coding.code)} ${code(says.diagnostics ?? '')}`,
  }))
}

interface CodedCheck {
  readonly name: string
  readonly clause: string
  readonly outcome: string
  readonly explains: string
}

/** Checks whose outcome is a name in a table of outcomes. */
function codedRows(
  checks: readonly CodedCheck[],
  outcomes: Readonly<Record<string, { readonly status: number; readonly coding: { readonly code: string } }>>,
): Row[] {
  return checks.map(({ name, clause, explains, outcome }) => {
    const said = outcomes[outcome]
    if (said === undefined) throw new Error(`the check "${name}" names no outcome that there is: ${outcome}`)
    return { name, clause, asks: explains, failure: `${said.status} ${code(said.coding.code)}` }
  })
}

const raRows = (checks: readonly CodedCheck[]) => table(codedRows(checks, adjustments.spineOutcomes))

type RegistrationCheck = Pick<(typeof endpointChecks)[number], 'code' | 'clause' | 'asks'>

function registrationRows(checks: readonly RegistrationCheck[]): Row[] {
  return checks.map(({ code: name, clause, asks }) => ({ name: code(name), clause, asks, failure: 'refused' }))
}

const written = {
  refused: 'refused',
  tolerated: 'refused; a warning on import',
  warned: 'a warning in the log',
} as const

function passkeyRows(checks: readonly PasskeyWords[]): Row[] {
  return checks.map(({ name, clause, explains, text }) => ({ name, clause, asks: explains, failure: code(text) }))
}

/** `docs/reference/checks.md`: every ordered check of the house, made from the lists that run. */
export function checksPage(): string {
  return `# What is checked, in which order

Made from the checks themselves by \`npm run docs\`; do not edit. Within a table the checks run from the top, and the first
that fails decides the answer. \`openspine explain <trace id>\` names the check that refused a request, what it compared,
and what to do. What each code means is in [errors.md](errors.md).

## Secure proxy (SSP)

Every request on the door \`proxy\`. The check stands in the audit by its name, and the words in the last column are display
and diagnostics of the OperationOutcome. OPTIONS is answered after the first two. Before them, a request must be sound
HTTP/1.1; after them, the provider must answer: see [errors.md](errors.md).

${table(proxyRows())}

## GP practice (GP Connect Access Record HTML)

Every answer is an OperationOutcome whose coding is the code in the last column; its diagnostics say what was wrong.

### Every request

${table(practiceRows(practiceChecks.headChecks))}

${Object.entries(practiceChecks.tokenChecks)
  .map(([variant, checks]) => `### Then, the token (${variant})\n\n${table(practiceRows(checks))}`)
  .join('\n\n')}

${endpointTables()}

## API platform

Before PDS, SDS and the sample API, by what each asks for at the path: nothing, a key, or an access token. Which form the
answer has stands in [errors.md](errors.md#api-platform-what-the-wire-says).

### A request with an access token

${table(doorRows([...tokenChecks, ...rateChecks, ...modeChecks]))}

### A request with a key

${table(doorRows([...keyChecks, ...rateChecks]))}

### Then, of FHIR APIs whose headers the gateway reads

${table(doorRows([...headerChecks, roleCheck, permissionCheck]))}

## Demographics (PDS FHIR)

### The Authorization header

Where a request has none, the setting \`demographics.accessWithoutToken\` decides first whether it may do without.

${table(pdsRows(authorizationChecks))}

### Every request, between the token and the operation

${table(pdsRows(arrivalChecks))}

### Retrieve: GET /Patient/{id}

${table(pdsRows(retrieveChecks))}

### Search: GET /Patient

${table(pdsRows(searchChecks))}

### Update: PATCH /Patient/{id}

After the NHS number, and before the record is read; then the record is there, neither invalidated nor superseded, there
are patches, and the version is that of \`If-Match\`.

${table(pdsRows(updateRequestChecks))}

What nobody, or not this caller, may ask:

${table(pdsRows(intentChecks))}

Then the operations are applied, all or none, and what they lead to is looked at:

${table(pdsRows(outcomeChecks))}

Rules of what is written, the same in every operation and dialect: \`INVALID_VALUE\`, \`MISSING_VALUE\`,
\`TOO_MANY_VALUES_SUBMITTED\` or \`UNSUPPORTED_CHARACTERS_IN_FIELD\`, with the path of the value.

${pdsRules(outcomeChecks)}

### Related people: GET /Patient/{id}/RelatedPerson

As a retrieve.

### Health insurance card: GET /Coverage

${table(pdsRows(coverageChecks))}

### Health insurance card: POST /Coverage

${table(pdsRows([...coverageRequestChecks, ...coverageOwnerChecks]))}

Then the card: \`MISSING_VALUE\`, \`INVALID_VALUE\`, \`TOO_FEW_VALUES_SUBMITTED\` or \`TOO_MANY_VALUES_SUBMITTED\`, with the path.

${pdsList(coverageBodyChecks)}

Then the record is there, neither invalidated, superseded nor restricted, and the version is that of \`If-Match\`.

### New record: POST /Patient

Before everything, also the token, those who come too fast are refused: \`TOO_MANY_REQUESTS\`.

${table(pdsRows(registerRequestChecks))}

Then the body: the codes of the card, \`ADDITIONAL_PROPERTIES\` and \`UNSUPPORTED_CHARACTERS_IN_FIELD\`.

${pdsList(createChecks)}

Then nobody may match, or the answer is \`SINGLE_MATCH\` or \`MULTIPLE_MATCHES\`; and at last the whole record:

${table(pdsRows(newRecordChecks))}

### Birth: POST /Patient/$process-birth-details

${table(pdsRows([...birthQueryChecks, ...registerRequestChecks]))}

Then every entry, with full paths (\`entry/0/resource/…\`).

${pdsList(birthChecks)}

Then nobody may match, as for a new record; and at last these, and those of a whole new record:

${table(pdsRows(newBirthChecks.filter(({ name }) => !name.startsWith('Entry '))))}

## Reasonable Adjustments (STU3)

### Behind the API platform: before the token

${table(codedRows(adjustments.gatewayHeadChecks, adjustments.gatewayOutcomes))}

### Behind the API platform: after the token

The token must be that of a user: 401 \`ACCESS DENIED\`, and the rates of the platform hold.

${table(codedRows(adjustments.gatewayChecks, adjustments.gatewayOutcomes))}

### On the direct door

Metadata is asked for the first two alone.

${raRows(adjustments.directChecks)}

### Then, on both: a read

${raRows(adjustments.queryChecks)}

### Consent

After the resource come the patient (404 \`PATIENT_NOT_FOUND\`, 403 \`PATIENT_SENSITIVE\`) and the rules: one active consent, which comes
first, and the version that If-Match names.

${raRows(adjustments.consentChecks)}

### Flag

${raRows(adjustments.flagChecks)}

### List

${raRows(adjustments.impairmentChecks)}

### UnderlyingConditionList

${raRows(adjustments.conditionChecks)}

## Visitors & Migrants

### Every request

${table(codedRows(visitors.arrivalChecks, visitors.visitorsOutcomes))}

### Then, GET Observation

After these the person must be known: 404 \`PATIENT_NOT_FOUND\`.

${table(codedRows(visitors.searchChecks, visitors.visitorsOutcomes))}

## Demographics over SOAP (HL7 V3)

On the door \`spine\`. After these come the rules of the query, of which all that are broken are reported together.

### Every request, from the connection to the SOAP header

${table(soapRows(transportChecks))}

### Then, from the message to its query

${table(soapRows(wrapperChecks))}

${queryTables()}

### A message that changes something, from the message to its subject

${table(soapRows(changeWrapperChecks))}

Then come the rules of what it changes, of which all that are broken are reported together.

### A general update (PRPA_IN000203)

Last come the rules of the record, which are the ones of \`PATCH /Patient/{id}\`.

${table(changeRows(pdsUpdateChecks))}

### An update of NHAIS (PRPA_IN000204)

Last come the rules of the record, as of a general update.

${table(changeRows(nhaisChecks))}

### A new number (PRPA_IN000200)

Too many at once are answered 503 with a fault 200. Last come the rules of a new record, which are the ones of \`POST /Patient\`.

${table(changeRows(pdsRegistrationChecks))}

### A birth (PRPA_IN000205)

Too many at once are answered 503 with a fault 200. Last come the rules of \`POST /Patient/$process-birth-details\`.

${table(changeRows(birthMessageChecks))}

## Demographics Mini Services

### Every request, from the connection to the payload

${table(
  faultChecks.map(({ name, clause, explains, outcome }) => ({
    name,
    clause,
    asks: explains,
    failure: `SOAP fault, ToolkitErrorInfo ${code(outcome)}`,
  })),
)}

### Then, what it says

${table(
  miniRequestChecks.map(({ name, clause, explains, outcome }) => ({
    name,
    clause,
    asks: explains,
    failure: code(`${outcome} ${miniCodes[outcome]}`),
  })),
)}

## Directory: what may be written

For every entry that a change puts; all changes of a call are committed or none. "Tolerated" quirks of live data are
refused for new records and pass with a warning where records are imported.

${table(
  writeChecks.map(({ code: name, clause, asks, on }) => ({ name: code(name), clause, asks, failure: written[on] })),
)}

## SDS FHIR API

Before these come the gateway (401, 429), the path (404) and the method (405). After them comes the look-up.

${table(sdsRows(sdsChecks))}

### Each parameter, in the order of the request

${table(sdsRows(parameterChecks))}

## Access control (national RBAC)

The answer is a decision: denied, with the reason in the last column and the version of the rules. After these come the
activities, job roles and areas of work that are asked for (\`not-permitted\`).

${table(
  accessChecks.map(({ name, clause, explains }) => ({
    name: code(name),
    clause: `Identity ${clause}`,
    asks: explains,
    failure: `denied: ${code(name)}`,
  })),
)}

## Sharing agreements

${table(
  agreementChecks.map(({ code: name, clause, asks, explanation }) => ({
    name: code(name),
    clause,
    asks,
    failure: explanation,
  })),
)}

## Registration

Refusals are a code and a sentence that names what is wrong; on the command line they end with exit code 3.

### Products

${table(registrationRows(productChecks))}

### Sets of interactions of a product

${table(registrationRows(setChecks))}

### Endpoints: when one is requested, approved and taken up again

${table(registrationRows(endpointChecks))}

## Certificate signing requests

\`openspine cert issue <fqdn> --csr <file>\` exits with 1 and says the code and the sentence.

${table(
  requestChecks.map(({ name, clause, code: stable, explanation }) => ({
    name,
    clause,
    asks: explanation,
    failure: code(stable),
  })),
)}

## Authorisation server (OAuth 2.0)

Answers are \`error\`, \`error_description\` and \`message_id\`, by which the audit tells the cause. Status 302 is an answer to the
application by a redirect. Method, media type and repeated parameters come first.

### Client assertion: client credentials and token exchange

${table(oauthRows([...assertionChecks, applicationScope]))}

### Then, for token exchange, the ID token

${table(oauthRows(subjectChecks))}

### GET /authorize

${table(oauthRows(authorizeChecks))}

### A code, then the code itself

${table(oauthRows(codeChecks))}

### A refresh token, then the token itself

${table(oauthRows(refreshChecks))}

### POST /backchannel_logout

${table(oauthRows(logoutChecks))}

## Passkeys (Web Authentication, Level 2)

What the person reads when it fails; the audit event \`sign_in.passkey.refused\` names the check and the cause.

### Adding one

${table(passkeyRows([...registrationChecks, newCheck]))}

### Signing in with one

${table(passkeyRows([...signInChecks, countedCheck]))}
`
}
