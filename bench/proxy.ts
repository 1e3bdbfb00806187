/**
 * The secure proxy beside nginx doing the same: one worker, mutual TLS with the same cipher on both legs,
 * revocation lists, keep-alive on both legs, the checks that regular expressions can make, one buffered
 * audit line. The figure is the proxy's own CPU for a request; rounds are interleaved, and the median counts.
 * Run alone: `node bench/proxy.ts`. Needs nginx and taskset; without them it says so.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { openTrust } from '@openspine/platform/trust'
import { ended, nginxVersion, providerConfig, proxyConfig, reachable, startNginx } from './nginx.ts'
import type { LoadResult, LoadRound } from './proxy-load.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const [proxyCore, loadCore] = [1, 0]
const ticksPerSecond = 100

interface Sample extends LoadResult {
  /** Microseconds of the proxy's process for a request; of its main thread alone. */
  readonly cpu: number
  readonly mainCpu: number
}

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const version = nginxVersion()
  if (version === undefined) {
    process.stdout.write('nginx is not installed: nothing to compare with\n')
    return { skipped: 'nginx is not installed' }
  }
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  const stops: (() => Promise<void>)[] = []
  try {
    return await measure(folder, stops, version)
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string, stops: (() => Promise<void>)[], version: string) {
  const log = makeLog({ level: 'warn', environment: 'bench' })
  const trust = await openTrust({ directory: join(folder, 'trust'), environment: 'bench', clock: systemClock, log })
  stops.push(() => trust.close())
  const files = async (fqdn: string, names: readonly string[] = []) => {
    const leaf = await trust.issue({ fqdn, names })
    return {
      certificate: leaf.files.fullChain,
      key: leaf.files.key ?? '',
      ca: trust.files.bundle,
      crl: trust.files.crl,
    }
  }
  const provider = await files('gp.example.test', ['gp.example.test', 'localhost'])
  const middle = await files('localhost', ['localhost'])
  const consumer = await files('consumer.example.test')
  const [providerPort, nginxPort, ownPort] = [await freePort(), await freePort(), await freePort()]
  const authority = `gp.example.test:${providerPort}`
  const base = '/A20047/STU3/1/gpconnect'

  const providerFolder = join(folder, 'provider')
  mkdirSync(join(providerFolder, 'www', base), { recursive: true })
  const sizes = { '2 KB': 2048, '100 KB': 102_400 }
  for (const [name, size] of Object.entries(sizes))
    writeFileSync(join(providerFolder, 'www', base, name.replace(' ', '')), 'x'.repeat(size))
  const providerPeer = await startNginx(
    providerFolder,
    providerConfig(providerFolder, providerPort, provider),
    providerPort,
    loadCore,
  )
  stops.push(providerPeer.stop)

  const nginxFolder = join(folder, 'nginx')
  mkdirSync(nginxFolder)
  const nginx = await startNginx(
    nginxFolder,
    proxyConfig(nginxFolder, nginxPort, providerPort, authority, middle),
    nginxPort,
    proxyCore,
  )
  stops.push(nginx.stop)

  // The audit's journal is drained into a store: PostgreSQL as a process of its own, as where it matters.
  const postgres = postgresBinaries() ? await startPostgres({ durable: true }) : undefined
  if (postgres !== undefined) stops.push(() => postgres.stop())
  process.stdout.write(
    `audit journal on, drained into ${postgres === undefined ? 'the embedded store' : 'PostgreSQL'}\n`,
  )
  const own = spawn(
    'taskset',
    [
      '-c',
      String(proxyCore),
      process.execPath,
      ...profiling(),
      here('proxy-process.ts'),
      folder,
      String(ownPort),
      `https://${authority}${base}`,
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...(postgres === undefined ? {} : { BENCH_DATABASE_URL: postgres.url }) },
    },
  )
  stops.push(() => ended(own))
  await reachable(ownPort, own, () => '')

  const load = generator(consumer)
  stops.push(() => ended(load.child))
  const peers = { nginx: { pid: nginx.pid, port: nginxPort }, openspine: { pid: own.pid ?? 0, port: ownPort } }
  const sample = async (peer: { pid: number; port: number }, about: Omit<LoadRound, 'port'>): Promise<Sample> => {
    const before = [cpuOf(`/proc/${peer.pid}/stat`), cpuOf(`/proc/${peer.pid}/task/${peer.pid}/stat`)] as const
    const result = await load.round({ ...about, port: peer.port })
    // What a proxy does after its answers belongs to their price: the audit's way into the store, for one.
    await quiet(peer.pid)
    const used = cpuOf(`/proc/${peer.pid}/stat`) - before[0]
    const main = cpuOf(`/proc/${peer.pid}/task/${peer.pid}/stat`) - before[1]
    if (result.failed > 0) throw new Error(`${result.failed} requests failed on port ${peer.port}`)
    return { ...result, cpu: (used * 1e6) / result.requests, mainCpu: (main * 1e6) / result.requests }
  }

  const results: Record<string, unknown> = { nginx: version }
  const target = (name: string) => `/https://${authority}${base}/${name}`
  // nginx has nothing to warm; our side is compiled while it runs, the more often used the better.
  await sample(peers.nginx, { connections: 32, ms: 300, target: target('2KB'), bytes: 2048 })
  for (let warm = 0, rounds = 0; warm < 60_000 && rounds < 5; rounds++)
    warm += (await sample(peers.openspine, { connections: 32, ms: 1500, target: target('2KB'), bytes: 2048 })).requests
  for (const [name, bytes] of Object.entries(sizes)) {
    const about = { connections: 32, ms: 1000, target: target(name.replace(' ', '')), bytes }
    const rounds = name === '2 KB' ? 5 : 3
    const found = { nginx: [] as Sample[], openspine: [] as Sample[] }
    for (let round = 0; round < rounds; round++)
      for (const peer of ['nginx', 'openspine'] as const) found[peer].push(await sample(peers[peer], about))
    const cpu = {
      nginx: median(found.nginx.map((one) => one.cpu)),
      openspine: median(found.openspine.map((one) => one.cpu)),
    }
    const main = median(found.openspine.map((one) => one.mainCpu))
    const ratio = median(found.openspine.map((one, i) => one.cpu / (found.nginx[i]?.cpu ?? Number.NaN)))
    const rate = (samples: Sample[]) => Math.round(median(samples.map((one) => one.requests / one.seconds)))
    process.stdout.write(
      `${name}, 32 connections: CPU µs a request nginx ${cpu.nginx.toFixed(1)}, openspine ${cpu.openspine.toFixed(1)} (main thread ${main.toFixed(1)}), ratio ${ratio.toFixed(2)} (main thread ${(main / cpu.nginx).toFixed(2)}); ` +
        `requests/s ${rate(found.nginx)} and ${rate(found.openspine)}; p50 µs ${median(found.nginx.map((one) => one.p50)).toFixed(0)} and ${median(found.openspine.map((one) => one.p50)).toFixed(0)}\n`,
    )
    results[name] = { cpu, main, ratio, mainRatio: main / cpu.nginx }
  }

  const alone = { connections: 1, ms: 400, target: target('2KB'), bytes: 2048 }
  const p50 = { direct: [] as number[], nginx: [] as number[], openspine: [] as number[] }
  for (let round = 0; round < 3; round++) {
    p50.direct.push((await load.round({ ...alone, port: providerPort, target: `${base}/2KB` })).p50)
    p50.nginx.push((await sample(peers.nginx, alone)).p50)
    p50.openspine.push((await sample(peers.openspine, alone)).p50)
  }
  const direct = median(p50.direct)
  const added = { nginx: median(p50.nginx) - direct, openspine: median(p50.openspine) - direct }
  process.stdout.write(
    `2 KB, one connection: p50 µs direct ${direct.toFixed(0)}, added by nginx ${added.nginx.toFixed(0)}, by openspine ${added.openspine.toFixed(0)}, ratio ${(added.openspine / added.nginx).toFixed(2)}\n`,
  )
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${own.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  process.stdout.write(`openspine memory ${rss.toFixed(0)} MB\n`)
  return { ...results, latency: { direct, added, ratio: added.openspine / added.nginx }, memory: rss }
}

/** `BENCH_PROFILE=folder` writes a CPU profile of our process there. */
function profiling(): string[] {
  const folder = process.env['BENCH_PROFILE']
  return folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []
}

function generator(tls: { certificate: string; key: string; ca: string }): {
  child: ChildProcess
  round(load: LoadRound): Promise<LoadResult>
} {
  const child = spawn(
    'taskset',
    ['-c', String(loadCore), process.execPath, here('proxy-load.ts'), tls.certificate, tls.key, tls.ca],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    async round(load) {
      child.stdin.write(`${JSON.stringify(load)}\n`)
      const { value, done } = await lines.next()
      if (done === true) throw new Error('the load generator ended')
      return JSON.parse(value) as LoadResult
    },
  }
}

/** Resolves when the process has done nothing for half a second. */
async function quiet(pid: number): Promise<void> {
  let before = cpuOf(`/proc/${pid}/stat`)
  for (let still = 0, polls = 0; still < 5 && polls < 300; polls++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = cpuOf(`/proc/${pid}/stat`)
    still = now - before < 0.015 ? still + 1 : 0
    before = now
  }
}

/** Seconds of user and system time. */
function cpuOf(file: string): number {
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run()
