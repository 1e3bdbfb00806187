import type { HealthReport } from '../service.ts'

/** Something that ends, and then refuses everyone: a certificate in use, an authority, a CRL. */
export interface Expiry {
  readonly what: string
  readonly from: number
  readonly until: number
  readonly remedy: string
}

const day = 86_400_000
const steps = [1, 7, 30]

/**
 * Warns 30, 7 and 1 days ahead. What lives shorter than ninety days is renewed by us well before its
 * last third, so it is worth a warning only from there.
 */
export function expiryHealth(expiries: readonly Expiry[], now: number): HealthReport {
  const notes: string[] = []
  let ended = false
  for (const { what, from, until, remedy } of [...expiries].sort((a, b) => a.until - b.until)) {
    const left = until - now
    if (left <= 0) {
      ended = true
      notes.push(`${what} ended on ${isoDay(until)}. ${remedy}`)
      continue
    }
    const step = steps.find((days) => left <= days * day)
    if (step !== undefined && left <= (until - from) / 3) {
      notes.push(
        `${what} ends on ${isoDay(until)}, in ${step === 1 ? 'less than 1 day' : `less than ${step} days`}. ${remedy}`,
      )
    }
  }
  if (notes.length === 0) return { status: 'pass' }
  return { status: ended ? 'fail' : 'warn', note: notes.join(' ') }
}

function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
