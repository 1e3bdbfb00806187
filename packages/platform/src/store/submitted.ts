import type { Connection, Submittable } from 'pg'

/** What `pg` calls on whatever is submitted to a client (see its `Query`), for statements that answer no rows. */
export abstract class Submitted implements Submittable {
  readonly #settle: (error: unknown, rows: number) => void
  protected failure: unknown
  #rows = 0

  constructor(settle: (error: unknown, rows: number) => void) {
    this.#settle = settle
  }

  abstract submit(connection: Connection): void

  /** `COPY 3`, `INSERT 0 3`. */
  handleCommandComplete(message: { readonly text: string }): void {
    this.#rows = Number(/ (\d+)$/.exec(message.text)?.[1] ?? 0)
  }

  handleError(error: unknown): void {
    this.failure ??= error
    // Now: `pg` forgets a query that had an error, and does not bring it the ReadyForQuery.
    this.#settle(this.failure, 0)
  }

  handleReadyForQuery(): void {
    this.#settle(this.failure, this.#rows)
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {}
}
