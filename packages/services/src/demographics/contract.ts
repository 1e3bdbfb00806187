export { retainedPerson } from './retained.ts'

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
}

/** What other services may ask of demographics. */
export interface Demographics {
  /**
   * Adds people who are not there yet; answers how many were written. Existing numbers stay as they are,
   * so an interrupted load is finished by running it again.
   */
  load(people: Iterable<PersonRecord> | AsyncIterable<PersonRecord>): Promise<number>
  count(): Promise<number>
  /** One person by NHS number, whatever the status; undefined when unknown. */
  find(nhsNumber: string): Promise<PersonRecord | undefined>
}
