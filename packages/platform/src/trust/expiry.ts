import type { HealthReport } from '../service.ts'
import type { CertificateRecord } from './trust.ts'

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

/**
 * Certificates in force that end within `days` and have no successor under the same name that lasts longer,
 * the next to end first. `apart`: names that are renewed by themselves.
 */
export function endingSoon(
  records: readonly CertificateRecord[],
  now: number,
  days: number,
  apart: ReadonlyMap<string, unknown> = new Map(),
): readonly CertificateRecord[] {
  const until = now + days * day
  const live = records.filter(({ revokedAt, notAfter }) => revokedAt === undefined && notAfter > now)
  const lasting = new Set(live.filter(({ notAfter }) => notAfter > until).map(({ fqdn }) => fqdn))
  return live
    .filter(({ fqdn, notAfter }) => notAfter <= until && !lasting.has(fqdn) && !apart.has(fqdn))
    .sort((a, b) => a.notAfter - b.notAfter)
}

const namedMost = 5

/** What health says of certificates that endpoints hold: a warning, for the endpoints' ends are not this server's. */
export function endpointHealth(ending: readonly CertificateRecord[]): string | undefined {
  if (ending.length === 0) return undefined
  const named = ending.slice(0, namedMost).map(({ fqdn, notAfter }) => `${fqdn} on ${isoDay(notAfter)}`)
  const more = ending.length > namedMost ? ` and ${ending.length - namedMost} more` : ''
  return `Issued certificates end within 30 days: ${named.join(', ')}${more}. Renew them with "openspine cert renew".`
}
