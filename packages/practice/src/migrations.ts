import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Tables of the schema `practice`. Documents are text, not jsonb: a record may hold characters that jsonb refuses. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001_practices_and_patients': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table practice.practice (
          ods_code text collate "C" not null primary key,
          service_root text collate "C" not null unique,
          document text not null,
          version integer not null
        )`.execute(db)
      await sql`
        create table practice.patient (
          ods_code text collate "C" not null,
          nhs_number text collate "C" not null,
          id text collate "C" not null,
          document text not null,
          version integer not null,
          primary key (ods_code, nhs_number)
        )`.execute(db)
    },
  },
}
