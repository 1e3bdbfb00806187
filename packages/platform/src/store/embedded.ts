import type { Logger } from '../log.ts'
import { makeAnnouncer } from './announce.ts'
import { loadByUnnest } from './load.ts'
import { migrate } from './migrate.ts'
import { makeDatabase, makePool } from './pool.ts'
import type { Store } from './store.ts'
import { Engine } from './wire.ts'

/** How long a transaction may be idle while others wait. */
const idleTransactionMs = 5_000

/** PGlite without files: for tests and demonstrations. */
export async function openMemory(options: { readonly poolSize: number; readonly log: Logger }): Promise<Store> {
  const { log } = options
  const engine = await Engine.open({ idleTransactionMs }, log)
  const pool = makePool(
    {
      stream: () => engine.connect(),
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      max: options.poolSize,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: 30_000,
    },
    log,
  )
  const db = makeDatabase(pool)
  const announcer = makeAnnouncer(log)
  return {
    kind: 'memory',
    db,
    pool,
    migrate: (service, migrations) => migrate(db, service, migrations),
    load: (into, rows) => loadByUnnest(pool, into, rows),
    announce: announcer.announce,
    onAnnounced: announcer.onAnnounced,
    async close() {
      await announcer.close()
      await pool.end()
      await engine.close()
    },
  }
}
