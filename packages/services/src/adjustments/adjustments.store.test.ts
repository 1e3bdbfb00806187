import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import { itemStore } from './store.ts'
import { bases, numbers, query, roleId, sent, startAdjustments } from './testing.ts'

const fhir = { 'content-type': 'application/fhir+json', 'nhsd-session-urid': roleId }
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
type Resource = any
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
    assert.deepEqual(await itemStore(store).all([numbers.other]), [])

    const key = { 'x-request-id': randomUUID() }
    const same = await Promise.all(Array.from({ length: 20 }, () => send('POST', '/Flag', sent.flag(numbers.one), key)))
    assert.equal(new Set(same.map(({ text }) => text)).size, 1, 'twenty of one request are one')
    const counted = async () => (await store.pool.query('select 1 from adjustments.request')).rowCount
    assert.ok(((await counted()) ?? 0) > 0)
    await itemStore(store).prune(service.clock.now() + 48 * 60 * 60 * 1000)
    assert.equal(await counted(), 0)
  })

  test('what is kept under a number follows its merge, and nothing of it comes back', async (t) => {
    const store = await open()
    const service = await startAdjustments({ store })
    t.after(async () => {
      await service.close()
      await store.close()
    })
    const { one, other } = numbers
    const send = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object, more: object = {}) =>
      service.ask({
        method,
        url: `${bases.gateway}${path}`,
        headers: { ...fhir, 'x-request-id': randomUUID(), ...more },
        ...(body && { body }),
      })
    const read = async (path: string, nhsNumber: string) => {
      const answer = await send('GET', `${path}?${query(nhsNumber, path === '/List' ? 'code' : 'category')}`)
      assert.equal(answer.status, 200, answer.text)
      return (JSON.parse(answer.text).entry ?? []).map(({ resource }: { resource: Resource }) => resource)
    }
    for (const nhsNumber of [one, other]) {
      assert.equal((await send('POST', '/Consent', sent.consent(nhsNumber))).status, 201)
      const members = [sent.condition(nhsNumber, 'c1'), sent.provenance('c1')]
      const list = { ...sent.list(nhsNumber, members), entry: [{ item: { reference: '#c1' } }] }
      assert.equal((await send('POST', '/List', list)).status, 201)
    }
    const flag = JSON.parse((await send('POST', '/Flag', sent.flag(other))).text)
    service.people.merge(other, one)

    for (const nhsNumber of [one, other]) {
      const [consents, flags, lists] = [
        await read('/Consent', nhsNumber),
        await read('/Flag', nhsNumber),
        await read('/List', nhsNumber),
      ]
      assert.deepEqual([consents.length, flags.length, lists.length], [1, 1, 1])
      assert.match(consents[0].id, new RegExp(`^${one}\\.`))
      assert.equal(flags[0].id, `${one}.${String(flag.id).split('.')[1]}`)
      assert.match(flags[0].subject.reference, new RegExp(`/${one}$`))
      const contained: Resource[] = lists[0].contained
      const conditions = contained.filter(({ resourceType }) => resourceType === 'Condition')
      assert.deepEqual(
        conditions.map(({ subject }) => subject.reference.slice(-10)),
        [one, one],
      )
      assert.equal(new Set(contained.map(({ id }) => id)).size, 4, 'names in the list are apart')
    }
    const details = await service.ask({
      url: `${bases.flags}/Flag?patient=${one}&code=national-reasonable-adjustment-flag`,
      headers: { ...fhir, 'x-request-id': randomUUID() },
    })
    assert.equal(JSON.parse(details.text).total, 4)

    // The former number is written to no more; what is kept under it is changed by the retained one, in its own history.
    const refused = await send('POST', '/Flag', sent.flag(other))
    assert.deepEqual([refused.status, /INVALID_REQUEST_STATE/.test(refused.text)], [422, true])
    const id = `${one}.${String(flag.id).split('.')[1]}`
    const changes = await Promise.all(
      Array.from({ length: 10 }, () => send('PUT', `/Flag/${id}`, sent.flag(one), { 'if-match': 'W/"1"' })),
    )
    assert.deepEqual(tally(changes.map(({ status }) => status)), { 200: 1, 409: 9 })
    const history = await itemStore(store).history(other, String(flag.id).split('.')[1] ?? '')
    assert.deepEqual(
      history.map(({ version }) => version),
      [1, 2],
    )
    const [added] = await Promise.all([
      send('POST', '/Flag', sent.flag(one)),
      // Whoever still knew the patient by the former number alone takes the same lock.
      itemStore(store).change([other], () => ({ writes: [], result: 0 })),
    ])
    assert.equal(added?.status, 201)

    const gone = await send('POST', '/$removerarecord', sent.removeRecord(one), { 'if-match': 'W/"1"' })
    assert.equal(gone.status, 200, gone.text)
    for (const path of ['/Consent', '/Flag', '/List']) assert.deepEqual(await read(path, one), [])
    assert.ok((await itemStore(store).all([one, other])).every(({ active }) => !active))
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
    assert.deepEqual(await itemStore(store).all([numbers.one]), [])
  })
})
