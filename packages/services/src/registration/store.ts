import type { Database, Store } from '@openspine/platform/store'
import { isUuid } from '@openspine/standards/nhs'
import { sql } from 'kysely'
import type { EndpointKind, EndpointState, EndpointStep, InteractionSet, Product, ProductTeam } from './contract.ts'
import {
  type EndpointRow,
  endpointOf,
  type ProductRow,
  productOf,
  type SetRow,
  type StoredEndpoint,
  setOf,
  type TeamRow,
  teamOf,
} from './rows.ts'

export type { StoredEndpoint } from './rows.ts'

export interface WholeEndpoint {
  readonly endpoint: StoredEndpoint
  readonly history: readonly EndpointStep[]
  /** Version whose state the directory may not show yet. */
  readonly unpublished: number | undefined
}

/** Which products, which endpoints: what is not named is not asked. */
export interface ProductQuery {
  readonly teamId?: string
  readonly organisation?: string
  readonly manufacturer?: string
  readonly name?: string
  readonly version?: string
  readonly after?: string
  readonly limit: number
}

export interface EndpointQuery {
  readonly state?: EndpointState
  readonly kind?: EndpointKind
  readonly odsCode?: string
  readonly productId?: string
  readonly partyKey?: string
  readonly fqdn?: string
  readonly after?: string
  readonly limit: number
}

/** What an endpoint is compared with among those that are approved or suspended. */
export interface RivalQuery {
  readonly id: string
  readonly odsCode: string
  readonly productId: string
  readonly fqdn: string | undefined
  readonly partyKey: string | undefined
  readonly gpConnect: boolean | undefined
}

export interface StoredRivals {
  readonly provider: string | undefined
  readonly fqdnHolder: string | undefined
  readonly sameSystem: string | undefined
  readonly otherFamily: boolean
}

export type SequenceName = 'asid' | 'party key' | 'product key'

export interface RegistrationReader {
  team(idOrKey: string): Promise<ProductTeam | undefined>
  product(id: string): Promise<Product | undefined>
  products(query: ProductQuery): Promise<readonly Product[]>
  sets(productId: string): Promise<readonly InteractionSet[]>
  /** The endpoint with its steps, and whether the directory may not show its state yet. */
  endpoint(id: string): Promise<WholeEndpoint | undefined>
  endpointByAsid(asid: string): Promise<StoredEndpoint | undefined>
  endpoints(query: EndpointQuery): Promise<readonly StoredEndpoint[]>
  /** The message handling system behind a party key. */
  handler(partyKey: string): Promise<StoredEndpoint | undefined>
  rivals(query: RivalQuery): Promise<StoredRivals>
  /** Accredited systems behind a party key in these states, some of them. */
  systemsBehind(partyKey: string, states: readonly EndpointState[]): Promise<readonly string[]>
  /** Endpoints whose state the directory may not show since before this time. */
  unpublished(before: number, limit: number): Promise<readonly string[]>
}

/**
 * Rows in one transaction. What is written of endpoints and sequences waits for `flush`, so that work that shares a
 * transaction shares statements too; what is read takes it into account.
 */
export interface RegistrationWriter extends RegistrationReader {
  /** Reads these endpoints at once. */
  prefetch(ids: readonly string[]): Promise<void>
  flush(): Promise<void>
  addTeam(team: ProductTeam): Promise<void>
  deleteTeam(id: string, at: number, by: string): Promise<void>
  addProduct(product: Product): Promise<void>
  deleteProduct(id: string, at: number, by: string): Promise<void>
  addSet(set: InteractionSet): Promise<void>
  /** Next numbers of the sequences. */
  sequences(): Promise<Readonly<Record<SequenceName, number>>>
  putSequences(next: Partial<Record<SequenceName, number>>): void
  /** Writes the row, and the step where there is one. `outbox`: puts this version into it, or takes the endpoint out. */
  putEndpoint(endpoint: StoredEndpoint, step: EndpointStep | undefined, outbox?: 'in' | 'out'): Promise<void>
  /** Takes an endpoint that was read here out of the outbox, or puts it back. */
  putOutbox(id: string, outbox: 'in' | 'out'): void
}

export interface RegistrationStore extends RegistrationReader {
  /** Runs `work` with the head locked: one writer at a time in all processes; then flushes. */
  exclusively<Answer>(work: (writer: RegistrationWriter) => Promise<Answer>): Promise<Answer>
}

/** Locks the head: changes of all processes take turns, so versions are committed in order. */
export async function lockHead(db: Database): Promise<number> {
  const { rows } = await sql<{
    version: string | number
  }>`select version from registration.head where id = 1 for update`.execute(db)
  return Number(rows[0]?.version ?? 0)
}

