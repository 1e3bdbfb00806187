import { isNhsNumber, namingSystem } from '@openspine/standards/nhs'
import type { Access } from './access.ts'
import type { Author, KeptAnswer, RequestKey } from './changes/change.ts'
import type { ChangeStore } from './changes/store.ts'
import type { Check } from './checks.ts'
import { countryName } from './countries.ts'
import type { SearchParameters } from './criteria.ts'
import { subjectOf } from './events/raise.ts'
import { dayNumber } from './fold.ts'
import { outcomes, refuse } from './outcomes.ts'
import { asJson, isJson, type Json, personRecord, type StoredPerson, storedPerson } from './person.ts'
import { besideOf } from './related.ts'
import { type BodyCheck, formed, matching, needs, single, valueAt } from './rules/body.ts'
import type { PersonStore } from './store.ts'

/** The one parameter of GET /Coverage (§14); undefined when the query is anything else. */
export function coverageNumber(parameters: SearchParameters): string | undefined {
  const [first, ...more] = parameters
  if (first === undefined || more.length > 0 || first[0] !== 'subscriber:identifier') return undefined
  return /^[^|]+$/.test(first[1]) ? first[1] : undefined
}

/** GET /Coverage, before anything is read. */
export const coverageChecks: readonly Check<{ readonly number: string | undefined }>[] = [
  {
    name: 'Query is subscriber:identifier',
    clause: '§14',
    explanation: 'The query is subscriber:identifier with the bare NHS number, and nothing else.',
    refusal: ({ number }) => (number === undefined ? outcomes.coverageSearch : undefined),
  },
  {
    name: 'NHS number is valid',
    clause: '§1',
    explanation: 'An NHS number is ten digits without spaces, the last of which is the check digit.',
    refusal: ({ number }) => (isNhsNumber(number) ? undefined : outcomes.invalidResourceId),
  },
]

/** POST /Coverage, before the body is looked into. */
export interface CoverageRequest {
  readonly ifMatch: string | undefined
  readonly contentType: string | undefined
}

export const coverageRequestChecks: readonly Check<CoverageRequest>[] = [
  {
    name: 'If-Match is there',
    clause: '§4, §14',
    explanation: 'Send the version that was read in If-Match: W/"n", as the ETag said it.',
    refusal: ({ ifMatch }) => (ifMatch === undefined || ifMatch === '' ? outcomes.ifMatchMissing : undefined),
  },
  {
    name: 'Content-Type is JSON',
    clause: '§4',
    explanation: 'The body is a resource: Content-Type: application/json or application/fhir+json.',
    refusal: ({ contentType }) => (isJsonType(contentType) ? undefined : outcomes.unsupportedService),
  },
]

/** What POST takes (§4). */
export function isJsonType(contentType: string | undefined): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return type === 'application/json' || type === 'application/fhir+json'
}

/** What is posted, and who posts it. */
export interface CoverageBody {
  readonly value: Json
  readonly access: Access
}

/** Told before anything that is wrong with the card: whose it is (§5). */
export const coverageOwnerChecks: readonly Check<CoverageBody>[] = [
  {
    name: 'Patient writes the own card',
    clause: '§5, §14',
    explanation: 'The subscriber is the patient of the access token.',
    refusal({ value, access }) {
      const number = valueAt(value, 'subscriber/identifier/value')
      return typeof number === 'string' && number !== access.patient?.nhsNumber ? outcomes.patientCannot : undefined
    },
  },
]

const cardText = (longest: number) => new RegExp(`^(?=.*[a-zA-Z0-9])[a-zA-Z0-9\\-,/:'. ]{1,${longest}}$`)
const countrySystem = 'urn:iso:std:iso:3166'
const cardSystem = 'http://terminology.hl7.eu/CodeSystem/v3-ActCode'
const yearsEitherWay = 150
const clause = '§14'

/** The card that is posted (§14). */
export const coverageBodyChecks: readonly BodyCheck[] = [
  needs('identifier/0/value', { clause, explanation: 'The card has a number.' }),
  needs('identifier/0/assigner/identifier/value', { clause, explanation: 'The card tells the country of issue.' }),
  needs('status', { clause, explanation: 'The status is there; it is active.' }),
  needs('subscriber/identifier/value', { clause, explanation: 'The subscriber is the patient, by NHS number.' }),
  needs('beneficiary/identifier/value', { clause, explanation: 'The beneficiary has a personal number.' }),
  needs('payor/0/identifier/value', { clause, explanation: 'The institution has a number.' }),
  needs('period/end', { clause, explanation: 'The card has a day on which it ends.' }),
  single('identifier', { clause, explanation: 'There is one card.' }),
  single('payor', { clause, explanation: 'There is one institution.' }),
  formed('resourceType', (value) => value === 'Coverage', { clause, explanation: 'The resource is a Coverage.' }),
  formed('status', (value) => value === 'active', { clause, explanation: 'The status is active.' }),
  formed('type/coding/0/system', (value) => value === cardSystem, {
    clause,
    explanation: `The type is of the system ${cardSystem}.`,
  }),
  formed('type/coding/0/code', (value) => value === 'EHIC', { clause, explanation: 'The type is EHIC.' }),
  formed('identifier/0/value', matching(cardText(25)), {
    clause,
    explanation: "The number of the card has 1 to 25 letters, digits or characters of - , / : ' . and space.",
  }),
  formed('identifier/0/assigner/identifier/system', (value) => value === countrySystem, {
    clause,
    explanation: `The country is of the system ${countrySystem}.`,
  }),
  formed('identifier/0/assigner/identifier/value', matching(/^[A-Z]{3}$/), {
    clause,
    explanation: 'The country is three capital letters.',
  }),
  formed('subscriber/identifier/system', (value) => value === namingSystem.fhirNhsUk.nhsNumber, {
    clause,
    explanation: 'The subscriber is named by NHS number.',
  }),
  formed('beneficiary/identifier/value', matching(cardText(25)), {
    clause,
    explanation: 'The personal number has 1 to 25 characters of those of the card.',
  }),
  formed('payor/0/identifier/value', matching(cardText(30)), {
    clause,
    explanation: 'The number of the institution has 1 to 30 characters of those of the card.',
  }),
  formed(
    'period/end',
    (value, { today }) => {
      const end = typeof value === 'string' ? dayNumber(value) : undefined
      const now = dayNumber(today) ?? 0
      return end !== undefined && Math.abs(end - now) < yearsEitherWay * 10_000
    },
    { clause, explanation: `The end is a whole date, less than ${yearsEitherWay} years ago or ahead.` },
  ),
]

