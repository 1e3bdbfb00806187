import type { Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { KeptRefusal, KeyUse } from '../contract.ts'
import type { Shared, SharedCount } from '../rates.ts'

export interface StoredUse extends Pick<KeyUse, 'kind' | 'name'> {
  readonly application: string
  readonly at: number
}

export interface StoredRefusal extends KeptRefusal {
  readonly application: string
}

/** So many counts are told in one statement. */
const mostTold = 1000

/** What applications did of late, as rows. */
export interface ActivityStore {
  noteUses(uses: readonly StoredUse[]): Promise<void>
  uses(application: string): Promise<readonly KeyUse[]>
  /** Adds them, and forgets all but the newest `most` of each application. */
  noteRefusals(refusals: readonly StoredRefusal[], most: number): Promise<void>
  /** Newest first. */
  refusals(application: string): Promise<readonly KeptRefusal[]>
  /** Adds counts to those of the other processes; what they are together. */
  tell(counts: readonly SharedCount[]): Promise<readonly Shared[]>
  /** Forgets counts of windows that are over. */
  forget(before: number): Promise<void>
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
    async tell(counts) {
      const shared: Shared[] = []
      for (let at = 0; at < counts.length; at += mostTold) {
        const told = counts
          .slice(at, at + mostTold)
          .map(
            ({ who, startsAt, made, endsAt }) => sql`(${who}, ${startsAt}::bigint, ${made}::bigint, ${endsAt}::bigint)`,
          )
        const { rows } = await sql<{ who: string; starts_at: string | number; made: string | number }>`
          insert into gateway.rate_count (who, starts_at, made, ends_at) values ${sql.join(told)}
          on conflict (who, starts_at) do update set made = rate_count.made + excluded.made
          returning who, starts_at, made`.execute(db)
        for (const { who, starts_at, made } of rows)
          shared.push({ who, startsAt: Number(starts_at), made: Number(made) })
      }
      return shared
    },
    async forget(before) {
      await sql`delete from gateway.rate_count where ends_at < ${before}`.execute(db)
    },
    async refusals(application) {
      const { rows } = await sql<{ at: string | number; id: string; facts: string }>`
        select at, id, facts from gateway.refusal where application = ${application}
        order by at desc, id desc`.execute(db)
      return rows.map(({ at, id, facts }) => ({ id, at: Number(at), ...JSON.parse(facts) }))
    },
  }
}
