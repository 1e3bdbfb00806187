import type { Store } from '@openspine/platform/store'
import { keysOf, type PersonKeys } from '../keys.ts'
import type { StoredPerson } from '../person.ts'
import { statementShapes } from '../shapes.ts'
import { columns, keyRowsOf, tenDigits } from '../store.ts'
import type {
  Author,
  BirthKey,
  Change,
  ChangeKind,
  EventCode,
  KeptAnswer,
  PastChange,
  RequestKey,
  WaitingEvent,
  Written,
} from './change.ts'

/** Rows of what changed, beside those of the people themselves. */
export interface ChangeStore {
  /** State, keys, history, events and answer in one statement: all of it is there after it, or nothing. */
  write(change: Change): Promise<Written>
  /** The answer that a request got when it was written. */
  keptAnswer(key: RequestKey): Promise<KeptAnswer | undefined>
  /** History of one person, newest first. */
  history(nhsNumber: string, limit: number): Promise<PastChange[]>
  /** Events in the order in which they are to be published: of one person, by version. */
  waiting(limit: number): Promise<WaitingEvent[]>
  /** Takes events out of the outbox: they were published. */
  published(events: readonly Pick<WaitingEvent, 'nhsNumber' | 'version' | 'ordinal'>[]): Promise<void>
  /**
   * Reserves so many consecutive nine-digit beginnings of numbers: whoever gets them is the only one who ever does.
   * `from` is where a range that was never used begins. Answers the first of them.
   */
  reserve(range: string, from: number, count: number): Promise<number>
  /** How many people were registered here who were born on this day: {@link Change.asOf}. */
  round(day: number): Promise<number>
  /** Numbers of the people whose birth was notified under this mother and day, with their order. */
  births(mother: string, day: number): Promise<{ readonly nhsNumber: string; readonly order: number }[]>
  /** Forgets answers given before `answersBefore`, and events raised before `eventsBefore`. */
  prune(answersBefore: number, eventsBefore: number): Promise<void>
}

/** An answer says what might be told then: after a change of sensitivity that may be too much (§15), so it is not told again. */
const keptStatement = `select r.status, r.body, r.headers, r.shown from demographics.request r
  where r.caller = $1 and r.id = $2 and not exists (
    select from demographics.change c where c.nhs = r.shown and c.kind = 'sensitivity' and c.version > coalesce(
      (select min(w.version) from demographics.change w where w.nhs = r.shown and w.request_id = r.id), 0))`
const uniqueViolation = '23505'

