/** FHIR R4 (4.0.1). */

import { createCodec, type FhirCodec } from './codec.ts'
import { r4Tables } from './r4.generated.ts'

/**
 * JSON and XML of FHIR R4.
 *
 * @example
 * r4.toXml({ resourceType: 'Patient', id: 'p1' }) // <Patient xmlns="http://hl7.org/fhir"><id value="p1"/></Patient>
 */
export const r4: FhirCodec = createCodec('r4', r4Tables)
