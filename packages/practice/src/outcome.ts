/** Every way in which this provider says no: HTTP status, FHIR issue code, GP Connect code and display (§5.2). */
export const outcomes = {
  CERTIFICATE_MISSING: {
    status: 496,
    issue: 'forbidden',
    code: 'ACCESS_DENIED_SSL',
    display: 'SSL certificate required',
  },
  CERTIFICATE_INVALID: {
    status: 495,
    issue: 'forbidden',
    code: 'ACCESS_DENIED_SSL',
    display: 'SSL certificate invalid',
  },
  NO_SUCH_PATH: { status: 404, issue: 'not-found', code: 'NO_RECORD_FOUND', display: 'No record found' },
  WRONG_VERB: { status: 405, issue: 'not-supported', code: 'BAD_REQUEST', display: 'Bad request' },
  BAD_REQUEST: { status: 400, issue: 'invalid', code: 'BAD_REQUEST', display: 'Bad request' },
  UNSUPPORTED_TYPE: { status: 415, issue: 'invalid', code: 'BAD_REQUEST', display: 'Bad request' },
  TOO_LARGE: { status: 413, issue: 'too-long', code: 'BAD_REQUEST', display: 'Bad request' },
  BUSY: { status: 503, issue: 'throttled', code: 'INTERNAL_SERVER_ERROR', display: 'Unexpected internal server error' },
  INVALID_RESOURCE: {
    status: 422,
    issue: 'invalid',
    code: 'INVALID_RESOURCE',
    display: 'Invalid validation of resource',
  },
  INVALID_PARAMETER: { status: 422, issue: 'invalid', code: 'INVALID_PARAMETER', display: 'Invalid parameter' },
  INVALID_NHS_NUMBER: { status: 400, issue: 'value', code: 'INVALID_NHS_NUMBER', display: 'Invalid NHS number' },
  INVALID_IDENTIFIER_SYSTEM: {
    status: 400,
    issue: 'value',
    code: 'INVALID_IDENTIFIER_SYSTEM',
    display: 'Invalid identifier system',
  },
  INVALID_PATIENT_DEMOGRAPHICS: {
    status: 400,
    issue: 'business-rule',
    code: 'INVALID_PATIENT_DEMOGRAPHICS',
    display: 'Invalid patient demographics',
  },
  DUPLICATE_REJECTED: {
    status: 409,
    issue: 'duplicate',
    code: 'DUPLICATE_REJECTED',
    display: 'Create would lead to creation of a duplicate resource',
  },
  ACCESS_DENIED: { status: 403, issue: 'forbidden', code: 'ACCESS_DENIED', display: 'Access denied' },
  PATIENT_NOT_FOUND: { status: 404, issue: 'not-found', code: 'PATIENT_NOT_FOUND', display: 'Patient not found' },
  ORGANISATION_NOT_FOUND: {
    status: 404,
    issue: 'not-found',
    code: 'ORGANISATION_NOT_FOUND',
    display: 'Organisation not found',
  },
  PRACTITIONER_NOT_FOUND: {
    status: 404,
    issue: 'not-found',
    code: 'PRACTITIONER_NOT_FOUND',
    display: 'Practitioner not found',
  },
  NO_RECORD_FOUND: { status: 404, issue: 'not-found', code: 'NO_RECORD_FOUND', display: 'No record found' },
  FHIR_CONSTRAINT_VIOLATION: {
    status: 409,
    issue: 'conflict',
    code: 'FHIR_CONSTRAINT_VIOLATION',
    display: 'FHIR constraint violated',
  },
  NOT_AUTHORISED: { status: 403, issue: 'forbidden', code: 'NOT_AUTHORISED', display: 'Not authorised' },
  NO_PATIENT_CONSENT: {
    status: 403,
    issue: 'forbidden',
    code: 'NO_PATIENT_CONSENT',
    display: 'Patient has not provided consent to share data',
  },
  NO_ORGANISATION_CONSENT: {
    status: 403,
    issue: 'forbidden',
    code: 'NO_ORGANISATION_CONSENT',
    display: 'Organisation has not provided consent to share data',
  },
  NON_AUTHORITATIVE: {
    status: 403,
    issue: 'forbidden',
    code: 'NON_AUTHORITATIVE',
    display: "Not the patient's nominated practice",
  },
  INTERNAL: {
    status: 500,
    issue: 'processing',
    code: 'INTERNAL_SERVER_ERROR',
    display: 'Unexpected internal server error',
  },
} as const satisfies Record<string, Outcome>

/** What goes on the wire when a check fails; `diagnostics` are added where the failure is known. */
export interface Outcome {
  readonly status: number
  readonly issue: string
  readonly code: string
  readonly display: string
}

export type OutcomeName = keyof typeof outcomes
