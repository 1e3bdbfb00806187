import type { Sealing } from '@openspine/platform/sealing'
import type { Database, Store } from '@openspine/platform/store'
import type { PasskeyAlgorithm, PasskeyKey } from '@openspine/standards/webauthn'
import { sql } from 'kysely'
import type { IssuerName, LogoutDelivery } from './contract.ts'

export interface RecordKey {
  readonly issuer: string
  readonly model: string
  /** Digest of the id (`digestOf`). */
  readonly id: string
}

export interface StoredRecord extends RecordKey {
  readonly payload: Readonly<Record<string, unknown>>
  readonly grantId?: string
  /** Uid of the sign-on that it belongs to, or is. */
  readonly session?: string
  readonly account?: string
  readonly expiresAt?: number
  readonly consumedAt?: number
}

export interface StoredKey {
  readonly issuer: string
  readonly algorithm: string
  readonly generation: number
  readonly kid: string
  /** PKCS#8, sealed. */
  readonly pem: string
  readonly publishedAt: number
  readonly activeAt: number
}

export interface LogoutRow extends LogoutDelivery {
  readonly issuer: IssuerName
  readonly subject: string
  readonly sid: string
}

/** A passkey of a member of staff. */
export interface StoredPasskey {
  /** base64url */
  readonly credential: string
  readonly account: string
  /** What the person calls it. */
  readonly name: string
  readonly key: PasskeyKey
  /** Model of the authenticator, as it says itself. */
  readonly aaguid: string
  readonly transports: readonly string[]
  readonly backedUp: boolean
  readonly counter: number
  readonly createdAt: number
  readonly usedAt?: number
}

/** All SQL of the identity providers. */
export interface SignInStore {
  put(record: StoredRecord): Promise<void>
  /** False when one with this key, not yet expired, is there: of several at once one succeeds. */
  insert(record: StoredRecord, now: number): Promise<boolean>
  find(key: RecordKey): Promise<StoredRecord | undefined>
  findSession(issuer: string, uid: string): Promise<StoredRecord | undefined>
  sessionsOf(issuer: string, account: string): Promise<readonly StoredRecord[]>
  /** False when it was consumed before, or is not there: of several at once one succeeds. */
  consume(key: RecordKey, now: number): Promise<boolean>
  remove(key: RecordKey): Promise<void>
  removeGrant(issuer: string, grantId: string): Promise<void>
  /** Removes the sign-on and everything given out in it, in one transaction with what `then` does; undefined when another did. */
  endSession(
    issuer: string,
    uid: string,
    then: (session: StoredRecord, db: Database) => Promise<void>,
  ): Promise<StoredRecord | undefined>
  /** Sign-ons whose life has ended. */
  endedSessions(now: number, limit: number): Promise<readonly StoredRecord[]>
  /** Removes what has expired, sign-ons excepted. */
  prune(now: number): Promise<void>
  /** Seals payloads that were written before payloads were sealed; how many. */
  sealOld(limit: number): Promise<number>
  keys(): Promise<readonly StoredKey[]>
  /** False when another process has made that generation. */
  addKey(key: StoredKey): Promise<boolean>
  removeKey(kid: string): Promise<void>
  /** Puts the sealed text of a key in the place of the clear one. */
  sealKey(kid: string, sealed: string): Promise<void>
  addLogout(
    row: Pick<LogoutRow, 'id' | 'issuer' | 'clientId' | 'subject' | 'sid'>,
    at: number,
    db: Database,
  ): Promise<void>
  logout(id: string): Promise<LogoutRow | undefined>
  tried(id: string, state: LogoutDelivery['state'], error: string | undefined): Promise<void>
  logouts(limit: number): Promise<readonly LogoutRow[]>
  /** False when there is one with this id, whosever it is. */
  addPasskey(passkey: StoredPasskey): Promise<boolean>
  passkey(credential: string): Promise<StoredPasskey | undefined>
  passkeysOf(account: string): Promise<readonly StoredPasskey[]>
  /** False when the counter has not gone on since the last use; one that does not count says 0 always. Of several at once one succeeds. */
  usedPasskey(use: Pick<StoredPasskey, 'credential' | 'account' | 'counter' | 'backedUp'>, at: number): Promise<boolean>
  removePasskey(account: string, credential: string): Promise<boolean>
}