const live = sql`state in ('approved', 'suspended')`

/** `column = value` where a value is given, else what always holds. */
const equals = (column: string, value: string | undefined) =>
  value === undefined ? sql`true` : sql`${sql.ref(column)} = ${value}`

async function wholeEndpoints(db: Database, ids: readonly string[]): Promise<readonly WholeEndpoint[]> {
  const { rows } = await sql<EndpointRow & { readonly history: string; readonly unpublished: string | number | null }>`
    select e.*,
      (select json_agg(json_build_object('step', step, 'state', state, 'at', at, 'by', made_by, 'why', why)
        order by number)::text from registration.step where endpoint_id = e.id) as history,
      (select version from registration.outbox where endpoint_id = e.id) as unpublished
    from registration.endpoint e where e.id = any(${ids}::uuid[])`.execute(db)
  return rows.map((row) => {
    const steps = JSON.parse(row.history) as (EndpointStep & { readonly why: string | null })[]
    return {
      endpoint: endpointOf(row),
      history: steps.map(({ why, ...step }) => ({ ...step, ...(why === null ? {} : { why }) })),
      unpublished: row.unpublished === null ? undefined : Number(row.unpublished),
    }
  })
}

/** Look-ups among approved and suspended endpoints, leaving some out. */
async function handlerBut(db: Database, partyKey: string, but: readonly string[]): Promise<StoredEndpoint | undefined> {
  const { rows } = await sql<EndpointRow>`
    select * from registration.endpoint
    where party_key = ${partyKey} and kind <> 'AS' and ${live} and id <> all(${but}::uuid[]) limit 1`.execute(db)
  return rows[0] === undefined ? undefined : endpointOf(rows[0])
}

async function systemsBut(
  db: Database,
  partyKey: string,
  states: readonly EndpointState[],
  but: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ asid: string }>`
    select asid from registration.endpoint
    where party_key = ${partyKey} and kind = 'AS' and state = any(${states}::text[]) and id <> all(${but}::uuid[])
    order by asid limit 10`.execute(db)
  return rows.map(({ asid }) => asid)
}

async function rivalsBut(db: Database, query: RivalQuery, but: readonly string[]): Promise<StoredRivals> {
  const { id, odsCode, productId, fqdn, partyKey, gpConnect } = query
  const others = sql`id <> all(${[id, ...but]}::uuid[]) and ${live}`
  const { rows } = await sql<{
    provider: string | null
    fqdn_holder: string | null
    same_system: string | null
    other_family: boolean
  }>`select
    (select party_key from registration.endpoint
      where ods_code = ${odsCode} and provider and ${others} limit 1) as provider,
    (select manufacturer from registration.endpoint
      where fqdn = ${fqdn ?? ''} and kind <> 'AS' and ${others} limit 1) as fqdn_holder,
    (select asid from registration.endpoint
      where ods_code = ${odsCode} and product_id = ${productId} and asid is not null and ${others} limit 1) as same_system,
    exists (select 1 from registration.endpoint
      where party_key = ${partyKey ?? ''} and gp_connect = ${!(gpConnect ?? false)} and ${others}) as other_family`.execute(
    db,
  )
  const [row] = rows
  return {
    provider: row?.provider ?? undefined,
    fqdnHolder: row?.fqdn_holder ?? undefined,
    sameSystem: row?.same_system ?? undefined,
    otherFamily: gpConnect !== undefined && row?.other_family === true,
  }
}

