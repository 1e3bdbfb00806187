import { sql } from 'kysely'
import type { Database, Store } from '../store/store.ts'

/** A job in the hands of this process. */
export interface Claim {
  readonly id: string
  readonly attempt: number
  /** JSON. */
  readonly body: string
  /** New for every claim: whoever holds an older one cannot finish the job. */
  readonly lease: string
}

/** What names a claim in the store. */
export type Held = Pick<Claim, 'id' | 'lease'>

export interface JobError {
  readonly code: string
  readonly text: string
}

/** A job that was given up. */
export interface ParkedJob {
  readonly queue: string
  readonly id: string
  readonly attempt: number
  readonly body: unknown
  /** Milliseconds since the epoch. */
  readonly created: number
  readonly parked: number
  readonly error: JobError
}

export async function insertJob(
  db: Database,
  job: {
    readonly queue: string
    readonly id: string
    readonly body: string
    readonly created: number
    readonly due: number
  },
): Promise<void> {
  await sql`insert into job.job (queue, id, body, created, due)
    values (${job.queue}, ${job.id}, ${job.body}, ${job.created}, ${job.due})
    on conflict (queue, id) do nothing`.execute(db)
}

export async function claimJobs(
  store: Store,
  options: {
    readonly queue: string
    readonly lease: string
    readonly now: number
    readonly leaseMs: number
    readonly limit: number
  },
): Promise<Claim[]> {
  const { rows } = await store.pool.query<{ id: string; attempt: number; body: string }>(
    `update job.job j set due = $3::int8 + $4::int8, attempt = attempt + 1, lease = $2
     from (select queue, id from job.job where queue = $1 and parked is null and due <= $3::int8
           order by due limit $5 for update skip locked) c
     where j.queue = c.queue and j.id = c.id returning j.id, j.attempt, j.body`,
    [options.queue, options.lease, options.now, options.leaseMs, options.limit],
  )
  return rows.map((row) => ({ ...row, lease: options.lease }))
}

/** Removes what is done; answers the ids whose lease was still theirs. */
export function finishJobs(store: Store, queue: string, held: readonly Held[]): Promise<Set<string>> {
  return ids(store, `delete from job.job j using ${heldRows} returning j.id`, queue, held)
}

/** Answers the ids whose lease was still theirs. */
export function renewLeases(store: Store, queue: string, held: readonly Held[], until: number): Promise<Set<string>> {
  return ids(store, `update job.job j set due = $4::int8 from ${heldRows} returning j.id`, queue, held, until)
}

/** Gives claims back as if they had not been made. */
export function returnJobs(store: Store, queue: string, held: readonly Held[], due: number): Promise<Set<string>> {
  return ids(
    store,
    `update job.job j set due = $4::int8, attempt = j.attempt - 1, lease = null from ${heldRows} returning j.id`,
    queue,
    held,
    due,
  )
}

/** After a failure: due again at `again`, or parked when that is undefined. False when the lease was lost. */
export async function failJob(
  store: Store,
  queue: string,
  held: Held,
  about: { readonly error: JobError; readonly now: number; readonly again: number | undefined },
): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    `update job.job set lease = null, due = $4::int8, parked = $5::int8, error_code = $6, error_text = $7
     where queue = $1 and id = $2 and lease = $3`,
    [
      queue,
      held.id,
      held.lease,
      about.again ?? about.now,
      about.again === undefined ? about.now : null,
      about.error.code,
      about.error.text,
    ],
  )
  return rowCount === 1
}

/** Earliest time at which a job of the queue may be taken; undefined when there is none. */
export async function nextDue(store: Store, queue: string): Promise<number | undefined> {
  const { rows } = await store.pool.query<{ due: number }>(
    'select due from job.job where queue = $1 and parked is null order by due limit 1',
    [queue],
  )
  return rows[0]?.due
}

export async function selectParked(store: Store, queue: string | undefined, limit: number): Promise<ParkedJob[]> {
  const { rows } = await store.pool.query<{
    queue: string
    id: string
    attempt: number
    body: string
    created: number
    parked: number
    error_code: string
    error_text: string
  }>(
    `select queue, id, attempt, body, created, parked, error_code, error_text from job.job
     where parked is not null and ($1::text is null or queue = $1) order by parked desc, queue, id limit $2`,
    [queue ?? null, limit],
  )
  return rows.map(({ error_code, error_text, body, ...rest }) => ({
    ...rest,
    body: JSON.parse(body) as unknown,
    error: { code: error_code, text: error_text },
  }))
}

/** False when there is no such parked job. */
export async function unpark(store: Store, queue: string, id: string, due: number): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    `update job.job set parked = null, attempt = 0, due = $3::int8, lease = null
     where queue = $1 and id = $2 and parked is not null`,
    [queue, id, due],
  )
  return rowCount === 1
}

const heldRows = `unnest($2::text[], $3::text[]) as h (id, lease)
  where j.queue = $1 and j.id = h.id and j.lease = h.lease`

async function ids(
  store: Store,
  statement: string,
  queue: string,
  held: readonly Held[],
  ...more: readonly unknown[]
): Promise<Set<string>> {
  const { rows } = await store.pool.query<{ id: string }>(statement, [
    queue,
    held.map(({ id }) => id),
    held.map(({ lease }) => lease),
    ...more,
  ])
  return new Set(rows.map(({ id }) => id))
}
