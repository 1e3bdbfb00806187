import type { JobHandler } from './jobs.ts'
import type { JobError } from './store.ts'

/** Without a schedule of its own, a handler's job is tried so often … */
export const usualAttempts = 12
/** … with a wait that doubles from a second up to five minutes. */
const longestWaitMs = 300_000
/**
 * A job whose holder died in its last attempt is tried again all the same until so many claims, since the handler never
 * had its say; beyond, it is taken for what kills the holder.
 */
const claimsAlways = 5
const longestText = 2_000

export function retryAfterMs(handler: JobHandler, attempt: number): number | undefined {
  if (handler.retryAfterMs) return handler.retryAfterMs(attempt)
  return attempt >= usualAttempts ? undefined : Math.min(1_000 * 2 ** (attempt - 1), longestWaitMs)
}

/** Claimed again though the schedule had come to its end: every attempt has lost its holder. */
export function losesItsHolders(handler: JobHandler, attempt: number): boolean {
  return attempt > claimsAlways && retryAfterMs(handler, attempt - 1) === undefined
}

export const holderLost: JobError = {
  code: 'JOB_HOLDER_LOST',
  text: 'Every process that took this job ended, or took longer than its lease, before the job was done.',
}

/** What is kept of a failure: the stable code where there is one, and the text. */
export function jobError(error: unknown): JobError {
  if (!(error instanceof Error)) return { code: 'UNKNOWN', text: clean(String(error)) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const detail = 'detail' in error && typeof error.detail === 'string' ? `: ${error.detail}` : ''
  return { code: clean(code), text: clean(error.message + detail) }
}

/** PostgreSQL text holds no NUL. */
function clean(text: string): string {
  return text.slice(0, longestText).replaceAll('\0', '\ufffd')
}
