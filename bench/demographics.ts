/**
 * PDS FHIR over a real PostgreSQL with fsync on: how fast people are loaded with every index in place, and
 * how many are retrieved, searched and changed over HTTPS with 32 keep-alive connections, audited, by a load
 * generator of its own process; then over the embedded store. Everything shares this machine. Run alone:
 * `node bench/demographics.ts`; with `--curve`, one database that grows, measured at each of its sizes, and no
 * embedded store. BENCH_PEOPLE for other sizes, BENCH_DATABASE_URL for a database that is kept.
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
import type { LoadResult, LoadRound } from './demographics-load.ts'
import { moves, seed, targetsOf } from './demographics-targets.ts'

const growing = process.argv.includes('--curve')
/** Sizes of the population, rising: each is measured when the population has grown to it. */
const sizes = (process.env['BENCH_PEOPLE'] ?? (growing ? '100000,1000000,5000000' : '200000')).split(',').map(Number)
const embeddedPeople = 20_000
/** A database that stays and has the population, or part of it. */
const kept = process.env['BENCH_DATABASE_URL']
const connections = 32
/** What is measured at each size, and over how many connections. */
const kinds = {
  retrieve: connections,
  'exact search': connections,
  'fuzzy search': connections,
  // Nobody else asks meanwhile: how long one search takes.
  'fuzzy search alone': 1,
  update: connections,
} as const
type Kind = keyof typeof kinds
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
    return measure({ store, folder, stops, sizes, measured: Object.keys(kinds) as Kind[] })
  })
  if (growing) {
    process.stdout.write(table(postgresql))
    return { postgresql }
  }
  process.stdout.write('embedded store\n')
  const embedded = await within(async (folder, stops) => {
    const store = await openStore({ directory: join(folder, 'store'), log, clock })
    stops.push(() => store.close())
    return measure({ store, folder, stops, sizes: [embeddedPeople], measured: ['retrieve', 'exact search', 'update'] })
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
  readonly measured: readonly Kind[]
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

  const curve: Figures[] = []
  let loaded = await service.contract.count()
  for (const people of about.sizes) {
    if (people < loaded) {
      process.stdout.write(`${people} people: left out, ${loaded} are there already\n`)
      continue
    }
    const figures: Figures = { people }
    if (people > loaded) {
      const began = performance.now()
      const before = process.cpuUsage()
      const written = await service.contract.load(reported(loaded, people))
      const seconds = (performance.now() - began) / 1000
      figures.loadRate = Math.round(written / seconds)
      process.stdout.write(
        `${written} people more, ${people} in all, with all indexes in ${seconds.toFixed(1)} s: ${figures.loadRate}/s, own CPU ${cpuSince(before, written)} µs a person\n`,
      )
      loaded = people
    }
    await store.pool.query('vacuum (analyze)')
    const targets = targetsOf(config.basePath, people)
    const all: Readonly<Record<Kind, LoadRound['targets'] | undefined>> = {
      retrieve: targets['retrieve'],
      'exact search': targets['exact search'],
      'fuzzy search': targets['fuzzy search'],
      'fuzzy search alone': targets['fuzzy search'],
      update: await moves(config.basePath, people, service.contract.find),
    }
    for (const kind of about.measured)
      figures[kind] = await rate(kind, (ms) =>
        load(generator, { port: door.port, ca, connections: kinds[kind], ms, targets: all[kind] ?? [] }),
      )
    curve.push(figures)
  }
  return curve
}

type Figures = { readonly people: number; loadRate?: number } & { [Name in Kind]?: Awaited<ReturnType<typeof rate>> }

/** The people from one size to the next, told of as they go. */
function* reported(from: number, to: number): Generator<PersonRecord> {
  let began = performance.now()
  let made = from
  for (const record of syntheticPeople({ seed, from, count: to - from })) {
    yield record
    if (++made % progressStep > 0) continue
    const seconds = (performance.now() - began) / 1000
    began = performance.now()
    process.stdout.write(`  ${made} of ${to}, the last ${progressStep} at ${Math.round(progressStep / seconds)}/s\n`)
  }
}
const progressStep = 100_000

/** The curve: one line for each size. */
function table(curve: readonly Figures[]): string {
  const line = (cells: readonly unknown[]) => `${cells.map((cell) => String(cell ?? '').padStart(11)).join('')}\n`
  return [
    line(['', '', '', '', 'fuzzy', 'fuzzy 32', 'fuzzy 32', 'fuzzy 1', 'fuzzy 1', '', 'update']),
    line([
      'people',
      'load/s',
      'retrieve/s',
      'exact/s',
      '/s',
      'p50 ms',
      'p99 ms',
      'p50 ms',
      'p99 ms',
      'update/s',
      'p99 ms',
    ]),
    ...curve.map((at) => {
      const { retrieve, 'exact search': exact, 'fuzzy search': fuzzy, 'fuzzy search alone': alone, update } = at
      const rates = [at.people, at.loadRate, retrieve?.perSecond, exact?.perSecond, fuzzy?.perSecond]
      return line([...rates, fuzzy?.p50Ms, fuzzy?.p99Ms, alone?.p50Ms, alone?.p99Ms, update?.perSecond, update?.p99Ms])
    }),
  ].join('')
}

async function rate(name: Kind, ask: (ms: number) => Promise<LoadResult>) {
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
    `${name}: ${figures.perSecond}/s (${rates.join(', ')}), p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, own CPU ${figures.cpuMicroseconds} µs a request, ${figures.octets} octets\n`,
  )
  return figures
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
