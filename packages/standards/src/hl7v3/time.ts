/** A point in time (TS) taken apart: as precise as it was written. */
export interface Moment {
  readonly year: number
  readonly month?: number
  readonly day?: number
  /** `HHmm…` behind the day, where there is more, with the offset. */
  readonly rest?: string
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate()

/**
 * Reads `yyyy[MM[dd[HHmm[ss[.S…]]]]][+-ZZzz]`; undefined for any other text, and for days that no calendar has.
 *
 * @example
 * readMoment('19800229') // { year: 1980, month: 2, day: 29 }
 */
export function readMoment(text: string): Moment | undefined {
  const match =
    /^(\d{4})(?:(\d\d)(?:(\d\d)((?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,6}|\d{3})?)?)?)?([+-]\d{4})?)?)?$/.exec(
      text,
    )
  if (match === null) return undefined
  const year = Number(match[1])
  if (year === 0) return undefined
  if (match[2] === undefined) return { year }
  const month = Number(match[2])
  if (month < 1 || month > 12) return undefined
  if (match[3] === undefined) return { year, month }
  const day = Number(match[3])
  if (day < 1 || day > daysIn(year, month)) return undefined
  const rest = `${match[4] ?? ''}${match[5] ?? ''}`
  return rest === '' ? { year, month, day } : { year, month, day, rest }
}

/** First and last day, as `yyyymmdd` numbers, that a point in time may mean; undefined where it is none. */
export function daysOf(text: string): { readonly from: number; readonly to: number } | undefined {
  const moment = readMoment(text)
  if (moment === undefined) return undefined
  const { year, month, day } = moment
  const number = (m: number, d: number) => year * 10_000 + m * 100 + d
  if (month === undefined) return { from: number(1, 1), to: number(12, 31) }
  if (day === undefined) return { from: number(month, 1), to: number(month, daysIn(year, month)) }
  return { from: number(month, day), to: number(month, day) }
}

/** `yyyyMMddHHmmss` in UTC of milliseconds since the epoch. */
export function writeMoment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')
}
