/** Populations in a store: all or nothing, the same again, and what is removed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
import { appointmentResource } from '../../appointments/resources.ts'
import { appointmentStore } from '../../appointments/store.ts'
import { type PopulationSource, practice, practiceConfig, workedExample } from '../../service.ts'
import { practiceStore } from '../../store.ts'

let platform: TestPlatform
let service: ReturnType<typeof practice>

before(async () => {
  platform = await testPlatform()
  service = practice({ platform, config: practiceConfig.parse({ port: 0 }) })
  await platform.store.migrate('practice', service.migrations ?? {})
  const example = workedExample({ asid: '200000100001', today: '2026-11-20' })
  await service.contract.load({ ...example, practices: example.practices.map((one) => ({ ...one, patients: [] })) })
})
after(() => platform?.close())

const file = (name: string, text: string): PopulationSource => ({ name, text: () => [text] })
const header = 'nhsNumber,family,birthDate\n'
const two = file('patients.csv', `${header}9990548609,Testcase,1980-02-29\n9990100004,Sample,1990-01-01\n`)
const store = () => practiceStore(platform.store, platform.random, platform.clock)
const versions = async () =>
  Promise.all(
    ['9990548609', '9990100004', '9990100012'].map(async (one) => (await store().patient('A20047', one))?.version),
  )

test('a population is checked, written once, and the same again changes nothing', async () => {
  const load = service.contract.loadPopulation
  const odsCode = 'A20047'
  assert.equal((await load([two], { odsCode, dryRun: true })).written, false)
  assert.deepEqual(await versions(), [undefined, undefined, undefined])
  const report = await load([two], { odsCode })
  assert.deepEqual(report, {
    practices: [{ odsCode, patients: 2 }],
    missingPractices: [],
    written: true,
    patients: 2,
    resources: { patients: 2 },
    unmapped: {},
    leftOut: [],
    faults: [],
    faultCount: 0,
  })
  for (const complete of [false, true]) await load([two], { odsCode, complete })
  assert.deepEqual(await versions(), [1, 1, undefined])

  const faulty = file('patients.csv', `${header}9990100012,Other,1990-01-01\n9990100013,Wrong,1990-01-01\n`)
  const refused = await load([faulty], { odsCode })
  assert.deepEqual([refused.written, refused.faultCount], [false, 1])
  assert.equal((await load([faulty], { odsCode, complete: true, keepGoing: true })).written, false)
  assert.deepEqual(await versions(), [1, 1, undefined])
  assert.equal((await load([faulty], { odsCode, keepGoing: true })).written, true)
  assert.deepEqual(await versions(), [1, 1, 1])

  const one = file('patients.csv', `${header}9990548609,Changed,1980-02-29\n`)
  await load([one], { odsCode, complete: true })
  assert.deepEqual(await versions(), [2, undefined, undefined])
})

test('practitioners of a population join the practice; thousands of patients are one load', async () => {
  const bundle = {
    resourceType: 'Bundle',
    entry: [{ resource: { resourceType: 'Practitioner', id: 'dr-9', name: [{ family: 'Fixture' }] } }],
  }
  const lines = Array.from({ length: 1200 }, (_, i) => numbered(i)).filter((one) => one !== undefined)
  const many = file('patients.csv', `nhsNumber,family,birthDate,usualGp\n${lines.join('\n')}\n`)
  const progress: number[] = []
  const report = await service.contract.loadPopulation([many, file('staff.json', JSON.stringify(bundle))], {
    odsCode: 'A20047',
    progress: (done) => progress.push(done),
  })
  assert.deepEqual([report.written, report.patients, progress.at(-1)], [true, lines.length, lines.length])
  const held = (await store().practice('A20047'))?.practice.practitioners.map(({ id }) => id)
  assert.deepEqual(held, ['gp-1', 'gp-2', 'dr-9'])
})

test('appointments are in the books once, whatever was made of them since', async () => {
  const at = (resource: object) => ({ resource })
  const books = {
    resourceType: 'Bundle',
    entry: [
      at({
        resourceType: 'Patient',
        id: 'p',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' }],
        name: [{ family: 'Testcase' }],
        birthDate: '1980-02-29',
      }),
      at({ resourceType: 'Location', id: 'site-9', name: 'Branch' }),
      at({ resourceType: 'Schedule', id: 's1', actor: [{ reference: 'Location/site-9' }] }),
      ...[0, 1].map((i) =>
        at({
          resourceType: 'Slot',
          id: `slot-${i}`,
          schedule: { reference: 'Schedule/s1' },
          status: 'busy',
          start: `2027-01-04T09:${i}0:00Z`,
          end: `2027-01-04T09:${i + 1}0:00Z`,
        }),
      ),
      at({
        resourceType: 'Appointment',
        id: 'appointment-1',
        status: 'booked',
        slot: [{ reference: 'Slot/slot-0' }, { reference: 'Slot/slot-1' }],
        description: 'Review',
        participant: [{ actor: { reference: 'Patient/p' } }],
      }),
    ],
  }
  const odsCode = 'A20047'
  const load = () => service.contract.loadPopulation([file('books.json', JSON.stringify(books))], { odsCode })
  const appointments = appointmentStore(platform.store)
  const [from, to] = [Date.parse('2027-01-04T00:00:00Z'), Date.parse('2027-01-05T00:00:00Z')]
  const free = async () =>
    (await appointments.freeSlots(odsCode, from, to)).filter(({ schedule }) => schedule === 's1').length
  assert.deepEqual((await load()).faults, [])
  const held = await appointments.appointment(odsCode, 'appointment-1')
  assert.ok(held)
  assert.deepEqual(
    [held.status, held.start, held.end],
    ['booked', Date.parse('2027-01-04T09:00:00Z'), held.start + 1_200_000],
  )
  const patient = await store().patient(odsCode, '9990548609')
  assert.equal(held.facts.patient, patient?.id)
  assert.deepEqual(
    (await appointments.slots(odsCode, held.facts.slots)).map(({ status }) => status),
    ['busy', 'busy'],
  )
  assert.equal((await appointments.ofPatient(odsCode, patient?.id ?? '', from, to)).length, 1)
  const resource = appointmentResource(held)
  assert.deepEqual(stu3.check(resource), [])
  assert.equal(await free(), 0)

  await load()
  assert.deepEqual(await appointments.appointment(odsCode, 'appointment-1'), held)
  assert.ok(await appointments.change(odsCode, held, { status: 'cancelled', facts: held.facts }))
  assert.equal(await free(), 2)
  await load()
  assert.equal((await appointments.appointment(odsCode, 'appointment-1'))?.status, 'cancelled')

  // Somebody else has the slots by now: nothing of the load is written.
  const slots = await appointments.slots(odsCode, held.facts.slots)
  const other = { id: 'appointment-2', start: held.start, end: held.end, facts: held.facts }
  assert.ok(await appointments.book(odsCode, other, slots))
  const again = JSON.stringify(books).replace('appointment-1', 'appointment-3').replace('Testcase', 'Changed')
  await assert.rejects(
    service.contract.loadPopulation([file('books.json', again)], { odsCode }),
    (error) => isSpineError(error) && error.code === 'PRACTICE_SLOT_TAKEN',
  )
  assert.equal((await store().patient(odsCode, '9990548609'))?.patient.name.family, 'Testcase')
})

test('each patient goes to the practice that the file names', async () => {
  const example = workedExample({ asid: '200000100002', today: '2026-11-20' })
  const other = example.practices.map((one) => ({
    ...one,
    odsCode: 'B82617',
    patients: [],
    serviceRoot: '/B82617/DSTU2/1',
    services: [],
  }))
  await service.contract.load({ ...example, practices: other })
  const rows = ['9990100020,Here,1990-01-01,A20047', '9990100039,There,1990-01-01,b82617']
  const named = (...more: readonly string[]) =>
    file('patients.csv', ['nhsNumber,family,birthDate,practice', ...rows, ...more].join('\n'))
  const refused = await service.contract.loadPopulation([named('9990100047,Nowhere,1990-01-01,C81001')], {})
  assert.equal(refused.written, false)
  assert.deepEqual(refused.missingPractices, [{ odsCode: 'C81001', patients: 1 }])
  assert.deepEqual(refused.faults, [
    {
      source: 'patients.csv',
      line: 4,
      problem: 'there is no practice C81001 (1 patients): load a practice file that makes it',
    },
  ])
  assert.equal(await store().patient('B82617', '9990100039'), undefined)

  const report = await service.contract.loadPopulation([named()], {})
  assert.equal(report.written, true)
  assert.deepEqual(report.practices, [
    { odsCode: 'A20047', patients: 1 },
    { odsCode: 'B82617', patients: 1 },
  ])
  assert.ok(await store().patient('A20047', '9990100020'))
  assert.ok(await store().patient('B82617', '9990100039'))
  assert.equal(await store().patient('A20047', '9990100039'), undefined)
})

test('a practice that is not there is named', async () => {
  await assert.rejects(
    service.contract.loadPopulation([two], { odsCode: 'ZZ9' }),
    (error) => isSpineError(error) && error.code === 'PRACTICE_UNKNOWN',
  )
})

/** A row of an invented patient from the 999 range. */
function numbered(i: number): string | undefined {
  const nine = `9992${String(i).padStart(5, '0')}`
  const digit = nhsNumberCheckDigit(nine)
  return digit === undefined ? undefined : `${nine}${digit},Testcase,1980-02-29,dr-9`
}
