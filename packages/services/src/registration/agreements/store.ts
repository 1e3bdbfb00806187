import type { Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { SharingAgreement } from '../contract.ts'
import { lockHead } from '../store.ts'

/** A row that changed: an agreement in force, or one that is not any more. */
export interface AgreementChange {
  readonly agreement: SharingAgreement
  readonly inForce: boolean
}

export interface AgreementStore {
  version(): Promise<number>
  /** Changes after a version, with the version at which they stand. */
  since(version: number): Promise<{ readonly version: number; readonly changes: readonly AgreementChange[] }>
  /** Adds it unless the same is in force already; answers the one in force. */
  agree(
    agreement: SharingAgreement,
    about: { readonly at: number; readonly by: string; readonly most: number },
  ): Promise<{ readonly agreement: SharingAgreement; readonly added: boolean } | 'full'>
  /** Answers the agreement that is no longer in force; undefined when there was none. */
  withdraw(id: string, about: { readonly at: number; readonly by: string }): Promise<SharingAgreement | undefined>
  /** Makes and withdraws all of these or none; `expected` when the version is not the one that was asked for. */
  change(
    changes: { readonly agree: readonly SharingAgreement[]; readonly withdraw: readonly string[] },
    about: {
      readonly at: number
      readonly by: string
      readonly most: number
      readonly ifVersion: number | undefined
    },
  ): Promise<AgreementsChanged | { readonly version: number; readonly expected: number } | 'full'>
}

/** What a change of several agreements came to. */
export interface AgreementsChanged {
  readonly version: number
  readonly agreed: readonly SharingAgreement[]
  readonly withdrawn: readonly SharingAgreement[]
}

class Full extends Error {}

interface Row {
  readonly id: string
  readonly consumer: string
  readonly provider: string
  readonly interaction: string
}

const agreementOf = ({ id, consumer, provider, interaction }: Row): SharingAgreement => ({
  id,
  from: consumer,
  to: provider,
  interaction,
})

/** The agreements as rows. */
export function agreementStore(store: Pick<Store, 'db'>): AgreementStore {
  const { db } = store
  return {
    async version() {
      const { rows } = await sql<{
        version: string | number
      }>`select version from registration.head where id = 1`.execute(db)
      return Number(rows[0]?.version ?? 0)
    },
    async since(version) {
      const { rows } = await sql<Row & { version: string | number; in_force: boolean }>`
        select id, consumer, provider, interaction, version, withdrawn_at is null as in_force
        from registration.agreement where version > ${version} order by version`.execute(db)
      return {
        version: Number(rows.at(-1)?.version ?? version),
        changes: rows.map((row) => ({ agreement: agreementOf(row), inForce: row.in_force })),
      }
    },
    agree: ({ id, from, to, interaction }, { at, by, most }) =>
      db.transaction().execute(async (transaction) => {
        const version = (await lockHead(transaction)) + 1
        const { rows: present } = await sql<Row>`
          select id, consumer, provider, interaction from registration.agreement
          where consumer = ${from} and provider = ${to} and interaction = ${interaction} and withdrawn_at is null`.execute(
          transaction,
        )
        if (present[0] !== undefined) return { agreement: agreementOf(present[0]), added: false }
        const { rows: counted } = await sql<{ number: string | number }>`
          select count(*) as number from registration.agreement where withdrawn_at is null`.execute(transaction)
        if (Number(counted[0]?.number ?? 0) >= most) return 'full'
        await sql`
          insert into registration.agreement (id, consumer, provider, interaction, agreed_at, agreed_by, version)
          values (${id}, ${from}, ${to}, ${interaction}, ${at}, ${by}, ${version})`.execute(transaction)
        await sql`update registration.head set version = ${version} where id = 1`.execute(transaction)
        return { agreement: { id, from, to, interaction }, added: true }
      }),
    withdraw: (id, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        const version = (await lockHead(transaction)) + 1
        const { rows } = await sql<Row>`
          update registration.agreement set withdrawn_at = ${at}, withdrawn_by = ${by}, version = ${version}
          where id = ${id} and withdrawn_at is null returning id, consumer, provider, interaction`.execute(transaction)
        if (rows[0] === undefined) return undefined
        await sql`update registration.head set version = ${version} where id = 1`.execute(transaction)
        return agreementOf(rows[0])
      }),
    change: (changes, { at, by, most, ifVersion }) =>
      db
        .transaction()
        .execute(async (transaction) => {
          const before = await lockHead(transaction)
          if (ifVersion !== undefined && ifVersion !== before) return { version: before, expected: ifVersion }
          const version = before + 1
          const { rows: withdrawn } = await sql<Row>`
            update registration.agreement set withdrawn_at = ${at}, withdrawn_by = ${by}, version = ${version}
            where id = any(${changes.withdraw}::uuid[]) and withdrawn_at is null
            returning id, consumer, provider, interaction`.execute(transaction)
          const { rows: agreed } = await sql<Row>`
            insert into registration.agreement (id, consumer, provider, interaction, agreed_at, agreed_by, version)
            select id, consumer, provider, interaction, ${at}::bigint, ${by}::text, ${version}::bigint
            from unnest(
              ${changes.agree.map(({ id }) => id)}::uuid[], ${changes.agree.map(({ from }) => from)}::text[],
              ${changes.agree.map(({ to }) => to)}::text[],
              ${changes.agree.map(({ interaction }) => interaction)}::text[]) as wanted (id, consumer, provider, interaction)
            on conflict (consumer, provider, interaction) where withdrawn_at is null do nothing
            returning id, consumer, provider, interaction`.execute(transaction)
          const { rows: counted } = await sql<{ number: string | number }>`
            select count(*) as number from registration.agreement where withdrawn_at is null`.execute(transaction)
          if (agreed.length > 0 && Number(counted[0]?.number ?? 0) > most) throw new Full()
          const changed = agreed.length > 0 || withdrawn.length > 0
          if (changed) await sql`update registration.head set version = ${version} where id = 1`.execute(transaction)
          return {
            version: changed ? version : before,
            agreed: agreed.map(agreementOf),
            withdrawn: withdrawn.map(agreementOf),
          }
        })
        .catch((error: unknown) => {
          if (error instanceof Full) return 'full' as const
          throw error
        }),
  }
}
