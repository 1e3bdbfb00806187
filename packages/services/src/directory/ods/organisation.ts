import type { AttributeType, EncodedEntry, Schema } from '@openspine/standards/ldap'
import { replaceIllegal } from '@openspine/standards/xml'
import type { OdsCodes, OrganisationKind, RoleCode } from './codes.ts'

/** Days as `YYYY-MM-DD`; either may be unknown. */
export interface Days {
  readonly start?: string
  readonly end?: string
}

/** One organisation as the indexes hold it: little, because there may be hundreds of thousands. */
export interface OrganisationRecord {
  readonly entry: EncodedEntry
  /** Number of the change that added it: stable, and grows in order of insertion. */
  readonly position: number
  readonly odsCode: string
  readonly name: string
  readonly postcode: string
  readonly town: string
  readonly period: Days
  /** Day of the last change, UTC. */
  readonly changed: string
  readonly kind: OrganisationKind
  /** Relationships by target, in the order of `relationshipsOf`. */
  readonly related: readonly Relation[]
}

export interface Relation {
  /** `RE4`. */
  readonly id: string
  readonly target: string
}

export interface Succession {
  readonly type: 'Predecessor' | 'Successor'
  readonly target: string
  readonly start?: string
}

export interface PostalAddress {
  readonly lines: readonly string[]
  readonly town?: string
  readonly county?: string
  readonly postcode?: string
  readonly country?: string
}

export interface Contact {
  readonly type: 'tel' | 'fax' | 'mail' | 'http'
  readonly value: string
}

/** What only a full record shows. */
export interface OrganisationDetail {
  readonly address: PostalAddress
  readonly contacts: readonly Contact[]
  readonly successions: readonly Succession[]
}

const branch = ',ou=organisations,o=nhs'

/** Whether a normalised name is that of an organisation. */
export const isOrganisationKey = (key: string): boolean => key.endsWith(branch)

/** Reads organisations out of directory entries (directory specification §3.1, §5E). */
export interface OrganisationReader {
  record(entry: EncodedEntry): OrganisationRecord | undefined
  detail(record: OrganisationRecord): OrganisationDetail
}

/** `YYYYMMDD` as `YYYY-MM-DD`; undefined for anything else. */
function day(written: string | undefined): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})/.exec(written ?? '')
  return match === null ? undefined : `${match[1]}-${match[2]}-${match[3]}`
}

/** Members without a value are left out. */
function present<Value extends object>(value: { readonly [Key in keyof Value]: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== '')) as Value
}

/** The lines of a postal address (RFC 4517 §3.3.28), empty ones kept. */
export function addressLines(postal: string): string[] {
  return postal
    .split('$')
    .map((line) => line.trim().replace(/\\(24|5c)/gi, (_all, code: string) => (code === '24' ? '$' : '\\')))
}

const classes = ['nhsGPPractice', 'nhsSite', 'nhsDept', 'nhsOrg'] as const
const classOf = new Map<string, string>(classes.map((name) => [name.toLowerCase(), name]))

/** The class that makes an entry an organisation, in canonical spelling. */
export function structuralOf(objectClasses: readonly string[]): string | undefined {
  return objectClasses.map((each) => classOf.get(each.toLowerCase())).find((each) => each !== undefined)
}

