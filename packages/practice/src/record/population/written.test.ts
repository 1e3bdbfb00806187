/** Populations in a store: all or nothing, the same again, and what is removed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
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
    odsCode,
    written: true,
    patients: 2,
    resources: { patients: 2 },
    unmapped: {},
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
