/** Values of search parameters: tokens (`system|value`) and dates with a prefix. Input is percent-decoded. */

import { fhirError } from './problem.ts'

/** Splits at a separator that no backslash precedes; the parts are still escaped. */
function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === separator) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

/** `\,` `\|` `\$` `\\` to the character itself; any other backslash stands for itself. */
function unescapeValue(text: string): string {
  return text.replace(/\\([,|$\\])/g, '$1')
}

/** The alternatives of a parameter (`a,b`), still escaped. */
export function splitAlternatives(value: string): string[] {
  return splitUnescaped(value, ',')
}

/** A token as it was written; what is required of it is the rule of the endpoint. */
export interface SearchToken {
  /** Undefined when there is no `|`; `''` for `|value`. */
  readonly system: string | undefined
  /** All behind the first `|`; `''` for `system|`. */
  readonly value: string
  /** How many unescaped `|` there are. */
  readonly bars: number
}

/**
 * One token, without splitting at commas.
 *
 * @example
 * parseToken('https://fhir.nhs.uk/Id/nhs-number|9990548609')
 * // { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609', bars: 1 }
 */
export function parseToken(value: string): SearchToken {
  const [first = '', ...rest] = splitUnescaped(value, '|')
  if (rest.length === 0) return { system: undefined, value: unescapeValue(first), bars: 0 }
  return { system: unescapeValue(first), value: unescapeValue(rest.join('|')), bars: rest.length }
}

export const datePrefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const
export type DatePrefix = (typeof datePrefixes)[number]
export type DatePrecision = 'year' | 'month' | 'day' | 'minute' | 'second' | 'millisecond'

/** A date, dateTime or instant of FHIR, whole or partial. */
export interface FhirDateTime {
  /** As written, `+` restored. */
  readonly text: string
  readonly precision: DatePrecision
  /** Minutes east of UTC; undefined when no zone was given. */
  readonly zone: number | undefined
  /** Milliseconds since 1970 of the first moment it covers; UTC where it names no zone. */
  readonly start: number
  /** Of the first moment behind it: a day covers [start, end). */
  readonly end: number
}

const pattern =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/

/** The zone of `Z` or `+01:00` in minutes; NaN when there is no such zone. */
function zoneOf(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  if (written === 'Z') return 0
  const hours = Number(written.slice(1, 3))
  const minutes = Number(written.slice(4, 6))
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return Number.NaN
  return (written.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

/** Milliseconds of a moment in UTC, for any year from 0 on (Date.UTC takes 0–99 for 1900–1999). */
function moment(year: number, month: number, day: number, hour = 0, minute = 0, second = 0, millisecond = 0): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return date.setUTCHours(hour, minute, second, millisecond)
}

/**
 * A date or dateTime, or undefined when it is none (also 30 February, 24:00, zone +15:00). A space where the
 * zone begins is taken for the `+` that query decoding makes of it.
 */
export function parseDateTime(written: string): FhirDateTime | undefined {
  const text = written.replace(/ (?=\d{2}:\d{2}$)/, '+')
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, yearText, monthText, dayText, hourText, minuteText, secondText, fraction, zoneText] = match
  const zone = zoneOf(zoneText)
  const year = Number(yearText)
  const month = monthText === undefined ? 0 : Number(monthText) - 1
  const day = Number(dayText ?? 1)
  const [hour, minute, second] = [Number(hourText ?? 0), Number(minuteText ?? 0), Number(secondText ?? 0)]
  if (Number.isNaN(zone) || month > 11 || month < 0 || day < 1 || hour > 23 || minute > 59 || second > 59)
    return undefined
  if (new Date(moment(year, month, day)).getUTCMonth() !== month) return undefined
  const millisecond = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
  const shift = (zone ?? 0) * 60_000
  const start = moment(year, month, day, hour, minute, second, millisecond) - shift
  const about = { text, zone, start }
  if (monthText === undefined) return { ...about, precision: 'year', end: moment(year + 1, 0, 1) }
  if (dayText === undefined) return { ...about, precision: 'month', end: moment(year, month + 1, 1) }
  if (hourText === undefined) return { ...about, precision: 'day', end: moment(year, month, day + 1) }
  if (secondText === undefined) return { ...about, precision: 'minute', end: start + 60_000 }
  if (fraction === undefined) return { ...about, precision: 'second', end: start + 1000 }
  return { ...about, precision: 'millisecond', end: start + 1 }
}

export interface DateParameter {
  /** `eq` where none is written. */
  readonly prefix: DatePrefix
  readonly date: FhirDateTime
}

/**
 * A date parameter such as `ge2026-02-01`.
 *
 * @throws SpineError `FHIR_SEARCH_VALUE` for an unknown prefix or something that is no date
 */
export function parseDateParameter(name: string, value: string): DateParameter {
  const prefix = datePrefixes.find((known) => value.startsWith(known))
  const date = parseDateTime(prefix === undefined ? value : value.slice(2))
  if (date === undefined) throw fhirError('FHIR_SEARCH_VALUE', name, 'not a date with an optional prefix')
  return { prefix: prefix ?? 'eq', date }
}
