import type { Sealing } from '@openspine/platform/sealing'
import { type Database, type Store, together } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { Grant } from '../clients.ts'

/** A token that the store knows, with what it stands for. */
export interface FoundToken {
  readonly digest: string
  readonly family: string
  /** Throws when it was sealed with another key. */
  grant(): Grant
  readonly expiresAt: number
  readonly revoked: boolean
  /** Secrets of the grant, readable with the token. */
  readonly sealed?: string
}

export interface NewToken {
  readonly digest: string
  readonly expiresAt: number
  readonly sealed?: string
}

/** What a first issue stands for. */
export interface NewFamily {
  readonly id: string
  readonly at: number
  readonly grant: Grant
}

/** The tokens of one issue or refresh, as digests. */
export interface NewTokens {
  readonly access: NewToken
  readonly refresh?: NewToken
}

/** A refresh as the store decided it. */
export type Refreshed =
  | { readonly state: 'refreshed'; readonly firstIssuedAt: number; readonly count: number; readonly tokens: NewTokens }
  | { readonly state: 'unknown' | 'expired' }
  | { readonly state: 'reused'; readonly family: string }

/** Which families to revoke. */
export type Which =
  | { readonly family: string }
  | { readonly provider: string; readonly session: string }
  | { readonly application: string }

export interface TokenStore {
  version(): Promise<number>
  /** Families that were revoked after that version, and the version that this is the state of. */
  revokedSince(version: number): Promise<{ readonly version: number; readonly families: readonly string[] }>
  /** Several at once are one statement. */
  insert(family: NewFamily, tokens: NewTokens): Promise<void>
  /** Those of the digests that are known, and the version of revocations that the answer rests on. */
  find(
    digests: readonly string[],
  ): Promise<{ readonly version: number; readonly found: ReadonlyMap<string, FoundToken> }>
  /** Uses a refresh token: of several uses at once, one finds it unused. `tokens` tells what to put in its place. */
  refresh(
    digest: string,
    about: {
      readonly key: string
      readonly now: number
      tokens(
        family: { readonly firstIssuedAt: number; readonly grant: Grant },
        sealed: string | undefined,
      ): NewTokens | undefined
    },
  ): Promise<Refreshed>
  /** How many families were valid until now. */
  revoke(which: Which): Promise<number>
  /** Removes what expired before; at most `most` rows of each kind. How many rows went. */
  clean(before: number, most: number): Promise<number>
}

type Integer = string | number

async function versionOf(db: Database): Promise<number> {
  const { rows } = await sql<{ version: Integer }>`select version from gateway.token_head where id = 1`.execute(db)
  return Number(rows[0]?.version ?? 0)
}

async function insertTokens(db: Database, family: string, { access, refresh }: NewTokens): Promise<void> {
  await sql`
    insert into gateway.access_token (digest, family, expires_at, sealed)
    values (${access.digest}, ${family}, ${access.expiresAt}, ${access.sealed ?? null})`.execute(db)
  if (refresh !== undefined)
    await sql`
      insert into gateway.refresh_token (digest, family, expires_at, sealed)
      values (${refresh.digest}, ${family}, ${refresh.expiresAt}, ${refresh.sealed ?? null})`.execute(db)
}

/** First issues that one statement writes at most. */
const mostInserted = 200

interface FirstIssue {
  readonly family: NewFamily
  readonly tokens: NewTokens
}

const purposeOf = (family: string) => `gateway.token_family ${family}`

async function insertAll(db: Database, sealing: Sealing, issues: readonly FirstIssue[]): Promise<readonly undefined[]> {
  const column = <Value>(of: (issue: FirstIssue) => Value) => issues.map(of)
  const ids = column(({ family }) => family.id)
  const refreshed = issues.filter(({ tokens }) => tokens.refresh !== undefined)
  const refresh = <Value>(of: (token: NewToken) => Value) =>
    refreshed.flatMap(({ tokens }) => (tokens.refresh === undefined ? [] : [of(tokens.refresh)]))
  const families = sql`
    insert into gateway.token_family
      (id, application, api_key, provider, session, facts, first_issued_at, refresh_count, expires_at)
    select id, application, api_key, provider, session, facts, at, 0, expires_at
    from unnest(${ids}::uuid[], ${column(({ family }) => family.grant.application)}::uuid[],
      ${column(({ family }) => family.grant.key)}::uuid[], ${column(({ family }) => family.grant.provider)}::text[],
      ${column(({ family }) => family.grant.session ?? null)}::text[],
      ${column(({ family }) => sealing.seal(JSON.stringify(family.grant), purposeOf(family.id)))}::text[], ${column(({ family }) => family.at)}::bigint[],
      ${column(({ tokens }) => lastExpiry(tokens))}::bigint[])
      as made (id, application, api_key, provider, session, facts, at, expires_at)`
  const access = sql`
    insert into gateway.access_token (digest, family, expires_at, sealed)
    select * from unnest(${column(({ tokens }) => tokens.access.digest)}::text[], ${ids}::uuid[],
      ${column(({ tokens }) => tokens.access.expiresAt)}::bigint[],
      ${column(({ tokens }) => tokens.access.sealed ?? null)}::text[])`
  if (refreshed.length === 0) await sql`with families as (${families}) ${access}`.execute(db)
  else
    await sql`
      with families as (${families}), accesses as (${access})
      insert into gateway.refresh_token (digest, family, expires_at, sealed)
      select * from unnest(${refresh(({ digest }) => digest)}::text[],
        ${refreshed.map(({ family }) => family.id)}::uuid[], ${refresh(({ expiresAt }) => expiresAt)}::bigint[],
        ${refresh(({ sealed }) => sealed ?? null)}::text[])`.execute(db)
  return issues.map(() => undefined)
}

