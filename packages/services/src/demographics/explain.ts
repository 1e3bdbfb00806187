import type { Criteria } from './criteria.ts'
import { readPerson } from './keys.ts'
import {
  type Agreement,
  type Doubt,
  doubts,
  type Judgement,
  judge,
  match,
  type Rejection,
  rejections,
  weight,
} from './match.ts'
import type { PersonStore } from './store.ts'
import { candidates, type Found, type Traced } from './trace.ts'

/** One field of one candidate, as the matcher compared it. */
export interface ExplainedField extends Agreement {
  /** What the field counts in the score: the score is the mean of `worth` by this. */
  readonly weight: number
}

/** One person beside what was asked for. */
export interface ExplainedCandidate {
  readonly nhsNumber: string
  readonly matched: boolean
  /** Of those that matched. */
  readonly score?: number
  readonly swapped: boolean
  readonly fields: readonly ExplainedField[]
  /** Why the match is only a possible one: a cascading trace does not answer it, and its score stays below 0.95. */
  readonly possible?: { readonly rule: Doubt; readonly because: string }
  /** Why the person is no answer. */
  readonly rejected?: { readonly rule: Rejection; readonly because: string }
  /** Search parameters each of which alone would have found the person. */
  readonly foundWith?: readonly string[]
}

/** Why a trace answered as it did. Free of patient data but NHS numbers, and silent about whom the trace withholds. */
export interface TraceExplanation {
  readonly answer: 'none' | 'one' | 'several' | 'too many'
  /** Those that matched, best first, then the nearest of those that did not. */
  readonly candidates: readonly ExplainedCandidate[]
  /** How many people more were compared and did not match. */
  readonly more: number
}

/** Most people who did not match that are shown. */
const mostNear = 10
/** Most people who are read and judged for an explanation. */
const mostExplained = 200

/** {@link explain} of an answer alone: for callers who may see nobody but whom they were answered. */
export function explainAnswer(traced: Traced): TraceExplanation {
  const found = 'tooMany' in traced ? [] : traced.found
  const answer = 'tooMany' in traced ? 'too many' : found.length === 0 ? 'none' : found.length === 1 ? 'one' : 'several'
  return { answer, candidates: found.map(explainedMatch), more: 0 }
}

/**
 * Who was found and why, and who came near and why not. The same matcher judges both: nothing is compared
 * here. `also` is a person whom the caller wonders about, however far from what was asked for.
 */
export async function explain(
  store: PersonStore,
  criteria: Criteria,
  traced: Traced,
  about: { readonly block: number; readonly also?: string },
): Promise<TraceExplanation> {
  const answered = explainAnswer(traced)
  // Who is too many is not listed, or the explanation would be the list that the answer refuses.
  if ('tooMany' in traced) return answered
  const shown = new Set(traced.found.map(({ person }) => person.nhsNumber))
  const numbers = new Set((await candidates(store, criteria, about.block)).slice(0, mostExplained))
  if (about.also !== undefined) numbers.add(Number(about.also))
  const near: (readonly [ExplainedCandidate, number])[] = []
  for (const person of await store.findAll([...numbers])) {
    if (person.status !== 'current' || shown.has(person.nhsNumber)) continue
    const { subject } = readPerson(person)
    const judged = judge(criteria, subject)
    if (judged.rejected === undefined || judged.rejected === 'withheld') continue
    const foundWith = remedies.filter(([, change]) => match(change(criteria), subject)).map(([parameter]) => parameter)
    const rank = person.nhsNumber === about.also ? 2 : judged.score
    near.push([explained(person.nhsNumber, judged, foundWith), rank])
  }
  near.sort(([one, a], [other, b]) => b - a || (one.nhsNumber < other.nhsNumber ? -1 : 1))
  return {
    ...answered,
    candidates: [...answered.candidates, ...near.slice(0, mostNear).map(([candidate]) => candidate)],
    more: Math.max(0, near.length - mostNear),
  }
}

/** Searches that pass over more, each by its parameter. Wildcards have no place in a fuzzy one (§9.1). */
const remedies: readonly (readonly [parameter: string, change: (criteria: Criteria) => Criteria])[] = [
  ['_history=true', (criteria) => ({ ...criteria, history: true })],
  ['_fuzzy-match=true', (criteria) => ({ ...criteria, fuzzy: true })],
  ['_exact-match=false', (criteria) => ({ ...criteria, exact: false })],
]

const explainedMatch = ({ person, match: found }: Found): ExplainedCandidate => explained(person.nhsNumber, found, [])

function explained(
  nhsNumber: string,
  { score, swapped, agreements, rejected, possible }: Judgement,
  foundWith: readonly string[],
): ExplainedCandidate {
  return {
    nhsNumber,
    matched: rejected === undefined,
    ...(rejected === undefined ? { score } : {}),
    swapped,
    fields: agreements.map((agreement) => ({ ...agreement, weight: weight[agreement.field] })),
    ...(possible === undefined ? {} : { possible: { rule: possible, because: doubts[possible] } }),
    ...(rejected === undefined ? {} : { rejected: { rule: rejected, because: rejections[rejected] } }),
    ...(foundWith.length > 0 && { foundWith }),
  }
}

const names: Readonly<Record<string, string>> = {
  birthdate: 'date of birth',
  'death-date': 'date of death',
  gp: 'GP practice',
  family: 'family name',
  given: 'given name',
}

/** `family name: sounds alike (usual, current), 0.84 of 4`, one line a field. */
export function fieldLine({ field, how, worth, weight: counts, snippet, swapped, later }: ExplainedField): string {
  const where = snippet ? ` (${snippet.use === 'old' ? '' : `${snippet.use}, `}${snippet.standing})` : ''
  return `${names[field] ?? field}: ${how}${swapped ? ', swapped' : ''}${later ? ', a later one' : ''}${where}, ${round(worth)} of ${counts}`
}

const round = (worth: number) => Math.round(worth * 100) / 100

/** One candidate in a sentence. */
export function candidateLine({ nhsNumber, score, fields, possible, rejected, foundWith }: ExplainedCandidate): string {
  const only = possible ? ` Only a possible match: ${possible.because}` : ''
  const verdict = rejected ? `not matched: ${rejected.because}` : `matched, score ${score}.${only}`
  const remedy = foundWith ? ` Found with ${foundWith.join(' or with ')}.` : ''
  return `${nhsNumber} ${verdict} ${fields.map(fieldLine).join('; ')}.${remedy}`
}
