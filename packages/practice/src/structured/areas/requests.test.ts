/** The areas of 1.5 as a consumer asks for them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { addDays } from '../../record/dates.ts'
import { workedExamplePatients as people } from '../../sandbox/worked-example.ts'
import { exampleAnswers, today } from '../../testing/example-answers.ts'
import {
  assertClosed,
  including,
  type Part,
  readRecord,
  recordParameters,
  structuredRequest,
} from '../../testing/structured.ts'

const answer = exampleAnswers()
const period = (name: string, start?: string, end?: string): Part => ({
  name,
  valuePeriod: { ...(start && { start }), ...(end && { end }) },
})
const code = (name: string, valueCode: string): Part => ({ name, valueCode })
const flag = (name: string): Part => ({ name, valueBoolean: true })
const day = (name: string, valueDate: string): Part => ({ name, valueDate })

const consultations = (...parts: Part[]) => including('includeConsultations', ...parts)
const problems = (...parts: Part[]) => including('includeProblems', ...parts)
const immunisations = (...parts: Part[]) => including('includeImmunisations', ...parts)
const uncategorised = (...parts: Part[]) => including('includeUncategorisedData', ...parts)
const investigations = (...parts: Part[]) => including('includeInvestigations', ...parts)
const referrals = (...parts: Part[]) => including('includeReferrals', ...parts)
const diary = (...parts: Part[]) => including('includeDiaryEntries', ...parts)

const tomorrow = addDays(today, 1)

describe('requests for the areas of 1.5', () => {
  const good: [string, readonly Part[]][] = [
    [
      'everything',
      [consultations(), problems(), immunisations(), uncategorised(), investigations(), referrals(), diary()],
    ],
    ['consultations of a period', [consultations(period('consultationSearchPeriod', '2019-01-01', today))]],
    ['consultations by number', [consultations({ name: 'includeNumberOfMostRecent', valuePositiveInt: 3 })]],
    [
      'problems in pairs',
      [
        problems(code('filterStatus', 'active'), code('filterSignificance', 'minor')),
        problems(code('filterStatus', 'inactive'), code('filterSignificance', 'major')),
      ],
    ],
    ['immunisations', [immunisations(flag('includeNotGiven'), flag('includeStatus'))]],
    ['uncategorised data', [uncategorised(period('uncategorisedDataSearchPeriod', '2014-02-03'))]],
    ['investigations', [investigations(period('investigationSearchPeriod', today, today))]],
    ['referrals', [referrals(period('referralSearchPeriod', undefined, today))]],
    ['diary entries', [diary(day('diaryEntriesSearchDate', today))]],
  ]
  for (const [name, parameters] of good)
    it(`are answered in JSON and in XML: ${name}`, async () => {
      const json = readRecord(await answer(structuredRequest(parameters)))
      assertClosed(json)
      assert.deepEqual(json.of('OperationOutcome'), [])
      const xml = 'application/fhir+xml'
      const request = structuredRequest(parameters)
      const body = stu3.write('xml', recordParameters(people.everySection, ...parameters) as never)
      const headers = { ...request.headers, Accept: xml, 'Content-Type': xml }
      const read = readRecord(await answer({ ...request, headers, body }))
      assertClosed(read)
      assert.deepEqual(
        read.resources.map(({ resourceType, id }) => [resourceType, id]),
        json.resources.map(({ resourceType, id }) => [resourceType, id]),
      )
    })

  const refused: [string, readonly Part[], string][] = [
    [
      'a consultation of tomorrow',
      [consultations(period('consultationSearchPeriod', tomorrow, tomorrow))],
      'INVALID_PARAMETER',
    ],
    ['a period that ends first', [referrals(period('referralSearchPeriod', today, '2019-01-01'))], 'INVALID_PARAMETER'],
    ['a partial date', [investigations(period('investigationSearchPeriod', '2014'))], 'INVALID_PARAMETER'],
    ['a diary of yesterday', [diary(day('diaryEntriesSearchDate', addDays(today, -1)))], 'INVALID_PARAMETER'],
    ['another status', [problems(code('filterStatus', 'resolved'))], 'INVALID_PARAMETER'],
    ['another significance', [problems(code('filterSignificance', 'HIGH'))], 'INVALID_PARAMETER'],
    [
      'a period and a number',
      [
        consultations(period('consultationSearchPeriod', '2019-01-01', today), {
          name: 'includeNumberOfMostRecent',
          valuePositiveInt: 4,
        }),
      ],
      'INVALID_RESOURCE',
    ],
    ...(
      [
        ['status', problems(code('filterStatus', 'active'))],
        ['significance', problems(code('filterSignificance', 'major'))],
        ['not given', immunisations(flag('includeNotGiven'))],
        ['immunisation status', immunisations(flag('includeStatus'))],
        ['a period of uncategorised data', uncategorised(period('uncategorisedDataSearchPeriod', '2014-02-03'))],
        ['a period of referrals', referrals(period('referralSearchPeriod', '2014-02-03'))],
        ['a day of the diary', diary(day('diaryEntriesSearchDate', today))],
        ['a day of medication', including('includeMedication', day('medicationSearchFromDate', '2014-02-03'))],
      ] as const
    ).map(([name, parameter]): [string, readonly Part[], string] => [
      `consultations with ${name}`,
      [consultations(), parameter],
      'INVALID_PARAMETER',
    ]),
    [
      'problems with a period of referrals',
      [problems(), referrals(period('referralSearchPeriod', '2014-02-03'))],
      'INVALID_PARAMETER',
    ],
  ]
  for (const [name, parameters, expected] of refused)
    it(`are refused: ${name}`, async () => {
      const answered = await answer(structuredRequest(parameters))
      assert.equal(answered.status, 422, answered.body)
      assert.equal(JSON.parse(answered.body).issue[0].details.coding[0].code, expected)
    })

  it('name what 1.2 does not know', async () => {
    const record = readRecord(await answer(structuredRequest([problems(), diary()], { base: 'gpconnect' })))
    const [outcome] = record.of('OperationOutcome') as { issue: { diagnostics: string }[] }[]
    assert.deepEqual(
      outcome?.issue.map(({ diagnostics }) => diagnostics),
      ['includeProblems', 'includeDiaryEntries'],
    )
    assert.deepEqual(record.of('Condition'), [])
  })

  it('bring no problems along where the version has none', async () => {
    const asked = [including('includeMedication')]
    const titles = async (base: 'gpconnect' | 'structured') =>
      readRecord(await answer(structuredRequest(asked, { base })))
        .of('List')
        .map(({ title }) => title)
    assert.deepEqual(await titles('gpconnect'), ['Medications and medical devices'])
    assert.equal((await titles('structured')).length, 2)
  })
})
