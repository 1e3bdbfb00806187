import type { Check } from '../checks.ts'
import { dayNumber } from '../fold.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { isJson, type Json } from '../person.ts'

/** One value that somebody wants to write into a record: a name, an address, an extension, a date. */
export interface Snippet {
  readonly value: unknown
  /** Where it stands, as diagnostics name it: `name/0`. */
  readonly path: string
  /** `yyyy-mm-dd` in UTC: no start lies beyond it. */
  readonly today: string
}

/** A rule of one kind of snippet (§2, §10.3), the same for an update, a new record and every dialect. */
export type SnippetRule = Check<Snippet>

export const objectOf = ({ value }: Snippet): Json => (isJson(value) ? value : {})

export const isObject: SnippetRule = {
  name: 'Item is an object',
  clause: '§2',
  explanation: 'The items of this list are objects.',
  refusal: ({ value, path }) => (isJson(value) ? undefined : outcomes.invalidField(value, path)),
}

/** A member that is one of these words. */
export function oneOf(
  member: string,
  words: ReadonlySet<string>,
  about: { readonly clause: string; readonly explanation: string; readonly optional?: boolean },
): SnippetRule {
  return {
    name: `${member} is allowed`,
    clause: about.clause,
    explanation: about.explanation,
    refusal(snippet) {
      const value = objectOf(snippet)[member]
      const field = `${snippet.path}/${member}`
      if (value === undefined) return about.optional === true ? undefined : outcomes.missingField(field)
      return typeof value === 'string' && words.has(value) ? undefined : outcomes.invalidField(value, field)
    },
  }
}

/** The day of a FHIR date or dateTime as a number; undefined unless it is a whole one. */
export function dayOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  return /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(value)
    ? dayNumber(value.slice(0, 10))
    : undefined
}

/** The faults of a period: absent is allowed, a start is needed, it is not in the future, the end is not before it. */
export function periodFault(period: unknown, path: string, today: string): PdsOutcome | undefined {
  if (period === undefined) return undefined
  if (!isJson(period)) return outcomes.invalidField(period, path)
  const { start, end } = period
  if (start === undefined || start === null || start === '') return outcomes.missingField(`${path}/start`)
  const from = dayOf(start)
  if (from === undefined || from > (dayNumber(today) ?? 0)) return outcomes.invalidField(start, `${path}/start`)
  if (end === undefined) return undefined
  const to = dayOf(end)
  return to === undefined || to < from ? outcomes.invalidField(end, `${path}/end`) : undefined
}

export const periodIsSound: SnippetRule = {
  name: 'period is sound',
  clause: '§10.2',
  explanation: 'A period has a start that is not in the future, and no end before it.',
  refusal: (snippet) => periodFault(objectOf(snippet)['period'], `${snippet.path}/period`, snippet.today),
}

/** Days from one day number to another. */
export function daysBetween(from: number, to: number): number {
  const time = (day: number) => Date.UTC(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100)
  return Math.round((time(to) - time(from)) / 86_400_000)
}

/** The faults of a member that is a list of text. */
export function textListFault(
  value: unknown,
  path: string,
  limits: { readonly most: number; readonly longest: number; readonly blank?: boolean },
): PdsOutcome | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) return outcomes.invalidField(value, path)
  if (value.length > limits.most) return outcomes.tooManyValues(value, path)
  for (const [index, part] of value.entries())
    if (typeof part !== 'string' || part.length > limits.longest || (part.trim() === '' && limits.blank !== true))
      return outcomes.invalidField(part, `${path}/${index}`)
  return undefined
}
