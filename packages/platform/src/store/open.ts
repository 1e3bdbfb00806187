import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { openEmbedded, openMemory } from './embedded.ts'
import { openPostgresql } from './postgresql.ts'
import type { Store } from './store.ts'

export type { Database, LoadColumn, Store } from './store.ts'
export { together } from './together.ts'

export interface OpenStoreOptions {
  /** PostgreSQL 15 or newer; wins over `directory`. */
  readonly databaseUrl?: string
  /** Folder of the embedded store. */
  readonly directory?: string
  /** A store without files, gone when it is closed. */
  readonly memory?: boolean
  /** When another process has the embedded store open, go through it instead of refusing. */
  readonly attach?: boolean
  readonly log: Logger
  /** As every part of the platform has it. The store itself tells no time: rows get theirs from the services. */
  readonly clock: Clock
  /** Connections; default 8 embedded, 16 on PostgreSQL. */
  readonly poolSize?: number
}

/**
 * Opens the durable store: PostgreSQL at `databaseUrl`, or the embedded engine in `directory` or in
 * `memory`.
 *
 * @example
 * const store = await openStore({ directory: '.openspine/store', log, clock })
 * await store.migrate('mesh', migrations)
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { log, directory } = options
  if (options.memory) return openMemory({ log, poolSize: options.poolSize ?? 8 })
  if (options.databaseUrl !== undefined)
    return openPostgresql({ databaseUrl: options.databaseUrl, log, poolSize: options.poolSize ?? 16 })
  if (directory !== undefined)
    return openEmbedded({ directory, attach: options.attach ?? false, log, poolSize: options.poolSize ?? 8 })
  throw new TypeError('openStore needs databaseUrl, directory or memory')
}
