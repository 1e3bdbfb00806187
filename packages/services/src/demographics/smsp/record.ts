import type { AuditRecord } from '@openspine/platform/audit'
import type { MiniSettled } from './face.ts'

/** The audit record of one request (§20): who asked, by system and by the name that the client gives, and who was shown. */
export function miniRecord({ at, messageId, operation, ...facts }: MiniSettled): AuditRecord {
  return {
    event: `pds.smsp.${operation}`,
    at,
    ...(messageId === undefined ? {} : { trace: messageId.toLowerCase() }),
    facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
  }
}
