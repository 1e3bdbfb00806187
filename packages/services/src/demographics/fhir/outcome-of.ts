import type { Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { isSpineError } from '@openspine/standards/error'
import { outcomes, type PdsOutcome } from '../outcomes.ts'

/** The outcome of whatever was thrown. Faults of ours go to the log under the message id that the caller is told. */
export function outcomeOf(
  error: unknown,
  about: { readonly log: Logger; readonly random: Random },
): { readonly outcome: PdsOutcome; readonly messageId: string | undefined } {
  if (isSpineError(error) && error.code.startsWith('PDS_') && isPdsOutcome(error.outcome))
    return { outcome: error.outcome, messageId: undefined }
  const messageId = about.random.uuid()
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    // The framework refused the body (too long, cut off): the caller's fault, with the framework's status.
    return { outcome: { ...outcomes.unsupportedService, status: Number(error.statusCode) }, messageId: undefined }
  }
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
