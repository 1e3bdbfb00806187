import pg, { type Pool } from 'pg'
import type { Logger } from '../log.ts'

const everyMs = 60_000
/** Tables per round: every one holds the house for as long as it takes. */
const tablesAtOnce = 4

/**
 * What autovacuum does on PostgreSQL and never does in the embedded engine: gives back the room of
 * deleted rows and keeps the planner's figures fresh. Thresholds as PostgreSQL's own, but lower.
 */
export async function maintain(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ schema: string; table: string }>(
    `select schemaname as schema, relname as table from pg_stat_user_tables
     where n_dead_tup > 500 + 0.1 * n_live_tup or n_mod_since_analyze > 500 + 0.2 * n_live_tup
     order by n_dead_tup desc, relname limit $1`,
    [tablesAtOnce],
  )
  const names = rows.map(({ schema, table }) => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`)
  for (const name of names) await pool.query(`vacuum (analyze) ${name}`)
  return names
}

/** Does so every minute; returns how to stop. */
export function keepMaintained(pool: Pool, log: Logger): () => Promise<void> {
  let round: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    round = maintain(pool)
      .then(
        (tables) => log.debug({ tables }, 'tables vacuumed'),
        (error: Error) => log.warn({ reason: error.message }, 'maintenance of the store failed'),
      )
      .finally(() => {
        busy = false
      })
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await round
  }
}
