/** Asks the areas of a structured record as a request would, without one. */
import assert from 'node:assert/strict'
import type { Bundle } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readLimit } from '../documents/resources.ts'
import type { AreaName, SwitchableArea } from '../record/areas.ts'
import { dayAt } from '../record/dates.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PatientInput, PatientRecord, PracticeRecord } from '../record/model.ts'
import { workedExample, workedExamplePatients } from '../sandbox/worked-example.ts'
import type { Parts } from '../structured/area.ts'
import { registry } from '../structured/areas.ts'
import { structuredRecord } from '../structured/bundle.ts'

/** Where the practice hands over documents. */
export const documentsRoot = 'https://gp.example.test/A20047/STU3/1/gpconnect/documents'

export const recordAt = Date.parse('2026-11-20T10:00:00Z')

/** A resource as a test looks at it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read elements of any resource by name
export type Read = any

const [practice] = readPracticeFile(workedExample({ asid: '200000100001', today: dayAt(recordAt) })).practices
assert.ok(practice)

/** The patient of the worked example that has something in every area, with rows replaced. */
export function everyArea(rows: Partial<PatientInput> = {}): PatientRecord {
  const [{ patients = [], ...rest } = {}] = workedExample({ asid: '200000100001', today: dayAt(recordAt) }).practices
  const patient = patients.find(({ nhsNumber }) => nhsNumber === workedExamplePatients.everySection)
  assert.ok(patient)
  const content = { format: 'openspine-practice-1', practices: [{ ...rest, patients: [{ ...patient, ...rows }] }] }
  const [read] = readPracticeFile(content).practices[0]?.patients ?? []
  assert.ok(read)
  return read
}

export interface Answer {
  readonly bundle: Bundle
  /** All resources of a type. */
  of(type: string): readonly Read[]
  /** The one resource of a reference. */
  at(reference: string): Read
  /** The list with that title. */
  list(title: string): Read
  readonly titles: readonly string[]
}

/** What the areas answer; every resource passes the tables of FHIR, in JSON and XML, and every reference resolves. */
export function answerOf(
  patient: PatientRecord,
  asked: Partial<Record<AreaName, readonly Parts[]>>,
  options: {
    readonly disabled?: readonly SwitchableArea[]
    readonly includeSensitive?: boolean
    readonly version?: string
    readonly practice?: PracticeRecord
    /** False: the practice does not hand over documents. */
    readonly documents?: boolean
  } = {},
): Answer {
  const bundle = structuredRecord(
    {
      held: { practice: options.practice ?? (practice as PracticeRecord), version: 1 },
      record: { patient, id: 'patient-1', version: 1 },
      at: recordAt,
      version: options.version ?? '1.6.2',
      traceId: '11111111-2222-4333-8444-555555555555',
      queries: registry.areas.flatMap((area) => {
        const parts = asked[area.name]
        return parts === undefined ? [] : [{ area, query: { asked: parts } }]
      }),
      unserved: [],
      includeSensitive: options.includeSensitive ?? false,
      disabled: new Set(options.disabled),
      documents: options.documents === false ? undefined : { url: documentsRoot, limit: readLimit },
    },
    registry,
  ) as Bundle
  assert.deepEqual(stu3.check(bundle), [])
  assert.deepEqual(JSON.parse(stu3.toJson(stu3.fromXml(stu3.toXml(bundle)))), JSON.parse(stu3.toJson(bundle)))
  const resources = (bundle.entry ?? []).map(({ resource }) => resource as Read)
  const known = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const named = resources.filter(({ id }) => id !== undefined)
  assert.equal(known.size >= named.length, true, 'a resource stands twice')
  for (const reference of referencesOf(resources)) assert.ok(known.has(reference), `${reference} leads nowhere`)
  const find = (matches: (resource: Read) => boolean, what: string): Read => {
    const found = resources.filter(matches)
    assert.equal(found.length, 1, `${found.length} of ${what}`)
    return found[0]
  }
  return {
    bundle,
    of: (type) => resources.filter(({ resourceType }) => resourceType === type),
    at: (reference) => find(({ resourceType, id }) => `${resourceType}/${id}` === reference, reference),
    list: (title) => find((it) => it.resourceType === 'List' && it.id === undefined && it.title === title, title),
    titles: resources
      .filter(({ resourceType, id }) => resourceType === 'List' && id === undefined)
      .map(({ title }) => title),
  }
}

/** Where the references of a value lead, those to contained resources left out. */
export function referencesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'reference' && typeof inner === 'string' && !inner.startsWith('#') ? [inner] : referencesOf(inner),
  )
}

/** References of the entries of a list, or what stands in their place. */
export function entriesOf(list: Read): string[] {
  return (list.entry ?? []).map(({ item }: Read) => item.reference ?? item.display)
}

/** Values of the extensions whose url ends so. */
export function extensionsOf(resource: Read, name: string): Read[] {
  return (resource.extension ?? []).filter(({ url }: Read) => url.endsWith(name))
}

/** Codes of the warnings of a list. */
export function warningsOf(list: Read): string[] {
  return extensionsOf(list, 'ListWarningCode-1').map(({ valueCode }) => valueCode)
}
