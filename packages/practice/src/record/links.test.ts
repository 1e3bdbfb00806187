import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import { readPatient } from './file.ts'
import { problemLinks, rowsById } from './links.ts'
import type { PatientInput, PatientRecord } from './model.ts'

const practice = { practitioners: [{ id: 'gp-1' }], locations: [{ id: 'branch' }] }

function patient(rows: Partial<PatientInput>): PatientInput {
  return {
    nhsNumber: '9990100004',
    name: { family: 'Quietwell' },
    gender: 'female',
    birthDate: '1975-05-14',
    observations: [
      { id: 'o-1', date: '2020-01-01', entry: 'Pulse' },
      { id: 'o-2', date: '2020-01-02', entry: 'Weight' },
    ],
    problems: [{ id: 'p-1', status: 'active', entry: 'Asthma' }],
    ...rows,
  }
}

function faults(rows: Partial<PatientInput>): readonly string[] {
  try {
    readPatient(patient(rows), practice)
  } catch (error) {
    assert.ok(isSpineError(error))
    return (error.outcome as { problems: string[] }).problems
  }
  return []
}

function read(rows: Partial<PatientInput>): PatientRecord {
  return readPatient(patient(rows), practice)
}

const day = '2020-01-01'
const encounter = (more: object) => ({ id: 'e-1', date: day, title: 'Surgery', ...more })

describe('links of a record', () => {
  it('need not be there: a row without an id stands alone', () => {
    assert.deepEqual(faults({ encounters: [{ date: day, title: 'Surgery' }] }), [])
  })

  const refusals: [string, Partial<PatientInput>, string][] = [
    [
      'an id twice, in rows of different kinds',
      { referrals: [{ id: 'o-1', date: day, to: 'Clinic' }] },
      'referrals[0].id stands twice in this record',
    ],
    [
      'an item that is not there',
      { encounters: [encounter({ topics: [{ headings: [{ items: [{ text: 'x' }, { item: 'o-9' }] }] }] })] },
      'encounters[0].topics[0].headings[0].items[1].item is not the id of a row of this record',
    ],
    [
      'a consultation inside a consultation',
      { encounters: [encounter({ topics: [{ items: [{ item: 'e-1' }] }] })] },
      'encounters[0].topics[0].items[0].item is a consultation',
    ],
    [
      'headings beside items',
      { encounters: [encounter({ topics: [{ items: [{ text: 'x' }], headings: [{ items: [{ text: 'y' }] }] }] })] },
      'encounters[0].topics[0] has both headings and items',
    ],
    [
      'a topic about what is no problem',
      { encounters: [encounter({ topics: [{ problems: ['o-1'], items: [{ text: 'x' }] }] })] },
      'encounters[0].topics[0].problems[0] is the id of a row of another kind',
    ],
    [
      'a consultation that starts on another day',
      { encounters: [encounter({ start: '2020-01-02T09:00:00Z' })] },
      'encounters[0].start is not of the day of encounters[0].date',
    ],
    [
      'an unknown location',
      { encounters: [encounter({ location: 'branch' }), { date: day, title: 'Visit', location: 'elsewhere' }] },
      'encounters[1].location is not the id of a location of this practice',
    ],
    [
      'an unknown recorder',
      { diaryEntries: [{ date: day, recordedDate: day, entry: 'Recall', recordedBy: 'gp-9' }] },
      'diaryEntries[0].recordedBy is not the id of a practitioner of this practice',
    ],
    [
      'an unknown recipient of a referral',
      { referrals: [{ date: day, to: 'Clinic', recipients: [{ practitioner: 'gp-9' }] }] },
      'referrals[0].recipients[0].practitioner is not the id of a practitioner of this practice',
    ],
    [
      'an id of an issue that a row has',
      {
        medications: [
          { type: 'repeat', item: 'A', dosage: 'One', recordedDate: day, issues: [{ id: 'o-1', date: day }] },
        ],
      },
      'medications[0].issues[0].id stands twice in this record',
    ],
    [
      'an unknown prescriber',
      { medications: [{ type: 'acute', item: 'A', dosage: 'One', recordedDate: day, prescriber: 'gp-9' }] },
      'medications[0].prescriber is not the id of a practitioner of this practice',
    ],
    [
      'an unknown prescriber of an issue',
      {
        medications: [
          { type: 'acute', item: 'A', dosage: 'One', recordedDate: day, issues: [{ date: day, prescriber: 'gp-9' }] },
        ],
      },
      'medications[0].issues[0].prescriber is not the id of a practitioner of this practice',
    ],
    [
      'an unknown asserter of an allergy',
      { allergies: [{ details: 'Nickel', assertedBy: 'gp-9' }] },
      'allergies[0].assertedBy is not the id of a practitioner of this practice',
    ],
    [
      'an actual problem that is not there',
      { problems: [{ id: 'p-1', status: 'active', entry: 'Asthma', actualProblem: 'o-9' }] },
      'problems[0].actualProblem is not the id of a row of this record',
    ],
    [
      'a problem among the items of a problem',
      { problems: [{ id: 'p-1', status: 'active', entry: 'Asthma', related: ['p-1'] }] },
      'problems[0].related[0] is a problem; see relatedProblems',
    ],
    [
      'a problem related to itself',
      {
        problems: [
          { id: 'p-1', status: 'active', entry: 'Asthma', relatedProblems: [{ problem: 'p-1', is: 'sibling' }] },
        ],
      },
      'problems[0].relatedProblems[0].problem is the problem itself',
    ],
    [
      'a specimen of another report',
      {
        investigations: [{ issued: '2020-01-01T09:00:00Z', entry: 'Blood', results: [{ entry: 'Hb', specimen: 's' }] }],
      },
      'investigations[0].results[0].specimen is not the id of a specimen of the report',
    ],
  ]
  for (const [name, rows, expected] of refusals)
    it(`refuse ${name}`, () => {
      assert.deepEqual(faults(rows), [expected])
    })

  it('tell what a problem is about: named items, those of its topics, and the consultations that hold them', () => {
    const record = read({
      encounters: [
        encounter({ topics: [{ problems: ['p-1'], items: [{ item: 'o-1' }] }] }),
        { id: 'e-2', date: '2020-01-02', title: 'Surgery', topics: [{ items: [{ item: 'o-2' }] }] },
        { id: 'e-3', date: '2020-01-03', title: 'Surgery', details: 'Something else' },
      ],
      diaryEntries: [{ id: 'd-1', date: '2030-01-01', recordedDate: day, entry: 'Recall' }],
      problems: [{ id: 'p-1', status: 'active', entry: 'Asthma', related: ['d-1'], actualProblem: 'o-2' }],
    })
    const [problem] = record.problems
    assert.ok(problem)
    assert.deepEqual([...problemLinks(record).linked(problem)].sort(), ['d-1', 'e-1', 'e-2', 'o-1', 'o-2'])
    assert.equal(rowsById(record).get('d-1')?.kind, 'diaryEntries')
  })

  it('between problems are seen from both sides', () => {
    const record = read({
      problems: [
        { id: 'p-1', status: 'active', entry: 'Asthma', relatedProblems: [{ problem: 'p-2', is: 'parent' }] },
        { id: 'p-2', status: 'inactive', entry: 'Pneumonia' },
      ],
    })
    const [first, second] = record.problems
    assert.ok(first && second)
    const { related } = problemLinks(record)
    assert.deepEqual(related(first), [{ problem: 'p-2', is: 'parent' }])
    assert.deepEqual(related(second), [{ problem: 'p-1', is: 'child' }])
  })
})
