import { dayNumber, foldEmail, foldName, foldPhone, foldPostcode } from './fold.ts'
import { type Pattern, parsePattern } from './wildcard.ts'

/** Days as `yyyymmdd`, both ends within. */
export interface DayRange {
  readonly from: number
  readonly to: number
}

export interface AskedName {
  readonly text: string
  readonly pattern: Pattern
}

/** What a trace asks for, in every dialect: folded, checked, free of wire names. */
export interface Criteria {
  readonly birth: DayRange
  readonly family?: AskedName
  /** Each one given name, in any order; a compound name is one. */
  readonly given: readonly AskedName[]
  readonly gender?: string
  readonly death?: DayRange
  readonly postcode?: Pattern
  readonly gp?: string
  readonly email?: string
  readonly phone?: string
  /** Algorithmic: sound, swaps, short forms, history. Otherwise equality and wildcards. */
  readonly fuzzy: boolean
  /** Keep only what agrees exactly in everything. */
  readonly exact: boolean
  /** Look at former names, addresses and telecoms too. */
  readonly history: boolean
  /** A place or contact was asked for that these criteria leave out: restricted people stay withheld (§9.5). */
  readonly byPlace?: boolean
  /** More than this many people is too many. */
  readonly max: number
}

export type SearchParameters = readonly (readonly [name: string, value: string])[]

/**
 * The pairs of a query string, in order. An empty pair (`&=`) is ignored; what cannot be decoded stays as
 * it was sent and is judged by the checks like any other value.
 */
export function searchParameters(query: string): SearchParameters {
  return query
    .split('&')
    .map((pair): readonly [string, string] => {
      const at = pair.indexOf('=')
      return at === -1 ? [decoded(pair), ''] : [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))]
    })
    .filter(([name, value]) => name !== '' || value !== '')
}

function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

export function valuesOf(parameters: SearchParameters, name: string): readonly string[] {
  return parameters.filter(([given]) => given === name).map(([, value]) => value)
}

/** The value of a parameter that may stand once; an empty one counts as absent. */
export function singleValue(parameters: SearchParameters, name: string): string | undefined {
  return valuesOf(parameters, name).find((value) => value !== '')
}

export const isTrue = (parameters: SearchParameters, name: string): boolean =>
  singleValue(parameters, name)?.toLowerCase() === 'true'

/** `1980-02-29`, `eq…`, `ge…` or `le…`; undefined for every other form and for days that no calendar has. */
export function parseDay(value: string): { readonly prefix: 'eq' | 'ge' | 'le'; readonly day: number } | undefined {
  const parts = /^(eq|ge|le)?(\d{4}-\d{2}-\d{2})$/.exec(value)
  const day = dayNumber(parts?.[2] ?? '')
  return day === undefined ? undefined : { prefix: (parts?.[1] ?? 'eq') as 'eq' | 'ge' | 'le', day }
}

/** One value, or a `ge` and a `le`; the first value that does not fit is answered as text. */
export function parseDays(values: readonly string[]): { readonly range: DayRange } | { readonly wrong: string } {
  let from = 0
  let to = 99_999_999
  const seen = new Set<string>()
  for (const value of values) {
    const parsed = parseDay(value)
    const clash = parsed && seen.size > 0 && (seen.has(parsed.prefix) || parsed.prefix === 'eq' || seen.has('eq'))
    if (!parsed || clash) return { wrong: value }
    seen.add(parsed.prefix)
    if (parsed.prefix !== 'le') from = parsed.day
    if (parsed.prefix !== 'ge') to = parsed.day
  }
  return { range: { from, to } }
}

export const postcodeParameter = (parameters: SearchParameters): string | undefined =>
  singleValue(parameters, 'address-postalcode') ?? singleValue(parameters, 'address-postcode')

/** A name or postcode with its pattern; undefined when the wildcard is not allowed where it stands. */
export function askedName(text: string): AskedName | undefined {
  const pattern = parsePattern(text, foldName)
  return pattern && { text, pattern }
}

/** The criteria of parameters that have passed every check of the search. */
export function criteriaOf(parameters: SearchParameters, max: number): Criteria | undefined {
  const birth = parseDays(valuesOf(parameters, 'birthdate'))
  const deaths = valuesOf(parameters, 'death-date')
  const death = parseDays(deaths)
  const familyText = singleValue(parameters, 'family')
  const postcodeText = postcodeParameter(parameters)
  const family = familyText === undefined ? undefined : askedName(familyText)
  const given = valuesOf(parameters, 'given')
    .filter((value) => value !== '')
    .map(askedName)
  const postcode = postcodeText === undefined ? undefined : parsePattern(postcodeText, foldPostcode)
  const malformed =
    'wrong' in birth ||
    'wrong' in death ||
    (familyText !== undefined && !family) ||
    given.includes(undefined) ||
    (postcodeText !== undefined && !postcode)
  if (malformed) return undefined
  const gender = singleValue(parameters, 'gender')?.toLowerCase()
  const gp = singleValue(parameters, 'general-practitioner')?.trim().toUpperCase()
  const email = singleValue(parameters, 'email')
  const phone = singleValue(parameters, 'phone')
  return {
    birth: birth.range,
    ...(family && { family }),
    given: given.filter((name) => name !== undefined),
    ...(gender === undefined ? {} : { gender }),
    ...(deaths.length === 0 ? {} : { death: death.range }),
    ...(postcode && { postcode }),
    ...(gp === undefined ? {} : { gp }),
    ...(email === undefined ? {} : { email: foldEmail(email) }),
    ...(phone === undefined ? {} : { phone: foldPhone(phone) }),
    fuzzy: isTrue(parameters, '_fuzzy-match'),
    exact: isTrue(parameters, '_exact-match'),
    history: isTrue(parameters, '_history'),
    max,
  }
}
