import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNhsNumber, nhsNumberCheckDigit } from '@openspine/standards/nhs'
import type { PersonRecord } from './contract.ts'
import { items, storedPerson } from './person.ts'
import { syntheticCapacity, syntheticPeople } from './population.ts'
import { freeNumberCount, freeNumbers, numberRanges } from './population-numbers.ts'
import { allocatedRange } from './register/numbers.ts'
import { workedPeople } from './worked-people.ts'

/** Numbers at the end of 999 that are for people who are registered. */
const allocated = (() => {
  let count = 0
  for (let digits = allocatedRange.from; digits <= allocatedRange.to; digits++)
    if (nhsNumberCheckDigit(String(digits)) !== undefined) count++
  return count
})()

test('the same seed and place give the same people, whichever stretch is made', () => {
  const whole = [...syntheticPeople({ seed: 7, from: 0, count: 60 })]
  const parts = [
    ...syntheticPeople({ seed: 7, from: 0, count: 25 }),
    ...syntheticPeople({ seed: 7, from: 25, count: 35 }),
  ]
  assert.deepEqual(parts, whole)
  const other = [...syntheticPeople({ seed: 8, from: 0, count: 60 })]
  assert.deepEqual(
    other.map(({ nhsNumber }) => nhsNumber),
    whole.map(({ nhsNumber }) => nhsNumber),
  )
  assert.notDeepEqual(other, whole)
})

test('numbers are valid, of the test ranges, and none of the worked examples; the last one exists, and no more', () => {
  const worked = new Set(workedPeople().map(({ nhsNumber }) => nhsNumber))
  const numbers = (from: number, count: number) =>
    [...syntheticPeople({ seed: 1, from, count })].map(({ nhsNumber }) => nhsNumber)
  const in999 = 909_091 - worked.size - allocated
  // Around the worked examples, over the end of the range 999, and at the end of all.
  for (const from of [0, 49_000, in999 - 500, syntheticCapacity - 1000]) {
    let last = ''
    for (const nhsNumber of numbers(from, from === 49_000 ? 2000 : 1000)) {
      assert.ok(isNhsNumber(nhsNumber) && !worked.has(nhsNumber))
      assert.ok(nhsNumber > last || (last.startsWith('99989') && nhsNumber.startsWith('920')))
      last = nhsNumber
    }
  }
  const around = numbers(49_000, 2000)
  for (const number of worked) assert.ok(number > (around[0] ?? '') && number < (around.at(-1) ?? ''))
  assert.equal(
    numbers(in999 - 1, 2)
      .map((number) => number.slice(0, 3))
      .join(),
    '999,920',
  )
  assert.equal(numbers(syntheticCapacity - 1, 1)[0], '9689999990')
  assert.throws(() => numbers(syntheticCapacity, 1), { code: 'DEMOGRAPHICS_POPULATION_EXHAUSTED' })
  assert.throws(() => numbers(-1, 1), { code: 'DEMOGRAPHICS_POPULATION_RANGE' })
})

test('the n-th number is the n-th, wherever one begins to count', () => {
  const all = freeNumbers(0)
  const counted = Array.from({ length: 3000 }, () => all.next().value as string)
  for (const from of [1, 999, 1000, 2500]) assert.equal(freeNumbers(from).next().value, counted[from])
  assert.ok(
    Math.abs(freeNumberCount - (numberRanges.length * 909_091 - workedPeople().length - allocated)) <=
      numberRanges.length,
  )
})

test('numbers leave the ranges of well-known test people alone', () => {
  for (const range of [900, 911, 944, 969, 972, 973, 990, 991]) assert.ok(!numberRanges.includes(range))
})

const people = [...syntheticPeople({ seed: 1, from: 0, count: 12_000 })]
const shareOf = (holds: (person: PersonRecord) => boolean, of = people) => of.filter(holds).length / of.length
const usual = ({ patient }: PersonRecord) => items(patient['name'])[0] as { family: string; given: string[] }
const home = ({ patient }: PersonRecord) => items(patient['address'])[0] as { line: string[]; postalCode: string }
const born = ({ patient }: PersonRecord) => String(patient['birthDate'])
const between = (share: number, least: number, most: number) =>
  assert.ok(share >= least && share <= most, `${share} is not between ${least} and ${most}`)

