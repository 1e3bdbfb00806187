import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `head` is raised in the transaction of every change, so that one small query tells a process whether its copy is
 * the newest. A withdrawn agreement keeps its row: who agreed and who withdrew stays known.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-agreements': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table registration.head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into registration.head (id, version) values (1, 0)`,
        sql`create table registration.agreement (
          id uuid primary key,
          consumer text collate "C" not null,
          provider text collate "C" not null,
          interaction text collate "C" not null,
          agreed_at bigint not null,
          agreed_by text not null,
          withdrawn_at bigint,
          withdrawn_by text,
          version bigint not null
        )`,
        sql`create unique index agreement_in_force on registration.agreement (consumer, provider, interaction)
          where withdrawn_at is null`,
        sql`create index agreement_version on registration.agreement (version)`,
      ])
        await statement.execute(db)
    },
  },
  /**
   * `sequence` gives out numbers in the transaction that uses them. `outbox` names the endpoints whose state the directory
   * may not show yet: a row is written with the change and removed when the directory has it.
   */
  '002-endpoints': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table registration.sequence (name text collate "C" primary key, next bigint not null)`,
        sql`insert into registration.sequence (name, next)
          values ('asid', 200000100000), ('party key', 850000), ('product key', 1)`,
        sql`create table registration.team (
          id uuid primary key,
          ods_code text collate "C" not null,
          name text not null,
          created_at bigint not null,
          created_by text not null,
          deleted_at bigint,
          deleted_by text
        )`,
        sql`create table registration.team_key (
          value text collate "C" primary key,
          type text not null,
          team_id uuid not null
        )`,
        sql`create index team_key_team on registration.team_key (team_id)`,
        sql`create table registration.product (
          id text collate "C" primary key,
          position bigint not null unique,
          team_id uuid,
          manufacturer text collate "C" not null,
          name text collate "C" not null,
          version text collate "C",
          kinds text not null,
          product_key text not null,
          party_key text collate "C" unique,
          created_at bigint not null,
          created_by text not null,
          deleted_at bigint,
          deleted_by text
        )`,
        sql`create unique index product_version on registration.product (manufacturer, name, version)
          where deleted_at is null and version is not null`,
        sql`create index product_team on registration.product (team_id)`,
        sql`create table registration.interaction_set (
          id uuid primary key,
          product_id text collate "C" not null,
          position bigint not null,
          name text collate "C" not null,
          use text not null check (use in ('messages', 'additional')),
          interactions text not null,
          created_at bigint not null,
          created_by text not null,
          unique (product_id, name)
        )`,
        sql`create table registration.endpoint (
          id uuid primary key,
          position bigint not null unique,
          state text not null,
          kind text not null check (kind in ('CMA', 'MHS', 'AS')),
          ods_code text collate "C" not null,
          product_id text collate "C" not null,
          manufacturer text collate "C" not null,
          fqdn text collate "C",
          party_key text collate "C",
          asid text collate "C" unique,
          gp_connect boolean,
          provider boolean not null,
          asked text not null,
          entries text not null,
          certificate text,
          version bigint not null,
          created_at bigint not null
        )`,
        sql`create index endpoint_ods_code on registration.endpoint (ods_code, product_id)`,
        sql`create index endpoint_provider on registration.endpoint (ods_code) where provider`,
        sql`create index endpoint_product on registration.endpoint (product_id)`,
        sql`create index endpoint_fqdn on registration.endpoint (fqdn)`,
        sql`create index endpoint_party_key on registration.endpoint (party_key, gp_connect)`,
        sql`create unique index endpoint_handler on registration.endpoint (party_key)
          where kind <> 'AS' and state in ('approved', 'suspended')`,
        sql`create table registration.step (
          endpoint_id uuid not null,
          number integer not null,
          step text not null,
          state text not null,
          at bigint not null,
          made_by text not null,
          why text,
          primary key (endpoint_id, number)
        )`,
        sql`create table registration.outbox (
          endpoint_id uuid primary key,
          version bigint not null,
          at bigint not null
        )`,
        sql`create index outbox_at on registration.outbox (at)`,
      ])
        await statement.execute(db)
    },
  },
}