export function changeStore(store: Store): ChangeStore {
  const { pool } = store
  const shaped = statementShapes(store)
  return {
    async write(change) {
      const { text, values } = writeStatement(change)
      try {
        const { rowCount } = await pool.query({ ...shaped(text), values: [...values] })
        return rowCount === 1 ? 'written' : 'stale'
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === uniqueViolation)) throw error
        // The key of the answer, or of a new person: the table tells which.
        return 'table' in error && error.table === 'request' ? 'repeated' : 'stale'
      }
    },
    async keptAnswer({ caller, id }) {
      const { rows } = await pool.query<{
        status: number
        body: string
        headers: string
        shown: number | string | null
      }>({ ...shaped(keptStatement), values: [caller, id] })
      const row = rows[0]
      if (row === undefined) return undefined
      return {
        status: row.status,
        body: row.body,
        headers: JSON.parse(row.headers) as KeptAnswer['headers'],
        ...(row.shown === null ? {} : { shown: tenDigits(row.shown) }),
      }
    },
    async history(nhsNumber, limit) {
      const { rows } = await pool.query<{
        version: number
        at: number
        kind: ChangeKind
        author: string
        members: string
        request_id: string | null
      }>(
        `select version, at, kind, author, members, request_id from demographics.change
          where nhs = $1 order by version desc limit $2`,
        [Number(nhsNumber), limit],
      )
      return rows.map(({ version, at, kind, author, members, request_id }) => ({
        version,
        at: Number(at),
        kind,
        author: JSON.parse(author) as Author,
        members: JSON.parse(members) as string[],
        ...(request_id === null ? {} : { requestId: request_id }),
      }))
    },
    async waiting(limit) {
      const { rows } = await pool.query<{
        nhs: number | string
        version: number
        ordinal: number
        at: number
        code: EventCode
        facts: string
      }>(
        `select nhs, version, ordinal, at, code, facts from demographics.outbox
          order by at, nhs, version, ordinal limit $1`,
        [limit],
      )
      return rows.map(({ nhs, version, ordinal, at, code, facts }) => ({
        nhsNumber: tenDigits(nhs),
        version,
        ordinal,
        at: Number(at),
        code,
        facts: JSON.parse(facts) as WaitingEvent['facts'],
      }))
    },
    async published(events) {
      if (events.length === 0) return
      await pool.query(
        `delete from demographics.outbox o using unnest($1::bigint[], $2::integer[], $3::smallint[]) as done (nhs, version, ordinal)
          where o.nhs = done.nhs and o.version = done.version and o.ordinal = done.ordinal`,
        [
          events.map(({ nhsNumber }) => Number(nhsNumber)),
          events.map(({ version }) => version),
          events.map(({ ordinal }) => ordinal),
        ],
      )
    },
    async reserve(range, from, count) {
      const { rows } = await pool.query<{ next: number | string }>(
        `insert into demographics.allocation as a (range, next) values ($1, $2::bigint + $3::bigint)
          on conflict (range) do update set next = a.next + $3::bigint returning next`,
        [range, from, count],
      )
      return Number(rows[0]?.next) - count
    },
    async round(day) {
      const { rows } = await pool.query<{ round: number }>(
        'select round from demographics.registration where birth = $1',
        [day],
      )
      return rows[0]?.round ?? 0
    },
    async births(mother, day) {
      const { rows } = await pool.query<{ nhs: number | string; birth_order: number }>(
        'select nhs, birth_order from demographics.birth where mother = $1 and day = $2 order by nhs limit 50',
        [Number(mother), day],
      )
      return rows.map(({ nhs, birth_order }) => ({ nhsNumber: tenDigits(nhs), order: birth_order }))
    },
    async prune(answersBefore, eventsBefore) {
      await pool.query('delete from demographics.request where at < $1', [answersBefore])
      await pool.query('delete from demographics.outbox where at < $1', [eventsBefore])
    },
  }
}

/** Members of a record that keys are made of. */
const keyed: ReadonlySet<string> = new Set(['name', 'gender', 'birthDate', 'address', 'telecom'])

/** Whether the rows under which a person is found are the same after a change: then they are not even compared. */
const keepsKeys = (before: StoredPerson, after: StoredPerson, members: readonly string[]): boolean =>
  before.status === after.status &&
  before.sensitivity === after.sensitivity &&
  !members.some((member) => keyed.has(member))

