/** Faults of FHIR content as the codec finds them; faces turn them into the outcome of their dialect. */

import { SpineError } from '../error.ts'

/** Every code that reading and writing FHIR throws. */
export type FhirCode =
  /** Not JSON, or not valid UTF-8. The place is line and column. */
  | 'FHIR_JSON_INVALID'
  /** One object has a member twice. */
  | 'FHIR_JSON_DUPLICATE_KEY'
  | 'FHIR_TOO_LARGE'
  | 'FHIR_TOO_DEEP'
  /** The value is no object with a `resourceType`, or this version has no such resource. */
  | 'FHIR_UNKNOWN_RESOURCE'
  /** An element or attribute that the type does not have. */
  | 'FHIR_UNKNOWN_ELEMENT'
  /** A string where a number belongs, an object where a list belongs, and the like. */
  | 'FHIR_WRONG_TYPE'
  /** An element that may stand once stands twice (also two forms of one choice), or one wrapper has several resources. */
  | 'FHIR_CARDINALITY'
  | 'FHIR_WRONG_NAMESPACE'
  /** Character data where FHIR has none. */
  | 'FHIR_UNEXPECTED_TEXT'
  /** The narrative is no well-formed XHTML div. */
  | 'FHIR_NARRATIVE_INVALID'
  /** A string has a character that XML cannot carry. */
  | 'FHIR_NOT_WRITABLE'
  /** A string, list or object without content. Reported by `check` alone. */
  | 'FHIR_EMPTY'
  /** An element that the type requires is absent. Reported by `check` alone. */
  | 'FHIR_MISSING_ELEMENT'
  /** A search parameter that does not follow its grammar. */
  | 'FHIR_SEARCH_VALUE'

/** Where in the resource: `Patient.name[0].given[1]`, or `line 3, column 4` for text that cannot be parsed. */
export interface FhirPlace {
  readonly path: string
}

/** `explanation` names the place; it quotes no value. */
export function fhirError(code: FhirCode, path: string, explanation: string, cause?: unknown): SpineError<FhirPlace> {
  return new SpineError(code, { path }, { explanation: `${path}: ${explanation}`, ...(cause ? { cause } : {}) })
}
