import { namingSystem } from '@openspine/standards/nhs'

/** Names of the DSTU2 line of GP Connect (§1, §5.1, §7). */
export const systems = {
  ...namingSystem.dstu2,
  section: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1',
  errorCode: 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1',
  jobRole: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1',
  /** Of our own: the practice system of one organisation. */
  device: 'urn:openspine:practice-system',
  snomed: 'http://snomed.info/sct',
} as const

export function profileOf(
  name:
    | 'patient'
    | 'organization'
    | 'practitioner'
    | 'device'
    | 'operationoutcome'
    | 'searchset-bundle'
    | 'carerecord-composition',
): string {
  return `http://fhir.nhs.net/StructureDefinition/gpconnect-${name}-1`
}

/** The two interactions of Access Record HTML (§6). */
export const interactions = {
  metadata: 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata',
  getCareRecord: 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord',
} as const
