/** Long structured records: the same octets as short ones would have, and written beside the thread that answers. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { type PatientInput, patientRecord } from '../record/model.ts'
import { storedRecord } from '../record/stored.ts'
import { systems } from '../stu3/systems.ts'
import { exampleAnswers } from '../testing/example-answers.ts'
import { within } from '../testing/refusals.ts'
import { structuredRequest } from '../testing/structured.ts'
import { longRecords } from './long-records.ts'
import { longRecordRows } from './record-order.ts'

const nhsNumber = '9990548609'
const count = longRecordRows
const patient: PatientInput = {
  nhsNumber,
  name: { family: 'Long', given: ['Ada'] },
  gender: 'female',
  birthDate: '1950-01-01',
  observations: Array.from({ length: count }, (_, i) => ({
    id: `o-${i}`,
    date: `20${String(10 + (i % 10))}-01-01`,
    entry: `Reading ${i} & <more>`,
    value: '12 mmHg',
    confidential: i === 3,
  })),
  encounters: [
    {
      id: 'e-1',
      date: '2020-01-01',
      title: 'Dr Ada Mockingham',
      topics: [{ items: [{ item: 'o-1' }, { text: 'well' }] }],
    },
  ],
  problems: [{ id: 'p-1', entry: 'Asthma', status: 'active', related: ['o-2'] }],
}
const long = longRecords()
after(() => long.stop())

const migration = (format: 'json' | 'xml') => {
  const parameter = { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: false }] }
  const request = structuredRequest([parameter], { nhsNumber, migrate: true })
  Object.assign(request.claims, { reason_for_request: 'migration', requested_scope: 'patient/*.read conf/N' })
  within('requesting_organization', { identifier: [{ system: systems.odsOrganisation, value: 'A20047' }] })(request)
  request.headers['accept'] = `application/fhir+${format}`
  return request
}
const period = { name: 'uncategorisedDataSearchPeriod', valuePeriod: { start: '2012-01-01', end: '2013-12-31' } }

describe('a record of more than a thousand rows', () => {
  const here = exampleAnswers({ patients: [patient] })
  const beside = exampleAnswers({ patients: [patient] }, { longRecords: long })
  for (const [what, request] of [
    ['as JSON', () => migration('json')],
    ['as XML', () => migration('xml')],
    ['with a period', () => structuredRequest([{ name: 'includeUncategorisedData', part: [period] }], { nhsNumber })],
  ] as const)
    it(`is the same as if it were written here, ${what}`, async () => {
      const [one, other] = [await here(request()), await beside(request())]
      assert.equal(one.status, 200, one.body)
      assert.deepEqual([other.status, other.headers, other.body], [one.status, one.headers, ''])
      assert.ok(Buffer.from(other.octets ?? []).toString() === one.body, 'other octets')
      assert.ok(one.body.length > 100_000)
    })

  it('a shorter one, and a refusal, are written here', async () => {
    const short = exampleAnswers(
      { patients: [{ ...patient, observations: [], encounters: [], problems: [] }] },
      { longRecords: long },
    )
    assert.equal((await short(migration('json'))).octets, undefined)
    const refused = await beside(structuredRequest([], { nhsNumber: '9990100004' }))
    assert.deepEqual([refused.status, refused.octets], [404, undefined])
  })
})

describe('the thread of long records', () => {
  it('lets others have their turn', async () => {
    const beside = exampleAnswers({ patients: [patient] }, { longRecords: long })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await beside(migration('xml'))
    clearInterval(timer)
    assert.ok(turns > 5, `${turns} turns`)
  })

  it('says that an order cannot be written, without its content, and takes the next', async () => {
    const own = longRecords()
    await assert.rejects(own.write('{"queries":[{"area":"Testcase"}],"disabled":[]}'), (error: Error) => {
      assert.match(error.message, /could not be written \(\w+\)$/)
      return true
    })
    const beside = exampleAnswers({ patients: [patient] }, { longRecords: own })
    assert.equal((await beside(migration('json'))).status, 200)
    const lost = own.write('{}'.padEnd(5_000_000))
    await own.stop()
    await assert.rejects(lost)
    // Another is started for what comes after.
    assert.equal((await beside(migration('json'))).status, 200)
    await own.stop()
  })
})

describe('a long record of the store', () => {
  it('is read as its schema reads it, with turns for others', async () => {
    const document = JSON.stringify(patient)
    let turns = 0
    const count = () => {
      turns++
      pending = setImmediate(count)
    }
    let pending = setImmediate(count)
    const read = await storedRecord(document)
    clearImmediate(pending)
    assert.deepEqual(read, patientRecord.parse(JSON.parse(document)))
    assert.ok(turns > 0)
  })

  it('is refused where a row is wrong, as a short one is', async () => {
    const [first, ...rest] = patient.observations ?? []
    const wrong = JSON.stringify({ ...patient, observations: [...rest, { ...first, date: 'never' }] })
    await assert.rejects(storedRecord(wrong))
    await assert.rejects(storedRecord(JSON.stringify({ ...patient, birthDate: 'never' })))
  })
})
