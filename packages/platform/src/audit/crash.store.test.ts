import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock, systemRandom } from '../clock.ts'
import { openStore } from '../store/open.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { openAudit, verifyAudit } from './open.ts'

/** Appends without end, 64 at a time, and prints each record's number once it is acknowledged. */
const program = `
import { writeSync } from 'node:fs'
const { openStore } = await import(process.env.STORE)
const { openAudit } = await import(process.env.AUDIT)
const { systemClock, systemRandom } = await import(process.env.CLOCK)
const { makeLog } = await import(process.env.LOG)
const log = makeLog({ level: 'silent', environment: 'test' })
const store = await openStore({ ...JSON.parse(process.env.STORE_OPTIONS), log, clock: systemClock, poolSize: 4 })
const audit = await openAudit({
  store, clock: systemClock, random: systemRandom, log,
  journalDir: process.env.JOURNAL, segmentBytes: 200_000, checkpointMs: 20,
})
let next = 0
const loop = async () => {
  for (;;) {
    const number = next++
    await audit.append({ event: 'e', at: systemClock.now(), trace: process.env.NAME + '-' + number, facts: { number, filler: 'x'.repeat(300) } })
    writeSync(1, number + '\\n')
  }
}
for (let i = 0; i < 64; i++) loop()
`

forEachStore((openTestStore, engine) => {
  test('kill -9 in the middle of appending: every acknowledged record is there, once, and all verifies', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'openspine-audit-'))
    const journalDir = join(folder, 'audit')
    const children: ChildProcess[] = []
    // A store without files does not outlive the process that is killed: its durable sister stands in.
    const shared = engine === 'postgresql' ? await openTestStore() : undefined
    const storeOptions = shared
      ? { databaseUrl: (shared.pool.options as { connectionString?: string }).connectionString ?? '' }
      : { directory: join(folder, 'store') }
    let store = shared
    t.after(async () => {
      for (const child of children) child.kill('SIGKILL')
      await store?.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const here = (path: string) => new URL(path, import.meta.url).href

    const killed = async (name: string, after: number): Promise<number[]> => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...process.env,
          STORE: here('../store/open.ts'),
          AUDIT: here('./open.ts'),
          CLOCK: here('../clock.ts'),
          LOG: here('../log.ts'),
          STORE_OPTIONS: JSON.stringify(storeOptions),
          JOURNAL: journalDir,
          NAME: name,
        },
      })
      children.push(child)
      const ended = once(child, 'exit')
      assert.ok(child.stdout)
      const acknowledged: number[] = []
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged.push(Number(line))
        if (acknowledged.length === after) child.kill('SIGKILL')
      }
      await ended
      assert.equal(child.signalCode, 'SIGKILL')
      return acknowledged
    }

    const deaths = [300, 5_000]
    const acknowledged: string[] = []
    for (const [index, after] of deaths.entries()) {
      const numbers = await killed(`child${index}`, after)
      assert.ok(numbers.length >= after)
      acknowledged.push(...numbers.map((number) => `child${index}-${number}`))
      // The next child (or, at last, this process) takes over what the one before has left.
    }
    store ??= await openStore({ ...storeOptions, log: silentLog(), clock: systemClock })
    const audit = await openAudit({ store, clock: systemClock, random: systemRandom, log: silentLog(), journalDir })
    const { rows } = await store.pool.query<{ trace: string; count: number }>(
      `select trace, count(*)::int4 as count from audit.record where event = 'e' group by trace`,
    )
    const stored = new Map(rows.map(({ trace, count }) => [trace, count]))
    assert.deepEqual(
      acknowledged.filter((trace) => stored.get(trace) !== 1),
      [],
    )
    const verdict = await audit.verify()
    assert.equal(verdict.ok, true, JSON.stringify(verdict))
    assert.equal(verdict.ok && verdict.chains, deaths.length + 1)
    await audit.close()
    assert.equal((await verifyAudit({ store, journalDir, clock: systemClock })).ok, true)
    assert.deepEqual(
      readdirSync(journalDir).filter((file) => file.includes('.journal')),
      [],
    )
  })
})
