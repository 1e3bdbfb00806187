import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `head` is raised in the transaction of every change, so that one small query tells a process whether its copy is
 * the newest. A revoked key keeps its row. Of a key only the SHA-256 digest is stored: keys are 192 random bits, so
 * nothing is gained by a slow hash.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-applications': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table gateway.head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into gateway.head (id, version) values (1, 0)`,
        sql`create table gateway.application (
          id uuid primary key,
          name text collate "C" not null,
          created_at bigint not null,
          created_by text not null
        )`,
        sql`create table gateway.api_key (
          id uuid primary key,
          application uuid not null,
          digest text collate "C" not null,
          kind text not null,
          created_at bigint not null,
          created_by text not null,
          revoked_at bigint,
          revoked_by text
        )`,
        sql`create unique index api_key_digest on gateway.api_key (digest)`,
        sql`create index api_key_application on gateway.api_key (application)`,
      ])
        await statement.execute(db)
    },
  },
  // What an application is as an OAuth client. A secret and a token are random, so their SHA-256 is enough.
  '002-clients': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`alter table gateway.application
          add column status text not null default 'approved',
          add column facts text not null default '{}'`,
        sql`alter table gateway.api_key add column secret_digest text collate "C"`,
        sql`create table gateway.product (
          name text collate "C" primary key,
          apis text not null,
          scopes text not null,
          approval text not null,
          created_at bigint not null,
          created_by text not null
        )`,
        sql`create table gateway.subscription (
          application uuid not null,
          product text collate "C" not null,
          status text not null,
          changed_at bigint not null,
          changed_by text not null,
          primary key (application, product)
        )`,
      ])
        await statement.execute(db)
    },
  },
  // Everything that came from one first issue is a family: revoked together. `token_head` is raised by each revocation.
  // `sealed` is what only the holder of the token can have read: tokens of the identity provider.
  '003-tokens': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table gateway.token_head (
          id smallint primary key check (id = 1),
          version bigint not null
        )`,
        sql`insert into gateway.token_head (id, version) values (1, 0)`,
        sql`create table gateway.token_family (
          id uuid primary key,
          application uuid not null,
          api_key uuid not null,
          provider text collate "C" not null,
          session text collate "C",
          facts text not null,
          first_issued_at bigint not null,
          refresh_count integer not null,
          expires_at bigint not null,
          revoked_version bigint
        )`,
        sql`create index token_family_application on gateway.token_family (application)`,
        sql`create index token_family_session on gateway.token_family (session) where session is not null`,
        sql`create index token_family_revoked on gateway.token_family (revoked_version) where revoked_version is not null`,
        sql`create index token_family_expiry on gateway.token_family (expires_at)`,
        sql`create table gateway.access_token (
          digest text collate "C" primary key,
          family uuid not null,
          expires_at bigint not null,
          sealed text
        )`,
        sql`create index access_token_expiry on gateway.access_token (expires_at)`,
        sql`create table gateway.refresh_token (
          digest text collate "C" primary key,
          family uuid not null,
          expires_at bigint not null,
          used_at bigint,
          sealed text
        )`,
        sql`create index refresh_token_expiry on gateway.refresh_token (expires_at)`,
      ])
        await statement.execute(db)
    },
  },
  // Whose applications are, and what they did of late. `key_use`: a key, its secret (both by the key's id), or a public
  // key by its kid. `rate_count`: requests in a window, of all processes together.
  '004-owners-and-activity': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table gateway.owner (
          name text collate "C" primary key,
          kind text not null,
          status text not null,
          changed_at bigint not null,
          changed_by text not null
        )`,
        sql`create table gateway.key_use (
          application uuid not null,
          kind text collate "C" not null,
          name text collate "C" not null,
          first_at bigint not null,
          last_at bigint not null,
          primary key (application, kind, name)
        )`,
        sql`create table gateway.refusal (
          application uuid not null,
          id text collate "C" not null,
          at bigint not null,
          facts text not null,
          primary key (application, id)
        )`,
        sql`create index refusal_newest on gateway.refusal (application, at)`,
        sql`create table gateway.rate_count (
          who text collate "C" not null,
          starts_at bigint not null,
          made bigint not null,
          ends_at bigint not null,
          primary key (who, starts_at)
        )`,
        sql`create index rate_count_end on gateway.rate_count (ends_at)`,
      ])
        await statement.execute(db)
    },
  },
}
