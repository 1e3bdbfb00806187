import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `head` is one row, raised in the transaction of every change: its lock makes the order of change numbers the order
 * of commits. `entry` is the tree as it is; `change` is the change log; `organisation_deletion` keeps what
 * organisations were when they were deleted.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-directory': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table directory.head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into directory.head (id, version) values (1, 0)`,
        sql`create table directory.entry (
          key text collate "C" primary key,
          dn text not null,
          position bigint not null unique,
          version bigint not null,
          attributes text not null,
          registered_fqdn text,
          uuid uuid not null,
          created_at bigint not null,
          created_by text not null,
          modified_at bigint not null,
          modified_by text not null
        )`,
        sql`create index entry_version on directory.entry (version)`,
        sql`create table directory.change (
          number bigint primary key,
          key text collate "C" not null,
          dn text not null,
          kind text not null check (kind in ('add', 'modify', 'delete')),
          changes text not null,
          made_at bigint not null,
          made_by text not null
        )`,
      ])
        await statement.execute(db)
    },
  },
  // The change log forgets; who follows the organisations is told of deletions for half a year (directory §9.1).
  '002-organisation-deletions': {
    async up(db: Kysely<unknown>) {
      await sql`create table directory.organisation_deletion (
        key text collate "C" not null,
        version bigint not null,
        attributes text not null,
        deleted_at bigint not null,
        primary key (key, version)
      )`.execute(db)
    },
  },
}
