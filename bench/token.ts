/**
 * The token endpoint beside a bare `oidc-provider`: client credentials by signed JWT (RS512, 2048-bit client key) over TLS
 * on keep-alive connections, each in a process of its own, rounds interleaved. Ours keeps jti, grant and token durably
 * before it answers and writes its audit; the library keeps its records in memory. The figure is tokens for a second of the
 * server process's CPU, all threads, with what is caught up afterwards; what PostgreSQL uses besides is told. At the end:
 * what node:crypto alone takes for the signatures. Run alone: `node bench/token.ts`.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { openTrust } from '@openspine/platform/trust'
import type { TokenLoad, TokenRound } from './token-load.ts'
import type { Serving, Wanted } from './token-process.ts'

const requests = Number(process.env['BENCH_TOKENS'] ?? 2_000)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const connections = 32
const kid = 'bench-1'
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface Server extends Serving {
  readonly child: ChildProcess
}

interface Sample extends TokenLoad {
  /** Tokens for a second of CPU. */
  readonly perCpuSecond: number
  /** Microseconds of PostgreSQL for a token. */
  readonly database: number
}

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const stops: (() => Promise<unknown>)[] = []
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-token-'))
  stops.push(async () => rmSync(folder, { recursive: true, force: true }))
  try {
    return await measure(folder, stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

async function measure(folder: string, stops: (() => Promise<unknown>)[]) {
  const log = makeLog({ level: 'error', environment: 'bench' })
  const trust = await openTrust({ directory: join(folder, 'trust'), environment: 'bench', clock: systemClock, log })
  const { certificate, chain, key } = await trust.identity('localhost')
  const ca = readFileSync(trust.files.bundle, 'utf8')
  await trust.close()
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const postgres = postgresBinaries() ? await startPostgres({ durable: true }) : undefined
  if (postgres !== undefined) stops.push(() => postgres.stop())
  const about = {
    publicKey: pair.publicKey,
    kid,
    tls: { key, cert: certificate + chain },
    trust: join(folder, 'trust'),
  }
  const start = async (wanted: Omit<Wanted, keyof typeof about>): Promise<Server> => {
    const child = fork(here('token-process.ts'), [JSON.stringify({ ...about, ...wanted })], {
      // As `openspine start` runs.
      execArgv: [...process.execArgv, '--max-semi-space-size=32', ...profiling(wanted.kind)],
    })
    stops.push(() => ended(child))
    const [serving] = (await once(child, 'message')) as [Serving]
    return { child, ...serving }
  }
  const servers: Readonly<Record<string, Server>> = {
    'oidc-provider, memory': await start({ kind: 'oidc-provider', folder }),
    ...(postgres === undefined
      ? {}
      : { 'openspine, PostgreSQL': await start({ kind: 'openspine', folder, databaseUrl: postgres.url }) }),
    ...(process.env['BENCH_EMBEDDED'] === '0'
      ? {}
      : { 'openspine, embedded': await start({ kind: 'openspine', folder: join(folder, 'store') }) }),
  }
  const generator = fork(here('token-load.ts'))
  stops.push(() => ended(generator))

  const sample = async ({ child, url, clientId }: Server, number = requests): Promise<Sample> => {
    const round: TokenRound = { url, ca, clientId, key: pair.privateKey, kid, connections, requests: number }
    const [cpuBefore, databaseBefore] = [await quiet(child), postgresCpu(postgres?.pid)]
    generator.send(round)
    const [load] = (await once(generator, 'message')) as [TokenLoad]
    if (load.failed > 0) throw new Error(`${load.failed} requests of ${number} failed: ${load.fault}`)
    const [cpu, database] = [(await quiet(child)) - cpuBefore, postgresCpu(postgres?.pid) - databaseBefore]
    return { ...load, perCpuSecond: number / cpu, database: (database * 1e6) / number }
  }

  for (const server of Object.values(servers)) await sample(server, 3_000)
  const found: Readonly<Record<string, Sample[]>> = Object.fromEntries(Object.keys(servers).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const [name, server] of Object.entries(servers)) found[name]?.push(await sample(server))

  const peer = found['oidc-provider, memory'] ?? []
  const results: Record<string, unknown> = {}
  for (const [name, samples] of Object.entries(found)) {
    const perCpuSecond = Math.round(median(samples.map((one) => one.perCpuSecond)))
    const ratio = median(samples.map((one, i) => one.perCpuSecond / (peer[i]?.perCpuSecond ?? Number.NaN)))
    const database = name.includes('PostgreSQL') ? Math.round(median(samples.map((one) => one.database))) : 0
    const p50 = median(samples.map((one) => one.p50))
    process.stdout.write(
      `${name}: ${perCpuSecond} tokens for a second of CPU (${Math.round(1e6 / perCpuSecond)} µs each), ${ratio.toFixed(2)} × the library; p50 ${p50.toFixed(1)} ms on ${connections} connections${database > 0 ? `; PostgreSQL used ${database} µs besides` : ''}\n`,
    )
    results[name] = { perCpuSecond, ratio, p50, database }
  }
  const raw = rawVerify(pair)
  process.stdout.write(`node:crypto alone verifies ${raw} such signatures in a second of CPU\n`)
  return { ...results, raw }
}

/** `BENCH_PROFILE=folder` writes a CPU profile of our processes there. */
function profiling(kind: Wanted['kind']): string[] {
  const { BENCH_PROFILE: folder } = process.env
  return folder && kind === 'openspine' ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []
}

function rawVerify({ publicKey, privateKey }: { readonly publicKey: string; readonly privateKey: string }): number {
  const signed = Buffer.alloc(400, 'a')
  const signature = sign('sha512', signed, privateKey)
  const results = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    for (let n = 0; n < 5_000; n++)
      if (!verify('sha512', signed, publicKey, signature)) throw new Error('a signature that does not fit')
    const { user, system } = process.cpuUsage(before)
    return (5_000 * 1e6) / (user + system)
  })
  return Math.round(median(results))
}

/** Seconds of CPU of the process, once it has done nothing for half a second. */
async function quiet(child: ChildProcess): Promise<number> {
  let before = await cpuOf(child)
  for (let still = 0, polls = 0; still < 5 && polls < 300; polls++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = await cpuOf(child)
    still = now - before < 0.01 ? still + 1 : 0
    before = now
  }
  return before
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
  return (user + system) / 1e6
}

/** Seconds of CPU of a PostgreSQL and the processes that it started. */
function postgresCpu(pid: number | undefined): number {
  if (pid === undefined) return 0
  let seconds = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      if (Number(name) === pid || parent === pid)
        seconds += Number(readFileSync(`/proc/${name}/schedstat`, 'utf8').split(' ')[0]) / 1e9
    } catch {
      // It has just ended.
    }
  }
  return seconds
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run()
