/** What a door grants at most. Times in milliseconds. */
export interface DoorLimits {
  /** Request line and header together, in octets; beyond it 431. */
  readonly headerBytes: number
  /** Body, in octets; beyond it 413. A route may set its own (`bodyLimit`). */
  readonly bodyBytes: number
  /** Requests in flight; beyond it 503 with Retry-After. */
  readonly concurrency: number
  /** Open connections; beyond it they are closed as they come. */
  readonly connections: number
  /** From the first octet of a request to the end of its header; beyond it 408. */
  readonly headersMs: number
  /** From the first octet of a request to the end of its body; beyond it 408. */
  readonly requestMs: number
  /** Between two requests of a connection. */
  readonly idleMs: number
  /** Without a single octet either way while a request is in flight: the connection is cut. */
  readonly stallMs: number
}

export const defaultLimits: DoorLimits = {
  headerBytes: 16 * 1024,
  bodyBytes: 10 * 1024 * 1024,
  concurrency: 512,
  connections: 10_000,
  headersMs: 15_000,
  requestMs: 300_000,
  idleMs: 60_000,
  stallMs: 120_000,
}
