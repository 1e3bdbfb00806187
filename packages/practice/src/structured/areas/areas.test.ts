import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PatientInput } from '../../record/model.ts'
import { syntheticRecord } from '../../sandbox/synthetic.ts'
import {
  answerOf,
  entriesOf,
  everyArea,
  extensionsOf,
  type Read,
  referencesOf,
  warningsOf,
} from '../../testing/structured-record.ts'
import { areas } from '../areas.ts'

const profile = (name: string) => ({
  profile: [`https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-${name}-1`],
})

/** What every resource of a profile must have, and what it must not. */
function conforms(resource: Read, name: string, required: readonly string[], absent: readonly string[]): void {
  assert.deepEqual(resource.meta, profile(name))
  assert.ok(resource.id)
  assert.match(resource.identifier[0].value, /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  assert.ok(resource.identifier[0].system)
  for (const element of required) assert.notEqual(resource[element], undefined, `${name} without ${element}`)
  for (const element of absent) assert.equal(resource[element], undefined, `${name} with ${element}`)
}

describe('immunisations', () => {
  const answer = answerOf(everyArea(), { immunisations: [{}] })
  const given = answer.at('Immunization/immunisation-influenza')

  it('have what the profile demands', () => {
    for (const immunisation of answer.of('Immunization')) {
      conforms(immunisation, 'Immunization', ['notGiven', 'vaccineCode', 'primarySource'], ['reaction', 'encounter'])
      assert.equal(immunisation.status, 'completed')
      assert.ok(extensionsOf(immunisation, 'Extension-CareConnect-DateRecorded-1')[0].valueDateTime)
      assert.ok(extensionsOf(immunisation, 'Extension-CareConnect-VaccinationProcedure-1')[0].valueCodeableConcept)
    }
    assert.equal(given.vaccineCode.coding[0].code, 'UNK')
    assert.equal(given.lotNumber, 'INV-0423')
    assert.equal(given.location.reference, 'Location/site-2')
    assert.deepEqual(
      given.practitioner.map(({ role, actor }: Read) => [role.coding[0].code, actor.reference]),
      [
        ['AP', 'Practitioner/gp-2'],
        ['EP', 'Practitioner/gp-1'],
      ],
    )
    assert.equal(given.vaccinationProtocol[0].doseStatus.coding[0].code, 'count')
    assert.equal(
      given.note[0].text,
      'Left deltoid; batch INV-0423\nPart: Single dose\nContents: Inactivated influenza vaccine',
    )
  })

  it('not given are sent when they are asked for, without how they would have been given', () => {
    assert.deepEqual(
      answer.of('Immunization').map(({ notGiven }) => notGiven),
      [false, false],
    )
    const all = answerOf(
      everyArea({
        immunisations: [
          {
            date: '2025-10-01',
            vaccination: 'Influenza vaccination',
            notGiven: true,
            reason: { text: 'Declined' },
            site: { text: 'Left deltoid' },
            dose: { value: 1, unit: 'ml' },
          },
        ],
        encounters: [],
        problems: [],
      }),
      { immunisations: [{ includeNotGiven: true }] },
    )
    const [not, ...others] = all.of('Immunization')
    assert.deepEqual(others, [])
    assert.equal(not.explanation.reasonNotGiven[0].text, 'Declined')
    for (const element of ['site', 'route', 'doseQuantity', 'vaccinationProtocol'])
      assert.equal(not[element], undefined)
    assert.deepEqual(all.titles, ['Immunisations'])
  })

  it('come with consent and dissent beside their list, unless that is not wanted', () => {
    const patient = everyArea({
      adminItems: [{ date: '2026-10-01', entry: 'Dissent from immunisation', immunisationStatus: 'dissent' }],
    })
    const [dissent, ...others] = answerOf(patient, { immunisations: [{}] }).of('Observation')
    assert.deepEqual(others, [])
    assert.equal(dissent.code.text, 'Dissent from immunisation')
    const without = answerOf(patient, { immunisations: [{ includeStatus: false }] })
    assert.deepEqual(without.of('Observation'), [])
    assert.equal(entriesOf(without.list('Immunisations')).length, without.of('Immunization').length)
  })
})

describe('uncategorised data', () => {
  const answer = answerOf(everyArea(), { uncategorised: [{}] })

  it('is every entry and the words of consultations, with what the profile demands', () => {
    assert.deepEqual(
      entriesOf(answer.list('Uncategorised data')),
      answer.of('Observation').map(({ id }) => `Observation/${id}`),
    )
    for (const observation of answer.of('Observation')) {
      conforms(
        observation,
        'Observation',
        ['code', 'issued', 'performer', 'effectiveDateTime'],
        ['basedOn', 'category', 'dataAbsentReason', 'bodySite', 'method', 'specimen', 'device', 'context'],
      )
      assert.equal(observation.status, 'final')
    }
    const words = answer.of('Observation').filter(({ code }) => code.coding[0].code === '37331000000100')
    assert.equal(words.length, 5)
  })

  it('has values as quantities where they are known, and a blood pressure in its parts', () => {
    const peakFlow = answer.at('Observation/observation-peak-flow')
    assert.equal(peakFlow.valueQuantity.value, 480)
    assert.equal(peakFlow.valueQuantity.system, 'http://unitsofmeasure.org')
    assert.deepEqual(peakFlow.referenceRange, [{ text: '>450' }])
    const pressure = answer.at('Observation/observation-blood-pressure')
    assert.deepEqual(pressure.code.coding[0].code, '75367002')
    assert.deepEqual(
      pressure.component.map(({ code, valueQuantity }: Read) => [
        code.coding[0].code,
        Number(valueQuantity.value),
        valueQuantity.code,
      ]),
      [
        ['271649006', 138, 'mm[Hg]'],
        ['271650006', 84, 'mm[Hg]'],
      ],
    )
    const [temperature] = answer.of('Observation').filter(({ code }) => code.text === 'Body temperature')
    assert.equal(temperature.valueString, '38.4 C')
    assert.equal(temperature.code.coding[0].code, '196411000000103')
  })

  it('has headers and members that name each other', () => {
    const grouped = answerOf(
      everyArea({
        observations: [
          { id: 'head', date: '2020-01-01', entry: 'Examination of eye', members: ['left', 'gone'] },
          { id: 'left', date: '2020-01-01', entry: 'Left eye' },
          { id: 'gone', date: '2020-01-01', entry: 'Right eye', confidential: true },
        ],
        encounters: [],
        problems: [],
      }),
      { uncategorised: [{}] },
    )
    assert.deepEqual(grouped.at('Observation/head').related, [
      { type: 'has-member', target: { reference: 'Observation/left' } },
    ])
    assert.deepEqual(grouped.at('Observation/left').related, [
      { type: 'derived-from', target: { reference: 'Observation/head' } },
    ])
    assert.deepEqual(warningsOf(grouped.list('Uncategorised data')), ['confidential-items'])
  })
})

describe('investigations', () => {
  const answer = answerOf(everyArea(), { investigations: [{}] })
  const report = answer.at('DiagnosticReport/investigation-blood-count')
  const [group, filing] = report.result.map(({ reference }: Read) => answer.at(reference))

  it('are reports with what the profile demands', () => {
    for (const each of answer.of('DiagnosticReport')) {
      conforms(
        each,
        'DiagnosticReport',
        ['issued', 'category', 'result', 'specimen'],
        ['effectiveDateTime', 'effectivePeriod', 'imagingStudy', 'image', 'presentedForm'],
      )
      assert.equal(each.code.coding[0].code, '721981007')
      assert.equal(each.code.coding[0].display, 'Diagnostic studies report')
    }
    assert.deepEqual(report.identifier[1], { system: 'urn:oid:2.16.840.1.113883.2.1.4.5.5', value: 'INV-2291' })
    assert.equal(answer.at(report.performer[0].actor.reference).name, 'Testham Pathology')
  })

  it('are based on a request, which has no date and no consultation of its own', () => {
    const request = answer.at(report.basedOn[0].reference)
    conforms(
      request,
      'ProcedureRequest',
      ['subject', 'requester'],
      [
        ...['definition', 'basedOn', 'replaces', 'requisition', 'priority', 'doNotPerform', 'category', 'context'],
        ...['occurrenceDateTime', 'asNeededBoolean', 'authoredOn', 'performerType', 'supportingInfo', 'specimen'],
        ...['bodySite', 'relevantHistory'],
      ],
    )
    assert.deepEqual([request.status, request.intent], ['active', 'order'])
    assert.equal(request.code.coding[0].code, '26604007')
  })

  it('have specimens, which groups and results name', () => {
    const specimen = answer.at(report.specimen[0].reference)
    conforms(specimen, 'Specimen', ['subject', 'type'], ['parent', 'request', 'processing', 'container'])
    assert.equal(specimen.accessionIdentifier.value, 'INV-2291-A')
    assert.equal(group.specimen.reference, `Specimen/${specimen.id}`)
  })

  it('have groups whose results name them, each filed by itself', () => {
    conforms(group, 'Observation', ['code'], ['context', 'effectiveDateTime', 'issued', 'valueString', 'category'])
    const results = group.related.map(({ type, target }: Read) => {
      assert.equal(type, 'has-member')
      return answer.at(target.reference)
    })
    assert.equal(results.length, 2)
    for (const result of results) {
      conforms(result, 'Observation', ['issued', 'category', 'valueQuantity'], ['basedOn', 'context', 'device'])
      assert.deepEqual(result.related, [{ type: 'derived-from', target: { reference: `Observation/${group.id}` } }])
    }
    const [, white] = results
    assert.equal(white.code.coding[0].code, '196411000000103')
    const filed = answer
      .of('Observation')
      .filter(({ related }) => related?.[0].target.reference === `Observation/${white.id}`)
    assert.equal(filed[0].valueCodeableConcept.text, 'Total white cell count')
    assert.equal(filed[0].comment, 'Recent cold; repeat if unwell')
  })

  it('say when they were filed, by a comment note of unknown status', () => {
    conforms(filing, 'Observation', ['issued', 'performer', 'effectiveDateTime'], ['category', 'related', 'specimen'])
    assert.equal(filing.status, 'unknown')
    assert.equal(filing.code.coding[0].code, '37331000000100')
  })

  it('keep a confidential result back and say so in the list of reports', () => {
    const { investigations } = everyArea()
    const hidden = answerOf(
      everyArea({
        investigations: investigations.map((row) => ({
          ...row,
          groups: row.groups.map((each) => ({
            ...each,
            results: each.results.map((result, i) => ({ ...result, confidential: i === 1 })),
          })),
        })),
      }),
      { investigations: [{}] },
    )
    assert.deepEqual(warningsOf(hidden.list('Investigations and results')), ['confidential-items'])
    assert.doesNotMatch(JSON.stringify(hidden.bundle), /Total white cell count|repeat if unwell/)
    assert.equal(hidden.of('DiagnosticReport').length, 2)
  })
})

describe('referrals', () => {
  const answer = answerOf(everyArea(), { referrals: [{}] })

  it('have what the profile demands', () => {
    for (const referral of answer.of('ReferralRequest')) {
      conforms(
        referral,
        'ReferralRequest',
        ['reasonCode', 'authoredOn', 'requester'],
        [
          ...['definition', 'replaces', 'groupIdentifier', 'type', 'occurrenceDateTime', 'reasonReference'],
          'relevantHistory',
        ],
      )
      assert.deepEqual([referral.status, referral.intent], ['unknown', 'order'])
    }
  })

  it('name whom they are to as resources where that is known, otherwise in words', () => {
    const known = answer.at('ReferralRequest/referral-physiotherapy')
    assert.deepEqual(
      known.recipient.map(({ reference }: Read) => answer.at(reference).name),
      ['Testham Community Hospital', 'Musculoskeletal physiotherapy'],
    )
    assert.equal(known.priority, 'routine')
    assert.deepEqual(known.identifier[1], { system: 'https://fhir.nhs.uk/Id/ubr-number', value: '000000012345' })
    assert.equal(known.note, undefined)
    const [plain] = answer.of('ReferralRequest').filter(({ recipient }) => recipient === undefined)
    assert.equal(plain.note[0].text, 'From: Dr Bertram Samplewick\nTo: Respiratory clinic\nPriority: Urgent')
    assert.deepEqual(plain.reasonCode[0], {
      coding: [{ system: 'http://snomed.info/sct', code: '196431000000106', display: 'Transfer-degraded referral' }],
      text: 'Respiratory clinic',
    })
  })
})

describe('diary entries', () => {
  it('are plans that are not done yet, with what the profile demands', () => {
    const answer = answerOf(everyArea(), { diary: [{}] })
    assert.equal(answer.of('ProcedureRequest').length, 2)
    for (const entry of answer.of('ProcedureRequest')) {
      conforms(
        entry,
        'ProcedureRequest',
        ['authoredOn', 'requester', 'code', 'occurrenceDateTime'],
        [
          ...['priority', 'doNotPerform', 'category', 'asNeededBoolean', 'performerType', 'performer'],
          ...['reasonReference', 'specimen', 'bodySite', 'relevantHistory'],
        ],
      )
      assert.deepEqual([entry.status, entry.intent], ['active', 'plan'])
      assert.equal(entry.requester.onBehalfOf, undefined)
    }
    const [plain] = answer.of('ProcedureRequest').filter(({ code }) => code.text === 'Blood pressure check')
    assert.equal(plain.code.coding[0].code, '196451000000104')
  })

  it('are those until a day, and those of no day', () => {
    const patient = everyArea({
      diaryEntries: [
        ...['2026-10-01', '2026-12-01', '2026-12-02'].map((date) => ({
          date,
          entry: date,
          recordedDate: '2026-09-01',
        })),
        { entry: 'some day', recordedDate: '2026-09-01' },
      ],
      encounters: [],
      problems: [],
    })
    const until = answerOf(patient, { diary: [{ diaryEntriesSearchDate: '2026-12-01' }] })
    assert.deepEqual(
      until.of('ProcedureRequest').map(({ code }) => code.text),
      ['2026-10-01', '2026-12-01', 'some day'],
    )
  })
})

describe('periods', () => {
  const cases = [
    ['uncategorised', 'uncategorisedDataSearchPeriod', 'Observation', '2019-03-05'],
    ['investigations', 'investigationSearchPeriod', 'DiagnosticReport', '2012-11-22'],
    ['referrals', 'referralSearchPeriod', 'ReferralRequest', '2019-03-12'],
  ] as const
  for (const [area, part, type, day] of cases)
    it(`of ${area} include both their days`, () => {
      const count = (first: string, last: string) =>
        answerOf(everyArea(), { [area]: [{ [part]: { first, last } }] }).of(type).length
      assert.ok(count(day, day) > 0)
      assert.equal(count('1950-01-01', '1950-01-02'), 0)
      assert.equal(
        answerOf(everyArea(), { [area]: [{ [part]: {} }] }).of(type).length,
        answerOf(everyArea(), { [area]: [{}] }).of(type).length,
      )
    })
})

describe('a record without anything', () => {
  it('has one empty list for each area that was asked for', () => {
    const empty = everyArea({
      ...Object.fromEntries(
        ['encounters', 'clinicalItems', 'adminItems', 'allergies', 'immunisations', 'observations', 'referrals'].map(
          (name) => [name, []],
        ),
      ),
      problems: [],
      medications: [],
      investigations: [],
      diaryEntries: [],
      documents: [],
    })
    const answer = answerOf(empty, Object.fromEntries(areas.map(({ name, whole }) => [name, [whole]])))
    assert.equal(answer.titles.length, 10)
    for (const title of answer.titles) {
      const list = answer.list(title)
      assert.equal(list.emptyReason.coding[0].code, 'no-content-recorded')
      assert.equal(list.note[0].text, 'Information not available')
    }
  })
})

describe('invented records', () => {
  /** A synthetic record whose rows have ids, are linked as the numbers say, and are kept back here and there. */
  function linked(seed: number, links: readonly number[]): PatientInput {
    const record = syntheticRecord(
      { nhsNumber: '9990100004', family: 'Quietwell', given: ['Dora'], gender: 'female', birthDate: '1955-05-14' },
      seed,
      '2026-11-20',
    )
    let next = 0
    const link = (): number => links[next++ % links.length] ?? 0
    const named = <Row extends object>(rows: readonly Row[] | undefined, kind: string) =>
      (rows ?? []).map((row, i) => ({
        ...row,
        id: `${kind}-${i}`,
        ...(link() % 5 === 0 ? { confidential: true } : {}),
      }))
    const rows = {
      clinicalItems: named(record.clinicalItems, 'item'),
      adminItems: named(record.adminItems, 'admin'),
      allergies: named(record.allergies, 'allergy'),
      immunisations: named(record.immunisations, 'immunisation'),
      observations: named(record.observations, 'observation'),
      referrals: named(record.referrals, 'referral'),
      medications: named(record.medications, 'medication'),
    }
    const ids = Object.values(rows).flatMap((each) => each.map(({ id }) => id))
    const problems = named(record.problems, 'problem')
    const some = (from: readonly string[]) => [...new Set(from.filter(() => link() % 3 === 0))]
    return {
      ...record,
      ...rows,
      problems: problems.map((row, i) => ({
        ...row,
        related: some(ids),
        relatedProblems: some(problems.slice(0, i).map(({ id }) => id)).map((problem) => ({ problem, is: 'child' })),
      })),
      encounters: named(record.encounters, 'encounter').map((row) => ({
        ...row,
        topics:
          link() % 2 === 0
            ? []
            : [
                { problems: some(problems.map(({ id }) => id)), items: some(ids).map((item) => ({ item })) },
                { headings: [{ title: 'Plan', items: [{ text: 'Words' }, ...some(ids).map((item) => ({ item }))] }] },
              ],
      })),
    }
  }

  it('are answered with resources that conform and references that lead somewhere, whatever is asked', () => {
    const names = areas.map(({ name }) => name)
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.array(fc.nat(1000), { minLength: 7, maxLength: 60 }),
        fc.subarray(names, { minLength: 1 }),
        fc.subarray(names, { maxLength: 3 }),
        (seed, links, asked, disabled) => {
          const { usualGp: _, ...rows } = linked(seed, links)
          const patient = everyArea({ documents: [], investigations: [], diaryEntries: [], ...rows })
          const served = asked.filter((name) => !disabled.includes(name))
          const answer = answerOf(patient, Object.fromEntries(served.map((name) => [name, [{}]])), { disabled })
          const references = new Set(referencesOf(answer.bundle).map((reference) => reference.split('/')[1]))
          const hidden = [
            ...patient.observations,
            ...patient.encounters,
            ...patient.problems,
            ...patient.referrals,
            ...patient.immunisations,
          ].filter(({ confidential }) => confidential === true)
          for (const { id } of hidden) assert.ok(!references.has(id), `${id} is confidential`)
          assert.equal(new Set(answer.titles).size, answer.titles.length)
        },
      ),
      { numRuns: 40 },
    )
  })
})
