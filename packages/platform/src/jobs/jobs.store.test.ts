import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { SpineError } from '@openspine/standards/error'
import type { Pool } from 'pg'
import { type Clock, manualClock, systemClock, systemRandom } from '../clock.ts'
import { makeMetrics } from '../metrics.ts'
import type { Store } from '../store/store.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { openJobs } from './open.ts'

const start = Date.UTC(2026, 10, 20, 9)

forEachStore((openStore) => {
  let store: Store
  before(async () => {
    store = await openStore()
  })
  after(() => store.close())

  const open = (clock: Clock, on: Store = store) =>
    openJobs({ store: on, clock, random: systemRandom, log: silentLog() })
  async function fresh(clock: Clock = systemClock) {
    await store.pool.query('drop schema if exists job cascade')
    return open(clock)
  }
  async function remaining(): Promise<number> {
    const { rows } = await store.pool.query<{ count: number }>('select count(*)::int4 as count from job.job')
    return rows[0]?.count ?? -1
  }
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 5_000; !(await condition()); await wait(5))
      if (performance.now() > end) throw new Error('it did not come to pass')
  }

  test('every job is run once by two workers that share, and none is left', async () => {
    const one = await fresh()
    const other = await open(systemClock)
    const ran = new Map<number, number>()
    const by = { one: 0, other: 0 }
    const total = 300
    await Promise.all(Array.from({ length: total }, (_, n) => one.enqueue('q', { n })))
    const workers = (['one', 'other'] as const).map((name) =>
      ({ one, other })[name].work({
        queue: 'q',
        concurrency: 10,
        async run({ body, attempt }) {
          assert.equal(attempt, 1)
          const { n } = body as { n: number }
          ran.set(n, (ran.get(n) ?? 0) + 1)
          by[name]++
          await wait(1)
        },
      }),
    )
    await until(async () => (await remaining()) === 0)
    await Promise.all(workers.map((worker) => worker.stop()))
    assert.equal(ran.size, total)
    assert.ok([...ran.values()].every((times) => times === 1))
    assert.ok(by.one > 0 && by.other > 0, JSON.stringify(by))
  })

  test('concurrency is an upper bound, and a new job wakes a waiting worker at once', async () => {
    const jobs = await fresh()
    let running = 0
    let most = 0
    let done = 0
    const worker = jobs.work({
      queue: 'q',
      concurrency: 3,
      async run() {
        most = Math.max(most, ++running)
        await wait(5)
        running--
        done++
      },
    })
    await wait(50) // it has found nothing and waits
    const from = performance.now()
    await Promise.all(Array.from({ length: 12 }, () => jobs.enqueue('q', null)))
    await until(() => done === 12)
    assert.ok(performance.now() - from < 900, 'sooner than the poll')
    assert.equal(most, 3)
    await worker.stop()
  })

  test('a job commits with the change that causes it, or not at all', async () => {
    const jobs = await fresh()
    const ran: unknown[] = []
    const worker = jobs.work({ queue: 'q', run: async ({ body }) => void ran.push(body) })
    await assert.rejects(
      store.db.transaction().execute(async (transaction) => {
        await jobs.enqueue('q', 'rolled back', { transaction })
        throw new Error('no')
      }),
      /no/,
    )
    await store.db.transaction().execute(async (transaction) => {
      await jobs.enqueue('q', 'committed', { transaction })
    })
    await until(() => ran.length > 0)
    assert.deepEqual(ran, ['committed'])
    await worker.stop()
  })

  test('the same id is enqueued once while the job is there', async () => {
    const jobs = await fresh()
    assert.equal(await jobs.enqueue('q', 1, { id: 'same' }), 'same')
    assert.equal(await jobs.enqueue('q', 2, { id: 'same' }), 'same')
    await jobs.enqueue('other', 3, { id: 'same' })
    const ran: unknown[] = []
    const worker = jobs.work({ queue: 'q', run: async ({ body, id }) => void ran.push([id, body]) })
    await until(async () => (await remaining()) === 1)
    await worker.stop()
    assert.deepEqual(ran, [['same', 1]])
  })

  test('a job is not run before its time, and runs once it has come', async () => {
    const clock = manualClock(start)
    const jobs = await fresh(clock)
    const ran: unknown[] = []
    await jobs.enqueue('q', 'later', { notBefore: start + 5 * 86_400_000 })
    await jobs.enqueue('q', 'now')
    const worker = jobs.work({ queue: 'q', run: async ({ body }) => void ran.push(body) })
    await until(() => ran.length === 1)
    clock.advance(5 * 86_400_000 - 1)
    await jobs.enqueue('q', 'wakes the worker')
    await until(() => ran.length === 2)
    clock.advance(1)
    await until(() => ran.length === 3)
    assert.deepEqual(ran, ['now', 'wakes the worker', 'later'])
    await worker.stop()
  })

  test('a failure is tried again by the schedule, then parked with code and text, and can be revived', async () => {
    const clock = manualClock(start)
    const jobs = await fresh(clock)
    const attempts: number[] = []
    let failing = true
    const worker = jobs.work({
      queue: 'q',
      retryAfterMs: (attempt) => (attempt < 3 ? attempt * 1_000 : undefined),
      async run({ attempt }) {
        attempts.push(attempt)
        if (failing)
          throw new SpineError('MHS_UNREACHABLE', undefined, { detail: 'no\0route', explanation: 'Nobody answered.' })
      },
    })
    await jobs.enqueue('q', { a: 1 }, { id: 'x' })
    const failures = async () => {
      const { rows } = await store.pool.query<{ due: number; lease: string | null }>('select due, lease from job.job')
      return rows
    }
    await until(() => attempts.length === 1)
    await until(async () => (await failures())[0]?.lease === null)
    assert.equal((await failures())[0]?.due, start + 1_000)
    clock.advance(1_000)
    await until(() => attempts.length === 2)
    await until(async () => (await failures())[0]?.due === start + 3_000)
    clock.advance(2_000)
    await until(async () => (await jobs.parked({ limit: 10 })).length === 1)
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual(await jobs.parked({ queue: 'q', limit: 10 }), [
      {
        queue: 'q',
        id: 'x',
        attempt: 3,
        body: { a: 1 },
        created: start,
        parked: start + 3_000,
        error: { code: 'MHS_UNREACHABLE', text: 'Nobody answered.: no\ufffdroute' },
      },
    ])
    clock.advance(86_400_000)
    assert.equal(await jobs.revive('q', 'y'), false)
    failing = false
    assert.equal(await jobs.revive('q', 'x'), true)
    await until(async () => (await remaining()) === 0)
    assert.deepEqual(attempts, [1, 2, 3, 1])
    await worker.stop()
  })

  test('the job of a holder that went silent comes back after its lease, and the late holder cannot finish it', async () => {
    const clock = manualClock(start)
    const silent = await fresh(clock)
    const release = Promise.withResolvers<void>()
    const runs: string[] = []
    await silent.enqueue('q', null)
    // Its clock stands still, so its renewals never move the end of the lease: as if it were frozen.
    const stuck = silent.work({
      queue: 'q',
      leaseMs: 30_000,
      async run({ attempt }) {
        runs.push(`silent ${attempt}`)
        await release.promise
      },
    })
    await until(() => runs.length === 1)
    const later = manualClock(start + 29_999)
    const healthy = await open(later)
    const hold = Promise.withResolvers<void>()
    const other = healthy.work({
      queue: 'q',
      async run({ attempt }) {
        runs.push(`healthy ${attempt}`)
        await hold.promise
      },
    })
    await wait(30)
    assert.deepEqual(runs, ['silent 1'])
    later.advance(1)
    await until(() => runs.length === 2)
    assert.deepEqual(runs, ['silent 1', 'healthy 2'])
    release.resolve()
    await stuck.stop()
    assert.equal(await remaining(), 1, 'only its present holder finishes it')
    hold.resolve()
    await other.stop()
    assert.equal(await remaining(), 0)
  })

  test('the lease of a long job is renewed', async () => {
    const jobs = await fresh()
    const second = await open(systemClock)
    let runs = 0
    const handler = {
      queue: 'q',
      leaseMs: 120,
      async run() {
        runs++
        await wait(500)
      },
    }
    await jobs.enqueue('q', null)
    const workers = [jobs.work(handler), second.work(handler)]
    await until(async () => (await remaining()) === 0)
    assert.equal(runs, 1)
    await Promise.all(workers.map((worker) => worker.stop()))
  })

  test('a job that ends every holder is parked at last', async () => {
    const clock = manualClock(start)
    const jobs = await fresh(clock)
    await jobs.enqueue('q', null, { id: 'x' })
    await store.pool.query('update job.job set attempt = 5')
    let ran = false
    const worker = jobs.work({
      queue: 'q',
      retryAfterMs: () => undefined,
      run: async () => {
        ran = true
      },
    })
    await until(async () => (await jobs.parked({ limit: 1 }))[0]?.error.code === 'JOB_HOLDER_LOST')
    assert.equal(ran, false)
    await worker.stop()
  })

  test('stop waits for what is in flight and takes nothing more', async () => {
    const jobs = await fresh()
    for (let n = 0; n < 5; n++) await jobs.enqueue('q', n)
    const release = Promise.withResolvers<void>()
    let begun = 0
    let ended = 0
    const worker = jobs.work({
      queue: 'q',
      concurrency: 2,
      async run() {
        begun++
        await release.promise
        ended++
      },
    })
    await until(() => begun === 2)
    let stopped = false
    const stopping = worker.stop().then(() => {
      stopped = true
    })
    await wait(20)
    assert.equal(stopped, false)
    release.resolve()
    await stopping
    assert.deepEqual([begun, ended, await remaining()], [2, 2, 3])
    await jobs.close()
    assert.throws(() => jobs.work({ queue: 'q', run: async () => {} }), { code: 'JOBS_CLOSED' })
  })

  test('a store that fails for a moment neither loses a job nor runs one twice', async () => {
    await fresh()
    let broken = 0
    const query = store.pool.query.bind(store.pool) as (...given: unknown[]) => Promise<unknown>
    const pool = Object.create(store.pool, {
      query: {
        value: async (...given: unknown[]) => {
          const statement = String(given[0])
          // Every third claim or finish fails before it reaches the store.
          if (/^(update|delete)/.test(statement) && ++broken % 3 === 0)
            throw Object.assign(new Error('connection terminated'), { code: '57P01' })
          return query(...given)
        },
      },
    }) as Pool
    const jobs = await open(systemClock, { ...store, pool })
    const ran: number[] = []
    for (let n = 0; n < 10; n++) await jobs.enqueue('q', n)
    const worker = jobs.work({ queue: 'q', concurrency: 4, run: async ({ body }) => void ran.push(body as number) })
    await until(async () => (await remaining()) === 0)
    assert.deepEqual(
      ran.toSorted((a, b) => a - b),
      [...Array(10).keys()],
    )
    assert.ok(broken >= 3)
    await worker.stop()
  })

  test('too large a body is refused; metrics count', async () => {
    await store.pool.query('drop schema if exists job cascade')
    const metrics = makeMetrics()
    const jobs = await openJobs({ store, clock: systemClock, random: systemRandom, log: silentLog(), metrics })
    await assert.rejects(jobs.enqueue('q', 'x'.repeat(2 << 20)), { code: 'JOB_TOO_LARGE' })
    await jobs.enqueue('q', null)
    const worker = jobs.work({ queue: 'q', run: async () => {} })
    await until(async () => (await remaining()) === 0)
    await worker.stop()
    const { body } = await metrics.render()
    assert.match(body, /openspine_jobs_enqueued_total\{queue="q"\} 1/)
    assert.match(body, /openspine_jobs_ended_total\{queue="q",how="done"\} 1/)
    await jobs.close()
  })
})
