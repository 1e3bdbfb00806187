import type { Audit } from '@openspine/platform/audit'
import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { filterText, type OperationReport } from '@openspine/standards/ldap'

/** Who asked: fixed for the life of a connection. */
export interface Caller {
  /** Subject CN of the client certificate; empty on the plain port. */
  readonly fqdn: string
  readonly serial: string
  readonly address: string
  /** Tells the connections of one process apart. */
  readonly connection: number
}

interface Entry {
  readonly report: OperationReport
  readonly caller: Caller
  readonly boundAs: string
}

const scopes = ['base', 'one', 'sub', 'children'] as const
/** Operations that may wait for the audit; then clients wait too. */
const mostWaiting = 10_000
/** Operations of one audit record at most, and the characters of filter that they may hold together. */
const mostInRecord = 200
const mostText = 100_000
const longestText = 4000
const retryMs = 1000
/** So long what finishes is collected into one record: one write to the journal for many searches. */
const collectMs = 10

/**
 * The audit trail of the LDAP face: every operation, without making its answer wait. What finishes within ten
 * milliseconds, or while a record is being written, goes into one record together. Nothing is dropped: when the audit does not keep up, `full` is
 * set and the connections stop reading until `onRoom`.
 */
export class Trail {
  readonly #audit: Audit
  readonly #clock: Clock
  readonly #log: Logger
  #waiting: Entry[] = []
  #writing: Promise<void> | undefined
  #collecting: NodeJS.Timeout | undefined
  readonly #roomListeners = new Set<() => void>()
  /** Why the last record could not be written; undefined when it was. */
  fault: string | undefined

  constructor(needs: { readonly audit: Audit; readonly clock: Clock; readonly log: Logger }) {
    this.#audit = needs.audit
    this.#clock = needs.clock
    this.#log = needs.log
  }

  get full(): boolean {
    return this.#waiting.length >= mostWaiting
  }

  /** Calls back once, when there is room again. */
  onRoom(listener: () => void): void {
    this.#roomListeners.add(listener)
  }

  add(report: OperationReport, caller: Caller, boundAs: string): void {
    this.#waiting.push({ report, caller, boundAs })
    if (this.#writing !== undefined) return
    if (this.#waiting.length >= mostInRecord) this.#begin()
    else this.#collecting ??= setTimeout(() => this.#begin(), collectMs)
  }

  #begin(): void {
    clearTimeout(this.#collecting)
    this.#collecting = undefined
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
      // What came after the last look.
      if (this.#waiting.length > 0) this.#collecting ??= setTimeout(() => this.#begin(), collectMs)
    })
  }

  /** Resolves when everything that was added is in the audit. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing !== undefined) {
      this.#begin()
      await this.#writing
    }
  }

  async #write(): Promise<void> {
    for (let at = 0; at < this.#waiting.length; ) {
      const { entries, text } = this.#record(at)
      try {
        await this.#audit.append({ event: 'directory.search', at: this.#clock.now(), facts: { operations: text } })
        at += entries
        this.fault = undefined
      } catch (error) {
        this.fault = 'The audit of directory searches cannot be written: clients will be kept waiting.'
        this.#log.error({ err: error }, this.fault)
        await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref())
      }
      if (at >= mostWaiting / 10 || at === this.#waiting.length) {
        this.#waiting.splice(0, at)
        at = 0
        this.#callForRoom()
      }
    }
  }

  #callForRoom(): void {
    if (this.full) return
    const listeners = [...this.#roomListeners]
    this.#roomListeners.clear()
    for (const listener of listeners) listener()
  }

  #record(from: number): { entries: number; text: Record<string, unknown>[] } {
    const text: Record<string, unknown>[] = []
    let characters = 0
    for (let at = from; at < this.#waiting.length && text.length < mostInRecord && characters < mostText; at++) {
      const entry = this.#waiting[at] as Entry
      const facts = factsOf(entry)
      characters += facts.dn.length + (facts.filter?.length ?? 0)
      text.push(facts)
    }
    return { entries: text.length, text }
  }
}

function short(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}

function factsOf({ report, caller, boundAs }: Entry): Record<string, unknown> & { dn: string; filter?: string } {
  const { operation, code, startedAt, endedAt, dn, scope, filter, attributes, entries, oid } = report
  return {
    operation,
    at: startedAt,
    ms: endedAt - startedAt,
    code,
    client: caller.fqdn,
    serial: caller.serial,
    address: caller.address,
    connection: caller.connection,
    ...(boundAs === '' ? {} : { boundAs }),
    dn: short(dn),
    ...(scope === undefined ? {} : { scope: scopes[scope] }),
    ...(filter === undefined ? {} : { filter: short(filterText(filter)) }),
    ...(attributes === undefined || attributes.length === 0 ? {} : { attributes: short(attributes.join(' ')) }),
    ...(entries === undefined ? {} : { entries }),
    ...(oid === undefined ? {} : { oid: short(oid) }),
  }
}
