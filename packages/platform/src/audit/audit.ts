/**
 * Facts that their owner has written as JSON already: one object, on one line, in one part or several. For those who
 * write very many: parts that are the same for many records are given as bytes, which are copied and not encoded again.
 */
export class WrittenFacts {
  readonly [name: string]: unknown
  readonly parts: readonly (string | Buffer)[]

  constructor(...parts: readonly (string | Buffer)[]) {
    this.parts = parts
  }

  get json(): string {
    return this.parts.join('')
  }
}

/** One audited fact. Never a body, never a secret; patient identifiers only where the specification asks for them. */
export interface AuditRecord {
  /** Which service and event: `proxy.request`, `directory.search`, `pds.retrieve`, … */
  readonly event: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Correlation id that the client knows: Ssp-TraceID, X-Request-ID, … */
  readonly trace?: string
  /** Everything else, as JSON; or `WrittenFacts`. */
  readonly facts: Readonly<Record<string, unknown>>
}

export interface StoredAuditRecord extends AuditRecord {
  readonly chain: string
  readonly seq: number
  /** SHA-256 over the previous hash and this record, hexadecimal. */
  readonly hash: string
}

export type AuditVerdict =
  | { readonly ok: true; readonly chains: number; readonly records: number }
  | { readonly ok: false; readonly chain: string; readonly seq: number; readonly reason: string }

/** Append-only, hash-chained, one chain per writer, group-committed. There is no way to switch it off. */
export interface Audit {
  /** Resolves when the record is durable. Callers do not wait for one another: appends are committed in groups. */
  append(record: AuditRecord): Promise<void>
  /** Newest first unless `after` is given. */
  find(query: {
    readonly trace?: string
    readonly event?: string
    readonly limit: number
    readonly after?: { readonly chain: string; readonly seq: number }
  }): Promise<StoredAuditRecord[]>
  /** Recomputes every chain and checks every checkpoint; names the first bad entry. */
  verify(progress?: (records: number) => void): Promise<AuditVerdict>
  close(): Promise<void>
}
