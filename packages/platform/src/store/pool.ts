import { setImmediate as immediately, setTimeout as wait } from 'node:timers/promises'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Logger } from '../log.ts'
import type { Database } from './store.ts'

const int8 = 20
const int8Array = 1016
const date = 1082
const dateArray = 1182
const longestEndMs = 2_000
/** `pg` declares only the types that are no arrays. */
const textArray: number = 1009

/** Exact: a `bigint` beyond 2^53 stays the text that PostgreSQL sent. */
function wholeNumber(text: string): number | string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

/**
 * How values arrive, the same on every engine: `int8` as a number when that is exact, `date` as
 * `YYYY-MM-DD` (a `Date` would move birthdays with the server's time zone), the rest as `pg` does it.
 */
function types(): pg.CustomTypesConfig {
  const own = new pg.TypeOverrides()
  const texts: (text: string) => (string | null)[] = pg.types.getTypeParser(textArray)
  own.setTypeParser(int8, wholeNumber)
  own.setTypeParser(int8Array, (text) => texts(text).map((element) => (element === null ? null : wholeNumber(element))))
  own.setTypeParser(date, (text) => text)
  own.setTypeParser(dateArray, (text) => texts(text))
  return own
}

/** A pool whose connections can break while idle without ending the process. */
export function makePool(config: pg.PoolConfig, log: Logger): pg.Pool {
  const pool = new pg.Pool({ types: types(), ...config })
  pool.on('connect', (client) => {
    client.on('error', (error) => log.debug({ reason: error.message }, 'a store connection broke'))
  })
  pool.on('error', (error) => log.warn({ reason: error.message }, 'an idle store connection broke'))
  return pool
}

export function makeDatabase(pool: pg.Pool): Database {
  return new Kysely({ dialect: new PostgresDialect({ pool }) })
}

/** Ends the pool; does not wait long for connections that were never given back. */
export async function endPool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), wait(longestEndMs, undefined, { ref: false })])
  // `end` has told the connections to close; let them say so to the other side.
  await immediately()
}