/** The card as it is shown: undefined when there is none, it is hidden, or it has no personal number. */
export function cardOf(person: StoredPerson): Json | undefined {
  const { coverage } = besideOf(person)
  if (!isJson(coverage)) return undefined
  const personalId = valueAt(coverage, 'beneficiary/identifier/value')
  if (typeof personalId !== 'string' || personalId === '') return undefined
  const country = valueAt(coverage, 'identifier/0/assigner/identifier/value')
  const name = typeof country === 'string' ? countryName(country) : undefined
  const assigner = asJson(valueAt(coverage, 'identifier/0/assigner'))
  return {
    ...coverage,
    resourceType: 'Coverage',
    subscriber: { identifier: { system: namingSystem.fhirNhsUk.nhsNumber, value: person.nhsNumber } },
    identifier: [
      {
        value: valueAt(coverage, 'identifier/0/value'),
        assigner: { identifier: assigner['identifier'], ...(name === undefined ? {} : { display: name }) },
      },
    ],
  }
}

/** What is kept of a card that passed the checks: nothing that is not of the card. */
function kept(value: Json): Json {
  const at = (path: string) => valueAt(value, path)
  return {
    resourceType: 'Coverage',
    status: 'active',
    type: { coding: [{ system: cardSystem, code: 'EHIC', display: 'European Health Insurance Card' }] },
    identifier: [
      {
        value: at('identifier/0/value'),
        assigner: { identifier: { system: countrySystem, value: at('identifier/0/assigner/identifier/value') } },
      },
    ],
    beneficiary: { identifier: { value: at('beneficiary/identifier/value') } },
    period: { end: at('period/end') },
    payor: [{ identifier: { value: at('payor/0/identifier/value') } }],
  }
}

/** A card that passed the checks, and what its write is bound to. */
export interface CoverageWrite {
  readonly value: Json
  /** Version that the caller read; undefined where the header says none. */
  readonly version: number | undefined
  readonly author: Author
  readonly request: RequestKey
  readonly at: number
  /** The answer to the write, as it is kept with it. */
  answer(after: StoredPerson): KeptAnswer
}

/**
 * Writes the card of the subscriber: the record steps on by one version. SpineError `PDS_RESOURCE_NOT_FOUND`,
 * `PDS_INVALIDATED_RESOURCE`, `PDS_FORBIDDEN_UPDATE` (merged or restricted) or `PDS_RESOURCE_VERSION_MISMATCH`.
 */
export async function writeCoverage(
  parts: {
    readonly people: Pick<PersonStore, 'find'>
    readonly changes: Pick<ChangeStore, 'write' | 'keptAnswer'>
    /** Whether cards are kept; otherwise they are answered only, as in the public sandbox (§29). */
    readonly kept: boolean
  },
  asked: CoverageWrite,
): Promise<KeptAnswer> {
  const { people, changes } = parts
  const repeated = await changes.keptAnswer(asked.request)
  if (repeated) return repeated
  const number = String(valueAt(asked.value, 'subscriber/identifier/value'))
  const before = await people.find(number)
  if (before === undefined) throw refuse(outcomes.notFound, 'No person has this NHS number in this environment.')
  if (before.status === 'invalidated')
    throw refuse(outcomes.invalidated, 'The record of this NHS number was marked as invalid and has no successor.')
  if (before.status === 'superseded')
    throw refuse(outcomes.forbiddenUpdate('Update Failed - NHS No. supplied has been superseded in a merge'))
  if (before.sensitivity !== 'U')
    throw refuse(outcomes.forbiddenUpdate('source not permitted to update a restricted record'))
  if (asked.version !== before.version)
    throw refuse(outcomes.versionMismatch, 'The record has changed since it was read: send its ETag in If-Match.')
  const after = storedPerson({ ...personRecord(before), version: before.version + 1, coverage: kept(asked.value) })
  const answer = asked.answer(after)
  if (!parts.kept) return answer
  const written = await changes.write({
    before,
    after,
    kind: 'coverage',
    at: asked.at,
    author: asked.author,
    members: ['coverage'],
    events: [{ code: 'pds-record-change-1', facts: { subject: subjectOf(JSON.parse(after.document) as Json) } }],
    request: { ...asked.request, answer },
  })
  if (written === 'written') return answer
  const earlier = await changes.keptAnswer(asked.request)
  if (earlier) return earlier
  throw refuse(outcomes.versionMismatch, 'Somebody else wrote this record at the same time.')
}
