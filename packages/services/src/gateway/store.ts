import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { Product, Subscription } from './clients.ts'
import type { Application, ApplicationFacts, KeyKind, Owner } from './contract.ts'

/** A key row with what is needed to recognise it. */
export interface StoredKey {
  readonly id: string
  readonly application: string
  /** SHA-256 of the key, hexadecimal. */
  readonly digest: string
  readonly kind: KeyKind
  readonly createdAt: number
  readonly revokedAt?: number
  /** SHA-256 of the client secret, hexadecimal. */
  readonly secretDigest?: string
}

export type StoredApplication = Omit<Application, 'keys' | 'subscriptions' | keyof ApplicationFacts> & {
  readonly facts: ApplicationFacts
}

export interface StoredSubscription extends Subscription {
  readonly application: string
}

export interface StoredApplications {
  readonly version: number
  readonly applications: readonly StoredApplication[]
  readonly keys: readonly StoredKey[]
  readonly subscriptions: readonly StoredSubscription[]
  readonly products: readonly Product[]
  readonly owners: readonly Owner[]
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
    application: { readonly id: string; readonly name: string },
    key: StoredKey,
    about: By & { readonly most: number },
  ): Promise<'created' | 'full'>
  /** `make` is given the facts of now. False when there is no such application. */
  change(id: string, make: (facts: ApplicationFacts) => ApplicationFacts): Promise<boolean>
  /** False when there is no such application, or it was revoked before. */
  revokeApplication(id: string): Promise<boolean>
  addKey(key: StoredKey, about: By & { readonly most: number }): Promise<'added' | 'unknown' | 'full'>
  /** False when there is no such key in force. */
  setSecret(id: string, digest: string): Promise<boolean>
  /** The key that is no longer valid; undefined when there was none. */
  revoke(id: string, about: By): Promise<StoredKey | undefined>
  /** `decide` is given the status of now. What it became; undefined when there is no such application. */
  subscribe(
    application: string,
    product: string,
    decide: (now: Subscription['status'] | undefined) => Subscription['status'],
    about: By,
  ): Promise<Subscription['status'] | undefined>
  define(product: Product, about: By): Promise<void>
  defineOwner(owner: Owner, about: By): Promise<void>
}

interface KeyRow {
  readonly id: string
  readonly application: string
  readonly digest: string
  readonly kind: KeyKind
  readonly created_at: string | number
  readonly revoked_at: string | number | null
  readonly secret_digest: string | null
}

const keyOf = ({ id, application, digest, kind, created_at, revoked_at, secret_digest }: KeyRow): StoredKey => ({
  id,
  application,
  digest,
  kind,
  createdAt: Number(created_at),
  ...(revoked_at === null ? {} : { revokedAt: Number(revoked_at) }),
  ...(secret_digest === null ? {} : { secretDigest: secret_digest }),
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

async function allOf(db: Database): Promise<StoredApplications> {
  const version = await versionOf(db)
  const { rows: applications } = await sql<{
    id: string
    name: string
    created_at: string | number
    status: Application['status']
    facts: string
  }>`select id, name, created_at, status, facts from gateway.application order by created_at, id`.execute(db)
  const { rows: keys } = await sql<KeyRow>`
    select id, application, digest, kind, created_at, revoked_at, secret_digest
    from gateway.api_key order by created_at, id`.execute(db)
  const { rows: subscriptions } = await sql<StoredSubscription>`
    select application, product, status from gateway.subscription order by application, product`.execute(db)
  const { rows: products } = await sql<{
    name: string
    apis: string
    scopes: string
    approval: Product['approval']
  }>`select name, apis, scopes, approval from gateway.product order by name`.execute(db)
  const { rows: owners } = await sql<Owner>`select name, kind, status from gateway.owner order by name`.execute(db)
  return {
    version,
    owners,
    applications: applications.map(({ created_at, facts, ...rest }) => ({
      ...rest,
      createdAt: Number(created_at),
      facts: JSON.parse(facts),
    })),
    keys: keys.map(keyOf),
    subscriptions,
    products: products.map(({ apis, scopes, ...rest }) => ({
      ...rest,
      apis: JSON.parse(apis),
      scopes: JSON.parse(scopes),
    })),
  }
}

export function applicationStore(store: Pick<Store, 'db'>): ApplicationStore {
  const { db } = store
  const insertKey = (transaction: Database, key: StoredKey, by: string) =>
    sql`
    insert into gateway.api_key (id, application, digest, kind, created_at, created_by, secret_digest)
    values (${key.id}, ${key.application}, ${key.digest}, ${key.kind}, ${key.createdAt}, ${by},
      ${key.secretDigest ?? null})`.execute(transaction)
  return {
    version: () => versionOf(db),
    all: () => db.transaction().setIsolationLevel('repeatable read').execute(allOf),
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
    change: (id, make) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        const { rows } = await sql<{ facts: string }>`
          select facts from gateway.application where id = ${id}`.execute(transaction)
        if (rows[0] === undefined) return false
        const facts = JSON.stringify(make(JSON.parse(rows[0].facts)))
        await sql`update gateway.application set facts = ${facts} where id = ${id}`.execute(transaction)
        return true
      }),
    revokeApplication: (id) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        const { rows } = await sql`
          update gateway.application set status = 'revoked'
          where id = ${id} and status <> 'revoked' returning id`.execute(transaction)
        return rows.length > 0
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
    setSecret: (id, digest) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        const { rows } = await sql`
          update gateway.api_key set secret_digest = ${digest}
          where id = ${id} and kind = 'application' and revoked_at is null returning id`.execute(transaction)
        return rows.length > 0
      }),
    revoke: (id, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        const { rows } = await sql<KeyRow>`
          update gateway.api_key set revoked_at = ${at}, revoked_by = ${by}
          where id = ${id} and revoked_at is null
          returning id, application, digest, kind, created_at, revoked_at, secret_digest`.execute(transaction)
        return rows[0] === undefined ? undefined : keyOf(rows[0])
      }),
    subscribe: (application, product, decide, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        if ((await count(transaction, sql`gateway.application where id = ${application}`)) === 0) return undefined
        const { rows } = await sql<Subscription>`
          select product, status from gateway.subscription
          where application = ${application} and product = ${product}`.execute(transaction)
        const status = decide(rows[0]?.status)
        await sql`
          insert into gateway.subscription (application, product, status, changed_at, changed_by)
          values (${application}, ${product}, ${status}, ${at}, ${by})
          on conflict (application, product)
          do update set status = excluded.status, changed_at = excluded.changed_at, changed_by = excluded.changed_by`.execute(
          transaction,
        )
        return status
      }),
    defineOwner: ({ name, kind, status }, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        await sql`
          insert into gateway.owner (name, kind, status, changed_at, changed_by)
          values (${name}, ${kind}, ${status}, ${at}, ${by})
          on conflict (name) do update set kind = excluded.kind, status = excluded.status,
            changed_at = excluded.changed_at, changed_by = excluded.changed_by`.execute(transaction)
      }),
    define: ({ name, apis, scopes, approval }, { at, by }) =>
      db.transaction().execute(async (transaction) => {
        await raise(transaction)
        await sql`
          insert into gateway.product (name, apis, scopes, approval, created_at, created_by)
          values (${name}, ${JSON.stringify(apis)}, ${JSON.stringify(scopes)}, ${approval}, ${at}, ${by})
          on conflict (name)
          do update set apis = excluded.apis, scopes = excluded.scopes, approval = excluded.approval`.execute(
          transaction,
        )
      }),
  }
}
