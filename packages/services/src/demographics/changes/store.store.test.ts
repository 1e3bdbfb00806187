import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Store } from '@openspine/platform/store'
import { forEachStore } from '@openspine/platform/testing'
import type { PersonRecord } from '../contract.ts'
import { migrations } from '../migrations.ts'
import { type StoredPerson, storedPerson } from '../person.ts'
import { personStore } from '../store.ts'
import type { Change } from './change.ts'
import { changeStore } from './store.ts'

const record = (version: number, family: string, more: PersonRecord['patient'] = {}): StoredPerson =>
  storedPerson({
    nhsNumber: '9990548609',
    version,
    patient: {
      name: [{ use: 'usual', family, given: ['Arlo'] }],
      gender: 'male',
      birthDate: '1980-02-29',
      address: [{ use: 'home', postalCode: 'ZZ99 3CZ' }],
      ...more,
    },
  })

const update = (before: StoredPerson, after: StoredPerson, requestId: string): Change => ({
  before,
  after,
  kind: 'update',
  at: 1_000,
  author: { mode: 'user-restricted', user: '555', role: '777' },
  members: ['name'],
  events: [
    { code: 'pds-record-change-1', facts: {} },
    { code: 'pds-change-of-address-1', facts: { old: 'x' } },
  ],
  request: { caller: 'app', id: requestId, answer: { status: 200, body: '{}', headers: { etag: 'W/"2"' } } },
})

forEachStore((open) => {
  let store: Store
  before(async () => {
    store = await open()
    await store.migrate('demographics', migrations)
  })
  after(() => store.close())
  beforeEach(async () => {
    for (const table of ['person', 'name_key', 'address_key', 'telecom_key', 'change', 'request', 'outbox'])
      await store.pool.query(`delete from demographics.${table}`)
    await personStore(store).insert([record(1, 'Testcase')])
  })

  const count = async (table: string) =>
    Number((await store.pool.query(`select count(*)::int as n from demographics.${table}`)).rows[0].n)

  test('of a hundred writes over one version one is written, and leaves one history line and its events', async () => {
    const changes = changeStore(store)
    const written = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        changes.write(update(record(1, 'Testcase'), record(2, `New${index}`), `request-${index}`)),
      ),
    )
    assert.equal(written.filter((result) => result === 'written').length, 1)
    assert.equal(written.filter((result) => result === 'stale').length, 99)
    const person = await personStore(store).find('9990548609')
    const winner = written.indexOf('written')
    assert.deepEqual(person, record(2, `New${winner}`))
    assert.deepEqual(
      [await count('change'), await count('request'), await count('outbox'), await count('name_key')],
      [1, 1, 2, 1],
    )
    const [line] = await changes.history('9990548609', 10)
    assert.deepEqual(line, {
      version: 2,
      at: 1_000,
      kind: 'update',
      author: { mode: 'user-restricted', user: '555', role: '777' },
      members: ['name'],
      requestId: `request-${winner}`,
    })
  })

  test('a request is written once, whatever it brings the second time', async () => {
    const changes = changeStore(store)
    assert.equal(await changes.write(update(record(1, 'Testcase'), record(2, 'Second'), 'same')), 'written')
    assert.equal(await changes.write(update(record(2, 'Second'), record(3, 'Third'), 'same')), 'repeated')
    assert.equal((await personStore(store).find('9990548609'))?.version, 2)
    assert.equal(await count('change'), 1)
    assert.deepEqual(await changes.keptAnswer({ caller: 'app', id: 'same' }), {
      status: 200,
      body: '{}',
      headers: { etag: 'W/"2"' },
      shown: '9990548609',
    })
    assert.equal(await changes.keptAnswer({ caller: 'another', id: 'same' }), undefined)
    await changes.prune(1_001, 0)
    assert.equal(await changes.keptAnswer({ caller: 'app', id: 'same' }), undefined)
    assert.equal(await count('outbox'), 2)
  })

  test('keys follow the record: more names, fewer names, none when nobody may find the person', async () => {
    const changes = changeStore(store)
    const names = ['Testcase', 'Maiden', 'Nick'].map((family, index) => ({
      use: index === 0 ? 'usual' : 'old',
      family,
      given: ['Arlo'],
    }))
    const families = async () =>
      (await store.pool.query('select family from demographics.name_key order by item')).rows.map(
        ({ family }) => family,
      )
    const steps = [
      record(1, 'Testcase'),
      record(2, 'x', { name: names, telecom: [{ system: 'phone', value: '07700900001' }] }),
      record(3, 'x', { name: names.slice(0, 2) }),
      storedPerson({ nhsNumber: '9990548609', version: 4, sensitivity: 'V', patient: { name: names } }),
    ]
    const seen: unknown[] = []
    for (const [index, after] of steps.entries()) {
      const earlier = steps[index - 1]
      if (earlier) assert.equal(await changes.write(update(earlier, after, `step-${index}`)), 'written')
      seen.push(await families(), await count('address_key'), await count('telecom_key'))
    }
    assert.deepEqual(seen, [
      ...[['TESTCASE'], 1, 0],
      ...[['TESTCASE', 'MAIDEN', 'NICK'], 1, 1],
      ...[['TESTCASE', 'MAIDEN'], 1, 0],
      ...[[], 0, 0],
    ])
  })

  test('a new person is created once', async () => {
    const changes = changeStore(store)
    const { before: _, ...create } = update(record(1, 'x'), { ...record(1, 'Newborn'), nhsNumber: '9990548617' }, 'a')
    const created = await Promise.all([
      changes.write(create),
      changes.write({ ...create, request: { caller: 'app', id: 'b', answer: { status: 201, body: '', headers: {} } } }),
    ])
    assert.deepEqual(created.toSorted(), ['stale', 'written'])
    assert.equal(await count('person'), 2)
  })

  test('events leave in their order and are forgotten when published', async () => {
    const changes = changeStore(store)
    await changes.write(update(record(1, 'Testcase'), record(2, 'Two'), '1'))
    await changes.write({ ...update(record(2, 'Two'), record(3, 'Three'), '2'), at: 2_000 })
    const waiting = await changes.waiting(10)
    assert.deepEqual(
      waiting.map(({ version, ordinal, code }) => [version, ordinal, code]),
      [
        [2, 0, 'pds-record-change-1'],
        [2, 1, 'pds-change-of-address-1'],
        [3, 0, 'pds-record-change-1'],
        [3, 1, 'pds-change-of-address-1'],
      ],
    )
    await changes.published(waiting.slice(0, 3))
    assert.deepEqual(
      (await changes.waiting(10)).map(({ version, ordinal }) => [version, ordinal]),
      [[3, 1]],
    )
  })

  test('beginnings of numbers are reserved once', async () => {
    const changes = changeStore(store)
    const got = await Promise.all(Array.from({ length: 40 }, () => changes.reserve('999', 999_100_000, 4)))
    assert.equal(new Set(got).size, 40)
    assert.equal(Math.min(...got), 999_100_000)
    assert.equal(Math.max(...got), 999_100_000 + 39 * 4)
  })
})
