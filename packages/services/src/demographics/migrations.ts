import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * One row a person, and rows of folded keys beside it, so that the index which a trace reads stays small
 * and in memory (demographics specification §27). Days are integers `yyyymmdd`; folded text has C
 * collation, so that ranges over prefixes use the index on every engine. People who are superseded,
 * invalidated or very restricted have no keys; restricted people have none that tell a place.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-people': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table demographics.person (
          nhs bigint primary key,
          version integer not null,
          status text not null check (status in ('current', 'superseded', 'invalidated')),
          superseded_by bigint,
          sensitivity text not null check (sensitivity in ('U', 'R', 'V')),
          death integer,
          gp text collate "C",
          as_is boolean not null,
          document text not null,
          past text,
          check ((status = 'superseded') = (superseded_by is not null))
        )`,
        sql`create table demographics.name_key (
          nhs bigint not null,
          item smallint not null,
          kind smallint not null,
          birth integer not null,
          gender text,
          family text collate "C" not null,
          given text collate "C" not null,
          family_sound text collate "C" not null,
          given_sounds text collate "C" not null,
          primary key (nhs, item)
        )`,
        sql`create table demographics.address_key (
          nhs bigint not null,
          item smallint not null,
          kind smallint not null,
          birth integer not null,
          postcode text collate "C" not null,
          primary key (nhs, item)
        )`,
        sql`create table demographics.telecom_key (
          nhs bigint not null,
          item smallint not null,
          kind text not null,
          value text collate "C" not null,
          is_current boolean not null,
          primary key (nhs, item)
        )`,
        sql`create index name_key_birth on demographics.name_key (birth, family)
          include (nhs, kind, given, family_sound, gender)`,
        sql`create index name_key_family on demographics.name_key (family, birth) include (nhs, kind, given, gender)`,
        sql`create index name_key_sound on demographics.name_key (family_sound, birth) include (nhs, given_sounds)`,
        sql`create index address_key_postcode on demographics.address_key (postcode, birth) include (nhs, kind)`,
        sql`create index telecom_key_value on demographics.telecom_key (kind, value) include (nhs, is_current)`,
      ])
        await statement.execute(db)
    },
  },
  /**
   * `change` is the history: who changed what, and the record as it stood before. `request` keeps the answers to writes,
   * `outbox` the events of changes that are committed, `allocation` the next number that was never given out.
   */
  '002-changes': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`alter table demographics.person add column beside text`,
        sql`create table demographics.change (
          nhs bigint not null,
          version integer not null,
          at bigint not null,
          kind text not null,
          members text not null,
          author text not null,
          request_id text,
          document_before text,
          past_before text,
          primary key (nhs, version)
        )`,
        sql`create table demographics.request (
          caller text not null,
          id text not null,
          at bigint not null,
          status smallint not null,
          body text not null,
          headers text not null,
          shown bigint,
          primary key (caller, id)
        )`,
        sql`create index request_at on demographics.request (at)`,
        sql`create table demographics.outbox (
          nhs bigint not null,
          version integer not null,
          ordinal smallint not null,
          at bigint not null,
          code text not null,
          facts text not null,
          primary key (nhs, version, ordinal)
        )`,
        sql`create index outbox_at on demographics.outbox (at, nhs, version, ordinal)`,
        sql`create table demographics.allocation (
          range text primary key,
          next bigint not null
        )`,
      ])
        await statement.execute(db)
    },
  },
  /**
   * `registration` counts the people who were registered here by date of birth: two registrations of one person see the
   * same count, and one of them is written. `birth` finds the notifications of one birth by the mother.
   */
  '003-registration': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table demographics.registration (
          birth integer primary key,
          round integer not null
        )`,
        sql`create table demographics.birth (
          nhs bigint primary key,
          mother bigint not null,
          day integer not null,
          birth_order smallint not null
        )`,
        sql`create index birth_mother on demographics.birth (mother, day)`,
      ])
        await statement.execute(db)
    },
  },
  /** Who was merged into whom, asked by whatever is kept about a person elsewhere under their numbers. */
  '004-merges': {
    async up(db: Kysely<unknown>) {
      await sql`create index person_superseded_by on demographics.person (superseded_by)
        where superseded_by is not null`.execute(db)
    },
  },
}
