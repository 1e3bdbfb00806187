import type { AuditRecord } from '@openspine/platform/audit'
import type { SyncSettled } from './face.ts'

/**
 * The audit record of one query (messaging specification §14): the person and role behind it, the system, what it was for,
 * and which numbers were shown. Numbers of patients, never values of a search.
 */
export function syncRecord({ at, messageId, operation, ...facts }: SyncSettled): AuditRecord {
  return {
    event: `pds.hl7v3.${operation.replaceAll(' ', '-')}`,
    at,
    ...(messageId === undefined ? {} : { trace: messageId.replace(/^uuid:/, '').toLowerCase() }),
    facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
  }
}
