import type { Counter, Gauge, Histogram } from 'prom-client'
import type { Metrics } from '../metrics.ts'

export interface DoorMetrics {
  readonly requests: Counter<'door' | 'route' | 'method' | 'status'>
  readonly seconds: Histogram<'door' | 'route'>
  readonly inFlight: Gauge<'door'>
  readonly shed: Counter<'door'>
  readonly tlsFailures: Counter<'door'>
}

/** Several doors share a registry, which knows each name once. */
const made = new WeakMap<Metrics, DoorMetrics>()

export function doorMetrics(metrics: Metrics): DoorMetrics {
  const known = made.get(metrics)
  if (known !== undefined) return known
  const fresh: DoorMetrics = {
    requests: metrics.counter(
      'openspine_door_requests_total',
      'Requests answered, by door, route pattern and status.',
      ['door', 'route', 'method', 'status'],
    ),
    seconds: metrics.histogram('openspine_door_request_seconds', 'Time from request head to the end of the response.', [
      'door',
      'route',
    ]),
    inFlight: metrics.gauge('openspine_door_in_flight', 'Requests being answered.', ['door']),
    shed: metrics.counter('openspine_door_shed_total', 'Requests turned away with 503 for there were too many.', [
      'door',
    ]),
    tlsFailures: metrics.counter('openspine_door_tls_failures_total', 'TLS handshakes that failed.', ['door']),
  }
  made.set(metrics, fresh)
  return fresh
}
