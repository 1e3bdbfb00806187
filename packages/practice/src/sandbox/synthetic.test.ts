import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addDays } from '../record/dates.ts'
import { readPatient } from '../record/file.ts'
import { syntheticRecord } from './synthetic.ts'

const dora = {
  nhsNumber: '9990100004',
  family: 'Quietwell',
  given: ['Dora'],
  gender: 'female',
  birthDate: '1955-05-14',
  address: { lines: ['34 Invented Row'], city: 'Testham', postcode: 'ZZ99 3CZ' },
  phone: '01632 960013',
  usualGp: 'gp-1',
} as const

describe('synthetic record', () => {
  it('is the same for the same person, seed and day, and differs otherwise', () => {
    assert.deepEqual(syntheticRecord(dora, 1, '2026-11-20'), syntheticRecord(dora, 1, '2026-11-20'))
    assert.notDeepEqual(syntheticRecord(dora, 1, '2026-11-20'), syntheticRecord(dora, 2, '2026-11-20'))
    assert.notDeepEqual(
      syntheticRecord(dora, 1, '2026-11-20').encounters,
      syntheticRecord({ ...dora, nhsNumber: '9990100012' }, 1, '2026-11-20').encounters,
    )
  })

  it('can be loaded, and lies within the life of the person', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 38_000 }), fc.boolean(), (seed, ageInDays, died) => {
        const asOf = '2026-11-20'
        const birthDate = addDays(asOf, -ageInDays)
        const deceasedDate = died ? addDays(asOf, -Math.floor(ageInDays / 3)) : undefined
        const record = readPatient(
          syntheticRecord({ ...dora, birthDate, ...(deceasedDate ? { deceasedDate } : {}) }, seed, asOf),
          { practitioners: [{ id: 'gp-1' }], locations: [] },
        )
        const last = deceasedDate ?? asOf
        const dates = [
          ...record.encounters.map(({ date }) => date),
          ...record.observations.map(({ date }) => date),
          ...record.medications.flatMap(({ recordedDate, issues }) => [
            recordedDate,
            ...issues.map(({ date }) => date),
          ]),
          ...record.problems.flatMap(({ startDate }) => startDate ?? []),
        ]
        assert.ok(dates.length > 0)
        for (const date of dates) assert.ok(date >= birthDate && date <= last, `${birthDate} ${date} ${last}`)
      }),
      { numRuns: 300 },
    )
  })

  it('gives older people more problems', () => {
    const problems = (birthDate: string) =>
      Array.from({ length: 200 }, (_, seed) => syntheticRecord({ ...dora, birthDate }, seed, '2026-11-20')).reduce(
        (sum, record) => sum + (record.problems?.length ?? 0),
        0,
      )
    assert.ok(problems('1940-01-01') > 3 * problems('2015-01-01'))
  })
})
