/** FHIR STU3 (3.0.1). */

import { createCodec, type FhirCodec } from './codec.ts'
import { stu3Tables } from './stu3.generated.ts'

/**
 * JSON and XML of FHIR STU3.
 *
 * @example
 * stu3.toXml({ resourceType: 'Patient', id: 'p1' }) // <Patient xmlns="http://hl7.org/fhir"><id value="p1"/></Patient>
 */
export const stu3: FhirCodec = createCodec('stu3', stu3Tables)
