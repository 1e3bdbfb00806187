import type { AskedName, Criteria, DayRange } from './criteria.ts'
import { namePieces, sameSpelling } from './fold.ts'
import { type SnippetKind, snippetKind, type TraceSubject } from './person.ts'
import { familyLikeness, givenLikeness, type Likeness, postcodeLikeness, worth } from './similarity.ts'
import { isWild, matches, type Pattern } from './wildcard.ts'

export type Field = 'family' | 'given' | 'birthdate' | 'gender' | 'postcode' | 'death-date' | 'gp' | 'phone' | 'email'

/** Which of a person's snippets was compared: no value of it. */
export interface ComparedSnippet {
  /** FHIR use of a name or address (`usual`, `maiden`, `home` …). */
  readonly use: string
  readonly standing: 'current' | 'former'
}

/** How one field came out, one entry for each field that was asked for: machine-readable and free of patient data. */
export interface Agreement {
  readonly field: Field
  readonly how: Likeness | 'range' | 'former' | 'different'
  /** 0 disagrees, 1 agrees exactly. */
  readonly worth: number
  /** The name or address that agrees best; absent where none does, and for what a person has once. */
  readonly snippet?: ComparedSnippet
  /** A given name behind as many as were asked for. */
  readonly later?: true
  /** The family name stands where the given name was asked for, and the other way round. */
  readonly swapped?: true
}

/** How one comparison came out, before it is known for which field it counts. */
type Finding = Omit<Agreement, 'field'>

export interface Match {
  /** 0 to 1, four decimals; 1 only when everything asked for agrees exactly. */
  readonly score: number
  readonly swapped: boolean
  readonly agreements: readonly Agreement[]
  /** Where it is only a possible match: why nobody should take it who does not look at it. */
  readonly possible?: Doubt
}

/**
 * Why a fuzzy match is only a possible one, each with the sentence that explains it. Of people born on one day there are
 * more with names that are alike than with the same names, so likeness wants something beside it (§28).
 */
export const doubts = {
  'family name':
    'No postcode, practice, telephone number or e-mail address bears it out, and the family name is not the present one, to a letter.',
  'given name':
    'No postcode, practice, telephone number or e-mail address bears it out, and the given name only sounds alike.',
  'several slips':
    'No postcode, practice, telephone number or e-mail address bears it out, and more than one thing is not quite as asked.',
} as const
export type Doubt = keyof typeof doubts

/** A possible match scores less than what is taken for certain without looking: 0.95 (§9.4). */
const mostPossible = 0.9499

/** Why a person is no answer, each with the sentence that explains it. */
export const rejections = {
  withheld: 'A search like this one never shows this person.',
  birthdate: 'The date of birth differs, and one that differs never matches.',
  names: 'The names that this search considers differ.',
  'short name':
    'A short given name differs by a letter, and not everything else (family name, gender, postcode) agrees.',
  contact: 'The telephone number or e-mail address differs, which no search passes over.',
  field: 'Something else that was asked for differs, and only a fuzzy search passes over that.',
  'names and field': 'The names are only alike, former ones or later given names, and gender or postcode differs too.',
  'several fields': 'The names are only alike, and two other fields differ.',
  'no family name': 'Without a family name everything else must agree, and it does not.',
  'not exact': 'Not everything agrees exactly, and _exact-match asks for that.',
} as const
export type Rejection = keyof typeof rejections

/** The whole judgement of one person: what agreed is told whether they are an answer or not. */
export interface Judgement extends Match {
  /** Absent where the person is an answer. */
  readonly rejected?: Rejection
}

/** What each field counts in the mean (§9.4: the order counts, the national weights are not published). */
export const weight: Readonly<Record<Field, number>> = {
  family: 4,
  given: 3,
  birthdate: 4,
  gender: 1,
  postcode: 2,
  'death-date': 1,
  gp: 1.5,
  phone: 2,
  email: 2,
}

/** What a snippet is worth by where it stands: usual name or home, other current, former. */
const snippetWorth: Readonly<Record<SnippetKind, number>> = { 0: 1, 1: 0.95, 2: 0.36 }
const laterGivenWorth = 0.97
const swappedWorth = 0.9
const rangeWorth = 0.98
const formerWorth = 0.8

