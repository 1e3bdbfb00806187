import { isOdsCode } from '@openspine/standards/nhs'
import type { Catalogue, OrganisationQuery, RoleTerm } from './catalogue.ts'
import type { OdsCodes } from './codes.ts'
import type { Deletion } from './deletions.ts'
import { type Dialect, type OdsAnswer, type OdsRequest, withParameters } from './face.ts'
import {
  errorBody,
  fullRecord,
  type OrdFormat,
  ordTypes,
  renderCodes,
  renderDeletions,
  renderFull,
  renderLinks,
  renderSummaries,
} from './ord-render.ts'
import type { OrganisationReader } from './organisation.ts'
import { type OdsOutcome, refusals, refuse } from './outcome.ts'

/** What the ORD API stands on. */
export interface OrdNeeds {
  readonly basePath: string
  readonly catalogue: Catalogue
  readonly codes: OdsCodes
  readonly reader: OrganisationReader
  /** Organisations that were deleted after that moment and are not back, oldest first. */
  deletions(since: number): Promise<readonly Deletion[]>
}

/** Changes and deletions that are told of, in days (§9.1). */
export const tellDays = 185
const msOfDay = 86_400_000

const formats: Readonly<Record<string, OrdFormat>> = {
  json: 'json',
  'text/json': 'json',
  'application/json': 'json',
  xml: 'xml',
  'text/xml': 'xml',
  'application/xml': 'xml',
}

/** Parameters of a search; each may be given once. */
const searchParameters = [
  'Name',
  'PostCode',
  'Status',
  'LastChangeDate',
  'PrimaryRoleId',
  'NonPrimaryRoleId',
  'Roles',
  'OrgRecordClass',
] as const

const bad = (name: string, why: string) => refuse('value', `Invalid value for parameter ${name}: ${why}`)

/** The ORD API of ODS, version 2-0-0 (directory specification §9.1). */
export function ordDialect(needs: OrdNeeds): Dialect {
  return {
    name: 'ord',
    basePath: needs.basePath,
    async answer(request) {
      const [resource = '', id, ...more] = request.path
      if (more.length > 0) throw refuse('notFound', 'Not found')
      switch (resource) {
        case 'organisations':
          return id === undefined ? search(needs, request) : read(needs, request, id)
        case 'sync':
          return sync(needs, request, id)
        case 'notifications':
          return notifications(needs, request, id)
        case 'roles':
        case 'rels':
        case 'recordclasses':
          return codes(needs, request, resource, id)
        default:
          throw refuse('notFound', 'Not found')
      }
    },
    refuse: (outcome, request) => refused(outcome, request),
  }
}

function refused({ refusal, text }: OdsOutcome, { parameters }: OdsRequest): OdsAnswer {
  const status = refusals[refusal].ord
  const asked = parameters.find(([name]) => name === '_format')?.[1]
  const format = formats[asked?.toLowerCase() ?? ''] ?? 'json'
  return { status, type: ordTypes[format], body: errorBody(format, status, text) }
}

/** The parameters that a resource takes, each once; the others are refused. */
function parametersOf(
  { parameters }: OdsRequest,
  known: readonly string[],
): { readonly format: OrdFormat; readonly given: ReadonlyMap<string, string> } {
  const given = new Map<string, string>()
  for (const [name, value] of parameters) {
    if (name !== '_format' && !known.includes(name)) {
      throw refuse('parameter', `Unknown parameter ${name.slice(0, 100)}`)
    }
    if (given.has(name)) throw refuse('value', `Parameter ${name} is given twice`)
    given.set(name, value)
  }
  const asked = given.get('_format')
  const format = asked === undefined ? 'json' : formats[asked.toLowerCase()]
  if (format === undefined) throw refuse('format', `Unknown _format ${asked?.slice(0, 100)}`)
  return { format, given }
}

async function read({ catalogue, reader }: OrdNeeds, request: OdsRequest, id: string): Promise<OdsAnswer> {
  const { format } = parametersOf(request, [])
  const now = await catalogue.current()
  const record = isOdsCode(id) ? now.get(id) : undefined
  if (record === undefined) throw refuse('notFound', 'Not found')
  const full = fullRecord(record, reader.detail(record), now)
  return { status: 200, type: ordTypes[format], body: renderFull(format, full) }
}

async function search({ catalogue }: OrdNeeds, request: OdsRequest): Promise<OdsAnswer> {
  const { format, given } = parametersOf(request, [...searchParameters, 'Limit', 'Offset'])
  if (!searchParameters.some((name) => given.has(name))) {
    throw refuse('parameter', `At least one of ${searchParameters.join(', ')} is required`)
  }
  const query = queryOf(given)
  const limit = numberOf(given, 'Limit', 20, 1, 1000)
  // Counted from one; nothing else than the first page begins before the second record.
  const offset = Math.max(1, numberOf(given, 'Offset', 1, 0, 100_000_000))
  const now = await catalogue.current()
  const { total, page } = now.search(query, offset - 1, limit)
  const at = (start: number) => withParameters(request, { Limit: String(limit), Offset: String(start) })
  return {
    status: 200,
    type: ordTypes[format],
    body: renderSummaries(format, page, now, request.base),
    headers: {
      'x-total-count': String(total),
      'returned-records': String(page.length),
      ...(offset - 1 + page.length < total && page.length > 0 ? { 'next-page': at(offset + limit) } : {}),
      ...(offset > 1 ? { 'previous-page': at(Math.max(1, offset - limit)) } : {}),
    },
  }
}