interface RecordRow {
  readonly issuer: string
  readonly model: string
  readonly id: string
  /** A JSON text that is sealed; an object where it was written before payloads were sealed. */
  readonly payload: string | Readonly<Record<string, unknown>>
  readonly grant_id: string | null
  readonly session: string | null
  readonly account: string | null
  readonly expires_at: string | number | null
  readonly consumed_at: string | number | null
}

/** A payload that is put in another row is not opened there. */
const purposeOf = ({ issuer, model, id }: RecordKey) => `sign_in.record ${issuer} ${model} ${id}`

const payloadOf = (row: RecordRow, sealing: Sealing): StoredRecord['payload'] =>
  typeof row.payload === 'string' ? JSON.parse(sealing.open(row.payload, purposeOf(row))) : row.payload

const recordOf = (row: RecordRow, sealing: Sealing): StoredRecord => ({
  issuer: row.issuer,
  model: row.model,
  id: row.id,
  payload: payloadOf(row, sealing),
  ...(row.grant_id === null ? {} : { grantId: row.grant_id }),
  ...(row.session === null ? {} : { session: row.session }),
  ...(row.account === null ? {} : { account: row.account }),
  ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
  ...(row.consumed_at === null ? {} : { consumedAt: Number(row.consumed_at) }),
})

interface LogoutColumns {
  readonly id: string
  readonly issuer: IssuerName
  readonly client_id: string
  readonly subject: string
  readonly sid: string
  readonly attempts: number
  readonly state: LogoutDelivery['state']
  readonly last_error: string | null
}

const logoutOf = (row: LogoutColumns): LogoutRow => ({
  id: row.id,
  issuer: row.issuer,
  clientId: row.client_id,
  subject: row.subject,
  sid: row.sid,
  attempts: Number(row.attempts),
  state: row.state,
  ...(row.last_error === null ? {} : { lastError: row.last_error }),
})

interface PasskeyRow {
  readonly credential: string
  readonly account: string
  readonly name: string
  readonly algorithm: number
  readonly public_key: PasskeyKey['jwk']
  readonly aaguid: string
  readonly transports: readonly string[]
  readonly backed_up: boolean
  readonly counter: string | number
  readonly created_at: string | number
  readonly used_at: string | number | null
}

const passkeyOf = (row: PasskeyRow): StoredPasskey => ({
  credential: row.credential,
  account: row.account,
  name: row.name,
  key: { algorithm: Number(row.algorithm) as PasskeyAlgorithm, jwk: row.public_key },
  aaguid: row.aaguid,
  transports: row.transports,
  backedUp: row.backed_up,
  counter: Number(row.counter),
  createdAt: Number(row.created_at),
  ...(row.used_at === null ? {} : { usedAt: Number(row.used_at) }),
})

