import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { examplePractice, first } from '../../../testing/populations.ts'
import { readPopulation } from '../load.ts'
import type { PopulationSource } from '../population.ts'
import { type Json, mapped, number, patient, snomed, subject } from './mapped-testing.ts'

const file = (content: Json | string, name = 'bundle.json'): PopulationSource => ({
  name,
  text: () => [typeof content === 'string' ? content : JSON.stringify(content)],
})
const bundle = (...resources: readonly Json[]): Json => ({
  resourceType: 'Bundle',
  type: 'collection',
  entry: resources.map((resource) => ({ resource })),
})
const read = (...files: readonly PopulationSource[]) => readPopulation(files, examplePractice, { odsCode: 'A20047' })

describe('FHIR populations', () => {
  for (const [name, resource, area, expected] of mapped)
    test(`reads ${name}`, async () => {
      const { patients, faults, unmapped } = await read(file(bundle(patient, resource)))
      assert.deepEqual([faults, unmapped], [[], {}])
      const rows = first(patients)[area as 'allergies'] as unknown as Json[]
      assert.equal(rows.length, 1)
      for (const [member, value] of Object.entries(expected)) assert.deepEqual(rows[0]?.[member], value, member)
    })

  test('a patient of DSTU2 with a list of family names', async () => {
    const { patients, faults } = await read(
      file({
        ...patient,
        identifier: [{ ...number, system: 'http://fhir.nhs.net/Id/nhs-number' }],
        name: [{ family: ['Testcase'], given: ['Arlo'] }],
      }),
    )
    assert.deepEqual(faults, [])
    assert.equal(first(patients).name.family, 'Testcase')
  })

  test('XML of the version that has the elements, and NDJSON', async () => {
    const allergy = { ...mapped[0]?.[1], patient: { reference: 'Patient/p1' } } as unknown as { resourceType: string }
    const typed = (value: Json) => value as unknown as { resourceType: string }
    for (const text of [
      stu3.toXml(typed(bundle(patient, allergy as unknown as Json))),
      r4.toXml(typed(bundle(patient, mapped[4]?.[1] as Json))),
      [patient, allergy].map((one) => JSON.stringify(one)).join('\n'),
    ]) {
      const { patients, faults } = await read(file(text))
      assert.deepEqual(faults, [])
      assert.equal(first(patients).allergies.length + first(patients).immunisations.length, 1)
    }
  })

  test('references through files, by URN and contained; practitioners join the practice', async () => {
    const practitioner: Json = {
      resourceType: 'Practitioner',
      id: 'dr-9',
      name: [{ family: 'Fixture', given: ['Cleo'] }],
    }
    const role: Json = {
      resourceType: 'PractitionerRole',
      id: 'role',
      practitioner: { reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' },
      code: [{ coding: [{ code: 'R0260', display: 'General Medical Practitioner' }] }],
    }
    const { patients, practice, faults } = await read(
      file(
        {
          resourceType: 'Bundle',
          type: 'collection',
          entry: [
            { fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000001', resource: practitioner },
            { resource: role },
          ],
        },
        'staff.json',
      ),
      file(
        { ...patient, generalPractitioner: [{ reference: 'https://gp.test/Practitioner/dr-9/_history/2' }] },
        'Patient.json',
      ),
      file(
        {
          resourceType: 'MedicationStatement',
          id: 'm',
          status: 'active',
          contained: [{ resourceType: 'Medication', id: 'med', code: { text: 'Aspirin 75mg' } }],
          medicationReference: { reference: '#med' },
          subject,
          dateAsserted: '2024-01-04',
        },
        'MedicationStatement.json',
      ),
    )
    assert.deepEqual(faults, [])
    assert.equal(first(patients).usualGp, 'dr-9')
    assert.equal(first(patients).medications[0]?.item, 'Aspirin 75mg')
    assert.deepEqual(practice.practitioners.at(-1)?.role, { code: 'R0260', display: 'General Medical Practitioner' })
    assert.equal(practice.practitioners.length, examplePractice.practitioners.length + 1)
  })

  test('ids that only their type makes unique, links between rows, a report with its results', async () => {
    const { patients, faults, unmapped, used } = await read(
      file(
        bundle(
          patient,
          {
            resourceType: 'Observation',
            id: '1',
            status: 'final',
            code: { text: 'Wheeze' },
            subject,
            effectiveDateTime: '2024-01-04',
          },
          {
            resourceType: 'Condition',
            id: '1',
            clinicalStatus: 'active',
            code: { text: 'Asthma' },
            subject,
            extension: [
              {
                url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedClinicalContent-1',
                valueReference: { reference: 'Observation/1' },
              },
              {
                url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedClinicalContent-1',
                valueReference: { reference: 'Observation/r1' },
              },
            ],
          },
          {
            resourceType: 'DiagnosticReport',
            id: 'rep',
            status: 'final',
            code: { text: 'Full blood count' },
            subject,
            issued: '2024-01-04T10:00:00Z',
            result: [{ reference: 'Observation/g' }],
          },
          {
            resourceType: 'Observation',
            id: 'g',
            status: 'final',
            code: { text: 'FBC' },
            subject,
            related: [{ type: 'has-member', target: { reference: 'Observation/r1' } }],
          },
          {
            resourceType: 'Observation',
            id: 'r1',
            status: 'final',
            code: { text: 'Haemoglobin' },
            subject,
            valueQuantity: { value: 140, unit: 'g/L' },
          },
          { resourceType: 'Slot', id: 's' },
          {
            resourceType: 'Condition',
            id: 'gone',
            verificationStatus: 'entered-in-error',
            code: { text: 'x' },
            subject,
          },
        ),
      ),
    )
    assert.deepEqual(faults, [])
    assert.deepEqual(unmapped, { Slot: 1, 'Condition (withdrawn)': 1, 'Condition (link to Observation)': 1 })
    assert.equal(used['Observation'], 3)
    const { clinicalItems, problems, investigations } = first(patients)
    assert.deepEqual(
      clinicalItems.map(({ id }) => id),
      ['1'],
    )
    assert.deepEqual([problems[0]?.id, problems[0]?.related], ['Condition-1', ['1']])
    assert.equal(investigations[0]?.groups[0]?.results[0]?.quantity?.value, 140)
  })

  test('a consultation whose topic has items beside its headings, and a row with a label', async () => {
    const encounter = {
      resourceType: 'Encounter',
      id: 'e',
      type: [{ text: 'Surgery' }],
      subject,
      period: { start: '2024-01-04' },
    }
    const item = {
      resourceType: 'Observation',
      id: 'o',
      meta: { security: [{ code: 'NOPAT' }] },
      code: { text: 'Cough' },
      subject,
      effectiveDateTime: '2024-01-04',
    }
    const note = { ...item, id: 'n', meta: {}, code: snomed('37331000000100', 'Comment note'), comment: 'two weeks' }
    const part = (id: string, code: string, title: string, ...entries: readonly string[]): Json => ({
      resourceType: 'List',
      id,
      code: snomed(code, title),
      title,
      subject,
      encounter: { reference: 'Encounter/e' },
      entry: entries.map((reference) => ({ item: { reference } })),
    })
    const { patients, faults, unmapped } = await read(
      file(
        bundle(
          patient,
          encounter,
          item,
          { ...note, context: { reference: 'Encounter/e' } },
          part('c', '325851000000107', 'Surgery', 'List/t'),
          part('t', '25851000000105', 'Chest', 'Observation/n', 'List/h'),
          part('h', '24781000000107', 'Examination', 'Observation/o'),
        ),
      ),
    )
    assert.deepEqual([faults, unmapped], [[], { 'Observation (security label)': 1 }])
    const [consultation] = first(patients).encounters
    assert.deepEqual(consultation?.topics, [
      {
        title: 'Chest',
        problems: [],
        headings: [{ items: [{ text: 'two weeks' }] }, { title: 'Examination', items: [{ item: 'o' }] }],
        items: [],
      },
    ])
    assert.equal(consultation?.details, 'Chest: two weeks\nExamination: Cough')
  })

  test('schedules with their slots; what is not free is not bookable, and what cannot be planned is a fault', async () => {
    const location = { resourceType: 'Location', id: 'site-9', name: 'Branch' }
    const schedule = { resourceType: 'Schedule', id: 's1', actor: [{ reference: 'Location/site-9' }] }
    const slot = (id: string, from: string, to: string, status: string): Json => ({
      resourceType: 'Slot',
      id,
      schedule: { reference: 'Schedule/s1' },
      status,
      start: `2027-01-04T${from}:00Z`,
      end: `2027-01-04T${to}:00Z`,
    })
    const slots = [slot('a', '09:00', '09:10', 'free'), slot('b', '09:10', '09:20', 'busy')]
    const { practice, faults, unmapped } = await read(file(bundle(location, schedule, ...slots)))
    assert.deepEqual([faults, unmapped], [[], {}])
    assert.deepEqual(practice.schedules.at(-1)?.slots, [
      { start: '2027-01-04T09:00:00Z', minutes: 10 },
      { start: '2027-01-04T09:10:00Z', minutes: 10, bookable: false },
    ])
    const wrong = await read(file(bundle(location, schedule, slot('a', '09:10', '09:00', 'free'))))
    assert.deepEqual(
      wrong.faults.map(({ path }) => path),
      ['Bundle.entry[1].resource.slots[0].minutes'],
    )
    assert.deepEqual((await read(file(bundle(schedule, ...slots)))).unmapped, { Schedule: 1, Slot: 2 })
  })

  test('appointments of a schedule and a patient; the slots that they take are free without them', async () => {
    const location = { resourceType: 'Location', id: 'site-9', name: 'Branch' }
    const schedule = { resourceType: 'Schedule', id: 's1', actor: [{ reference: 'Location/site-9' }] }
    const slot = (id: string, minute: string): Json => ({
      resourceType: 'Slot',
      id,
      schedule: { reference: 'Schedule/s1' },
      status: 'busy',
      start: `2027-01-04T09:${minute}0:00Z`,
      end: `2027-01-04T09:${minute}9:00Z`,
    })
    const appointment = (id: string, more: Json): Json => ({
      resourceType: 'Appointment',
      id,
      status: 'booked',
      slot: [{ reference: 'Slot/a' }],
      description: 'Review',
      participant: [{ actor: { reference: 'Patient/p1' } }, { actor: { reference: 'Location/site-9' } }],
      ...more,
    })
    const books = [patient, location, schedule, slot('a', '0'), slot('b', '1')]
    const booking = {
      contained: [
        {
          resourceType: 'Organization',
          id: '1',
          name: 'Invented Trust',
          identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
        },
      ],
      extension: [
        {
          url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-BookingOrganisation-1',
          valueReference: { reference: '#1' },
        },
      ],
    }
    const cancelled = { status: 'cancelled', slot: [{ reference: 'Slot/b' }] }
    const found = await read(file(bundle(...books, appointment('x', booking), appointment('y', cancelled))))
    assert.deepEqual([found.faults, found.unmapped], [[], {}])
    assert.equal(found.used['Appointment'], 2)
    assert.deepEqual(
      found.practice.schedules.at(-1)?.slots.map(({ bookable }) => bookable),
      [undefined, false],
    )
    assert.deepEqual(found.appointments[0], {
      id: 'x',
      nhsNumber: '9990548609',
      status: 'booked',
      schedule: 's1',
      starts: [Date.parse('2027-01-04T09:00:00Z')],
      description: 'Review',
      bookedBy: { name: 'Invented Trust', odsCode: 'X26', telecom: [] },
    })
    assert.equal(found.appointments[1]?.status, 'cancelled')

    for (const [more, path] of [
      [{ participant: [] }, 'participant'],
      [{ description: 'x'.repeat(101) }, 'description'],
    ] as const)
      assert.deepEqual(
        (await read(file(bundle(...books, appointment('x', more))))).faults.map((fault) => fault.path),
        [`Bundle.entry[5].resource.${path}`],
      )
    const twice = await read(file(bundle(...books, appointment('x', {}), appointment('y', {}))))
    assert.match(twice.faults[0]?.problem ?? '', /same slot/)
    for (const more of [{ slot: [] }, { status: 'proposed' }, { slot: [{ reference: 'Slot/other' }] }])
      assert.deepEqual((await read(file(bundle(...books, appointment('x', more))))).unmapped, { Appointment: 1 })
  })

  const faulty: readonly (readonly [string, Json | string, string | undefined])[] = [
    ['a patient without a number', bundle({ ...patient, identifier: [] }), 'Bundle.entry[0].resource.identifier'],
    [
      'a wrong number',
      bundle({ ...patient, identifier: [{ ...number, value: '9990548608' }] }),
      'Bundle.entry[0].resource.identifier',
    ],
    ['a day that is none', { ...patient, birthDate: '1981-02-29' }, 'Patient.birthDate'],
    ['no family name', { ...patient, name: [] }, 'Patient.name.family'],
    ['a row of nobody', bundle({ resourceType: 'Condition', id: 'c', subject }), 'Bundle.entry[0].resource.subject'],
    [
      'a row that the record refuses',
      bundle(patient, { resourceType: 'Condition', id: 'c', subject }),
      'Bundle.entry[1].resource.entry',
    ],
    ['an entry without a resource', { resourceType: 'Bundle', entry: [{}] }, 'Bundle.entry[0]'],
    ['entries that are no list', { resourceType: 'Bundle', entry: 'x' }, 'Bundle.entry'],
    ['what is no resource', { hello: 'Testcase' }, 'document'],
    ['no JSON', '{"resourceType":', undefined],
    ['no FHIR in XML', '<Patient><name/></Patient>', undefined],
    ['nothing', ' ', undefined],
  ]
  for (const [name, content, path] of faulty)
    test(`names ${name} by its path, without the value`, async () => {
      const { faults } = await read(file(content))
      assert.equal(faults.length, 1, JSON.stringify(faults))
      assert.equal(faults[0]?.path, path)
      assert.equal(faults[0]?.source, 'bundle.json')
      assert.ok(!/9990548608|Testcase|1981/.test(JSON.stringify(faults)), JSON.stringify(faults))
    })

  test('one patient in several bundles, as long as they say the same', async () => {
    const allergy = mapped[0]?.[1] as Json
    const again = await read(file(bundle(patient, allergy), 'a.json'), file(bundle(patient, allergy), 'b.json'))
    assert.deepEqual([again.faults, first(again.patients).allergies.length], [[], 1])
    const other = await read(
      file(bundle(patient, allergy), 'a.json'),
      file(bundle({ ...patient, gender: 'female' }, { ...allergy, onsetDateTime: '1999' }), 'b.json'),
    )
    assert.deepEqual(
      other.faults.map(({ source, path }) => [source, path]),
      [
        ['b.json', 'Bundle.entry[0].resource'],
        ['b.json', 'Bundle.entry[1].resource'],
      ],
    )
  })
})
