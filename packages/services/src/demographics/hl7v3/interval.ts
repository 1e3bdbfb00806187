import { daysOf, type Ivl } from '@openspine/standards/hl7v3'
import type { DayRange } from '../criteria.ts'

/**
 * The days that an interval means: a date of any precision, from low to high, or a centre. Undefined where it says nothing;
 * `wrong` where it cannot be read.
 */
export function daysOfInterval(ivl: Ivl | undefined): DayRange | 'wrong' | undefined {
  if (ivl === undefined) return undefined
  const { value, bounds } = ivl
  if (value === undefined && bounds.length === 0) return undefined
  const names = bounds.map(({ bound }) => bound)
  const confused =
    bounds.length > 2 ||
    (value !== undefined && bounds.length > 0) ||
    (names.includes('center') && names.length > 1) ||
    names.includes('width') ||
    new Set(names).size < names.length
  if (confused) return 'wrong'
  const days = (text: string) => daysOf(text) ?? 'wrong'
  if (value !== undefined) return days(value)
  const parts = Object.fromEntries(bounds.map((each) => [each.bound, days(each.value)]))
  if (Object.values(parts).includes('wrong')) return 'wrong'
  const { low, high, center } = parts as Readonly<Record<string, DayRange | undefined>>
  return center ?? { from: low?.from ?? 0, to: high?.to ?? 99_999_999 }
}