function queryOf(given: ReadonlyMap<string, string>): OrganisationQuery {
  const name = given.get('Name')?.trim()
  if (name !== undefined && (name.length < 3 || name.length > 200)) throw bad('Name', '3 to 200 characters')
  const postcode = given.get('PostCode')?.trim()
  if (postcode !== undefined && !/^[A-Za-z0-9]{2,4}( ?[A-Za-z0-9]{0,3})?$/.test(postcode.replace(/\s+/g, ' ')))
    throw bad('PostCode', 'a postcode, or its part before the space')
  const status = given.get('Status')
  if (status !== undefined && !/^(active|inactive)$/i.test(status)) throw bad('Status', 'Active or Inactive')
  const changedFrom = given.get('LastChangeDate')
  if (changedFrom !== undefined) dayOf(changedFrom)
  const recordClass = given.get('OrgRecordClass')?.toUpperCase()
  if (recordClass !== undefined && recordClass !== 'RC1' && recordClass !== 'RC2') {
    throw bad('OrgRecordClass', 'RC1 or RC2')
  }
  const roles = (
    [
      ['PrimaryRoleId', 'primary'],
      ['NonPrimaryRoleId', 'further'],
      ['Roles', 'any'],
    ] as const
  ).flatMap(([parameter, held]): RoleTerm[] => {
    const value = given.get(parameter)
    if (value === undefined) return []
    const anyOf = value.split(',').map((each) => each.trim().toUpperCase())
    if (anyOf.length > 50 || !anyOf.every((each) => /^RO\d{1,5}$/.test(each))) {
      throw bad(parameter, 'role ids such as RO177, separated by commas')
    }
    return [{ anyOf, held }]
  })
  return {
    ...(name === undefined ? {} : { names: [{ text: name, match: 'contains' }] }),
    ...(postcode === undefined ? {} : { postcode }),
    ...(status === undefined ? {} : { active: status.toLowerCase() === 'active' }),
    ...(changedFrom === undefined ? {} : { changedFrom }),
    ...(recordClass === undefined ? {} : { recordClass }),
    ...(roles.length === 0 ? {} : { roles }),
  }
}

function numberOf(
  given: ReadonlyMap<string, string>,
  name: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  const value = given.get(name)
  if (value === undefined) return otherwise
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most)) throw bad(name, `a whole number from ${least} to ${most}`)
  return number
}

/** Milliseconds of the beginning of a day. */
function dayOf(value: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== value) throw bad('LastChangeDate', 'YYYY-MM-DD')
  return at
}

async function sync({ catalogue }: OrdNeeds, request: OdsRequest, id: string | undefined): Promise<OdsAnswer> {
  if (id !== undefined) throw refuse('notFound', 'Not found')
  const { format, given } = parametersOf(request, ['LastChangeDate'])
  const changedFrom = given.get('LastChangeDate')
  if (changedFrom === undefined) throw refuse('parameter', 'Parameter LastChangeDate is required')
  const now = await catalogue.current()
  const today = Date.parse(`${now.today}T00:00:00Z`)
  if (dayOf(changedFrom) < today - tellDays * msOfDay) throw bad('LastChangeDate', `within the last ${tellDays} days`)
  const { total, page } = now.search({ changedFrom }, 0, Number.POSITIVE_INFINITY)
  return {
    status: 200,
    type: ordTypes[format],
    body: renderLinks(format, page, request.base),
    headers: { 'x-total-count': String(total), 'returned-records': String(total) },
  }
}

async function notifications(needs: OrdNeeds, request: OdsRequest, id: string | undefined): Promise<OdsAnswer> {
  if (id !== undefined) throw refuse('notFound', 'Not found')
  const { format } = parametersOf(request, [])
  const today = Date.parse(`${needs.catalogue.today}T00:00:00Z`)
  const deleted = await needs.deletions(today - tellDays * msOfDay)
  return {
    status: 200,
    type: ordTypes[format],
    body: renderDeletions(format, deleted),
    headers: { 'x-total-count': String(deleted.length), 'returned-records': String(deleted.length) },
  }
}

function codes(
  { codes: tables }: OrdNeeds,
  request: OdsRequest,
  system: 'roles' | 'rels' | 'recordclasses',
  id: string | undefined,
): OdsAnswer {
  const { format } = parametersOf(request, [])
  const table = { roles: tables.roles, rels: tables.relationships, recordclasses: tables.recordClasses }[system]
  const one = id === undefined ? undefined : table.get(id.toUpperCase())
  if (id !== undefined && one === undefined) throw refuse('notFound', 'Not found')
  return {
    status: 200,
    type: ordTypes[format],
    body: renderCodes(format, system, one === undefined ? [...table.values()] : [one]),
  }
}