const lastExpiry = ({ access, refresh }: NewTokens) => Math.max(access.expiresAt, refresh?.expiresAt ?? 0)

function condition(which: Which) {
  if ('family' in which) return sql`id = ${which.family}`
  if ('session' in which) return sql`session = ${which.session} and provider = ${which.provider}`
  return sql`application = ${which.application}`
}

export function tokenStore({ db }: Pick<Store, 'db'>, sealing: Sealing): TokenStore {
  const insert = together((issues: readonly FirstIssue[]) => insertAll(db, sealing, issues), mostInserted)
  const grantOf = (family: string, facts: string) => JSON.parse(sealing.open(facts, purposeOf(family))) as Grant
  return {
    version: () => versionOf(db),
    async revokedSince(version) {
      // One statement, so that version and families are of one moment.
      const { rows } = await sql<{ version: Integer; id: string | null }>`
        select head.version, family.id
        from gateway.token_head head
        left join gateway.token_family family on family.revoked_version > ${version}
        where head.id = 1`.execute(db)
      return {
        version: Number(rows[0]?.version ?? 0),
        families: rows.flatMap(({ id }) => (id === null ? [] : [id])),
      }
    },
    insert: (family, tokens) => insert({ family, tokens }),
    async find(digests) {
      const { rows } = await sql<{
        version: Integer
        digest: string | null
        expires_at: Integer
        family: string
        facts: string
        revoked_version: Integer | null
        sealed: string | null
      }>`
        select head.version, found.*
        from gateway.token_head head
        left join (
          select token.digest, token.expires_at, token.family, token.sealed, family.facts, family.revoked_version
          from gateway.access_token token
          join gateway.token_family family on family.id = token.family
          where token.digest = any(${digests}::text[])
        ) found on true
        where head.id = 1`.execute(db)
      const found = new Map<string, FoundToken>()
      for (const { digest, family, facts, expires_at, revoked_version, sealed } of rows)
        if (digest !== null)
          found.set(digest, {
            digest,
            family,
            grant: () => grantOf(family, facts),
            expiresAt: Number(expires_at),
            revoked: revoked_version !== null,
            ...(sealed === null ? {} : { sealed }),
          })
      return { version: Number(rows[0]?.version ?? 0), found }
    },
    refresh: (digest, { key, now, tokens }) =>
      db.transaction().execute(async (transaction): Promise<Refreshed> => {
        // The row's lock makes uses take turns: whoever waited sees what the one before wrote.
        const { rows } = await sql<{
          family: string
          expires_at: Integer
          used_at: Integer | null
          sealed: string | null
        }>`
          select family, expires_at, used_at, sealed from gateway.refresh_token
          where digest = ${digest} for update`.execute(transaction)
        const token = rows[0]
        if (token === undefined) return { state: 'unknown' }
        const { rows: families } = await sql<{
          api_key: string
          facts: string
          first_issued_at: Integer
          refresh_count: number
          revoked_version: Integer | null
        }>`
          select api_key, facts, first_issued_at, refresh_count, revoked_version
          from gateway.token_family where id = ${token.family}`.execute(transaction)
        const family = families[0]
        if (family === undefined || family.api_key !== key) return { state: 'unknown' }
        if (token.used_at !== null) return { state: 'reused', family: token.family }
        if (family.revoked_version !== null) return { state: 'unknown' }
        const firstIssuedAt = Number(family.first_issued_at)
        const known = { firstIssuedAt, grant: grantOf(token.family, family.facts) }
        const fresh = Number(token.expires_at) <= now ? undefined : tokens(known, token.sealed ?? undefined)
        if (fresh === undefined) return { state: 'expired' }
        await sql`update gateway.refresh_token set used_at = ${now} where digest = ${digest}`.execute(transaction)
        await insertTokens(transaction, token.family, fresh)
        const count = family.refresh_count + 1
        await sql`
          update gateway.token_family
          set refresh_count = ${count}, expires_at = greatest(expires_at, ${lastExpiry(fresh)}::bigint)
          where id = ${token.family}`.execute(transaction)
        return { state: 'refreshed', firstIssuedAt, count, tokens: fresh }
      }),
    revoke: (which) =>
      db.transaction().execute(async (transaction) => {
        // The head first: its lock gives revocations an order, so that no process passes one over.
        await sql`update gateway.token_head set version = version + 1 where id = 1`.execute(transaction)
        const { rows } = await sql`
          update gateway.token_family
          set revoked_version = (select version from gateway.token_head where id = 1)
          where revoked_version is null and ${condition(which)}
          returning id`.execute(transaction)
        return rows.length
      }),
    async clean(before, most) {
      let gone = 0
      for (const table of ['access_token', 'refresh_token', 'token_family'] as const) {
        const key = sql.ref(table === 'token_family' ? 'id' : 'digest')
        const from = sql.table(`gateway.${table}`)
        const { numAffectedRows } = await sql`
          delete from ${from} where ${key} in (
            select ${key} from ${from} where expires_at < ${before} order by expires_at limit ${most}
          )`.execute(db)
        gone += Number(numAffectedRows ?? 0)
      }
      return gone
    },
  }
}
