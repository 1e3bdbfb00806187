import { isSpineError } from '@openspine/standards/error'
import type { PdsOutcome } from '../outcomes.ts'
import { type Issue, issues } from './outcomes.ts'

const stale: Issue = {
  code: '0',
  level: 'ER',
  rule: 'SERIAL_CHANGE_NUMBER_MISMATCH',
  text: 'SERIAL_CHANGE_NUMBER_MISMATCH: the record has changed since it was read',
}

/** An outcome that has no number of its own here: the code and the words that every dialect has for it. */
export const outcomeIssue = ({ coding, diagnostics }: PdsOutcome): Issue => ({
  code: '0',
  level: 'ER',
  rule: coding.code,
  text: `${coding.code}: ${diagnostics ?? coding.display}`,
})

/**
 * Why a record was not written, out of what the use cases of every dialect throw. Whatever is no refusal is thrown again.
 */
export function refusalIssue(error: unknown): Issue {
  if (!isSpineError(error) || !error.code.startsWith('PDS_')) throw error
  const outcome = error.outcome as PdsOutcome
  if (outcome.status >= 500) throw error
  switch (error.code) {
    case 'PDS_RESOURCE_NOT_FOUND':
      return issues.noMatch
    case 'PDS_INVALIDATED_RESOURCE':
      return issues.invalidated
    case 'PDS_RESOURCE_VERSION_MISMATCH':
      return stale
    default:
      return outcomeIssue(outcome)
  }
}