test('names are those of cohort and community, common ones common and rare ones many', () => {
  between(
    shareOf((person) => /[À-ž]/.test(usual(person).family)),
    0.003,
    0.05,
  )
  between(
    shareOf((person) => usual(person).family.includes("'")),
    0.005,
    0.06,
  )
  between(
    shareOf((person) => usual(person).family.includes('-')),
    0.01,
    0.08,
  )
  between(
    shareOf((person) => usual(person).family === 'Smith'),
    0.008,
    0.03,
  )
  assert.ok(new Set(people.map((person) => usual(person).family)).size > 2000)
  const old = people.filter((person) => born(person) < '1945')
  const young = people.filter((person) => born(person) > '2005')
  for (const [name, more, fewer] of [
    ['Doris', old, young],
    ['Olivia', young, old],
  ] as const) {
    const named = (of: readonly PersonRecord[]) => shareOf((person) => usual(person).given[0] === name, [...of])
    assert.ok(named(more) > named(fewer) * 3, name)
  }
})

test('households share an address, a practice and mostly a name; most of the wives had another', () => {
  const houses = Map.groupBy(people, (person) => home(person).line[0] + home(person).postalCode)
  between(people.length / houses.size, 2, 3.5)
  const shared = [...houses.values()].filter((house) => house.length > 1)
  between(
    shared.filter((house) => new Set(house.map((person) => usual(person).family)).size === 1).length / shared.length,
    0.4,
    0.8,
  )
  for (const house of shared) {
    const practices = house.flatMap(({ patient }) =>
      items(patient['generalPractitioner']).map(({ identifier }) => (identifier as { value: string }).value),
    )
    assert.ok(new Set(practices).size <= 1)
  }
  const wives = people.filter((person) => born(person) < '1970' && person.patient['gender'] === 'female')
  between(
    shareOf(({ history }) => items(history?.['name']).some(({ use }) => use === 'maiden'), wives),
    0.4,
    0.8,
  )
  const twins = shared.filter((house) => new Set(house.map(born)).size < house.length)
  between(twins.length / shared.length, 0.003, 0.03)
})

test('people move, die, are restricted, go by short forms and leave, each in their share', () => {
  between(
    shareOf(({ history }) => items(history?.['address']).length > 0),
    0.3,
    0.55,
  )
  between(
    shareOf(({ history }) => items(history?.['generalPractitioner']).length > 0),
    0.3,
    0.55,
  )
  between(
    shareOf(({ patient }) => patient['deceasedDateTime'] !== undefined),
    0.08,
    0.2,
  )
  between(
    shareOf(({ sensitivity }) => sensitivity === 'R'),
    0.002,
    0.008,
  )
  assert.ok(people.some(({ sensitivity }) => sensitivity === 'V'))
  between(
    shareOf(({ patient }) => items(patient['name']).length > 1),
    0.01,
    0.05,
  )
  between(
    shareOf(({ patient }) => items(patient['address']).length > 1),
    0.005,
    0.04,
  )
  between(
    shareOf((person) => born(person).endsWith('-01-01')),
    0.003,
    0.02,
  )
})

test('dates stand in the order of a life, and places are none', () => {
  for (const person of people) {
    const { patient, history } = person
    const died = patient['deceasedDateTime']
    if (typeof died === 'string') assert.ok(died.slice(0, 10) >= born(person) && died < '2026-02')
    for (const { period } of items(history?.['address'])) {
      const { start, end } = period as { start: string; end: string }
      assert.ok(start <= end, JSON.stringify(period))
    }
    for (const { postalCode } of [...items(patient['address']), ...items(history?.['address'])])
      assert.match(String(postalCode), /^ZZ([1-9]|[1-8]\d|9[0-8]) \d[A-Z]{2}$/)
  }
})

test('worked people can all be stored, and each number stands once', () => {
  const stored = workedPeople().map(storedPerson)
  assert.equal(new Set(stored.map(({ nhsNumber }) => nhsNumber)).size, stored.length)
  for (const { nhsNumber } of stored) assert.ok(isNhsNumber(nhsNumber) && nhsNumber.startsWith('999'))
})