function registrationReader(db: Database): RegistrationReader {
  return {
    async team(idOrKey) {
      const byId = isUuid(idOrKey) ? sql`t.id = ${idOrKey.toLowerCase()} or` : sql``
      const { rows } = await sql<TeamRow>`
        select t.*, (select json_agg(json_build_object('type', k.type, 'value', k.value) order by k.value)::text
          from registration.team_key k where k.team_id = t.id) as keys
        from registration.team t
        where ${byId} t.id = (select team_id from registration.team_key where value = ${idOrKey}) limit 1`.execute(db)
      return rows[0] === undefined ? undefined : teamOf(rows[0])
    },
    async product(id) {
      const { rows } = await sql<ProductRow>`select * from registration.product where id = ${id}`.execute(db)
      return rows[0] === undefined ? undefined : productOf(rows[0])
    },
    async products({ teamId, organisation, manufacturer, name, version, after, limit }) {
      if (teamId !== undefined && !isUuid(teamId)) return []
      const { rows } = await sql<ProductRow>`
        select * from registration.product
        where deleted_at is null and ${equals('team_id', teamId)} and ${equals('manufacturer', manufacturer)}
          and ${equals('name', name)} and ${equals('version', version)}
          and ${organisation === undefined ? sql`true` : sql`team_id in (select id from registration.team where ods_code = ${organisation})`}
          and ${after === undefined ? sql`true` : sql`position > (select position from registration.product where id = ${after})`}
        order by position limit ${limit}`.execute(db)
      return rows.map(productOf)
    },
    async sets(productId) {
      const { rows } = await sql<SetRow>`
        select * from registration.interaction_set where product_id = ${productId} order by position`.execute(db)
      return rows.map(setOf)
    },
    async endpoint(id) {
      return isUuid(id) ? (await wholeEndpoints(db, [id.toLowerCase()]))[0] : undefined
    },
    async endpointByAsid(asid) {
      const { rows } = await sql<EndpointRow>`select * from registration.endpoint where asid = ${asid}`.execute(db)
      return rows[0] === undefined ? undefined : endpointOf(rows[0])
    },
    async endpoints({ state, kind, odsCode, productId, partyKey, fqdn, after, limit }) {
      if (after !== undefined && !isUuid(after)) return []
      const { rows } = await sql<EndpointRow>`
        select * from registration.endpoint
        where ${equals('state', state)} and ${equals('kind', kind)} and ${equals('ods_code', odsCode)}
          and ${equals('product_id', productId)} and ${equals('party_key', partyKey)}
          and ${equals('fqdn', fqdn?.toLowerCase())}
          and ${after === undefined ? sql`true` : sql`position > (select position from registration.endpoint where id = ${after})`}
        order by position limit ${limit}`.execute(db)
      return rows.map(endpointOf)
    },
    handler: (partyKey) => handlerBut(db, partyKey, []),
    rivals: (query) => rivalsBut(db, query, []),
    systemsBehind: (partyKey, states) => systemsBut(db, partyKey, states, []),
    async unpublished(before, limit) {
      const { rows } = await sql<{ endpoint_id: string }>`
        select endpoint_id from registration.outbox where at < ${before} order by at limit ${limit}`.execute(db)
      return rows.map(({ endpoint_id }) => endpoint_id)
    },
  }
}

const isLive = ({ state }: StoredEndpoint) => state === 'approved' || state === 'suspended'

