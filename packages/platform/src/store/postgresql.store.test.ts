import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock as clock } from '../clock.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { openStore, type Store } from './open.ts'

const log = silentLog()

test('a database that does not answer is named as the trouble', async () => {
  await assert.rejects(openStore({ databaseUrl: 'postgres://nobody@127.0.0.1:1/nowhere', log, clock }), {
    code: 'STORE_UNREACHABLE',
  })
})

forEachStore((open, engine) => {
  if (engine !== 'postgresql') return
  let one: Store
  let two: Store
  before(async () => {
    one = await open()
    const databaseUrl = one.pool.options.connectionString
    assert.ok(databaseUrl)
    two = await openStore({ databaseUrl, log, clock, poolSize: 2 })
  })
  after(async () => {
    await two.close()
    await one.close()
  })

  const heard = async (from: Store, by: Store, topic: string) => {
    const woken = Promise.withResolvers<void>()
    const stop = by.onAnnounced(topic, woken.resolve)
    from.announce(topic)
    await woken.promise
    stop()
  }
  /** Every listener is called once a second anyhow: only the best of a few rounds shows the way by NOTIFY. */
  const fastest = async (from: Store, by: Store, topic: string) => {
    const times: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const started = performance.now()
      await heard(from, by, topic)
      times.push(performance.now() - started)
    }
    return Math.min(...times)
  }

  test('an announcement wakes other processes at once', async () => {
    await heard(one, two, 'warm-up')
    assert.ok((await fastest(one, two, "it's over; 100% Łódź")) < 300)
    assert.ok((await fastest(two, one, 'back')) < 300)
  })

  test('a lost connection for wake-ups means polling, until it is back', async () => {
    const { rowCount } = await one.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'openspine wake-ups'`,
    )
    assert.ok(rowCount)
    await heard(one, two, 'without')
    const listening = `select pid from pg_stat_activity where datname = current_database() and application_name = 'openspine wake-ups'`
    while ((await one.pool.query(listening)).rowCount !== 2) await heard(one, two, 'waiting')
    assert.ok((await fastest(one, two, 'again')) < 300)
  })

  test('a connection that breaks during a load is an error, and nothing of it stays', async () => {
    await one.pool.query('create table person (id int8 primary key)')
    async function* rows() {
      for (let id = 0; id < 50_000; id += 1) {
        if (id === 20_000)
          await two.pool.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'copy %'`,
          )
        yield [id]
      }
    }
    const into = { schema: 'public', table: 'person', columns: [{ name: 'id', type: 'int8' }] }
    await assert.rejects(one.load(into, rows()))
    assert.deepEqual((await one.pool.query('select count(*) from person')).rows, [{ count: 0 }])
    assert.equal(await one.load(into, [[1]]), 1)
  })
})
