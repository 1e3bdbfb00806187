/**
 * FHIR without the tables of any version: JSON that keeps decimals, negotiation, OperationOutcome, Bundle, search
 * values and types. The codecs of the versions are under `fhir/dstu2`, `fhir/stu3` and `fhir/r4`; `loadCodec`
 * loads one when its version is known only at run time.
 */

import type { FhirCodec } from './codec.ts'
import type { FhirVersion } from './types.ts'

export {
  type BundleParts,
  bundle,
  type FhirOutcome,
  type IssueSeverity,
  type OutcomeParts,
  operationOutcome,
  outcomeResource,
  searchset,
} from './build.ts'
export type { FhirFault } from './check.ts'
export { createCodec, type FhirCodec, type FhirFormat, type JsonReading } from './codec.ts'
export type { XmlReading } from './from-xml.ts'
export { FhirDecimal, type JsonLimits, type JsonValue, jsonDefaults, numberFrom, parseJson, writeJson } from './json.ts'
export { bodyFormat, contentTypeOf, type FormatRequest, mediaTypes, negotiate } from './negotiate.ts'
export type { FhirCode, FhirPlace } from './problem.ts'
export {
  type DateParameter,
  type DatePrecision,
  type DatePrefix,
  datePrefixes,
  type FhirDateTime,
  parseDateParameter,
  parseDateTime,
  parseToken,
  type SearchToken,
  splitAlternatives,
} from './search.ts'
export type { FhirTables } from './tables.ts'
export type * from './types.ts'

/** The codec of a version; its tables are loaded on first use. */
export async function loadCodec(version: FhirVersion): Promise<FhirCodec> {
  if (version === 'dstu2') return (await import('./dstu2.ts')).dstu2
  if (version === 'stu3') return (await import('./stu3.ts')).stu3
  return (await import('./r4.ts')).r4
}
