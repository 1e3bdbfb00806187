/** Populations of several practices: whose patients, people, places and books go where. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { examplePractice } from '../../testing/populations.ts'
import { readPractice } from '../file.ts'
import type { PracticeRecord } from '../model.ts'
import { readPopulation } from './load.ts'
import type { PopulationSource } from './population.ts'

type Json = Record<string, unknown>

const practice = (odsCode: string): PracticeRecord =>
  readPractice({
    ...examplePractice,
    odsCode,
    practitioners: [],
    locations: [],
    schedules: [],
    healthcareServices: [],
    mainLocation: undefined,
  })
const practices = new Map(['A20047', 'B82617'].map((odsCode) => [odsCode, practice(odsCode)]))
const read = (...sources: readonly PopulationSource[]) =>
  readPopulation(sources, { practiceOf: async (odsCode) => practices.get(odsCode) })

const ods = (value: string) => ({ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value })
const bundle = (...resources: readonly Json[]): PopulationSource => ({
  name: 'bundle.json',
  text: () => [
    JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) }),
  ],
})
const organisation = (id: string, odsCode: string): Json => ({
  resourceType: 'Organization',
  id,
  name: `Practice ${odsCode}`,
  identifier: [ods(odsCode)],
})
const patient = (id: string, nhsNumber: string, more: Json): Json => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }],
  name: [{ family: 'Testcase' }],
  gender: 'female',
  birthDate: '1980-02-29',
  ...more,
})
const practitioner = (id: string): Json => ({ resourceType: 'Practitioner', id, name: [{ family: `Doctor ${id}` }] })
const ids = (all: readonly { readonly id: string }[] = []) => all.map(({ id }) => id).sort()

const one = organisation('o1', 'A20047')
const two = organisation('o2', 'B82617')
const hers = patient('p1', '9990548609', { managingOrganization: { reference: 'Organization/o1' } })
const his = patient('p2', '9990100004', { managingOrganization: { reference: 'Organization/o2' } })

describe('populations of several practices', () => {
  test('practitioners by their roles, and by the records that name them', async () => {
    const role: Json = {
      resourceType: 'PractitionerRole',
      id: 'r',
      practitioner: { reference: 'Practitioner/d1' },
      organization: { reference: 'Organization/o1' },
    }
    const allergy: Json = {
      resourceType: 'AllergyIntolerance',
      id: 'a',
      patient: { reference: 'Patient/p2' },
      code: { text: 'Pollen' },
      recorder: { reference: 'Practitioner/d2' },
    }
    const doctors = ['d1', 'd2', 'd3'].map(practitioner)
    const {
      practices: got,
      faults,
      unmapped,
      leftOut,
    } = await read(bundle(one, two, hers, his, role, allergy, ...doctors))
    assert.deepEqual(faults, [])
    assert.deepEqual(
      got.map(({ practice: { odsCode, practitioners }, patients }) => [
        odsCode,
        patients.map(({ nhsNumber }) => nhsNumber),
        ids(practitioners),
      ]),
      [
        ['A20047', ['9990548609'], ['d1']],
        ['B82617', ['9990100004'], ['d2']],
      ],
    )
    assert.ok(got.every(({ patients }) => patients.every(({ registeredAt }) => registeredAt === undefined)))
    assert.deepEqual(unmapped, { 'Practitioner (of no practice)': 1 })
    assert.equal(leftOut[0]?.path, 'Bundle.entry[8].resource')
  })

  test('schedules by their locations, and locations with what they are parts of', async () => {
    const location = (id: string, more: Json): Json => ({ resourceType: 'Location', id, name: `Site ${id}`, ...more })
    const schedule = (id: string, at: string): Json => ({
      resourceType: 'Schedule',
      id,
      actor: [{ reference: `Location/${at}` }],
    })
    const { practices: got, faults } = await read(
      bundle(
        one,
        two,
        hers,
        his,
        location('main', {}),
        location('branch', {
          managingOrganization: { reference: 'Organization/o2' },
          partOf: { reference: 'Location/main' },
        }),
        schedule('s1', 'branch'),
      ),
    )
    assert.deepEqual(faults, [])
    assert.deepEqual(
      got.map(({ practice: { locations, schedules } }) => [ids(locations), ids(schedules)]),
      [
        [[], []],
        [['branch', 'main'], ['s1']],
      ],
    )
    const at = (clock: string) => `2027-01-04T${clock}:00Z`
    const slot = { resourceType: 'Slot', id: 'x', schedule: { reference: 'Schedule/s1' }, status: 'busy' }
    const visit = {
      resourceType: 'Appointment',
      id: 'b',
      status: 'booked',
      slot: [{ reference: 'Slot/x' }],
      participant: [{ actor: { reference: 'Patient/p1' } }],
    }
    const branch = location('branch', { managingOrganization: { reference: 'Organization/o2' } })
    const books = [branch, schedule('s1', 'branch'), { ...slot, start: at('09:00'), end: at('09:10') }, visit]
    const elsewhere = await read(bundle(one, two, hers, his, ...books))
    assert.deepEqual([elsewhere.faults, elsewhere.unmapped], [[], { 'Appointment (elsewhere)': 1 }])
    const nobodys = await read(bundle(one, two, hers, his, location('main', {}), schedule('s1', 'main')))
    assert.match(nobodys.faults[0]?.problem ?? '', /^no practice has its location/)
  })

  test('the practice of a patient: who manages the record, the practice by its code alone, or nobody', async () => {
    const byCode = patient('p3', '9990100012', {
      generalPractitioner: [{ type: 'Organization', identifier: ods('B82617') }],
    })
    const elsewhere = patient('p4', '9990100020', {
      managingOrganization: { reference: 'Organization/o1' },
      generalPractitioner: [{ type: 'Organization', identifier: ods('C81001') }],
    })
    const nobodys = patient('p5', '9990100039', {})
    const { practices: got, faults } = await read(bundle(one, byCode, elsewhere, nobodys))
    assert.deepEqual(
      got.map(({ practice: { odsCode }, patients }) => [odsCode, patients.map(({ registeredAt }) => registeredAt)]),
      [
        ['A20047', ['C81001']],
        ['B82617', [undefined]],
      ],
    )
    assert.deepEqual(
      faults.map(({ path, problem }) => [path, problem.split(';')[0]]),
      [['Bundle.entry[3].resource', 'names no practice']],
    )
  })

  test('names what must be made before, with its name where a source has it', async () => {
    const three = organisation('o3', 'C81001')
    const theirs = patient('p3', '9990100012', { managingOrganization: { reference: 'Organization/o3' } })
    const { practices: got, missing, faults } = await read(bundle(one, three, hers, theirs))
    assert.deepEqual(missing, [{ odsCode: 'C81001', name: 'Practice C81001', patients: 1 }])
    assert.deepEqual([got.length, faults.length, faults[0]?.path], [1, 1, 'Bundle.entry[3].resource'])
  })
})