export function organisationReader(schema: Schema, codes: OdsCodes): OrganisationReader {
  const type = (name: string): AttributeType => {
    const found = schema.attribute(name)
    if (found === undefined) throw new Error(`the schema has no attribute ${name}`)
    return found
  }
  const attribute = {
    objectClass: type('objectClass'),
    code: type('nhsIDCode'),
    id: type('uniqueIdentifier'),
    o: type('o'),
    ou: type('ou'),
    postcode: type('postalCode'),
    town: type('l'),
    opened: type('nhsOrgOpenDate'),
    closed: type('nhsOrgCloseDate'),
    typeCode: type('nhsOrgTypeCode'),
    type: type('nhsOrgType'),
    subType: type('nhsOrgSubType'),
    parent: type('nhsParentOrgCode'),
    commissioner: type('nhsPCTCode'),
    area: type('nhsSHAcode'),
    address: type('postalAddress'),
    country: type('nhsCountry'),
    tel: type('telephoneNumber'),
    fax: type('facsimileTelephoneNumber'),
    mail: type('mail'),
    http: type('labeledURI'),
    predecessor: type('nhsOCSPredecessor'),
    successor: type('nhsOCSSuccessor'),
  }
  /** As every face can write them, XML too. */
  const all = (entry: EncodedEntry, of: AttributeType) => entry.values(of).map(replaceIllegal)
  const first = (entry: EncodedEntry, of: AttributeType) => all(entry, of)[0] ?? ''

  return {
    record(entry) {
      const structural = structuralOf(entry.values(attribute.objectClass))
      const odsCode = first(entry, attribute.code) || first(entry, attribute.id)
      if (structural === undefined || odsCode === '') return undefined
      const kind = codes.kindOf({
        structural,
        typeCode: first(entry, attribute.typeCode),
        type: first(entry, attribute.type),
        subTypes: entry.values(attribute.subType),
      })
      const postal = addressLines(first(entry, attribute.address))
      return {
        entry,
        position: Math.floor(entry.order / 4),
        odsCode,
        name: first(entry, attribute.o) || first(entry, attribute.ou),
        postcode: first(entry, attribute.postcode),
        town: (postal.length > 3 ? postal[3] : '') || first(entry, attribute.town),
        period: present<Days>({
          start: day(first(entry, attribute.opened)),
          end: day(first(entry, attribute.closed)),
        }),
        changed: new Date(entry.provenance.modifiedAt).toISOString().slice(0, 10),
        kind,
        related: relations(kind, {
          parent: first(entry, attribute.parent),
          commissioner: first(entry, attribute.commissioner),
          area: first(entry, attribute.area),
        }),
      }
    },
    detail({ entry, postcode, town, period }) {
      const postal = addressLines(first(entry, attribute.address))
      const places = postal.length > 3
      const contacts: Contact[] = (['tel', 'fax', 'mail', 'http'] as const).flatMap((kind) =>
        all(entry, attribute[kind]).map((value) => ({
          type: kind,
          // A labelled URI is the URI, and a label behind a space (RFC 2079).
          value: kind === 'http' ? (value.split(' ', 1)[0] ?? value) : value,
        })),
      )
      const succession = (kind: Succession['type'], of: AttributeType, start: string | undefined) =>
        all(entry, of).map((target): Succession => present({ type: kind, target, start }))
      return {
        address: {
          lines: (places ? postal.slice(0, 3) : postal).filter((line) => line !== '').slice(0, 3),
          ...present<Omit<PostalAddress, 'lines'>>({
            town,
            county: places ? postal.slice(4).filter(Boolean).join(', ') : undefined,
            postcode,
            country: first(entry, attribute.country),
          }),
        },
        contacts,
        successions: [
          ...succession('Predecessor', attribute.predecessor, period.start),
          ...succession('Successor', attribute.successor, period.end),
        ].slice(0, 48),
      }
    },
  }
}

/**
 * Who an organisation belongs to. nhsPCTCode commissions it (RE4); nhsSHAcode is the geography it lies in (RE5);
 * nhsParentOrgCode operates a site (RE6) or is what an organisation is a sub-division of (RE2). A parent that is
 * the commissioner too is named once.
 */
function relations(
  kind: OrganisationKind,
  { parent, commissioner, area }: { readonly parent: string; readonly commissioner: string; readonly area: string },
): Relation[] {
  const found: Relation[] = []
  if (commissioner !== '') found.push({ id: 'RE4', target: commissioner })
  if (area !== '') found.push({ id: 'RE5', target: area })
  if (parent !== '' && parent !== commissioner) {
    found.push({ id: kind.recordClass === 'RC2' ? 'RE6' : 'RE2', target: parent })
  }
  return found
}

/** Open on that day: it has no closing day, or a later one. The same rule decides whether it may own systems (§6.3). */
export function isActive({ period }: OrganisationRecord, today: string): boolean {
  return period.end === undefined || period.end > today
}

export const primaryRole = ({ kind }: OrganisationRecord): RoleCode => kind.roles[0] as RoleCode

/** Places in an organisation that have a number of their own: 8 roles, 8 relationships, 48 successions. */
const places = { role: 0, relation: 8, succession: 16 } as const
const placesOfOne = 64

/** The number of a role, relationship or succession: stable for the life of the entry. */
export function uniqueId({ position }: OrganisationRecord, of: keyof typeof places, index: number): number {
  return position * placesOfOne + places[of] + index
}

/** What a number of a relationship was made of: the position of its organisation, and its index there. */
export function relationOf(unique: number): { readonly position: number; readonly index: number } {
  return { position: Math.floor(unique / placesOfOne), index: (unique % placesOfOne) - places.relation }
}