function registrationWriter(db: Database): RegistrationWriter {
  const reader = registrationReader(db)
  const known = new Map<string, WholeEndpoint>()
  const products = new Map<string, Product | undefined>()
  const sets = new Map<string, readonly InteractionSet[]>()
  let numbers: Readonly<Record<SequenceName, number>> | undefined
  /** Written and not flushed yet. */
  const changed = new Set<string>()
  const carried = new Set<string>()
  const steps: { readonly id: string; readonly number: number; readonly step: EndpointStep }[] = []
  const sequences = new Map<SequenceName, number>()
  const waiting = () => [...changed].flatMap((id) => known.get(id)?.endpoint ?? [])

  const writer: RegistrationWriter = {
    ...reader,
    async prefetch(ids) {
      for (const whole of await wholeEndpoints(db, ids)) known.set(whole.endpoint.id, whole)
    },
    async endpoint(id) {
      const key = id.toLowerCase()
      const found = known.get(key) ?? (await reader.endpoint(id))
      if (found !== undefined) known.set(key, found)
      return found
    },
    async endpoints(query) {
      await writer.flush()
      return reader.endpoints(query)
    },
    async product(id) {
      if (!products.has(id)) products.set(id, await reader.product(id))
      return products.get(id)
    },
    async sets(productId) {
      const found = sets.get(productId) ?? (await reader.sets(productId))
      sets.set(productId, found)
      return found
    },
    async handler(partyKey) {
      const own = waiting().find((each) => each.partyKey === partyKey && each.asked.kind !== 'AS' && isLive(each))
      return own ?? (await handlerBut(db, partyKey, [...changed]))
    },
    async systemsBehind(partyKey, states) {
      const own = waiting().filter(
        (each) => each.partyKey === partyKey && each.asked.kind === 'AS' && states.includes(each.state),
      )
      const stored = await systemsBut(db, partyKey, states, [...changed])
      return [...own.flatMap(({ asid }) => asid ?? []), ...stored]
    },
    async rivals(query) {
      const { odsCode, productId, fqdn, partyKey, gpConnect } = query
      const stored = await rivalsBut(db, query, [...changed])
      const own = waiting().filter((each) => each.id !== query.id && isLive(each))
      const here = own.filter(({ asked }) => asked.odsCode === odsCode)
      return {
        provider: stored.provider ?? here.find(({ provider }) => provider)?.partyKey,
        fqdnHolder:
          stored.fqdnHolder ??
          own.find((each) => fqdn !== undefined && each.fqdn === fqdn && each.asked.kind !== 'AS')?.manufacturer,
        sameSystem:
          stored.sameSystem ??
          here.find(({ asked, asid }) => asked.productId === productId && asid !== undefined)?.asid,
        otherFamily:
          stored.otherFamily ||
          own.some(
            (each) =>
              gpConnect !== undefined &&
              partyKey !== undefined &&
              each.partyKey === partyKey &&
              each.gpConnect === !gpConnect,
          ),
      }
    },
    async addTeam({ id, odsCode, name, keys, createdAt, createdBy }) {
      await sql`insert into registration.team (id, ods_code, name, created_at, created_by)
        values (${id}, ${odsCode}, ${name}, ${createdAt}, ${createdBy})`.execute(db)
      await sql`
        insert into registration.team_key (value, type, team_id)
        select value, type, ${id}::uuid from unnest(
          ${keys.map(({ value }) => value)}::text[], ${keys.map(({ type }) => type)}::text[]) as given (value, type)`.execute(
        db,
      )
    },
    async deleteTeam(id, at, by) {
      await sql`update registration.team set deleted_at = ${at}, deleted_by = ${by} where id = ${id}`.execute(db)
    },
    async addProduct(product) {
      products.set(product.id, product)
      await sql`
        insert into registration.product
          (id, position, team_id, manufacturer, name, version, kinds, product_key, party_key, created_at, created_by)
        select ${product.id}, coalesce(max(position), 0) + 1, ${product.teamId ?? null}::uuid, ${product.manufacturer},
          ${product.name}, ${product.version ?? null}, ${product.kinds.join(' ')}, ${product.productKey},
          ${product.partyKey ?? null}, ${product.createdAt}::bigint, ${product.createdBy}
        from registration.product`.execute(db)
    },
    async deleteProduct(id, at, by) {
      products.delete(id)
      await sql`update registration.product set deleted_at = ${at}, deleted_by = ${by} where id = ${id}`.execute(db)
    },
    async addSet(set) {
      sets.delete(set.productId)
      const interactions = JSON.stringify(set.use === 'messages' ? set.messages : set.interactions)
      await sql`
        insert into registration.interaction_set
          (id, product_id, position, name, use, interactions, created_at, created_by)
        select ${set.id}::uuid, ${set.productId}, coalesce(max(position), 0) + 1, ${set.name}, ${set.use},
          ${interactions}, ${set.createdAt}::bigint, ${set.createdBy}
        from registration.interaction_set where product_id = ${set.productId}`.execute(db)
    },
    async sequences() {
      if (numbers === undefined) {
        const { rows } = await sql<{
          name: SequenceName
          next: string | number
        }>`select name, next from registration.sequence`.execute(db)
        numbers = Object.fromEntries(rows.map(({ name, next }) => [name, Number(next)])) as Record<SequenceName, number>
      }
      return { ...numbers, ...Object.fromEntries(sequences) }
    },
    putSequences(next) {
      for (const [name, number] of Object.entries(next)) sequences.set(name as SequenceName, number)
    },
    async putEndpoint(endpoint, step, outbox) {
      const before = endpoint.version === 1 ? undefined : await writer.endpoint(endpoint.id)
      const history = before?.history ?? []
      if (step !== undefined) steps.push({ id: endpoint.id, number: history.length + 1, step })
      const next = step === undefined ? history : [...history, step]
      known.set(endpoint.id, { endpoint, history: next, unpublished: before?.unpublished })
      changed.add(endpoint.id)
      if (outbox !== undefined) writer.putOutbox(endpoint.id, outbox)
    },
    putOutbox(id, outbox) {
      const whole = known.get(id)
      if (whole === undefined) throw new TypeError('the endpoint was not read before')
      known.set(id, { ...whole, unpublished: outbox === 'in' ? whole.endpoint.version : undefined })
      carried.add(id)
    },
    async flush() {
      const wholes = (ids: ReadonlySet<string>) => [...ids].flatMap((id) => known.get(id) ?? [])
      if (sequences.size > 0) await writeSequences(db, sequences)
      if (changed.size > 0) await writeEndpoints(db, wholes(changed), steps)
      if (carried.size > 0) await writeOutbox(db, wholes(carried))
      numbers = undefined
      sequences.clear()
      changed.clear()
      carried.clear()
      steps.length = 0
    },
  }
  return writer
}

