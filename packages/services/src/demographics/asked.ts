import { type AskedName, askedName, type Criteria, type DayRange } from './criteria.ts'
import { foldName, foldPostcode } from './fold.ts'
import { parsePattern } from './wildcard.ts'

/** What a trace of a dialect without query strings asks for, as it was written: HL7 V3, Mini Services, batch files. */
export interface Asked {
  readonly birth?: DayRange
  readonly family?: string
  readonly given?: readonly string[]
  /** In the words of FHIR. */
  readonly gender?: string
  readonly death?: DayRange
  readonly postcode?: string
  readonly gp?: string
  readonly fuzzy?: boolean
  readonly history?: boolean
  /** Whether an asterisk stands for letters; otherwise it is passed over like any other sign that is no letter. */
  readonly wildcards?: boolean
  readonly max: number
}

/** Every day: for traces that need no date of birth. */
const anyDay: DayRange = { from: 0, to: 99_999_999 }

/**
 * The one set of criteria behind every dialect (§18); undefined where a wildcard stands in the first two characters of a
 * value, or too many of them do.
 */
export function criteriaFor(asked: Asked): Criteria | undefined {
  const wild = asked.wildcards === true
  const name = (text: string): AskedName | undefined =>
    wild ? askedName(text) : { text, pattern: { pieces: [foldName(text)] } }
  const family = asked.family === undefined ? undefined : name(asked.family)
  const given = (asked.given ?? []).filter((text) => text !== '').map(name)
  const postcode =
    asked.postcode === undefined
      ? undefined
      : wild
        ? parsePattern(asked.postcode, foldPostcode)
        : { pieces: [foldPostcode(asked.postcode)] }
  if (asked.family !== undefined && family === undefined) return undefined
  if (given.includes(undefined) || (asked.postcode !== undefined && postcode === undefined)) return undefined
  return {
    birth: asked.birth ?? anyDay,
    ...(family && { family }),
    given: given.filter((each) => each !== undefined),
    ...(asked.gender === undefined ? {} : { gender: asked.gender }),
    ...(asked.death && { death: asked.death }),
    ...(postcode && { postcode }),
    ...(asked.gp === undefined ? {} : { gp: asked.gp.trim().toUpperCase() }),
    fuzzy: asked.fuzzy === true,
    exact: false,
    history: asked.history === true,
    max: asked.max,
  }
}

/** Codes of sex (HL7 V3, Mini Services, batch files) in the words of FHIR (§2). */
export const genderWords: Readonly<Record<string, string>> = { 0: 'unknown', 1: 'male', 2: 'female', 9: 'other' }

/** The code of a word. */
export const genderCode = (word: unknown): string | undefined =>
  Object.keys(genderWords).find((code) => genderWords[code] === word)
