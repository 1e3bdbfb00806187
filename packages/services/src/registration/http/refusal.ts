import type { Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { isSpineError, SpineError } from '@openspine/standards/error'

/** Codes of the dialect with their HTTP status (directory specification §11). */
export const statuses = {
  MISSING_VALUE: 400,
  VALIDATION_ERROR: 400,
  ACCESS_DENIED: 403,
  RESOURCE_NOT_FOUND: 404,
  CONFLICT: 409,
  UNPROCESSABLE_ENTITY: 422,
  SERVICE_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
} as const

/** One entry of `errors`. */
export interface Problem {
  readonly code: keyof typeof statuses
  readonly message: string
}

export interface Refusal {
  readonly status: number
  readonly errors: readonly Problem[]
}

/** What is thrown to answer with these problems; the status is that of the first, unless another is named. */
export function refuse(problems: readonly Problem[], status?: number): SpineError<Refusal> {
  const [first] = problems
  if (first === undefined) throw new TypeError('a refusal without a problem')
  return new SpineError(
    'REGISTRATION_REQUEST',
    { status: status ?? statuses[first.code], errors: problems },
    { explanation: first.message },
  )
}

export const invalid = (message: string): SpineError<Refusal> => refuse([{ code: 'VALIDATION_ERROR', message }])
export const notFound = (message: string): SpineError<Refusal> => refuse([{ code: 'RESOURCE_NOT_FOUND', message }])

/** As a Python tuple of strings is written: the dialect names keys so. */
export const quoted = (...keys: readonly string[]): string => keys.map((key) => `'${key.slice(0, 200)}'`).join(', ')

/** What a rule of registration or of the directory said, in the dialect; what is not listed is a VALIDATION_ERROR. */
const ruled: Readonly<Record<string, Problem['code']>> = {
  REGISTRATION_TEAM_UNKNOWN: 'RESOURCE_NOT_FOUND',
  REGISTRATION_PRODUCT_UNKNOWN: 'RESOURCE_NOT_FOUND',
  REGISTRATION_ENDPOINT_UNKNOWN: 'RESOURCE_NOT_FOUND',
  REGISTRATION_TEAM_HAS_PRODUCTS: 'CONFLICT',
  REGISTRATION_PRODUCT_IN_USE: 'CONFLICT',
  REGISTRATION_IN_USE: 'CONFLICT',
  REGISTRATION_STATE: 'CONFLICT',
  REGISTRATION_ORGANISATION: 'UNPROCESSABLE_ENTITY',
  REGISTRATION_ODS_CODE: 'UNPROCESSABLE_ENTITY',
}

/** Refusals whose words the dialect fixes. */
const worded: Readonly<Record<string, (outcome: unknown) => string>> = {
  REGISTRATION_TEAM_KEY: () => 'Item already exists',
  REGISTRATION_TEAM_HAS_PRODUCTS: (outcome) => {
    const { productIds } = outcome as { readonly productIds: readonly string[] }
    return `Product Team cannot be deleted as it still has associated Product Ids [${quoted(...productIds)}]`
  },
}

/** The store does not answer now, or lost what it was asked: SQLSTATE classes 08, 53 and 57, sockets, and the driver's words. */
const unavailable = /^(STORE_.*|AUDIT_UNAVAILABLE|ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|(08|53|57)[0-9A-Z]{3})$/
const lost = /^(Connection terminated|Cannot use a pool after|timeout exceeded when trying to connect)/

const isStoreAway = (error: unknown): boolean =>
  error instanceof Error && (lost.test(error.message) || ('code' in error && unavailable.test(String(error.code))))

/** Whatever was thrown, as the dialect says it. Faults of ours go to the log under the id that the caller is told. */
export function refusalOf(error: unknown, about: { readonly log: Logger; readonly random: Random }): Refusal {
  if (isSpineError(error) && error.code === 'REGISTRATION_REQUEST') return error.outcome as Refusal
  if (isSpineError(error) && /^(REGISTRATION|DIRECTORY|TRUST)_/.test(error.code)) {
    const code = ruled[error.code] ?? 'VALIDATION_ERROR'
    const message = worded[error.code]?.(error.outcome) ?? error.explanation ?? error.code
    return { status: statuses[code], errors: [{ code, message }] }
  }
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    // The framework refused the body (too long, cut off): the caller's fault, with the framework's status.
    const message = Number(error.statusCode) === 413 ? 'The body is too large.' : 'The body could not be read.'
    return { status: Number(error.statusCode), errors: [{ code: 'VALIDATION_ERROR', message }] }
  }
  const id = about.random.uuid()
  about.log.error({ messageId: id, err: named(error) }, 'registration API: a request failed')
  const down = isStoreAway(error)
  const code = down ? 'SERVICE_UNAVAILABLE' : 'SERVICE_ERROR'
  const message = down
    ? 'The store does not answer: nothing is known to have changed. Try again.'
    : 'An internal fault.'
  return { status: statuses[code], errors: [{ code, message: `${message} The log has it under ${id}.` }] }
}

/** Without the further members of a database error, which may quote rows. */
function named(error: unknown) {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, message, stack } = error
  return { type: name, message, stack, ...('code' in error && { code: error.code }) }
}
