/** The part of the page of checks that is about demographics (PDS), in FHIR and in HL7 V3. */
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
import { code, type Row, table } from './checks-table.ts'

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

/** The checks of PDS FHIR. */
export function fhirChecks(): string {
  return `## Demographics (PDS FHIR)

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

${table(pdsRows(newBirthChecks.filter(({ name }) => !name.startsWith('Entry '))))}`
}

/** The checks of PDS in HL7 V3, and of its Mini Services. */
export function soapChecks(): string {
  return `## Demographics over SOAP (HL7 V3)

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
)}`
}
