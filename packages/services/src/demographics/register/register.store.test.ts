import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { forEachStore } from '@openspine/platform/testing'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { isNhsNumber } from '@openspine/standards/nhs'
import { eventMessage } from '../events/message.ts'
import { migrations } from '../migrations.ts'
import { outcomes } from '../outcomes.ts'
import { items, type Json, storedPerson } from '../person.ts'
import { birth } from './birth.ts'
import { create } from './create.ts'
import { numberSource } from './numbers.ts'
import { answer, author, type BirthOptions, birthBundle, newPatient, registerParts } from './register.test-kit.ts'
import type { Registered, RegisterParts } from './register.ts'

const request = (id: string = randomUUID()) => ({ caller: 'app', id })
const named = (family: string, given: string, more: Json = {}) =>
  newPatient({ name: [{ use: 'usual', given: [given], family }], ...more })
const creation = (value: Json, id?: string) => ({ value, author, request: request(id), answer })
const born = (options: BirthOptions, ignorePotentialMatches = false, id?: string) => ({
  ...creation(birthBundle(options), id),
  ignorePotentialMatches,
})

const numberOf = (registered: Registered): string => {
  assert.ok('answer' in registered, JSON.stringify(registered))
  return registered.answer.shown ?? ''
}
const matchedOf = (registered: Registered): readonly string[] => ('matched' in registered ? registered.matched : [])

