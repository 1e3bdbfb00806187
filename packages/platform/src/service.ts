import type { FastifyPluginAsync } from 'fastify'
import type { Migration } from 'kysely/migration'
import type { Audit } from './audit/audit.ts'
import type { Clock, Random } from './clock.ts'
import type { JobHandler, Jobs } from './jobs/jobs.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Sealing } from './sealing.ts'
import type { Store } from './store/store.ts'
import type { Trust } from './trust/trust.ts'

/** Conveniences are on (and announced) in `sandbox`; `strict` is the specification and nothing else. */
export type Profile = 'sandbox' | 'strict'

/** What every service stands on; made once by the composition root and passed to each service. */
export interface Platform {
  /** Name of the environment (`local`, `int`, …). */
  readonly environment: string
  readonly profile: Profile
  /** Folder of this environment's files: certificates, embedded store, audit journal. */
  readonly dataDir: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly store: Store
  readonly trust: Trust
  readonly audit: Audit
  readonly jobs: Jobs
  /** For what must be of no use to whoever reads the store alone. */
  readonly sealing: Sealing
}

export interface HealthReport {
  readonly status: 'pass' | 'warn' | 'fail'
  /** Plain words: what is wrong and what to do. */
  readonly note?: string
}

/** Health of a service that needs its store and nothing else. */
export const storeHealth =
  ({ pool }: Pick<Store, 'pool'>) =>
  async (): Promise<HealthReport> => {
    try {
      await pool.query('select 1')
      return { status: 'pass' }
    } catch {
      return { status: 'fail', note: 'The store does not answer.' }
    }
  }

/** A socket that a service opens itself (LDAP, the relay, a practice's own server). */
export interface Listener {
  readonly name: string
  /** Starts to accept; answers where. `url` is what a client on this machine would use. */
  listen(): Promise<{ readonly port: number; readonly url: string }>
  /** Refuses new work, finishes what is in flight, and cuts off what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>
}

/**
 * The two sides of a service: `contract` is what other services may call, the rest is what the
 * composition root runs. Order: migrations, `start`, listeners and routes; the reverse at the end.
 */
export interface Service<Contract = unknown> {
  readonly name: string
  readonly contract: Contract
  /** Run in the PostgreSQL schema that bears the service's name. Keys sort in order of execution. */
  readonly migrations?: Readonly<Record<string, Migration>>
  readonly routes?: { readonly api?: FastifyPluginAsync; readonly spine?: FastifyPluginAsync }
  readonly listeners?: readonly Listener[]
  readonly jobs?: readonly JobHandler[]
  start?(): Promise<void>
  stop?(deadlineMs: number): Promise<void>
  health?(): Promise<HealthReport>
}
