import { SpineError } from '@openspine/standards/error'
import type { Logger } from '../log.ts'
import { makeSharedAnnouncer } from './announce.ts'
import { loadByCopy } from './load.ts'
import { migrate } from './migrate.ts'
import { endPool, makeDatabase, makePool } from './pool.ts'
import type { Store } from './store.ts'

/** PostgreSQL 15 or newer, shared by any number of processes. */
export async function openPostgresql(options: {
  readonly databaseUrl: string
  readonly poolSize: number
  readonly log: Logger
}): Promise<Store> {
  const { databaseUrl, log } = options
  const connection = { connectionString: databaseUrl, application_name: 'openspine', connectionTimeoutMillis: 10_000 }
  const pool = makePool({ ...connection, max: options.poolSize, idleTimeoutMillis: 60_000, keepAlive: true }, log)
  try {
    const { rows } = await pool.query<{ version: number }>(
      `select current_setting('server_version_num')::int4 as version`,
    )
    const version = rows[0]?.version ?? 0
    if (version < 150_000)
      throw new SpineError('STORE_VERSION', undefined, {
        detail: `server_version_num ${version}`,
        explanation:
          'The database is older than PostgreSQL 15. Upgrade it, or leave out the database address to use the embedded store.',
      })
  } catch (error) {
    await pool.end()
    if (error instanceof SpineError) throw error
    throw new SpineError('STORE_UNREACHABLE', undefined, {
      detail: error instanceof Error ? error.message : String(error),
      explanation:
        'The database did not answer. Check that PostgreSQL runs and that the address, user and password are right.',
      cause: error,
    })
  }
  const db = makeDatabase(pool)
  let closed: Promise<void> | undefined
  const announcer = makeSharedAnnouncer(connection, log)
  return {
    kind: 'postgresql',
    db,
    pool,
    migrate: (service, migrations) => migrate(db, service, migrations),
    load: (into, rows) => loadByCopy(pool, into, rows),
    announce: announcer.announce,
    onAnnounced: announcer.onAnnounced,
    close() {
      closed ??= announcer.close().then(() => endPool(pool))
      return closed
    },
  }
}
