import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNhsNumber } from '@openspine/standards/nhs'
import { items, storedPerson } from './person.ts'
import { syntheticCapacity, syntheticPeople } from './population.ts'
import { workedPeople } from './worked-people.ts'

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

test('numbers are valid, of the test range, rising, and none of the worked examples; the last one exists, and no more', () => {
  const worked = new Set(workedPeople().map(({ nhsNumber }) => nhsNumber))
  const numbers = (from: number, count: number) =>
    [...syntheticPeople({ seed: 1, from, count })].map(({ nhsNumber }) => nhsNumber)
  // The second stretch lies around the worked examples, the third at the end of the range.
  for (const from of [0, 49_000, syntheticCapacity - 1000]) {
    let last = ''
    for (const nhsNumber of numbers(from, from === 49_000 ? 2000 : 1000)) {
      assert.ok(isNhsNumber(nhsNumber) && nhsNumber.startsWith('999') && nhsNumber > last && !worked.has(nhsNumber))
      last = nhsNumber
    }
  }
  const around = numbers(49_000, 2000)
  for (const number of worked) assert.ok(number > (around[0] ?? '') && number < (around.at(-1) ?? ''))
  assert.equal(numbers(syntheticCapacity - 1, 1)[0], '9999999999')
  assert.throws(() => numbers(syntheticCapacity, 1), { code: 'DEMOGRAPHICS_POPULATION_EXHAUSTED' })
  assert.throws(() => numbers(-1, 1), { code: 'DEMOGRAPHICS_POPULATION_RANGE' })
})

test('people differ as people do: accents, apostrophes, double names, history, death, restriction', () => {
  const people = [...syntheticPeople({ seed: 1, from: 0, count: 5000 })]
  const families = people.map(({ patient }) => String(items(patient['name'])[0]?.['family']))
  const share = (holds: (family: string) => boolean) => families.filter(holds).length / families.length
  assert.ok(share((family) => /[À-ž]/.test(family)) > 0.005)
  assert.ok(share((family) => family.includes("'")) > 0.002)
  assert.ok(share((family) => family.includes('-')) > 0.01)
  assert.ok(share((family) => family === 'Smith') > 0.01)
  assert.ok(new Set(families).size > 800)
  assert.ok(people.some(({ history }) => items(history?.['name']).length > 0))
  assert.ok(people.some(({ patient }) => patient['deceasedDateTime'] !== undefined))
  assert.ok(people.some(({ sensitivity }) => sensitivity === 'R'))
  assert.ok(people.some(({ patient }) => items(patient['address']).length > 1))
  for (const { patient } of people)
    for (const { postalCode } of items(patient['address'])) assert.match(String(postalCode), /^ZZ99 \d[A-Z]{2}$/)
})

test('worked people can all be stored, and each number stands once', () => {
  const stored = workedPeople().map(storedPerson)
  assert.equal(new Set(stored.map(({ nhsNumber }) => nhsNumber)).size, stored.length)
  for (const { nhsNumber } of stored) assert.ok(isNhsNumber(nhsNumber) && nhsNumber.startsWith('999'))
})
