import type { LookupExplanation, LookupQuestion } from './explain/lookup.ts'
import type { SearchExplanation, SearchQuestion } from './explain/search.ts'

export { type CallerCheck, callerChecks, type MutualRequest } from './caller-checks.ts'
export { type DirectoryPerson, type People, type PersonRole, peopleIn, roleProfile } from './people.ts'
export type { LookupExplanation, LookupQuestion, SearchExplanation, SearchQuestion }

/** An accredited system (nhsAs): one system deployed at one organisation. */
export interface AccreditedSystem {
  /** 12 digits for new ones. */
  readonly asid: string
  /** Organisation the system is deployed at (nhsIDCode). */
  readonly odsCode: string
  readonly partyKey: string
  /** Every interaction that this system may use (nhsAsSvcIA): the authorisation list. */
  readonly interactions: ReadonlySet<string>
  /** Organisation of the supplier (nhsMhsManufacturerOrg). */
  readonly manufacturer?: string
  /** FQDNs registered for it: of its certificate, and of the message handling systems under its party key. Lower case. */
  readonly fqdns: ReadonlySet<string>
}

/** A message handling system for one interaction (nhsMhs). */
export interface MessageHandlingSystem {
  readonly cpaId: string
  readonly odsCode: string
  readonly partyKey: string
  readonly interaction: string
  /** nhsMhsEndPoint, as stored, in stored order; never empty. */
  readonly endpoints: readonly string[]
  /** Lower case. */
  readonly fqdn: string
  /** Organisation of the supplier (nhsMhsManufacturerOrg). */
  readonly manufacturer?: string
}

/** An organisation or site of ou=Organisations. */
export interface DirectoryOrganisation {
  readonly odsCode: string
  readonly name: string
  /** Not closed: no closing day, or one that is still to come. */
  readonly open: boolean
  /** nhsOrgTypeCode, for example `PR`. */
  readonly type: string
  /** nhsParentOrgCode, nhsPCTCode. */
  readonly parent?: string
  readonly commissioner?: string
}

/** One committed state of the registry, immutable. Look-ups are in memory and cost no query. */
export interface DirectorySnapshot {
  /** Grows by one with every committed change. */
  readonly version: number
  accreditedSystem(asid: string): AccreditedSystem | undefined
  /** Those that fit all that is named (§6.4), in order of insertion. */
  accreditedSystems(query: {
    readonly odsCode?: string
    readonly partyKey?: string
    readonly interaction?: string
    readonly manufacturer?: string
  }): readonly AccreditedSystem[]
  /** The nhsMhs entries that fit all that is named (§6.4), in order of insertion: one entry an interaction. */
  messageHandlingSystems(query: {
    readonly odsCode?: string
    readonly partyKey?: string
    readonly interaction?: string
    readonly manufacturer?: string
    /** In any case: host names have none. */
    readonly fqdn?: string
    readonly cpaId?: string
  }): readonly MessageHandlingSystem[]
  /** Whether an entry of ou=Services bears this unique identifier (an ASID, a CPA id). */
  holdsService(uniqueIdentifier: string): boolean
  /** Whether systems may be registered for this organisation: the rule of `DIRECTORY_ORGANISATION`. */
  acceptsOrganisation(odsCode: string): boolean
  /** Whether any accredited system or message handling system names this interaction. */
  knowsInteraction(interaction: string): boolean
  /** The organisation of an ODS code; undefined when there is none. Who must be open is asked by the caller. */
  organisation(odsCode: string): DirectoryOrganisation | undefined
}

/** Attribute name in canonical spelling → values in stored order. */
export type EntryAttributes = Readonly<Record<string, readonly string[]>>

/** One entry of the tree, as written. */
export interface DirectoryEntry {
  /** For example `uniqueIdentifier=200000000001,ou=Services,o=nhs`. */
  readonly dn: string
  readonly attributes: EntryAttributes
  /** FQDN of the system's certificate where no nhsMhs entry carries it (nhsAs has no attribute for it). Not published. */
  readonly registeredFqdn?: string
}

