import { replaceIllegal, XmlWriter } from '@openspine/standards/xml'
import type { Catalogue } from './catalogue.ts'
import type { CodedName, RoleCode } from './codes.ts'
import type { Deletion } from './deletions.ts'
import {
  type Days,
  isActive,
  type OrganisationDetail,
  type OrganisationRecord,
  primaryRole,
  uniqueId,
} from './organisation.ts'

export type OrdFormat = 'json' | 'xml'
export const ordTypes: Readonly<Record<OrdFormat, string>> = { json: 'application/json', xml: 'application/xml' }

/** Naming system of ODS codes in ORD records. */
const root = '2.16.840.1.113883.2.1.3.2.4.18.48'

type View = Pick<Catalogue, 'get' | 'today'>

interface OrdDate {
  readonly Type: 'Operational' | 'Legal'
  readonly Start?: string
  readonly End?: string
}

interface OrdTarget {
  readonly OrgId: { readonly root: string; readonly assigningAuthorityName: string; readonly extension: string }
  /** Absent where the directory does not hold the target. */
  readonly PrimaryRoleId?: { readonly id: string; readonly uniqueRoleId: number }
}

/** A full record, member by member as JSON carries it. */
export type FullRecord = ReturnType<typeof fullRecord>

const orgId = (extension: string) => ({ root, assigningAuthorityName: 'HSCIC', extension })
const status = (active: boolean) => (active ? 'Active' : 'Inactive')

function dates(type: OrdDate['Type'], { start, end }: Days): OrdDate[] {
  if (start === undefined && end === undefined) return []
  return [{ Type: type, ...(start === undefined ? {} : { Start: start }), ...(end === undefined ? {} : { End: end }) }]
}

function target(code: string, now: View): OrdTarget {
  const found = now.get(code)
  if (found === undefined) return { OrgId: orgId(code) }
  return {
    OrgId: orgId(found.odsCode),
    PrimaryRoleId: { id: primaryRole(found).id, uniqueRoleId: uniqueId(found, 'role', 0) },
  }
}

/**
 * Roles and relationships have the days of the organisation: the directory keeps none of their own. A predecessor
 * counts from the day of opening, a successor from that of closing.
 */
export function fullRecord(record: OrganisationRecord, detail: OrganisationDetail, now: View) {
  const { name, odsCode, period, changed, kind, related } = record
  const { address, contacts, successions } = detail
  const active = status(isActive(record, now.today))
  const operational = dates('Operational', period)
  const [AddrLn1, AddrLn2, AddrLn3] = address.lines
  const location = {
    AddrLn1,
    AddrLn2,
    AddrLn3,
    Town: address.town,
    County: address.county,
    PostCode: address.postcode,
    Country: address.country,
  }
  return {
    Name: name,
    Date: operational,
    OrgId: orgId(odsCode),
    Status: active,
    LastChangeDate: changed,
    orgRecordClass: kind.recordClass,
    GeoLoc: { Location: Object.fromEntries(Object.entries(location).filter(([, value]) => value)) },
    ...(contacts.length === 0 ? {} : { Contacts: { Contact: contacts } }),
    Roles: {
      Role: kind.roles.map(({ id }, index) => ({
        id,
        uniqueRoleId: uniqueId(record, 'role', index),
        // As the live service: the member stands at the primary role alone.
        ...(index === 0 ? { primaryRole: true } : {}),
        Date: operational,
        Status: active,
      })),
    },
    ...(related.length === 0
      ? {}
      : {
          Rels: {
            Rel: related.map((relation, index) => ({
              Date: operational,
              Status: active,
              Target: target(relation.target, now),
              id: relation.id,
              uniqueRelId: uniqueId(record, 'relation', index),
            })),
          },
        }),
    ...(successions.length === 0
      ? {}
      : {
          Succs: {
            Succ: successions.map((succession, index) => ({
              uniqueSuccId: uniqueId(record, 'succession', index),
              Date: dates('Legal', succession.start === undefined ? {} : { start: succession.start }),
              Type: succession.type,
              Target: target(succession.target, now),
            })),
          },
        }),
  }
}

