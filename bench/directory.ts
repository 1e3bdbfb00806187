/**
 * The directory beside OpenLDAP's slapd with the same 100 000 entries (mdb, equality indexes): equality searches on
 * 8 connections, the driver in a process of its own, rounds interleaved, the median counts. The figure is searches
 * for each second of the server's CPU, audit and metrics of ours included; slapd logs nothing.
 * Run alone: `node bench/directory.ts`. Needs slapd and slapadd; without them it says so.
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
const connections = 8
const rounds = 3
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

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  if (slapdPath === undefined) {
    process.stdout.write('slapd is not installed: nothing to compare with\n')
    return { skipped: 'slapd is not installed' }
  }
  const folder = mkdtempSync(join(tmpdir(), 'openspine-bench-'))
  const stops: (() => Promise<void>)[] = []
  try {
    return await measure(slapdPath, folder, stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(slapd: string, folder: string, stops: (() => Promise<void>)[]) {
  const theirs = await startSlapd(slapd, folder, slapdEntries(), indexes)
  stops.push(() => theirs.stop())
  const ours = await startOurs(folder, stops)
  const driver = startDriver(stops)
  const servers = { ours: { pid: ours.pid, port: ours.port }, slapd: theirs }
  const results: Record<string, unknown> = {
    entries,
    connections,
    writeMs: ours.writeMs,
    loadMs: ours.loadMs,
    slapdLoadMs: theirs.loadMs,
  }
  for (const search of ['asid', 'endpoint'] as const) {
    const samples: Record<'ours' | 'slapd', Sample[]> = { ours: [], slapd: [] }
    for (let round = -1; round < rounds; round++) {
      for (const name of ['ours', 'slapd'] as const) {
        const { pid, port } = servers[name]
        const before = cpuSeconds(pid)
        const load = await driver.ask({ port, connections, seconds, entries, search })
        // What is still being audited belongs to the searches.
        await new Promise((resolve) => setTimeout(resolve, 150))
        const cpu = cpuSeconds(pid) - before
        const sample = { ...load, perSecond: load.searches / load.seconds, perCpuSecond: load.searches / cpu }
        if (round >= 0) samples[name].push(sample)
      }
    }
    const ourMedian = median(samples.ours)
    const theirMedian = median(samples.slapd)
    results[search] = {
      ours: ourMedian,
      slapd: theirMedian,
      ratioPerCpuSecond: round2(ourMedian.perCpuSecond / theirMedian.perCpuSecond),
    }
    process.stdout.write(`${search}: ours ${text(ourMedian)}; slapd ${text(theirMedian)}\n`)
  }
  results['memoryMegabytes'] = { ours: residentMegabytes(ours.pid), slapd: residentMegabytes(theirs.pid) }
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

function text({ perSecond, perCpuSecond, p50, p99 }: ReturnType<typeof median>): string {
  return `${perSecond}/s, ${perCpuSecond} per CPU second, p50 ${p50} ms, p99 ${p99} ms`
}

async function endOf(child: ChildProcess, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  how()
  await ended
}

interface Ours {
  readonly pid: number
  readonly port: number
  readonly writeMs: number
  readonly loadMs: number
}

function lines(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('the process has no output')
  return createInterface({ input: child.stdout })
}

/** Writes and serves in two processes: what is measured is a server that was just started on its store. */
async function startOurs(folder: string, stops: (() => Promise<void>)[]): Promise<Ours> {
  const start = async (...args: string[]) => {
    const child = spawn(process.execPath, [here('directory-server.ts'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    for await (const line of lines(child)) return { child, told: JSON.parse(line) as Partial<Ours> }
    throw new Error('our server did not start')
  }
  const wrote = await start('write', folder, String(entries))
  await endOf(wrote.child, () => {})
  const { child, told } = await start('serve', folder)
  stops.push(() => endOf(child, () => child.stdin?.end()))
  return { pid: 0, port: 0, loadMs: 0, ...told, writeMs: wrote.told.writeMs ?? 0 }
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

if (import.meta.main) await run()
