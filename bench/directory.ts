/**
 * The directory beside OpenLDAP's slapd with the same 100 000 entries (mdb, equality indexes): equality searches on
 * 8 connections, the driver in a process of its own, rounds interleaved, the median counts. The figure is searches
 * for each second of the server's CPU, audit and metrics of ours included; slapd logs nothing.
 * Run alone: `node bench/directory.ts`. Needs slapd and slapadd; without them it says so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { spineSchema, writeLdif } from '@openspine/standards/ldap'
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

const slapdPath = ['/usr/sbin/slapd', '/usr/libexec/slapd', '/usr/local/libexec/slapd'].find(existsSync)

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
  const theirs = await startSlapd(slapd, folder, stops)
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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** The attribute types and classes of the directory as slapd reads them: X-ORIGIN is not for files. */
function slapdSchema(): string {
  const schema = spineSchema()
  const ours = (oid: string) => oid.startsWith('1.2.826.0.1285.') || oid.startsWith('2.25.')
  const attributes = schema.attributes
    .filter(({ oid }) => ours(oid))
    .map(({ oid, name, equality, syntax, single }) => {
      const rule = equality === undefined ? '' : ` EQUALITY ${equality.name}`
      return `attributetype ( ${oid} NAME '${name}'${rule} SYNTAX ${syntax}${single ? ' SINGLE-VALUE' : ''} )`
    })
  const classes = schema.classes
    .filter(({ name }) => name === 'nhsAs' || name === 'nhsMhs')
    .map(({ oid, name, must, may }) => {
      const list = (types: typeof must) => types.map((type) => type.name).join(' $ ')
      return `objectclass ( ${oid} NAME '${name}' SUP top STRUCTURAL MUST ( ${list(must)} ) MAY ( ${list(may)} ) )`
    })
  return [...attributes, ...classes].join('\n')
}

async function startSlapd(slapd: string, folder: string, stops: (() => Promise<void>)[]) {
  const data = join(folder, 'mdb')
  mkdirSync(data)
  writeFileSync(join(folder, 'nhs.schema'), `${slapdSchema()}\n`)
  const modules = ['/usr/lib/ldap', '/usr/lib/openldap', '/usr/libexec/openldap'].find((path) =>
    existsSync(join(path, 'back_mdb.so')),
  )
  writeFileSync(
    join(folder, 'slapd.conf'),
    [
      'include /etc/ldap/schema/core.schema',
      'include /etc/ldap/schema/cosine.schema',
      `include ${join(folder, 'nhs.schema')}`,
      `pidfile ${join(folder, 'slapd.pid')}`,
      ...(modules === undefined ? [] : [`modulepath ${modules}`, 'moduleload back_mdb']),
      'loglevel 0',
      'database mdb',
      'maxsize 2147483648',
      'suffix "o=nhs"',
      `directory ${data}`,
      'index objectClass,uniqueIdentifier,nhsIDCode,nhsMHSPartyKey,nhsAsSvcIA,nhsMhsSvcIA,nhsMhsCPAId eq',
      '',
    ].join('\n'),
  )
  function* tree() {
    yield { dn: 'o=nhs', attributes: { objectClass: ['top', 'organization'], o: ['nhs'] } }
    yield { dn: 'ou=Services,o=nhs', attributes: { objectClass: ['top', 'organizationalUnit'], ou: ['Services'] } }
    yield* benchEntries(entries)
  }
  const ldif = join(folder, 'entries.ldif')
  await pipeline(function* () {
    // Another version line is not for slapadd.
    for (const record of writeLdif(tree())) if (!record.startsWith('version')) yield record
  }, createWriteStream(ldif))
  const started = performance.now()
  const added = spawnSync(slapd, ['-T', 'add', '-q', '-f', join(folder, 'slapd.conf'), '-l', ldif], {
    encoding: 'utf8',
  })
  if (added.status !== 0) throw new Error(`slapadd failed: ${added.stderr.slice(0, 500)}`)
  const loadMs = Math.round(performance.now() - started)
  const port = await freePort()
  const child = spawn(slapd, ['-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}`, '-d', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  stops.push(() => endOf(child, () => child.kill('SIGTERM')))
  await reachable(port)
  return { pid: child.pid ?? 0, port, loadMs }
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (there) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('slapd did not start')
}

if (import.meta.main) await run()
