import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBundle } from './bundle.ts'
import { nhsNumber, practiceServer, structured } from './testing/practice.ts'
import { client } from './testing/testing.ts'

const at = { nhsNumber, odsCode: 'A20047' }

for (const format of ['json', 'xml'] as const)
  describe(`a structured record in ${format}`, () => {
    it('comes as lists with what they hold, warnings and empty reasons, whatever the order of the bundle', async (t) => {
      const practice = await practiceServer(t)
      const record = await client(t, practice.settings)
        .session()
        .structuredRecord({ ...at, format, include: { allergies: { resolved: true }, medication: {}, problems: [] } })
      assert.deepEqual(
        record.lists.map(({ area, warnings, notes, emptyReason, items }) => [
          area,
          warnings,
          notes,
          emptyReason,
          items.map(({ resource }) => resource?.['resourceType']),
        ]),
        [
          [
            'medication',
            ['confidential-items'],
            ['Items excluded due to confidentiality and/or patient preferences.'],
            undefined,
            ['MedicationStatement'],
          ],
          ['allergies', [], [], undefined, ['AllergyIntolerance']],
          ['endedAllergies', [], [], undefined, ['AllergyIntolerance']],
          ['problems', [], ['Information not available'], 'No Content Recorded', []],
        ],
      )
      assert.equal(record.patient['id'], 'p-1')
    })

    it('is marked incomplete, with the reason that the provider gives', async (t) => {
      const practice = await practiceServer(t)
      const record = await client(t, practice.settings)
        .session()
        .structuredRecord({ ...at, format })
      assert.equal(record.complete, false)
      assert.deepEqual(record.incomplete, [
        {
          code: 'NOT_IMPLEMENTED',
          text: 'includeDiaryEntries is an unrecognised parameter',
          diagnostics: 'includeDiaryEntries',
        },
      ])
    })

    it('is compared with the traced person', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, practice.settings).session()
      await session.trace({ nhsNumber })
      const { comparison } = await session.structuredRecord({ ...at, format })
      assert.deepEqual(
        comparison?.differences.map(({ field }) => field),
        ['birthDate'],
      )
      assert.equal(practice.seen.length, 1, 'the practice is in the bundle: it need not be read')
    })
  })

describe('asking for a structured record', () => {
  it('names every area with what narrows it, and a parameter without parts where nothing does', async (t) => {
    const practice = await practiceServer(t)
    const session = client(t, practice.settings).session()
    const period = { start: '2020-01-01', end: '2021-01-01' }
    await session.structuredRecord({
      ...at,
      include: {
        allergies: { resolved: false },
        medication: { prescriptionIssues: false, fromDate: '2020-01-01' },
        consultations: { mostRecent: 3 },
        problems: [{ status: 'active', significance: 'major' }, { significance: 'minor' }],
        immunisations: { notGiven: true, status: false },
        uncategorised: { period },
        investigations: {},
        referrals: { period: { start: '2020-01-01' } },
        diary: { until: '2027-01-01' },
      },
    })
    assert.equal(practice.seen[0]?.headers['content-type'], 'application/fhir+json;charset=utf-8')
    assert.deepEqual(JSON.parse(practice.seen[0]?.text ?? '').parameter, [
      { name: 'patientNHSNumber', valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber } },
      { name: 'includeAllergies', part: [{ name: 'includeResolvedAllergies', valueBoolean: false }] },
      {
        name: 'includeMedication',
        part: [
          { name: 'includePrescriptionIssues', valueBoolean: false },
          { name: 'medicationSearchFromDate', valueDate: '2020-01-01' },
        ],
      },
      { name: 'includeConsultations', part: [{ name: 'includeNumberOfMostRecent', valuePositiveInt: 3 }] },
      {
        name: 'includeProblems',
        part: [
          { name: 'filterStatus', valueCode: 'active' },
          { name: 'filterSignificance', valueCode: 'major' },
        ],
      },
      { name: 'includeProblems', part: [{ name: 'filterSignificance', valueCode: 'minor' }] },
      {
        name: 'includeImmunisations',
        part: [
          { name: 'includeNotGiven', valueBoolean: true },
          { name: 'includeStatus', valueBoolean: false },
        ],
      },
      { name: 'includeUncategorisedData', part: [{ name: 'uncategorisedDataSearchPeriod', valuePeriod: period }] },
      { name: 'includeInvestigations' },
      { name: 'includeReferrals', part: [{ name: 'referralSearchPeriod', valuePeriod: { start: '2020-01-01' } }] },
      { name: 'includeDiaryEntries', part: [{ name: 'diaryEntriesSearchDate', valueDate: '2027-01-01' }] },
    ])
    await session.structuredRecord({ ...at, format: 'xml', include: { problems: [] } })
    assert.match(
      practice.seen[1]?.text ?? '',
      /<parameter><name value="includeProblems"\/><\/parameter><\/Parameters>$/,
    )
  })
})

describe('a bundle', () => {
  it('resolves by fullUrl, by type and id, by an absolute URL, and by #id in its container alone', () => {
    const bundle = readBundle({
      ...structured,
      entry: [
        { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Device', id: 'x' } },
        ...(structured['entry'] as object[]),
        { resource: 'nonsense' },
        {},
      ],
    })
    const [, , ended] = bundle.ofType('List')
    assert.equal(bundle.resolve('urn:uuid:1')?.['id'], 'x')
    assert.equal(bundle.resolve('Medication/m-1')?.['id'], 'm-1')
    assert.equal(bundle.resolve('https://gp.example/Medication/m-1')?.['id'], 'm-1')
    assert.equal(bundle.resolve('#ended', ended)?.['id'], 'ended')
    assert.equal(bundle.resolve('#ended'), undefined)
    assert.equal(bundle.resolve('Medication/none'), undefined)
    assert.equal(bundle.resolve(undefined), undefined)
  })
})
