import { namingSystem } from '@openspine/standards/nhs'

const codeSystem = (name: string) => `https://fhir.nhs.uk/STU3/CodeSystem/${name}`

/** Names of the STU3 line of GP Connect (§1, §5.1, §8 to §11). */
export const systems = {
  ...namingSystem.fhirNhsUk,
  errorCode: codeSystem('Spine-ErrorOrWarningCode-1'),
  snomed: 'http://snomed.info/sct',
} as const

/** Profile and extension definitions have one root. */
export const definition = (name: string): string => `https://fhir.nhs.uk/STU3/StructureDefinition/${name}`
/** A code system of the CareConnect and GP Connect profiles. */
export { codeSystem }
