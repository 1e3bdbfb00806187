import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import { manualClock, systemRandom } from '../clock.ts'
import { makeMetrics } from '../metrics.ts'
import type { Store } from '../store/store.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { findAudit, type OpenAuditOptions, openAudit, streamAudit, verifyAudit } from './open.ts'

const now = Date.UTC(2026, 10, 20, 9)

forEachStore((openStore) => {
  let shared: Store
  before(async () => {
    shared = await openStore()
  })
  after(() => shared.close())

  async function setUp(t: TestContext, more: Partial<OpenAuditOptions> = {}) {
    const store = more.store ?? shared
    await shared.pool.query('drop schema if exists audit cascade')
    const journalDir = mkdtempSync(join(tmpdir(), 'openspine-audit-'))
    const clock = manualClock(now)
    const open = (other: Partial<OpenAuditOptions> = {}) =>
      openAudit({ store, clock, random: systemRandom, log: silentLog(), journalDir, ...more, ...other })
    t.after(() => rmSync(journalDir, { recursive: true, force: true }))
    return { store, journalDir, clock, open, offline: { store, journalDir, clock } }
  }

  test('what is acknowledged is found at once, by trace, event and place, and verifies', async (t) => {
    const { open, offline, clock } = await setUp(t)
    const audit = await open()
    const traces = ['09a01679-2564-0fb4-5129-aecc81ea2706', 'ü\u0000\\N" \ud800', '\\N', '', 'x'.repeat(9_000)]
    for (const [index, trace] of traces.entries()) {
      clock.advance(1)
      await audit.append({ event: 'proxy.request', at: clock.now(), trace, facts: { index, text: 'ß\n\t\u0000😀' } })
      const [found, ...others] = await audit.find({ trace, limit: 10 })
      assert.equal(others.length, 0)
      assert.ok(found)
      assert.deepEqual(
        { event: found.event, at: found.at, trace: found.trace, facts: found.facts },
        { event: 'proxy.request', at: clock.now(), trace, facts: { index, text: 'ß\n\t\u0000😀' } },
      )
      assert.match(found.hash, /^[0-9a-f]{64}$/)
    }
    assert.deepEqual(await audit.find({ trace: `${'x'.repeat(8_999)}y`, limit: 10 }), [])
    await audit.append({ event: 'other', at: clock.now(), facts: {} })
    const tail = await audit.find({ limit: 3 })
    assert.deepEqual(
      tail.map(({ event, facts }) => [event, facts['index']]),
      [
        ['other', undefined],
        ['proxy.request', 4],
        ['proxy.request', 3],
      ],
    )
    assert.equal(tail[0]?.trace, undefined)
    const requests = await audit.find({ event: 'proxy.request', limit: 100 })
    assert.deepEqual(
      requests.map(({ facts }) => facts['index']),
      [4, 3, 2, 1, 0],
    )
    const third = requests[2]
    assert.ok(third)
    const later = await audit.find({ event: 'proxy.request', after: third, limit: 1 })
    assert.deepEqual(
      later.map(({ facts }) => facts['index']),
      [3],
    )
    await assert.rejects(audit.find({ after: { chain: third.chain, seq: 1_000 }, limit: 1 }), {
      code: 'AUDIT_RECORD_UNKNOWN',
    })
    assert.deepEqual(await audit.verify(), { ok: true, chains: 1, records: traces.length + 2 })
    await audit.append({ event: 'other', at: clock.now() + 1, facts: { waiting: true } })
    assert.deepEqual((await findAudit(offline, { limit: 1 }))[0]?.facts, { waiting: true })
    assert.deepEqual(await verifyAudit(offline), { ok: true, chains: 1, records: traces.length + 3 })
    await audit.close()
  })

  test('a drain that rests while the process is busy goes on when somebody asks, and ends', async (t) => {
    const { open } = await setUp(t)
    const audit = await open()
    for (const trace of ['first', 'second']) {
      await audit.append({ event: 'proxy.request', at: now, trace, facts: {} })
      // Longer than the drain waits for company, so that it looks right after a turn that was nothing but work.
      const until = performance.now() + 400
      while (performance.now() < until);
      await wait(0)
      assert.equal((await audit.find({ trace, limit: 2 })).length, 1)
    }
    await audit.close()
  })

  test('a stretch of one event comes whole and each record once, from store and journals, while both move', async (t) => {
    const { open, offline } = await setUp(t)
    const read = async (from?: number, to?: number) => {
      const places: number[] = []
      const stretch = { event: 'e', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
      for await (const { facts } of streamAudit(offline, stretch)) places.push(Number(facts['n']))
      return places
    }
    assert.deepEqual(await read(), [], 'before there are tables')
    const first = await open()
    const append = (audit: typeof first, from: number, count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          audit.append({ event: n % 2 === 0 ? 'e' : 'f', at: now + Math.floor(n / 4), facts: { n: from + n } }),
        ),
      )
    await append(first, 0, 4200)
    await first.close()
    const second = await open()
    await append(second, 10_000, 2000)
    const even = (from: number, count: number) => Array.from({ length: count / 2 }, (_, n) => from + 2 * n)
    const all = [...even(0, 4200), ...even(10_000, 2000)]
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(
        (await read()).sort((a, b) => a - b),
        all,
      )
      await wait(5)
    }
    assert.deepEqual(
      (await read(now + 1, now + 3)).sort((a, b) => a - b),
      [4, 6, 8, 10, 10_004, 10_006, 10_008, 10_010],
    )
    // Thirty years of nothing, then more in one millisecond than a page holds.
    const later = now + 30 * 365 * 86_400_000
    await Promise.all(
      Array.from({ length: 2500 }, (_, n) => second.append({ event: 'e', at: later, facts: { n: -1 - n } })),
    )
    await second.close()
    const after = await read(now + 1049)
    assert.deepEqual(
      after.sort((a, b) => a - b),
      [...Array.from({ length: 2500 }, (_, n) => n - 2500), 4196, 4198],
    )
  })

  test('close drains, closes the chain and leaves no journal; each start is a chain of its own', async (t) => {
    const { open, journalDir, offline } = await setUp(t)
    const first = await open()
    await Promise.all(Array.from({ length: 500 }, (_, n) => first.append({ event: 'e', at: now, facts: { n } })))
    await first.close()
    await assert.rejects(first.append({ event: 'e', at: now, facts: {} }), { code: 'AUDIT_CLOSED' })
    assert.deepEqual(
      readdirSync(journalDir).filter((name) => name.includes('.journal')),
      [],
    )
    const second = await open()
    const started = await second.find({ event: 'audit.started', limit: 10 })
    assert.equal(started.length, 2)
    assert.equal(new Set(started.map(({ chain }) => chain)).size, 2)
    const last = started.find(({ facts }) => facts['pid'] === process.pid)
    assert.match(JSON.stringify(last?.facts['checkpoint']), /"hash":"[0-9a-f]{64}"/)
    await second.close()
    const found = await findAudit(offline, { event: 'e', limit: 1_000 })
    const bySeq = found.toSorted((a, b) => a.seq - b.seq).map(({ facts }) => facts['n'])
    assert.deepEqual(bySeq, [...Array(500).keys()])
    assert.deepEqual(await verifyAudit(offline), { ok: true, chains: 2, records: 500 + 4 })
  })

  test('two writers at once keep a chain each, and find what the other has acknowledged', async (t) => {
    const { open } = await setUp(t, { segmentBytes: 4_096 })
    const [one, other] = await Promise.all([open(), open()])
    await Promise.all(
      [one, other].flatMap((audit, writer) =>
        Array.from({ length: 200 }, (_, n) => audit.append({ event: 'e', at: now, facts: { writer, n } })),
      ),
    )
    assert.equal((await one.find({ event: 'e', limit: 1_000 })).length, 400)
    const verdict = await other.verify()
    assert.deepEqual(verdict, { ok: true, chains: 2, records: 402 })
    await Promise.all([one.close(), other.close()])
  })

  test('a store that fails for a while loses nothing and doubles nothing, even when a commit was in doubt', async (t) => {
    const store = shared
    let mode: 'works' | 'refuses' | 'commits, then breaks' = 'works'
    let refused = 0
    const broken = () => Object.assign(new Error('connection terminated'), { code: '57P01' })
    // Groups are the only thing for which the audit takes a connection of its own; `query` asks with a callback.
    const connect = store.pool.connect.bind(store.pool)
    const pool = Object.create(store.pool, {
      connect: {
        value: async (...given: Parameters<typeof connect>) => {
          if (given.length > 0) return connect(...given)
          if (mode !== 'works') refused++
          if (mode === 'refuses') throw broken()
          const client = await connect()
          if (mode === 'works') return client
          const { release } = client
          client.release = () => {
            release()
            throw broken()
          }
          return client
        },
      },
    }) as Pool
    const unsteady: Store = { ...store, pool }
    const { open } = await setUp(t, { store: unsteady })
    const metrics = makeMetrics()
    const audit = await open({ metrics })
    const append = (from: number) =>
      Promise.all(Array.from({ length: 100 }, (_, n) => audit.append({ event: 'e', at: now, facts: { n: from + n } })))
    mode = 'refuses'
    await append(0)
    await assert.rejects(audit.find({ limit: 1 }), { code: '57P01' })
    mode = 'commits, then breaks'
    await append(100)
    while (refused < 2) await wait(10)
    mode = 'works'
    await append(200)
    const found = await audit.find({ event: 'e', limit: 1_000 })
    const numbers = found.toSorted((a, b) => a.seq - b.seq).map(({ facts }) => facts['n'])
    assert.deepEqual(numbers, [...Array(300).keys()])
    assert.deepEqual(await audit.verify(), { ok: true, chains: 1, records: 301 })
    const { body } = await metrics.render()
    assert.match(body, /openspine_audit_records_total 301/)
    assert.match(body, /openspine_audit_store_failures_total [2-9]/)
    await audit.close()
  })

  test('a store that is away when the audit closes gets the records at the next start', async (t) => {
    const store = shared
    let away = false
    const unlessAway = (call: (...given: unknown[]) => Promise<unknown>) => ({
      value: async (...given: unknown[]) => {
        if (away) throw Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })
        return call(...given)
      },
    })
    const pool = Object.create(store.pool, {
      query: unlessAway(store.pool.query.bind(store.pool) as (...given: unknown[]) => Promise<unknown>),
      connect: unlessAway(store.pool.connect.bind(store.pool) as (...given: unknown[]) => Promise<unknown>),
    }) as Pool
    const { open, offline } = await setUp(t, { store: { ...store, pool } })
    const first = await open()
    away = true
    await first.append({ event: 'e', at: now, trace: 'a', facts: {} })
    await first.close()
    away = false
    assert.equal((await findAudit(offline, { trace: 'a', limit: 10 })).length, 1)
    assert.equal((await verifyAudit(offline)).ok, true)
    const second = await open()
    assert.equal((await second.find({ trace: 'a', limit: 10 })).length, 1)
    const [recovered] = await second.find({ event: 'audit.recovered', limit: 10 })
    assert.ok(Number(recovered?.facts['records']) >= 2)
    assert.equal((await second.verify()).ok, true)
    await second.close()
    assert.deepEqual(
      readdirSync(offline.journalDir).filter((name) => name.includes('.journal')),
      [],
    )
    assert.equal((await verifyAudit(offline)).ok, true)
  })

  test('a busy process leaves its records in the journal, and a search brings them in all the same', async (t) => {
    const { open, clock, store } = await setUp(t)
    const audit = await open()
    t.after(() => audit.close())
    const kept = async () =>
      Number((await store.pool.query("select count(*) from audit.record where event = 'busy'")).rows[0].count)
    // Work that leaves the event loop no pause: longer than small groups linger.
    // On a machine with much else to do, the time passes with few records: it ends when there are enough as well.
    const until = performance.now() + 700
    for (let records = 0; records <= 60 || performance.now() < until; records++) {
      await audit.append({ event: 'busy', at: clock.now(), trace: 'busy-trace', facts: {} })
      for (const pause = performance.now() + 5; performance.now() < pause; );
    }
    assert.equal(await kept(), 0, 'answers came first')
    assert.ok((await audit.find({ trace: 'busy-trace', limit: 10_000 })).length > 50)
    assert.ok((await kept()) > 50)
    await audit.append({ event: 'busy', at: clock.now(), trace: 'later', facts: {} })
    for (let waited = 0, before = await kept(); (await kept()) === before; waited += 20) {
      assert.ok(waited < 5000, 'a process at rest brings its records in by itself')
      await wait(20)
    }
  })

  test('journals give way to checkpoints while the audit runs', async (t) => {
    const { open, journalDir } = await setUp(t, { segmentBytes: 10_000, checkpointMs: 1 })
    const audit = await open()
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => audit.append({ event: 'e', at: now, facts: { n } })))
      await audit.find({ limit: 1 })
    }
    const journals = () => readdirSync(journalDir).filter((name) => name.endsWith('.journal')).length
    while (journals() > 1) await wait(5)
    assert.equal((await audit.verify()).ok, true)
    await audit.close()
  })

  test('offline search and verification of a store without any audit find nothing and write nothing', async (t) => {
    const { offline, store, journalDir } = await setUp(t)
    assert.deepEqual(await findAudit(offline, { limit: 10 }), [])
    assert.deepEqual(await verifyAudit(offline), { ok: true, chains: 0, records: 0 })
    const { rows } = await store.pool.query(`select to_regclass('audit.record') as there`)
    assert.equal(rows[0]?.there, null)
    assert.deepEqual(readdirSync(journalDir), [])
  })
})
