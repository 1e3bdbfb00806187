import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SwitchableArea } from '../record/areas.ts'
import { readPracticeFile } from '../record/file.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import { now, today } from '../testing/example-answers.ts'
import { testAsid, traceId } from '../testing/requests.ts'
import { entriesOf, type Json } from '../testing/structured.ts'
import { allergies } from './allergies.ts'
import type { Area, AreaResult } from './area.ts'
import { registry } from './areas.ts'
import { structuredRecord } from './bundle.ts'
import { medication } from './medication.ts'

const [practice] = readPracticeFile(workedExample({ asid: testAsid, today })).practices
const patient = practice?.patients[0]
const milk = patient?.allergies.find(({ endDate }) => endDate !== undefined)
const penicillin = 'allergy-penicillin'
const inhaler = 'medication-beclometasone'

const nothing: AreaResult = { resources: [], lists: [], shown: [] }

/** An area whose one row is linked to a resolved and an active allergy, and to a medication. */
const visits: Area = {
  name: 'consultations',
  title: 'Consultations',
  parameter: 'includeVisits',
  since: '1.5',
  parts: [],
  whole: {},
  build(_, context) {
    const [resolved] = context
      .identified('allergies', context.patient.allergies, ({ details, startDate }) => [details, startDate])
      .filter(({ row }) => row.details === milk?.details)
    const linked = context.linked(new Set([penicillin, inhaler, resolved?.id ?? '']), 'consultations', 'consultations')
    return { ...linked, lists: [{ kind: 'consultations', entries: [] }, ...linked.lists] }
  },
}

function build(areas: readonly Area[], options: { disabled?: readonly SwitchableArea[]; linked?: AreaResult } = {}) {
  assert.ok(practice && patient)
  const bundle = structuredRecord(
    {
      held: { practice, version: 1 },
      record: { patient, id: 'p-1', version: 1 },
      at: now,
      version: '1.6.2',
      traceId,
      queries: areas.map((area) => ({ area, query: { asked: [area.whole] } })),
      unserved: [],
      includeSensitive: false,
      disabled: new Set(options.disabled),
    },
    { ...registry, areas: [allergies, medication, visits], linkedProblems: () => options.linked ?? nothing },
  ) as unknown as { entry: { resource: Json }[] }
  const resources = bundle.entry.map(({ resource }) => resource)
  const lists = resources.filter(({ resourceType }) => resourceType === 'List')
  return { resources, lists, list: (title: string) => lists.find((list) => list['title'] === title) }
}

const condition = { resourceType: 'Condition', id: 'c-1', meta: { profile: ['x'] } }

describe('bundle of linked items', () => {
  it('lists them in secondary lists, whose codes are their titles in lower case with hyphens', () => {
    const { list, resources } = build([visits])
    const secondary = list('Consultations - allergies contained in consultations')
    assert.deepEqual(secondary?.['code'], {
      coding: [
        {
          system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/GPConnect-SecondaryListValues-1',
          code: 'consultations-allergies-contained-in-consultations',
          display: 'Consultations - allergies contained in consultations',
        },
      ],
    })
    assert.equal(secondary?.['id'], undefined)
    assert.deepEqual(entriesOf(secondary ?? {}), [`AllergyIntolerance/${penicillin}`])
    assert.deepEqual(entriesOf(list('Consultations - medications contained in consultations') ?? {}), [
      `MedicationStatement/${inhaler}`,
    ])
    assert.equal(resources.filter(({ resourceType }) => resourceType === 'AllergyIntolerance').length, 1)
  })

  it('has resolved allergies contained in both their lists, and nowhere else', () => {
    const { list } = build([visits])
    for (const title of [
      'Ended allergies',
      'Consultations - allergies that have been ended contained in consultations',
    ]) {
      const found = list(title) ?? {}
      const [resolved, ...others] = found['contained'] as Json[]
      assert.equal(others.length, 0)
      assert.deepEqual(entriesOf(found), [`#${resolved?.['id']}`])
    }
  })

  it('leaves out empty secondary lists, and says of a primary one that it is empty', () => {
    const { lists, list } = build([visits])
    assert.ok(list('List of consultations')?.['emptyReason'])
    for (const one of lists) assert.ok(one['entry'] !== undefined || one['title'] === 'List of consultations')
  })

  it('joins lists that two areas have, each item once', () => {
    const { list, resources } = build([allergies, visits])
    assert.equal(entriesOf(list('Ended allergies') ?? {}).length, 1)
    assert.equal((list('Ended allergies') as { contained?: Json[] }).contained?.length, 1)
    const ids = resources.flatMap(({ resourceType, id }) => (id === undefined ? [] : [`${resourceType}/${id}`]))
    assert.equal(new Set(ids).size, ids.length)
  })

  it('says in place of items whose area is switched off that there are some', () => {
    const { list, resources } = build([visits], { disabled: ['medication'] })
    assert.deepEqual(list('Consultations - medications contained in consultations')?.['entry'], [
      { item: { display: 'Medications and medical devices items have been disabled' } },
    ])
    assert.deepEqual(
      resources.filter(({ resourceType }) => resourceType === 'MedicationStatement'),
      [],
    )
  })

  it('lists linked problems once, without those that were asked for', () => {
    const linked: AreaResult = {
      resources: [condition, { ...condition, id: 'c-2' }],
      lists: [{ kind: 'problems', within: 'problems', entries: ['Condition/c-1', 'Condition/c-2'] }],
      shown: [],
    }
    const troubles: Area = {
      ...visits,
      name: 'problems',
      build: () => ({ resources: [condition], lists: [{ kind: 'problems', entries: ['Condition/c-1'] }], shown: [] }),
    }
    const title = 'Problems - linked problems not relating to the primary query'
    assert.deepEqual(entriesOf(build([allergies], { linked }).list(title) ?? {}), ['Condition/c-1', 'Condition/c-2'])
    const both = build([troubles], { linked })
    assert.deepEqual(entriesOf(both.list(title) ?? {}), ['Condition/c-2'])
    assert.deepEqual(entriesOf(both.list('Problems') ?? {}), ['Condition/c-1'])
    assert.equal(both.resources.filter(({ resourceType }) => resourceType === 'Condition').length, 2)
  })

  it('is refused where a reference leads nowhere', () => {
    const lost: Area = {
      ...visits,
      build: () => ({
        ...nothing,
        resources: [Object.assign({ asserter: { reference: 'Practitioner/nobody' } }, condition)],
      }),
    }
    assert.throws(() => build([lost]), /nothing is known of a Practitioner/)
  })
})
