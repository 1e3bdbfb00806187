import pg, { type Pool, type PoolClient } from 'pg'
import { copyIn } from './copy.ts'
import type { Store } from './store.ts'
import { copyLine, textForm } from './text-format.ts'

type Into = Parameters<Store['load']>[0]
type Rows = Parameters<Store['load']>[1]

/** Rows of one statement on the embedded engine: others get their turn in between. */
const batchRows = 1_000
/** Characters of one `CopyData` message, or of one statement's values. */
const batchCharacters = 1 << 20

const typeName = /^[a-z][a-z0-9_ ]*(\(\d+(, ?\d+)?\))?(\[\])?$/i

function checked(into: Into): { readonly table: string; readonly names: readonly string[] } {
  for (const { type } of into.columns)
    if (!typeName.test(type)) throw new TypeError(`not the name of a PostgreSQL type: ${type}`)
  return {
    table: `${pg.escapeIdentifier(into.schema)}.${pg.escapeIdentifier(into.table)}`,
    names: into.columns.map(({ name }) => pg.escapeIdentifier(name)),
  }
}

/** In text form, in batches of bounded size. */
async function* batches(into: Into, rows: Rows): AsyncGenerator<(string | null)[][]> {
  let batch: (string | null)[][] = []
  let characters = 0
  for await (const row of rows) {
    if (row.length !== into.columns.length)
      throw new RangeError(`a row of ${row.length} values for ${into.columns.length} columns`)
    const texts = into.columns.map(({ type }, index) => textForm(row[index], type))
    batch.push(texts)
    for (const text of texts) characters += text?.length ?? 2
    if (batch.length >= batchRows || characters >= batchCharacters) {
      yield batch
      batch = []
      characters = 0
    }
  }
  if (batch.length > 0) yield batch
}

/** From this many rows on the planner is told at once; autovacuum would come late, or (embedded) never. */
const analyzeFrom = 1_000
/** And when a table has grown by this share: a look costs the more the larger the table, however little was added. */
const analyzeShare = 0.2

/** Rows that were loaded since the planner was told, by table. */
const untold = new WeakMap<Pool, Map<string, number>>()

async function analyze(pool: Pool, table: string, rows: number): Promise<number> {
  const tables = untold.get(pool) ?? new Map<string, number>()
  untold.set(pool, tables)
  const grown = (tables.get(table) ?? 0) + rows
  tables.set(table, grown)
  if (grown < analyzeFrom) return rows
  const known = await pool.query<{ reltuples: number }>(
    'select reltuples from pg_class where oid = to_regclass($1::text)',
    [table],
  )
  if (grown < Number(known.rows[0]?.reltuples ?? 0) * analyzeShare) return rows
  tables.set(table, 0)
  await pool.query(`analyze ${table}`)
  return rows
}

/** PostgreSQL: one `COPY`, all or nothing. */
export async function loadByCopy(pool: Pool, into: Into, rows: Rows): Promise<number> {
  const written = await copyAll(pool, into, rows)
  return analyze(pool, checked(into).table, written)
}

async function copyAll(pool: Pool, into: Into, rows: Rows): Promise<number> {
  const { table, names } = checked(into)
  const columns = names.join(', ')
  async function* lines() {
    for await (const batch of batches(into, rows)) yield batch.map(copyLine).join('')
  }
  const client = await pool.connect()
  // After an error the connection is given up: it may be closing, and a rollback comes with that.
  let failed = true
  try {
    const written = into.ignoreExisting
      ? await copyNew(client, table, columns, lines())
      : await copyPlain(client, table, columns, lines())
    failed = false
    return written
  } finally {
    client.release(failed)
  }
}

function copyPlain(client: PoolClient, table: string, columns: string, lines: AsyncIterable<string>): Promise<number> {
  return copyIn(client, `copy ${table} (${columns}) from stdin`, lines)
}

async function copyNew(
  client: PoolClient,
  table: string,
  columns: string,
  lines: AsyncIterable<string>,
): Promise<number> {
  await client.query('begin')
  await client.query(
    `create temporary table openspine_load on commit drop as select ${columns} from ${table} with no data`,
  )
  await copyIn(client, `copy pg_temp.openspine_load (${columns}) from stdin`, lines)
  const { rowCount } = await client.query(
    `insert into ${table} (${columns}) select ${columns} from pg_temp.openspine_load on conflict do nothing`,
  )
  await client.query('commit')
  return rowCount ?? 0
}

/**
 * Embedded: statements of up to 1 000 rows, each committed by itself, because a transaction would hold
 * the whole house. Everything travels as `text[]` and is cast per column: `unnest` would flatten an
 * array of arrays.
 */
export async function loadByUnnest(pool: Pool, into: Into, rows: Rows): Promise<number> {
  const { table, names } = checked(into)
  const values = into.columns.map(({ type }, index) => `v${index}::${type}`).join(', ')
  const arrays = into.columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
  const aliases = into.columns.map((_, index) => `v${index}`).join(', ')
  const text = `insert into ${table} (${names.join(', ')}) select ${values} from unnest(${arrays}) as r(${aliases})${
    into.ignoreExisting ? ' on conflict do nothing' : ''
  }`
  let written = 0
  for await (const batch of batches(into, rows)) {
    const { rowCount } = await pool.query(
      text,
      into.columns.map((_, index) => batch.map((row) => row[index] ?? null)),
    )
    written += rowCount ?? 0
  }
  return analyze(pool, table, written)
}
