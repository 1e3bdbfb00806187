import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `head` is raised in the transaction of every change, so that one small query tells a process whether its copy is
 * the newest. A revoked key keeps its row. Of a key only the SHA-256 digest is stored: keys are 192 random bits, so
 * nothing is gained by a slow hash.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-applications': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table gateway.head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into gateway.head (id, version) values (1, 0)`,
        sql`create table gateway.application (
          id uuid primary key,
          name text collate "C" not null,
          created_at bigint not null,
          created_by text not null
        )`,
        sql`create table gateway.api_key (
          id uuid primary key,
          application uuid not null,
          digest text collate "C" not null,
          kind text not null,
          created_at bigint not null,
          created_by text not null,
          revoked_at bigint,
          revoked_by text
        )`,
        sql`create unique index api_key_digest on gateway.api_key (digest)`,
        sql`create index api_key_application on gateway.api_key (application)`,
      ])
        await statement.execute(db)
    },
  },
}
