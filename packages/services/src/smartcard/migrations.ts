import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * At most one session that is not ended stands at a desk. Of a ticket only the SHA-256 digest is kept: tickets hold 240
 * random bits. A session may have several tickets, because a process that did not make its ticket makes another.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-sessions': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table smartcard.session (
          id uuid primary key,
          desk text collate "C" not null,
          uid text collate "C" not null,
          role_id text collate "C",
          mode text not null,
          address text,
          signed_on_at bigint not null,
          used_at bigint not null,
          expires_at bigint not null,
          ended_at bigint
        )`,
        sql`create unique index session_desk on smartcard.session (desk) where ended_at is null`,
        sql`create index session_expiry on smartcard.session (expires_at)`,
        sql`create table smartcard.ticket (
          digest text collate "C" primary key,
          session uuid not null,
          issued_at bigint not null
        )`,
        sql`create index ticket_session on smartcard.ticket (session)`,
      ])
        await statement.execute(db)
    },
  },
}
