import type { Administration } from './administer.ts'
import type { PastChange, WaitingEvent } from './changes/change.ts'
import type { TraceExplanation } from './explain.ts'

export type { ExplainedCandidate, ExplainedField, TraceExplanation } from './explain.ts'
export { type KnownAs, knownAs } from './retained.ts'

/** A person as loaded: the dated snippets of demographics specification §2, each a plain value. */
export interface PersonRecord {
  /** Ten digits. The check digit is not asked for here, because published example people break it; the wire faces do ask. */
  readonly nhsNumber: string
  /** Serial change number; 1 by default. */
  readonly version?: number
  /** `current` by default. */
  readonly status?: 'current' | 'superseded' | 'invalidated'
  /** The number that took over, when superseded. */
  readonly supersededBy?: string
  /** U unrestricted (default), R restricted, V very restricted. */
  readonly sensitivity?: 'U' | 'R' | 'V'
  /** FHIR R4 Patient of section 2 without id, meta and identifier: what a retrieve shows. */
  readonly patient: Readonly<Record<string, unknown>>
  /** Former names, addresses and so on, in FHIR form (`gender` and `birthDate` are lists): never shown, searched only where the rules say so. */
  readonly history?: Readonly<Record<string, unknown>>
  /** Snippets recorded in error or withheld, in FHIR form: neither shown nor searched, whatever the rules. */
  readonly hidden?: Readonly<Record<string, unknown>>
  /** RelatedPerson resources of FHIR R4 without `patient` (§11): shown by their own operation alone. */
  readonly related?: readonly Readonly<Record<string, unknown>>[]
  /** The Coverage resource of the health insurance card (§14), without `subscriber`. */
  readonly coverage?: Readonly<Record<string, unknown>>
}

/** What other services may ask of demographics. */
export interface Demographics {
  /**
   * Adds people who are not there yet; answers how many were written. Existing numbers stay as they are,
   * so an interrupted load is finished by running it again.
   */
  load(people: Iterable<PersonRecord> | AsyncIterable<PersonRecord>): Promise<number>
  count(): Promise<number>
  /** Everybody as FHIR NDJSON, whole and unmasked, one line a person in the order of their numbers. For whoever runs the place. */
  export(): AsyncIterable<string>
  /** {@link load} of such lines; those that are no people are left out and told. */
  import(lines: AsyncIterable<string> | Iterable<string>): Promise<ImportReport>
  /** One person by NHS number, whatever the status; undefined when unknown. */
  find(nhsNumber: string): Promise<PersonRecord | undefined>
  /** Numbers that were merged into this one, by way of others too, the nearest first; none where there are none. */
  mergedInto(nhsNumber: string): Promise<readonly string[]>
  /** Who changed this record, newest first. */
  history(nhsNumber: string, limit: number): Promise<PastChange[]>
  /** What the back office does to whole records. */
  readonly administration: Administration
  /** The events of committed changes, for whoever publishes them: at least once, in order for each person (§22). */
  readonly events: {
    waiting(limit: number): Promise<WaitingEvent[]>
    published(events: readonly Pick<WaitingEvent, 'nhsNumber' | 'version' | 'ordinal'>[]): Promise<void>
  }
  /**
   * Searches as a healthcare worker does, and tells why: `parameters` are those of `GET /Patient`, and `also`
   * is a person whose absence is to be explained. Audited. Rejects with the outcome of a search that is refused.
   */
  explain(asked: {
    readonly parameters: readonly (readonly [name: string, value: string])[]
    readonly also?: string
    readonly by: string
  }): Promise<ExplainedTrace>
  /**
   * Traces a file of people (§21), read and answered piece by piece, row by row in the order of the request. Every group of
   * rows is in the audit before it is given out. SpineError `DEMOGRAPHICS_BATCH_INVALID` or `CSV_INVALID` with the line.
   */
  traceBatch(
    pieces: AsyncIterable<string> | Iterable<string>,
    options: {
      /** On whose behalf, for the audit. */
      readonly by: string
      /** Rows whose answers are there already, from a run that was cut off. */
      readonly skip?: number
      progress?(done: number, counts: Readonly<Record<string, number>>): void
    },
  ): AsyncIterable<string>
}

/** The people whom a search shows, as it shows them, and why. */
export interface ExplainedTrace {
  readonly found: readonly { readonly nhsNumber: string; readonly patient: Readonly<Record<string, unknown>> }[]
  readonly explanation: TraceExplanation
}

export interface ImportReport {
  /** Lines that were not empty. */
  readonly read: number
  /** People written: others were there already. */
  readonly written: number
  readonly rejected: number
  /** The first of them, counted from 1, with what is wrong in words and never with a value. */
  readonly rejections: readonly { readonly line: number; readonly reason: string }[]
}
