export interface Job<Body = unknown> {
  readonly id: string
  /** 1 on the first try. */
  readonly attempt: number
  readonly body: Body
}

/** Works one queue. Delivery is at least once, so `run` is idempotent. A throw means "again later". */
export interface JobHandler<Body = unknown> {
  readonly queue: string
  run(job: Job<Body>): Promise<void>
  /** How many at once in this process; default 1. */
  readonly concurrency?: number
  /** Milliseconds a claimed job stays ours without news; default 30 000. */
  readonly leaseMs?: number
  /** Milliseconds to wait after the failed attempt of that number; undefined gives up and parks the job. */
  retryAfterMs?(attempt: number): number | undefined
}

/** Durable, leased background work on the same store as the data. */
export interface Jobs {
  /** Within `transaction` (a kysely transaction or the store's `db`), so that the job commits with the change that causes it. */
  enqueue(
    queue: string,
    body: unknown,
    options?: { readonly id?: string; readonly notBefore?: number; readonly transaction?: unknown },
  ): Promise<string>
  /** Starts to work the queue; resolves `stop` when what is in flight has finished. */
  work(handler: JobHandler): { stop(): Promise<void> }
}
