/**
 * §5: error codes. Codes of the catalogue for which no clause names an occasion (INVALID_IDENTIFIER_VALUE,
 * INVALID_ODS_CODE, NO_RELATIONSHIP, REFERENCE_NOT_FOUND where the tests ask for INVALID_RESOURCE, CONFLICTING_VALUES)
 * oblige to nothing.
 */
import { in0x, in1x, inBoth, shownElsewhere } from '../obligation.ts'

export const errors = {
  '5.1-profile': inBoth('An OperationOutcome has the profile of its line.'),
  '5.1-system': inBoth('Its coding is of the code system of its line.'),
  '5.1-severity': inBoth('The severity of a refusal is error.'),
  '5.1-one-coding': inBoth('An issue has exactly one coding, with code and display.'),
  '5.1-diagnostics': inBoth('The diagnostics name the parameter that is at fault.'),
  '5.1-warnings': in1x('Warnings stand only inside a bundle that is answered with 200.'),
  '5.2-INVALID_IDENTIFIER_SYSTEM': inBoth('400, value, "Invalid identifier system".'),
  '5.2-INVALID_NHS_NUMBER': inBoth('400, value, "Invalid NHS number".'),
  '5.2-INVALID_PATIENT_DEMOGRAPHICS': in1x('400, business-rule, "Invalid patient demographics".'),
  '5.2-ORGANISATION_NOT_FOUND': in1x('404, not-found, "Organisation not found".'),
  '5.2-PATIENT_NOT_FOUND': inBoth('404, not-found, "Patient not found".'),
  '5.2-PRACTITIONER_NOT_FOUND': in1x('404, not-found, "Practitioner not found".'),
  '5.2-NO_RECORD_FOUND': inBoth('404, not-found, "No record found".'),
  '5.2-NO_PATIENT_CONSENT': inBoth('403, forbidden, "Patient has not provided consent to share data".'),
  '5.2-NO_ORGANISATION_CONSENT': inBoth('403, forbidden, "Organisation has not provided consent to share data".'),
  '5.2-ACCESS_DENIED': inBoth('403, forbidden, ACCESS_DENIED (until 1.2), where a capability is switched off.'),
  '5.2-ACCESS-DENIED': in1x('403, forbidden, with a space in the code from 1.5 on.'),
  '5.2-NON_AUTHORITATIVE': in0x('403, forbidden, from a practice that is not the nominated one.'),
  '5.2-NOT_AUTHORISED': in1x('403 where a migration is asked for without leave.'),
  '5.2-DUPLICATE_REJECTED': in1x('409, duplicate, "Create would lead to creation of a duplicate resource".'),
  '5.2-FHIR_CONSTRAINT_VIOLATION': in1x('409 where If-Match names another version.'),
  '5.2-INVALID_RESOURCE': inBoth('422, invalid, "Invalid validation of resource".'),
  '5.2-INVALID_PARAMETER': inBoth('422, invalid, "Invalid parameter".'),
  '5.2-BAD_REQUEST': inBoth('400, invalid, "Bad request".'),
  '5.2-malformed': inBoth(
    'A body that is malformed JSON or XML is refused with the code of its operation, never with 500.',
  ),
  '5.2-NOT_IMPLEMENTED': in1x('not-supported, "Not implemented", of what is asked for and not served.'),
  '5.2-INTERNAL_SERVER_ERROR': shownElsewhere(
    in1x('500, processing, "Unexpected internal server error".'),
    'operator',
    {
      file: 'packages/practice/src/foundations/register.test.ts',
      title: 'says plainly that nobody can be traced where the practice has no demographics service',
    },
    'It takes a demographics service out of reach; that of the house never is.',
  ),
  '5.2-415': inBoth('415, invalid, BAD_REQUEST, for a type that is not spoken.'),
} as const
