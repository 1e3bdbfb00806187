import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workedPeople } from '@openspine/services/demographics'
import { tracesIn } from './practice-demographics.ts'

const people = workedPeople()
const trace = tracesIn({ find: async (nhsNumber) => people.find((person) => person.nhsNumber === nhsNumber) })

test('a practice traces a person by the usual name, birth date and gender', async () => {
  assert.deepEqual(await trace('9990548609'), {
    family: 'Testcase',
    given: ['Arlo', 'Ben'],
    birthDate: '1980-02-29',
    gender: 'male',
    deceased: false,
    sensitive: false,
    status: 'current',
  })
  assert.equal(await trace('9990100144'), undefined)
})

test('a practice is told of deaths, formal or not, of flags, and of numbers that are no longer in use', async () => {
  const flags = async (find: (person: (typeof people)[number]) => boolean) => {
    const all = await Promise.all(people.filter(find).map(({ nhsNumber }) => trace(nhsNumber)))
    assert.ok(all.length > 0)
    return all
  }
  const died = await flags(({ patient }) => JSON.stringify(patient).includes('DeathNotificationStatus'))
  assert.ok(died.every((person) => person?.deceased))
  assert.ok((await flags(({ sensitivity = 'U' }) => sensitivity !== 'U')).every((person) => person?.sensitive))
  const merged = await flags(({ status = 'current' }) => status !== 'current')
  assert.deepEqual([...new Set(merged.map((person) => person?.status))].sort(), ['invalidated', 'superseded'])
  assert.ok((await flags(({ patient }) => !('deceasedDateTime' in patient))).some((person) => !person?.deceased))
})
