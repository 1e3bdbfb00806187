import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Everything here is for using once. Rows are found by the SHA-256 of the secret that names them (an assertion's
 * jti with its client, a state, a code), and what they hold is sealed with a key made of that secret: who reads the
 * tables can use nothing of them.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-single-use': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table identity.assertion (
          digest text collate "C" primary key,
          expires_at bigint not null
        )`,
        sql`create index assertion_expires_at on identity.assertion (expires_at)`,
        sql`create table identity.sign_in (
          digest text collate "C" primary key,
          sealed text not null,
          expires_at bigint not null
        )`,
        sql`create index sign_in_expires_at on identity.sign_in (expires_at)`,
        sql`create table identity.code (
          digest text collate "C" primary key,
          client_key text not null,
          redirect_uri text not null,
          session text collate "C",
          sealed text not null,
          expires_at bigint not null,
          kept_until bigint not null,
          used_at bigint,
          reused_at bigint,
          issued text
        )`,
        sql`create index code_kept_until on identity.code (kept_until)`,
        sql`create index code_session on identity.code (session) where session is not null`,
      ])
        await statement.execute(db)
    },
  },
}