/** Writes without namespace, as the records of the live API: only the manifest around them has one. */
function xml(write: (writer: XmlWriter) => void): string {
  const writer = new XmlWriter().declaration()
  write(writer)
  return writer.toString()
}

const leaf = (writer: XmlWriter, name: string, text: string) => writer.leaf('', name, replaceIllegal(text))

function attributes(of: Readonly<Record<string, string | number | boolean>>) {
  return Object.entries(of).map(([name, value]) => ({ name, value: String(value) }))
}

const empty = (writer: XmlWriter, name: string, of: Readonly<Record<string, string | number | boolean>>) =>
  writer.open('', name, attributes(of)).close()

function writeDates(writer: XmlWriter, list: readonly OrdDate[]): void {
  for (const { Type, Start, End } of list) {
    writer.open('', 'Date')
    empty(writer, 'Type', { value: Type })
    if (Start !== undefined) empty(writer, 'Start', { value: Start })
    if (End !== undefined) empty(writer, 'End', { value: End })
    writer.close()
  }
}

function writeTarget(writer: XmlWriter, { OrgId, PrimaryRoleId }: OrdTarget): void {
  writer.open('', 'Target')
  empty(writer, 'OrgId', OrgId)
  if (PrimaryRoleId !== undefined) empty(writer, 'PrimaryRoleId', PrimaryRoleId)
  writer.close()
}

export function renderFull(format: OrdFormat, full: FullRecord): string {
  if (format === 'json') return JSON.stringify({ Organisation: full })
  return xml((writer) => {
    writer.open('', 'Organisation', attributes({ orgRecordClass: full.orgRecordClass }))
    leaf(writer, 'Name', full.Name)
    writeDates(writer, full.Date)
    empty(writer, 'OrgId', full.OrgId)
    empty(writer, 'Status', { value: full.Status })
    empty(writer, 'LastChangeDate', { value: full.LastChangeDate })
    writer.open('', 'GeoLoc').open('', 'Location')
    for (const [name, value] of Object.entries(full.GeoLoc.Location)) leaf(writer, name, value ?? '')
    writer.close().close()
    if (full.Contacts !== undefined) {
      writer.open('', 'Contacts')
      for (const { type, value } of full.Contacts.Contact) empty(writer, 'Contact', { type, value })
      writer.close()
    }
    writer.open('', 'Roles')
    for (const role of full.Roles.Role) {
      const { id, uniqueRoleId, primaryRole: primary } = role
      writer.open('', 'Role', attributes({ id, ...(primary ? { primaryRole: true } : {}), uniqueRoleId }))
      writeDates(writer, role.Date)
      empty(writer, 'Status', { value: role.Status })
      writer.close()
    }
    writer.close()
    if (full.Rels !== undefined) {
      writer.open('', 'Rels')
      for (const relation of full.Rels.Rel) {
        writer.open('', 'Rel', attributes({ id: relation.id, uniqueRelId: relation.uniqueRelId }))
        writeDates(writer, relation.Date)
        empty(writer, 'Status', { value: relation.Status })
        writeTarget(writer, relation.Target)
        writer.close()
      }
      writer.close()
    }
    if (full.Succs !== undefined) {
      writer.open('', 'Succs')
      for (const succession of full.Succs.Succ) {
        writer.open('', 'Succ', attributes({ uniqueSuccId: succession.uniqueSuccId }))
        writeDates(writer, succession.Date)
        leaf(writer, 'Type', succession.Type)
        writeTarget(writer, succession.Target)
        writer.close()
      }
      writer.close()
    }
    writer.close()
  })
}

/** A list of flat objects, the same in both formats. */
function renderList(
  format: OrdFormat,
  list: string,
  item: string,
  rows: readonly Readonly<Record<string, string>>[],
): string {
  if (format === 'json') return JSON.stringify({ [list]: rows })
  return xml((writer) => {
    writer.open('', list)
    for (const row of rows) {
      writer.open('', item)
      for (const [name, value] of Object.entries(row)) leaf(writer, name, value)
      writer.close()
    }
    writer.close()
  })
}

