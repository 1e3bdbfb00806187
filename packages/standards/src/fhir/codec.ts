/** JSON and XML of one version of FHIR. */

import { Checker, type FhirFault } from './check.ts'
import { readResource, type XmlReading } from './from-xml.ts'
import { type JsonLimits, parseJson, writeJson } from './json.ts'
import { straighten } from './lenient.ts'
import { fhirError } from './problem.ts'
import { type FhirTables, TypeLibrary } from './tables.ts'
import { writeResource } from './to-xml.ts'
import type { AnyResource, FhirVersion, Resource } from './types.ts'

export type FhirFormat = 'json' | 'xml'

export interface JsonReading extends JsonLimits {
  /**
   * Mend what clients in the field send and others accept: a list of one for a single value, a single value for a
   * list, null for nothing. Default false.
   */
  readonly lenient?: boolean
}

/** One version. Resources are plain values in the shape of JSON; nothing that is given is changed. */
export interface FhirCodec {
  readonly version: FhirVersion
  /** `1.0.2`, `3.0.1`, `4.0.1`. */
  readonly specification: string
  /** XML without declaration or white space, elements in the order of the specification. */
  toXml(resource: Resource): string
  /** Elements may come in any order; comments, processing instructions and `xsi:` attributes are passed over. */
  fromXml(input: Uint8Array | string, options?: XmlReading): AnyResource
  toJson(resource: Resource): string
  /** Parsed and checked: unknown elements and wrong JSON types throw, empty and missing elements do not. */
  fromJson(input: Uint8Array | string, options?: JsonReading): AnyResource
  write(format: FhirFormat, resource: Resource): string
  read(format: FhirFormat, input: Uint8Array | string): AnyResource
  /** All faults (at most 100), in document order. An empty list says that the resource has the right shape, not the right codes. */
  check(resource: unknown): readonly FhirFault[]
  /**
   * The first fault that `fromJson` would throw, as a path and a sentence without values: an unknown element, a value
   * of the wrong type. Empty and missing elements are none, because endpoints have errors of their own for them.
   */
  structureFault(resource: unknown): string | undefined
  /** True for the resource types of this version. */
  knows(resourceType: string): boolean
}

/** Makes the codec of one version from its tables; the sub-paths `fhir/dstu2`, `fhir/stu3`, `fhir/r4` have it ready. */
export function createCodec(version: FhirVersion, tables: FhirTables): FhirCodec {
  const library = new TypeLibrary(tables)

  function check(resource: unknown): readonly FhirFault[] {
    const checker = new Checker(library)
    checker.resource(resource)
    return checker.faults
  }

  function faultOf(resource: unknown): FhirFault | undefined {
    return check(resource).find(({ code }) => code !== 'FHIR_EMPTY' && code !== 'FHIR_MISSING_ELEMENT')
  }

  function insist(resource: unknown): AnyResource {
    const fault = faultOf(resource)
    if (fault !== undefined) throw fhirError(fault.code, fault.path, fault.message)
    return resource as AnyResource
  }

  const codec: FhirCodec = {
    version,
    specification: tables.version,
    toXml: (resource) => writeResource(library, insist(resource)),
    fromXml: (input, options) => readResource(library, input, options),
    toJson: (resource) => writeJson(resource),
    fromJson: (input, options = {}) => {
      const value = parseJson(input, options)
      return insist(options.lenient === true ? straighten(library, value) : value)
    },
    write: (format, resource) => (format === 'xml' ? codec.toXml(resource) : codec.toJson(resource)),
    read: (format, input) => (format === 'xml' ? codec.fromXml(input) : codec.fromJson(input)),
    check,
    structureFault: (resource) => {
      const fault = faultOf(resource)
      return fault && `${fault.path}: ${fault.message}`
    },
    knows: (resourceType) => library.resource(resourceType) !== undefined,
  }
  return codec
}
