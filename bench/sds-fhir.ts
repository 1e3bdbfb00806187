/**
 * The SDS FHIR API with 100 000 entries over a real PostgreSQL with fsync on: look-ups over https on 32 keep-alive connections in the
 * published mix of production traffic, gateway, audit, metrics and the door's log included, every answer checked by a
 * load generator of its own process. Everything shares this machine. Run alone: `node bench/sds-fhir.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@openspine/platform/clock'
import { openDoor } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import { makeMetrics } from '@openspine/platform/metrics'
import { openStore } from '@openspine/platform/store'
import { testPlatform } from '@openspine/platform/testing'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { directory, directoryConfig } from '@openspine/services/directory'
import type { DirectoryChange } from '@openspine/services/directory/contract'
import { gateway, gatewayConfig } from '@openspine/services/gateway'
import { benchEntries, practiceOf, practicesOf } from './directory-entries.ts'
import type { SdsLoad, SdsRound, SdsTarget } from './sds-fhir-load.ts'

const entries = 100_000
const connections = 32
const rounds = 3

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  if (!postgresBinaries()) {
    process.stdout.write('PostgreSQL is not installed: nothing to measure on\n')
    return { skipped: 'PostgreSQL is not installed' }
  }
  const stops: (() => Promise<unknown>)[] = []
  try {
    return await measure(stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

async function measure(stops: (() => Promise<unknown>)[]) {
  const log = makeLog({ level: 'warn', environment: 'bench' })
  const postgres = await startPostgres({ durable: true, settings: ['shared_buffers=256MB', 'max_wal_size=2GB'] })
  stops.push(() => postgres.stop())
  const store = await openStore({ databaseUrl: postgres.url, log, clock: systemClock, poolSize: 8 })
  stops.push(() => store.close())
  const platform = await testPlatform({ store, log })
  stops.push(() => platform.close())
  const theGateway = gateway({ platform, config: gatewayConfig.parse({}) })
  const config = directoryConfig.parse({ port: 0 })
  const service = directory({ platform, config, gateway: theGateway.contract })
  for (const each of [theGateway, service]) {
    await store.migrate(each.name, each.migrations ?? {})
    await each.start?.()
    stops.push(async () => each.stop?.(1000))
  }
  let changes: DirectoryChange[] = []
  const apply = async () => {
    await service.contract.apply(changes, 'bench')
    changes = []
  }
  for (const entry of benchEntries(entries)) if (changes.push({ kind: 'put', entry }) === 2_000) await apply()
  if (changes.length > 0) await apply()

  const { trust, clock, random } = platform
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log,
    metrics: makeMetrics(),
    clock,
    random,
    routes: service.routes?.api ? [service.routes.api] : [],
  })
  stops.push(() => door.close(1000))
  const generator = fork(fileURLToPath(new URL('sds-fhir-load.ts', import.meta.url)))
  stops.push(() => ended(generator))

  const targets = mixOf(config.fhirBasePath)
  const ca = readFileSync(trust.files.bundle, 'utf8')
  const ask = (ms: number) => load(generator, { port: door.port, ca, connections, ms, targets })
  await ask(2_000)
  const samples: (SdsLoad & { readonly cpu: number })[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    const sample = await ask(3_000)
    // What is still being audited belongs to the look-ups.
    await new Promise((resolve) => setTimeout(resolve, 150))
    const { user, system } = process.cpuUsage(before)
    if (sample.wrong > 0) throw new Error(`${sample.wrong} of ${sample.requests} answers were wrong`)
    samples.push({ ...sample, cpu: Math.round((user + system) / sample.requests) })
  }
  const figures = {
    entries,
    perSecond: Math.round(median(samples.map(({ requests, seconds }) => requests / seconds))),
    p50Ms: rounded(median(samples.map(({ p50 }) => p50))),
    p99Ms: rounded(median(samples.map(({ p99 }) => p99))),
    cpuMicroseconds: median(samples.map(({ cpu }) => cpu)),
    requests: samples.reduce((sum, { requests }) => sum + requests, 0),
    wrong: 0,
    octets: samples[0]?.octets,
  }
  process.stdout.write(
    `SDS FHIR, ${entries} entries, ${connections} connections: ${figures.perSecond}/s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, own CPU ${figures.cpuMicroseconds} µs a request, ${figures.octets} octets, ${figures.requests} answers and none wrong\n`,
  )
  return figures
}

/** 47 % Endpoint by organisation and interaction, 25 % Device with party key, 21 % Device, 3 % with manufacturer, 3 % other valid, 1 % invalid. */
function mixOf(basePath: string): SdsTarget[] {
  const token = (system: string, value: string) => encodeURIComponent(`https://fhir.nhs.uk/Id/${system}|${value}`)
  let state = 7
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
  return Array.from({ length: 10_000 }, (): SdsTarget => {
    const practice = practiceOf(below(practicesOf(entries)))
    const interaction = practice.interactions[below(practice.interactions.length)] ?? ''
    const [org, ia, pk, man] = [
      `organization=${token('ods-organization-code', practice.odsCode)}`,
      `identifier=${token('nhsServiceInteractionId', interaction)}`,
      `identifier=${token('nhsMhsPartyKey', practice.partyKey)}`,
      `manufacturing-organization=${token('ods-organization-code', 'YY001')}`,
    ]
    const device = { status: 200, total: 1, holds: [practice.asid, practice.odsCode, practice.partyKey] }
    const endpoint = { status: 200, total: 1, holds: [practice.odsCode, practice.partyKey, interaction] }
    const kind = below(100)
    if (kind < 47) return { path: `${basePath}/Endpoint?${org}&${ia}`, ...endpoint }
    if (kind < 72) return { path: `${basePath}/Device?${org}&${ia}&${pk}`, ...device }
    if (kind < 93) return { path: `${basePath}/Device?${org}&${ia}`, ...device }
    if (kind < 96) return { path: `${basePath}/Device?${org}&${ia}&${man}`, ...device }
    if (kind < 99) return { path: `${basePath}/Endpoint?${ia}&${pk}`, ...endpoint }
    return { path: `${basePath}/Endpoint?${org}`, status: 400, total: 0, holds: [] }
  })
}

async function load(generator: ChildProcess, round: SdsRound): Promise<SdsLoad> {
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
    return answer as SdsLoad
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

const rounded = (value: number) => Math.round(value * 100) / 100
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

if (import.meta.main) await run()
