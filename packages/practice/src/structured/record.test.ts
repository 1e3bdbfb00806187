import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { definition } from '../stu3/systems.ts'
import { exampleAnswers } from '../testing/example-answers.ts'
import { traceId } from '../testing/requests.ts'
import {
  allergies,
  askRecord,
  assertClosed,
  extension,
  including,
  inside,
  type Json,
  medication,
  type RecordBundle,
  readRecord,
  structuredRequest,
  withRows,
} from '../testing/structured.ts'

const active = 'Allergies and adverse reactions'
const medications = 'Medications and medical devices'

const texts = (list: Json) => ((list['note'] ?? []) as Json[]).map(({ text }) => text)
const warningCodes = (list: Json) => extension(list, 'ListWarningCode').map(({ valueCode }) => valueCode)

describe('structured record', () => {
  it('is a closed collection, the same in JSON and XML, requests in both', async () => {
    const request = structuredRequest([allergies(), medication()])
    const json = readRecord(await exampleAnswers()(request))
    assertClosed(json)
    request.headers['Accept'] = 'application/fhir+xml'
    assert.deepEqual(readRecord(await exampleAnswers()(request)).raw, json.raw)
    request.body = stu3.toXml(JSON.parse(request.body))
    request.headers['Content-Type'] = 'application/fhir+xml'
    assert.deepEqual(readRecord(await exampleAnswers()(request)).raw, json.raw)
    assert.deepEqual(json.raw['meta'], { profile: [definition('GPConnect-StructuredRecord-Bundle-1')] })
  })

  it('has the trace id of the request as its id, and none in 1.2', async () => {
    assert.equal((await askRecord([])).raw['id'], traceId)
    assert.equal('id' in (await askRecord([], { base: 'gpconnect' })).raw, false)
  })

  it('always has the patient, the practice and the usual GP with the role, and with nothing asked nothing else', async () => {
    const bundle = await askRecord([])
    assertClosed(bundle)
    assert.equal(bundle.of('Patient').length, 1)
    assert.ok(bundle.of('Organization').some(({ id }) => id === 'A20047'))
    assert.deepEqual(
      bundle.of('Practitioner').map(({ id }) => id),
      ['gp-1'],
    )
    assert.equal(bundle.of('PractitionerRole').length, 1)
    assert.deepEqual(
      new Set(bundle.resources.map(({ resourceType }) => resourceType)),
      new Set(['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location']),
    )
  })

  it('says that nobody is known, rather than somebody, where the record names no one', async () => {
    const { settings, nhsNumber } = withRows({ allergies: [{ details: 'Wasp stings' }], usualGp: 'gp-1' })
    const bundle = await askRecord([allergies()], { settings, nhsNumber })
    assertClosed(bundle)
    const recorder = inside(bundle.of('AllergyIntolerance')[0], 'recorder', 'reference')
    const unknown = bundle.of('Practitioner').find(({ id }) => id !== 'gp-1')
    assert.equal(recorder, `Practitioner/${unknown?.['id']}`)
    assert.equal(inside(unknown, 'name', 0, 'family'), 'Unknown')
  })

  it('leaves in the audit which areas were given', async () => {
    const { sheet } = await exampleAnswers({ disabledAreas: ['allergies'] })(
      structuredRequest([allergies(), medication()]),
    )
    assert.deepEqual(sheet.audited, { areas: ['medication'] })
  })

  it('keeps ids and identifiers from one request to the next, whatever else is entered', async () => {
    const rows = (more: readonly { details: string; startDate?: string }[], issues: readonly { date: string }[]) =>
      withRows({
        allergies: [...more, { details: 'Wasp stings', startDate: '2020-01-01' }, { details: 'Nickel' }],
        medications: [
          { type: 'repeat', item: 'A', dosage: 'One', recordedDate: '2020-01-01', issues: [...issues] },
          { type: 'repeat', item: 'A', dosage: 'Two', recordedDate: '2020-01-01' },
        ],
      })
    const ids = async (given: ReturnType<typeof rows>) =>
      (await askRecord([allergies(), medication()], given)).resources.flatMap(({ resourceType, id, identifier }) =>
        ['AllergyIntolerance', 'MedicationStatement', 'MedicationRequest'].includes(String(resourceType))
          ? [JSON.stringify([id, identifier])]
          : [],
      )
    const before = await ids(rows([], [{ date: '2020-02-01' }]))
    const after = await ids(rows([{ details: 'Pollen' }], [{ date: '2020-02-01' }, { date: '2020-03-01' }]))
    assert.equal(new Set(before).size, before.length)
    assert.equal(after.length, before.length + 2)
    for (const id of before) assert.ok(after.includes(id))
  })

  it('makes identifiers of given ids that no other patient has', async () => {
    const value = async (nhsNumber: string) => {
      const rows = withRows({ allergies: [{ id: 'a-1', details: 'Nickel' }] })
      const [only] = rows.settings.patients ?? []
      assert.ok(only)
      const settings = { patients: [{ ...only, nhsNumber }] }
      const [allergy] = (await askRecord([allergies()], { nhsNumber, settings })).of('AllergyIntolerance')
      assert.equal(allergy?.['id'], 'a-1')
      return inside(allergy, 'identifier', 0, 'value')
    }
    assert.notEqual(await value(people.noData), await value(people.inTransit))
    assert.equal(await value(people.noData), await value(people.noData))
  })
})

