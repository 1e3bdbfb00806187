/**
 * kill -9 in the middle of many registrations. `OPENSPINE_CRASH_REGISTRATIONS` is how many the process would make
 * (500 in the suite; a run with 10,000 takes some minutes).
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { systemClock } from '@openspine/platform/clock'
import { openStore } from '@openspine/platform/store'
import { forEachStore, silentLog } from '@openspine/platform/testing'
import type { DirectorySnapshot } from '../directory/contract.ts'
import { addProduct, register, startRegistration } from './testing.ts'

const wanted = Number(process.env['OPENSPINE_CRASH_REGISTRATIONS'] ?? 500)
const minutes = 60_000
const directorySettings = { organisations: 'never', changeLogSize: 1_000_000 }

interface Acknowledged {
  readonly id: string
  readonly odsCode: string
  readonly asid: string
  readonly partyKey: string
}

forEachStore((openTestStore, engine) => {
  test('kill -9 while systems are registered: none acknowledged is lost', { timeout: 30 * minutes }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'openspine-crash-'))
    // A store without files does not outlive the process that is killed: its durable sister stands in.
    const shared = engine === 'postgresql' ? await openTestStore() : undefined
    const storeOptions = shared
      ? { databaseUrl: (shared.pool.options as { connectionString?: string }).connectionString ?? '' }
      : { directory: join(folder, 'store') }
    const program = new URL('./testing-process.ts', import.meta.url).pathname
    const args = [program, JSON.stringify(storeOptions), folder, String(wanted), '200']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const undo: (() => Promise<void>)[] = []
    t.after(async () => {
      child.kill('SIGKILL')
      for (const step of undo.toReversed()) await step()
      await shared?.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const ended = once(child, 'exit')
    const killAt = randomInt(Math.ceil(wanted * 0.1), Math.ceil(wanted * 0.5))
    const acknowledged: Acknowledged[] = []
    const started = performance.now()
    for await (const line of createInterface({ input: child.stdout })) {
      assert.notEqual(line, 'done', 'it was killed before it could end')
      acknowledged.push(JSON.parse(line) as Acknowledged)
      // Some milliseconds on, wherever it is then.
      if (acknowledged.length === killAt) setTimeout(() => child.kill('SIGKILL'), randomInt(0, 300))
    }
    await ended
    assert.equal(child.signalCode, 'SIGKILL')
    const seconds = (performance.now() - started) / 1000

    const store = await openStore({ ...storeOptions, log: silentLog(), clock: systemClock, poolSize: 4 })
    undo.push(() => store.close())
    const cutOff = Number((await store.pool.query('select count(*)::int as n from registration.outbox')).rows[0].n)
    const house = await startRegistration({ platform: { store, dataDir: join(folder, 'again') }, directorySettings })
    undo.push(() => house.close())
    const { contract, directory } = house
    const snapshot = directory.snapshot()
    for (const { id, odsCode, asid, partyKey } of acknowledged) {
      const endpoint = await contract.endpoints.endpoint(id)
      assert.deepEqual([endpoint?.state, endpoint?.asid, endpoint?.partyKey], ['approved', asid, partyKey])
      assert.deepEqual(shownOf(snapshot, asid), { odsCode, partyKey, entries: 2 })
    }
    const unique = (of: (one: Acknowledged) => string) => new Set(acknowledged.map(of)).size
    assert.equal(
      unique(({ asid }) => asid),
      acknowledged.length,
    )
    assert.equal(
      unique(({ partyKey }) => partyKey),
      acknowledged.length,
    )

    // Whatever was on its way is either in both or in neither.
    const { rows: approved } = await store.pool.query<{ asid: string; ods_code: string; party_key: string }>(
      `select asid, ods_code, party_key from registration.endpoint where state = 'approved'`,
    )
    for (const row of approved) {
      const shown = { odsCode: row.ods_code, partyKey: row.party_key, entries: 2 }
      assert.deepEqual(shownOf(snapshot, row.asid), shown)
    }
    assert.equal(snapshot.accreditedSystems({}).length, approved.length)
    const { rows: left } = await store.pool.query('select 1 from registration.outbox')
    assert.equal(left.length, 0)

    // The change log: 1 … n without a gap, and its entries are those of the tree.
    const { rows: changes } = await store.pool.query<{ number: string; kind: string; key: string }>(
      'select number, kind, key from directory.change order by number',
    )
    assert.deepEqual(
      changes.map(({ number }) => Number(number)),
      Array.from({ length: snapshot.version }, (_, place) => place + 1),
    )
    const { rows: entries } = await store.pool.query<{ key: string }>('select key from directory.entry')
    assert.deepEqual(
      changes.flatMap(({ kind, key }) => (kind === 'add' ? [key] : [])).toSorted(),
      entries.map(({ key }) => key).toSorted(),
    )

    const product = await addProduct(contract, { kinds: ['CMA'], name: 'After', messages: ['access-record-html'] })
    const urls = [{ url: 'https://hosted.supplier.example/Z1/DSTU2/1' }]
    const fqdn = 'hosted.supplier.example'
    const after = await register(contract, { kind: 'CMA', odsCode: 'Z1', productId: product.id, fqdn, urls })
    assert.ok(
      approved.every(({ asid }) => asid < (after.asid ?? '')),
      'numbers go on after the last one',
    )
    t.diagnostic(
      `${acknowledged.length} of ${wanted} acknowledged in ${seconds.toFixed(1)} s, ${approved.length} approved, ` +
        `${cutOff} cut off and repaired, ${snapshot.version} changes`,
    )
  })
})

function shownOf(snapshot: DirectorySnapshot, asid: string) {
  const system = snapshot.accreditedSystem(asid)
  if (system === undefined) return undefined
  const { odsCode, partyKey } = system
  return { odsCode, partyKey, entries: snapshot.messageHandlingSystems({ partyKey }).length }
}
