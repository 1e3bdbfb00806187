import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import type { EntryAttributes } from './contract.ts'

/** An entry as its row. Times are milliseconds since the epoch. */
export interface StoredEntry {
  /** Normalised name. */
  readonly key: string
  readonly dn: string
  /** Number of the change that added it: fixes its place among the others. */
  readonly position: number
  /** Number of the change that wrote it last. */
  readonly version: number
  readonly attributes: EntryAttributes
  readonly registeredFqdn: string | undefined
  readonly uuid: string
  readonly createdAt: number
  readonly createdBy: string
  readonly modifiedAt: number
  readonly modifiedBy: string
}

/** A committed change, as the change log shows it. */
export interface StoredChange {
  readonly number: number
  readonly key: string
  readonly dn: string
  readonly kind: 'add' | 'modify' | 'delete'
  /** LDIF fragment. */
  readonly changes: string
  readonly at: number
  readonly by: string
}

/** What a transaction of the registry may do: the head stays locked until it ends. */
export interface Writer extends Reader {
  /** Writes entries (new or changed), removes others, appends the changes, raises the head. */
  write(change: {
    readonly entries: readonly StoredEntry[]
    readonly deleted: readonly string[]
    readonly changes: readonly StoredChange[]
    readonly version: number
    /** Changes up to this number are dropped from the log. */
    readonly forget: number
  }): Promise<void>
}

export interface Reader {
  version(): Promise<number>
  /** Attributes as stored, secret ones included, of those entries that are there. */
  attributesOf(keys: readonly string[]): Promise<ReadonlyMap<string, EntryAttributes>>
  /** Every entry in order of position, some hundred at a time. */
  entries(): AsyncIterable<readonly StoredEntry[]>
  /** Entries written after a version, in order of position. */
  entriesSince(version: number): Promise<StoredEntry[]>
  /** Changes with a greater number, oldest first. */
  changesSince(number: number): Promise<StoredChange[]>
}

/** An organisation as it was when it was deleted. */
export interface DeletedOrganisation {
  readonly attributes: EntryAttributes
  readonly at: number
}

export interface EntryStore extends Pick<Reader, 'version' | 'attributesOf'> {
  /** Organisations deleted at or after that moment, oldest first. */
  deletedOrganisations(since: number): Promise<readonly DeletedOrganisation[]>
  /** Runs `work` on one committed state, however many statements it makes. */
  consistently<Answer>(work: (reader: Reader) => Promise<Answer>): Promise<Answer>
  /** Runs `work` with the head locked: one writer at a time in all processes. */
  exclusively<Answer>(work: (writer: Writer, version: number) => Promise<Answer>): Promise<Answer>
}

interface EntryRow {
  readonly key: string
  readonly dn: string
  readonly position: string | number
  readonly version: string | number
  readonly attributes: string
  readonly registered_fqdn: string | null
  readonly uuid: string
  readonly created_at: string | number
  readonly created_by: string
  readonly modified_at: string | number
  readonly modified_by: string
}

const page = 500
const rowsOfStatement = 1000

function entryOf(row: EntryRow): StoredEntry {
  return {
    key: row.key,
    dn: row.dn,
    position: Number(row.position),
    version: Number(row.version),
    attributes: JSON.parse(row.attributes) as EntryAttributes,
    registeredFqdn: row.registered_fqdn ?? undefined,
    uuid: row.uuid,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    modifiedAt: Number(row.modified_at),
    modifiedBy: row.modified_by,
  }
}

function reader(db: Database): Reader {
  return {
    async version() {
      const { rows } = await sql<{ version: string | number }>`select version from directory.head where id = 1`.execute(
        db,
      )
      return Number(rows[0]?.version ?? 0)
    },
    async attributesOf(keys) {
      const found = new Map<string, EntryAttributes>()
      for (const some of slices(keys)) {
        const { rows: stored } = await sql<{
          key: string
          attributes: string
        }>`select key, attributes from directory.entry where key = any(${some}::text[])`.execute(db)
        for (const { key, attributes } of stored) found.set(key, JSON.parse(attributes) as EntryAttributes)
      }
      return found
    },
    async *entries() {
      const fetch = async (after: number) => {
        const { rows } =
          await sql<EntryRow>`select * from directory.entry where position > ${after} order by position limit ${page}`.execute(
            db,
          )
        return rows
      }
      for (let next: Promise<EntryRow[]> | undefined = fetch(-1); next !== undefined; ) {
        const rows: EntryRow[] = await next
        const last = rows.at(-1)
        // The engine reads the next page while this one is being worked on.
        next = last === undefined || rows.length < page ? undefined : fetch(Number(last.position))
        next?.catch(() => {})
        yield rows.map(entryOf)
      }
    },
    async entriesSince(version) {
      const { rows } =
        await sql<EntryRow>`select * from directory.entry where version > ${version} order by position`.execute(db)
      return rows.map(entryOf)
    },
    async changesSince(number) {
      const { rows } = await sql<{
        number: string | number
        key: string
        dn: string
        kind: StoredChange['kind']
        changes: string
        made_at: string | number
        made_by: string
      }>`select * from directory.change where number > ${number} order by number`.execute(db)
      return rows.map((row) => ({
        number: Number(row.number),
        key: row.key,
        dn: row.dn,
        kind: row.kind,
        changes: row.changes,
        at: Number(row.made_at),
        by: row.made_by,
      }))
    },
  }
}

