import { SpineError } from '@openspine/standards/error'
import type { FhirOutcome } from '@openspine/standards/fhir'
import { pythonLiteral } from './rules/python-literal.ts'

/** What the wire says when a request is not served as asked: one issue, demographics specification §7. */
export interface PdsOutcome extends FhirOutcome {
  /** Response headers that go with it. */
  readonly headers?: Readonly<Record<string, string>>
}

const catalogueUrl = 'https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir'

function failure(
  status: number,
  code: string,
  issue: string,
  display: string,
  diagnostics?: string,
  severity: PdsOutcome['severity'] = 'error',
): PdsOutcome {
  return {
    status,
    severity,
    issue,
    coding: { system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode', version: '1', code, display },
    ...(diagnostics === undefined ? {} : { diagnostics }),
  }
}

const missingValue = (diagnostics: string) =>
  failure(400, 'MISSING_VALUE', 'required', 'Required value is missing', diagnostics)
const invalidValue = (diagnostics: string) =>
  failure(400, 'INVALID_VALUE', 'value', 'Provided value is invalid', diagnostics)
const searchData = (reason: string) =>
  failure(400, 'INVALID_SEARCH_DATA', 'value', 'Search data is invalid', `Invalid search data provided - '${reason}'`)
const accessDenied = (diagnostics: string) =>
  failure(401, 'ACCESS_DENIED', 'forbidden', 'Access Denied - Unauthorised', diagnostics)

const longestPrinted = 500

/** A value as diagnostics quote it. */
function printed(value: unknown): string {
  const literal = pythonLiteral(value)
  return literal.length > longestPrinted ? '<json too long to display>' : literal
}

/** The error catalogue of §7. Diagnostics are wire-exact. */
export const outcomes = {
  invalidResourceId: failure(400, 'INVALID_RESOURCE_ID', 'value', 'Resource Id is invalid'),
  unsupportedService: failure(400, 'UNSUPPORTED_SERVICE', 'processing', 'Unsupported Service'),
  unsupportedPath: (path: string) =>
    failure(
      400,
      'UNSUPPORTED_REQUEST',
      'value',
      'The request is not one that is supported.',
      `Unsupported path - '${path}'`,
    ),
  requestIdMissing: missingValue(
    'Invalid request with error - X-Request-ID header must be supplied to access this resource',
  ),
  requestIdInvalid: (value: string) => invalidValue(`Invalid value - '${value}' in header 'X-Request-ID'`),
  roleInvalid: (value: string) =>
    invalidValue(
      `Invalid value - '${value}' in header 'NHSD-Session-URID'. Refer to the guidance for this header in our API Specification ${catalogueUrl}`,
    ),
  asidMissing: missingValue('No ASID is associated with your app. Please contact support.'),
  birthdateMissing: missingValue("Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'"),
  missingField: (field: string) => missingValue(`Missing value - '${field}'`),
  invalidField: (value: unknown, field: string) =>
    invalidValue(`Invalid value - '${typeof value === 'string' ? value : printed(value)}' in field '${field}'`),
  tooManyValues: (values: readonly unknown[], field: string) =>
    failure(
      400,
      'TOO_MANY_VALUES_SUBMITTED',
      'value',
      'Too many values submitted',
      `Too many values submitted - ${printed(values)} in field '${field}'`,
    ),
  tooFewValues: (values: readonly unknown[], field: string) =>
    failure(
      400,
      'TOO_FEW_VALUES_SUBMITTED',
      'value',
      'Too few values submitted',
      `Too few values submitted - ${printed(values)} in field '${field}'`,
    ),
  unsupportedCharacters: (field: string) =>
    failure(
      400,
      'UNSUPPORTED_CHARACTERS_IN_FIELD',
      'value',
      'Unsupported characters in field',
      `Unsupported characters in field '${field}'`,
    ),
  /** Without If-Match nothing is updated. */
  ifMatchMissing: failure(
    412,
    'PRECONDITION_FAILED',
    'structure',
    'Required condition was not fulfilled',
    'Invalid request with error - If-Match header must be supplied to update this resource',
  ),
  versionMismatch: failure(
    409,
    'RESOURCE_VERSION_MISMATCH',
    'conflict',
    'Resource version supplied does not match actual version',
  ),
  invalidUpdate: (reason: string) =>
    failure(400, 'INVALID_UPDATE', 'structure', 'Update is invalid', `Invalid update with error - ${reason}`),
  forbiddenUpdate: (reason: string) =>
    failure(
      403,
      'FORBIDDEN_UPDATE',
      'forbidden',
      'Update is forbidden',
      `Forbidden update with error - ${reason}`,
      'information',
    ),
  invalidCreate: (reason: string) =>
    failure(
      400,
      'INVALID_CREATE',
      'value',
      'Patient create data is invalid',
      `Invalid patient create data provided - '${reason}'`,
    ),
  additionalProperties: (names: readonly string[]) =>
    failure(
      400,
      'ADDITIONAL_PROPERTIES',
      'invariant',
      'Additional properties should not be included',
      `Invalid request with error - Additional properties are not allowed (${names.map((name) => `'${name}'`).join(', ')} ${
        names.length === 1 ? 'was' : 'were'
      } unexpected)`,
    ),
  minimumNotMet: searchData('No searches were performed as the search criteria did not meet the minimum requirements'),
  fuzzyNotMet: searchData('A fuzzy search was requested however the data given did not meet the fuzzy search criteria'),
  twoPostcodes: searchData('Both address-postalcode and address-postcode were provided, only one is allowed'),
  coverageSearch: searchData(
    'Coverage search request must follow the format /Coverage?subscriber:identifier=NHS_NUMBER',
  ),
  accessDenied,
  patientCannot: failure(
    403,
    'ACCESS_DENIED',
    'forbidden',
    'Patient cannot perform this action',
    `Your access token has insufficient permissions. See documentation regarding Patient access restrictions ${catalogueUrl}`,
  ),
  /** No text is published: code and display are those of the Spine's common errors (identity specification §7.3). */
  roleForbidden: (explanation: string) =>
    failure(403, 'ACCESS_DENIED', 'forbidden', 'Access has been denied to process this request', explanation),
  operationForbidden: (method: string, mode: string) =>
    failure(
      403,
      'ACCESS_DENIED',
      'forbidden',
      `Cannot ${method} resource with ${mode} access token`,
      'Your app has insufficient permissions to use this operation. Please contact support.',
    ),
  methodForbidden: (verb: 'update' | 'create', mode: string) =>
    failure(
      403,
      'INVALID_METHOD',
      'forbidden',
      `Cannot ${verb} resource with ${mode} access token`,
      'Your app has insufficient permissions to use this method. Please contact support.',
    ),
  moreThanOneForbidden: (mode: string) =>
    failure(
      403,
      'INVALID_VALUE',
      'token',
      `Cannot retrieve more than one result with ${mode} access token`,
      'Your app has insufficient permissions to perform this search. Please contact support.',
    ),
  singleMatch: (nhsNumber: string) =>
    failure(
      200,
      'SINGLE_MATCH',
      'value',
      'Single match found',
      `Unable to create new patient. NHS number ${nhsNumber} found for supplied demographic data.`,
    ),
  multipleMatches: failure(
    200,
    'MULTIPLE_MATCHES',
    'value',
    'Multiple matches found',
    'Unable to create new patient. Multiple matches found for supplied demographic data.',
  ),
  tooManyCreates: failure(
    429,
    'TOO_MANY_REQUESTS',
    'value',
    'Too many requests',
    'There have been too many Create Patient requests. Please try again later.',
  ),
  /** A body that is no JSON object: the fallback of the catalogue. */
  notReadable: failure(
    400,
    'VALIDATION_ERROR',
    'value',
    'Validation Error',
    'Invalid request with error - body is not a JSON object',
  ),
  birthDeathInconsistent: failure(
    400,
    'INSERT_BIRTH_DEATH_STATUS_INCONSISTENT',
    'processing',
    'INSERT_BIRTH_DEATH_STATUS_INCONSISTENT',
    'Insert Birth - Death Status Inconsistent',
  ),
  birthTooLongAgo: failure(
    400,
    'INVALID_DOB_OVER_SIX_MONTHS',
    'processing',
    'INVALID_DOB_OVER_SIX_MONTHS',
    'You are trying to create a birth notification for a child over the age of 6 months. Please allocate an NHS Number instead',
  ),
  notFound: failure(404, 'RESOURCE_NOT_FOUND', 'not-found', 'Resource not found', undefined, 'information'),
  invalidated: failure(
    404,
    'INVALIDATED_RESOURCE',
    'processing',
    'Resource that has been marked as invalid was requested - invalid resources cannot be retrieved',
  ),
  tooManyMatches: failure(200, 'TOO_MANY_MATCHES', 'multiple-matches', 'Too Many Matches', undefined, 'information'),
  /** OPTIONS that is no preflight (§6): the edge has nowhere to send it. */
  noTarget: failure(502, 'UNKNOWN_ERROR', 'unknown', 'Unknown Error'),
  unknownError: (messageId: string) =>
    failure(
      500,
      'UNKNOWN_ERROR',
      'unknown',
      'Unknown Error',
      `An unknown error occurred processing this request. Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support. (Message ID: ${messageId})`,
    ),
  serviceUnavailable: {
    ...failure(
      503,
      'SERVICE_UNAVAILABLE',
      'timeout',
      'Service unavailable',
      "The downstream domain processing has not completed within the configured timeout period. Using the same 'X-Request-ID' header, retry your request after the time specified by the 'Retry-After' response header.",
    ),
    headers: { 'retry-after': '5' },
  },
} as const

/** The error of this service's family: `PDS_` and the Spine code. `check` names the check that failed, for the audit. */
export function refuse(outcome: PdsOutcome, explanation?: string, check?: string): SpineError<PdsOutcome> {
  return new SpineError(`PDS_${outcome.coding.code}`, outcome, {
    ...(explanation === undefined ? {} : { explanation }),
    ...(check === undefined ? {} : { detail: check }),
  })
}
