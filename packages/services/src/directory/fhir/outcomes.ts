import { isSpineError } from '@openspine/standards/error'
import type { FhirOutcome } from '@openspine/standards/fhir'

/** What the SDS FHIR API says when it does not answer with a bundle (directory specification §7.4). */
export type SdsOutcome = FhirOutcome

const system = 'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1'

const displays = {
  BAD_REQUEST: 'Bad request',
  NO_RECORD_FOUND: 'No record found',
  NOT_IMPLEMENTED: 'Not implemented',
  MISSING_OR_INVALID_HEADER: 'There is a required header missing or invalid',
  INTERNAL_SERVER_ERROR: 'Unexpected internal server error',
} as const

function failure(status: number, issue: string, code: keyof typeof displays, diagnostics: string): SdsOutcome {
  return { status, severity: 'error', issue, coding: { system, code, display: displays[code] }, diagnostics }
}

/** The error table of §7.4. Diagnostics are wire-exact. */
export const sdsOutcomes = {
  badRequest: (message: string) => failure(400, 'required', 'BAD_REQUEST', `HTTP 400: Bad Request (${message})`),
  unknownPath: failure(404, 'not-found', 'NO_RECORD_FOUND', 'HTTP endpoint not found'),
  notSupported: failure(405, 'not-supported', 'NOT_IMPLEMENTED', 'HTTP operation not supported'),
  notAcceptable: failure(406, 'not-supported', 'MISSING_OR_INVALID_HEADER', 'Accept type not supported'),
  /** Another refusal of the server: a body that is too long, a message that cannot be read. */
  otherClient: (status: number, text: string) => failure(status, 'exception', 'BAD_REQUEST', text),
  internal: (text: string) => failure(500, 'exception', 'INTERNAL_SERVER_ERROR', text),
  invalidResponse: failure(502, 'exception', 'INTERNAL_SERVER_ERROR', 'Invalid LDAP response received'),
  timedOut: failure(504, 'timeout', 'INTERNAL_SERVER_ERROR', 'LDAP request timed out'),
} as const

/** What the wire says of a look-up that could not be answered; undefined for what nobody foresaw. */
export function outcomeOfLookup(error: unknown): SdsOutcome | undefined {
  if (!isSpineError(error)) return undefined
  const about = error.outcome as { readonly attribute?: string; readonly what?: string; readonly got?: number }
  switch (error.code) {
    case 'DIRECTORY_NOT_LOADED':
      return sdsOutcomes.invalidResponse
    case 'DIRECTORY_STALE':
      return sdsOutcomes.timedOut
    case 'DIRECTORY_AMBIGUOUS':
      return sdsOutcomes.internal(`LDAP returned more than 1 '${about.attribute}' attribute`)
    case 'DIRECTORY_INTERMEDIARY':
      return sdsOutcomes.internal(
        `Expected 1 ${about.what} for forward reliable/express routing and reliability but got ${about.got}`,
      )
    default:
      return undefined
  }
}
