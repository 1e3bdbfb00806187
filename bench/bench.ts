/**
 * `npm run bench [-- name …]`: every benchmark, or those that are named, one after the other, each with its
 * peer in the same run. Prints each result and, at the end, one JSON line for each.
 */
import { cpus, loadavg, release, totalmem } from 'node:os'

/** One benchmark: prints as it goes and answers its figures. */
type Benchmark = () => Promise<Readonly<Record<string, unknown>>>

const benchmarks: Readonly<Record<string, () => Promise<{ run: Benchmark }>>> = {
  start: () => import('./start.ts'),
  directory: () => import('./directory.ts'),
  'sds-fhir': () => import('./sds-fhir.ts'),
  bearer: () => import('./bearer.ts'),
  token: () => import('./token.ts'),
  proxy: () => import('./proxy.ts'),
  demographics: () => import('./demographics.ts'),
  matching: () => import('./matching.ts'),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in benchmarks))
if (unknown.length > 0) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}\n`)
  process.exit(2)
}
const [cpu] = cpus()
process.stdout.write(
  `${cpus().length} × ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(2)}\n`,
)
const results: Record<string, unknown> = {}
for (const [name, load] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stdout.write(`\n== ${name}\n`)
  results[name] = await (await load()).run()
}
process.stdout.write(
  `\n${Object.entries(results)
    .map(([name, result]) => JSON.stringify({ name, result }))
    .join('\n')}\n`,
)
