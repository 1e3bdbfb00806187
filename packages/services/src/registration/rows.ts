/** The rows of the tables, and what they stand for. */
import type { DirectoryEntry } from '../directory/contract.ts'
import type {
  EndpointCertificate,
  EndpointKind,
  EndpointState,
  InteractionSet,
  NewEndpoint,
  Product,
  ProductTeam,
} from './contract.ts'

/** An endpoint as it is stored. */
export interface StoredEndpoint {
  readonly id: string
  readonly state: EndpointState
  readonly asked: NewEndpoint
  readonly manufacturer: string
  /** Lower case; of an AS, of its message handling system. */
  readonly fqdn: string | undefined
  readonly partyKey: string | undefined
  readonly asid: string | undefined
  /** Whether its interactions are those of GP Connect; undefined while they are not chosen, or when it has none. */
  readonly gpConnect: boolean | undefined
  /** Whether it serves GP Connect. */
  readonly provider: boolean
  /** What the directory shows while it is approved. */
  readonly entries: readonly DirectoryEntry[]
  readonly certificate: EndpointCertificate | undefined
  /** Grows with every change. */
  readonly version: number
  readonly createdAt: number
}

export interface TeamRow {
  readonly id: string
  readonly ods_code: string
  readonly name: string
  readonly created_at: string | number
  readonly created_by: string
  readonly deleted_at: string | number | null
  readonly keys: string | null
}

export interface ProductRow {
  readonly id: string
  readonly team_id: string | null
  readonly manufacturer: string
  readonly name: string
  readonly version: string | null
  readonly kinds: string
  readonly product_key: string
  readonly party_key: string | null
  readonly created_at: string | number
  readonly created_by: string
  readonly deleted_at: string | number | null
}

export interface SetRow {
  readonly id: string
  readonly product_id: string
  readonly name: string
  readonly use: InteractionSet['use']
  readonly interactions: string
  readonly created_at: string | number
  readonly created_by: string
}

export interface EndpointRow {
  readonly id: string
  readonly state: EndpointState
  readonly manufacturer: string
  readonly fqdn: string | null
  readonly party_key: string | null
  readonly asid: string | null
  readonly gp_connect: boolean | null
  readonly provider: boolean
  readonly asked: string
  readonly entries: string
  readonly certificate: string | null
  readonly version: string | number
  readonly created_at: string | number
}

export const teamOf = (row: TeamRow): ProductTeam => ({
  id: row.id,
  odsCode: row.ods_code,
  name: row.name,
  keys: JSON.parse(row.keys ?? '[]') as ProductTeam['keys'],
  createdAt: Number(row.created_at),
  createdBy: row.created_by,
  ...(row.deleted_at === null ? {} : { deletedAt: Number(row.deleted_at) }),
})

export const productOf = (row: ProductRow): Product => ({
  id: row.id,
  ...(row.team_id === null ? {} : { teamId: row.team_id }),
  manufacturer: row.manufacturer,
  name: row.name,
  ...(row.version === null ? {} : { version: row.version }),
  kinds: row.kinds.split(' ') as EndpointKind[],
  productKey: row.product_key,
  ...(row.party_key === null ? {} : { partyKey: row.party_key }),
  createdAt: Number(row.created_at),
  createdBy: row.created_by,
  ...(row.deleted_at === null ? {} : { deletedAt: Number(row.deleted_at) }),
})

export const setOf = (row: SetRow): InteractionSet => {
  const about = {
    id: row.id,
    productId: row.product_id,
    name: row.name,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
  }
  return row.use === 'messages'
    ? { ...about, use: 'messages', messages: JSON.parse(row.interactions) }
    : { ...about, use: 'additional', interactions: JSON.parse(row.interactions) }
}

export const endpointOf = (row: EndpointRow): StoredEndpoint => ({
  id: row.id,
  state: row.state,
  asked: JSON.parse(row.asked) as NewEndpoint,
  manufacturer: row.manufacturer,
  fqdn: row.fqdn ?? undefined,
  partyKey: row.party_key ?? undefined,
  asid: row.asid ?? undefined,
  gpConnect: row.gp_connect ?? undefined,
  provider: row.provider,
  entries: JSON.parse(row.entries) as readonly DirectoryEntry[],
  certificate: row.certificate === null ? undefined : (JSON.parse(row.certificate) as EndpointCertificate),
  version: Number(row.version),
  createdAt: Number(row.created_at),
})
