import type { AuditRecord } from '@openspine/platform/audit'

/** A refusal at the door, as the audit holds it. */
export interface RefusalExplanation {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly api: string
  readonly path: string
  readonly status: number
  /** Name of the check that failed. */
  readonly check: string
  /** What the answer said. */
  readonly says: string
  /** What to do. */
  readonly explanation: string
  readonly application?: string
  readonly requestId?: string
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The refusal with this id, or of the request with this X-Request-ID, out of one record `gateway.refused`. */
export function explainRefusal({ facts }: Pick<AuditRecord, 'facts'>, id: string): RefusalExplanation | undefined {
  const operations: unknown = facts['operations']
  if (!Array.isArray(operations)) return undefined
  const found: Readonly<Record<string, unknown>> | undefined = operations.find(
    (each: Readonly<Record<string, unknown>>) =>
      each['id'] === id || text(each['requestId']).toLowerCase() === id.toLowerCase(),
  )
  if (found === undefined) return undefined
  const application = [found['name'], found['application']].filter((part) => typeof part === 'string').join(' ')
  const requestId = text(found['requestId'])
  return {
    id: text(found['id']),
    at: new Date(Number(found['at'])).toISOString(),
    api: text(found['api']),
    path: text(found['path']),
    status: Number(found['status']),
    check: text(found['check']),
    says: text(found['says']),
    explanation: text(found['explanation']),
    ...(application === '' ? {} : { application }),
    ...(requestId === '' ? {} : { requestId }),
  }
}