describe('lists of a structured record', () => {
  it('have no id, and everything that the profile asks for', async () => {
    const { id: _, entry, ...list } = (await askRecord([allergies()])).list(active)
    assert.equal(_, undefined)
    assert.equal((entry as unknown[]).length, 2)
    assert.deepEqual(list, {
      resourceType: 'List',
      meta: { profile: [definition('CareConnect-GPC-List-1')] },
      extension: [
        {
          url: definition('Extension-CareConnect-GPC-ClinicalSetting-1'),
          valueCodeableConcept: {
            coding: [
              { system: 'http://snomed.info/sct', code: '1060971000000108', display: 'General practice service' },
            ],
          },
        },
      ],
      status: 'current',
      mode: 'snapshot',
      title: active,
      code: {
        coding: [
          { system: 'http://snomed.info/sct', code: '886921000000105', display: 'Allergies and adverse reactions' },
        ],
      },
      subject: {
        reference: 'Patient/p-609',
        identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: people.everySection },
      },
      date: '2026-11-20T10:00:00+00:00',
    })
  })

  it('stand there empty, with the reason, where there is nothing', async () => {
    const bundle = await askRecord([allergies(), medication()], { nhsNumber: people.noData })
    assertClosed(bundle)
    assert.equal(bundle.of('List').length, 3)
    for (const list of bundle.of('List')) {
      assert.equal(list['entry'], undefined)
      assert.deepEqual(list['emptyReason'], {
        coding: [
          {
            system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1',
            code: 'no-content-recorded',
            display: 'No Content Recorded',
          },
        ],
      })
      assert.deepEqual(list['note'], [{ text: 'Information not available' }])
    }
  })

  it('leave confidential items out and say so, in the affected list alone', async () => {
    const bundle = await askRecord([allergies(), medication()], { nhsNumber: people.confidentialItems })
    assertClosed(bundle)
    assert.equal(bundle.of('MedicationStatement').length, 0)
    assert.deepEqual(warningCodes(bundle.list(medications)), ['confidential-items'])
    assert.ok(
      texts(bundle.list(medications)).includes('Items excluded due to confidentiality and/or patient preferences.'),
    )
    assert.deepEqual(warningCodes(bundle.list(active)), [])
  })

  it('say in each that a record is in transit', async () => {
    const bundle = await askRecord([allergies(), medication()], { nhsNumber: people.inTransit })
    for (const list of bundle.of('List')) {
      assert.deepEqual(warningCodes(list), ['data-in-transit'])
      assert.ok(
        texts(list).includes(
          'Patient record transfer from previous GP practice not yet complete; information recorded before 31-Oct-2026 may be missing.',
        ),
      )
    }
  })

  it('say that data waits to be filed, in the words of the version', async () => {
    const waiting = withRows({ awaitingFiling: true, allergies: [{ details: 'Nickel' }] })
    const words = async (base: 'gpconnect' | 'structured') => {
      const list = (await askRecord([allergies(false)], { ...waiting, base })).list(active)
      assert.deepEqual(warningCodes(list), ['data-awaiting-filing'])
      return texts(list)
    }
    assert.deepEqual(await words('gpconnect'), [
      'Patient data may be incomplete as there is data supplied by a third party awaiting review before becoming available.',
    ])
    assert.match(String(await words('structured')), /^Patient record contains some items in the GP practice workflow /)
  })
})

describe('warnings of a structured record', () => {
  const unserved = ({ of }: RecordBundle) => {
    const [outcome, ...others] = of('OperationOutcome')
    assert.equal(others.length, 0)
    return (outcome?.['issue'] ?? []) as Json[]
  }
  const issue = (name: string, text: string) => ({
    severity: 'warning',
    code: 'not-supported',
    details: {
      coding: [
        {
          system: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1',
          code: 'NOT_IMPLEMENTED',
          display: 'Not implemented',
        },
      ],
      text,
    },
    diagnostics: name,
  })

  it('name unknown parameters and parts once each, and no parts of unknown parameters', async () => {
    const bundle = await askRecord([
      allergies(),
      including('includeWeather', { name: 'tomorrow', valueBoolean: true }),
      including('includeWeather'),
      medication({ name: 'includeColour', valueBoolean: true }),
    ])
    assertClosed(bundle)
    assert.deepEqual(unserved(bundle), [
      issue('includeWeather', 'includeWeather is an unrecognised parameter'),
      issue('includeMedication.includeColour', 'includeMedication.includeColour is an unrecognised parameter'),
    ])
    assert.ok(bundle.list(medications))
  })

  it('name in 1.2 the parameters of later versions, whatever is in them', async () => {
    const later = including('includeDiaryEntries', { name: 'diaryEntriesSearchDate', valueDate: '2001' })
    const bundle = await askRecord([allergies(), later], { base: 'gpconnect' })
    assert.deepEqual(unserved(bundle), [
      issue('includeDiaryEntries', 'includeDiaryEntries is an unrecognised parameter'),
    ])
  })

  it('name an area that the practice has switched off, and leave it out', async () => {
    const bundle = await askRecord([allergies(), medication()], { settings: { disabledAreas: ['allergies'] } })
    assertClosed(bundle)
    assert.deepEqual(unserved(bundle), [issue('includeAllergies', 'includeAllergies has been disabled')])
    assert.deepEqual(
      bundle.of('List').map(({ title }) => title),
      [medications, 'Problems - linked problems not relating to the primary query'],
    )
    assert.equal(bundle.of('AllergyIntolerance').length, 0)
  })

  it('are not there where all is served', async () => {
    assert.deepEqual((await askRecord([allergies(), medication()])).of('OperationOutcome'), [])
  })
})
