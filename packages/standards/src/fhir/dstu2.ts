/** FHIR DSTU2 (1.0.2). */

import { createCodec, type FhirCodec } from './codec.ts'
import { dstu2Tables } from './dstu2.generated.ts'

/**
 * JSON and XML of FHIR DSTU2.
 *
 * @example
 * dstu2.toXml({ resourceType: 'Patient', id: 'p1' }) // <Patient xmlns="http://hl7.org/fhir"><id value="p1"/></Patient>
 */
export const dstu2: FhirCodec = createCodec('dstu2', dstu2Tables)
