import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'

/** An imported version as it is kept: its document as JSON text, which never changes. */
export interface StoredRules {
  readonly version: string
  readonly digest: string
  readonly source: string
  readonly document: string
  readonly importedAt: number
  readonly importedBy: string
}

export interface RuleStore {
  /** Grows with every change, and which version is in use (undefined: the one that comes with the software). */
  head(): Promise<{ readonly change: number; readonly inUse: string | undefined }>
  find(version: string): Promise<StoredRules | undefined>
  list(): Promise<readonly Omit<StoredRules, 'document'>[]>
  /** Keeps it, and uses it. `taken`: other rules bear the name. The very same again is used again. */
  add(rules: StoredRules): Promise<'used' | 'taken'>
  /** False when there is no such version. */
  use(version: string | undefined): Promise<boolean>
}

interface RuleRow {
  readonly version: string
  readonly digest: string
  readonly source: string
  readonly document: string
  readonly imported_at: string | number
  readonly imported_by: string
}

const listed = ({ version, digest, source, imported_at, imported_by }: Omit<RuleRow, 'document'>) => ({
  version,
  digest,
  source,
  importedAt: Number(imported_at),
  importedBy: imported_by,
})

/** The row lock keeps others out until the transaction ends. */
const point = (db: Database, version: string | undefined) =>
  sql`update "access-control".head set version = version + 1, in_use = ${version ?? null} where id = 1`.execute(db)

async function digestOf(db: Database, version: string): Promise<string | undefined> {
  const { rows } = await sql<{ digest: string }>`
    select digest from "access-control".rule_set where version = ${version}`.execute(db)
  return rows[0]?.digest
}

export function ruleStore({ db }: Pick<Store, 'db'>): RuleStore {
  return {
    async head() {
      const { rows } = await sql<{ version: string | number; in_use: string | null }>`
        select version, in_use from "access-control".head where id = 1`.execute(db)
      return { change: Number(rows[0]?.version ?? 0), inUse: rows[0]?.in_use ?? undefined }
    },
    async find(version) {
      const { rows } = await sql<RuleRow>`
        select version, digest, source, document, imported_at, imported_by
        from "access-control".rule_set where version = ${version}`.execute(db)
      return rows[0] === undefined ? undefined : { ...listed(rows[0]), document: rows[0].document }
    },
    async list() {
      const { rows } = await sql<Omit<RuleRow, 'document'>>`
        select version, digest, source, imported_at, imported_by
        from "access-control".rule_set order by imported_at, version`.execute(db)
      return rows.map(listed)
    },
    add: ({ version, digest, source, document, importedAt, importedBy }) =>
      db.transaction().execute(async (transaction) => {
        await sql`
          insert into "access-control".rule_set (version, digest, source, document, imported_at, imported_by)
          values (${version}, ${digest}, ${source}, ${document}, ${importedAt}, ${importedBy})
          on conflict (version) do nothing`.execute(transaction)
        if ((await digestOf(transaction, version)) !== digest) return 'taken'
        await point(transaction, version)
        return 'used'
      }),
    use: (version) =>
      db.transaction().execute(async (transaction) => {
        if (version !== undefined && (await digestOf(transaction, version)) === undefined) return false
        await point(transaction, version)
        return true
      }),
  }
}
