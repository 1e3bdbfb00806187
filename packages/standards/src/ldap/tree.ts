import type { CompiledFilter } from './compile.ts'
import type { Scope } from './message.ts'
import type { AttributeType } from './schema.ts'

/** One entry as the server engine needs it: its name, and its attributes already in BER. */
export interface TreeEntry {
  /** As stored: what responses carry. */
  readonly dn: string
  /** Normalised name (`normaliseDn`). */
  readonly key: string
  /** Grows with the order of insertion; stable for the life of the entry, also across processes. */
  readonly order: number
  /**
   * Holds from `start` to `end`: `LDAPDN`, then (from `attributesAt`) the user attributes as `PartialAttribute` elements
   * in stored order: what a response with all user attributes carries, byte for byte. Shared with other entries.
   */
  readonly bytes: Buffer
  readonly start: number
  readonly attributesAt: number
  readonly end: number
  /** Ids of the attribute types in the order of their elements. */
  readonly shape: readonly number[]
  /** Values of one user attribute in stored order, as text. */
  values(attribute: AttributeType): readonly string[]
}

/** What a search asks of a tree. */
export interface TreeQuery {
  readonly base: TreeEntry
  readonly scope: Scope
  readonly filter: CompiledFilter
  /** Only entries with a greater `order`: how a paged search goes on. */
  readonly after: number
}

/** A running search over one state of the tree. */
export interface Cursor {
  /** Candidates looked at so far, whether they matched or not. */
  readonly examined: number
  /**
   * The next entry that matches; `null` when `budget` candidates were looked at without a match (call again);
   * undefined at the end.
   */
  next(budget: number): TreeEntry | null | undefined
}

/** One immutable state of a directory tree. Answers are in order of insertion. */
export interface Tree {
  readonly size: number
  /** By normalised name. */
  get(key: string): TreeEntry | undefined
  search(query: TreeQuery): Cursor
  /** Values of an operational attribute (RFC 4512 §3.4) of an entry; empty when it has none. */
  operational(entry: TreeEntry, attribute: AttributeType): readonly string[]
}
