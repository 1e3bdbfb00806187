import type { Criteria } from './criteria.ts'
import { type ReadPerson, readPerson } from './keys.ts'
import { judge, type Match, match } from './match.ts'
import { sift } from './sift.ts'
import type { PersonStore } from './store.ts'
import { isWild, type Pattern } from './wildcard.ts'

export interface Found extends ReadPerson {
  readonly match: Match
}

/** Everyone who matches, best first and then by number; or more than `criteria.max`. */
export type Traced = { readonly found: readonly Found[] } | { readonly tooMany: true }

/** Most people that are read and judged for one search. */
const mostJudged = 1_000

/**
 * Finds people (§9): the store narrows by key, the matcher decides. `block` bounds the name rows that a
 * fuzzy search reads.
 */
export async function trace(store: PersonStore, criteria: Criteria, block: number): Promise<Traced> {
  const { birth } = criteria
  if (birth.from > birth.to || saysNothing(criteria)) return { found: [] }
  const numbers = criteria.fuzzy
    ? await fuzzyCandidates(store, criteria, block)
    : await plainCandidates(store, criteria)
  if (numbers === undefined) return { tooMany: true }
  const found: Found[] = []
  for (const person of await store.findAll(numbers)) {
    if (person.status !== 'current') continue
    const read = readPerson(person)
    const matched = match(criteria, read.subject)
    if (matched) found.push({ ...read, match: matched })
  }
  if (found.length > criteria.max) return { tooMany: true }
  return {
    found: found.sort(
      (a, b) =>
        b.match.score - a.match.score ||
        Number(a.person.nhsNumber > b.person.nhsNumber) - Number(a.person.nhsNumber < b.person.nhsNumber),
    ),
  }
}

/** A value of which folding leaves nothing (digits for a name) can match nobody. */
const saysNothing = (criteria: Criteria) =>
  [criteria.family?.pattern, criteria.postcode, ...criteria.given.map(({ pattern }) => pattern)].some(
    (pattern) => pattern?.pieces.join('') === '',
  )

/** People near what is asked for, whether they match or not: for explanations. None where there are too many. */
export async function candidates(store: PersonStore, criteria: Criteria, block: number): Promise<readonly number[]> {
  const { from, to } = criteria.birth
  if (from > to || saysNothing(criteria)) return []
  return (await fuzzyCandidates(store, criteria, block)) ?? []
}

async function plainCandidates(store: PersonStore, criteria: Criteria): Promise<number[] | undefined> {
  // Where the matcher leaves people out whom the statement finds, it has to see more of them.
  const most = criteria.exact || criteria.byPlace ? mostJudged : criteria.max
  // A person may come with several names: read some rows more, and pay for `distinct` only when that was not enough.
  const limit = (most + 1) * 4
  const rows = await store.plainCandidates(criteria, limit, false)
  const people = [...new Set(rows)]
  if (people.length > most) return
  if (rows.length < limit) return people
  const distinct = await store.plainCandidates(criteria, most + 1, true)
  return distinct.length > most ? undefined : distinct
}

async function fuzzyCandidates(store: PersonStore, criteria: Criteria, block: number): Promise<number[] | undefined> {
  const { from, to } = criteria.birth
  if (from !== to) {
    const people = await store.soundCandidates(criteria, mostJudged)
    return people && people.length > mostJudged ? undefined : people
  }
  const rows = await store.nameBlock(from, block)
  if (!rows) return
  const passes = sift(criteria)
  const people = new Set<number>()
  for (const row of rows) if (passes(row)) people.add(row.nhs)
  return people.size > mostJudged ? undefined : [...people]
}

/**
 * The cascading trace of application-restricted search (§9.6): step by step from exact to fuzzy, ending at
 * the first step that finds exactly one person, who is not merely a possible match.
 */
export async function cascade(store: PersonStore, criteria: Criteria, block: number): Promise<Traced> {
  let last: Traced = { found: [] }
  const steps = cascadeSteps(criteria)
  for (const step of steps) {
    // Two at least, so that a single person can be told from several.
    const traced = await trace(store, { ...step, max: 2 }, block)
    if ('tooMany' in traced) {
      last = traced
      continue
    }
    const [best, second] = traced.found
    // Who was found by leaving something out may be a twin or a namesake: nothing that was asked for may speak against it.
    const wide = step !== steps[0]
    if (
      best &&
      !second &&
      ((wide && contradicts(criteria, best)) || ((wide || step.fuzzy) && isDoubtful(criteria, best)))
    ) {
      last = { found: [] }
      continue
    }
    if (best && (!second || (criteria.postcode && best.match.score === 1 && second.match.score < 1)))
      return { found: [best] }
    last = best ? { tooMany: true } : { found: [] }
  }
  return last
}

/** A fuzzy judgement of everything that was asked for but practice and date of death, which lose nobody (§9.6). */
function contradicts({ gp, death, ...asked }: Criteria, { subject }: Found): boolean {
  return judge({ ...asked, fuzzy: true }, subject).rejected !== undefined
}

/** Nobody looks at the answer before it is taken, so it is never one that is only possible. Here a practice that agrees counts. */
const isDoubtful = (criteria: Criteria, { subject }: Found): boolean =>
  judge({ ...criteria, fuzzy: true }, subject).possible !== undefined

/** The steps that the given criteria allow, most exact first. */
export function cascadeSteps(criteria: Criteria): Criteria[] {
  const byPlace = [criteria.postcode, criteria.gp, criteria.phone, criteria.email].some((asked) => asked !== undefined)
  const { gp, death, ...rest } = criteria
  const asked: Criteria = byPlace ? { ...rest, byPlace } : rest
  const wild = [criteria.family?.pattern, criteria.postcode, ...criteria.given.map(({ pattern }) => pattern)].some(
    (pattern) => pattern !== undefined && isWild(pattern),
  )
  if (wild) return [criteria]
  const { email, phone, ...withoutContacts } = asked
  const { postcode, gender, ...names } = asked
  const steps: Criteria[] = []
  if (!criteria.fuzzy) {
    // A postcode that agrees outweighs a telephone number or address that was mistyped.
    steps.push(postcode ? withoutContacts : asked)
    if (criteria.given.length > 0)
      steps.push({
        ...asked,
        history: true,
        given: criteria.given.slice(0, 1).map((name) => ({ ...name, pattern: beginning(name.pattern, 3) })),
        ...(postcode && { postcode: beginning(postcode, 2) }),
      })
    if (gender !== undefined && criteria.family) steps.push({ ...names, gender, given: [] })
  }
  if (criteria.given.length > 0 && criteria.family) steps.push({ ...asked, fuzzy: true })
  return steps.length > 0 ? steps : [asked]
}

const beginning = (pattern: Pattern, length: number): Pattern => ({
  pieces: [(pattern.pieces[0] ?? '').slice(0, length), ''],
})
