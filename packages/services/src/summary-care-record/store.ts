import type { Database, Store } from '@openspine/platform/store'
import { sql } from 'kysely'
import { type RequestKey, repeatMs } from '../gateway/contract.ts'
import type { Actor, Permission, PrivacyAlert, RecordedPermission, SummaryVersion } from './contract.ts'

/** All numbers of a patient, the retained one first: under that one new things are kept. */
export type Numbers = readonly [retained: string, ...merged: string[]]

/** A summary to be kept. */
export interface NewSummary extends Pick<SummaryVersion, 'id' | 'replaces' | 'uploaded'> {
  /** JSON of the document. */
  readonly content: string
}

/** What an upload meets. */
export interface Before {
  readonly latest?: SummaryVersion
  readonly permission?: RecordedPermission
  /** Whether the patient has a summary of this id. */
  readonly taken: boolean
}

export interface SummaryStore {
  /** The summary that was uploaded last. */
  latest(numbers: Numbers): Promise<SummaryVersion | undefined>
  /** JSON of the document of this id. */
  content(numbers: Numbers, id: string): Promise<string | undefined>
  /** The newest first. */
  history(numbers: Numbers): Promise<readonly SummaryVersion[]>
  /**
   * Keeps a summary where `allow`, which is told what there is and may throw, lets it. Of two at once the second is told
   * of the first. A request that was done before does nothing.
   */
  add(numbers: Numbers, summary: NewSummary, allow: (before: Before) => void, request?: RequestKey): Promise<void>
  /** The decision that was recorded last. */
  permission(numbers: Numbers): Promise<RecordedPermission | undefined>
  permissions(numbers: Numbers): Promise<readonly RecordedPermission[]>
  setPermission(numbers: Numbers, permission: Permission, set: Actor, request?: RequestKey): Promise<void>
  addAlert(numbers: Numbers, alert: Omit<PrivacyAlert, 'nhsNumber'>, request?: RequestKey): Promise<void>
  /** The newest first. */
  alerts(asked: {
    readonly numbers?: readonly string[]
    readonly organisation?: string
    readonly since?: number
    readonly limit: number
  }): Promise<readonly PrivacyAlert[]>
  people(): Promise<number>
  /** Forgets requests that need not be known any longer. */
  prune(now: number): Promise<void>
}

interface DocumentRow {
  readonly nhs_number: string
  readonly version: number
  readonly id: string
  readonly replaces: string | null
  readonly actor: string
}
const versionOf = ({ nhs_number: nhsNumber, version, id, replaces, actor }: DocumentRow): SummaryVersion => ({
  nhsNumber,
  version,
  id,
  ...(replaces === null ? {} : { replaces }),
  uploaded: JSON.parse(actor) as Actor,
})

interface PermissionRow {
  readonly nhs_number: string
  readonly code: Permission
  readonly actor: string
}
const permissionOf = ({ nhs_number: nhsNumber, code, actor }: PermissionRow): RecordedPermission => ({
  nhsNumber,
  permission: code,
  set: JSON.parse(actor) as Actor,
})

/** Long before anybody has so many. */
const mostListed = 10_000

async function versions(db: Database, numbers: Numbers, limit: number): Promise<SummaryVersion[]> {
  const { rows } = await sql<DocumentRow>`
    select nhs_number, version, id, replaces, actor from "summary-care-record".document
    where nhs_number in (${sql.join(numbers)}) order by at desc, version desc limit ${limit}`.execute(db)
  return rows.map(versionOf)
}

async function decisions(db: Database, numbers: Numbers, limit: number): Promise<RecordedPermission[]> {
  const { rows } = await sql<PermissionRow>`
    select nhs_number, code, actor from "summary-care-record".permission
    where nhs_number in (${sql.join(numbers)}) order by at desc, version desc limit ${limit}`.execute(db)
  return rows.map(permissionOf)
}

/**
 * False where this very request was done before. While another one like it is under way this waits for its end, so that
 * two of one are one.
 */
async function first(db: Database, nhsNumber: string, key: RequestKey | undefined): Promise<boolean> {
  if (key === undefined) return true
  const { caller, operation, id, at } = key
  const { rows } = await sql`
    insert into "summary-care-record".request as kept (nhs_number, caller, operation, id, expires_at)
    values (${nhsNumber}, ${caller}, ${operation}, ${id}, ${at + repeatMs})
    on conflict (nhs_number, caller, operation, id) do update set expires_at = excluded.expires_at
      where kept.expires_at <= ${at}
    returning id`.execute(db)
  return rows.length === 1
}

