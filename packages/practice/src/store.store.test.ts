import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { manualClock, systemRandom } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { forEachStore } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { isNhsNumber } from '@openspine/standards/nhs'
import { migrations } from './migrations.ts'
import { readPracticeFile } from './record/file.ts'
import { workedExamplePatients as people, workedExample } from './sandbox/worked-example.ts'
import { type PracticeChange, type PracticeStore, practiceStore, withoutContent } from './store.ts'

/** Nobody of the worked example has this number. */
const stranger = '9990100144' as PracticeChange['patients'][number]['nhsNumber']

const clock = manualClock(Date.parse('2026-11-20T10:00:00Z'))

function changes(odsCode = 'A20047', more: object = {}): PracticeChange[] {
  const example = workedExample({ asid: '200000100001', today: '2026-11-20', odsCode })
  return readPracticeFile({
    ...example,
    practices: example.practices.map((practice) => ({ ...practice, ...more })),
  }).practices.map(({ patients, complete, ...practice }) => ({ practice, patients, complete }))
}

forEachStore((open) => {
  // One engine for the suite: opening one takes longer than everything else here.
  let engine: Store | undefined
  let store: PracticeStore
  before(async () => {
    engine = await open()
    await engine.migrate('practice', migrations)
    store = practiceStore(engine, systemRandom, clock)
  })
  after(() => engine?.close())
  beforeEach(async () => {
    for (const table of ['practice', 'service', 'patient', 'document_content'])
      await engine?.pool.query(`delete from practice.${table}`)
  })

  test('keeps practices and patients as they were given', async () => {
    const given = changes()
    await store.write(given)
    const [expected] = given
    assert.ok(expected)
    assert.deepEqual((await store.practice('A20047'))?.practice, expected.practice)
    assert.equal((await store.practice('A20047'))?.version, 1)
    assert.equal(await store.practice('a20047'), undefined)
    assert.equal(await store.count('A20047'), expected.patients.length)
    for (const patient of expected.patients)
      assert.deepEqual((await store.patient('A20047', patient.nhsNumber))?.patient, withoutContent(patient))
    assert.equal(await store.patient('B82617', people.everySection), undefined)
  })

  test('ends a registration with the last day of its period, without anything that runs', async () => {
    await store.write(changes())
    const odsCode = 'A20047'
    const held = await store.patient(odsCode, people.everySection)
    assert.ok(held)
    const registration = { type: 'temporary', period: { start: '2026-11-20', end: '2027-02-19' } } as const
    const written = await store.writeIfUnchanged(odsCode, { ...held.patient, registration }, held.version)
    assert.equal(written?.patient.active, true)
    const isActive = async () => [
      (await store.patient(odsCode, people.everySection))?.patient.active,
      (await store.patientById(odsCode, held.id))?.patient.active,
    ]
    const began = clock.now()
    clock.advance(Date.parse('2027-02-19T23:59:59Z') - began)
    assert.deepEqual(await isActive(), [true, true])
    clock.advance(1000)
    assert.deepEqual(await isActive(), [false, false])
    assert.equal((await store.patient(odsCode, people.everySection))?.version, held.version + 1)
    clock.advance(began - clock.now())
  })

  test('finds a practice by the longest of several roots', async () => {
    await store.write([...changes(), ...changes('B82617', { serviceRoot: '/A20047/DSTU2' })])
    const at = async (...roots: string[]) => (await store.practiceAt(roots))?.practice.odsCode
    assert.equal(await at('/A20047', '/A20047/DSTU2', '/A20047/DSTU2/1', '/A20047/DSTU2/1/Patient'), 'A20047')
    assert.equal(await at('/A20047', '/A20047/DSTU2'), 'B82617')
    assert.equal(await at('/a20047/dstu2/1'), undefined)
    assert.equal(await at(), undefined)
    assert.deepEqual(
      (await store.practices()).map(({ practice }) => practice.odsCode),
      ['A20047', 'B82617'],
    )
  })

  test('keeps ids for ever, and versions until something changes', async () => {
    await store.write(changes())
    const first = await store.patient('A20047', people.everySection)
    await store.write(changes())
    assert.deepEqual(await store.patient('A20047', people.everySection), first)
    const [change] = changes('A20047', { name: 'Testham Group Practice' })
    assert.ok(change)
    const patients = change.patients.map((patient) => ({ ...patient, consent: !patient.consent }))
    await store.write([{ ...change, patients }])
    const later = await store.patient('A20047', people.everySection)
    assert.equal(later?.id, first?.id)
    assert.equal(later?.version, 2)
    assert.equal(later?.patient.consent, false)
    assert.equal((await store.practice('A20047'))?.version, 2)
  })

  test('removes the patients of a complete practice that are not named, and no others', async () => {
    await store.write([...changes(), ...changes('B82617')])
    const [change] = changes()
    assert.ok(change)
    const [one] = change.patients
    assert.ok(one)
    await store.write([{ ...change, patients: [one], complete: false }])
    assert.equal(await store.count('A20047'), change.patients.length)
    await store.write([{ ...change, patients: [one], complete: true }])
    assert.equal(await store.count('A20047'), 1)
    assert.equal(await store.count('B82617'), change.patients.length)
  })

  test('keeps the content of documents apart, and as long as the record names them', async () => {
    const [change] = changes()
    const patient = change?.patients.find(({ nhsNumber }) => nhsNumber === people.everySection)
    assert.ok(change && patient)
    await store.write([change])
    assert.equal(await store.documentOwner('A20047', 'doc-1'), people.everySection)
    assert.match(String(await store.documentContent('A20047', 'doc-1')), /^Dear Dr Mockingham/)
    assert.equal(await store.documentOwner('A20047', 'doc-3'), undefined)
    assert.equal(await store.documentContent('B82617', 'doc-1'), undefined)
    const { version } = (await store.patient('A20047', people.everySection)) ?? {}
    await store.write([change])
    assert.equal((await store.patient('A20047', people.everySection))?.version, version)

    const [first, ...others] = patient.documents
    assert.ok(first)
    const other = { ...first, content: Buffer.from('Dear Dr Samplewick').toString('base64') }
    await store.writePatients('A20047', [{ ...patient, documents: [other] }])
    assert.equal(String(await store.documentContent('A20047', 'doc-1')), 'Dear Dr Samplewick')
    assert.equal(await store.documentContent('A20047', 'doc-2'), undefined)
    assert.notEqual((await store.patient('A20047', people.everySection))?.version, version)

    const stranger = change.patients.find(({ nhsNumber }) => nhsNumber === people.noData)
    assert.ok(stranger)
    await assert.rejects(
      store.writePatients('A20047', [{ ...stranger, documents: [first, ...others] }]),
      (error) => isSpineError(error) && error.code === 'PRACTICE_DOCUMENT_TAKEN',
    )
    assert.equal(String(await store.documentContent('A20047', 'doc-1')), 'Dear Dr Samplewick')

    await store.write([{ ...change, patients: [stranger], complete: true }])
    assert.equal(await store.documentContent('A20047', 'doc-1'), undefined)
  })

  test('writes all of a file or nothing', async () => {
    await store.write(changes())
    const taken = changes('B82617', { serviceRoot: '/A20047/DSTU2/1' })
    await assert.rejects(
      store.write([...changes('C83001'), ...taken]),
      (error) => isSpineError(error) && error.code === 'PRACTICE_ROOT_TAKEN',
    )
    assert.equal(await store.practice('C83001'), undefined)
    assert.equal(await store.count('C83001'), 0)
  })

  test('writes more patients than fit one statement, and text of any kind', async () => {
    const [change] = changes()
    assert.ok(change)
    const [one] = change.patients
    assert.ok(one)
    const [encounter] = one.encounters
    assert.ok(encounter)
    const encounters = [
      { ...encounter, title: "Robert'); drop table", details: 'nul \u0000, half \uD800, \u{1F600}\n' },
    ]
    const numbers = Array.from({ length: 15_000 }, (_, i) => String(9_990_200_000 + i))
      .filter(isNhsNumber)
      .slice(0, 1203)
    assert.equal(numbers.length, 1203)
    await store.write([{ ...change, patients: [] }])
    await store.writePatients(
      'A20047',
      numbers.map((nhsNumber) => ({ ...one, nhsNumber, encounters, documents: [] })),
    )
    assert.equal(await store.count('A20047'), 1203)
    for (const nhsNumber of [numbers[0], numbers[500], numbers[1202]])
      assert.deepEqual((await store.patient('A20047', nhsNumber ?? ''))?.patient.encounters, encounters)
  })

  test('finds a patient by id at its own practice alone', async () => {
    await store.write([...changes(), ...changes('B82617', { serviceRoot: '/B82617/DSTU2/1' })])
    const stored = await store.patient('A20047', people.noData)
    assert.ok(stored)
    assert.deepEqual(await store.patientById('A20047', stored.id), stored)
    assert.equal(await store.patientById('B82617', stored.id), undefined)
    assert.equal(await store.patientById('A20047', stored.id.toUpperCase()), undefined)
  })

  test('writes a patient once, whoever comes first', async () => {
    await store.write(changes())
    const { patient } = (await store.patient('A20047', people.noData)) ?? {}
    assert.ok(patient)
    const visitor = { ...patient, nhsNumber: stranger }
    const tries = await Promise.all(Array.from({ length: 8 }, () => store.writeIfUnchanged('A20047', visitor, 0)))
    const [written, ...more] = tries.filter((one) => one !== undefined)
    assert.deepEqual(more, [])
    assert.equal(written?.version, 1)
    assert.deepEqual(await store.patient('A20047', stranger), written)
    assert.equal(await store.writeIfUnchanged('A20047', patient, 0), undefined)
  })

  test('changes a patient once from every version, and never one that is not there', async () => {
    await store.write(changes())
    const before = await store.patient('A20047', people.inactive)
    assert.ok(before)
    const changed = { ...before.patient, active: true }
    const tries = await Promise.all(
      Array.from({ length: 8 }, () => store.writeIfUnchanged('A20047', changed, before.version)),
    )
    const [written, ...more] = tries.filter((one) => one !== undefined)
    assert.deepEqual(more, [])
    assert.deepEqual(written, { patient: changed, id: before.id, version: before.version + 1 })
    assert.equal(await store.writeIfUnchanged('A20047', { ...changed, nhsNumber: stranger }, 1), undefined)
    assert.equal(await store.patient('A20047', stranger), undefined)
  })

  test('keeps what was written since a file was loaded, until the file says something else or is complete', async () => {
    const [given] = changes()
    assert.ok(given)
    await store.write([given])
    const before = await store.patient('A20047', people.inactive)
    assert.ok(before)
    const written = await store.writeIfUnchanged('A20047', { ...before.patient, active: true }, before.version)
    await store.write([given])
    assert.deepEqual(await store.patient('A20047', people.inactive), written)

    const renamed = given.patients.map((patient) =>
      patient.nhsNumber === people.inactive ? { ...patient, name: { ...patient.name, family: 'Newname' } } : patient,
    )
    await store.write([{ ...given, patients: renamed }])
    const changed = await store.patient('A20047', people.inactive)
    assert.deepEqual([changed?.patient.active, changed?.patient.name.family], [false, 'Newname'])

    await store.writeIfUnchanged('A20047', { ...before.patient, active: true }, changed?.version ?? 0)
    await store.write([{ ...given, patients: renamed, complete: true }])
    assert.equal((await store.patient('A20047', people.inactive))?.patient.active, false)
  })
})
