import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Pool } from 'pg'

/** A service's rows are its own business: it narrows this to its tables in its `store.ts`. */
// biome-ignore lint/suspicious/noExplicitAny: each service declares its own tables and narrows the handle
export type Database = Kysely<any>

/** Column of a bulk load: its name and its PostgreSQL type (`text`, `jsonb`, `date`, `text[]`…). */
export interface LoadColumn {
  readonly name: string
  readonly type: string
}

/**
 * The durable store. One dialect (PostgreSQL) and one driver (`pg`) whatever the engine: `embedded`
 * (PGlite below the data folder), `memory` (PGlite without files), `attached` (another process's
 * embedded engine, over its socket in the data folder) or `postgresql`.
 */
export interface Store {
  readonly kind: 'embedded' | 'memory' | 'attached' | 'postgresql'
  readonly db: Database
  readonly pool: Pool
  /** Brings one service's schema up to date; safe when several processes do it at once. */
  migrate(service: string, migrations: Readonly<Record<string, Migration>>): Promise<void>
  /**
   * Bulk load by the engine's fastest way; answers the number of rows written. Existing keys are an
   * error unless `ignoreExisting`. One transaction on PostgreSQL; the embedded engine commits every 1 000 rows, so that
   * others get their turn: repeat a load that failed half-way with `ignoreExisting`.
   */
  load(
    into: {
      readonly schema: string
      readonly table: string
      readonly columns: readonly LoadColumn[]
      readonly ignoreExisting?: boolean
    },
    rows: Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>,
  ): Promise<number>
  /** Tells every process, after a commit, that something under this topic has changed. A wake-up only: never carries data. */
  announce(topic: string): void
  /** Calls back soon after an announcement by any process, and at least every second all the same. Returns how to stop. */
  onAnnounced(topic: string, wake: () => void): () => void
  close(): Promise<void>
}
