/** Query parameters of the appointment searches, decoded, and the moments that they name. */
import { parseDateTime } from '@openspine/standards/fhir'
import { type Day, dateTimeAt } from '../record/dates.ts'

/** Every value of a parameter, in order; a `+` stands for itself, because zones are written so (§4.1). */
export function valuesOf(query: string, name: string): string[] {
  return query.split('&').flatMap((pair) => {
    const equals = pair.indexOf('=')
    const [key, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return decoded(key) === name ? [decoded(value)] : []
  })
}

/** What cannot be decoded stands as it is, and is then no valid value. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The first moment of a day in the United Kingdom. */
export function startOfDay(day: Day): number {
  // The clocks change at 01:00 UTC: at midnight the offset is that of midnight UTC, whichever day it is.
  const offset = dateTimeAt(Date.parse(`${day}T00:00:00Z`)).slice(-6)
  return Date.parse(`${day}T00:00:00${offset}`)
}

/** A moment (milliseconds since the epoch) when time and zone are written; undefined otherwise. */
export function momentIn(text: unknown): number | undefined {
  const read = typeof text === 'string' ? parseDateTime(text) : undefined
  return read !== undefined && read.zone !== undefined && ['second', 'millisecond'].includes(read.precision)
    ? read.start
    : undefined
}

/** What stands behind the prefix: a whole day, or a moment with seconds and zone. */
export type Bound = { readonly day: Day } | { readonly moment: number }

/** The bound of a value such as `ge2024-05-01`; undefined for another prefix, or none, or half a date. */
export function boundIn(value: string, prefix: 'ge' | 'le'): Bound | undefined {
  if (!value.startsWith(prefix)) return undefined
  const text = value.slice(prefix.length)
  if (parseDateTime(text)?.precision === 'day') return { day: text }
  const moment = momentIn(text)
  return moment === undefined ? undefined : { moment }
}
