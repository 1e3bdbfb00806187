import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { SmartcardSession } from './contract.ts'

/** Sessions and tickets as rows. `at` is the time of asking: a session is alive until it ends, expires, or is idle too long. */
export interface SessionStore {
  /** False where a session that is alive stands at the desk. */
  open(session: SmartcardSession): Promise<boolean>
  at(desk: string, at: number): Promise<SmartcardSession | undefined>
  /** The session with the role; undefined where it is no longer alive. */
  choose(session: string, roleId: string, at: number): Promise<SmartcardSession | undefined>
  /** False where the session is no longer alive. */
  addTicket(digest: string, session: string, at: number): Promise<boolean>
  /** Counts as use. */
  find(digest: string, at: number): Promise<SmartcardSession | undefined>
  /** The session that ended. */
  end(desk: string, at: number): Promise<SmartcardSession | undefined>
  /** Deletes what has long ended. */
  prune(before: number): Promise<void>
}

interface SessionRow {
  readonly id: string
  readonly desk: string
  readonly uid: string
  readonly role_id: string | null
  readonly mode: 'live' | 'training'
  readonly address: string | null
  readonly signed_on_at: string | number
  readonly expires_at: string | number
}

const sessionOf = (row: SessionRow | undefined): SmartcardSession | undefined =>
  row && {
    id: row.id,
    desk: row.desk,
    uid: row.uid,
    ...(row.role_id === null ? {} : { roleId: row.role_id }),
    mode: row.mode,
    ...(row.address === null ? {} : { address: row.address }),
    signedOnAt: Number(row.signed_on_at),
    expiresAt: Number(row.expires_at),
  }

const columns = sql`id, desk, uid, role_id, mode, address, signed_on_at, expires_at`
/** Use is written down once in so many milliseconds. */
const useMs = 30_000

export function sessionStore({ db }: Pick<Store, 'db'>, idleMs: number): SessionStore {
  const idleFrom = (at: number) => (idleMs === 0 ? 0 : at - idleMs)
  const alive = (at: number) => sql`ended_at is null and expires_at > ${at} and used_at > ${idleFrom(at)}`
  const first = async (query: ReturnType<typeof sql<SessionRow>>, on: Database = db) =>
    sessionOf((await query.execute(on)).rows[0])
  return {
    open: ({ id, desk, uid, roleId = null, mode, address = null, signedOnAt, expiresAt }) =>
      db.transaction().execute(async (transaction) => {
        // One that is dead of age does not keep the desk.
        await sql`
          update smartcard.session set ended_at = ${signedOnAt}
          where desk = ${desk} and ended_at is null and not (${alive(signedOnAt)})`.execute(transaction)
        const { rows } = await sql<{ id: string }>`
          insert into smartcard.session (id, desk, uid, role_id, mode, address, signed_on_at, used_at, expires_at)
          values (${id}, ${desk}, ${uid}, ${roleId}, ${mode}, ${address}, ${signedOnAt}, ${signedOnAt}, ${expiresAt})
          on conflict (desk) where ended_at is null do nothing
          returning id`.execute(transaction)
        return rows.length === 1
      }),
    at: (desk, at) => first(sql`select ${columns} from smartcard.session where desk = ${desk} and ${alive(at)}`),
    choose: (session, roleId, at) =>
      first(sql`
        update smartcard.session set role_id = ${roleId}
        where id = ${session} and ${alive(at)}
        returning ${columns}`),
    async addTicket(digest, session, at) {
      const { rows } = await sql<{ digest: string }>`
        insert into smartcard.ticket (digest, session, issued_at)
        select ${digest}, id, ${at} from smartcard.session where id = ${session} and ${alive(at)}
        returning digest`.execute(db)
      return rows.length === 1
    },
    async find(digest, at) {
      const found = await first(sql`
        select ${columns} from smartcard.session
        where id = (select session from smartcard.ticket where digest = ${digest}) and ${alive(at)}`)
      if (found === undefined || idleMs === 0) return found
      await sql`
        update smartcard.session set used_at = ${at}
        where id = ${found.id} and used_at < ${at - Math.min(useMs, idleMs / 2)}`.execute(db)
      return found
    },
    end: (desk, at) =>
      first(sql`
        update smartcard.session set ended_at = ${at}
        where desk = ${desk} and ${alive(at)}
        returning ${columns}`),
    prune: (before) =>
      db.transaction().execute(async (transaction) => {
        await sql`
          delete from smartcard.ticket
          where session in (select id from smartcard.session where expires_at < ${before})`.execute(transaction)
        await sql`delete from smartcard.session where expires_at < ${before}`.execute(transaction)
      }),
  }
}
