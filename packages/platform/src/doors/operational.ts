import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyPluginAsync } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics.ts'
import type { HealthReport } from '../service.ts'

export interface OperationalOptions {
  /** Health of every part, by name; the trust's own (`trust.health()`) among them. */
  readonly checks: () => Promise<Readonly<Record<string, HealthReport>>>
  readonly clock: Clock
  /** Serves `/metrics` on this door. */
  readonly metrics?: Metrics
  /** Whether `/_status` names each check and its note, or only the whole. Default true. */
  readonly details?: boolean
  /** After so many milliseconds a check that has not answered has failed. Default 5 000. */
  readonly patienceMs?: number
}

const severity = { pass: 0, warn: 1, fail: 2 } as const

/** `/_ping` (alive), `/_status` (well; 503 when something fails) and, where asked for, `/metrics`. */
export function operational(options: OperationalOptions): FastifyPluginAsync {
  const { checks, clock, metrics, details = true, patienceMs = 5_000 } = options

  async function report(): Promise<Readonly<Record<string, HealthReport>>> {
    const patience = new AbortController()
    const late = pause(patienceMs, undefined, { signal: patience.signal }).then(
      () => ({ checks: { status: 'fail' as const, note: `No answer within ${patienceMs} ms.` } }),
      () => ({}),
    )
    const answer = Promise.resolve()
      .then(checks)
      .catch(() => ({ checks: { status: 'fail' as const, note: 'The checks themselves failed; see the log.' } }))
    try {
      return await Promise.race([answer, late])
    } finally {
      patience.abort()
    }
  }

  return async (app) => {
    const config = { operational: true }
    app.get('/_ping', { config }, async (_request, reply) =>
      reply.header('cache-control', 'no-store').send({ status: 'pass' }),
    )
    app.get('/_status', { config }, async (_request, reply) => {
      const found = await report()
      const status = Object.values(found).reduce<HealthReport['status']>(
        (worst, { status: one }) => (severity[one] > severity[worst] ? one : worst),
        'pass',
      )
      return reply
        .code(status === 'fail' ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({ status, time: new Date(clock.now()).toISOString(), ...(details ? { checks: found } : {}) })
    })
    if (metrics !== undefined) {
      app.get('/metrics', { config }, async (_request, reply) => {
        const { contentType, body } = await metrics.render()
        return reply.header('cache-control', 'no-store').type(contentType).send(body)
      })
    }
  }
}
