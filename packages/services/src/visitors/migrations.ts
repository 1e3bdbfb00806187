import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Decisions are only ever added. `version` counts those about one person; which of them holds is told by `effective_at`. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-statuses': {
    async up(db: Kysely<unknown>) {
      await sql`create table visitors.status (
        nhs_number text collate "C" not null,
        version integer not null,
        id uuid not null,
        basic text collate "C" not null,
        category text collate "C" not null,
        source text collate "C" not null,
        effective_at bigint not null,
        recorded_at bigint not null,
        recorded_by text not null,
        primary key (nhs_number, version)
      )`.execute(db)
    },
  },
}
