import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  answerOf,
  entriesOf,
  everyArea,
  extensionsOf,
  type Read,
  referencesOf,
  warningsOf,
} from '../../testing/structured-record.ts'

const linkedTitle = 'Problems - linked problems not relating to the primary query'
const hl7 = (name: string) => `Extension-CareConnect-${name}-1`
const contentsOf = (condition: Read): string[] =>
  extensionsOf(condition, hl7('RelatedClinicalContent')).map(
    ({ valueReference }) => valueReference.reference ?? valueReference.display,
  )

describe('problems', () => {
  const answer = answerOf(everyArea(), { problems: [{}] })
  const asthma = answer.at('Condition/problem-asthma')

  it('are Conditions, all of them in their list, with what the profile demands', () => {
    assert.deepEqual(
      entriesOf(answer.list('Problems')),
      answer.of('Condition').map(({ id }) => `Condition/${id}`),
    )
    assert.equal(answer.of('Condition').length, 4)
    for (const condition of answer.of('Condition')) {
      assert.match(condition.meta.profile[0], /CareConnect-GPC-ProblemHeader-Condition-1$/)
      const [significance, ...more] = extensionsOf(condition, hl7('ProblemSignificance'))
      assert.deepEqual(more, [])
      assert.ok(['major', 'minor'].includes(significance.valueCode))
      assert.deepEqual(condition.category[0].coding[0], {
        system: 'http://hl7.org/fhir/condition-category',
        code: 'problem-list-item',
        display: 'Problem List Item',
      })
      assert.ok(condition.assertedDate)
      assert.match(condition.asserter.reference, /^Practitioner\//)
      for (const absent of ['severity', 'verificationStatus', 'bodySite', 'stage', 'evidence'])
        assert.equal(condition[absent], undefined)
    }
    assert.equal(asthma.clinicalStatus, 'active')
    assert.equal(asthma.onsetDateTime, '2006-10-17')
    assert.equal(asthma.code.coding[0].code, '195967001')
  })

  it('without a code have the one for degraded text', () => {
    const [sprain] = answer.of('Condition').filter(({ code }) => code.text === 'Sprain of ankle')
    assert.deepEqual(sprain.code.coding, [
      { system: 'http://snomed.info/sct', code: '196411000000103', display: 'Transfer-degraded record entry' },
    ])
  })

  it('name what was linked to them, to their topics, and the consultations that hold it', () => {
    assert.deepEqual(
      new Set(contentsOf(asthma)),
      new Set([
        `MedicationRequest/${answer.of('MedicationRequest')[0].id}`,
        'Immunization/immunisation-influenza',
        'DiagnosticReport/investigation-blood-count',
        'DocumentReference/doc-1',
        'Observation/observation-peak-flow',
        'Observation/item-asthma-review',
        'ProcedureRequest/diary-asthma-review',
        'Encounter/consultation-asthma-review',
        'Encounter/consultation-immunisation',
      ]),
    )
    const back = answer.at('Condition/problem-back-pain')
    assert.deepEqual(extensionsOf(back, hl7('ActualProblem'))[0].valueReference, {
      reference: 'Observation/item-back-pain',
    })
    assert.ok(!contentsOf(back).includes('Observation/item-back-pain'))
    assert.equal(back.context.reference, 'Encounter/consultation-back-pain')
  })

  it('are related to each other from both sides', () => {
    const relation = (id: string) =>
      extensionsOf(answer.at(`Condition/${id}`), hl7('RelatedProblemHeader'))[0].extension
    assert.deepEqual(relation('problem-asthma'), [
      { url: 'type', valueCode: 'parent' },
      { url: 'target', valueReference: { reference: 'Condition/problem-pneumonia' } },
    ])
    assert.deepEqual(relation('problem-pneumonia'), [
      { url: 'type', valueCode: 'child' },
      { url: 'target', valueReference: { reference: 'Condition/problem-asthma' } },
    ])
  })

  it('bring consultations along without their lists', () => {
    assert.ok(answer.of('Encounter').length > 0)
    assert.deepEqual(
      answer.of('List').filter(({ id }) => id !== undefined),
      [],
    )
    assert.deepEqual(answer.titles, [
      'Problems',
      'Problems - medications related to problems',
      'Problems - consultations related to problems',
      'Problems - immunisations related to problems',
      'Problems - uncategorised data related to problems',
      'Problems - investigations related to problems',
      'Problems - outbound referrals related to problems',
      'Problems - diary entries related to problems',
      'Problems - documents related to problems',
    ])
  })

  const filters: [string, Parameters<typeof answerOf>[1]['problems'], readonly string[]][] = [
    ['active', [{ filterStatus: 'active' }], ['Asthma']],
    ['minor', [{ filterSignificance: 'minor' }], ['Low back pain', 'Sprain of ankle']],
    [
      'inactive and major',
      [{ filterStatus: 'inactive', filterSignificance: 'major' }],
      ['Community-acquired pneumonia'],
    ],
    [
      'of either pair',
      [
        { filterStatus: 'active', filterSignificance: 'major' },
        { filterStatus: 'inactive', filterSignificance: 'minor' },
      ],
      ['Asthma', 'Low back pain', 'Sprain of ankle'],
    ],
    ['of a pair that nothing fits', [{ filterStatus: 'active', filterSignificance: 'minor' }], []],
  ]
  for (const [name, asked, expected] of filters)
    it(`are those that are ${name}`, () => {
      const filtered = answerOf(everyArea(), { problems: asked ?? [] })
      assert.deepEqual(
        entriesOf(filtered.list('Problems')).map((reference) => filtered.at(reference).code.text),
        expected,
      )
    })

  it('that are related to those asked for come in the list of linked ones, once', () => {
    const filtered = answerOf(everyArea(), { problems: [{ filterStatus: 'active' }] })
    assert.deepEqual(entriesOf(filtered.list('Problems')), ['Condition/problem-asthma'])
    assert.deepEqual(entriesOf(filtered.list(linkedTitle)), ['Condition/problem-pneumonia'])
  })

  it('come with any area whose rows they are linked to, and name only what is there', () => {
    for (const [area, linked] of [
      ['immunisations', 'Immunization/immunisation-influenza'],
      ['diary', 'ProcedureRequest/diary-asthma-review'],
      ['investigations', 'DiagnosticReport/investigation-blood-count'],
    ] as const) {
      const some = answerOf(everyArea(), { [area]: [{}] })
      assert.equal(some.titles.length, 2)
      assert.deepEqual(entriesOf(some.list(linkedTitle)), ['Condition/problem-asthma'])
      assert.deepEqual(contentsOf(some.at('Condition/problem-asthma')), [linked])
      assert.deepEqual(extensionsOf(some.at('Condition/problem-asthma'), hl7('RelatedProblemHeader')), [])
      assert.deepEqual(some.of('Encounter'), [])
    }
  })

  it('asked for beside other areas are in no other list', () => {
    const both = answerOf(everyArea(), { problems: [{}], consultations: [{}], referrals: [{}] })
    assert.ok(!both.titles.includes(linkedTitle))
    assert.equal(both.of('Condition').length, 4)
    assert.equal(both.titles.filter((title) => title === 'Outbound referral').length, 1)
  })

  it('that are confidential are kept back wherever they would stand', () => {
    const patient = everyArea({
      problems: everyArea().problems.map((row) => (row.id === 'problem-asthma' ? { ...row, confidential: true } : row)),
    })
    const asked = answerOf(patient, { problems: [{}] })
    assert.deepEqual(warningsOf(asked.list('Problems')), ['confidential-items'])
    assert.ok(!referencesOf(asked.bundle).includes('Condition/problem-asthma'))
    const linked = answerOf(patient, { diary: [{}] })
    assert.deepEqual(warningsOf(linked.list(linkedTitle)), ['confidential-items'])
    assert.deepEqual(linked.of('Condition'), [])
  })

  it('say once of each area that is switched off that its items are not there', () => {
    const off = answerOf(everyArea(), { problems: [{}] }, { disabled: ['uncategorised', 'consultations'] })
    const contents = contentsOf(off.at('Condition/problem-asthma'))
    assert.equal(contents.filter((each) => each === 'Uncategorised data items have been disabled').length, 1)
    assert.equal(contents.filter((each) => each === 'Consultation items have been disabled').length, 1)
    assert.deepEqual(off.of('Encounter'), [])
    const none = answerOf(everyArea(), { diary: [{}] }, { disabled: ['problems'] })
    assert.deepEqual(entriesOf(none.list(linkedTitle)), ['Problem items have been disabled'])
    assert.deepEqual(none.of('Condition'), [])
  })
})
