/**
 * What the proxy's benchmarks run on: certificates, a provider, nginx and our proxy in processes of their own, and a
 * load generator. Proxies share one core, provider and generator the other.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { openTrust } from '@openspine/platform/trust'
import { ended, providerConfig, proxyConfig, reachable, startNginx } from './nginx.ts'
import type { LoadResult, LoadRound } from './proxy-load.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const [proxyCore, loadCore] = [1, 0]
const base = '/A20047/STU3/1/gpconnect'

export const bodies = { '2KB': 2048, '100KB': 102_400, '10MB': 10 << 20, '2GB': 2 ** 31 } as const
export type BodyName = keyof typeof bodies

export interface Sample extends LoadResult {
  /** Microseconds of the proxy's process for a request; of its main thread alone. */
  readonly cpu: number
  readonly mainCpu: number
}

export type About = Omit<LoadRound, 'port' | 'target' | 'bytes'> & { readonly of: BodyName }

export interface Rig {
  /** One round of load through a proxy, with what it cost that proxy. */
  sample(through: 'nginx' | 'openspine', about: About): Promise<Sample>
  /** The same load on the provider itself. */
  direct(about: About): Promise<LoadResult>
  /** Resident memory of our process, in MB. */
  memory(): number
}

/** Runs `work` with everything started, and stops it all afterwards. */
export async function withRig<Result>(work: (rig: Rig) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  const stops: (() => Promise<void>)[] = []
  try {
    return await work(await startRig(folder, stops))
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function startRig(folder: string, stops: (() => Promise<void>)[]): Promise<Rig> {
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

  const providerFolder = join(folder, 'provider')
  const served = join(providerFolder, 'www', base)
  mkdirSync(served, { recursive: true })
  for (const [name, size] of Object.entries(bodies)) {
    if (size <= bodies['10MB']) writeFileSync(join(served, name), 'x'.repeat(size))
    else {
      // A hole: it is read as zeros and takes no disk.
      writeFileSync(join(served, name), '')
      truncateSync(join(served, name), size)
    }
  }
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
      // As `openspine start` runs.
      '--max-semi-space-size=32',
      '--use-largepages=silent',
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
  return {
    async sample(through, { of, ...about }) {
      const peer = peers[through]
      const target = `/https://${authority}${base}/${of}`
      const before = cpuOf(peer.pid)
      const result = await load.round({ ...about, port: peer.port, target, bytes: bodies[of] })
      // What a proxy does after its answers belongs to their price: the audit's way into the store, for one.
      await quiet(peer.pid)
      const after = cpuOf(peer.pid)
      if (result.failed > 0) throw new Error(`${result.failed} requests failed through ${through}`)
      const each = (seconds: number) => (seconds * 1e6) / result.requests
      return { ...result, cpu: each(after.all - before.all), mainCpu: each(after.main - before.main) }
    },
    direct: ({ of, ...about }) =>
      load.round({ ...about, port: providerPort, target: `${base}/${of}`, bytes: bodies[of] }),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${own.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
  }
}

/** `BENCH_PROFILE=folder` writes a CPU profile of our process there; `BENCH_FLAGS` are further flags of Node for it. */
function profiling(): string[] {
  const { BENCH_PROFILE: folder, BENCH_FLAGS: flags } = process.env
  return [...(folder ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : []), ...(flags ? flags.split(' ') : [])]
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
  let before = cpuOf(pid).all
  for (let still = 0, polls = 0; still < 5 && polls < 300; polls++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = cpuOf(pid).all
    still = now - before < 0.015 ? still + 1 : 0
    before = now
  }
}

/**
 * Seconds of user and system time, of all threads and of the main one: by the scheduler's account, in nanoseconds, because
 * ticks are too coarse for short rounds. Threads that end in between are not counted; a server has none.
 */
function cpuOf(pid: number): { readonly all: number; readonly main: number } {
  let all = 0
  let main = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const seconds = Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e9
    all += seconds
    if (thread === String(pid)) main = seconds
  }
  return { all, main }
}

export function median(values: readonly number[]): number {
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
