import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PracticeFile } from '../record/model.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { systems } from '../stu3/systems.ts'
import { exampleAnswers } from '../testing/example-answers.ts'
import { within } from '../testing/refusals.ts'
import type { TestRequest } from '../testing/requests.ts'
import { assertClosed, extension, including, type Json, readRecord, structuredRequest } from '../testing/structured.ts'
import { testAsids, testRoots } from '../testing/stu3-requests.ts'

const whole = (valueBoolean: boolean): Json =>
  including('includeFullRecord', { name: 'includeSensitiveInformation', valueBoolean })

const from = (odsCode: string) =>
  within('requesting_organization', { identifier: [{ system: systems.odsOrganisation, value: odsCode }] })

function migration(
  nhsNumber: string,
  options: { readonly sensitive?: boolean; readonly odsCode?: string; readonly scope?: string } = {},
): TestRequest {
  const { sensitive = false, odsCode = 'A20047', scope = 'patient/*.read conf/N' } = options
  const request = structuredRequest([whole(sensitive)], { nhsNumber, migrate: true })
  Object.assign(request.claims, { reason_for_request: 'migration', requested_scope: scope })
  from(odsCode)(request)
  return request
}

const off: Partial<PracticeFile['practices'][number]> = {
  gpConnect: false,
  disabledAreas: ['allergies', 'medication', 'documents'],
  services: (['structured', 'documents'] as const).map((base) => ({
    base,
    asid: testAsids[base],
    serviceRoot: testRoots[base],
    specificationVersion: '1.6.2',
    on: [],
  })),
}

describe('migration of a record', () => {
  it('holds everything, also where everything is switched off', async () => {
    const [on, whenOff] = [
      readRecord(await exampleAnswers()(migration(people.everySection))),
      readRecord(await exampleAnswers(off)(migration(people.everySection))),
    ]
    for (const bundle of [on, whenOff]) {
      assertClosed(bundle)
      assert.ok(bundle.list('Ended allergies'))
      assert.equal(bundle.of('MedicationStatement').length, 7)
      assert.ok(bundle.of('MedicationRequest').some(({ intent }) => intent === 'order'))
      assert.deepEqual(bundle.of('OperationOutcome'), [])
    }
    assert.deepEqual(
      whenOff.resources.map(({ id }) => id),
      on.resources.map(({ id }) => id),
    )
  })

  it('holds the references to documents, whose content the base for documents hands over', async () => {
    const bundle = readRecord(await exampleAnswers()(migration(people.everySection)))
    const urls = bundle
      .of('DocumentReference')
      .flatMap(({ content }) => (content as { attachment: { url?: string } }[]).map(({ attachment }) => attachment.url))
      .filter((url) => url !== undefined)
    assert.ok(urls.length > 0)
    for (const url of urls) assert.ok(url.includes(`${testRoots.documents}/Binary/`), url)
  })

  it('goes to the practice at which the patient is registered now, and to no other', async () => {
    const moved = await exampleAnswers()(migration(people.registeredElsewhere, { odsCode: 'B82617' }))
    assertClosed(readRecord(moved))
    const stayed = await exampleAnswers()(migration(people.registeredElsewhere))
    assert.equal(stayed.failed?.outcome, 'NOT_AUTHORISED')
  })

  it('follows patients who are inactive, dead or did not consent to sharing', async () => {
    for (const nhsNumber of [people.inactive, people.deceasedLongAgo, people.dissent])
      assert.equal((await exampleAnswers()(migration(nhsNumber))).status, 200)
  })

  it('holds confidential items for a token with conf/R alone, and says otherwise that they are kept back', async () => {
    const without = readRecord(await exampleAnswers()(migration(people.confidentialItems)))
    assert.equal(without.of('MedicationStatement').length, 0)
    const list = without.list('Medications and medical devices')
    assert.deepEqual(
      extension(list, 'ListWarningCode').map(({ valueCode }) => valueCode),
      ['confidential-items'],
    )
    const scope = 'patient/*.read conf/R'
    const allowed = readRecord(await exampleAnswers()(migration(people.confidentialItems, { sensitive: true, scope })))
    assertClosed(allowed)
    assert.equal(allowed.of('MedicationStatement').length, 1)
    assert.equal(extension(allowed.list('Medications and medical devices'), 'ListWarningCode').length, 0)
    const notAsked = readRecord(await exampleAnswers()(migration(people.confidentialItems, { scope })))
    assert.equal(notAsked.of('MedicationStatement').length, 0)
  })
})
