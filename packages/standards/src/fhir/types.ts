/**
 * The types that services build and read by hand, loose enough for all versions: what differs between them
 * (`family` is a list in DSTU2) is a union. The codec checks values against the tables of one version.
 */

import type { FhirDecimal } from './json.ts'

/** Lines of the standard that are spoken here. */
export type FhirVersion = 'dstu2' | 'stu3' | 'r4'

export type FhirNumber = number | FhirDecimal

export interface Element {
  readonly id?: string | undefined
  readonly extension?: readonly Extension[] | undefined
}

/** One of the `value…` members belongs to it; the commonest are named. */
export interface Extension extends Element {
  readonly url: string
  readonly [value: `value${string}`]: unknown
}

export interface Meta extends Element {
  readonly versionId?: string | undefined
  readonly lastUpdated?: string | undefined
  readonly profile?: readonly string[] | undefined
  readonly security?: readonly Coding[] | undefined
  readonly tag?: readonly Coding[] | undefined
}

export interface Resource {
  readonly resourceType: string
  readonly id?: string | undefined
  readonly meta?: Meta | undefined
  readonly implicitRules?: string | undefined
  readonly language?: string | undefined
}

export interface DomainResource extends Resource {
  readonly text?: Narrative | undefined
  readonly contained?: readonly Resource[] | undefined
  readonly extension?: readonly Extension[] | undefined
  readonly modifierExtension?: readonly Extension[] | undefined
}

/** A resource whose elements are looked at by name, as one that was received. */
export interface AnyResource extends Resource {
  readonly [element: string]: unknown
}

export interface Narrative extends Element {
  readonly status: string
  /** One `<div xmlns="http://www.w3.org/1999/xhtml">`, as it stands in XML. */
  readonly div: string
}

export interface Coding extends Element {
  readonly system?: string | undefined
  readonly version?: string | undefined
  readonly code?: string | undefined
  readonly display?: string | undefined
  readonly userSelected?: boolean | undefined
}

export interface CodeableConcept extends Element {
  readonly coding?: readonly Coding[] | undefined
  readonly text?: string | undefined
}

/** Both ends are dateTime texts; either may be partial (`2016`). */
export interface Period extends Element {
  readonly start?: string | undefined
  readonly end?: string | undefined
}

export interface Reference extends Element {
  readonly reference?: string | undefined
  readonly type?: string | undefined
  readonly identifier?: Identifier | undefined
  readonly display?: string | undefined
}

export interface Identifier extends Element {
  readonly use?: string | undefined
  readonly type?: CodeableConcept | undefined
  readonly system?: string | undefined
  readonly value?: string | undefined
  readonly period?: Period | undefined
  readonly assigner?: Reference | undefined
}

export interface HumanName extends Element {
  readonly use?: string | undefined
  readonly text?: string | undefined
  /** A list in DSTU2, one string from STU3 on. */
  readonly family?: string | readonly string[] | undefined
  readonly given?: readonly string[] | undefined
  readonly prefix?: readonly string[] | undefined
  readonly suffix?: readonly string[] | undefined
  readonly period?: Period | undefined
}

export interface Address extends Element {
  readonly use?: string | undefined
  readonly type?: string | undefined
  readonly text?: string | undefined
  readonly line?: readonly string[] | undefined
  readonly city?: string | undefined
  readonly district?: string | undefined
  readonly state?: string | undefined
  readonly postalCode?: string | undefined
  readonly country?: string | undefined
  readonly period?: Period | undefined
}

export interface ContactPoint extends Element {
  readonly system?: string | undefined
  readonly value?: string | undefined
  readonly use?: string | undefined
  readonly rank?: number | undefined
  readonly period?: Period | undefined
}

export interface Quantity extends Element {
  readonly value?: FhirNumber | undefined
  readonly comparator?: string | undefined
  readonly unit?: string | undefined
  readonly system?: string | undefined
  readonly code?: string | undefined
}

export interface OperationOutcomeIssue extends Element {
  readonly severity: string
  readonly code: string
  readonly details?: CodeableConcept | undefined
  readonly diagnostics?: string | undefined
  readonly location?: readonly string[] | undefined
  /** From STU3 on. */
  readonly expression?: readonly string[] | undefined
}

export interface OperationOutcome extends DomainResource {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly OperationOutcomeIssue[]
}

export interface BundleLink extends Element {
  readonly relation: string
  readonly url: string
}

export interface BundleEntry extends Element {
  readonly link?: readonly BundleLink[] | undefined
  readonly fullUrl?: string | undefined
  readonly resource?: Resource | undefined
  readonly search?: { readonly mode?: string | undefined; readonly score?: FhirNumber | undefined } | undefined
  readonly request?: { readonly method: string; readonly url: string } | undefined
  readonly response?:
    | {
        readonly status: string
        readonly location?: string | undefined
        readonly etag?: string | undefined
        readonly lastModified?: string | undefined
      }
    | undefined
}

export interface Bundle extends Resource {
  readonly resourceType: 'Bundle'
  readonly type: string
  readonly total?: number | undefined
  readonly link?: readonly BundleLink[] | undefined
  readonly entry?: readonly BundleEntry[] | undefined
}

/** One of the `value…` members, a resource, or parts. */
export interface ParametersParameter extends Element {
  readonly name: string
  readonly resource?: Resource | undefined
  readonly part?: readonly ParametersParameter[] | undefined
  readonly [value: `value${string}`]: unknown
}

export interface Parameters extends Resource {
  readonly resourceType: 'Parameters'
  readonly parameter?: readonly ParametersParameter[] | undefined
}
