import { type Audit, AuditTrail } from '@openspine/platform/audit'
import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { SdsSettled } from './face.ts'

const brief = (text: string) => (text.length > 256 ? `${text.slice(0, 256)}…` : text)
const known = (facts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''))

/** The audit of look-ups over HTTP (directory specification §16.8): who asked for what, and what came of it. */
export function lookupTrail(needs: {
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Logger
}): AuditTrail<SdsSettled> {
  return new AuditTrail<SdsSettled>({
    ...needs,
    event: 'directory.lookup',
    json: (event) => JSON.stringify(lookupFacts(event)),
    faultText: 'The audit of directory look-ups cannot be written: clients will be kept waiting.',
  })
}

function lookupFacts({ at, ms, method, path, operation, named, status, count, ...about }: SdsSettled) {
  const { diagnostics, correlationId, address, caller } = about
  return known({
    operation,
    at,
    ms,
    status,
    count,
    ...(operation === 'none' || method !== 'GET' ? { method, path: brief(path) } : {}),
    ...Object.fromEntries(Object.entries(named).map(([name, value]) => [name, brief(value)])),
    diagnostics: diagnostics === undefined ? undefined : brief(diagnostics),
    correlationId,
    address,
    application: caller.application,
    key: caller.key,
  })
}
