import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { type Audit, WrittenFacts } from './audit.ts'

export interface TrailOptions<Entry> {
  readonly audit: Audit
  readonly clock: Clock
  readonly log: Logger
  /** Event of the records; their fact `operations` lists what happened. */
  readonly event: string
  /** What happened, as the text of one JSON object of bounded length. */
  json(entry: Entry): string
  /** Said in the log and as `fault` when a record cannot be written. */
  readonly faultText: string
}

/** Entries that may wait for the audit; then clients wait too. */
const mostWaiting = 10_000
/** Entries of one record at most, and the characters after which it takes no further one. */
const mostInRecord = 200
const mostText = 100_000
const retryMs = 1000
/** So long what finishes is collected into one record: one write to the journal for many operations. */
const collectMs = 10

/**
 * The audit of a face that answers many small questions: every one, without making its answer wait. What finishes
 * within ten milliseconds, or while a record is being written, goes into one record together. Nothing is dropped:
 * when the audit does not keep up, `full` is set and whoever adds must wait until `onRoom`.
 */
export class AuditTrail<Entry> {
  readonly #options: TrailOptions<Entry>
  /** As JSON: written at once, because a text lives cheaper until its turn than what it tells of. */
  #waiting: string[] = []
  #writing: Promise<void> | undefined
  #collecting: NodeJS.Timeout | undefined
  readonly #roomListeners = new Set<() => void>()
  /** Why the last record could not be written; undefined when it was. */
  fault: string | undefined

  constructor(options: TrailOptions<Entry>) {
    this.#options = options
  }

  get full(): boolean {
    return this.#waiting.length >= mostWaiting
  }

  /** Calls back once, when there is room again. */
  onRoom(listener: () => void): void {
    this.#roomListeners.add(listener)
  }

  /** Resolves when there is room: at once, unless the audit does not keep up. */
  async room(): Promise<void> {
    while (this.full) await new Promise<void>((resolve) => this.onRoom(resolve))
  }

  add(entry: Entry): void {
    this.#waiting.push(this.#options.json(entry))
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
    const { audit, clock, log, event, faultText } = this.#options
    for (let at = 0; at < this.#waiting.length; ) {
      const operations = this.#record(at)
      try {
        const facts = new WrittenFacts(`{"operations":[${operations.join()}]}`)
        await audit.append({ event, at: clock.now(), facts })
        at += operations.length
        this.fault = undefined
      } catch (error) {
        this.fault = faultText
        log.error({ err: error }, faultText)
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

  #record(from: number): readonly string[] {
    const operations: string[] = []
    let characters = 0
    for (let at = from; at < this.#waiting.length && operations.length < mostInRecord && characters < mostText; at++) {
      const operation = this.#waiting[at] as string
      characters += operation.length
      operations.push(operation)
    }
    return operations
  }
}