function* slices<Item>(items: readonly Item[]): IterableIterator<readonly Item[]> {
  for (let at = 0; at < items.length; at += rowsOfStatement) yield items.slice(at, at + rowsOfStatement)
}

async function writeEntries(db: Database, entries: readonly StoredEntry[]): Promise<void> {
  for (const rows of slices(entries)) {
    await sql`
      insert into directory.entry
        (key, dn, position, version, attributes, registered_fqdn, uuid, created_at, created_by, modified_at, modified_by)
      select * from unnest(
        ${rows.map((row) => row.key)}::text[], ${rows.map((row) => row.dn)}::text[],
        ${rows.map((row) => row.position)}::bigint[], ${rows.map((row) => row.version)}::bigint[],
        ${rows.map((row) => JSON.stringify(row.attributes))}::text[],
        ${rows.map((row) => row.registeredFqdn ?? null)}::text[], ${rows.map((row) => row.uuid)}::uuid[],
        ${rows.map((row) => row.createdAt)}::bigint[], ${rows.map((row) => row.createdBy)}::text[],
        ${rows.map((row) => row.modifiedAt)}::bigint[], ${rows.map((row) => row.modifiedBy)}::text[])
      on conflict (key) do update set
        dn = excluded.dn, position = excluded.position, version = excluded.version, attributes = excluded.attributes,
        registered_fqdn = excluded.registered_fqdn, uuid = excluded.uuid, created_at = excluded.created_at,
        created_by = excluded.created_by, modified_at = excluded.modified_at, modified_by = excluded.modified_by`.execute(
      db,
    )
  }
}

async function writeChanges(db: Database, changes: readonly StoredChange[]): Promise<void> {
  for (const rows of slices(changes)) {
    await sql`
      insert into directory.change (number, key, dn, kind, changes, made_at, made_by)
      select * from unnest(
        ${rows.map((row) => row.number)}::bigint[], ${rows.map((row) => row.key)}::text[],
        ${rows.map((row) => row.dn)}::text[], ${rows.map((row) => row.kind)}::text[],
        ${rows.map((row) => row.changes)}::text[], ${rows.map((row) => row.at)}::bigint[],
        ${rows.map((row) => row.by)}::text[])`.execute(db)
  }
}

const organisationBranch = '%,ou=organisations,o=nhs'
const deletionsKeptMs = 200 * 86_400_000

/** Keeps the organisations among entries that are about to go, and forgets those that went long ago. */
async function keepOrganisations(db: Database, keys: readonly string[], version: number, at: number): Promise<void> {
  if (!keys.some((key) => key.endsWith(organisationBranch.slice(1)))) return
  await sql`
    insert into directory.organisation_deletion (key, version, attributes, deleted_at)
    select key, ${version}::bigint, attributes, ${at}::bigint from directory.entry
    where key = any(${keys}::text[]) and key like ${organisationBranch}`.execute(db)
  await sql`delete from directory.organisation_deletion where deleted_at < ${at - deletionsKeptMs}`.execute(db)
}

/** The rows of the directory: all SQL of the service stands here and in the migrations. */
export function entryStore(store: Pick<Store, 'db'>): EntryStore {
  return {
    version: () => reader(store.db).version(),
    attributesOf: (keys) => reader(store.db).attributesOf(keys),
    async deletedOrganisations(since) {
      const { rows } = await sql<{
        attributes: string
        deleted_at: string | number
      }>`select attributes, deleted_at from directory.organisation_deletion
        where deleted_at >= ${since} order by version, key`.execute(store.db)
      return rows.map((row) => ({
        attributes: JSON.parse(row.attributes) as EntryAttributes,
        at: Number(row.deleted_at),
      }))
    },
    consistently: (work) =>
      store.db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute((transaction) => work(reader(transaction))),
    exclusively: (work) =>
      store.db.transaction().execute(async (transaction) => {
        const { rows } = await sql<{
          version: string | number
        }>`select version from directory.head where id = 1 for update`.execute(transaction)
        const writer: Writer = {
          ...reader(transaction),
          async write({ entries, deleted, changes, version, forget }) {
            for (const keys of slices(deleted)) {
              await keepOrganisations(transaction, keys, version, changes.at(-1)?.at ?? 0)
              await sql`delete from directory.entry where key = any(${keys}::text[])`.execute(transaction)
            }
            await writeEntries(transaction, entries)
            await writeChanges(transaction, changes)
            await sql`delete from directory.change where number <= ${forget}`.execute(transaction)
            await sql`update directory.head set version = ${version} where id = 1`.execute(transaction)
          },
        }
        return work(writer, Number(rows[0]?.version ?? 0))
      }),
  }
}
