/** What is known of one request while its checks are made: each check may add what later ones need. */
import type { Clock } from '@openspine/platform/clock'
import type { Peer } from '@openspine/platform/doors'
import type { AnyResource, FhirFormat } from '@openspine/standards/fhir'
import type { DayRange } from './record/dates.ts'
import type { SectionCode } from './record/sections.ts'
import type { PracticeStore, StoredPatient, StoredPractice } from './store.ts'

/** A request as it came in; nothing in it was decoded or normalised. */
export interface ReceivedRequest {
  readonly method: string
  /** The raw request target: path and query. */
  readonly target: string
  /** All values of a header, joined by `, ` where there are several. Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly peer: Peer
  /** Milliseconds since the epoch. */
  readonly at: number
}

export type Action = 'metadata' | 'getCareRecord'

export type ReadBody =
  | { readonly kind: 'resource'; readonly resource: AnyResource }
  /** Not JSON or XML at all. */
  | { readonly kind: 'unreadable'; readonly fault: string }
  /** Readable, but not a resource of DSTU2. */
  | { readonly kind: 'invalid'; readonly fault: string }

export interface Sheet {
  readonly request: ReceivedRequest
  /** Path and query of the target, raw. */
  readonly path: string
  readonly query: string
  practice?: StoredPractice
  action?: Action
  /** How the answer is written. */
  format: FhirFormat
  token?: {
    readonly header: Readonly<Record<string, unknown>>
    readonly claims: Readonly<Record<string, unknown>>
    readonly signed: boolean
  }
  tokenFault?: string
  body?: Uint8Array
  content?: ReadBody
  nhsNumber?: string
  section?: SectionCode
  period?: DayRange
  record?: StoredPatient
}

/** What the checks lean on. */
export interface Surroundings {
  readonly store: Pick<PracticeStore, 'practiceAt' | 'patient'>
  readonly clock: Clock
  /** FQDN of the secure proxy, in lower case. */
  readonly proxyFqdn: string
}