/**
 * The one matcher behind every dialect's trace (demographics specification §9.3, §18): undefined when this
 * person is no answer. The score is a weighted mean over what was asked for, so a field that agrees
 * exactly never lowers it and one that disagrees never raises it.
 */
export function match(criteria: Criteria, subject: TraceSubject): Match | undefined {
  const { rejected, ...found } = judge(criteria, subject)
  return rejected === undefined ? found : undefined
}

/** {@link match} with the reasons kept: also of who is no answer, and why not. Nothing is told of who is withheld. */
export function judge(criteria: Criteria, subject: TraceSubject): Judgement {
  if (isWithheld(criteria, subject)) return { rejected: 'withheld', score: 0, swapped: false, agreements: [] }
  const names = criteria.fuzzy ? fuzzyNames(criteria, subject) : plainNames(criteria, subject)
  const born = birthdate(criteria.birth, subject)
  const contacts = [contact(criteria, subject, 'phone'), contact(criteria, subject, 'email')]
  const others = [
    born,
    gender(criteria, subject),
    postcode(criteria, subject),
    death(criteria, subject),
    practice(criteria, subject),
    ...contacts,
  ].filter((agreement) => agreement !== undefined)
  const found = scored([...names.agreements, ...others], names.swapped)
  const rejected =
    born.worth === 0
      ? 'birthdate'
      : contacts.some((agreement) => agreement?.worth === 0)
        ? 'contact'
        : !names.found
          ? 'names'
          : (criteria.fuzzy ? tooMuchDiffers(criteria, names, others) : anyDiffers(others)) ||
            (criteria.exact && found.score < 1 && 'not exact')
  if (rejected) return { ...found, rejected }
  const possible = criteria.fuzzy ? doubtOf(names, others) : undefined
  return possible ? { ...found, score: Math.min(found.score, mostPossible), possible } : found
}

/**
 * Nobody learns from a search that there is a very restricted person, nor where a restricted one is or is
 * not (§9.5, §15): whoever asks by place or contact is told nothing of them, whatever else agrees.
 */
function isWithheld(criteria: Criteria, subject: TraceSubject): boolean {
  if (subject.sensitivity === 'U') return subject.birth === undefined
  if (subject.sensitivity === 'V' || subject.birth === undefined) return true
  const { byPlace = false, postcode, gp, phone, email } = criteria
  return byPlace || [postcode, gp, phone, email].some((asked) => asked !== undefined)
}

function scored(agreements: readonly Agreement[], swapped: boolean): Match {
  if (!swapped && agreements.every((agreement) => agreement.worth === 1)) return { score: 1, swapped, agreements }
  let sum = 0
  let weights = 0
  for (const { field, worth: value } of agreements) {
    sum += weight[field] * value
    weights += weight[field]
  }
  // The small term undoes binary rounding (0.95 × 4 …) before the fifth decimal is cut off.
  return { score: Math.min(0.9999, Math.floor((sum / weights) * 10_000 + 1e-6) / 10_000), swapped, agreements }
}

const anyDiffers = (others: readonly Agreement[]): Rejection | false =>
  others.some((agreement) => agreement.worth === 0) && 'field'

/**
 * Likeness of names must not outweigh two disagreeing fields, and without a family name the rest has to
 * agree (§28: the costliest error is somebody else's record).
 */
function tooMuchDiffers(criteria: Criteria, names: Names, others: readonly Agreement[]): Rejection | false {
  const different = others.filter((agreement) => agreement.worth === 0).length
  if (names.shortSlip && !elseAgrees(names.agreements, others)) return 'short name'
  if (!criteria.family) {
    const agree = different === 0 && others.every(({ field, how }) => field !== 'postcode' || how !== 'same district')
    return !agree && 'no family name'
  }
  if (different === 0 || sameNames(names)) return false
  if (different >= 2) return 'several fields'
  // Practice and date of death lower the score alone (§9.3).
  return others.some(({ field, worth: value }) => value === 0 && identifying.has(field)) && 'names and field'
}

const identifying: ReadonlySet<Field> = new Set(['gender', 'postcode'])

/** Family and first given names as they are now, and not merely like them. */
const sameNames = ({ agreements, swapped }: Names): boolean =>
  !swapped &&
  agreements.length === 2 &&
  agreements.every(
    (agreement) => asAsked(agreement) && agreement.snippet?.standing === 'current' && agreement.later === undefined,
  )

