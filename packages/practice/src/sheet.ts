/** What is known of one request while its checks are made: each check may add what later ones need. */
import type { Clock, Random } from '@openspine/platform/clock'
import type { Peer } from '@openspine/platform/doors'
import type { AnyResource, FhirFormat } from '@openspine/standards/fhir'
import type { AppointmentStore } from './appointments/store.ts'
import type { LookUp } from './demographics.ts'
import type { Candidate, Endpoint } from './endpoint.ts'
import type { DayRange } from './record/dates.ts'
import type { SectionCode } from './record/sections.ts'
import type { Generation, Service } from './record/services.ts'
import type { PracticeStore, StoredPatient, StoredPractice } from './store.ts'
import type { LongRecords } from './structured/long-records.ts'

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

export type ReadBody =
  | { readonly kind: 'resource'; readonly resource: AnyResource }
  /** Not JSON or XML at all. */
  | { readonly kind: 'unreadable'; readonly fault: string }
  /** Readable, but not a resource of the line's version of FHIR. */
  | { readonly kind: 'invalid'; readonly fault: string }

/** Facts that every line and capability shares; the rooms add theirs, all of them optional, in types of their own. */
export interface Sheet {
  readonly request: ReceivedRequest
  /** Path and query of the target, raw. */
  readonly path: string
  readonly query: string
  /** That of the service, or what the request looks like before the service is known. */
  generation: Generation
  practice?: StoredPractice
  service?: Service
  /** Those whose path was asked for, narrowed down to the verb by its check. */
  candidates?: readonly Candidate[]
  endpoint?: Endpoint
  /** The `{id}` of the path. */
  id?: string
  /** The `{version}` of the path. */
  versionId?: string
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
  /** Further facts for the audit: what was booked, which document. Never content. */
  audited?: Readonly<Record<string, unknown>>
}

/** What the checks lean on. */
export interface Surroundings {
  readonly endpoints: readonly Endpoint[]
  readonly store: Pick<
    PracticeStore,
    'practiceAt' | 'patient' | 'patientById' | 'writeIfUnchanged' | 'documentOwner' | 'documentContent'
  >
  readonly appointments: AppointmentStore
  /** Absent: this system has nobody to ask. */
  readonly demographics?: LookUp | undefined
  readonly clock: Clock
  /** FQDN of the secure proxy, in lower case. */
  readonly proxyFqdn: string
  /** Whether the claim `aud` of a 1.x token must be the service root that is called (§3.2). */
  readonly exactAudience: boolean
}

/** What an answer is made with. */
export interface Answering extends Surroundings {
  readonly random: Random
  /** Whether a period with one bound has its date in quotation marks (§7.4). */
  readonly quoteSingleDates: boolean
  /** Writes long structured records beside this thread; absent: they are written here. */
  readonly longRecords?: Pick<LongRecords, 'write'>
}

/** What checks have found, where a later step cannot do without it. */
export function found<Facts extends Sheet, Key extends keyof Facts>(sheet: Facts, key: Key): NonNullable<Facts[Key]> {
  const value = sheet[key]
  if (value === undefined || value === null)
    throw new Error(`the checks let a request through without its ${String(key)}`)
  return value
}

/** The absolute service root as the caller addressed it: `https://gp.example.nhs.uk/A20047/STU3/1/gpconnect`. */
export function serviceUrl({ request, service }: Sheet): string {
  return `https://${request.headers.get('host') ?? ''}${service?.serviceRoot ?? ''}`
}
