/**
 * How well people are found: queries about people of a generated population, right and corrupted in the ways
 * in which they are mistaken (demographics specification §28), and about people who are not there. Over the
 * use cases of demographics on a real PostgreSQL: the cascading trace of applications and the fuzzy and the
 * plain search of staff. `node bench/matching.ts`; BENCH_PEOPLE for another size, BENCH_DATABASE_URL for a
 * database that is kept and filled once.
 */

import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { openStore, type Store } from '@openspine/platform/store'
import { postgresBinaries, startPostgres } from '@openspine/platform/testing/postgres'
import { syntheticPeople } from '@openspine/services/demographics'
import { tracing } from '@openspine/services/demographics/tracing'
import { type Case, casesOf, corruptions } from './matching-cases.ts'

const people = Number(process.env['BENCH_PEOPLE'] ?? 1_000_000)
/** Queries of each corruption. */
const queries = Number(process.env['BENCH_QUERIES'] ?? 1_500)
const seed = 1

const searches = ['cascade', 'fuzzy', 'plain'] as const
type Search = (typeof searches)[number]
type Verdict = 'right' | 'wrong' | 'right among' | 'wrong among' | 'none'

interface Tally {
  readonly verdicts: Record<Verdict, number>
  readonly ms: number[]
}

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const stops: (() => Promise<unknown>)[] = []
  try {
    const kept = process.env['BENCH_DATABASE_URL']
    if (kept === undefined && !postgresBinaries()) {
      process.stdout.write('PostgreSQL is not installed: nothing to measure on\n')
      return { skipped: 'PostgreSQL is not installed' }
    }
    let databaseUrl = kept
    if (databaseUrl === undefined) {
      const postgres = await startPostgres({ settings: ['shared_buffers=512MB', 'max_wal_size=4GB'] })
      stops.push(() => postgres.stop())
      databaseUrl = postgres.url
    }
    const log = makeLog({ level: 'error', environment: 'bench' })
    const store = await openStore({ databaseUrl, log, clock: systemClock, poolSize: 4 })
    stops.push(() => store.close())
    return await measure(store)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

async function measure(store: Store) {
  const demographics = tracing(store)
  await store.migrate('demographics', demographics.migrations)
  const began = performance.now()
  for (let from = await demographics.count(); from < people; from += 5_000) {
    await demographics.load([...syntheticPeople({ seed, from, count: Math.min(5_000, people - from) })])
    if (from % 100_000 === 0 && from > 0) process.stdout.write(`loaded ${from}\n`)
  }
  process.stdout.write(`${people} people after ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  await store.pool.query('vacuum (analyze)')

  const result: Record<string, unknown> = { people }
  const tallies = new Map<Search, Map<string, Tally>>(searches.map((search) => [search, new Map()]))
  for (const one of casesOf({ seed, people, queries })) {
    for (const search of searches) {
      const sent = performance.now()
      const found = await (search === 'cascade'
        ? demographics.cascade(one.query)
        : demographics.search(search === 'fuzzy' ? [...one.query, ['_fuzzy-match', 'true']] : one.query))
      const ms = performance.now() - sent
      const ofSearch = tallies.get(search) as Map<string, Tally>
      const tally = ofSearch.get(one.corruption) ?? { verdicts: none(), ms: [] }
      ofSearch.set(one.corruption, tally)
      tally.verdicts[verdictOf(one, found)]++
      tally.ms.push(ms)
    }
  }
  for (const search of searches) result[search] = report(search, tallies.get(search) as Map<string, Tally>)
  return result
}

const none = (): Record<Verdict, number> => ({ right: 0, wrong: 0, 'right among': 0, 'wrong among': 0, none: 0 })

/** A match is one person, and nobody else, answered. */
function verdictOf({ nhsNumber }: Case, found: readonly string[] | 'too many'): Verdict {
  if (found === 'too many') return 'right among'
  const [first] = found
  if (first === undefined) return 'none'
  if (found.length === 1) return first === nhsNumber ? 'right' : 'wrong'
  return nhsNumber !== undefined && found.includes(nhsNumber) ? 'right among' : 'wrong among'
}

function report(search: Search, tallies: ReadonlyMap<string, Tally>) {
  const share = (part: number, whole: number) => Math.round((part / Math.max(1, whole)) * 1_000_000) / 10_000
  process.stdout.write(
    `\n${search}\n${row(['corruption', 'right', 'wrong', 'ambiguous', 'none', 'p50 ms', 'p99 ms'])}\n`,
  )
  const rows: Record<string, unknown> = {}
  const sums = { right: 0, wrong: 0, asked: 0, found: 0, absent: 0, falsely: 0, alike: 0, mistaken: 0 }
  for (const [corruption, { verdicts, ms }] of tallies) {
    const all = Object.values(verdicts).reduce((sum, count) => sum + count, 0)
    const sorted = [...ms].sort((a, b) => a - b)
    const at = (rank: number) => Math.round((sorted[Math.floor(sorted.length * rank)] ?? Number.NaN) * 100) / 100
    const figures = {
      right: share(verdicts.right, all),
      wrong: share(verdicts.wrong, all),
      ambiguous: share(verdicts['right among'] + verdicts['wrong among'], all),
      none: share(verdicts.none, all),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    }
    rows[corruption] = figures
    process.stdout.write(`${row([corruption, ...Object.values(figures).map(String)])}\n`)
    const kind = corruptions[corruption]?.kind
    if (kind === 'absent') {
      sums.absent += all
      sums.falsely += verdicts.wrong
    } else if (kind === 'look-alike') {
      sums.alike += all
      sums.mistaken += verdicts.wrong
    } else {
      sums.right += verdicts.right
      sums.wrong += verdicts.wrong
      if (kind !== 'wrong birth date') {
        sums.asked += all
        sums.found += verdicts.right
      }
    }
  }
  const overall = {
    precision: share(sums.right, sums.right + sums.wrong),
    recall: share(sums.found, sums.asked),
    falseMatch: share(sums.falsely, sums.absent),
    lookAlike: share(sums.mistaken, sums.alike),
  }
  process.stdout.write(
    `precision ${overall.precision} %, recall ${overall.recall} % (wrong birth dates apart), false match on absent people ${overall.falseMatch} %, on look-alikes ${overall.lookAlike} %\n`,
  )
  return { ...overall, rows }
}

const row = ([name = '', ...cells]: readonly string[]) =>
  `${name.padEnd(26)}${cells.map((cell) => cell.padStart(10)).join('')}`

if (import.meta.main) process.stdout.write(`${JSON.stringify(await run())}\n`)
