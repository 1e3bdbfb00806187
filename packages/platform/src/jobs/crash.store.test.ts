import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock, systemRandom } from '../clock.ts'
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
const store = await openStore({ databaseUrl: process.env.DATABASE, log, clock: systemClock, poolSize: 4 })
const jobs = await openJobs({ store, clock: systemClock, random: systemRandom, log })
jobs.work({ queue: 'q', concurrency: 10, leaseMs: 400, async run({ body }) { writeSync(1, body + '\\n') } })
`

forEachStore((openStore, engine) => {
  if (engine === 'memory') return // a store without files does not outlive the process that is killed

  test('kill -9 of a worker: nothing is lost, nothing that was finished comes again', async (t) => {
    const store = await openStore()
    const jobs = await openJobs({ store, clock: systemClock, random: systemRandom, log: silentLog() })
    const total = 2_000
    for (let from = 0; from < total; from += 200)
      await Promise.all(Array.from({ length: 200 }, (_, n) => jobs.enqueue('q', from + n)))
    const here = (path: string) => new URL(path, import.meta.url).href
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        STORE: here('../store/open.ts'),
        JOBS: here('./open.ts'),
        CLOCK: here('../clock.ts'),
        LOG: here('../log.ts'),
        DATABASE: (store.pool.options as { connectionString?: string }).connectionString,
      },
    })
    t.after(async () => {
      child.kill('SIGKILL')
      await jobs.close()
      await store.close()
    })
    const ended = once(child, 'exit')
    assert.ok(child.stdout)
    const byChild = new Set<number>()
    for await (const line of createInterface({ input: child.stdout })) {
      byChild.add(Number(line))
      if (byChild.size === 500) child.kill('SIGKILL')
    }
    await ended
    assert.equal(child.signalCode, 'SIGKILL')
    const { rows } = await store.pool.query<{ body: string; lease: string | null }>('select body, lease from job.job')
    const left = new Set(rows.map(({ body }) => Number(body)))
    const leased = rows.filter(({ lease }) => lease !== null).length
    assert.ok(leased <= 10, `${leased} under the dead lease`)
    assert.ok([...Array(total).keys()].every((n) => left.has(n) || byChild.has(n)))

    const byUs: number[] = []
    const worker = jobs.work({ queue: 'q', concurrency: 50, run: async ({ body }) => void byUs.push(body as number) })
    while (byUs.length < left.size) await wait(10)
    await worker.stop()
    assert.equal(new Set(byUs).size, byUs.length)
    assert.deepEqual(new Set(byUs), left)
    const again = byUs.filter((n) => byChild.has(n))
    assert.ok(again.length <= leased, 'only what was under way comes again')
  })
})