/** One committed state of the tree as it is written: without the change log, without secret attributes. */
export interface DirectoryTree {
  readonly version: number
  /** Names of all entries, in the order in which clients see them. */
  names(): Iterable<string>
  /** By name in any spelling; the normalised one is found fastest. */
  entry(dn: string): DirectoryEntry | undefined
  /** The entry of this name, in any spelling, and everything beneath it, parents first; nothing where it is not there. */
  under(dn: string): Iterable<DirectoryEntry>
  /**
   * Rejects as `apply` would for these changes if it began at this state; writes nothing. Answers what `apply` would only
   * warn of.
   */
  check(
    changes: readonly DirectoryChange[],
    options?: { readonly imported?: boolean },
  ): Promise<readonly DirectoryWarning[]>
}

/** A rule that a change breaks and that is borne. */
export interface DirectoryWarning {
  /** Place of the change among those given, from 0. */
  readonly change: number
  readonly dn: string
  readonly attribute?: string
  readonly code: string
  readonly explanation: string
}

export type DirectoryChange =
  | { readonly kind: 'put'; readonly entry: DirectoryEntry }
  /** Adds an entry and never overwrites: `DIRECTORY_ENTRY_EXISTS` where another has its name. The very same again changes nothing. */
  | { readonly kind: 'create'; readonly entry: DirectoryEntry }
  | {
      readonly kind: 'delete'
      readonly dn: string
      /** Deletes it where it is there; otherwise nothing is refused. */
      readonly ifThere?: boolean
    }

/** Something that was put right while reading LDIF, so that whoever owns the data can put it right at its source. */
export interface LdifRepair {
  readonly line: number
  readonly dn: string
  readonly repair: string
}

/** What other services may ask of the directory. */
export interface Directory {
  snapshot(): DirectorySnapshot
  /** The newest committed state that this process knows, entry by entry. */
  tree(): DirectoryTree
  /** Calls back after the snapshot was replaced. Returns how to stop. */
  onChange(listener: () => void): () => void
  /**
   * Validates and commits all changes or none, in order, each with a change number; resolves when this
   * process's snapshot shows them. SpineError `DIRECTORY_*` names the rule that a change breaks. Calls that wait at
   * the same time are committed together, in the order in which they came; each is judged by itself.
   */
  apply(
    changes: readonly DirectoryChange[],
    by: string,
    options?: {
      /** The known quirks of live data are accepted with a warning in the log. */
      readonly imported?: boolean
      /** Version that the changes were worked out for; `DIRECTORY_VERSION` when it is no longer the newest. */
      readonly ifVersion?: number
    },
  ): Promise<{ readonly version: number }>
  /**
   * Applies the records of LDIF (RFC 2849: entries, add, delete, modify) as `imported`, all or none. Quirks of live
   * dumps are repaired and reported. A file is best given in pieces: its text is then never held as a whole.
   * SpineError `LDIF_SYNTAX` or `DIRECTORY_*`.
   */
  importLdif(
    text: string | AsyncIterable<string | Uint8Array>,
    by: string,
  ): Promise<{ readonly version: number; readonly changes: number; readonly repairs: readonly LdifRepair[] }>
  /** Every entry but those of the change log, parents first, piece by piece; without secret attributes. */
  exportLdif(): Iterable<string>
  /**
   * Why a search finds what it finds: which condition is met by how many entries, and what the nearest have instead.
   * Looks at the whole tree in slices. SpineError `DIRECTORY_QUESTION` (400), `DIRECTORY_BUSY` (503).
   */
  explain(question: SearchQuestion): Promise<SearchExplanation>
  /** The same for the two look-ups that lead to an endpoint and an ASID. */
  explainLookup(question: LookupQuestion): Promise<LookupExplanation>
}
