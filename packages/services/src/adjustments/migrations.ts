import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `patient` is raised by every change: its row lock makes the changes of one patient take turns. Of an item the present
 * state stands in `item`, each state that it had in `item_version`. `single` marks those of which one may be active.
 * `request` keeps what came of a write, for whoever sends it again; `answer` what nobody waited for.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-items': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table adjustments.patient (
          nhs_number text collate "C" primary key,
          version bigint not null
        )`,
        sql`create table adjustments.item (
          nhs_number text collate "C" not null,
          id uuid not null,
          kind text collate "C" not null,
          place bigint not null,
          version integer not null,
          active boolean not null,
          single boolean not null,
          content text not null,
          primary key (nhs_number, id)
        )`,
        sql`create unique index item_single on adjustments.item (nhs_number, kind) where active and single`,
        sql`create table adjustments.item_version (
          nhs_number text collate "C" not null,
          id uuid not null,
          version integer not null,
          active boolean not null,
          content text not null,
          primary key (nhs_number, id, version)
        )`,
        sql`create table adjustments.answer (
          id uuid primary key,
          expires_at bigint not null,
          content text not null
        )`,
        sql`create index answer_expiry on adjustments.answer (expires_at)`,
        sql`create table adjustments.request (
          nhs_number text collate "C" not null,
          caller text collate "C" not null,
          operation text collate "C" not null,
          id text collate "C" not null,
          expires_at bigint not null,
          result text not null,
          primary key (nhs_number, caller, operation, id)
        )`,
        sql`create index request_expiry on adjustments.request (expires_at)`,
      ])
        await statement.execute(db)
    },
  },
}
