import { type Store, together } from '@openspine/platform/store'
import { sql } from 'kysely'

/** A code as it is redeemed. */
export interface ClaimedCode {
  readonly sealed: string
}

/** Things for using once, as rows. Each use is one statement, so that of several at once one succeeds. */
export interface SingleUse {
  seen(assertion: string): Promise<boolean>
  /** False when it was there before. */
  remember(assertion: string, expiresAt: number): Promise<boolean>
  keepSignIn(signIn: { readonly digest: string; readonly sealed: string; readonly expiresAt: number }): Promise<void>
  /** What was kept, which is gone with it; undefined when there is none, or it has expired. */
  takeSignIn(digest: string, now: number): Promise<string | undefined>
  keepCode(code: {
    readonly digest: string
    readonly clientKey: string
    readonly redirectUri: string
    readonly session: string | undefined
    readonly sealed: string
    readonly expiresAt: number
    readonly keptUntil: number
  }): Promise<void>
  claimCode(code: CodeUse): Promise<ClaimedCode | undefined>
  /** Notes what a claimed code gave; true when somebody has tried it again meanwhile. */
  codeGave(digest: string, issued: string): Promise<boolean>
  /** Notes that a used code was used again; what it gave the first time, when that is known already. */
  codeReused(use: CodeUse): Promise<string | undefined>
  /** Ends codes of a session that nobody has redeemed; how many. */
  endCodes(session: string): Promise<number>
  /** Deletes some of what has expired; how many rows. */
  sweep(now: number): Promise<number>
}

interface CodeUse {
  readonly digest: string
  readonly clientKey: string
  readonly redirectUri: string
  readonly now: number
}

/** Rows of one table that one sweep deletes at most. */
const mostSwept = 1_000

/** Assertions that one statement keeps at most. */
const mostKept = 500

interface Assertion {
  readonly digest: string
  readonly expiresAt: number
}

export function singleUse(store: Pick<Store, 'db'>): SingleUse {
  const { db } = store

  /** Which of these were not there before: of one that is there twice, one. */
  const keep = together(async (assertions: readonly Assertion[]): Promise<readonly boolean[]> => {
    // In one order everywhere, so that two processes never wait for each other.
    const sorted = assertions.toSorted((one, other) => (one.digest < other.digest ? -1 : 1))
    const { rows } = await sql<{ digest: string }>`
      insert into identity.assertion (digest, expires_at)
      select * from unnest(
        ${sorted.map(({ digest }) => digest)}::text[], ${sorted.map(({ expiresAt }) => expiresAt)}::bigint[])
      on conflict (digest) do nothing returning digest`.execute(db)
    const kept = new Set(rows.map(({ digest }) => digest))
    return assertions.map(({ digest }) => kept.delete(digest))
  }, mostKept)

  return {
    async seen(assertion) {
      const { rows } = await sql`select 1 from identity.assertion where digest = ${assertion}`.execute(db)
      return rows.length > 0
    },
    remember: (digest, expiresAt) => keep({ digest, expiresAt }),
    async keepSignIn({ digest, sealed, expiresAt }) {
      await sql`
        insert into identity.sign_in (digest, sealed, expires_at)
        values (${digest}, ${sealed}, ${expiresAt})`.execute(db)
    },
    async takeSignIn(digest, now) {
      const { rows } = await sql<{ sealed: string; expires_at: string | number }>`
        delete from identity.sign_in where digest = ${digest} returning sealed, expires_at`.execute(db)
      const [row] = rows
      return row === undefined || Number(row.expires_at) <= now ? undefined : row.sealed
    },
    async keepCode({ digest, clientKey, redirectUri, session, sealed, expiresAt, keptUntil }) {
      await sql`
        insert into identity.code (digest, client_key, redirect_uri, session, sealed, expires_at, kept_until)
        values (${digest}, ${clientKey}, ${redirectUri}, ${session ?? null}, ${sealed}, ${expiresAt}, ${keptUntil})
      `.execute(db)
    },
    async claimCode({ digest, clientKey, redirectUri, now }) {
      const { rows } = await sql<{ sealed: string }>`
        update identity.code set used_at = ${now}
        where digest = ${digest} and client_key = ${clientKey} and redirect_uri = ${redirectUri}
          and used_at is null and expires_at > ${now}
        returning sealed`.execute(db)
      return rows[0]
    },
    async codeGave(digest, issued) {
      const { rows } = await sql<{ reused_at: string | number | null }>`
        update identity.code set issued = ${issued}, sealed = '' where digest = ${digest}
        returning reused_at`.execute(db)
      return rows[0]?.reused_at != null
    },
    async codeReused({ digest, clientKey, redirectUri, now }) {
      const { rows } = await sql<{ issued: string | null }>`
        update identity.code set reused_at = ${now}
        where digest = ${digest} and client_key = ${clientKey} and redirect_uri = ${redirectUri}
          and used_at is not null
        returning issued`.execute(db)
      return rows[0]?.issued ?? undefined
    },
    async endCodes(session) {
      const { rows } = await sql`
        delete from identity.code where session = ${session} and used_at is null returning 1`.execute(db)
      return rows.length
    },
    async sweep(now) {
      let swept = 0
      for (const [table, until] of [
        ['assertion', 'expires_at'],
        ['sign_in', 'expires_at'],
        ['code', 'kept_until'],
      ] as const) {
        const from = sql.table(`identity.${table}`)
        const { rows } = await sql`
          delete from ${from} where digest in (
            select digest from ${from} where ${sql.ref(until)} <= ${now} limit ${mostSwept}) returning 1`.execute(db)
        swept += rows.length
      }
      return swept
    },
  }
}
