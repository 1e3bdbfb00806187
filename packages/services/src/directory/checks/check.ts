import type { EncodedEntry, NormalisedName, ObjectClass, Schema } from '@openspine/standards/ldap'
import type { DirectoryConfig } from '../config.ts'

/** The tree as it will be with the earlier changes of the same call. */
export interface Look {
  get(key: string): EncodedEntry | undefined
  hasChildren(key: string): boolean
  having(attribute: string, value: string): readonly EncodedEntry[]
}

/** One entry about to be written. */
export interface Candidate {
  readonly schema: Schema
  readonly look: Look
  readonly config: Pick<DirectoryConfig, 'organisations'>
  readonly dn: string
  readonly name: NormalisedName
  /** By canonical spelling where the schema knows the name; attributes without values are gone. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly registeredFqdn: string | undefined
  /** Object classes that the schema knows, as written. */
  readonly classes: readonly ObjectClass[]
  readonly structural: ObjectClass | undefined
  /** `YYYYMMDD` of today. */
  readonly today: string
}

/** What is wrong, in plain words; undefined when nothing is. */
export interface Fault {
  readonly explanation: string
  readonly attribute?: string
}

/** One rule on what may be written (directory specification §6.3). */
export interface WriteCheck {
  readonly code: string
  readonly clause: string
  readonly asks: string
  /** `tolerated`: known quirks of live data; refused for new records, a warning on import. `warned`: never refused. */
  readonly on: 'refused' | 'tolerated' | 'warned'
  run(candidate: Candidate): Fault | undefined
}