export function summaryStore({ db }: Pick<Store, 'db'>): SummaryStore {
  return {
    latest: async (numbers) => (await versions(db, numbers, 1))[0],
    history: (numbers) => versions(db, numbers, mostListed),
    async content(numbers, id) {
      const { rows } = await sql<{ content: string }>`
        select content from "summary-care-record".document
        where nhs_number in (${sql.join(numbers)}) and id = ${id} order by at desc limit 1`.execute(db)
      return rows[0]?.content
    },
    add: (numbers, { id, replaces, uploaded, content }, allow, request) =>
      db.transaction().execute(async (transaction) => {
        const [nhsNumber] = numbers
        if (!(await first(transaction, nhsNumber, request))) return
        for (;;) {
          // Counted before all else: whoever comes between this and the insert has the version that is asked for.
          const { rows: counted } = await sql<{ version: number }>`
            select coalesce(max(version), 0) + 1 as version from "summary-care-record".document
            where nhs_number = ${nhsNumber}`.execute(transaction)
          const [latest] = await versions(transaction, numbers, 1)
          const [permission] = await decisions(transaction, numbers, 1)
          const { rows: same } = await sql`
            select 1 from "summary-care-record".document
            where nhs_number in (${sql.join(numbers)}) and id = ${id} limit 1`.execute(transaction)
          allow({ ...(latest && { latest }), ...(permission && { permission }), taken: same.length > 0 })
          // What was uploaded later counts as later, whatever the clocks of two processes say.
          const at = Math.max(uploaded.at, (latest?.uploaded.at ?? 0) + 1)
          const { rows } = await sql`
            insert into "summary-care-record".document (nhs_number, version, id, at, replaces, actor, content)
            values (${nhsNumber}, ${counted[0]?.version ?? 1}, ${id}, ${at}, ${replaces ?? null},
              ${JSON.stringify({ ...uploaded, at })}, ${content})
            on conflict do nothing
            returning version`.execute(transaction)
          // Nothing: another upload was faster, and is what this one meets now.
          if (rows.length === 1) return
        }
      }),
    permission: async (numbers) => (await decisions(db, numbers, 1))[0],
    permissions: (numbers) => decisions(db, numbers, mostListed),
    setPermission: (numbers, permission, set, request) =>
      db.transaction().execute(async (transaction) => {
        const [nhsNumber] = numbers
        if (!(await first(transaction, nhsNumber, request))) return
        for (;;) {
          const [before] = await decisions(transaction, numbers, 1)
          const at = Math.max(set.at, (before?.set.at ?? 0) + 1)
          const { rows } = await sql`
            insert into "summary-care-record".permission (nhs_number, version, code, at, actor)
            select ${nhsNumber}::text, coalesce(max(version), 0) + 1, ${permission}::text, ${at}::bigint,
              ${JSON.stringify({ ...set, at })}::text
            from "summary-care-record".permission where nhs_number = ${nhsNumber}
            on conflict do nothing
            returning version`.execute(transaction)
          if (rows.length === 1) return
        }
      }),
    addAlert: (numbers, alert, request) =>
      db.transaction().execute(async (transaction) => {
        const [nhsNumber] = numbers
        if (!(await first(transaction, nhsNumber, request))) return
        const { id, organisation, sent } = alert
        await sql`
          insert into "summary-care-record".alert (nhs_number, id, at, organisation, content)
          values (${nhsNumber}, ${id}, ${sent.at}, ${organisation}, ${JSON.stringify(alert)})`.execute(transaction)
      }),
    async alerts({ numbers, organisation, since = 0, limit }) {
      const { rows } = await sql<{ nhs_number: string; content: string }>`
        select nhs_number, content from "summary-care-record".alert
        where at >= ${since}
          ${numbers === undefined ? sql`` : sql`and nhs_number in (${sql.join(numbers)})`}
          ${organisation === undefined ? sql`` : sql`and organisation = ${organisation}`}
        order by at desc, nhs_number, id limit ${limit}`.execute(db)
      return rows.map(({ nhs_number: nhsNumber, content }) => ({ nhsNumber, ...JSON.parse(content) }) as PrivacyAlert)
    },
    async people() {
      const { rows } = await sql<{ people: string | number }>`
        select count(distinct nhs_number) as people from "summary-care-record".document`.execute(db)
      return Number(rows[0]?.people ?? 0)
    },
    async prune(now) {
      await sql`delete from "summary-care-record".request where expires_at <= ${now}`.execute(db)
    },
  }
}
