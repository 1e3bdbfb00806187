import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Access } from '../access.ts'
import { outcomes } from '../outcomes.ts'
import type { Json } from '../person.ts'
import { isOutcome, openPds, type TestPds } from '../testing.ts'
import { insuranceCard } from '../worked-families.ts'

const base = 'https://sandbox.example/pds'
let pds: TestPds
before(async () => {
  pds = await openPds({ config: { publicUrl: base } })
})
after(() => pds.close())

const patient = (nhsNumber: string): Access => ({
  mode: 'patient',
  patient: { nhsNumber, level: 'P9', vectorOfTrust: 'P9.Cm' },
})
const own = '9990548609'
const card = (subscriber: string, more: Json = {}): Json => ({
  ...insuranceCard({
    number: 'ES456789012345',
    country: 'ESP',
    personalId: '5647382910',
    institution: 'ES11223',
    end: '2031-03-03',
  }),
  subscriber: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: subscriber } },
  ...more,
})
const get = (number: string, as = patient(number)) => pds.ask(`/Coverage?subscriber:identifier=${number}`, { as })
const post = (value: Json, ifMatch: string | undefined, as: Access, id: string = randomUUID()) =>
  pds.ask('/Coverage', {
    method: 'POST',
    payload: JSON.stringify(value),
    headers: {
      'x-request-id': id,
      'content-type': 'application/json',
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    },
    as,
  })

test('the card as in §14, with the version of the record', async () => {
  const answer = await get(own)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers.etag, 'W/"2"')
  const bundle = answer.json()
  assert.deepEqual(r4.check(bundle), [])
  assert.deepEqual([bundle.type, bundle.total, bundle.meta.versionId], ['searchset', 1, '2'])
  const [{ fullUrl, resource }] = bundle.entry
  assert.equal(fullUrl, `${base}/Coverage?subscriber:identifier=${own}`)
  assert.equal(resource.subscriber.identifier.value, own)
  assert.equal(resource.identifier[0].assigner.display, 'Germany')
})

test('no card: none, without a personal number, hidden', async () => {
  for (const [number, version] of [
    ['9990548633', '1'],
    ['9990548625', '7'],
    ['9990548811', '5'],
  ] as const) {
    const answer = await get(number)
    const { timestamp, ...bundle } = answer.json()
    assert.deepEqual(bundle, { resourceType: 'Bundle', type: 'searchset', total: 0, meta: { versionId: version } })
    assert.equal(answer.headers.etag, `W/"${version}"`)
  }
})

test('the query, the token and the number', async () => {
  const as = patient(own)
  for (const query of ['', '?year=1', `?subscriber:identifier=${own}&year=2003`, `?beneficiary:identifier=${own}`])
    isOutcome(await pds.ask(`/Coverage${query}`, { as }), outcomes.coverageSearch)
  isOutcome(await get('9999999990', as), outcomes.patientCannot)
  isOutcome(await get('9990549001'), outcomes.notFound)
  isOutcome(await get('9990548889'), outcomes.invalidated)
  const worker: Access = { mode: 'user-restricted', user: { id: '1' } }
  isOutcome(await get(own, worker), outcomes.operationForbidden('GET', 'user-restricted'))
  isOutcome(await post(card(own), 'W/"2"', worker), outcomes.operationForbidden('POST', 'user-restricted'))
})

test('a write: what is refused, in its order', async () => {
  const as = patient(own)
  isOutcome(await post({}, undefined, as), outcomes.ifMatchMissing)
  isOutcome(
    await pds.ask('/Coverage', {
      method: 'POST',
      payload: '{}',
      as,
      headers: { 'x-request-id': randomUUID(), 'if-match': 'W/"2"' },
    }),
    outcomes.unsupportedService,
  )
  isOutcome(await post(card('9990548617', { status: undefined }), 'W/"2"', as), outcomes.patientCannot)
  isOutcome(await post(card(own, { payor: undefined }), 'W/"9"', as), outcomes.missingField('payor'))
  isOutcome(await post(card(own), 'W/"1"', as), outcomes.versionMismatch)
  isOutcome(await post(card(own), 'two', as), outcomes.versionMismatch)
  isOutcome(await post(card('9990549001'), 'W/"1"', patient('9990549001')), outcomes.notFound)
  isOutcome(await post(card('9990548889'), 'W/"2"', patient('9990548889')), outcomes.invalidated)
  const merged = patient('9990548854')
  isOutcome(
    await post(card('9990548854'), 'W/"6"', merged),
    outcomes.forbiddenUpdate('Update Failed - NHS No. supplied has been superseded in a merge'),
  )
  // Neither to the number that was retained.
  isOutcome(await post(card('9990548870'), 'W/"6"', merged), outcomes.patientCannot)
  const restricted = await post(card('9990548838'), 'W/"3"', patient('9990548838'))
  assert.equal(restricted.json().issue[0].details.coding[0].code, 'FORBIDDEN_UPDATE')
})

test('a write: one version more, answered as it is read, once for one X-Request-ID and one If-Match', async () => {
  const number = '9990548870'
  const as = patient(number)
  const id = randomUUID()
  const answer = await post(card(number), 'W/"6"', as, id)
  assert.equal(answer.statusCode, 201, answer.body)
  assert.equal(answer.headers.etag, 'W/"7"')
  const bundle = answer.json()
  assert.deepEqual(r4.check(bundle), [])
  assert.equal(bundle.entry[0].resource.identifier[0].assigner.display, 'Spain')
  assert.deepEqual((await get(number)).json().entry, bundle.entry)
  const retrieved = await pds.ask(`/Patient/${number}`)
  assert.equal(retrieved.json().meta.versionId, '7')
  assert.ok(!retrieved.body.includes('Coverage'))
  assert.equal((await post(card(number), 'W/"6"', as, id)).body, answer.body)
  const writers = await Promise.all(
    Array.from({ length: 10 }, () => post(card(number, { period: { end: '2032-01-01' } }), 'W/"7"', as)),
  )
  assert.deepEqual(writers.map(({ statusCode }) => statusCode).sort(), [201, ...Array.from({ length: 9 }, () => 409)])
  assert.equal((await get(number)).json().meta.versionId, '8')
  const [line] = await pds.contract.history(number, 1)
  assert.deepEqual([line?.kind, line?.members, line?.author.patient], ['coverage', ['coverage'], number])
})
