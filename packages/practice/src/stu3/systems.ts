import { namingSystem } from '@openspine/standards/nhs'
import { serviceNamePrefix } from '@openspine/standards/nhs/interactions'

const codeSystem = (name: string) => `https://fhir.nhs.uk/STU3/CodeSystem/${name}`

/** Names of the STU3 line of GP Connect (§1, §5.1, §8 to §11). */
export const systems = {
  ...namingSystem.fhirNhsUk,
  errorCode: codeSystem('Spine-ErrorOrWarningCode-1'),
  snomed: 'http://snomed.info/sct',
  gmpNumber: 'https://fhir.hl7.org.uk/Id/gmp-number',
  dosServiceId: 'https://fhir.nhs.uk/Id/uec-dos-service-id',
} as const

/** Profile and extension definitions have one root. */
export const definition = (name: string): string => `https://fhir.nhs.uk/STU3/StructureDefinition/${name}`
/** A code system of the CareConnect and GP Connect profiles. */
export { codeSystem }

/** A full interaction id from what follows the programme, for example `fhir:rest:read:patient-1` (§6). */
export const interaction = (rest: string): string => `${serviceNamePrefix}gpconnect:${rest}`
