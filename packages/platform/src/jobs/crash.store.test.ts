import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock, systemRandom } from '../clock.ts'
import { openStore } from '../store/open.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { openJobs } from './open.ts'

/** Works the queue and prints each job as it is done. */
const program = `
import { writeSync } from 'node:fs'
const { openStore } = await import(process.env.STORE)
const { openJobs } = await import(process.env.JOBS)
const { systemClock, systemRandom } = await import(process.env.CLOCK)
const { makeLog } = await import(process.env.LOG)
const log = makeLog({ level: 'silent', environment: 'test' })
const store = await openStore({ ...JSON.parse(process.env.STORE_OPTIONS), log, clock: systemClock, poolSize: 4 })
const jobs = await openJobs({ store, clock: systemClock, random: systemRandom, log })
jobs.work({ queue: 'q', concurrency: 10, leaseMs: 400, async run({ body }) { writeSync(1, body + '\\n') } })
`

forEachStore((openTestStore, engine) => {
  test('kill -9 of a worker: nothing is lost, nothing that was finished comes again', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'openspine-jobs-'))
    // A store without files does not outlive the process that is killed: its durable sister stands in.
    const shared = engine === 'postgresql' ? await openTestStore() : undefined
    const storeOptions = shared
      ? { databaseUrl: (shared.pool.options as { connectionString?: string }).connectionString ?? '' }
      : { directory: join(folder, 'store') }
    const open = async () => {
      const store = await openStore({ ...storeOptions, log: silentLog(), clock: systemClock })
      return { store, jobs: await openJobs({ store, clock: systemClock, random: systemRandom, log: silentLog() }) }
    }
    const total = 300
    const first = await open()
    await first.store.db.transaction().execute(async (transaction) => {
      for (let n = 0; n < total; n++) await first.jobs.enqueue('q', n, { transaction })
    })
    await first.jobs.close()
    await first.store.close() // the embedded store has one owner at a time
    const here = (path: string) => new URL(path, import.meta.url).href
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        STORE: here('../store/open.ts'),
        JOBS: here('./open.ts'),
        CLOCK: here('../clock.ts'),
        LOG: here('../log.ts'),
        STORE_OPTIONS: JSON.stringify(storeOptions),
      },
    })
    let again: Awaited<ReturnType<typeof open>> | undefined
    t.after(async () => {
      child.kill('SIGKILL')
      await again?.jobs.close()
      await again?.store.close()
      await shared?.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const ended = once(child, 'exit')
    assert.ok(child.stdout)
    const byChild = new Set<number>()
    for await (const line of createInterface({ input: child.stdout })) {
      byChild.add(Number(line))
      if (byChild.size === 100) child.kill('SIGKILL')
    }
    await ended
    assert.equal(child.signalCode, 'SIGKILL')
    again = await open()
    const { store, jobs } = again
    const { rows } = await store.pool.query<{ body: string; lease: string | null }>('select body, lease from job.job')
    const left = new Set(rows.map(({ body }) => Number(body)))
    const leased = rows.filter(({ lease }) => lease !== null).length
    assert.ok(leased <= 10, `${leased} under the dead lease`)
    assert.ok([...Array(total).keys()].every((n) => left.has(n) || byChild.has(n)))

    const byUs: number[] = []
    const worker = jobs.work({ queue: 'q', concurrency: 100, run: async ({ body }) => void byUs.push(body as number) })
    while (byUs.length < left.size) await wait(10)
    await worker.stop()
    assert.equal(new Set(byUs).size, byUs.length)
    assert.deepEqual(new Set(byUs), left)
    const repeated = byUs.filter((n) => byChild.has(n))
    assert.ok(repeated.length <= leased, 'only what was under way comes again')
  })
})
