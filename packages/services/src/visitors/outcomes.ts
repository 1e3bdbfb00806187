import { SpineError } from '@openspine/standards/error'
import type { FhirOutcome } from '@openspine/standards/fhir'

const system = 'https://fhir.nhs.uk/spine-error-or-warning-code-1'

function failure(status: number, issue: string, code: string, display: string): FhirOutcome {
  return { status, severity: 'error', issue, coding: { system, code, display } }
}

/** The errors of §25, and the two for what is not served and what went wrong. The wire adds `diagnostics`, which are free. */
export const visitorsOutcomes = {
  accessDeniedSsl: failure(403, 'forbidden', 'ACCESS_DENIED_SSL', 'SSL Protocol or Cipher requirements not met'),
  asidCheckFailed: failure(
    403,
    'forbidden',
    'ASID_CHECK_FAILED',
    "The sender or receiver's ASID is not authorised for this interaction",
  ),
  header: failure(400, 'invalid', 'MISSING_OR_INVALID_HEADER', 'There is a required header missing or invalid'),
  notWellFormed: failure(400, 'structure', 'MESSAGE_NOT_WELL_FORMED', 'Message not well formed'),
  element: failure(400, 'value', 'INVALID_ELEMENT', 'Invalid element'),
  parameter: failure(400, 'invalid', 'INVALID_PARAMETER', 'Invalid parameter'),
  identifierSystem: failure(400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM', 'Invalid identifier system'),
  codeSystem: failure(400, 'code-invalid', 'INVALID_CODE_SYSTEM', 'Invalid code system'),
  codeValue: failure(400, 'code-invalid', 'INVALID_CODE_VALUE', 'Invalid code value'),
  nhsNumber: failure(400, 'invalid', 'INVALID_NHS_NUMBER', 'Invalid NHS number'),
  unmatched: failure(400, 'unknown', 'REQUEST_UNMATCHED', 'Request does not match authorisation token'),
  patientNotFound: failure(404, 'not-found', 'PATIENT_NOT_FOUND', 'Patient not found'),
  notImplemented: failure(
    501,
    'not-supported',
    'NOT_IMPLEMENTED',
    'FHIR resource or operation not implemented at server',
  ),
  internal: failure(500, 'exception', 'INTERNAL_SERVER_ERROR', 'Unexpected internal server error'),
} as const

/** A person about whom nothing was recorded: a success (§25). */
export const nothingRecorded: FhirOutcome = {
  status: 200,
  severity: 'information',
  issue: 'not-found',
  coding: { system, code: 'NO_RECORD_FOUND', display: 'No record found' },
  diagnostics: 'No Overseas Visitors and Migrants record has been found for this patient',
}

export type VisitorsOutcome = keyof typeof visitorsOutcomes

/** Ends a request with that outcome; `check` names what failed, for the audit. */
export function refuse(outcome: VisitorsOutcome, diagnostics: string, check: string): SpineError<FhirOutcome> {
  const refused = { ...visitorsOutcomes[outcome], diagnostics }
  return new SpineError(`VISITORS_${refused.coding.code}`, refused, { detail: check, explanation: diagnostics })
}
