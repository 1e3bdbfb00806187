/**
 * Calendar days and FHIR dateTimes as the care record needs them. A record's own dates are whole days
 * (`2018-01-04`); a requested period may be partial (`2014-02`). Everything is counted in United Kingdom time.
 */

/** A whole day, `yyyy-mm-dd`. Such strings sort as the days do. */
export type Day = string

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
const wholeDay = /^(\d{4})-(\d{2})-(\d{2})$/

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0')
}

function lastOfMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** Whether the text is a day that exists: `2015-02-30` is not. */
export function isDay(text: string): text is Day {
  const match = wholeDay.exec(text)
  if (!match) return false
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= lastOfMonth(year, month)
}

/** `2018-01-04` → `04-Jan-2018` (access record HTML, §7.4). */
export function displayDay(day: Day): string {
  return `${day.slice(8, 10)}-${months[Number(day.slice(5, 7)) - 1] ?? '???'}-${day.slice(0, 4)}`
}

/** The day so many days later (or earlier, when negative). */
export function addDays(day: Day, days: number): Day {
  return fromUtc(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)) + days))
}

/** The day so many months earlier; the end of a shorter month where the day does not exist there. */
export function monthsBefore(day: Day, count: number): Day {
  const index = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 - count
  const year = Math.floor(index / 12)
  const month = (index % 12) + 1
  return `${pad(year, 4)}-${pad(month)}-${pad(Math.min(Number(day.slice(8, 10)), lastOfMonth(year, month)))}`
}

/** Days from `from` until `to`; negative when `to` is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Math.round((Date.parse(to + 'T00:00:00Z') - Date.parse(from + 'T00:00:00Z')) / 86_400_000)
}

function fromUtc(ms: number): Day {
  return new Date(ms).toISOString().slice(0, 10)
}

/**
 * Minutes that the United Kingdom is ahead of UTC: 60 between 01:00 UTC on the last Sunday of March and
 * 01:00 UTC on the last Sunday of October (The Summer Time Order 2002), otherwise 0.
 */
function offsetMinutes(at: number): number {
  const year = new Date(at).getUTCFullYear()
  const lastSunday = (month: number): number => {
    const end = new Date(Date.UTC(year, month, 31, 1))
    return end.getTime() - end.getUTCDay() * 86_400_000
  }
  return at >= lastSunday(2) && at < lastSunday(9) ? 60 : 0
}

/** The day in the United Kingdom at that moment (milliseconds since the epoch). */
export function dayAt(at: number): Day {
  return fromUtc(at + offsetMinutes(at) * 60_000)
}

/** When a clock on the wall in the United Kingdom shows that time (`09:00:00`) on that day. */
export function wallClockAt(day: Day, time: string): number {
  const utc = Date.parse(`${day}T${time}Z`)
  return utc - offsetMinutes(utc) * 60_000
}

/** FHIR dateTime with seconds and the United Kingdom's offset: `2024-05-01T10:00:00+01:00`. */
export function dateTimeAt(at: number): string {
  const offset = offsetMinutes(at)
  return `${new Date(at + offset * 60_000).toISOString().slice(0, 19)}+${pad(offset / 60)}:00`
}

const dateTime =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00))?)?)?$/

/**
 * First and last day that a FHIR dateTime covers (a part of a date is an interval); undefined when it is
 * not a dateTime: a time without seconds or zone, or a day that does not exist. The day of a full dateTime
 * is the day it names in its own zone.
 *
 * @example
 * daysOf('2016-02') // { first: '2016-02-01', last: '2016-02-29' }
 */
export function daysOf(text: string): { readonly first: Day; readonly last: Day } | undefined {
  const match = dateTime.exec(text)
  if (!match?.[1]) return undefined
  const [, year, month, day] = match
  if (month === undefined) return Number(year) > 0 ? { first: `${year}-01-01`, last: `${year}-12-31` } : undefined
  if (day === undefined) {
    const first = `${year}-${month}-01`
    return isDay(first)
      ? { first, last: `${year}-${month}-${pad(lastOfMonth(Number(year), Number(month)))}` }
      : undefined
  }
  const whole = `${year}-${month}-${day}`
  return isDay(whole) ? { first: whole, last: whole } : undefined
}

/** Days asked for, both inclusive; an absent bound is open. */
export interface DayRange {
  readonly first?: Day
  readonly last?: Day
}

/** Whether the day lies in the range. */
export function within(day: Day, range: DayRange): boolean {
  return (range.first === undefined || day >= range.first) && (range.last === undefined || day <= range.last)
}

/** Whether something that lasted from `from` to `to` (open where absent) touches the range. */
export function overlaps(from: Day | undefined, to: Day | undefined, range: DayRange): boolean {
  return (
    (range.first === undefined || to === undefined || to >= range.first) &&
    (range.last === undefined || from === undefined || from <= range.last)
  )
}
