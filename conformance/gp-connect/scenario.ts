/** What a scenario is, and what every answer is held to. */
import assert from 'node:assert/strict'
import type { PracticeFile } from '@openspine/practice'
import type { AnyResource } from '@openspine/standards/fhir'
import type { Sandbox } from '../sandbox.ts'
import { type Answered, type Asked, type Base, resourcesOf, type Way } from './ask.ts'
import type { Generation } from './obligation.ts'
import type { ObligationId } from './obligations.ts'

export type Settings = Partial<PracticeFile['practices'][number]>

/** One request and what must come back. */
export interface Scenario extends Asked {
  readonly shows: readonly ObligationId[]
  readonly name: string
  readonly status: number
  readonly code?: string
  /** Where the proxy refuses (or answers) what the practice itself would answer in its own way. */
  readonly byProxy?: number
  /** Changes of the second practice, which is then asked. */
  readonly settings?: Settings
  holds?(answered: Answered): void
}

/** What a story is told with. */
export interface Telling {
  readonly way: Way
  readonly sandbox: Sandbox
  /** Number of the way, so that each way has people and slots of its own. */
  readonly index: number
  ask(asked: Asked): Promise<Answered>
  /** Asks, and holds the answer to a status and a code. */
  refused(asked: Asked, status: number, code: string): Promise<Answered>
}

/** Several requests that build on one another. */
export interface Story {
  readonly shows: readonly ObligationId[]
  readonly generation: Generation
  readonly name: string
  tell(telling: Telling): Promise<void>
}

export const generationOf = (base: Base): Generation => (base === 'html' ? '0.x' : '1.x')

/** One area: its scenarios and stories. */
export interface Area {
  readonly scenarios: readonly Scenario[]
  readonly stories: readonly Story[]
}

/** Status, issue code and display of each code that a provider may answer with (§5.2). */
const catalogue: Readonly<Record<string, readonly [status: number, issue: string, display?: string]>> = {
  INVALID_IDENTIFIER_SYSTEM: [400, 'value', 'Invalid identifier system'],
  INVALID_NHS_NUMBER: [400, 'value', 'Invalid NHS number'],
  INVALID_PATIENT_DEMOGRAPHICS: [400, 'business-rule', 'Invalid patient demographics'],
  ORGANISATION_NOT_FOUND: [404, 'not-found', 'Organisation not found'],
  PATIENT_NOT_FOUND: [404, 'not-found', 'Patient not found'],
  PRACTITIONER_NOT_FOUND: [404, 'not-found', 'Practitioner not found'],
  NO_RECORD_FOUND: [404, 'not-found', 'No record found'],
  NO_PATIENT_CONSENT: [403, 'forbidden', 'Patient has not provided consent to share data'],
  NO_ORGANISATION_CONSENT: [403, 'forbidden', 'Organisation has not provided consent to share data'],
  ACCESS_DENIED: [403, 'forbidden', 'Access denied'],
  'ACCESS DENIED': [403, 'forbidden', 'Access denied'],
  NON_AUTHORITATIVE: [403, 'forbidden'],
  NOT_AUTHORISED: [403, 'forbidden'],
  DUPLICATE_REJECTED: [409, 'duplicate', 'Create would lead to creation of a duplicate resource'],
  FHIR_CONSTRAINT_VIOLATION: [409, 'conflict'],
  INVALID_RESOURCE: [422, 'invalid', 'Invalid validation of resource'],
  INVALID_PARAMETER: [422, 'invalid', 'Invalid parameter'],
  BAD_REQUEST: [400, 'invalid', 'Bad request'],
  INTERNAL_SERVER_ERROR: [500, 'processing', 'Unexpected internal server error'],
}

const dialects = {
  '0.x': {
    profile: 'http://fhir.nhs.net/StructureDefinition/gpconnect-operationoutcome-1',
    system: 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1',
  },
  '1.x': {
    profile: 'https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-OperationOutcome-1',
    system: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1',
  },
} as const

interface Issue {
  readonly severity: string
  readonly code: string
  readonly details: { readonly coding: readonly { readonly [member: string]: string }[] }
  readonly diagnostics: string
}

export const issuesOf = (outcome: AnyResource): readonly Issue[] => (outcome['issue'] ?? []) as readonly Issue[]

/** What holds for every refusal of a provider (§5). */
export function isRefusal(answered: Answered, generation: Generation): void {
  const { resource, status, text } = answered
  assert.equal(resource.resourceType, 'OperationOutcome', text.slice(0, 600))
  const { profile, system } = dialects[generation]
  assert.deepEqual(resource.meta?.profile, [profile])
  const [issue, ...more] = issuesOf(resource)
  assert.ok(issue !== undefined && more.length === 0, 'there is not one issue')
  const [coding, ...others] = issue.details.coding
  assert.deepEqual([issue.severity, coding?.['system'], others.length], ['error', system, 0])
  assert.ok(coding?.['display'], 'the coding has no display')
  assert.ok(issue.diagnostics.length > 10, 'the diagnostics say nothing')
  const row = catalogue[String(coding['code'])]
  assert.ok(row, `${coding['code']} is not in the catalogue`)
  const [usual, kind, display] = row
  if (display !== undefined) assert.equal(coding['display'], display)
  // A type that is not spoken, and a wrong verb, have BAD_REQUEST under a status of their own (§5.2, §4.2).
  if (coding['code'] !== 'BAD_REQUEST' || status === 400) assert.deepEqual([status, issue.code], [usual, kind])
}

/** Holds an answer to its scenario, and to what holds for all. */
export function check({ door }: Way, scenario: Scenario, answered: Answered): void {
  const { status, headers, text, code } = answered
  const byProxy = door === 'proxy' && scenario.byProxy !== undefined
  assert.equal(status, byProxy ? scenario.byProxy : scenario.status, text.slice(0, 600))
  if (byProxy) return
  isSound(answered, generationOf(scenario.base))
  if (scenario.code !== undefined) assert.equal(code, scenario.code, text.slice(0, 600))
  scenario.holds?.(answered)
  assert.equal(headers['cache-control'], 'no-store')
}

/** What holds for every answer of a provider. */
export function isSound(answered: Answered, generation: Generation): void {
  const { status, headers, text } = answered
  assert.equal(headers['cache-control'], 'no-store')
  if (text !== '') assert.match(String(headers['content-type']), /; ?charset=utf-8$/i)
  if (status >= 300) isRefusal(answered, generation)
}

export const ofType = (answered: Answered, type: string): readonly AnyResource[] =>
  resourcesOf(answered.resource).filter(({ resourceType }) => resourceType === type)

/** The first of a type, which must be there. */
export function firstOf(answered: Answered, type: string): AnyResource {
  const [resource] = ofType(answered, type)
  assert.ok(resource, `there is no ${type} in the answer`)
  return resource
}

export const isSearchset =
  (matches: number) =>
  ({ resource }: Answered): void => {
    assert.equal(resource.resourceType, 'Bundle')
    assert.equal(resource['type'], 'searchset')
    assert.equal(resourcesOf(resource).length, matches)
    for (const entry of (resource['entry'] ?? []) as { fullUrl?: string }[]) assert.equal(entry.fullUrl, undefined)
  }

export const hasProfile =
  (type: string, profile: string) =>
  ({ resource, headers }: Answered): void => {
    assert.equal(resource.resourceType, type)
    assert.deepEqual(resource.meta?.profile, [`https://fhir.nhs.uk/STU3/StructureDefinition/${profile}`])
    assert.equal(headers['etag'], `W/"${resource.meta?.versionId}"`)
  }
