import { requestChecks } from '@openspine/platform/trust'
import * as practiceChecks from '@openspine/practice/checks'
import { outcomes as practiceOutcomes } from '@openspine/practice/outcome'
import { accessChecks } from '@openspine/services/access-control'
import * as adjustments from '@openspine/services/adjustments'
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
import { fhirChecks, soapChecks } from './checks-of-pds.ts'
import { code, type Row, table } from './checks-table.ts'

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

${fhirChecks()}

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

${soapChecks()}

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
