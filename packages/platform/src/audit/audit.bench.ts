/**
 * What a record costs: `node packages/platform/src/audit/audit.bench.ts` (TEST_DATABASE_URL for the PostgreSQL half).
 * Main-thread CPU is what a relay feels; the rest is the store's thread or process.
 */
import { mkdtempSync, rmSync, write, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '../clock.ts'
import type { Store } from '../store/store.ts'
import { openMemoryStore, openTestDatabase, silentLog } from '../testing/testing.ts'
import type { AuditRecord } from './audit.ts'
import { type Durability, openJournal } from './journal.ts'
import { openAudit } from './open.ts'

const record = (number: number): AuditRecord => ({
  event: 'proxy.request',
  at: 1_763_629_200_000 + number,
  trace: `09a01679-2564-4fb4-9129-${String(number).padStart(12, '0')}`,
  facts: {
    node: 'proxy-1',
    address: '10.0.0.1',
    certificate: { subject: 'CN=consumer.example.org', serial: '0123456789', issuer: 'CN=OpenSpine CA' },
    from: '200000000359',
    to: '918999198993',
    interaction: 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord',
    verb: 'GET',
    target: 'https://gp.example.org/A20047/STU3/1/gpconnect/Patient/$gpc.getcarerecord',
    status: 200,
    bytesIn: 0,
    bytesOut: 2048,
    firstByteMs: 1.2,
    totalMs: 2.4,
    claims: {
      iss: 'https://consumer.example.org/',
      sub: 'u-17',
      iat: 1_763_629_200,
      exp: 1_763_629_500,
      organisation: 'X26',
    },
  },
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const mainThreadCpu = () => {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function folder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

async function journalAlone(perTurn: number, durability: Durability): Promise<void> {
  const { path, remove } = folder()
  const journal = openJournal({
    folder: path,
    chain: 'bench',
    clock: systemClock,
    log: silentLog(),
    durability,
    segmentBytes: 8 << 20,
    onWritten: () => {},
  })
  const waits: number[] = []
  const batch = async (from: number) => {
    const start = performance.now()
    await Promise.all(Array.from({ length: perTurn }, (_, index) => journal.append(record(from + index))))
    waits.push(performance.now() - start)
    if (from % 10_000 < perTurn) await journal.release(journal.head().seq)
  }
  const total = durability === 'disk' ? perTurn * 2_000 : Math.max(perTurn * 2_000, 60_000)
  for (let number = 0; number < 20_000; number += perTurn) await batch(number)
  waits.length = 0
  const making = mainThreadCpu()
  for (let number = 0; number < total; number++) record(number)
  const start = mainThreadCpu()
  for (let number = 0; number < total; number += perTurn) await batch(number)
  const cpu = (mainThreadCpu() - start - (start - making)) / total
  waits.sort((a, b) => a - b)
  const at = (share: number) => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(3)
  console.log(
    `journal, ${durability}, ${perTurn} per turn: main thread ${cpu.toFixed(2)} µs/record; acknowledged p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms`,
  )
  await journal.close()
  journal.abandon()
  remove()
}

/** The choice between a write in the main thread and one in the thread pool. */
async function bareWrites(bytes: number): Promise<void> {
  const { path, remove } = folder()
  const { openSync, closeSync, ftruncateSync } = await import('node:fs')
  const fd = openSync(join(path, 'file'), 'a')
  const buffer = Buffer.alloc(bytes, 'x')
  const rounds = 4_000
  for (const [name, one] of [
    ['in the main thread', async () => void writeSync(fd, buffer)],
    ['in the thread pool', () => new Promise<void>((resolve) => write(fd, buffer, () => resolve()))],
  ] as const) {
    for (let round = 0; round < 500; round++) await one()
    const before = process.cpuUsage()
    const main = mainThreadCpu()
    const start = performance.now()
    for (let round = 0; round < rounds; round++) await one()
    const wall = ((performance.now() - start) * 1_000) / rounds
    const { user, system } = process.cpuUsage(before)
    console.log(
      `write of ${bytes} bytes ${name}: ${wall.toFixed(1)} µs, CPU ${((user + system) / rounds).toFixed(1)} µs, of it main thread ${((mainThreadCpu() - main) / rounds).toFixed(1)} µs`,
    )
    ftruncateSync(fd, 0)
  }
  closeSync(fd)
  remove()
}

async function whole(name: string, store: Store): Promise<void> {
  const { path, remove } = folder()
  const audit = await openAudit({ store, clock: systemClock, random: systemRandom, log: silentLog(), journalDir: path })
  const run = async (from: number, total: number) => {
    for (let number = from; number < from + total; number += 8) {
      for (let index = 0; index < 7; index++) void audit.append(record(number + index))
      await audit.append(record(number + 7))
      await turn()
    }
  }
  await run(0, 20_000)
  await audit.find({ limit: 1 })
  const total = 80_000
  const before = process.cpuUsage()
  const main = mainThreadCpu()
  const start = performance.now()
  await run(20_000, total)
  const appended = performance.now() - start
  await audit.find({ limit: 1 })
  const drained = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  const rate = (ms: number) => `${Math.round(total / ms)} k/s`
  console.log(
    `${name}: appended at ${rate(appended)}, in the store at ${rate(drained)}; main thread ${((mainThreadCpu() - main) / total).toFixed(2)} µs/record all told, process with its threads ${((user + system) / total).toFixed(2)} µs/record`,
  )
  const from = performance.now()
  const verdict = await audit.verify()
  console.log(
    `${name}: verify ${verdict.ok ? `${Math.round(verdict.records / (performance.now() - from))} k/s` : verdict.reason}`,
  )
  await audit.close()
  remove()
}

for (const bytes of [700, 5_600, 22_400]) await bareWrites(bytes)
for (const perTurn of [1, 8, 32]) await journalAlone(perTurn, 'process')
for (const perTurn of [8, 32]) await journalAlone(perTurn, 'disk')
const memory = await openMemoryStore()
await whole('memory', memory)
await memory.close()
const server = process.env['TEST_DATABASE_URL']
if (server) {
  const database = await openTestDatabase(server)
  await whole('postgresql', database)
  await database.close()
}
