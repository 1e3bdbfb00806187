import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PatientInput } from '../../record/model.ts'
import {
  answerOf,
  entriesOf,
  everyArea,
  extensionsOf,
  type Read,
  referencesOf,
  warningsOf,
} from '../../testing/structured-record.ts'

const asked = (parts: Parameters<typeof answerOf>[1]['consultations']) => ({ consultations: parts ?? [{}] })
const codeOf = (list: Read): string => list.code.coding[0].code

const recorder = 'https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-ParticipantType-1'

describe('consultations', () => {
  const answer = answerOf(everyArea(), asked([{}]))
  const review = answer.at('Encounter/consultation-asthma-review')

  it('are Encounters, one for each entry of their list, with what the profile demands', () => {
    assert.deepEqual(
      new Set(entriesOf(answer.list('List of consultations'))),
      new Set(answer.of('Encounter').map(({ id }) => `Encounter/${id}`)),
    )
    for (const encounter of answer.of('Encounter')) {
      assert.deepEqual(encounter.meta, {
        profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Encounter-1'],
      })
      assert.equal(encounter.status, 'finished')
      assert.equal(encounter.subject.reference, 'Patient/patient-1')
      assert.ok(encounter.identifier[0].system && encounter.identifier[0].value)
      assert.ok(encounter.type[0].text)
      const types = encounter.participant.map(({ type }: Read) => type[0].coding[0])
      assert.equal(types.filter(({ system, code }: Read) => system === recorder && code === 'REC').length, 1)
      for (const absent of ['class', 'reason', 'diagnosis', 'appointment', 'incomingReferral', 'priority', 'partOf'])
        assert.equal(encounter[absent], undefined)
    }
    assert.deepEqual(review.period, { start: '2026-11-11T09:20:00Z', end: '2026-11-11T09:35:00Z' })
    assert.equal(review.length.value, 15)
    assert.equal(review.location[0].location.reference, 'Location/site-1')
    assert.equal(review.type[0].coding[0].code, '325861000000105')
  })

  it('have nested lists: consultation, topics, headings, items in order', () => {
    const own = answer.of('List').filter(({ encounter }) => encounter?.reference === `Encounter/${review.id}`)
    const [consultation, ...others] = own.filter((list) => codeOf(list) === '325851000000107')
    assert.deepEqual(others, [])
    assert.deepEqual(consultation.code.coding[0].display, 'Consultation')
    const [topic, flat] = entriesOf(consultation).map((reference) => answer.at(reference))
    assert.equal(codeOf(topic), '25851000000105')
    assert.equal(topic.title, 'Asthma')
    assert.deepEqual(
      entriesOf(topic).map((reference) => answer.at(reference).title),
      ['History', 'Examination', 'Plan'],
    )
    for (const heading of entriesOf(topic)) assert.equal(codeOf(answer.at(heading)), '24781000000107')
    assert.deepEqual(entriesOf(answer.at(entriesOf(topic)[2] ?? '')), [
      'Observation/item-asthma-review',
      `MedicationRequest/${answer.of('MedicationRequest')[0].id}`,
      'ProcedureRequest/diary-asthma-review',
    ])
    // Without a name and without headings: the items stand in the topic itself.
    assert.equal(flat.title, undefined)
    assert.deepEqual(entriesOf(flat), [
      'DiagnosticReport/investigation-blood-count',
      'AllergyIntolerance/allergy-penicillin',
      'DocumentReference/doc-1',
    ])
    for (const list of own) {
      assert.equal(list.orderedBy.coding[0].code, 'system')
      assert.ok(list.date && list.subject.reference)
      for (const absent of ['note', 'source', 'identifier', 'emptyReason']) assert.equal(list[absent], undefined)
    }
  })

  it('name the problems of a topic by their target alone', () => {
    const [topic] = answer.of('List').filter(({ title }) => title === 'Asthma')
    assert.deepEqual(extensionsOf(topic, 'Extension-CareConnect-RelatedProblemHeader-1'), [
      {
        url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedProblemHeader-1',
        extension: [{ url: 'target', valueReference: { reference: 'Condition/problem-asthma' } }],
      },
    ])
    assert.deepEqual(entriesOf(answer.list('Problems - linked problems not relating to the primary query')), [
      'Condition/problem-asthma',
      'Condition/problem-back-pain',
    ])
  })

  it('have words that are comment notes', () => {
    const [heading] = answer.of('List').filter(({ title }) => title === 'History')
    const note = answer.at(entriesOf(heading)[0] ?? '')
    assert.equal(note.code.coding[0].code, '37331000000100')
    assert.equal(note.comment, 'Few symptoms since the last review; sleeps well.')
    assert.equal(note.context.reference, 'Encounter/consultation-asthma-review')
  })

  it('bring every item along, in secondary lists that are named as published', () => {
    assert.deepEqual(
      answer.titles.filter((title) => title.startsWith('Consultations - ')),
      [
        'Consultations - allergies contained in consultations',
        'Consultations - medications contained in consultations',
        'Consultations - problems contained in consultations',
        'Consultations - immunisations contained in consultations',
        'Consultations - uncategorised data contained in consultations',
        'Consultations - investigations contained in consultations',
        'Consultations - diary entries contained in consultations',
        'Consultations - documents contained in consultations',
      ],
    )
    const list = answer.list('Consultations - uncategorised data contained in consultations')
    assert.deepEqual(list.code.coding, [
      {
        system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/GPConnect-SecondaryListValues-1',
        code: 'consultations-uncategorised-data-contained-in-consultations',
        display: 'Consultations - uncategorised data contained in consultations',
      },
    ])
    const items = answer
      .of('List')
      .filter(({ id }) => id !== undefined)
      .flatMap(entriesOf)
    for (const item of items) assert.ok(answer.at(item))
    // Plan only: the orders are not linked themselves.
    assert.deepEqual(
      answer.of('MedicationRequest').map(({ intent }) => intent),
      ['plan'],
    )
  })

  it('are those of the period, both days included', () => {
    const dates = (first?: string, last?: string) =>
      entriesOf(
        answerOf(
          everyArea(),
          asked([{ consultationSearchPeriod: { ...(first && { first }), ...(last && { last }) } }]),
        ).list('List of consultations'),
      ).length
    assert.equal(dates('2026-11-11'), 1)
    assert.equal(dates('2026-11-12'), 0)
    assert.equal(dates('2019-03-05', '2019-03-05'), 1)
    assert.equal(dates(undefined, '2019-03-05'), 2)
  })

  it('are the latest ones by number', () => {
    const { encounters } = everyArea()
    for (const count of [1, 3, 99]) {
      const latest = answerOf(
        everyArea({ encounters: encounters.toReversed() }),
        asked([{ includeNumberOfMostRecent: count }]),
      )
      assert.deepEqual(
        new Set(latest.of('Encounter').map(({ id }) => id)),
        new Set(
          answer
            .of('Encounter')
            .map(({ id }) => id)
            .slice(0, count),
        ),
      )
    }
  })

  it('without anything in them are not sent; the list says that there are none', () => {
    const none = answerOf(
      everyArea({
        encounters: [
          { date: '2020-01-01', title: 'Opened by mistake', details: ' ' },
          { date: '2020-01-02', title: 'Opened by mistake', topics: [{ title: 'Nothing', headings: [{ items: [] }] }] },
        ],
      }),
      asked([{}]),
    )
    assert.deepEqual(none.titles, ['List of consultations'])
    assert.equal(none.list('List of consultations').emptyReason.coding[0].code, 'no-content-recorded')
  })

  it('keep confidential items back: no reference, a warning in the list of their kind alone', () => {
    const record = everyArea()
    const patient = everyArea({
      observations: record.observations.map((row) =>
        row.id === 'observation-peak-flow' ? { ...row, confidential: true } : row,
      ),
    })
    const kept = answerOf(patient, asked([{}]))
    assert.ok(!referencesOf(kept.bundle).includes('Observation/observation-peak-flow'))
    assert.deepEqual(warningsOf(kept.list('Consultations - uncategorised data contained in consultations')), [
      'confidential-items',
    ])
    assert.deepEqual(warningsOf(kept.list('List of consultations')), [])
    const whole = answerOf(patient, asked([{}]), { includeSensitive: true })
    assert.ok(whole.at('Observation/observation-peak-flow'))
  })

  it('that are confidential are left out with everything in them', () => {
    const encounters: PatientInput['encounters'] = everyArea().encounters.map((row) =>
      row.id === 'consultation-asthma-review' ? { ...row, confidential: true } : row,
    )
    const kept = answerOf(everyArea({ encounters }), asked([{}]))
    assert.deepEqual(warningsOf(kept.list('List of consultations')), ['confidential-items'])
    assert.doesNotMatch(JSON.stringify(kept.bundle), /consultation-asthma-review|sleeps well|observation-peak-flow/)
  })

  it('say of the items of an area that is switched off that it is', () => {
    const off = answerOf(everyArea(), asked([{}]), { disabled: ['immunisations', 'uncategorised'] })
    const [topic] = off.of('List').filter(({ title }) => title === 'Immunisation')
    assert.deepEqual(topic.entry, [{ item: { display: 'Immunisation items have been disabled' } }])
    assert.deepEqual(off.of('Immunization'), [])
    assert.deepEqual(entriesOf(off.list('Consultations - immunisations contained in consultations')), [
      'Immunisation items have been disabled',
    ])
  })

  it('refer to a resolved allergy inside its list', () => {
    const { allergies, encounters } = everyArea()
    const ended = answerOf(
      everyArea({
        allergies: allergies.map((row) => (row.endDate === undefined ? row : { ...row, id: 'allergy-milk' })),
        encounters: encounters.map((row) =>
          row.id === 'consultation-immunisation' ? { ...row, topics: [{ items: [{ item: 'allergy-milk' }] }] } : row,
        ),
      }),
      asked([{}]),
    )
    const [topic] = ended.of('List').filter((list) => entriesOf(list).includes('#allergy-milk') && list.encounter)
    // Such a reference leads nowhere but into its own resource.
    assert.equal(topic.contained[0].id, 'allergy-milk')
    assert.ok(ended.of('AllergyIntolerance').every(({ id }) => id !== 'allergy-milk'))
    assert.equal(ended.list('Ended allergies').contained[0].id, 'allergy-milk')
  })
})