async function writeSequences(db: Database, next: ReadonlyMap<SequenceName, number>): Promise<void> {
  await sql`
    update registration.sequence s set next = given.next
    from unnest(${[...next.keys()]}::text[], ${[...next.values()]}::bigint[]) as given (name, next)
    where s.name = given.name`.execute(db)
}

async function writeEndpoints(
  db: Database,
  wholes: readonly WholeEndpoint[],
  steps: readonly { readonly id: string; readonly number: number; readonly step: EndpointStep }[],
): Promise<void> {
  const rows = wholes.map(({ endpoint }) => endpoint)
  await sql`
    with endpoint as (
      insert into registration.endpoint
        (id, position, state, kind, ods_code, product_id, manufacturer, fqdn, party_key, asid, gp_connect, provider,
          asked, entries, certificate, version, created_at)
      select id, (select coalesce(max(position), 0) from registration.endpoint) + place, state, kind, ods_code, product_id,
        manufacturer, fqdn, party_key, asid, gp_connect, provider, asked, entries, certificate, version, created_at
      from unnest(
        ${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ state }) => state)}::text[],
        ${rows.map(({ asked }) => asked.kind)}::text[], ${rows.map(({ asked }) => asked.odsCode)}::text[],
        ${rows.map(({ asked }) => asked.productId)}::text[], ${rows.map(({ manufacturer }) => manufacturer)}::text[],
        ${rows.map(({ fqdn }) => fqdn ?? null)}::text[], ${rows.map(({ partyKey }) => partyKey ?? null)}::text[],
        ${rows.map(({ asid }) => asid ?? null)}::text[], ${rows.map(({ gpConnect }) => gpConnect ?? null)}::boolean[],
        ${rows.map(({ provider }) => provider)}::boolean[], ${rows.map(({ asked }) => JSON.stringify(asked))}::text[],
        ${rows.map(({ entries }) => JSON.stringify(entries))}::text[],
        ${rows.map(({ certificate }) => (certificate === undefined ? null : JSON.stringify(certificate)))}::text[],
        ${rows.map(({ version }) => version)}::bigint[], ${rows.map(({ createdAt }) => createdAt)}::bigint[])
        with ordinality as given (id, state, kind, ods_code, product_id, manufacturer, fqdn, party_key, asid, gp_connect,
          provider, asked, entries, certificate, version, created_at, place)
      on conflict (id) do update set
        state = excluded.state, kind = excluded.kind, ods_code = excluded.ods_code, product_id = excluded.product_id,
        manufacturer = excluded.manufacturer, fqdn = excluded.fqdn, party_key = excluded.party_key, asid = excluded.asid,
        gp_connect = excluded.gp_connect, provider = excluded.provider, asked = excluded.asked,
        entries = excluded.entries, certificate = excluded.certificate, version = excluded.version
    )
    insert into registration.step (endpoint_id, number, step, state, at, made_by, why)
    select * from unnest(
      ${steps.map(({ id }) => id)}::uuid[], ${steps.map(({ number }) => number)}::integer[],
      ${steps.map(({ step }) => step.step)}::text[], ${steps.map(({ step }) => step.state)}::text[],
      ${steps.map(({ step }) => step.at)}::bigint[], ${steps.map(({ step }) => step.by)}::text[],
      ${steps.map(({ step }) => step.why ?? null)}::text[])`.execute(db)
}

async function writeOutbox(db: Database, wholes: readonly WholeEndpoint[]): Promise<void> {
  const outgoing = wholes.filter(({ unpublished }) => unpublished !== undefined)
  const carried = wholes.filter(({ unpublished }) => unpublished === undefined)
  if (carried.length > 0) {
    const ids = carried.map(({ endpoint }) => endpoint.id)
    await sql`delete from registration.outbox where endpoint_id = any(${ids}::uuid[])`.execute(db)
  }
  if (outgoing.length === 0) return
  await sql`
    insert into registration.outbox (endpoint_id, version, at)
    select * from unnest(
      ${outgoing.map(({ endpoint }) => endpoint.id)}::uuid[], ${outgoing.map(({ unpublished }) => unpublished)}::bigint[],
      ${outgoing.map(({ endpoint, history }) => history.at(-1)?.at ?? endpoint.createdAt)}::bigint[])
    on conflict (endpoint_id) do update set version = excluded.version, at = excluded.at`.execute(db)
}

/** Products and endpoints as rows. */
export function registrationStore(store: Pick<Store, 'db'>): RegistrationStore {
  const { db } = store
  return {
    ...registrationReader(db),
    exclusively: (work) =>
      db.transaction().execute(async (transaction) => {
        await lockHead(transaction)
        const writer = registrationWriter(transaction)
        const answer = await work(writer)
        await writer.flush()
        return answer
      }),
  }
}
