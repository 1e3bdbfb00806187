import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Versions of the rules that were imported, whole and never changed, so that a decision of the past can be understood.
 * `head` says which one is in use (none: the one that comes with the software), and is raised with every change.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-rules': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table "access-control".head (
          id smallint primary key check (id = 1),
          version bigint not null,
          in_use text collate "C"
        )`,
        sql`insert into "access-control".head (id, version) values (1, 0)`,
        sql`create table "access-control".rule_set (
          version text collate "C" primary key,
          digest text collate "C" not null,
          source text not null,
          document text not null,
          imported_at bigint not null,
          imported_by text not null
        )`,
      ])
        await statement.execute(db)
    },
  },
}
