import type { Metrics } from '@openspine/platform/metrics'
import type { Ending } from '../record.ts'

/**
 * Counts on the way of a request, in plain numbers; a tick of the coarse clock hands them to the
 * metrics, because a labelled counter costs as much as a check.
 */
export class Tally {
  readonly #ended: { readonly ending: Ending; readonly status: number; count: number }[] = []
  readonly #seconds: number[] = []
  #inBytes = 0
  #outBytes = 0
  readonly #requests: ReturnType<Metrics['counter']>
  readonly #bytes: ReturnType<Metrics['counter']>
  readonly #duration: ReturnType<Metrics['histogram']>
  readonly #connections: ReturnType<Metrics['gauge']>

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter('openspine_proxy_requests_total', 'Requests by ending and status.', [
      'ending',
      'status',
    ])
    this.#bytes = metrics.counter('openspine_proxy_body_bytes_total', 'Body bytes relayed.', ['direction'])
    this.#duration = metrics.histogram(
      'openspine_proxy_request_seconds',
      'Time from first byte to the end of the answer.',
    )
    this.#connections = metrics.gauge('openspine_proxy_connections', 'Open connections by leg.', ['leg'])
  }

  ended(ending: Ending, status: number, ms: number, bytesIn: number, bytesOut: number): void {
    // Few kinds come between two ticks: a list is sooner read through than a key is made for a map.
    const same = this.#ended.find((one) => one.status === status && one.ending === ending)
    if (same === undefined) this.#ended.push({ ending, status, count: 1 })
    else same.count++
    // A sample is enough for a histogram under load, and bounds the memory between two ticks.
    if (this.#seconds.length < 1000) this.#seconds.push(ms / 1000)
    this.#inBytes += bytesIn
    this.#outBytes += bytesOut
  }

  flush(consumers: number, providers: number): void {
    for (const { ending, status, count } of this.#ended) this.#requests.inc({ ending, status: String(status) }, count)
    this.#ended.length = 0
    for (const value of this.#seconds) this.#duration.observe(value)
    this.#seconds.length = 0
    if (this.#inBytes > 0) this.#bytes.inc({ direction: 'in' }, this.#inBytes)
    if (this.#outBytes > 0) this.#bytes.inc({ direction: 'out' }, this.#outBytes)
    this.#inBytes = 0
    this.#outBytes = 0
    this.#connections.set({ leg: 'consumer' }, consumers)
    this.#connections.set({ leg: 'provider' }, providers)
  }
}
