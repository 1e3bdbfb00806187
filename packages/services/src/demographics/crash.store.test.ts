import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock, systemRandom } from '@openspine/platform/clock'
import { openStore } from '@openspine/platform/store'
import { forEachStore, silentLog } from '@openspine/platform/testing'
import { changeStore } from './changes/store.ts'
import { updatedNumber, updateThrough } from './crash-updates.ts'
import { migrations } from './migrations.ts'
import { storedPerson } from './person.ts'
import { personStore } from './store.ts'

const wanted = 400

forEachStore((openTestStore, engine) => {
  test('kill -9 while a person is updated: nothing acknowledged is lost, and no request applies twice', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'openspine-crash-'))
    // A store without files does not outlive the process that is killed: its durable sister stands in.
    const shared = engine === 'postgresql' ? await openTestStore() : undefined
    const options = shared
      ? { databaseUrl: (shared.pool.options as { connectionString?: string }).connectionString ?? '' }
      : { directory: join(folder, 'store') }
    const open = () => openStore({ ...options, log: silentLog(), clock: systemClock, poolSize: 4 })
    const first = shared ?? (await open())
    await first.migrate('demographics', migrations)
    await personStore(first).insert([
      storedPerson({
        nhsNumber: updatedNumber,
        patient: { name: [{ use: 'usual', family: 'Testcase' }], gender: 'male', birthDate: '1980-02-29' },
      }),
    ])
    if (!shared) await first.close()

    const program = new URL('./crash-process.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [program, JSON.stringify(options), String(wanted)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const undo: (() => Promise<void>)[] = shared ? [() => shared.close()] : []
    t.after(async () => {
      child.kill('SIGKILL')
      for (const step of undo.toReversed()) await step()
      rmSync(folder, { recursive: true, force: true })
    })
    const ended = once(child, 'exit')
    const killAt = randomInt(20, wanted / 2)
    let acknowledged = 0
    for await (const line of createInterface({ input: child.stdout })) {
      assert.notEqual(line, 'done', 'it was killed before it could end')
      acknowledged++
      if (acknowledged === killAt) setTimeout(() => child.kill('SIGKILL'), randomInt(0, 30))
    }
    await ended

    const store = await open()
    undo.push(() => store.close())
    const people = personStore(store)
    const changes = changeStore(store)
    const parts = { people, changes, clock: systemClock, random: systemRandom }
    const after = (await people.find(updatedNumber))?.version ?? 0
    // The one that was on its way may have been committed without being acknowledged; no other.
    assert.ok(
      after === acknowledged + 1 || after === acknowledged + 2,
      `${acknowledged} acknowledged, version ${after}`,
    )
    assert.equal((await changes.history(updatedNumber, 10_000)).length, after - 1)
    assert.equal((await changes.waiting(10_000)).length, after - 1)
    // Whoever sends all of them again gets the first answers, whatever version they name.
    for (let index = 0; index < after - 1; index++) {
      const answer = await updateThrough(parts, { index, version: 1 })
      assert.equal(answer.headers['etag'], `W/"${index + 2}"`)
    }
    assert.equal((await people.find(updatedNumber))?.version, after)
    const next = await updateThrough(parts, { index: after - 1, version: after })
    assert.equal(next.headers['etag'], `W/"${after + 1}"`)
    t.diagnostic(`${acknowledged} acknowledged, version ${after} after the kill`)
  })
})
