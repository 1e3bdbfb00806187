/**
 * The secure proxy beside nginx doing the same: one worker, mutual TLS with the same cipher on both legs,
 * revocation lists, keep-alive on both legs, the checks that regular expressions can make, one buffered
 * audit line. The figure is the proxy's own CPU for a request; rounds are interleaved, and the median counts.
 * Run alone: `node bench/proxy.ts`; with `--soak [requests]`, a million
 * requests (or as many as told) and a body of 2 GB instead, for the memory.
 * Needs nginx and taskset; without them it says so.
 */
import { fileURLToPath } from 'node:url'
import { nginxVersion } from './nginx.ts'
import { type About, median, type Rig, type Sample, withRig } from './proxy-rig.ts'

interface Row {
  readonly name: string
  readonly about: About
  readonly rounds: number
}

const rows: readonly Row[] = [
  { name: '2 KB', about: { of: '2KB', connections: 32, ms: 1000 }, rounds: 11 },
  { name: '2 KB, every token new', about: { of: '2KB', connections: 32, ms: 800, tokens: 20_000 }, rounds: 3 },
  { name: 'POST of 2 KB', about: { of: '2KB', connections: 32, ms: 800, sends: 2048 }, rounds: 11 },
  { name: '100 KB', about: { of: '100KB', connections: 32, ms: 1000 }, rounds: 11 },
  { name: '10 MB', about: { of: '10MB', connections: 4, ms: 1000 }, rounds: 7 },
  { name: 'full handshake each', about: { of: '2KB', connections: 4, ms: 800, handshake: 'full' }, rounds: 3 },
  { name: 'resumed handshake each', about: { of: '2KB', connections: 4, ms: 800, handshake: 'resumed' }, rounds: 7 },
]

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const version = nginxVersion()
  if (version === undefined) {
    process.stdout.write('nginx is not installed: nothing to compare with\n')
    return { skipped: 'nginx is not installed' }
  }
  return { nginx: version, ...(await withRig(measure)) }
}

async function measure(rig: Rig) {
  const results: Record<string, unknown> = {}
  // nginx has nothing to warm; our side is compiled while it runs, the more often used the better.
  await rig.sample('nginx', { of: '2KB', connections: 32, ms: 300 })
  for (let warm = 0, rounds = 0; warm < 150_000 && rounds < 8; rounds++)
    warm += (await rig.sample('openspine', { of: '2KB', connections: 32, ms: 1500 })).requests
  const ours: Record<string, number> = {}
  for (const { name, about, rounds } of rows) {
    const found = { nginx: [] as Sample[], openspine: [] as Sample[] }
    // What a row does differently from the one before is compiled in its first seconds: those are not measured.
    for (const peer of ['nginx', 'openspine'] as const) await rig.sample(peer, { ...about, ms: 1500 })
    for (let round = 0; round < rounds; round++)
      for (const peer of ['nginx', 'openspine'] as const) found[peer].push(await rig.sample(peer, about))
    results[name] = told(name, about, found)
    ours[name] = median(found.openspine.map((one) => one.cpu))
  }
  const posted = (ours['POST of 2 KB'] ?? 0) / (ours['2 KB'] ?? 0)
  process.stdout.write(`POST beside GET of 2 KB, our CPU: ${posted.toFixed(2)}\n`)

  const alone: About = { of: '2KB', connections: 1, ms: 400 }
  await rig.sample('openspine', alone)
  const p50 = { direct: [] as number[], nginx: [] as number[], openspine: [] as number[] }
  for (let round = 0; round < 5; round++) {
    p50.direct.push((await rig.direct(alone)).p50)
    p50.nginx.push((await rig.sample('nginx', alone)).p50)
    p50.openspine.push((await rig.sample('openspine', alone)).p50)
  }
  const latency = { direct: median(p50.direct), nginx: median(p50.nginx), openspine: median(p50.openspine) }
  const ratio = latency.openspine / latency.nginx
  const added = (latency.openspine - latency.direct) / (latency.nginx - latency.direct)
  process.stdout.write(
    `2 KB, one connection: p50 µs direct ${latency.direct.toFixed(0)}, nginx ${latency.nginx.toFixed(0)}, openspine ${latency.openspine.toFixed(0)}, ratio ${ratio.toFixed(2)} (of what is added ${added.toFixed(2)})\n`,
  )
  const memory = rig.memory()
  process.stdout.write(`openspine memory ${memory.toFixed(0)} MB\n`)
  return { ...results, posted, latency: { ...latency, ratio, added }, memory }
}

