import type { Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { RecordedStatus, StatusChange } from './contract.ts'

/** Decisions as rows. */
export interface StatusStore {
  /** The one that holds, of all about a person under these numbers. */
  current(numbers: readonly string[]): Promise<RecordedStatus | undefined>
  /** Those under these numbers, number by number, each one's first one first. */
  all(numbers: readonly string[]): Promise<readonly RecordedStatus[]>
  /** False where the very same decision is there. `id` is used for the first one about a person. */
  add(change: StatusChange, about: { readonly id: string; readonly at: number; readonly by: string }): Promise<boolean>
  people(): Promise<number>
}

interface Row {
  readonly nhs_number: string
  readonly version: number
  readonly id: string
  readonly basic: RecordedStatus['basic']
  readonly category: RecordedStatus['category']
  readonly source: RecordedStatus['source']
  readonly effective_at: string | number
  readonly recorded_at: string | number
  readonly recorded_by: string
}

const statusOf = (row: Row): RecordedStatus => ({
  nhsNumber: row.nhs_number,
  version: row.version,
  id: row.id,
  basic: row.basic,
  category: row.category,
  source: row.source,
  effectiveAt: Number(row.effective_at),
  recordedAt: Number(row.recorded_at),
  recordedBy: row.recorded_by,
})

/** Writers of one person that meet: each goes again with the next version, and one of them always gets through. */
const mostTries = 1000

export function statusStore({ db }: Pick<Store, 'db'>): StatusStore {
  const rows = async (query: ReturnType<typeof sql<Row>>) => (await query.execute(db)).rows.map(statusOf)
  return {
    async current(numbers) {
      const held = await rows(sql`
        select distinct on (nhs_number) * from visitors.status where nhs_number in (${sql.join(numbers)})
        order by nhs_number, effective_at desc, version desc`)
      const [latest] = held.sort((a, b) => b.effectiveAt - a.effectiveAt || b.recordedAt - a.recordedAt)
      return latest
    },
    all: (numbers) =>
      rows(sql`
        select * from visitors.status where nhs_number in (${sql.join(numbers)})
        order by nhs_number, version`),
    async add({ nhsNumber, basic, category, source, effectiveAt }, { id, at, by }) {
      const same = sql`nhs_number = ${nhsNumber} and basic = ${basic} and category = ${category}
        and source = ${source} and effective_at = ${effectiveAt}`
      for (let tries = 0; tries < mostTries; tries++) {
        const { rows: added } = await sql<{ version: number }>`
          insert into visitors.status
            (nhs_number, version, id, basic, category, source, effective_at, recorded_at, recorded_by)
          select ${nhsNumber}::text, coalesce(max(version), 0) + 1, coalesce((min(id::text))::uuid, ${id}::uuid),
            ${basic}::text, ${category}::text, ${source}::text, ${effectiveAt}::bigint, ${at}::bigint, ${by}::text
          from visitors.status where nhs_number = ${nhsNumber}
          having not exists (select 1 from visitors.status where ${same})
          on conflict do nothing
          returning version`.execute(db)
        if (added.length === 1) return true
        const { rows: there } = await sql`select 1 from visitors.status where ${same} limit 1`.execute(db)
        if (there.length > 0) return false
      }
      throw new Error('the status of one person is written by too many at once')
    },
    async people() {
      const { rows: found } = await sql<{ people: string | number }>`
        select count(distinct nhs_number) as people from visitors.status`.execute(db)
      return Number(found[0]?.people ?? 0)
    },
  }
}
