/** Requests for structured records of the worked example, and what is read of the answers. */
import assert from 'node:assert/strict'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { Answer } from '../answer.ts'
import type { PatientInput, PracticeFile } from '../record/model.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { definition, systems } from '../stu3/systems.ts'
import { exampleAnswers, now } from './example-answers.ts'
import type { TestRequest } from './requests.ts'
import { stu3Request } from './stu3-requests.ts'

export type Json = Record<string, unknown>
export type Part = Json & { readonly name: string }

/** A parameter of an area with its parts. */
export const including = (name: string, ...part: readonly Part[]): Part =>
  part.length === 0 ? { name } : { name, part }

export const allergies = (resolved = true): Part =>
  including('includeAllergies', { name: 'includeResolvedAllergies', valueBoolean: resolved })

export const medication = (...parts: readonly Part[]): Part => including('includeMedication', ...parts)

export function recordParameters(nhsNumber: string, ...parameter: readonly Json[]) {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'patientNHSNumber', valueIdentifier: { system: systems.nhsNumber, value: nhsNumber } },
      ...parameter,
    ] as Json[],
  }
}

export interface StructuredOptions {
  readonly nhsNumber?: string
  /** The base with 1.2, or that of later versions. */
  readonly base?: 'gpconnect' | 'structured'
  readonly migrate?: boolean
}

export function structuredRequest(parameters: readonly Json[], options: StructuredOptions = {}): TestRequest {
  const { nhsNumber = people.everySection, base = 'structured', migrate = false } = options
  const operation = migrate ? 'gpc.migratestructuredrecord' : 'gpc.getstructuredrecord'
  return stu3Request({
    now,
    base,
    method: 'POST',
    interaction: `fhir:operation:${operation}-1`,
    target: `/Patient/$${operation}`,
    body: recordParameters(nhsNumber, ...parameters),
  })
}

export interface RecordBundle {
  readonly raw: Json
  readonly resources: readonly Json[]
  of(type: string): readonly Json[]
  /** The list of that title. */
  list(title: string): Json
}

export function readRecord(answered: Answer): RecordBundle {
  assert.equal(answered.status, 200, answered.body)
  const raw = stu3.read(answered.headers['content-type']?.includes('xml') ? 'xml' : 'json', answered.body) as Json
  const resources = (raw['entry'] as { resource: Json }[]).map(({ resource }) => resource)
  return {
    raw,
    resources,
    of: (type) => resources.filter(({ resourceType }) => resourceType === type),
    list(title) {
      const [found, ...others] = resources.filter((one) => one['resourceType'] === 'List' && one['title'] === title)
      assert.ok(found, `no list ${title}`)
      assert.equal(others.length, 0, `several lists ${title}`)
      return found
    },
  }
}

export async function askRecord(
  parameters: readonly Json[],
  options: StructuredOptions & { readonly settings?: Partial<PracticeFile['practices'][number]> } = {},
): Promise<RecordBundle> {
  return readRecord(await exampleAnswers(options.settings)(structuredRequest(parameters, options)))
}

/** The references of a list's entries. */
export function entriesOf(list: Json): string[] {
  return ((list['entry'] ?? []) as { item: { reference: string } }[]).map(({ item }) => item.reference)
}

/** What must hold of every structured record, whatever is in it (§9.2, §15). */
export function assertClosed({ raw, resources }: RecordBundle): void {
  assert.deepEqual(stu3.check(raw), [])
  assert.equal(raw['type'], 'collection')
  for (const entry of raw['entry'] as Json[]) assert.deepEqual(Object.keys(entry), ['resource'])
  const held = new Map<string, Json>()
  for (const resource of resources) {
    const { resourceType, id, meta } = resource as { resourceType: string; id?: string; meta: Json }
    assert.deepEqual(Object.keys(meta), ['profile'], `${resourceType}.meta`)
    assert.equal((meta['profile'] as unknown[]).length, 1)
    assert.equal(resource['text'], undefined)
    // Of lists, those of a consultation's structure alone have an id.
    if (resourceType === 'OperationOutcome' || (resourceType === 'List' && id === undefined)) continue
    assert.ok(id, `${resourceType} without id`)
    assert.ok(!held.has(`${resourceType}/${id}`), `${resourceType}/${id} twice`)
    held.set(`${resourceType}/${id}`, resource)
  }
  for (const resource of resources) {
    const contained = new Set(((resource['contained'] ?? []) as Json[]).map(({ id }) => `#${id}`))
    for (const reference of references(resource))
      assert.ok(reference.startsWith('#') ? contained.has(reference) : held.has(reference), `${reference} is not there`)
  }
}

export function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'reference' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

/** A practice whose only patient is the one with nothing in the record, and these rows. */
export function withRows(rows: Partial<PatientInput>): {
  nhsNumber: string
  settings: Partial<PracticeFile['practices'][number]>
} {
  return {
    nhsNumber: people.noData,
    settings: {
      patients: [
        {
          nhsNumber: people.noData,
          name: { family: 'Blankpage', given: ['Idris'] },
          gender: 'male',
          birthDate: '2004-10-19',
          registrationDate: '2010-01-11',
          ...rows,
        },
      ],
    },
  }
}

export function extension(resource: Json | undefined, name: string): Json[] {
  return ((resource?.['extension'] ?? []) as Json[]).filter(
    ({ url }) => url === definition(`Extension-CareConnect-GPC-${name}-1`),
  )
}

/** What stands at that place in a resource; undefined where a step leads nowhere. */
export function inside(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined),
    value,
  )
}
