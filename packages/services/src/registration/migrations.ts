import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `head` is raised in the transaction of every change, so that one small query tells a process whether its copy is
 * the newest. A withdrawn agreement keeps its row: who agreed and who withdrew stays known.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-agreements': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table registration.head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into registration.head (id, version) values (1, 0)`,
        sql`create table registration.agreement (
          id uuid primary key,
          consumer text collate "C" not null,
          provider text collate "C" not null,
          interaction text collate "C" not null,
          agreed_at bigint not null,
          agreed_by text not null,
          withdrawn_at bigint,
          withdrawn_by text,
          version bigint not null
        )`,
        sql`create unique index agreement_in_force on registration.agreement (consumer, provider, interaction)
          where withdrawn_at is null`,
        sql`create index agreement_version on registration.agreement (version)`,
      ])
        await statement.execute(db)
    },
  },
}
