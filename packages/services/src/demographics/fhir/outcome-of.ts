import type { Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { isSpineError } from '@openspine/standards/error'
import { outcomes, type PdsOutcome } from '../outcomes.ts'

/** What the wire is told, and what the audit keeps beside it: the failed check, in plain words why, the id of a fault. */
export interface Judged {
  readonly outcome: PdsOutcome
  readonly check?: string | undefined
  readonly because?: string | undefined
  readonly messageId?: string
}

/** The outcome of whatever was thrown. Faults of ours go to the log under the message id that the caller is told. */
export function outcomeOf(error: unknown, about: { readonly log: Logger; readonly random: Random }): Judged {
  if (isSpineError(error) && error.code.startsWith('PDS_') && isPdsOutcome(error.outcome))
    return { outcome: error.outcome, check: error.detail, because: error.explanation }
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    // The framework refused the body (too long, cut off): the caller's fault, with the framework's status.
    return { outcome: { ...outcomes.unsupportedService, status: Number(error.statusCode) } }
  }
  const messageId = about.random.uuid()
  about.log.error({ messageId, err: named(error) }, 'PDS FHIR: a request failed')
  return { outcome: outcomes.unknownError(messageId), messageId }
}

const isPdsOutcome = (outcome: unknown): outcome is PdsOutcome =>
  typeof outcome === 'object' && outcome !== null && 'status' in outcome && 'coding' in outcome

/** Without the further members of a database error, which may quote rows. */
function named(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack } = error
  return { type: name, message, stack, ...('code' in error && { code: error.code }) }
}
