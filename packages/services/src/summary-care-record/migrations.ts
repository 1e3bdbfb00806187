import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Everything is only ever added. `version` counts what is kept under one number: of two writers who meet, one has it.
 * `request` keeps that a write was done, for whoever sends it again.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-summaries': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table "summary-care-record".document (
          nhs_number text collate "C" not null,
          version integer not null,
          id text collate "C" not null,
          at bigint not null,
          replaces text,
          actor text not null,
          content text not null,
          primary key (nhs_number, version)
        )`,
        sql`create unique index document_id on "summary-care-record".document (nhs_number, id)`,
        sql`create table "summary-care-record".permission (
          nhs_number text collate "C" not null,
          version integer not null,
          code text collate "C" not null,
          at bigint not null,
          actor text not null,
          primary key (nhs_number, version)
        )`,
        sql`create table "summary-care-record".alert (
          nhs_number text collate "C" not null,
          id uuid not null,
          at bigint not null,
          organisation text collate "C" not null,
          content text not null,
          primary key (nhs_number, id)
        )`,
        sql`create index alert_at on "summary-care-record".alert (at)`,
        sql`create table "summary-care-record".request (
          nhs_number text collate "C" not null,
          caller text collate "C" not null,
          operation text collate "C" not null,
          id text collate "C" not null,
          expires_at bigint not null,
          primary key (nhs_number, caller, operation, id)
        )`,
        sql`create index request_expiry on "summary-care-record".request (expires_at)`,
      ])
        await statement.execute(db)
    },
  },
}
