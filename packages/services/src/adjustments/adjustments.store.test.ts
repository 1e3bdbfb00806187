import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import { itemStore } from './store.ts'
import { bases, numbers, query, roleId, sent, startAdjustments } from './testing.ts'

const fhir = { 'content-type': 'application/fhir+json', 'nhsd-session-urid': roleId }
const tally = (statuses: readonly number[]) =>
  Object.fromEntries(
    [...new Set(statuses)].sort().map((status) => [status, statuses.filter((each) => each === status).length]),
  )

forEachStore((open) => {
  test('of many changes at once one is made, and every version is kept', async (t) => {
    const store = await open()
    const service = await startAdjustments({ store })
    t.after(async () => {
      await service.close()
      await store.close()
    })
    const send = (method: 'POST' | 'PUT', path: string, body: object, more: Readonly<Record<string, string>> = {}) =>
      service.ask({
        method,
        url: `${bases.gateway}${path}`,
        headers: { ...fhir, 'x-request-id': randomUUID(), ...more },
        body,
      })

    const consents = await Promise.all(
      Array.from({ length: 20 }, () => send('POST', '/Consent', sent.consent(numbers.one))),
    )
    assert.deepEqual(tally(consents.map(({ status }) => status)), { 201: 1, 422: 19 })

    const { id } = JSON.parse((await send('POST', '/Flag', sent.flag(numbers.one))).text)
    const changes = await Promise.all(
      Array.from({ length: 100 }, () => send('PUT', `/Flag/${id}`, sent.flag(numbers.one), { 'if-match': 'W/"1"' })),
    )
    assert.deepEqual(tally(changes.map(({ status }) => status)), { 200: 1, 409: 99 })

    const flags = await Promise.all(Array.from({ length: 10 }, () => send('POST', '/Flag', sent.flag(numbers.one))))
    assert.ok(flags.every(({ status }) => status === 201))
    const read = await service.ask({
      url: `${bases.gateway}/Flag?${query(numbers.one)}`,
      headers: { ...fhir, 'x-request-id': randomUUID() },
    })
    assert.equal(JSON.parse(read.text).total, 11)
    const history = await itemStore(store).history(numbers.one, String(id).split('.')[1] ?? '')
    assert.deepEqual(
      history.map(({ version }) => version),
      [1, 2],
    )
    assert.deepEqual(await itemStore(store).all(numbers.other), [])

    const key = { 'x-request-id': randomUUID() }
    const same = await Promise.all(Array.from({ length: 20 }, () => send('POST', '/Flag', sent.flag(numbers.one), key)))
    assert.equal(new Set(same.map(({ text }) => text)).size, 1, 'twenty of one request are one')
    const counted = async () => (await store.pool.query('select 1 from adjustments.request')).rowCount
    assert.ok(((await counted()) ?? 0) > 0)
    await itemStore(store).prune(service.clock.now() + 48 * 60 * 60 * 1000)
    assert.equal(await counted(), 0)
  })

  test('what a decision throws leaves nothing behind', async (t) => {
    const store = await open()
    const service = await startAdjustments({ store })
    t.after(async () => {
      await service.close()
      await store.close()
    })
    const body = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: {
            resourceType: 'Flag',
            status: 'active',
            code: {
              coding: [
                {
                  system: 'https://fhir.nhs.uk/England/CodeSystem/England-FlagCategoryPatient',
                  code: 'female-genital-mutilation-flag',
                },
              ],
            },
            subject: { reference: `Patient/${numbers.one}` },
          },
          request: { method: 'POST', url: 'Flag' },
        },
        {
          resource: {
            resourceType: 'Condition',
            clinicalStatus: {
              coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
            },
            code: { coding: [{ system: 'http://snomed.info/sct', code: '73618009' }] },
            subject: { reference: `Patient/${numbers.one}` },
          },
          request: { method: 'POST', url: 'Condition' },
        },
      ],
    }
    const answer = await service.ask({
      method: 'POST',
      url: bases.flags,
      headers: { ...fhir, 'x-request-id': randomUUID() },
      body,
    })
    assert.equal(answer.status, 404, answer.text)
    assert.deepEqual(await itemStore(store).all(numbers.one), [])
  })
})
