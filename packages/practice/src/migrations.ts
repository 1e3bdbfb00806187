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
  '0002_services': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table practice.service (
          service_root text collate "C" not null primary key,
          ods_code text collate "C" not null
        )`.execute(db)
      await sql`create index service_by_practice on practice.service (ods_code)`.execute(db)
      await sql`
        insert into practice.service (service_root, ods_code)
        select service_root, ods_code from practice.practice`.execute(db)
      await sql`alter table practice.practice drop column service_root`.execute(db)
      await sql`create unique index patient_by_id on practice.patient (ods_code, id)`.execute(db)
    },
  },
  '0003_loaded_patients': {
    async up(db: Kysely<unknown>) {
      await sql`alter table practice.patient add column loaded text collate "C"`.execute(db)
    },
  },
  '0004_appointments': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table practice.slot (
          ods_code text collate "C" not null,
          id text collate "C" not null,
          schedule_id text collate "C" not null,
          starts_at bigint not null,
          ends_at bigint not null,
          status text not null,
          appointment_id text collate "C",
          bookable boolean not null,
          traits text not null,
          version integer not null,
          primary key (ods_code, id),
          unique (ods_code, schedule_id, starts_at)
        )`.execute(db)
      await sql`create index slot_by_start on practice.slot (ods_code, starts_at)`.execute(db)
      await sql`
        create table practice.appointment (
          ods_code text collate "C" not null,
          id text collate "C" not null,
          patient_id text collate "C" not null,
          starts_at bigint not null,
          ends_at bigint not null,
          status text not null,
          document text not null,
          version integer not null,
          primary key (ods_code, id)
        )`.execute(db)
      await sql`
        create index appointment_by_patient on practice.appointment (ods_code, patient_id, starts_at)`.execute(db)
    },
  },
  '0005_documents': {
    async up(db: Kysely<unknown>) {
      await sql`
        create table practice.document_content (
          ods_code text collate "C" not null,
          id text collate "C" not null,
          nhs_number text collate "C" not null,
          content bytea not null,
          primary key (ods_code, id)
        )`.execute(db)
      await sql`
        create index document_content_by_patient on practice.document_content (ods_code, nhs_number)`.execute(db)
    },
  },
}
