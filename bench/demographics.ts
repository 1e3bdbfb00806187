/**
 * PDS FHIR over a real PostgreSQL with fsync on: how fast people are loaded with every index in place, and
 * how many are retrieved and searched over HTTPS with 32 keep-alive connections, audited, by a load
 * generator of its own process; then retrieves over the embedded store. Everything shares this machine. Run
 * alone: `node bench/demographics.ts`; `BENCH_PEOPLE=100000,1000000,5000000` for a curve of
 * growth, BENCH_DATABASE_URL for a database that is kept.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openAudit } from '@openspine/platform/audit'
import { systemClock, systemRandom } from '@openspine/platform/clock'
import { openDoor } from '@openspine/platform/doors'
import { openJobs } from '@openspine/platform/jobs'
import { makeLog } from '@openspine/platform/log'
import { makeMetrics } from '@openspine/platform/metrics'
import { sealingWith } from '@openspine/platform/sealing'
import type { Platform } from '@openspine/platform/service'
import { openStore, type Store } from '@openspine/platform/store'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { openTrust } from '@openspine/platform/trust'
import { demographics, demographicsConfig, type PersonRecord, syntheticPeople } from '@openspine/services/demographics'
import type { LoadResult, LoadRound, Target } from './demographics-load.ts'

/** Sizes of the population, rising: each is measured as the population grows to it. */
const sizes = (process.env['BENCH_PEOPLE'] ?? '200000').split(',').map(Number)
const embeddedPeople = 20_000
/** A database that stays and has the population, or part of it. */
const kept = process.env['BENCH_DATABASE_URL']
const connections = 32
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  if (kept === undefined && !postgresBinaries()) {
    process.stdout.write('PostgreSQL is not installed: nothing to measure on\n')
    return { skipped: 'PostgreSQL is not installed' }
  }
  const log = makeLog({ level: 'error', environment })
  const postgresql = await within(async (folder, stops) => {
    const store = await openStore({ databaseUrl: kept ?? (await startOwn(stops)), log, clock, poolSize: 8 })
    stops.push(() => store.close())
    return measure({ store, folder, stops, sizes, kinds: ['retrieve', 'exact search', 'fuzzy search', 'update'] })
  })
  process.stdout.write('embedded store\n')
  const embedded = await within(async (folder, stops) => {
    const store = await openStore({ directory: join(folder, 'store'), log, clock })
    stops.push(() => store.close())
    return measure({ store, folder, stops, sizes: [embeddedPeople], kinds: ['retrieve', 'exact search', 'update'] })
  })
  return { postgresql, embedded }
}

type Stops = (() => Promise<unknown>)[]

async function startOwn(stops: Stops): Promise<string> {
  const postgres = await startPostgres({ durable: true, settings: ['shared_buffers=256MB', 'max_wal_size=2GB'] })
  stops.push(() => postgres.stop())
  return postgres.url
}