/** Joan and John are two people, unless there is hardly anybody else whom the rest can mean. */
function elseAgrees(names: readonly Agreement[], others: readonly Agreement[]): boolean {
  const agrees = (field: Field) =>
    [...names, ...others].some(
      (agreement) => agreement.field === field && agreement.swapped === undefined && asAsked(agreement),
    )
  return agrees('family') && agrees('birthdate') && agrees('gender') && agrees('postcode')
}

const places: ReadonlySet<Field> = new Set(['postcode', 'gp', 'phone', 'email'])
const bearsOut = ({ field, how, worth: value }: Agreement) => places.has(field) && value > 0 && how !== 'same district'

/** What a match without any place or contact is to be doubted for (§9.6: one thing may be amiss, and the family name hardly). */
function doubtOf({ agreements, swapped }: Names, others: readonly Agreement[]): Doubt | undefined {
  if (others.some(bearsOut)) return
  const family = agreements.find(({ field }) => field === 'family')
  const given = agreements.find(({ field }) => field === 'given')
  // Swapped as a whole, or not at all: one name that is held is not both of those that were asked for.
  const order = [family, given].map((name) => name?.swapped === true)
  if (swapped ? order.includes(false) : order.includes(true)) return 'several slips'
  if (family && !(family.snippet?.standing === 'current' && present.has(family.how))) return 'family name'
  if (given?.how === 'sounds alike') return 'given name'
  const amiss = [
    swapped,
    family && !asAsked(family),
    given && !asAsked(given),
    given?.later,
    given?.snippet?.standing === 'former',
    ...others.map(({ field, how, worth: value }) =>
      field === 'birthdate' ? how === 'range' : identifying.has(field) && (value === 0 || how === 'former'),
    ),
  ]
  return amiss.filter(Boolean).length > 1 ? 'several slips' : undefined
}

const asAsked = ({ how }: Agreement) => how === 'equal' || how === 'accents differ'
const present: ReadonlySet<Agreement['how']> = new Set(['equal', 'accents differ', 'spelling variant', 'one slip'])

interface Names {
  /** Whether one of the names is as asked, as a whole. */
  readonly found: boolean
  /** Whether a given name is one only if a letter of a short name may differ. */
  readonly shortSlip: boolean
  readonly agreements: readonly Agreement[]
  readonly swapped: boolean
}

function plainNames(criteria: Criteria, subject: TraceSubject): Names {
  const { family, given } = criteria
  const eligible = subject.names.filter(({ kind }) => kind !== snippetKind.historic || criteria.history)
  const found = eligible.some(
    (name) => (!family || matches(family.pattern, name.foldedFamily)) && givenMatches(given, name.foldedGiven),
  )
  const agreements: Agreement[] = []
  if (family) {
    const named = eligible.filter((name) => matches(family.pattern, name.foldedFamily))
    const families = named.map((name) =>
      from(name, plainWorth(family, name.family, name.foldedFamily, snippetWorth[name.kind])),
    )
    agreements.push({ field: 'family', ...best(families) })
  }
  if (given.length > 0) {
    const givens = given.map((asked) =>
      best(eligible.flatMap((name) => plainGiven(asked, name, given.length).map((finding) => from(name, finding)))),
    )
    agreements.push({ field: 'given', ...mean(givens) })
  }
  return { found, shortSlip: false, agreements, swapped: false }
}

/** Plain values stand, in any order, among as many leading given names as were asked for; a wildcard is held against the whole string (§9.1). */
export function givenMatches(asked: readonly AskedName[], foldedGiven: readonly string[]): boolean {
  const leading = foldedGiven.slice(0, asked.length)
  return asked.every(({ pattern }) =>
    isWild(pattern) ? matches(pattern, foldedGiven.join('')) : leading.some((held) => matches(pattern, held)),
  )
}

function plainGiven(asked: AskedName, name: TraceSubject['names'][number], leading: number): Finding[] {
  const factor = snippetWorth[name.kind]
  if (isWild(asked.pattern)) {
    const whole = name.foldedGiven.join('')
    return matches(asked.pattern, whole) ? [plainWorth(asked, name.given.join(' '), whole, factor)] : []
  }
  return name.foldedGiven
    .slice(0, leading)
    .flatMap((held, position) =>
      matches(asked.pattern, held) ? [plainWorth(asked, name.given[position] ?? '', held, factor)] : [],
    )
}

