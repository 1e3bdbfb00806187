/** How the proxy says no: what the wire is told, and what the audit is told. */
export interface Refusal {
  /** Name of the check that failed, or of the stage that could not go on. */
  readonly check: string
  readonly clause: string
  readonly status: RefusalStatus
  /** What the wire says: display of the coding, and diagnostics. */
  readonly text: string
  /** Plain words for whoever has to fix it. Goes to the audit, never to the wire. */
  readonly explanation: string
  /** What was compared with what. */
  readonly compared: Readonly<Record<string, unknown>>
}

export type RefusalStatus = 400 | 403 | 405 | 415 | 429 | 431 | 495 | 496 | 497 | 500 | 502 | 503 | 504

interface Shape {
  readonly reason: string
  readonly severity: 'error' | 'fatal'
  /** FHIR issue type (§2.8). */
  readonly issue: string
}

/** Status line and issue of every answer that the proxy makes itself (§2.8). */
export const shapes: { readonly [status in RefusalStatus]: Shape } = {
  400: { reason: 'Bad Request', severity: 'error', issue: 'invalid' },
  403: { reason: 'Forbidden', severity: 'error', issue: 'forbidden' },
  405: { reason: 'Method Not Allowed', severity: 'fatal', issue: 'forbidden' },
  415: { reason: 'Unsupported Media Type', severity: 'error', issue: 'not-supported' },
  429: { reason: 'Too Many Requests', severity: 'error', issue: 'throttled' },
  431: { reason: 'Request Header Fields Too Large', severity: 'error', issue: 'invalid' },
  495: { reason: 'SSL Certificate Error', severity: 'error', issue: 'forbidden' },
  496: { reason: 'SSL Certificate Required', severity: 'error', issue: 'forbidden' },
  497: { reason: 'HTTP Request Sent to HTTPS Port', severity: 'error', issue: 'forbidden' },
  500: { reason: 'Internal Server Error', severity: 'error', issue: 'exception' },
  502: { reason: 'Bad Gateway', severity: 'error', issue: 'transient' },
  503: { reason: 'Service Unavailable', severity: 'error', issue: 'transient' },
  504: { reason: 'Gateway Timeout', severity: 'error', issue: 'transient' },
}
