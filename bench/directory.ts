/**
 * The directory beside OpenLDAP's slapd with the same 100 000 entries (mdb, equality indexes): equality searches on
 * 8 kept connections, plain and with mutual TLS 1.2 and 1.3 (AES-256-GCM), the driver in a process of its own, rounds
 * interleaved, the median counts. The figure is searches for each second of the server's CPU, audit and metrics of ours
 * included; slapd logs nothing. Run alone: `node bench/directory.ts`. Needs slapd; without it it says so.
 * `node bench/directory.ts --million` compares our own searches among 1 000 000 entries with those among 100 000.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { slapdPath, startSlapd } from '@openspine/services/directory/slapd'
import { benchEntries } from './directory-entries.ts'
import type { DirectoryLoad, DirectoryRound } from './directory-load.ts'

const entries = 100_000
const million = 1_000_000
const connections = 8
const rounds = 3
const changedAtOnce = 10_000
const seconds = 1.2
const ticksPerSecond = 100
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface Sample extends DirectoryLoad {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/** Seconds of CPU that a process has used, all threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function residentMegabytes(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)
}

export async function run(size?: '--million'): Promise<Readonly<Record<string, unknown>>> {
  if (slapdPath === undefined && size === undefined) {
    process.stdout.write('slapd is not installed: nothing to compare with\n')
    return { skipped: 'slapd is not installed' }
  }
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  const stops: (() => Promise<void>)[] = []
  try {
    return slapdPath === undefined || size === '--million'
      ? await measureMillion(folder, stops)
      : await measure(slapdPath, folder, stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(slapd: string, folder: string, stops: (() => Promise<void>)[]) {
  const ours = await startOurs(folder, entries, stops)
  const theirs = await startSlapd(slapd, folder, slapdEntries(), indexes, { ...ours.peer, ca: ours.ca })
  stops.push(() => theirs.stop())
  const driver = startDriver(stops)
  const memoryLoaded = residentMegabytes(ours.pid)
  const results: Record<string, unknown> = {
    entries,
    connections,
    writeMs: ours.writeMs,
    loadMs: ours.loadMs,
    readyMs: ours.readyMs,
    slapdLoadMs: theirs.loadMs,
  }
  for (const version of ['plain', 'TLSv1.2', 'TLSv1.3'] as const) {
    for (const search of ['asid', 'endpoint'] as const) {
      const round = { connections, seconds, search, entries }
      const compared = await compare(driver, { ours, slapd: { ...theirs, entries } }, (server) => ({
        ...round,
        ...(version === 'plain'
          ? { port: server.port }
          : { port: server.securePort, tls: { version, ca: ours.ca, ...ours.client } }),
      }))
      const ratioPerCpuSecond = round2(compared.ours.perCpuSecond / compared.slapd.perCpuSecond)
      results[`${version} ${search}`] = { ...compared, ratioPerCpuSecond }
      row(`${version}, ${search}`, compared, ratioPerCpuSecond)
    }
  }
  results['memoryMegabytes'] = {
    loaded: memoryLoaded,
    ours: residentMegabytes(ours.pid),
    slapd: residentMegabytes(theirs.pid),
  }
  const [change, during] = await Promise.all([
    ours.change(changedAtOnce),
    driver.ask({ port: ours.port, connections, seconds: seconds * 3, search: 'asid', entries }),
  ])
  results['change'] = { entries: changedAtOnce, ...change, p99: round2(during.p99) }
  process.stdout.write(`${JSON.stringify(results)}\n`)
  return results
}

const indexes = [
  'objectClass',
  'uniqueIdentifier',
  'nhsIDCode',
  'nhsMHSPartyKey',
  'nhsAsSvcIA',
  'nhsMhsSvcIA',
  'nhsMhsCPAId',
]

function* slapdEntries() {
  yield { dn: 'o=nhs', attributes: { objectClass: ['top', 'organization'], o: ['nhs'] } }
  yield { dn: 'ou=Services,o=nhs', attributes: { objectClass: ['top', 'organizationalUnit'], ou: ['Services'] } }
  yield* benchEntries(entries)
}

/** Our own searches among ten times as many entries. */
async function measureMillion(folder: string, stops: (() => Promise<void>)[]) {
  const few = await startOurs(join(folder, 'few'), entries, stops)
  const many = await startOurs(join(folder, 'many'), million, stops)
  const driver = startDriver(stops)
  const about = ({ pid, writeMs, loadMs, readyMs }: Ours) => ({
    writeMs,
    loadMs,
    readyMs,
    memoryMegabytes: residentMegabytes(pid),
  })
  const results: Record<string, unknown> = { [entries]: about(few), [million]: about(many) }
  for (const search of ['asid', 'endpoint'] as const) {
    const compared = await compare(driver, { few, many }, ({ port, entries: held }) => ({
      connections,
      seconds,
      search,
      port,
      entries: held,
    }))
    const slower = round2(compared.few.perCpuSecond / compared.many.perCpuSecond)
    results[search] = { ...compared, slower }
    row(`${search}, ${entries} and ${million} entries`, compared, slower)
  }
  process.stdout.write(`${JSON.stringify(results)}\n`)
  return results
}

