import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Tables of the audit. Records are text to the byte as they were hashed; nothing updates or deletes them. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-records': {
    async up(db) {
      await sql`create table audit.record (
        chain text collate "C" not null,
        seq int8 not null,
        at int8 not null,
        event text collate "C" not null,
        trace text collate "C",
        hash text collate "C" not null,
        facts text not null,
        primary key (chain, seq)
      )`.execute(db)
      // A trace is whatever a client sends: an index over all of it would refuse a long one.
      await sql`create index record_trace on audit.record (left(trace, 64), at) where trace is not null`.execute(db)
      await sql`create index record_event on audit.record (event, at)`.execute(db)
      await sql`create index record_at on audit.record (at)`.execute(db)
      await sql`create table audit.checkpoint (
        seq int8 primary key,
        body text not null,
        hash text collate "C" not null,
        key text collate "C" not null,
        signature text collate "C" not null
      )`.execute(db)
    },
  },
}