function plainWorth(asked: AskedName, held: string, folded: string, factor: number): Finding {
  if (isWild(asked.pattern)) return wildWorth(asked.pattern, folded, factor)
  const how: Likeness = sameSpelling(asked.text, held) ? 'equal' : 'accents differ'
  return { how, worth: worth[how] * factor }
}

/** The more of the name was spelt out, the better. */
function wildWorth(pattern: Pattern, folded: string, factor: number): Finding {
  const spelt = pattern.pieces.join('').length / Math.max(1, folded.length)
  return { how: 'wildcard', worth: (worth.wildcard + 0.45 * Math.min(1, spelt)) * factor }
}

function fuzzyNames(criteria: Criteria, subject: TraceSubject): Names {
  const { family, given } = criteria
  let straight = false
  let swapped = false
  const families: Finding[] = []
  const givens: Finding[][] = given.map(() => [])
  for (const name of subject.names) {
    const factor = snippetWorth[name.kind]
    const familyFound = family ? alike(family, name.family, name.foldedFamily, familyLikeness, factor) : undefined
    const givenFound = given.map((asked) => fuzzyGiven(asked, name, factor, given.length))
    const anyGiven = given.length === 0 || givenFound.some((found) => found !== undefined)
    if (familyFound) families.push(from(name, familyFound))
    for (const [index, found] of givenFound.entries()) if (found) givens[index]?.push(from(name, found))
    if ((!family || familyFound) && anyGiven) straight = true
    if (!family || given.length === 0) continue
    const crossed = crossedNames(family, given, name, factor * swappedWorth)
    if (!crossed) continue
    swapped = true
    families.push({ ...from(name, crossed.family), swapped: true })
    for (const [index, found] of crossed.given.entries())
      if (found) givens[index]?.push({ ...from(name, found), swapped: true })
  }
  const agreements: Agreement[] = []
  if (family) agreements.push({ field: 'family', ...best(families) })
  const bestGivens = givens.map(bestGiven)
  if (given.length > 0) agreements.push({ field: 'given', ...mean(bestGivens) })
  const shortSlip = bestGivens.some(({ how }) => how === 'slip in a short name')
  return { found: straight || swapped, shortSlip, agreements, swapped: swapped && !straight }
}

const from = ({ kind, use }: { readonly kind: SnippetKind; readonly use: string }, finding: Finding): Finding => ({
  ...finding,
  snippet: { use, standing: kind === snippetKind.historic ? 'former' : 'current' },
})

/** Family name where the given name should be, and the other way round. */
function crossedNames(
  family: AskedName,
  given: readonly AskedName[],
  name: TraceSubject['names'][number],
  factor: number,
): { readonly family: Finding; readonly given: readonly (Finding | undefined)[] } | undefined {
  const crossedGiven = given.map((asked) => alike(asked, name.family, name.foldedFamily, familyLikeness, factor))
  if (crossedGiven.every((found) => found === undefined)) return
  const crossedFamily = name.foldedGiven.flatMap(
    (held, position) => alike(family, name.given[position] ?? '', held, givenLikeness, factor) ?? [],
  )
  return crossedFamily.length === 0 ? undefined : { family: best(crossedFamily), given: crossedGiven }
}

/** A given name behind as many as were asked for is worth a little less. */
function fuzzyGiven(
  asked: AskedName,
  name: TraceSubject['names'][number],
  factor: number,
  leading: number,
): Finding | undefined {
  const whole = name.foldedGiven.flatMap((held, position) => {
    const found = alike(asked, name.given[position] ?? '', held, givenLikeness, factor)
    return found && position >= leading
      ? { ...found, worth: found.worth * laterGivenWorth, later: true as const }
      : (found ?? [])
  })
  if (whole.length > 0) return best(whole)
  // "Anne Marie J" for Anne-Marie Jane: piece by piece, at least half of them.
  const askedPieces = namePieces(asked.text)
  const heldPieces = name.given.flatMap(namePieces)
  if (askedPieces.length < 2 && heldPieces.length <= name.given.length) return
  const found = askedPieces.map((piece) =>
    best(heldPieces.flatMap((held) => likeness(piece, held, givenLikeness, factor * worth.part) ?? [])),
  )
  return found.filter((piece) => piece.worth > 0).length * 2 >= askedPieces.length ? mean(found) : undefined
}