/** What payloads say of people (sessions, grants, NHS numbers of accounts) is sealed: a dump of the store tells nothing of it. */
export function signInStore(store: Pick<Store, 'db'>, sealing: Sealing): SignInStore {
  const { db } = store
  const passkeyColumns = sql`credential, account, name, algorithm, public_key, aaguid, transports, backed_up, counter,
    created_at, used_at`
  const columns = sql`issuer, model, id, payload, grant_id, session, account, expires_at, consumed_at`
  const sealed = (key: RecordKey, payload: StoredRecord['payload']) =>
    sql`${JSON.stringify(sealing.seal(JSON.stringify(payload), purposeOf(key)))}::jsonb`
  const values = (record: StoredRecord) => sql`(${record.issuer}, ${record.model}, ${record.id},
    ${sealed(record, record.payload)}, ${record.grantId ?? null}, ${record.session ?? null},
    ${record.account ?? null}, ${record.expiresAt ?? null}, null)`
  const whole = sql`payload = excluded.payload, grant_id = excluded.grant_id, session = excluded.session,
    account = excluded.account, expires_at = excluded.expires_at`
  const one = async (query: ReturnType<typeof sql<RecordRow>>, on: Database = db) => {
    const { rows } = await query.execute(on)
    return rows[0] === undefined ? undefined : recordOf(rows[0], sealing)
  }
  return {
    async put(record) {
      await sql`insert into sign_in.record (${columns}) values ${values(record)}
        on conflict (issuer, model, id) do update set ${whole}`.execute(db)
    },
    async insert(record, now) {
      const { rows } = await sql`insert into sign_in.record (${columns}) values ${values(record)}
        on conflict (issuer, model, id) do update set ${whole}
        where sign_in.record.expires_at is not null and sign_in.record.expires_at <= ${now}
        returning id`.execute(db)
      return rows.length > 0
    },
    find: ({ issuer, model, id }) =>
      one(sql<RecordRow>`select ${columns} from sign_in.record
        where issuer = ${issuer} and model = ${model} and id = ${id}`),
    findSession: (issuer, uid) =>
      one(sql<RecordRow>`select ${columns} from sign_in.record
        where issuer = ${issuer} and session = ${uid} and model = 'Session'`),
    async sessionsOf(issuer, account) {
      const { rows } = await sql<RecordRow>`select ${columns} from sign_in.record
        where issuer = ${issuer} and account = ${account} and model = 'Session'`.execute(db)
      return rows.map((row) => recordOf(row, sealing))
    },
    async consume({ issuer, model, id }, now) {
      const { rows } = await sql`update sign_in.record set consumed_at = ${now}
        where issuer = ${issuer} and model = ${model} and id = ${id} and consumed_at is null
        returning id`.execute(db)
      return rows.length > 0
    },
    async remove({ issuer, model, id }) {
      await sql`delete from sign_in.record
        where issuer = ${issuer} and model = ${model} and id = ${id}`.execute(db)
    },
    async removeGrant(issuer, grantId) {
      await sql`delete from sign_in.record where issuer = ${issuer} and grant_id = ${grantId}`.execute(db)
    },
    endSession: (issuer, uid, then) =>
      db.transaction().execute(async (transaction) => {
        const session = await one(
          sql<RecordRow>`delete from sign_in.record
            where issuer = ${issuer} and session = ${uid} and model = 'Session' returning ${columns}`,
          transaction,
        )
        if (session === undefined) return undefined
        await then(session, transaction)
        await sql`delete from sign_in.record where issuer = ${issuer} and session = ${uid}`.execute(transaction)
        return session
      }),
    async endedSessions(now, limit) {
      const { rows } = await sql<RecordRow>`select ${columns} from sign_in.record
        where model = 'Session' and expires_at <= ${now} order by expires_at limit ${limit}`.execute(db)
      return rows.map((row) => recordOf(row, sealing))
    },
    async prune(now) {
      await sql`delete from sign_in.record where expires_at <= ${now} and model <> 'Session'`.execute(db)
    },
    async sealOld(limit) {
      const { rows } = await sql<RecordRow>`select ${columns} from sign_in.record
        where jsonb_typeof(payload) = 'object' limit ${limit}`.execute(db)
      let number = 0
      for (const row of rows) {
        const { issuer, model, id } = row
        // Only as it was read: what another process has written meanwhile stays.
        const done = await sql`update sign_in.record set payload = ${sealed(row, payloadOf(row, sealing))}
          where issuer = ${issuer} and model = ${model} and id = ${id}
            and payload = ${JSON.stringify(row.payload)}::jsonb returning id`.execute(db)
        number += done.rows.length
      }
      return number
    },
    async keys() {
      const { rows } = await sql<{
        issuer: string
        algorithm: string
        generation: number
        kid: string
        pem: string
        published_at: string
        active_at: string
      }>`select issuer, algorithm, generation, kid, pem, published_at, active_at
        from sign_in.signing_key order by issuer, algorithm, generation`.execute(db)
      return rows.map(({ published_at, active_at, generation, ...row }) => ({
        ...row,
        generation: Number(generation),
        publishedAt: Number(published_at),
        activeAt: Number(active_at),
      }))
    },
    async addKey({ issuer, algorithm, generation, kid, pem, publishedAt, activeAt }) {
      const { rows } = await sql`
        insert into sign_in.signing_key (issuer, algorithm, generation, kid, pem, published_at, active_at)
        values (${issuer}, ${algorithm}, ${generation}, ${kid}, ${pem}, ${publishedAt}, ${activeAt})
        on conflict (issuer, algorithm, generation) do nothing returning kid`.execute(db)
      return rows.length > 0
    },
    async removeKey(kid) {
      await sql`delete from sign_in.signing_key where kid = ${kid}`.execute(db)
    },
    async sealKey(kid, sealed) {
      await sql`update sign_in.signing_key set pem = ${sealed} where kid = ${kid}`.execute(db)
    },
    async addLogout({ id, issuer, clientId, subject, sid }, at, on) {
      await sql`insert into sign_in.logout (id, issuer, client_id, subject, sid, created_at)
        values (${id}, ${issuer}, ${clientId}, ${subject}, ${sid}, ${at})`.execute(on)
    },
    async logout(id) {
      const { rows } = await sql<LogoutColumns>`
        select id, issuer, client_id, subject, sid, attempts, state, last_error
        from sign_in.logout where id = ${id}`.execute(db)
      return rows[0] === undefined ? undefined : logoutOf(rows[0])
    },
    async tried(id, state, error) {
      await sql`update sign_in.logout set attempts = attempts + 1, state = ${state}, last_error = ${error ?? null}
        where id = ${id}`.execute(db)
    },
    async logouts(limit) {
      const { rows } = await sql<LogoutColumns>`
        select id, issuer, client_id, subject, sid, attempts, state, last_error
        from sign_in.logout order by created_at desc, id limit ${limit}`.execute(db)
      return rows.map(logoutOf)
    },
    async addPasskey({ credential, account, name, key, aaguid, transports, backedUp, counter, createdAt }) {
      const { rows } = await sql`
        insert into sign_in.passkey (${passkeyColumns})
        values (${credential}, ${account}, ${name}, ${key.algorithm}, ${JSON.stringify(key.jwk)}::jsonb, ${aaguid},
          ${JSON.stringify(transports)}::jsonb, ${backedUp}, ${counter}, ${createdAt}, null)
        on conflict (credential) do nothing returning credential`.execute(db)
      return rows.length > 0
    },
    async passkey(credential) {
      const { rows } = await sql<PasskeyRow>`select ${passkeyColumns} from sign_in.passkey
        where credential = ${credential}`.execute(db)
      return rows[0] === undefined ? undefined : passkeyOf(rows[0])
    },
    async passkeysOf(account) {
      const { rows } = await sql<PasskeyRow>`select ${passkeyColumns} from sign_in.passkey
        where account = ${account} order by created_at, credential`.execute(db)
      return rows.map(passkeyOf)
    },
    async usedPasskey({ credential, account, counter, backedUp }, at) {
      const { rows } = await sql`update sign_in.passkey
        set counter = ${counter}, backed_up = ${backedUp}, used_at = ${at}
        where credential = ${credential} and account = ${account}
          and (counter < ${counter} or (counter = 0 and ${counter} = 0))
        returning credential`.execute(db)
      return rows.length > 0
    },
    async removePasskey(account, credential) {
      const { rows } = await sql`delete from sign_in.passkey
        where account = ${account} and credential = ${credential} returning credential`.execute(db)
      return rows.length > 0
    },
  }
}
