import { shortForms } from './short-forms.ts'
import { soundex } from './soundex.ts'

/** How two names or postcodes agree, best first. */
export type Likeness =
  | 'equal'
  | 'accents differ'
  | 'wildcard'
  | 'short form'
  | 'part'
  | 'spelling variant'
  | 'sounds alike'
  | 'one slip'
  | 'slip in a short name'
  | 'initial'
  | 'same district'

/** What each likeness is worth (demographics specification §9.4: the order counts, the national weights are not published). */
export const worth: Readonly<Record<Likeness, number>> = {
  equal: 1,
  'accents differ': 0.95,
  wildcard: 0.5,
  'short form': 0.9,
  part: 0.85,
  'spelling variant': 0.84,
  'sounds alike': 0.84,
  'one slip': 0.8,
  'slip in a short name': 0.7,
  initial: 0.6,
  'same district': 0.3,
}

/** Folded family names in a fuzzy search. */
export function familyLikeness(asked: string, held: string): Likeness | undefined {
  if (asked === '' || held === '') return undefined
  if (asked === held) return 'equal'
  if (isPart(asked, held)) return 'part'
  return misspelt(asked, held)
}

/** What {@link familyLikeness} finds beside names that sound alike (or are equal): for who has the sounds already. */
export const familyNearby = (asked: string, held: string): boolean => isPart(asked, held) || slip(asked, held)

/** One half of a double-barrelled name: folding has taken the hyphen, so the half is a beginning or an end. */
function isPart(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return short.length >= 4 && long.length - short.length >= 3 && (long.startsWith(short) || long.endsWith(short))
}

/** Folded given names in a fuzzy search. */
export function givenLikeness(asked: string, held: string): Likeness | undefined {
  if (asked === '' || held === '') return undefined
  if (asked === held) return 'equal'
  if (shortForms(asked).has(held)) return 'short form'
  if (asked.length === 1 || held.length === 1) return asked[0] === held[0] ? 'initial' : undefined
  return misspelt(asked, held) ?? (shortSlip(asked, held) ? 'slip in a short name' : undefined)
}

/** Justen and Justin sound alike and differ by a letter; Lucian and Logan only sound alike. */
function misspelt(asked: string, held: string): Likeness | undefined {
  const near = slip(asked, held)
  if (soundex(asked) === soundex(held)) return near ? 'spelling variant' : 'sounds alike'
  return near ? 'one slip' : undefined
}

/** Folded postcodes in a fuzzy search: a slip, or the same part before the last three characters. */
export function postcodeLikeness(asked: string, held: string): Likeness | undefined {
  if (asked === '' || held === '') return undefined
  if (asked === held) return 'equal'
  if (asked.length >= 5 && held.length >= 5 && withinOneSlip(asked, held)) return 'one slip'
  const district = (postcode: string) => (postcode.length >= 5 ? postcode.slice(0, -3) : postcode)
  return district(asked) === district(held) ? 'same district' : undefined
}

/** Short names differ too easily: Joan and John are two people. */
const slip = (a: string, b: string) => Math.min(a.length, b.length) >= 5 && withinOneSlip(a, b)

/** For who has everything else right: the matcher asks for that. */
const shortSlip = (a: string, b: string) => Math.min(a.length, b.length) >= 2 && a[0] === b[0] && withinOneSlip(a, b)

/** At most one letter left out, put in or changed, or two neighbours changed over. */
export function withinOneSlip(a: string, b: string): boolean {
  if (a === b) return true
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1) return false
  let i = 0
  while (i < short.length && short[i] === long[i]) i++
  if (short.length !== long.length) return short.slice(i) === long.slice(i + 1)
  if (short.slice(i + 1) === long.slice(i + 1)) return true
  return short[i] === long[i + 1] && short[i + 1] === long[i] && short.slice(i + 2) === long.slice(i + 2)
}
