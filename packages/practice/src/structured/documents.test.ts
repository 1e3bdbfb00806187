import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { askRecord, including } from '../testing/structured.ts'
import {
  answerOf,
  documentsRoot,
  entriesOf,
  everyArea,
  extensionsOf,
  type Read,
  warningsOf,
} from '../testing/structured-record.ts'
import { testRoots } from '../testing/stu3-requests.ts'

const asthma = 'Condition/problem-asthma'
const inConsultations = 'Consultations - documents contained in consultations'
const relatedToProblems = 'Problems - documents related to problems'
const unsupported = 'Document items are not supported by the provider system'
const switchedOff = 'Document items have been disabled'

const contentsOf = (condition: Read): unknown[] =>
  extensionsOf(condition, 'RelatedClinicalContent-1').map(
    ({ valueReference }) => valueReference.reference ?? valueReference.display,
  )
/** What stands in the topic of the consultation that the document belongs to. */
const itemsOf = (answer: ReturnType<typeof answerOf>): string[] =>
  answer.of('List').flatMap((list) => (list.id === undefined ? [] : entriesOf(list)))

const withDocument = (changes: object) =>
  everyArea({
    documents: everyArea().documents.map(({ size: _, sha256: __, ...document }) => ({
      ...document,
      ...(document.id === 'doc-1' ? changes : {}),
    })),
  })

describe('documents of a structured record', () => {
  it('are references with the URL of their content, and their consultation where it was asked for', () => {
    const answer = answerOf(everyArea(), { consultations: [{}], problems: [{}] })
    const document = answer.at('DocumentReference/doc-1')
    assert.deepEqual(document.meta, {
      profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-DocumentReference-1'],
    })
    assert.equal(document.content[0].attachment.data, undefined)
    assert.equal(document.context.encounter.reference, 'Encounter/consultation-asthma-review')
    assert.ok(answer.at('Organization/X26').name)
    // The other two are linked to nothing.
    assert.equal(answer.of('DocumentReference').length, 1)
    assert.ok(itemsOf(answer).includes('DocumentReference/doc-1'))
    assert.ok(contentsOf(answer.at(asthma)).includes('DocumentReference/doc-1'))
    for (const title of [inConsultations, relatedToProblems])
      assert.deepEqual(entriesOf(answer.list(title)), ['DocumentReference/doc-1'])
    assert.equal(answer.list(inConsultations).code.coding[0].code, 'consultations-documents-contained-in-consultations')
  })

  it('do not come along with areas that they are not linked to', () => {
    const answer = answerOf(everyArea(), { medication: [{}], diary: [{}] })
    assert.deepEqual(answer.of('DocumentReference'), [])
    assert.ok(!contentsOf(answer.at(asthma)).includes('DocumentReference/doc-1'))
  })

  it('point to the service for documents of the same practice', async () => {
    const bundle = await askRecord([including('includeProblems')])
    const [document] = bundle.of('DocumentReference') as Read[]
    assert.ok(document.content[0].attachment.url.endsWith(`${testRoots.documents}/Binary/doc-1`))
    assert.match(document.content[0].attachment.url, /^https:/)
    assert.ok(answerOf(withDocument({ content: 'AAAA', sha256: 'a'.repeat(64) }), { problems: [{}] }))
    assert.equal(documentsRoot.endsWith(testRoots.documents), true)
  })

  it('are named as not supported where the practice does not hand them over', async () => {
    const answer = answerOf(everyArea(), { consultations: [{}], problems: [{}] }, { documents: false })
    assert.deepEqual(answer.of('DocumentReference'), [])
    assert.ok(itemsOf(answer).includes(unsupported))
    assert.ok(contentsOf(answer.at(asthma)).includes(unsupported))
    assert.ok(!answer.titles.includes(inConsultations) && !answer.titles.includes(relatedToProblems))
    const services = (on: readonly 'documents'[]) => [
      {
        base: 'structured' as const,
        asid: '200000100012',
        serviceRoot: testRoots.structured,
        specificationVersion: '1.6.2',
        on: ['structuredRecord' as const],
      },
      {
        base: 'documents' as const,
        asid: '200000100013',
        serviceRoot: testRoots.documents,
        specificationVersion: '1.6.2',
        on: [...on],
      },
    ]
    const asked = async (on: readonly 'documents'[]) =>
      (await askRecord([including('includeProblems')], { settings: { services: services(on) } })).of(
        'DocumentReference',
      )
    assert.equal((await asked(['documents'])).length, 1)
    assert.equal((await asked([])).length, 0)
  })

  it('are named as disabled where they are switched off', async () => {
    const answer = answerOf(everyArea(), { consultations: [{}], problems: [{}] }, { disabled: ['documents'] })
    assert.deepEqual(answer.of('DocumentReference'), [])
    assert.ok(itemsOf(answer).includes(switchedOff))
    assert.ok(contentsOf(answer.at(asthma)).includes(switchedOff))
    for (const title of [inConsultations, relatedToProblems])
      assert.deepEqual(entriesOf(answer.list(title)), [switchedOff])
    const [outcome] = (
      await askRecord([including('includeConsultations')], { settings: { disabledAreas: ['documents'] } })
    ).of('OperationOutcome') as Read[]
    assert.equal(outcome.issue[0].details.text, 'DocumentReferences has been disabled')
  })

  it('that are confidential are kept back with a warning', () => {
    const answer = answerOf(withDocument({ confidential: true }), { consultations: [{}] })
    assert.deepEqual(answer.of('DocumentReference'), [])
    assert.deepEqual(warningsOf(answer.list(inConsultations)), ['confidential-items'])
    assert.ok(!itemsOf(answer).includes('DocumentReference/doc-1'))
  })
})