type Compare = (asked: string, held: string) => Likeness | undefined

function alike(asked: AskedName, held: string, folded: string, compare: Compare, factor: number): Finding | undefined {
  const found = likeness(asked.pattern.pieces[0] ?? '', folded, compare, factor)
  if (found?.how !== 'equal' || sameSpelling(asked.text, held)) return found
  return { how: 'accents differ', worth: worth['accents differ'] * factor }
}

function likeness(asked: string, held: string, compare: Compare, factor: number): Finding | undefined {
  const how = compare(asked, held)
  return how && { how, worth: worth[how] * factor }
}

function best(found: readonly Finding[]): Finding {
  let winner: Finding = { how: 'different', worth: 0 }
  for (const finding of found) if (finding.worth > winner.worth) winner = finding
  return winner
}

/** A short name with another letter counts only where nothing else is found. */
function bestGiven(found: readonly Finding[]): Finding {
  const safe = found.filter(({ how }) => how !== 'slip in a short name')
  return best(safe.length > 0 ? safe : found)
}

/** The mean, under the name of the weakest. */
function mean(found: readonly Finding[]): Finding {
  const weakest = found.reduce((a, b) => (b.worth < a.worth ? b : a))
  return { ...weakest, worth: found.reduce((sum, { worth: value }) => sum + value, 0) / found.length }
}

const within = (range: DayRange, day: number) => day >= range.from && day <= range.to

function birthdate(range: DayRange, { birth }: TraceSubject): Agreement {
  if (birth === undefined || !within(range, birth)) return agreement('birthdate', false)
  return range.from === range.to
    ? agreement('birthdate', true)
    : { field: 'birthdate', how: 'range', worth: rangeWorth }
}

function agreement(field: Field, agrees: boolean): Agreement {
  return agrees ? { field, how: 'equal', worth: 1 } : { field, how: 'different', worth: 0 }
}

function gender(criteria: Criteria, subject: TraceSubject): Agreement | undefined {
  if (criteria.gender === undefined) return
  if (criteria.fuzzy && subject.gender !== criteria.gender && subject.formerGenders.includes(criteria.gender))
    return { field: 'gender', how: 'former', worth: formerWorth }
  return agreement('gender', subject.gender === criteria.gender)
}

function death(criteria: Criteria, subject: TraceSubject): Agreement | undefined {
  if (!criteria.death) return
  const agrees = subject.death !== undefined && within(criteria.death, subject.death)
  if (!agrees || criteria.death.from === criteria.death.to) return agreement('death-date', agrees)
  return { field: 'death-date', how: 'range', worth: rangeWorth }
}

const practice = (criteria: Criteria, subject: TraceSubject): Agreement | undefined =>
  criteria.gp === undefined ? undefined : agreement('gp', subject.gp === criteria.gp)

function postcode(criteria: Criteria, subject: TraceSubject): Agreement | undefined {
  const asked = criteria.postcode
  if (!asked) return
  const compared = ({ kind, postcode: held }: TraceSubject['addresses'][number]): Finding | undefined => {
    const factor = kind === snippetKind.historic ? formerWorth : snippetWorth[kind]
    if (criteria.fuzzy) return likeness(asked.pieces[0] ?? '', held, postcodeLikeness, factor)
    const eligible = kind === snippetKind.main || (kind === snippetKind.historic && criteria.history)
    if (!eligible || !matches(asked, held)) return
    return isWild(asked) ? wildWorth(asked, held, factor) : { how: 'equal', worth: factor }
  }
  const found = subject.addresses.flatMap((address) => {
    const finding = compared(address)
    return finding ? [from(address, finding)] : []
  })
  return { field: 'postcode', ...best(found) }
}

function contact(criteria: Criteria, subject: TraceSubject, field: 'phone' | 'email'): Agreement | undefined {
  const asked = criteria[field]
  if (asked === undefined) return
  const held = subject.telecoms.filter(({ kind, value }) => kind === field && value === asked && value !== '')
  if (held.some(({ current }) => current)) return agreement(field, true)
  return held.length > 0 && (criteria.fuzzy || criteria.history)
    ? { field, how: 'former', worth: formerWorth }
    : agreement(field, false)
}
