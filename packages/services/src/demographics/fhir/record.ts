import type { AuditRecord } from '@openspine/platform/audit'
import type { Settled } from './face.ts'

/**
 * The audit record of one request (§8): who, in which role and mode, for which app, which numbers, when,
 * the request id, and why it was refused. Numbers of patients, never values of a search.
 */
export function accessRecord(event: Settled): AuditRecord {
  const { at, requestId, access, operation, judged, ...facts } = event
  const all: Readonly<Record<string, unknown>> = {
    mode: access?.mode,
    user: access?.user?.id,
    patient: access?.patient?.nhsNumber,
    app: access?.app?.id,
    asid: access?.app?.asid,
    ...facts,
    ...judged,
  }
  return {
    event: `pds.${operation}`,
    at,
    ...(requestId === undefined ? {} : { trace: requestId }),
    facts: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  }
}
