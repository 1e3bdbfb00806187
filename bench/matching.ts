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
import { type TracedPeople, tracing } from '@openspine/services/demographics/tracing'
import { type Case, casesOf, corruptions } from './matching-cases.ts'

const people = Number(process.env['BENCH_PEOPLE'] ?? 1_000_000)
/** Queries of each corruption. */
const queries = Number(process.env['BENCH_QUERIES'] ?? 1_500)
const seed = 1

/** The plain search first: it tells who is as asked in everything. */
const searches = ['plain', 'cascade', 'fuzzy'] as const
type Search = (typeof searches)[number]
const verdicts = ['right', 'wrong', 'same', 'possible', 'ambiguous', 'none'] as const
/**
 * `right` and `wrong` are matches: one person, and nobody else, answered as a match. `same`: they are not who was meant, and
 * are as asked in everything, so that nobody could tell. `possible`: the one person is said to be only a possible match.
 */
type Verdict = (typeof verdicts)[number]

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
    let alike: readonly string[] = []
    for (const search of searches) {
      const sent = performance.now()
      const found = await (search === 'cascade'
        ? demographics.cascade(one.query)
        : demographics.search(search === 'fuzzy' ? [...one.query, ['_fuzzy-match', 'true']] : one.query))
      const ms = performance.now() - sent
      if (search === 'plain' && found !== 'too many') alike = found.map(({ nhsNumber }) => nhsNumber)
      const ofSearch = tallies.get(search) as Map<string, Tally>
      const tally = ofSearch.get(one.corruption) ?? { verdicts: none(), ms: [] }
      ofSearch.set(one.corruption, tally)
      tally.verdicts[verdictOf(one, found, alike)]++
      tally.ms.push(ms)
    }
  }
  for (const search of searches) result[search] = report(search, tallies.get(search) as Map<string, Tally>)
  return result
}

const none = () => Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>

/** `alike` are the people whom a search for equality in everything finds. */
function verdictOf({ nhsNumber, corruption }: Case, found: TracedPeople, alike: readonly string[]): Verdict {
  if (found === 'too many' || found.length > 1) return 'ambiguous'
  const [only] = found
  if (only === undefined) return 'none'
  if (only.possible) return 'possible'
  if (only.nhsNumber === nhsNumber) return 'right'
  return corruptions[corruption]?.kind === 'absent' && alike.includes(only.nhsNumber) ? 'same' : 'wrong'
}

function report(search: Search, tallies: ReadonlyMap<string, Tally>) {
  const share = (part: number, whole: number) => Math.round((part / Math.max(1, whole)) * 1_000_000) / 10_000
  process.stdout.write(`\n${search}\n${row(['corruption', ...verdicts, 'p50 ms', 'p99 ms'])}\n`)
  const rows: Record<string, unknown> = {}
  const sums = { right: 0, wrong: 0, asked: 0, found: 0, absent: 0, falsely: 0, same: 0, alike: 0, mistaken: 0 }
  const placeless = { asked: 0, found: 0 }
  for (const [corruption, { verdicts: counted, ms }] of tallies) {
    const all = Object.values(counted).reduce((sum, count) => sum + count, 0)
    const sorted = [...ms].sort((a, b) => a - b)
    const at = (rank: number) => Math.round((sorted[Math.floor(sorted.length * rank)] ?? Number.NaN) * 100) / 100
    const figures = {
      ...Object.fromEntries(verdicts.map((verdict) => [verdict, share(counted[verdict], all)])),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    }
    rows[corruption] = figures
    process.stdout.write(`${row([corruption, ...Object.values(figures).map(String)])}\n`)
    const kind = corruptions[corruption]?.kind
    if (kind === 'absent') {
      sums.absent += all
      sums.falsely += counted.wrong
      sums.same += counted.same
    } else if (kind === 'look-alike') {
      sums.alike += all
      sums.mistaken += counted.wrong
    } else {
      sums.right += counted.right
      sums.wrong += counted.wrong
      const counts = kind === 'present' ? sums : kind === 'mistaken without a place' ? placeless : undefined
      if (counts) {
        counts.asked += all
        counts.found += counted.right
      }
    }
  }
  const overall = {
    precision: share(sums.right, sums.right + sums.wrong),
    recall: share(sums.found, sums.asked),
    recallWithoutPlace: share(placeless.found, placeless.asked),
    falseMatch: share(sums.falsely, sums.absent),
    indistinguishable: share(sums.same, sums.absent),
    lookAlike: share(sums.mistaken, sums.alike),
  }
  process.stdout.write(
    `precision ${overall.precision} %, recall ${overall.recall} % (wrong birth dates apart; ${overall.recallWithoutPlace} % of those mistaken without a postcode), false match on absent people ${overall.falseMatch} %, and ${overall.indistinguishable} % of absent people cannot be told from somebody by what was asked; on look-alikes ${overall.lookAlike} %\n`,
  )
  return { ...overall, rows }
}

const row = ([name = '', ...cells]: readonly string[]) =>
  `${name.padEnd(26)}${cells.map((cell) => cell.padStart(10)).join('')}`

if (import.meta.main) process.stdout.write(`${JSON.stringify(await run())}\n`)