/** The one statement of a write. Whatever depends on the person reads from `written`: no row there, nothing anywhere. */
function writeStatement({ before, after, subjects, asOf, birth, kind, at, author, members, events, request }: Change): {
  readonly text: string
  readonly values: readonly unknown[]
} {
  const values: unknown[] = []
  const value = (given: unknown, type: string) => `$${values.push(given)}::${type}`
  const keys = keysOf(after, subjects?.after)
  const nhs = value(Number(after.nhsNumber), 'bigint')
  const version = value(after.version, 'integer')
  const when = value(at, 'bigint')
  const fields: readonly (readonly [column: string, value: string])[] = [
    ['version', version],
    ['status', value(after.status, 'text')],
    ['superseded_by', value(after.supersededBy === undefined ? null : Number(after.supersededBy), 'bigint')],
    ['sensitivity', value(after.sensitivity, 'text')],
    ['death', value(keys?.death ?? null, 'integer')],
    ['gp', value(keys?.gp ?? null, 'text')],
    ['as_is', value(after.asIs, 'boolean')],
    ['document', value(after.document, 'text')],
    ['past', value(after.past ?? null, 'text')],
    ['beside', value(after.beside ?? null, 'text')],
  ]
  const written =
    before === undefined
      ? `insert into demographics.person (nhs, ${fields.map(([column]) => column).join(', ')})
          select ${nhs}, ${fields.map(([, given]) => given).join(', ')}${asOf === undefined ? '' : ' from counted'} returning nhs`
      : `update demographics.person set ${fields.map(([column, given]) => `${column} = ${given}`).join(', ')}
          where nhs = ${nhs} and version = ${value(before.version, 'integer')} and status = ${value(before.status, 'text')}
          returning nhs`
  const steps = [
    ...(asOf === undefined ? [] : [countStep(asOf, value)]),
    `written as (${written})`,
    ...(before !== undefined && keepsKeys(before, after, members)
      ? []
      : keySteps(before && keysOf(before, subjects?.before), keys, value)),
    `history as (insert into demographics.change
        (nhs, version, at, kind, members, author, request_id, document_before, past_before)
        select nhs, ${version}, ${when}, ${value(kind, 'text')}, ${value(JSON.stringify(members), 'text')},
          ${value(JSON.stringify(author), 'text')}, ${value(request?.id ?? null, 'text')},
          ${value(before?.document ?? null, 'text')}, ${value(before?.past ?? null, 'text')} from written)`,
  ]
  if (birth !== undefined) steps.push(birthStep(birth, value))
  if (events.length > 0)
    steps.push(`events as (insert into demographics.outbox (nhs, version, ordinal, at, code, facts)
        select w.nhs, ${version}, e.ordinal, ${when}, e.code, e.facts from written w,
          unnest(${value(
            events.map((_, ordinal) => ordinal),
            'smallint[]',
          )}, ${value(
            events.map(({ code }) => code),
            'text[]',
          )}, ${value(
            events.map(({ facts }) => JSON.stringify(facts)),
            'text[]',
          )}) as e (ordinal, code, facts))`)
  if (request !== undefined) {
    const { caller, id, answer } = request
    steps.push(`answer as (insert into demographics.request (caller, id, at, status, body, headers, shown)
        select ${value(caller, 'text')}, ${value(id, 'text')}, ${when}, ${value(answer.status, 'smallint')},
          ${value(answer.body, 'text')}, ${value(JSON.stringify(answer.headers), 'text')}, nhs from written)`)
  }
  return { text: `with ${steps.join(',\n')}\nselect nhs from written`, values }
}

type Value = (given: unknown, type: string) => string

/**
 * Steps on the count of those who were registered with this birth date, from the round that was seen: whoever saw the same
 * round waits here for the first one, and then finds no row.
 */
function countStep({ day, round }: NonNullable<Change['asOf']>, value: Value): string {
  const next = value(round + 1, 'integer')
  return `counted as (insert into demographics.registration as r (birth, round) values (${value(day, 'integer')}, ${next})
      on conflict (birth) do update set round = ${next} where r.round = ${value(round, 'integer')} returning birth)`
}

function birthStep({ mother, day, order }: BirthKey, value: Value): string {
  return `birth as (insert into demographics.birth (nhs, mother, day, birth_order)
      select nhs, ${value(Number(mother), 'bigint')}, ${value(day, 'integer')}, ${value(order, 'smallint')} from written)`
}

/** Upserts the rows that are new or differ and deletes those beyond them: the two never meet in one row. */
function keySteps(before: PersonKeys | undefined, after: PersonKeys | undefined, value: Value): string[] {
  const steps: string[] = []
  for (const table of ['name_key', 'address_key', 'telecom_key'] as const) {
    const rows = after === undefined ? [] : keyRowsOf(table, after)
    const earlier = before === undefined ? [] : keyRowsOf(table, before)
    // A move leaves former addresses where they are, and each row that is written again is written in every index.
    const put = [...rows.entries()].filter(([item, row]) => !sameRow(row, earlier[item]))
    const [, , ...own] = columns[table]
    const names = own.map(([name]) => name)
    if (put.length > 0)
      steps.push(`${table}_put as (insert into demographics.${table} (nhs, item, ${names.join(', ')})
        select w.nhs, k.* from written w, unnest(${value(
          put.map(([item]) => item),
          'smallint[]',
        )}, ${own
          .map(([, type], index) =>
            value(
              put.map(([, row]) => row[index]),
              `${type}[]`,
            ),
          )
          .join(', ')}) as k (item, ${names.join(', ')})
        on conflict (nhs, item) do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')})`)
    if (earlier.length > rows.length)
      steps.push(`${table}_cut as (delete from demographics.${table} k using written w
        where k.nhs = w.nhs and k.item >= ${value(rows.length, 'smallint')})`)
  }
  return steps
}

const sameRow = (row: readonly unknown[], earlier: readonly unknown[] | undefined): boolean =>
  earlier !== undefined && row.every((cell, index) => cell === earlier[index])
