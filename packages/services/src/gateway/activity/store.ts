import type { Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { KeptRefusal, KeyUse } from '../contract.ts'

export interface StoredUse extends Pick<KeyUse, 'kind' | 'name'> {
  readonly application: string
  readonly at: number
}

export interface StoredRefusal extends KeptRefusal {
  readonly application: string
}

/** What applications did of late, as rows. */
export interface ActivityStore {
  noteUses(uses: readonly StoredUse[]): Promise<void>
  uses(application: string): Promise<readonly KeyUse[]>
  /** Adds them, and forgets all but the newest `most` of each application. */
  noteRefusals(refusals: readonly StoredRefusal[], most: number): Promise<void>
  /** Newest first. */
  refusals(application: string): Promise<readonly KeptRefusal[]>
}

export function activityStore({ db }: Pick<Store, 'db'>): ActivityStore {
  return {
    async noteUses(uses) {
      const rows = uses.map(
        ({ application, kind, name, at }) =>
          sql`(${application}::uuid, ${kind}, ${name}, ${at}::bigint, ${at}::bigint)`,
      )
      await sql`
        insert into gateway.key_use (application, kind, name, first_at, last_at) values ${sql.join(rows)}
        on conflict (application, kind, name)
        do update set last_at = greatest(key_use.last_at, excluded.last_at)`.execute(db)
    },
    async uses(application) {
      const { rows } = await sql<{
        kind: KeyUse['kind']
        name: string
        first_at: string | number
        last_at: string | number
      }>`
        select kind, name, first_at, last_at from gateway.key_use where application = ${application}
        order by kind, name`.execute(db)
      return rows.map(({ kind, name, first_at, last_at }) => ({
        kind,
        name,
        firstUsedAt: Number(first_at),
        lastUsedAt: Number(last_at),
      }))
    },
    noteRefusals: (refusals, most) =>
      db.transaction().execute(async (transaction) => {
        const rows = refusals.map(
          ({ application, at, id, ...facts }) =>
            sql`(${application}::uuid, ${at}::bigint, ${id}, ${JSON.stringify(facts)})`,
        )
        await sql`
          insert into gateway.refusal (application, at, id, facts) values ${sql.join(rows)}
          on conflict (application, id) do nothing`.execute(transaction)
        const applications = [...new Set(refusals.map(({ application }) => application))]
        await sql`
          delete from gateway.refusal using (
            select application, id, row_number() over (partition by application order by at desc, id desc) as place
            from gateway.refusal where application in (${sql.join(applications.map((each) => sql`${each}::uuid`))})
          ) as placed
          where placed.place > ${most} and refusal.application = placed.application and refusal.id = placed.id`.execute(
          transaction,
        )
      }),
    async refusals(application) {
      const { rows } = await sql<{ at: string | number; id: string; facts: string }>`
        select at, id, facts from gateway.refusal where application = ${application}
        order by at desc, id desc`.execute(db)
      return rows.map(({ at, id, facts }) => ({ id, at: Number(at), ...JSON.parse(facts) }))
    },
  }
}
