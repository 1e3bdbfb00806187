import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { Application, KeyKind } from './contract.ts'

/** A key row with what is needed to recognise it. */
export interface StoredKey {
  readonly id: string
  readonly application: string
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string
  readonly kind: KeyKind
  readonly createdAt: number
  readonly revokedAt?: number
}

export interface StoredApplications {
  readonly version: number
  readonly applications: readonly Omit<Application, 'keys'>[]
  readonly keys: readonly StoredKey[]
}

interface By {
  readonly at: number
  readonly by: string
}

/** Applications and keys as rows. Changes of all processes take turns. */
export interface ApplicationStore {
  version(): Promise<number>
  /** Everything, as of one version. */
  all(): Promise<StoredApplications>
  create(
    application: Omit<Application, 'keys'>,
    key: StoredKey,
    about: By & { readonly most: number },
  ): Promise<'created' | 'full'>
  addKey(key: StoredKey, about: By & { readonly most: number }): Promise<'added' | 'unknown' | 'full'>
  /** The key that is no longer valid; undefined when there was none. */
  revoke(id: string, about: By): Promise<StoredKey | undefined>
}

interface KeyRow {
  readonly id: string
  readonly application: string
  readonly digest: string
  readonly kind: KeyKind
  readonly created_at: string | number
  readonly revoked_at: string | number | null
}

const keyOf = ({ id, application, digest, kind, created_at, revoked_at }: KeyRow): StoredKey => ({
  id,
  application,
  digest,
  kind,
  createdAt: Number(created_at),
  ...(revoked_at === null ? {} : { revokedAt: Number(revoked_at) }),
})

async function versionOf(db: Database): Promise<number> {
  const { rows } = await sql<{ version: string | number }>`select version from gateway.head where id = 1`.execute(db)
  return Number(rows[0]?.version ?? 0)
}

/** Raises the version; the row lock keeps others out until the transaction ends. */
const raise = (db: Database) => sql`update gateway.head set version = version + 1 where id = 1`.execute(db)

async function count(db: Database, from: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await sql<{ number: string | number }>`select count(*) as number from ${from}`.execute(db)
  return Number(rows[0]?.number ?? 0)
}

export function applicationStore(store: Pick<Store, 'db'>): ApplicationStore {
  const { db } = store
  const insertKey = (transaction: Database, key: StoredKey, by: string) =>
    sql`
    insert into gateway.api_key (id, application, digest, kind, created_at, created_by)
    values (${key.id}, ${key.application}, ${key.digest}, ${key.kind}, ${key.createdAt}, ${by})`.execute(transaction)
  return {
    version: () => versionOf(db),
    all: () =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (transaction) => {
          const version = await versionOf(transaction)
          const { rows: applications } = await sql<{ id: string; name: string; created_at: string | number }>`
            select id, name, created_at from gateway.application order by created_at, id`.execute(transaction)
          const { rows: keys } = await sql<KeyRow>`
            select id, application, digest, kind, created_at, revoked_at
            from gateway.api_key order by created_at, id`.execute(transaction)
          return {
            version,
            applications: applications.map(({ id, name, created_at }) => ({ id, name, createdAt: Number(created_at) })),
            keys: keys.map(keyOf),
          }
        }),
    create: (application, key, { at, by, most }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        if ((await count(transaction, sql`gateway.application`)) >= most) return 'full'
        await sql`
          insert into gateway.application (id, name, created_at, created_by)
          values (${application.id}, ${application.name}, ${at}, ${by})`.execute(transaction)
        await insertKey(transaction, key, by)
        return 'created'
      }),
    addKey: (key, { by, most }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        if ((await count(transaction, sql`gateway.application where id = ${key.application}`)) === 0) return 'unknown'
        if ((await count(transaction, sql`gateway.api_key where application = ${key.application}`)) >= most)
          return 'full'
        await insertKey(transaction, key, by)
        return 'added'
      }),
    revoke: (id, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        const { rows } = await sql<KeyRow>`
          update gateway.api_key set revoked_at = ${at}, revoked_by = ${by}
          where id = ${id} and revoked_at is null
          returning id, application, digest, kind, created_at, revoked_at`.execute(transaction)
        return rows[0] === undefined ? undefined : keyOf(rows[0])
      }),
  }
}
