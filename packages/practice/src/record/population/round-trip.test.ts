/** What the practice system answers, read back: the whole record of the worked example, as a practice that gets it would. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people, workedExample } from '../../sandbox/worked-example.ts'
import { today } from '../../testing/example-answers.ts'
import { exampleRecord, first, readInto } from '../../testing/populations.ts'
import { readPracticeFile } from '../file.ts'
import type { PatientRecord } from '../model.ts'

type Json = Record<string, unknown>
type Read = Awaited<ReturnType<typeof readInto>>

/** Members that an answer adds where nobody wrote them down: ids, who recorded it, when. */
const added = ['id', 'recordedBy', 'recordedDate', 'prescriber', 'performer', 'requester', 'practitioner', 'by']

function bare(value: unknown, without: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => bare(each, without))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([name, each]) => each !== undefined && !without.includes(name) && !(Array.isArray(each) && each.length === 0),
      )
      .map(([name, each]) => [name, bare(each, without)]),
  )
}

describe('the whole record of the worked example', () => {
  let given: PatientRecord
  const got: { json?: Read; xml?: Read } = {}

  before(async () => {
    const [practice] = readPracticeFile(workedExample({ asid: '200000100001', today })).practices
    const found = practice?.patients.find(({ nhsNumber }) => nhsNumber === people.everySection)
    assert.ok(found)
    given = found
    const answer = await exampleRecord(people.everySection)
    const read = (text: string) => readInto([{ name: 'record', format: 'fhir', text: () => [text] }])
    got.json = await read(answer)
    got.xml = await read(stu3.toXml(stu3.fromJson(answer)))
  })

  test('is read without a fault, the same in JSON and XML', () => {
    assert.deepEqual(got.json?.faults, [])
    assert.deepEqual(got.xml, got.json)
  })

  const patient = () => first(got.json?.patients ?? [])
  const rows = (record: PatientRecord, area: string) =>
    ((record as unknown as Json)[area] as Json[])
      .filter(({ confidential, completed }) => confidential !== true && completed !== true)
      .map((row) => JSON.stringify(bare(row, [...added, ...lost(area)]), Object.keys(flat(row)).sort()))
      .sort()
  const lost = (area: string): readonly string[] => lostOf[area] ?? []

  test('the patient', () => {
    const { name, gender, birthDate, address, telecom, contacts, communications, usualGp, preferredBranch } = given
    const { registrationDate } = given
    const wanted = {
      name,
      gender,
      birthDate,
      address,
      telecom,
      contacts,
      communications,
      usualGp,
      preferredBranch,
      registrationDate,
    }
    assert.deepEqual({ ...patient(), ...wanted }, patient())
  })

  test('links of problems, and the words of consultations', () => {
    for (const { id, related } of given.problems)
      for (const each of related)
        assert.ok(
          patient()
            .problems.find((one) => one.id === id)
            ?.related.includes(each),
          each,
        )
    const asthma = patient().encounters.find(({ topics }) => topics[0]?.title === 'Asthma')
    assert.equal(asthma?.details?.split('\n')[1], 'History: Few symptoms since the last review; sleeps well.')
  })

  test('uncategorised data: what has a value, and what has none', () => {
    const wanted = [...given.observations, ...given.clinicalItems, ...given.adminItems].filter(
      (row) => !row.confidential,
    )
    const found = [...patient().observations, ...patient().clinicalItems]
    assert.deepEqual(
      found.map(({ date, entry }) => `${date} ${entry}`).sort(),
      wanted.map(({ date, entry }) => `${date} ${entry}`).sort(),
    )
    for (const { id, quantity, components } of given.observations)
      if (id !== undefined) {
        const row = found.find((one) => one.id === id)
        assert.deepEqual([row?.quantity, row?.components], [quantity, components])
      }
  })

  for (const area of [
    'allergies',
    'medications',
    'problems',
    'immunisations',
    'referrals',
    'encounters',
    'investigations',
    'diaryEntries',
  ])
    test(area, () => assert.deepEqual(rows(patient(), area), rows(given, area)))
})

/** What an answer does not say, or says in other words (§9). */
const lostOf: Readonly<Record<string, readonly string[]>> = {
  // Nothing tells of the review and of controlled drugs; an end to come is not said, and a start always is.
  medications: ['reviewDate', 'controlledDrug', 'scheduledEndDate', 'startDate'],
  // All that is linked, from either side, and two levels of significance.
  problems: ['significance', 'related', 'relatedProblems'],
  referrals: ['to'],
  // The words of topics are told by the topics.
  encounters: ['details'],
  // Every specimen has another id, and what is no other category is a laboratory's.
  investigations: ['specimen', 'category'],
}

function flat(value: unknown): Json {
  if (Array.isArray(value)) return Object.assign({}, ...value.map(flat))
  if (typeof value !== 'object' || value === null) return {}
  return Object.assign({ ...value }, ...Object.values(value).map(flat))
}