const link = (format: OrdFormat, { odsCode }: OrganisationRecord, base: string) =>
  `${base}/organisations/${encodeURIComponent(odsCode)}${format === 'xml' ? '?_format=xml' : ''}`

export function renderSummaries(
  format: OrdFormat,
  page: readonly OrganisationRecord[],
  now: View,
  base: string,
): string {
  const { today } = now
  const rows = page.map((record) => ({
    Name: record.name,
    OrgId: record.odsCode,
    Status: status(isActive(record, today)),
    OrgRecordClass: record.kind.recordClass,
    PostCode: record.postcode,
    LastChangeDate: record.changed,
    PrimaryRoleId: primaryRole(record).id,
    PrimaryRoleDescription: primaryRole(record).name,
    OrgLink: link(format, record, base),
  }))
  return renderList(format, 'Organisations', 'Organisation', rows)
}

export function renderLinks(format: OrdFormat, page: readonly OrganisationRecord[], base: string): string {
  return renderList(
    format,
    'Organisations',
    'Organisation',
    page.map((record) => ({ OrgLink: link(format, record, base) })),
  )
}

const systems = {
  roles: { oid: '2.16.840.1.113883.2.1.3.2.4.17.507', name: 'OrganisationRole', list: 'Roles', item: 'Role' },
  rels: {
    oid: '2.16.840.1.113883.2.1.3.2.4.17.508',
    name: 'OrganisationRelationship',
    list: 'Relationships',
    item: 'Relationship',
  },
  recordclasses: {
    oid: '2.16.840.1.113883.2.1.3.2.4.17.506',
    name: 'OrganisationRecordClass',
    list: 'RecordClasses',
    item: 'RecordClass',
  },
} as const

export function renderCodes(
  format: OrdFormat,
  system: keyof typeof systems,
  codes: readonly (CodedName | RoleCode)[],
): string {
  const { oid, name, list, item } = systems[system]
  const rows = codes.map((code) => ({
    id: code.id,
    code: code.id.replace(/^\D+/, ''),
    displayName: code.name,
    ...('primary' in code ? { primaryRole: String(code.primary) } : {}),
  }))
  if (format === 'json') return JSON.stringify({ [list]: rows })
  return xml((writer) => {
    writer.open('', 'CodeSystem', attributes({ oid, name })).open('', list)
    for (const row of rows) {
      writer.open('', item)
      for (const [member, value] of Object.entries(row)) leaf(writer, member, value)
      writer.close()
    }
    writer.close().close()
  })
}

/** Nobody records why an organisation was deleted: that it does not exist is what can be said of all of them. */
const reason = { code: '2', description: 'ORG DOES NOT EXIST' }
const type = { code: '1', description: 'MACHINE' }

export function renderDeletions(format: OrdFormat, deletions: readonly Deletion[]): string {
  const rows = deletions.map(({ odsCode, primaryRoleId, at }) => ({
    OrgID: odsCode,
    PrimaryRoleId: primaryRoleId,
    reason,
    time: new Date(at).toISOString(),
    type,
  }))
  if (format === 'json') return JSON.stringify({ DeletedOrganisations: rows })
  return xml((writer) => {
    writer.open('', 'DeletedOrganisations')
    for (const row of rows) {
      writer.open('', 'DeletedOrganisation')
      leaf(writer, 'OrgID', row.OrgID)
      leaf(writer, 'PrimaryRoleId', row.PrimaryRoleId)
      for (const [name, coded] of [
        ['reason', row.reason],
        ['type', row.type],
      ] as const) {
        writer.open('', name)
        leaf(writer, 'code', coded.code)
        leaf(writer, 'description', coded.description)
        writer.close()
        if (name === 'reason') leaf(writer, 'time', row.time)
      }
      writer.close()
    }
    writer.close()
  })
}

export function errorBody(format: OrdFormat, code: number, text: string): string {
  if (format === 'json') return JSON.stringify({ errorCode: code, errorText: text })
  return xml((writer) => {
    writer.open('', 'Error')
    leaf(writer, 'errorCode', String(code))
    leaf(writer, 'errorText', text)
    writer.close()
  })
}
