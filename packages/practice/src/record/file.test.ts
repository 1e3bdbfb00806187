import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import { isNhsNumber } from '@openspine/standards/nhs'
import { workedExample, workedExamplePatients } from '../sandbox/worked-example.ts'
import { readPracticeFile } from './file.ts'

const practice = { odsCode: 'A20047', asid: '200000100001', name: 'Testham Surgery', serviceRoot: '/A20047/DSTU2/1' }
const patient = {
  nhsNumber: '9990100004',
  name: { family: 'Quietwell' },
  gender: 'female',
  birthDate: '1975-05-14',
}

function file(patients: readonly object[], more: object = {}) {
  return { format: 'openspine-practice-1', practices: [{ ...practice, patients, ...more }] }
}

function problems(content: unknown): readonly string[] {
  try {
    readPracticeFile(content)
  } catch (error) {
    assert.ok(isSpineError(error))
    assert.equal(error.code, 'PRACTICE_FILE_INVALID')
    return (error.outcome as { problems: string[] }).problems
  }
  return []
}

describe('practice file', () => {
  it('is read from an object or from text, with defaults filled in', () => {
    const content = file([patient])
    const read = readPracticeFile(JSON.stringify(content))
    assert.deepEqual(read, readPracticeFile(content))
    const [it] = read.practices
    assert.equal(it?.deceasedAccessDays, 28)
    assert.equal(it?.gpConnect, false)
    assert.equal(it?.patients[0]?.consent, true)
    assert.deepEqual(it?.patients[0]?.medications, [])
  })

  it('refuses unknown keys by their path', () => {
    assert.deepEqual(problems(file([{ ...patient, allergies: [{ details: 'x', note: 'y' }] }])), [
      'practices[0].patients[0].allergies[0].note is not a key of this format',
    ])
    assert.deepEqual(problems({ ...file([]), comment: '' }), ['comment is not a key of this format'])
    assert.deepEqual(problems(file([], { sections: { NONE: {} } })).length, 1)
  })

  const refusals: [string, unknown, RegExp][] = [
    ['text that is not JSON', '{', /not JSON/],
    ['another format', { ...file([]), format: 'other' }, /^format: /],
    [
      'a wrong check digit',
      file([{ ...patient, nhsNumber: '9990100005' }]),
      /^practices\[0\]\.patients\[0\]\.nhsNumber: /,
    ],
    ['a day that does not exist', file([{ ...patient, birthDate: '1975-02-30' }]), /\.birthDate: .*yyyy-mm-dd/],
    ['a patient twice', file([patient, patient]), /patients\[1\]\.nhsNumber stands twice/],
    ['transit without registration', file([{ ...patient, inTransit: true }]), /registrationDate is needed/],
    ['an unknown usual GP', file([{ ...patient, usualGp: 'gp-9' }]), /usualGp is not the id/],
    ['an unknown preferred branch', file([{ ...patient, preferredBranch: 'site-9' }]), /preferredBranch is not the id/],
    ['an unknown main location', file([], { mainLocation: 'site-9' }), /^practices\[0\]\.mainLocation is not the id/],
    [
      'a location within one that is not there',
      file([], { locations: [{ id: 'site-1', name: 'Main', partOf: 'site-9' }] }),
      /^practices\[0\]\.locations\[0\]\.partOf is not the id/,
    ],
    [
      'a service at a location that is not there',
      file([], { healthcareServices: [{ id: 's-1', name: 'Clinic', locations: ['site-9'] }] }),
      /healthcareServices\[0\]\.locations\[0\] is not the id/,
    ],
    [
      'two locations of one id',
      file([], { locations: ['Main', 'Branch'].map((name) => ({ id: 'site-1', name })) }),
      /locations\[1\]\.id stands twice/,
    ],
    [
      'a practice that is part of itself',
      file([], { partOf: { odsCode: 'A20047', name: 'Itself' } }),
      /partOf\.odsCode is that of the practice itself/,
    ],
    [
      'a registration of a kind that there is not',
      file([{ ...patient, registration: { type: 'visiting', period: {} } }]),
      /registration\.type: /,
    ],
    ['a root with a slash at its end', file([], { serviceRoot: '/A20047/' }), /^practices\[0\]\.serviceRoot: /],
    ['a root with dot segments', file([], { serviceRoot: '/A20047/../x' }), /dot segments/],
    ['an ASID of eleven digits', file([], { asid: '20000010000' }), /^practices\[0\]\.asid: /],
    [
      'an active problem with an end',
      file([{ ...patient, problems: [{ status: 'active', entry: 'x', endDate: '2020-01-01' }] }]),
      /problems\[0\]\.endDate/,
    ],
    [
      'a post-dated repeat',
      file([
        {
          ...patient,
          medications: [{ type: 'repeat', item: 'x', dosage: 'y', recordedDate: '2020-01-01', postDate: '2020-02-01' }],
        },
      ]),
      /medications\[0\]\.postDate/,
    ],
    [
      'two practices at one root',
      { format: 'openspine-practice-1', practices: [practice, { ...practice, odsCode: 'B82617' }] },
      /practices\[1\]\.serviceRoot stands twice/,
    ],
  ]
  for (const [name, content, expected] of refusals)
    it(`refuses ${name}`, () => {
      const [first = ''] = problems(content)
      assert.match(first, expected)
    })

  it('never repeats a value in its messages', () => {
    assert.doesNotMatch(problems(file([{ ...patient, nhsNumber: '9990100005' }])).join(), /9990100005/)
  })

  it('lists a bounded number of problems', () => {
    assert.equal(problems(file(Array.from({ length: 100 }, () => ({ ...patient, x: 1 })))).length, 21)
  })
})

describe('README', () => {
  it('has an example that can be loaded', async () => {
    const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? []
    assert.equal(readPracticeFile(example).practices[0]?.patients[0]?.nhsNumber, '9990548609')
  })
})

describe('worked example', () => {
  it('is a file that can be read, whatever the day', () => {
    for (const today of ['2026-11-20', '2024-02-29', '2027-01-01'])
      assert.equal(readPracticeFile(workedExample({ asid: '200000100001', today })).practices.length, 1)
  })

  it('has invented people with valid numbers, and exactly two current allergies', () => {
    const [it] = readPracticeFile(workedExample({ asid: '200000100001', today: '2026-11-20' })).practices
    assert.ok(it)
    for (const nhsNumber of Object.values(workedExamplePatients)) {
      assert.ok(isNhsNumber(nhsNumber) && nhsNumber.startsWith('999'), nhsNumber)
      assert.ok(it.patients.some((patient) => patient.nhsNumber === nhsNumber))
    }
    const arlo = it.patients.find((patient) => patient.nhsNumber === '9990548609')
    assert.deepEqual(arlo?.name, { family: 'Testcase', given: ['Arlo', 'Ben'], prefix: ['Mr'] })
    assert.equal(arlo?.birthDate, '1980-02-29')
    assert.equal(arlo?.address?.postcode, 'ZZ99 3CZ')
    assert.equal(arlo?.allergies.filter((allergy) => allergy.endDate === undefined).length, 2)
  })
})
