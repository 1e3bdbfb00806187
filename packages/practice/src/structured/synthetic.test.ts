import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import fc from 'fast-check'
import { readPracticeFile } from '../record/file.ts'
import type { PatientInput } from '../record/model.ts'
import { syntheticRecord } from '../sandbox/synthetic.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import { now, today } from '../testing/example-answers.ts'
import { testAsid } from '../testing/requests.ts'
import { assertClosed, entriesOf, type Json } from '../testing/structured.ts'
import { areas, registry } from './areas.ts'
import { structuredRecord } from './bundle.ts'

const practice = workedExample({ asid: testAsid, today }).practices[0]

/** Of any text, also with characters that XML has no way to write. */
const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
const day = fc
  .integer({ min: 0, max: 40_000 })
  .map((days) => new Date(now - days * 86_400_000).toISOString().slice(0, 10))
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const gp = fc.constantFrom('gp-1', 'gp-2')

/** Rows with and without what may be left out, in whatever order of dates. */
const rows = fc.record({
  allergies: fc.array(
    fc.record(
      {
        details: words,
        startDate: day,
        endDate: day,
        recordedDate: day,
        recordedBy: gp,
        assertedBy: gp,
        lifeThreatening: fc.boolean(),
        category: fc.constantFrom('medication' as const, 'environment' as const),
        reaction: fc.constantFrom({}, { severity: 'mild' as const }),
        confidential: fc.boolean(),
      },
      { requiredKeys: ['details'] },
    ),
    { maxLength: 6 },
  ),
  medications: fc.array(
    fc.record(
      {
        type: fc.constantFrom('acute' as const, 'repeat' as const, 'repeat-dispense' as const),
        item: words,
        dosage: words,
        quantity: words,
        recordedDate: day,
        startDate: day,
        scheduledEndDate: day,
        expiryDate: day,
        daysDuration: fc.integer({ min: 0, max: 100 }),
        maxIssues: fc.integer({ min: 0, max: 12 }),
        prescriber: gp,
        elsewhere: fc.constant({}),
        ended: fc.record({
          date: day,
          by: fc.constantFrom('clinician' as const, 'expiry' as const),
          reason: maybe(words),
        }),
        information: fc.array(words, { maxLength: 2 }),
        issues: fc.array(fc.record({ date: day }), { maxLength: 4 }),
        confidential: fc.boolean(),
      },
      { requiredKeys: ['type', 'item', 'dosage', 'recordedDate'] },
    ),
    { maxLength: 6 },
  ),
})

function bundleOf(patient: PatientInput, includeSensitive = true) {
  assert.ok(practice)
  const [read] = readPracticeFile({
    format: 'openspine-practice-1',
    practices: [{ ...practice, patients: [patient] }],
  }).practices
  const [held] = read?.patients ?? []
  assert.ok(read && held)
  const resource = structuredRecord(
    {
      held: { practice: read, version: 1 },
      record: { patient: held, id: 'p-1', version: 1 },
      at: now,
      version: '1.6.2',
      traceId: '09a01679-2564-0fb4-5129-aecc81ea2706',
      queries: areas.map((area) => ({ area, query: { asked: [area.whole] } })),
      unserved: [],
      includeSensitive,
      disabled: new Set(),
    },
    registry,
  ) as unknown as Json
  // What is written can be read: nothing is in it that a format cannot carry.
  const raw = stu3.read('xml', stu3.write('xml', resource as never)) as unknown as Json
  const resources = (raw['entry'] as { resource: Json }[]).map((entry) => entry.resource)
  return {
    held,
    raw,
    resources,
    of: (type: string) => resources.filter((one) => one['resourceType'] === type),
    list: (title: string) => resources.find((one) => one['title'] === title) ?? {},
  }
}

function assertCounted(bundle: ReturnType<typeof bundleOf>): void {
  assertClosed(bundle)
  assert.equal(
    entriesOf(bundle.list('Medications and medical devices')).length,
    bundle.of('MedicationStatement').length,
  )
  assert.equal(entriesOf(bundle.list('Allergies and adverse reactions')).length, bundle.of('AllergyIntolerance').length)
  for (const { effectivePeriod } of bundle.of('MedicationStatement')) {
    const { start, end } = effectivePeriod as { start: string; end?: string }
    assert.ok(end === undefined || start <= end)
  }
}

describe('bundles of synthetic records', () => {
  it('are valid and closed, and have every row', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1920, max: 2026 }), (seed, year) => {
        const person = { nhsNumber: '9990100004', family: 'Quietwell', given: ['Dora'], gender: 'female' } as const
        const record = syntheticRecord({ ...person, birthDate: `${year}-03-14`, usualGp: 'gp-1' }, seed, today)
        const bundle = bundleOf(record)
        assertCounted(bundle)
        assert.equal(bundle.of('MedicationStatement').length, bundle.held.medications.length)
        assert.equal(bundle.of('AllergyIntolerance').length, bundle.held.allergies.length)
      }),
      { numRuns: 40 },
    )
  })

  it('are valid and closed for any rows that a file may have', () => {
    const person = {
      nhsNumber: '9990100004',
      name: { family: 'Quietwell' },
      gender: 'female',
      birthDate: '1955-05-14',
    } as const
    fc.assert(
      fc.property(rows, fc.boolean(), (given, includeSensitive) => {
        const bundle = bundleOf({ ...person, ...JSON.parse(JSON.stringify(given)) } as PatientInput, includeSensitive)
        assertCounted(bundle)
        if (includeSensitive) assert.equal(bundle.of('MedicationStatement').length, bundle.held.medications.length)
        else
          assert.equal(
            bundle.of('MedicationStatement').length,
            bundle.held.medications.filter(({ confidential }) => confidential !== true).length,
          )
      }),
      { numRuns: 80 },
    )
  })
})
