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
}