function told(name: string, about: About, found: { nginx: readonly Sample[]; openspine: readonly Sample[] }) {
  const cpu = {
    nginx: median(found.nginx.map((one) => one.cpu)),
    openspine: median(found.openspine.map((one) => one.cpu)),
  }
  const main = median(found.openspine.map((one) => one.mainCpu))
  const ratio = median(found.openspine.map((one, i) => one.cpu / (found.nginx[i]?.cpu ?? Number.NaN)))
  const rates = (samples: readonly Sample[]) => samples.map((one) => one.requests / one.seconds)
  const rate = { nginx: median(rates(found.nginx)), openspine: median(rates(found.openspine)) }
  const nginxRates = rates(found.nginx)
  const rateRatio = median(rates(found.openspine).map((one, i) => one / (nginxRates[i] ?? Number.NaN)))
  const resumed = (samples: readonly Sample[]) =>
    Math.round(
      (100 * samples.reduce((sum, one) => sum + one.resumed, 0)) / samples.reduce((sum, one) => sum + one.requests, 0),
    )
  process.stdout.write(
    `${name}, ${about.connections} connections: CPU µs a request nginx ${cpu.nginx.toFixed(1)}, openspine ${cpu.openspine.toFixed(1)} (main thread ${main.toFixed(1)}), ratio ${ratio.toFixed(2)} (main thread ${(main / cpu.nginx).toFixed(2)}); ` +
      (about.of === '10MB'
        ? `MB/s ${(rate.nginx * 10).toFixed(0)} and ${(rate.openspine * 10).toFixed(0)}, ratio ${rateRatio.toFixed(2)}`
        : `requests/s ${rate.nginx.toFixed(0)} and ${rate.openspine.toFixed(0)}`) +
      `; p50 µs ${median(found.nginx.map((one) => one.p50)).toFixed(0)} and ${median(found.openspine.map((one) => one.p50)).toFixed(0)}` +
      (about.handshake === undefined
        ? '\n'
        : `; resumed ${resumed(found.nginx)} % and ${resumed(found.openspine)} %\n`),
  )
  return { cpu, main, ratio, mainRatio: main / cpu.nginx, rate, rateRatio }
}

function tenths(seen: readonly number[]): string {
  const length = Math.ceil(seen.length / 10)
  const parts = Array.from({ length: 10 }, (_, part) => seen.slice(part * length, (part + 1) * length))
  return parts
    .filter((part) => part.length > 0)
    .map((part) => median(part).toFixed(0))
    .join(' ')
}

/** The memory of our process over a million requests, and while one body of 2 GB goes through. */
async function soak(rig: Rig, requests: number): Promise<void> {
  const tell = (what: string, seen: readonly number[]) =>
    process.stdout.write(
      `${what}: memory MB least ${Math.min(...seen).toFixed(0)}, most ${Math.max(...seen).toFixed(0)}, median of each tenth of the time ${tenths(seen)}\n`,
    )
  const watched = async (about: About): Promise<number[]> => {
    const seen = [rig.memory()]
    const watch = setInterval(() => seen.push(rig.memory()), 1000)
    const { requests, seconds, cpu } = await rig.sample('openspine', about)
    clearInterval(watch)
    seen.push(rig.memory())
    process.stdout.write(`${requests} answered in ${seconds.toFixed(0)} s, ${cpu.toFixed(1)} µs each\n`)
    return seen
  }
  const steady = { of: '2KB', connections: 32, ms: Number.MAX_SAFE_INTEGER } as const
  tell('warming with a tenth', await watched({ ...steady, requests: requests / 10 }))
  tell('requests', await watched({ ...steady, requests }))
  tell('one body of 2 GB', await watched({ of: '2GB', connections: 1, ms: Number.MAX_SAFE_INTEGER, requests: 1 }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--soak')
  if (at > 0) await withRig((rig) => soak(rig, Number(process.argv[at + 1] ?? 1_000_000)))
  else await run()
}
