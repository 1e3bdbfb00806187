import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import { type RequestKey, repeatMs } from '../gateway/contract.ts'
import { type Item, type Kind, single, toldOf } from './item.ts'

/** What is to be written: items in their new version, and what the caller is told. */
export interface Decision<Result> {
  readonly writes: readonly Item[]
  readonly result: Result
}

/** The numbers of a patient: the retained one, under which new items are kept, and those that were merged into it. */
export type Numbers = readonly [retained: string, ...merged: string[]]

/** Items of patients as rows. */
export interface ItemStore {
  /** Every item of a patient: those of the retained number first, each number's first one first. */
  all(numbers: Numbers): Promise<readonly Item[]>
  /**
   * Changes of one patient take turns: `decide` sees the state of its turn, and what it throws undoes everything. Writes
   * all or nothing. A request that was written already is not written again: its result, kept as JSON, is answered.
   */
  change<Result>(
    numbers: Numbers,
    decide: (items: readonly Item[]) => Decision<Result>,
    request?: RequestKey,
  ): Promise<Result>
  /** Each state that an item had, the first one first. */
  history(nhsNumber: string, id: string): Promise<readonly Item[]>
  keepAnswer(id: string, content: string, expiresAt: number): Promise<void>
  answer(id: string, now: number): Promise<string | undefined>
  /** Forgets what came of requests and is kept no longer. */
  prune(now: number): Promise<void>
}

interface Row {
  readonly nhs_number: string
  readonly id: string
  readonly kind: Kind
  readonly version: number
  readonly active: boolean
  readonly content: string
}

const itemOf = ({ nhs_number: nhsNumber, id, kind, version, active, content }: Row): Item => ({
  nhsNumber,
  id,
  kind,
  version,
  active,
  ...(JSON.parse(content) as Omit<Item, 'nhsNumber' | 'id' | 'kind' | 'version' | 'active'>),
})

/** Names in a list are its own: one that another list has too gives way to the id of the item. */
function namedApart(items: readonly Item[]): readonly Item[] {
  const taken = new Set<string>()
  return items.map((item) => {
    if (item.member === undefined || !item.active) return item
    const { localId, provenance, date } = item.member
    if (!taken.has(`${item.kind} ${localId}`)) {
      taken.add(`${item.kind} ${localId}`)
      return item
    }
    const about = provenance && {
      provenance: { ...provenance, id: `p-${item.id}`, target: [{ reference: `Condition/${item.id}` }] },
    }
    return { ...item, member: { localId: item.id, ...about, ...(date === undefined ? {} : { date }) } }
  })
}

const contentOf = ({ document, member, created, updated, removal }: Item): string =>
  JSON.stringify({ document, member, created, updated, removal })

const allOf = async (db: Database, numbers: Numbers) => {
  const { rows } = await sql<Row>`
    select nhs_number, id, kind, version, active, content from adjustments.item
    where nhs_number in (${sql.join(numbers)}) order by place, id`.execute(db)
  const items = numbers.flatMap((number) => rows.filter((row) => row.nhs_number === number).map(itemOf))
  return namedApart(items.map((item) => toldOf(item, numbers[0])))
}

async function write(db: Database, item: Item, place: number): Promise<void> {
  const { id, kind, version, active } = item
  const nhsNumber = item.under ?? item.nhsNumber
  const content = contentOf(item)
  await sql`
    insert into adjustments.item_version (nhs_number, id, version, active, content)
    values (${nhsNumber}, ${id}, ${version}, ${active}, ${content})`.execute(db)
  if (version === 1) {
    await sql`
      insert into adjustments.item (nhs_number, id, kind, place, version, active, single, content)
      values (${nhsNumber}, ${id}, ${kind}, ${place}, ${version}, ${active}, ${single.has(kind)}, ${content})`.execute(
      db,
    )
    return
  }
  const { numAffectedRows } = await sql`
    update adjustments.item set version = ${version}, active = ${active}, content = ${content}
    where nhs_number = ${nhsNumber} and id = ${id} and version = ${version - 1}`.execute(db)
  if (numAffectedRows !== 1n) throw new Error('an item changed while its patient was locked')
}

async function resultOf(db: Database, nhsNumber: string, { caller, operation, id, at }: RequestKey) {
  const { rows } = await sql<{ result: string }>`
    select result from adjustments.request
    where nhs_number = ${nhsNumber} and caller = ${caller} and operation = ${operation} and id = ${id}
      and expires_at > ${at}`.execute(db)
  return rows[0]?.result
}

async function keepResult(db: Database, nhsNumber: string, key: RequestKey, result: string): Promise<void> {
  const { caller, operation, id, at } = key
  // One that has expired and was not forgotten yet.
  await sql`delete from adjustments.request where nhs_number = ${nhsNumber} and expires_at <= ${at}`.execute(db)
  await sql`
    insert into adjustments.request (nhs_number, caller, operation, id, expires_at, result)
    values (${nhsNumber}, ${caller}, ${operation}, ${id}, ${at + repeatMs}, ${result})`.execute(db)
}

/** Locks the patient under every number, always in the same order; the turn is that of the retained one. */
async function turnOf(db: Database, numbers: Numbers): Promise<number> {
  let turn = 0
  for (const number of [...numbers].sort()) {
    const { rows } = await sql<{ version: string | number }>`
      insert into adjustments.patient (nhs_number, version) values (${number}, 1)
      on conflict (nhs_number) do update set version = adjustments.patient.version + 1
      returning version`.execute(db)
    if (number === numbers[0]) turn = Number(rows[0]?.version ?? 0)
  }
  return turn
}

export function itemStore({ db }: Pick<Store, 'db'>): ItemStore {
  return {
    all: (numbers) => allOf(db, numbers),
    change: (numbers, decide, request) =>
      db.transaction().execute(async (transaction) => {
        const [nhsNumber] = numbers
        const turn = await turnOf(transaction, numbers)
        const before = request && (await resultOf(transaction, nhsNumber, request))
        if (before !== undefined) return JSON.parse(before)
        const { writes, result } = decide(await allOf(transaction, numbers))
        // Within one turn the order of the writes is that of the request.
        for (const [at, item] of writes.entries()) await write(transaction, item, turn * 1000 + Math.min(at, 999))
        if (request) await keepResult(transaction, nhsNumber, request, JSON.stringify(result))
        return result
      }),
    async history(nhsNumber, id) {
      const { rows } = await sql<Row>`
        select v.nhs_number, v.id, i.kind, v.version, v.active, v.content
        from adjustments.item_version v join adjustments.item i on i.nhs_number = v.nhs_number and i.id = v.id
        where v.nhs_number = ${nhsNumber} and v.id = ${id} order by v.version`.execute(db)
      return rows.map(itemOf)
    },
    async prune(now) {
      await sql`delete from adjustments.request where expires_at <= ${now}`.execute(db)
      await sql`delete from adjustments.answer where expires_at <= ${now}`.execute(db)
    },
    async keepAnswer(id, content, expiresAt) {
      await sql`insert into adjustments.answer (id, expires_at, content) values (${id}, ${expiresAt}, ${content})`.execute(
        db,
      )
    },
    async answer(id, now) {
      const { rows } = await sql<{ content: string }>`
        select content from adjustments.answer where id = ${id} and expires_at > ${now}`.execute(db)
      return rows[0]?.content
    },
  }
}
