import { runWithLongParameter } from '../store/long-parameter.ts'
import type { Store } from '../store/store.ts'
import { type AuditLine, indexedTraceLength } from './line.ts'

/** A row of `audit.checkpoint`. */
export interface CheckpointRow {
  readonly seq: number
  readonly body: string
  readonly hash: string
  readonly key: string
  readonly signature: string
}

export interface Position {
  readonly chain: string
  readonly seq: number
}

export type StoredLine = AuditLine & { readonly chain: string }

interface RecordRow {
  readonly chain: string
  readonly seq: number
  readonly at: number
  readonly event: string
  readonly trace: string | null
  readonly hash: string
  readonly facts: string
}

const columns = 'chain, seq, at, event, trace, hash, facts'

/**
 * Takes whole journal lines (joined by line feeds, none at the end) into the store, as bytes: PostgreSQL splits them,
 * so that the main thread neither parses nor escapes. Lines that are there already are left alone; answers how many were new.
 */
export async function insertLines(store: Store, chain: string, lines: Uint8Array): Promise<number> {
  return runWithLongParameter(
    store.pool,
    `insert into audit.record (chain, seq, at, event, trace, hash, facts)
     select $1::text, split_part(l, E'\\t', 2)::int8, split_part(l, E'\\t', 3)::int8, split_part(l, E'\\t', 4),
       nullif(split_part(l, E'\\t', 5), '\\N'), left(l, 64), split_part(l, E'\\t', 6)
     from string_to_table($2::text, E'\\n') l
     on conflict (chain, seq) do nothing`,
    chain,
    lines,
  )
}

/** The first of these lines whose place in the store is taken by another record; undefined when there is none. */
export async function firstConflict(store: Store, chain: string, lines: Uint8Array): Promise<number | undefined> {
  const { rows } = await store.pool.query<{ seq: number }>(
    // One look-up by key per line, whatever the planner believes: as a join it was quadratic on a table never analysed.
    `select seq from (
       select split_part(l, E'\\t', 2)::int8 as seq, left(l, 64) as hash from string_to_table($2::text, E'\\n') l offset 0
     ) line
     where hash <> (select r.hash from audit.record r where r.chain = $1::text and r.seq = line.seq)
     order by seq limit 1`,
    [chain, lines],
  )
  return rows[0]?.seq
}

export async function hasTables(store: Store): Promise<boolean> {
  const { rows } = await store.pool.query<{ there: boolean }>(
    `select to_regclass('audit.record') is not null and to_regclass('audit.checkpoint') is not null as there`,
  )
  return rows[0]?.there === true
}

/** The newest record of the chain. */
export async function chainHead(
  store: Store,
  chain: string,
): Promise<{ readonly seq: number; readonly hash: string } | undefined> {
  const { rows } = await store.pool.query<{ seq: number; hash: string }>(
    'select seq, hash from audit.record where chain = $1 order by seq desc limit 1',
    [chain],
  )
  return rows[0]
}

/** Records in order of chain and place, after the given one. */
export async function recordsAfter(store: Store, after: Position, limit: number): Promise<StoredLine[]> {
  const { rows } = await store.pool.query<RecordRow>(
    `select ${columns} from audit.record where (chain, seq) > ($1::text, $2::int8) order by chain, seq limit $3`,
    [after.chain, after.seq, limit],
  )
  return rows.map(line)
}

export async function recordAt(store: Store, { chain, seq }: Position): Promise<StoredLine | undefined> {
  const { rows } = await store.pool.query<RecordRow>(
    `select ${columns} from audit.record where chain = $1 and seq = $2`,
    [chain, seq],
  )
  return rows.map(line)[0]
}

/** Newest first; oldest first and only later ones when `after` is given. `trace` is the escaped form. */
export async function selectRecords(
  store: Store,
  query: {
    readonly trace: string | undefined
    readonly event: string | undefined
    readonly after: { readonly at: number; readonly chain: string; readonly seq: number } | undefined
    readonly limit: number
  },
): Promise<StoredLine[]> {
  const values: unknown[] = []
  const value = (of: unknown) => `$${values.push(of)}`
  const conditions: string[] = []
  if (query.trace !== undefined) {
    conditions.push(`left(trace, ${indexedTraceLength}) = ${value(query.trace.slice(0, indexedTraceLength))}`)
    conditions.push(`trace = ${value(query.trace)}`)
  }
  if (query.event !== undefined) conditions.push(`event = ${value(query.event)}`)
  const { after } = query
  if (after)
    conditions.push(
      `(at, chain, seq) > (${value(after.at)}::int8, ${value(after.chain)}::text, ${value(after.seq)}::int8)`,
    )
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
  const order = after ? 'at, chain, seq' : 'at desc, chain desc, seq desc'
  const { rows } = await store.pool.query<RecordRow>(
    `select ${columns} from audit.record ${where} order by ${order} limit ${value(query.limit)}`,
    values,
  )
  return rows.map(line)
}

/** Records of one event whose time is from `from` until before `to`, in no order; `limit` of them when there are more. */
export async function recordsBetween(
  store: Store,
  {
    event,
    from,
    to,
    limit,
  }: { readonly event: string; readonly from: number; readonly to: number; readonly limit: number },
): Promise<StoredLine[]> {
  const { rows } = await store.pool.query<RecordRow>(
    `select ${columns} from audit.record where event = $1 and at >= $2::int8 and at < $3::int8 limit $4`,
    [event, from, to, limit],
  )
  return rows.map(line)
}

/** Times of the first and the last record of an event from `from` until before `to`; undefined when there is none. */
export async function timesOfEvent(
  store: Store,
  { event, from, to }: { readonly event: string; readonly from: number; readonly to: number },
): Promise<{ readonly first: number; readonly last: number } | undefined> {
  const { rows } = await store.pool.query<{ first: number | null; last: number | null }>(
    `select min(at) as first, max(at) as last from audit.record where event = $1 and at >= $2::int8 and at < $3::int8`,
    [event, from, to],
  )
  const { first = null, last = null } = rows[0] ?? {}
  return first === null || last === null ? undefined : { first, last }
}

function line(row: RecordRow): StoredLine {
  return { ...row, trace: row.trace ?? undefined }
}

export async function lastCheckpoint(store: Store): Promise<CheckpointRow | undefined> {
  const { rows } = await store.pool.query<CheckpointRow>(
    'select seq, body, hash, key, signature from audit.checkpoint order by seq desc limit 1',
  )
  return rows[0]
}

export async function checkpointsAfter(store: Store, seq: number, limit: number): Promise<CheckpointRow[]> {
  const { rows } = await store.pool.query<CheckpointRow>(
    'select seq, body, hash, key, signature from audit.checkpoint where seq > $1 order by seq limit $2',
    [seq, limit],
  )
  return rows
}

/** False when another process has written the checkpoint of that number. */
export async function insertCheckpoint(store: Store, row: CheckpointRow): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    `insert into audit.checkpoint (seq, body, hash, key, signature) values ($1, $2, $3, $4, $5)
     on conflict (seq) do nothing`,
    [row.seq, row.body, row.hash, row.key, row.signature],
  )
  return rowCount === 1
}
