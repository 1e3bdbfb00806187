import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `record` holds what the provider library keeps (sessions, codes, tokens, grants), under digests: who reads the table
 * learns no bearer secret. `expires_at` is null for what lives until it is deleted. Times in milliseconds.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-providers': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table sign_in.record (
          issuer text collate "C" not null,
          model text collate "C" not null,
          id text collate "C" not null,
          payload jsonb not null,
          grant_id text collate "C",
          session text collate "C",
          account text collate "C",
          expires_at bigint,
          consumed_at bigint,
          primary key (issuer, model, id)
        )`,
        sql`create index record_grant on sign_in.record (issuer, grant_id) where grant_id is not null`,
        sql`create index record_session on sign_in.record (issuer, session) where session is not null`,
        sql`create index record_account on sign_in.record (issuer, account) where account is not null`,
        sql`create index record_expiry on sign_in.record (expires_at) where expires_at is not null`,
        sql`create table sign_in.signing_key (
          issuer text collate "C" not null,
          algorithm text collate "C" not null,
          generation integer not null,
          kid text collate "C" not null,
          pem text not null,
          published_at bigint not null,
          active_at bigint not null,
          primary key (issuer, algorithm, generation)
        )`,
        sql`create table sign_in.logout (
          id uuid primary key,
          issuer text collate "C" not null,
          client_id text collate "C" not null,
          subject text collate "C" not null,
          sid text collate "C" not null,
          created_at bigint not null,
          attempts integer not null default 0,
          state text collate "C" not null default 'waiting',
          last_error text
        )`,
        sql`create index logout_created on sign_in.logout (created_at)`,
      ])
        await statement.execute(db)
    },
  },
  /** `credential` is the id that the authenticator gave it, in base64url; `public_key` a JSON Web Key. */
  '002-passkeys': {
    async up(db: Kysely<unknown>) {
      for (const statement of [
        sql`create table sign_in.passkey (
          credential text collate "C" primary key,
          account text collate "C" not null,
          name text not null,
          algorithm integer not null,
          public_key jsonb not null,
          aaguid text collate "C" not null,
          transports jsonb not null,
          backed_up boolean not null,
          counter bigint not null,
          created_at bigint not null,
          used_at bigint
        )`,
        sql`create index passkey_account on sign_in.passkey (account, created_at)`,
      ])
        await statement.execute(db)
    },
  },
}