async function within<Result>(work: (folder: string, stops: Stops) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  const stops: Stops = [async () => rmSync(folder, { recursive: true, force: true })]
  try {
    return await work(folder, stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

const environment = 'bench'
const [clock, random] = [systemClock, systemRandom]

async function measure(about: {
  readonly store: Store
  readonly folder: string
  readonly stops: Stops
  readonly sizes: readonly number[]
  readonly kinds: readonly string[]
}) {
  const { store, folder, stops } = about
  const log = makeLog({ level: 'error', environment })
  const metrics = makeMetrics()
  const trust = await openTrust({ directory: join(folder, 'trust'), environment, clock, log })
  stops.push(() => trust.close())
  const audit = await openAudit({ store, clock, random, log, metrics, journalDir: join(folder, 'audit') })
  stops.push(() => audit.close())
  const jobs = await openJobs({ store, clock, random, log, metrics })
  const platform: Platform = {
    environment,
    profile: 'sandbox',
    dataDir: folder,
    clock,
    random,
    log,
    metrics,
    store,
    trust,
    audit,
    jobs,
    sealing: sealingWith('the sealing key of the benchmark', random),
  }
  const config = demographicsConfig.parse({})
  const service = demographics({ platform, config })
  await store.migrate(service.name, service.migrations ?? {})

  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log,
    metrics,
    clock,
    random,
    routes: service.routes?.api ? [service.routes.api] : [],
  })
  stops.push(() => door.close(1000))
  const generator = fork(fileURLToPath(new URL('demographics-load.ts', import.meta.url)))
  stops.push(() => ended(generator))
  const ca = readFileSync(trust.files.bundle, 'utf8')

  const curve: Record<string, unknown>[] = []
  let loaded = await service.contract.count()
  for (const people of about.sizes) {
    const figures: Record<string, unknown> = { people }
    if (people > loaded) {
      const began = performance.now()
      const before = process.cpuUsage()
      const records = syntheticPeople({ seed: 1, from: loaded, count: people - loaded })
      const written = await service.contract.load(records)
      const seconds = (performance.now() - began) / 1000
      figures['loadRate'] = Math.round(written / seconds)
      process.stdout.write(
        `${written} people more, ${people} in all, with all indexes in ${seconds.toFixed(1)} s: ${figures['loadRate']}/s, own CPU ${cpuSince(before, written)} µs a person\n`,
      )
      loaded = people
    }
    await store.pool.query('vacuum (analyze)')
    const all = {
      ...targetsOf(config.basePath, people),
      ...(await moves(config.basePath, people, service.contract.find)),
    }
    for (const [name, targets] of Object.entries(all))
      if (about.kinds.includes(name))
        figures[name] = await rate(name, (ms) => load(generator, { port: door.port, ca, connections, ms, targets }))
    curve.push(figures)
  }
  return curve
}

async function rate(name: string, ask: (ms: number) => Promise<LoadResult>) {
  await ask(2_000)
  const samples: (LoadResult & { readonly cpu: number })[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const sample = await ask(3_000)
    if (sample.failed > 0) throw new Error(`${sample.failed} requests failed`)
    samples.push({ ...sample, cpu: cpuSince(before, sample.requests) })
  }
  const rates = samples.map(({ requests, seconds }) => Math.round(requests / seconds))
  const figures = {
    perSecond: median(rates),
    rounds: rates,
    p50Ms: rounded(median(samples.map(({ p50 }) => p50))),
    p99Ms: rounded(median(samples.map(({ p99 }) => p99))),
    cpuMicroseconds: median(samples.map(({ cpu }) => cpu)),
    octets: samples[0]?.octets,
  }
  process.stdout.write(
    `${name}, ${connections} connections: ${figures.perSecond}/s (${rates.join(', ')}), p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, own CPU ${figures.cpuMicroseconds} µs a request, ${figures.octets} octets\n`,
  )
  return figures
}

/** Spread over the whole population, in an order that no cache has seen. */
function targetsOf(basePath: string, people: number): Record<string, LoadRound['targets']> {
  const sample = sampleOf(people).filter(({ sensitivity }) => sensitivity !== 'V')
  const target = (query: (person: PersonRecord) => string) =>
    sample.map((person) => ({ path: basePath + query(person), holds: `"id":"${person.nhsNumber}"` }))
  const search = ({ patient }: PersonRecord, more: Record<string, string>) => {
    const [name] = patient['name'] as { readonly family: string; readonly given: readonly string[] }[]
    const query = { family: name?.family ?? '', given: name?.given[0] ?? '', birthdate: String(patient['birthDate']) }
    return `/Patient?${new URLSearchParams({ ...query, ...more }).toString()}`
  }
  return {
    retrieve: target(({ nhsNumber }) => `/Patient/${nhsNumber}`),
    'exact search': target((person) => search(person, {})),
    'fuzzy search': target((person) => search(person, { '_fuzzy-match': 'true' })),
  }
}

function sampleOf(people: number): PersonRecord[] {
  const sample: PersonRecord[] = []
  // Stretches of a hundred: one person at a time is slow to make.
  const step = Math.max(100, Math.floor(people / 10_000) * 100)
  for (let from = 0; from + 100 <= people; from += step) sample.push(...syntheticPeople({ seed: 1, from, count: 100 }))
  shuffle(sample)
  return sample
}

/** Updates: people move house, and move back. Rows of keys, history, event and answer are written with each. */
async function moves(basePath: string, people: number, find: (nhsNumber: string) => Promise<PersonRecord | undefined>) {
  const update: Target[] = []
  for (const { nhsNumber, sensitivity } of sampleOf(people)) {
    if (sensitivity !== 'U') continue
    const person = await find(nhsNumber)
    if (!person) throw new Error('somebody who was loaded is not there')
    const { patient, version = 1 } = person
    const [home] = patient['address'] as Readonly<Record<string, unknown>>[]
    const to = (house: number) => {
      const value = { ...home, line: ['', `${house} Sample Street`, '', 'Testham', ''], postalCode: `ZZ99 ${house}BX` }
      return JSON.stringify({ patches: [{ op: 'replace', path: '/address/0', value }] })
    }
    update.push({
      path: `${basePath}/Patient/${nhsNumber}`,
      holds: `"id":"${nhsNumber}"`,
      patches: [to(1), to(2)],
      version,
    })
  }
  return { update }
}

/** The same order at every run. */
function shuffle(items: unknown[]): void {
  let state = 1
  for (let i = items.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const j = state % (i + 1)
    ;[items[i], items[j]] = [items[j], items[i]]
  }
}

async function load(generator: ChildProcess, round: LoadRound): Promise<LoadResult> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    generator.send(round)
    const [answer] = await Promise.race([
      once(generator, 'message', { signal }),
      once(generator, 'exit', { signal }).then(() => {
        throw new Error('the load generator ended')
      }),
    ])
    return answer as LoadResult
  } finally {
    settled.abort()
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill()
  await exit
}

/** Microseconds of this process for each of `count`. */
function cpuSince(before: NodeJS.CpuUsage, count: number): number {
  const { user, system } = process.cpuUsage(before)
  return Math.round((user + system) / count)
}

const rounded = (value: number) => Math.round(value * 100) / 100
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

if (import.meta.main) await run()