forEachStore((open) => {
  let store: Store
  let here: RegisterParts
  /** Another process on the same store. */
  let there: RegisterParts
  before(async () => {
    store = await open()
    await store.migrate('demographics', migrations)
  })
  after(() => store.close())
  beforeEach(async () => {
    for (const table of ['person', 'name_key', 'address_key', 'telecom_key', 'change', 'request', 'outbox', 'birth'])
      await store.pool.query(`delete from demographics.${table}`)
    here = registerParts(store)
    there = registerParts(store)
  })
  const people = async () => here.people.count()
  const spread = <Item>(items: readonly Item[], work: (parts: RegisterParts, item: Item) => Promise<Registered>) =>
    Promise.all(items.map((item, index) => work(index % 2 === 0 ? here : there, item)))

  describe('at once', () => {
    test('one X-Request-ID twenty times gives one person and one answer, in both processes', async () => {
      const id = randomUUID()
      const answers = await spread(Array.from({ length: 20 }), (parts) => create(parts, creation(newPatient(), id)))
      assert.equal(new Set(answers.map(numberOf)).size, 1)
      assert.equal(new Set(answers.map((given) => JSON.stringify(given))).size, 1)
      assert.equal(await people(), 1)
    })

    test('forty new people get forty numbers, each of them valid', async () => {
      const values = Array.from({ length: 40 }, (_, index) =>
        named('ToRemove', `Given${'abcdefgh'[index % 8]}${'xyvwz'[Math.floor(index / 8)]}`),
      )
      const numbers = (await spread(values, (parts, value) => create(parts, creation(value)))).map(numberOf)
      assert.equal(new Set(numbers).size, 40)
      for (const number of numbers) assert.ok(isNhsNumber(number) && number.startsWith('9999'), number)
      assert.equal(await people(), 40)
    })

    test('one person who is sent twenty times is registered once; the others are told of the match', async () => {
      const answers = await spread(Array.from({ length: 20 }), (parts) => create(parts, creation(newPatient())))
      const registered = answers.filter((given) => 'answer' in given)
      assert.equal(registered.length, 1)
      const number = numberOf(registered[0] as Registered)
      for (const given of answers) if (!('answer' in given)) assert.deepEqual(given.matched, [number])
      assert.equal(await people(), 1)
    })
  })

  describe('numbers', () => {
    test('go on after a restart, pass over those that are taken, and are never given again', async () => {
      await here.people.insert([
        storedPerson({ nhsNumber: '9991000016', patient: { gender: 'male' } }),
        storedPerson({ nhsNumber: '9991000024', patient: { gender: 'male' } }),
      ])
      const range = { from: 999_100_000, to: 999_100_060 }
      const given: string[] = []
      for (let process = 0; process < 2; process++) {
        const { people, changes } = registerParts(store)
        const next = numberSource({ people, changes, range })
        given.push(...(await Promise.all([next(), next(), next()])))
      }
      assert.equal(new Set(given).size, 6)
      for (const number of given) assert.ok(isNhsNumber(number) && number.startsWith('9991000'), number)
      assert.ok(!given.includes('9991000016') && !given.includes('9991000024'))
    })

    test('end where the range does', async () => {
      const { people, changes } = registerParts(store)
      const next = numberSource({ people, changes, range: { from: 999_200_000, to: 999_200_003 } })
      const some = await Promise.allSettled([next(), next(), next(), next(), next()])
      assert.ok(some.filter(({ status }) => status === 'fulfilled').length >= 3)
      assert.equal(some.at(-1)?.status, 'rejected')
      await assert.rejects(next(), { outcome: outcomes.serviceUnavailable })
    })
  })

  describe('a new record', () => {
    test('matches one, several or nobody, by name, gender, date and postcode', async () => {
      const first = numberOf(await create(here, creation(newPatient())))
      assert.deepEqual(matchedOf(await create(here, creation(newPatient()))), [first])
      // Case, accents and spaces of the postcode do not make another person; the prefix is not looked at.
      const alike = named('TOREMOVE', 'Óttilie', {
        address: [{ use: 'home', period: { start: '2021-01-01' }, line: ['1', '', '', 'X'], postalCode: 'zz993cz' }],
      })
      assert.deepEqual(matchedOf(await create(here, creation(alike))), [first])
      for (const other of [
        { gender: 'unknown' },
        { birthDate: '1984-07-02' },
        { name: [{ use: 'usual', given: ['Other'], family: 'ToRemove' }] },
        { address: [{ use: 'home', period: { start: '2021-01-01' }, line: [], postalCode: 'ZZ99 4DA' }] },
      ])
        assert.ok('answer' in (await create(here, creation(newPatient(other)))), JSON.stringify(other))
      await here.people.insert([storedPerson({ nhsNumber: '9990548609', patient: { ...newPatient(), extension: [] } })])
      assert.equal(matchedOf(await create(here, creation(newPatient()))).length, 2)
    })

    test('a restricted person is matched without the place, and a merged or invalid one never', async () => {
      const { extension, address, ...patient } = newPatient()
      await here.people.insert([
        storedPerson({ nhsNumber: '9990548838', sensitivity: 'R', patient: { ...patient, address: [] } }),
        storedPerson({ nhsNumber: '9990548889', status: 'invalidated', patient: { ...patient, address } }),
      ])
      assert.deepEqual(matchedOf(await create(here, creation(newPatient()))), ['9990548838'])
    })

    test('has version 1, ids made here, and history; what is not kept is not there', async () => {
      const number = numberOf(
        await create(here, creation(newPatient({ name: [{ id: 'mine', use: 'usual', given: ['A'], family: 'B' }] }))),
      )
      const person = await here.people.find(number)
      const patient = JSON.parse(person?.document ?? '{}')
      assert.equal(person?.version, 1)
      assert.match(patient.name[0].id, /^[0-9A-F]{8}$/)
      assert.deepEqual(patient.name[0].period, { start: '2026-11-20' })
      assert.equal(patient.extension, undefined)
      const [line] = await here.changes.history(number, 5)
      assert.deepEqual([line?.kind, line?.version], ['create', 1])
    })
  })

  describe('a birth', () => {
    test('is registered with the mother, and tells of it', async () => {
      const number = numberOf(await birth(here, born({})))
      const person = await here.people.find(number)
      const patient = JSON.parse(person?.document ?? '{}')
      assert.equal(patient.multipleBirthInteger, 1)
      assert.deepEqual(patient.extension[0].valueAddress, { city: 'Testham', district: 'Mockshire', country: '1' })
      assert.equal(patient.extension[1].extension[0].valueCodeableConcept.coding[0].code, 'A')
      const [mother] = JSON.parse(person?.beside ?? '{}').related
      assert.equal(mother.identifier[0].value, '9990548617')
      const [event] = await here.changes.waiting(5)
      assert.deepEqual([event?.code, event?.nhsNumber], ['pds-birth-notification-1', number])
      assert.equal(event?.facts['weightGrams'], 3405)
      assert.ok(event !== undefined)
      const message = (sensitivity: 'U' | 'R') =>
        eventMessage(event, { random: systemRandom, sensitivity, asid: '200000000001', organisationName: () => 'X' })
      const told = message('U')
      assert.deepEqual(stu3.check(told), [])
      const of = (type: string) =>
        items(told['entry'])
          .map(({ resource }) => resource as Json)
          .filter(({ resourceType }) => resourceType === type)
      const [baby, motherToo] = of('Patient')
      assert.equal(items(baby?.['identifier'])[0]?.['value'], number)
      assert.equal(items(motherToo?.['identifier'])[0]?.['value'], '9990548617')
      assert.ok(JSON.stringify(of('MessageHeader')).includes('9990548617'), 'it is delivered for the mother')
      assert.equal(of('Observation').length, 5)
      assert.equal(of('EpisodeOfCare').length, 4)
      const withheld = JSON.stringify(message('R'))
      for (const place of ['Sample Street', 'ZZ99', 'RR8G5', 'A20047', 'Testham'])
        assert.ok(!withheld.includes(place), place)
    })

    test('algorithm 1: the same mother, day and order is the same birth, whatever is ignored', async () => {
      const number = numberOf(await birth(here, born({})))
      const renamed: BirthOptions = { baby: { name: [{ use: 'usual', given: ['Baby'], family: 'Other' }] } }
      for (const [options, ignore] of [
        [{}, false],
        [{}, true],
        [renamed, true],
      ] as const)
        assert.deepEqual(matchedOf(await birth(here, born(options, ignore))), [number])
      const twin: BirthOptions = { baby: { multipleBirthInteger: 2 } }
      assert.ok('answer' in (await birth(there, born(twin))), 'a twin is another child')
      assert.equal(await people(), 2)
    })

    test('algorithm 2: the same particulars, unless they are ignored', async () => {
      const first = numberOf(await birth(here, born({})))
      const elsewhere: BirthOptions = { mother: '9990548633' }
      assert.deepEqual(matchedOf(await birth(here, born(elsewhere))), [first])
      const second = numberOf(await birth(here, born(elsewhere, true)))
      assert.deepEqual([...matchedOf(await birth(here, born({ mother: '9990548811' })))].sort(), [first, second].sort())
    })

    test('the same notification at once, under different ids, gives one child', async () => {
      const answers = await spread(Array.from({ length: 10 }), (parts) => birth(parts, born({}, true)))
      assert.equal(answers.filter((given) => 'answer' in given).length, 1)
      assert.equal(await people(), 1)
    })
  })
})
