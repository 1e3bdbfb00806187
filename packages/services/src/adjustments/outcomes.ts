import { SpineError } from '@openspine/standards/error'
import type { FhirOutcome } from '@openspine/standards/fhir'

const stu3System = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1'
const r4System = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode'

const spine = (status: number, issue: string, code: string, display: string): FhirOutcome => ({
  status,
  severity: 'error',
  issue,
  coding: { system: stu3System, code, display },
})
const gateway = (status: number, issue: string, code: string, display: string, diagnostics: string): FhirOutcome => ({
  status,
  severity: 'error',
  issue,
  coding: { system: r4System, version: '1', code, display },
  diagnostics,
})
const bad = (status: number, diagnostics: string, issue = 'value') =>
  gateway(status, issue, 'BAD_REQUEST', 'Bad request', diagnostics)
const ifMatch = gateway(
  400,
  'value',
  'MISSING_OR_INVALID_HEADER',
  'There is a required header missing or invalid',
  'if-match is missing or invalid',
)
const support = 'Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support'

/** What the gateway says before Reasonable Adjustments are asked (§23). Diagnostics are wire-exact. */
export const gatewayOutcomes = {
  unknownPath: bad(404, 'Resource Not Found', 'not-found'),
  query: bad(404, 'required query parameters are missing or have empty values'),
  ifMatch,
  token: gateway(
    401,
    'forbidden',
    'ACCESS DENIED',
    'Access has been denied to process this request',
    'Access token is invalid or expired',
  ),
  requestId: bad(400, 'x-request-id is missing or invalid'),
  role: bad(400, 'nhsd-session-urid is invalid'),
  contentType: bad(400, 'content-type must be set to application/fhir+json'),
  payload: bad(400, 'requires payload'),
  asid: bad(500, `An internal server error occurred. Missing ASID. ${support} quoting Message ID`),
  ods: bad(500, `An internal server error occurred. Missing ODS. ${support} quoting Message ID`),
  poll: bad(404, 'Resource Not Found', 'not-found'),
} as const
export type GatewayOutcome = keyof typeof gatewayOutcomes

/** What Reasonable Adjustments say (§23; identity specification §7.3). The wire adds `diagnostics`, which are free. */
export const spineOutcomes = {
  accessDeniedSsl: spine(403, 'forbidden', 'ACCESS_DENIED_SSL', 'SSL Protocol or Cipher requirements not met'),
  asidCheckFailed: spine(
    403,
    'forbidden',
    'ASID_CHECK_FAILED',
    "The sender or receiver's ASID is not authorised for this interaction",
  ),
  header: spine(400, 'invalid', 'MISSING_OR_INVALID_HEADER', 'There is a required header missing or invalid'),
  token: spine(400, 'structure', 'MISSING_OR_INVALID_HEADER', 'There is a required header missing or invalid'),
  mediaType: spine(415, 'not-supported', 'UNSUPPORTED_MEDIA_TYPE', 'Unsupported media type'),
  precondition: spine(412, 'processing', 'PRECONDITION_FAILED', 'Precondition failed'),
  parameter: spine(422, 'invalid', 'INVALID_PARAMETER', 'Invalid parameter'),
  notWellFormed: spine(400, 'structure', 'MESSAGE_NOT_WELL_FORMED', 'Message not well formed'),
  resource: spine(422, 'invalid', 'INVALID_RESOURCE', 'Invalid validation of resource'),
  resourceId: spine(405, 'forbidden', 'MSG_RESOURCE_ID_FAIL', 'Client is not permitted to assign an id.'),
  element: spine(400, 'value', 'INVALID_ELEMENT', 'Invalid element'),
  nhsNumber: spine(400, 'value', 'INVALID_NHS_NUMBER', 'NHS number invalid'),
  codeSystem: spine(400, 'code-invalid', 'INVALID_CODE_SYSTEM', 'Invalid code system'),
  codeValue: spine(400, 'code-invalid', 'INVALID_CODE_VALUE', 'Invalid code value'),
  conflictingValues: spine(
    400,
    'business-rule',
    'CONFLICTING_VALUES',
    'Conflicting values have been specified in different fields',
  ),
  patientNotFound: spine(404, 'not-found', 'PATIENT_NOT_FOUND', 'Patient not found'),
  noRecord: spine(404, 'not-found', 'NO_RECORD_FOUND', 'No record found'),
  sensitive: spine(403, 'forbidden', 'PATIENT_SENSITIVE', 'Patient sensitive'),
  noConsent: spine(403, 'forbidden', 'NO_PATIENT_CONSENT', 'Patient has not provided consent to share data'),
  state: spine(422, 'business-rule', 'INVALID_REQUEST_STATE', 'Invalid request state'),
  duplicate: spine(422, 'duplicate', 'DUPLICATE_REJECTED', 'Create would lead to creation of a duplicate resource'),
  conflict: spine(409, 'conflict', 'CONFLICT', 'Resource version supplied does not match the current version'),
  notImplemented: spine(
    501,
    'not-supported',
    'NOT_IMPLEMENTED',
    'FHIR resource or operation not implemented at server',
  ),
  internal: spine(500, 'processing', 'INTERNAL_SERVER_ERROR', 'Unexpected internal server error'),
} as const
export type SpineOutcome = keyof typeof spineOutcomes

/** Ends a request with that outcome; `check` names what failed, for the audit. */
export function refuse(outcome: SpineOutcome, diagnostics: string, check: string): SpineError<FhirOutcome> {
  return refusal({ ...spineOutcomes[outcome], diagnostics }, diagnostics, check)
}

export function refusal(outcome: FhirOutcome, explanation: string, check: string): SpineError<FhirOutcome> {
  return new SpineError(`ADJUSTMENTS_${outcome.coding.code.replaceAll(' ', '_')}`, outcome, {
    detail: check,
    explanation,
  })
}