interface Server {
  readonly pid: number
  readonly port: number
  readonly securePort: number
  readonly entries: number
}

/** The same round at each server in turn, several times; the first does not count. */
async function compare<Name extends string>(
  driver: ReturnType<typeof startDriver>,
  servers: Readonly<Record<Name, Server>>,
  round: (server: Server) => DirectoryRound,
): Promise<Record<Name, ReturnType<typeof median>>> {
  const names = Object.keys(servers) as Name[]
  const samples = new Map<Name, Sample[]>(names.map((name) => [name, []]))
  for (let number = -1; number < rounds; number++) {
    for (const name of names) {
      const { pid } = servers[name]
      const before = cpuSeconds(pid)
      const load = await driver.ask(round(servers[name]))
      // What is still being audited belongs to the searches.
      await new Promise((resolve) => setTimeout(resolve, 150))
      const cpu = cpuSeconds(pid) - before
      const sample = { ...load, perSecond: load.searches / load.seconds, perCpuSecond: load.searches / cpu }
      if (number >= 0) samples.get(name)?.push(sample)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name) ?? [])])) as Record<
    Name,
    ReturnType<typeof median>
  >
}

function row(title: string, compared: Readonly<Record<string, ReturnType<typeof median>>>, ratio: number): void {
  for (const [name, of] of Object.entries(compared)) {
    process.stdout.write(
      `${title.padEnd(36)} ${name.padEnd(6)} ${String(of.perSecond).padStart(7)}/s ${String(of.perCpuSecond).padStart(7)} per CPU second  p50 ${of.p50.toFixed(2)} ms  p99 ${of.p99.toFixed(2)} ms\n`,
    )
  }
  process.stdout.write(`${title.padEnd(36)} ratio ${ratio.toFixed(2)}\n`)
}

const round2 = (value: number) => Math.round(value * 100) / 100

function median(samples: readonly Sample[]) {
  const middle = (of: (sample: Sample) => number) =>
    samples.map(of).sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0
  return {
    perSecond: Math.round(middle((sample) => sample.perSecond)),
    perCpuSecond: Math.round(middle((sample) => sample.perCpuSecond)),
    p50: round2(middle((sample) => sample.p50)),
    p99: round2(middle((sample) => sample.p99)),
  }
}

async function endOf(child: ChildProcess, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  how()
  await ended
}

interface Files {
  readonly certificate: string
  readonly key: string
}

interface Ours extends Server {
  readonly writeMs: number
  readonly loadMs: number
  readonly readyMs: number
  /** PEM files: of the authority, of a client, and for the other server. */
  readonly ca: string
  readonly client: Files
  readonly peer: Files
  change(entries: number): Promise<{ readonly applyMs: number; readonly longestGapMs: number }>
}

function lines(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('the process has no output')
  return createInterface({ input: child.stdout })
}

/** Writes and serves in two processes: what is measured is a server that was just started on its store. */
async function startOurs(folder: string, count: number, stops: (() => Promise<void>)[]): Promise<Ours> {
  const start = async (...args: string[]) => {
    const child = spawn(process.execPath, [here('directory-server.ts'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const told = lines(child)[Symbol.asyncIterator]()
    const next = async () => {
      const { value, done } = await told.next()
      if (done === true) throw new Error('our server stopped')
      return JSON.parse(value)
    }
    return { child, next }
  }
  const writer = await start('write', folder, String(count))
  const { writeMs } = await writer.next()
  await endOf(writer.child, () => {})
  const { child, next } = await start('serve', folder)
  stops.push(() => endOf(child, () => child.stdin?.end()))
  return {
    ...(await next()),
    writeMs,
    entries: count,
    change: (changed) => {
      child.stdin?.write(`change ${changed}\n`)
      return next()
    },
  }
}

function startDriver(stops: (() => Promise<void>)[]): { ask(round: DirectoryRound): Promise<DirectoryLoad> } {
  const child = spawn(process.execPath, [here('directory-load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] })
  stops.push(() => endOf(child, () => child.stdin?.end()))
  const answers = lines(child)[Symbol.asyncIterator]()
  return {
    async ask(round) {
      child.stdin?.write(`${JSON.stringify(round)}\n`)
      const { value, done } = await answers.next()
      if (done === true) throw new Error('the driver stopped')
      return JSON.parse(value) as DirectoryLoad
    },
  }
}

if (import.meta.main) await run(process.argv.includes('--million') ? '--million' : undefined)
