import type { SpineError } from '@openspine/standards/error'
import type { FhirOutcome } from '@openspine/standards/fhir'
import { refusal } from '../outcomes.ts'

function failure(status: number, code: string, issue: string, display: string, diagnostics?: string): FhirOutcome {
  const coding = { system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode', version: '1', code, display }
  return { status, severity: 'error', issue, coding, ...(diagnostics === undefined ? {} : { diagnostics }) }
}

const missing = (diagnostics: string) =>
  failure(400, 'MISSING_VALUE', 'required', 'Required value is missing', diagnostics)
const invalid = (diagnostics: string) =>
  failure(400, 'INVALID_VALUE', 'value', 'Provided value is invalid', diagnostics)
const notFound = (diagnostics: string) =>
  failure(404, 'RESOURCE_NOT_FOUND', 'not-found', 'Resource not found', diagnostics)

/** The errors of Patient Flags: nothing is published of them, so they are those of PDS (§7, §24). */
export const flagOutcomes = {
  unsupportedPath: (path: string) =>
    failure(
      400,
      'UNSUPPORTED_REQUEST',
      'value',
      'The request is not one that is supported.',
      `Unsupported path - '${path}'`,
    ),
  requestIdInvalid: (value: string) => invalid(`Invalid value - '${value}' in header 'X-Request-ID'`),
  requestIdMissing: missing(
    'Invalid request with error - X-Request-ID header must be supplied to access this resource',
  ),
  roleInvalid: (value: string) => invalid(`Invalid value - '${value}' in header 'NHSD-Session-URID'`),
  methodForbidden: (verb: string, mode: string) =>
    failure(
      403,
      'INVALID_METHOD',
      'forbidden',
      `Cannot ${verb} resource with ${mode} access token`,
      'Your app has insufficient permissions to use this method. Please contact support.',
    ),
  unsupportedService: (why: string) => failure(400, 'UNSUPPORTED_SERVICE', 'processing', 'Unsupported Service', why),
  missingValue: (field: string) => missing(`Missing value - '${field}'`),
  missingHeader: (header: string) => missing(`Missing value in header '${header}'`),
  invalidField: (value: string, field: string) => invalid(`Invalid value - '${value}' in field '${field}'`),
  unreadable: (why: string) => failure(400, 'VALIDATION_ERROR', 'structure', 'Validation error', why),
  severalPatients: failure(
    400,
    'VALIDATION_ERROR',
    'business-rule',
    'Validation error',
    'All resources of a transaction are about one patient',
  ),
  noPatient: (number: string) => notFound(`No patient found with identifier ${number}`),
  noFlag: notFound('No PatientFlag found for given patient and code'),
  noResource: notFound('No such resource is active'),
  readOnly: failure(
    403,
    'FORBIDDEN_UPDATE',
    'forbidden',
    'Update is forbidden',
    'Forbidden update with error - this flag is read only',
  ),
  flagOnly: failure(
    403,
    'FORBIDDEN_UPDATE',
    'forbidden',
    'Update is forbidden',
    'Forbidden update with error - this flag has no supporting resources',
  ),
  superseded: failure(
    403,
    'FORBIDDEN_UPDATE',
    'forbidden',
    'Update is forbidden',
    'Forbidden update with error - Update Failed - NHS No. supplied has been superseded in a merge',
  ),
  sensitive: failure(
    403,
    'ACCESS_DENIED',
    'forbidden',
    'Access Denied - Unauthorised',
    'The record of this patient is very restricted',
  ),
} as const

export function refuseFlag(outcome: FhirOutcome, check: string, explanation?: string): SpineError<FhirOutcome> {
  return refusal(outcome, explanation ?? outcome.diagnostics ?? outcome.coding.display ?? '', check)
}

/** What the shared rules refuse, in the words of this face. */
export function translated({ coding, diagnostics = '' }: FhirOutcome, number: string): FhirOutcome {
  switch (coding.code) {
    case 'PATIENT_NOT_FOUND':
    case 'INVALID_NHS_NUMBER':
      return flagOutcomes.noPatient(number)
    case 'PATIENT_SENSITIVE':
      return flagOutcomes.sensitive
    case 'INVALID_REQUEST_STATE':
      return diagnostics.includes('superseded') ? flagOutcomes.superseded : flagOutcomes.noResource
    case 'NO_PATIENT_CONSENT':
      return flagOutcomes.noFlag
    default:
      return flagOutcomes.noResource
  }
}
