import {
  type AnyResource,
  bundle,
  contentTypeOf,
  type Extension,
  operationOutcome,
  parseDateTime,
  type Resource,
  splitAlternatives,
} from '@openspine/standards/fhir'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Catalogue, OrganisationQuery, RoleTerm, TextTerm } from './catalogue.ts'
import type { CodedName, OdsCodes } from './codes.ts'
import type { Dialect, OdsAnswer, OdsRequest } from './face.ts'
import { partsOf } from './fhir-parts.ts'
import {
  dayAfter,
  dayOfMoment,
  formatOf,
  formatOfError,
  type Paging,
  pageLinks,
  splitName,
  textMatch,
} from './fhir-search.ts'
import { isActive, type OrganisationReader, type OrganisationRecord, relationOf, uniqueId } from './organisation.ts'
import { type OdsOutcome, refusals, refuse } from './outcome.ts'
import { odsCodeSystem } from './stu3.ts'

/** What the R4 face stands on. */
export interface R4Needs {
  readonly basePath: string
  readonly catalogue: Catalogue
  readonly reader: OrganisationReader
  readonly codes: OdsCodes
}

const england = 'https://fhir.nhs.uk/England'
const ods = 'https://digital.nhs.uk/services/organisation-data-service/CodeSystem'
const defaultCount = 20
const mostCount = 1000

/**
 * Organisation Data Terminology over FHIR R4 (directory specification §9.3): read and search of Organization and
 * OrganizationAffiliation. What public sources leave open is chosen here and told in the service's README.
 */
export function r4Dialect(needs: R4Needs): Dialect {
  return {
    name: 'r4',
    basePath: needs.basePath,
    async answer(request) {
      const format = formatOf(request, 'r4')
      const [type = '', id, ...more] = request.path
      const resource = more.length === 0 ? resources[type] : undefined
      if (resource === undefined) throw refuse('notFound', 'Nothing is served at this address')
      const body = await (id === undefined ? resource.search(needs, request) : resource.read(needs, request, id))
      return { status: 200, type: contentTypeOf('r4', format), body: r4.write(format, body) }
    },
    refuse: (outcome, request) => refused(outcome, request),
  }
}

interface Served {
  read(needs: R4Needs, request: OdsRequest, id: string): Promise<Resource>
  search(needs: R4Needs, request: OdsRequest): Promise<Resource>
}

const resources: Readonly<Record<string, Served>> = Object.assign(Object.create(null), {
  Organization: { read: readOrganization, search: searchOrganizations },
  OrganizationAffiliation: { read: readAffiliation, search: searchAffiliations },
} satisfies Record<string, Served>)

function refused({ refusal, text }: OdsOutcome, request: OdsRequest): OdsAnswer {
  const { status, issue, code, display } = refusals[refusal].r4
  const format = formatOfError(request, 'r4')
  const resource = operationOutcome({
    severity: 'error',
    issue,
    system: 'https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode',
    code,
    display,
    diagnostics: text,
    profile: 'https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome',
  })
  return { status, type: contentTypeOf('r4', format), body: r4.write(format, resource) }
}

function onlyFormat({ parameters }: OdsRequest): void {
  for (const [name] of parameters) if (name !== '_format') throw unknown(name)
}

const unknown = (name: string) => refuse('parameter', `Unknown search parameter "${name.slice(0, 100)}"`)
const wrong = (name: string, why: string) => refuse('value', `Invalid value of ${name}: ${why}`)

async function readOrganization(needs: R4Needs, request: OdsRequest, id: string): Promise<Resource> {
  onlyFormat(request)
  const now = await needs.catalogue.current()
  const record = now.get(id)
  if (record === undefined) throw refuse('notFound', 'Organization not found')
  return organization(needs, record, now.today)
}

/** What both searches take: how much of the result, and of it which part. */
interface Common {
  count: number
  offset: number
  countOnly: boolean
}

/** Reads a parameter that every search takes; false when it is none. */
function takeCommon(common: Common, name: string, value: string): boolean {
  switch (name) {
    case '_count':
      if (!/^\d{1,9}$/.test(value)) throw wrong(name, 'a whole number')
      // More than a page may hold gives a full page (FHIR R4 search, page count).
      common.count = Math.min(Number(value), mostCount)
      return true
    case '_offset':
      if (!/^\d{1,9}$/.test(value)) throw wrong(name, 'a whole number')
      common.offset = Number(value)
      return true
    case '_summary':
      if (value !== 'count') throw wrong(name, 'count')
      common.countOnly = true
      return true
    default:
      return name === '_format'
  }
}

function pageOf({ count, offset, countOnly }: Common): Paging {
  return { offset, count: countOnly ? 0 : count }
}

function booleanOf(name: string, value: string): boolean {
  if (!/^(true|false)$/i.test(value)) throw wrong(name, 'true or false')
  return value.toLowerCase() === 'true'
}

/** The code of a token; a system, where one is written, must be that one. */
function tokenOf(name: string, value: string, systems: readonly string[]): string {
  const bar = value.indexOf('|')
  if (bar > 0 && !systems.includes(value.slice(0, bar))) throw wrong(name, `the system is ${systems.join(' or ')}`)
  const code = value.slice(bar + 1)
  if (!/^[A-Za-z0-9]{1,64}$/.test(code)) throw wrong(name, 'a code of letters and digits')
  return code
}

const roleSystems = [`${ods}/ODSOrganisationRole`, `${england}/CodeSystem/England-ODSOrganisationRole`]
const classSystems = [`${ods}/ODSRecordClass`, `${england}/CodeSystem/England-ODSRecordClass`]
const useSystem = `${england}/CodeSystem/England-ODSRecordUseType`

function rolesOf(name: string, value: string): string[] {
  const alternatives = splitAlternatives(value)
  if (alternatives.length > 50) throw wrong(name, 'at most 50 codes')
  return alternatives.map((each) => tokenOf(name, each, roleSystems).toUpperCase())
}

async function searchOrganizations(needs: R4Needs, request: OdsRequest): Promise<Resource> {
  const { query, common } = queryOf(request.parameters)
  const now = await needs.catalogue.current()
  const paging = pageOf(common)
  const { total, page } = now.search(query, paging.offset, paging.count)
  return bundle({
    type: 'searchset',
    total,
    links: pageLinks(request, paging, total),
    entries: page.map((record) => ({
      fullUrl: `${request.base}/Organization/${record.odsCode}`,
      resource: organization(needs, record, now.today),
      search: { mode: 'match' as const },
    })),
  })
}

function queryOf(parameters: OdsRequest['parameters']): { readonly query: OrganisationQuery; readonly common: Common } {
  const common: Common = { count: defaultCount, offset: 0, countOnly: false }
  const names: TextTerm[] = []
  const postcodes: TextTerm[] = []
  const towns: TextTerm[] = []
  const roles: RoleTerm[] = []
  let codes: readonly string[] | undefined
  let recordClass: 'RC1' | 'RC2' | undefined
  let nothing = false
  const actives: boolean[] = []
  let changedFrom = ''
  let changedTo = '9'
  const texts: Readonly<Record<string, TextTerm[]>> = {
    name: names,
    'address-postalcode': postcodes,
    'address-city': towns,
  }
  for (const [written, value] of parameters) {
    const [name, modifier] = splitName(written)
    const terms = Object.hasOwn(texts, name) ? texts[name] : undefined
    const match = textMatch(modifier)
    if (match === undefined || (modifier !== undefined && terms === undefined)) throw unknown(written)
    if (takeCommon(common, name, value)) continue
    if (terms !== undefined) {
      if (value.trim() === '' || value.length > 200) throw wrong(name, '1 to 200 characters')
      terms.push({ text: value, match })
      continue
    }
    switch (name) {
      case '_id':
      case 'identifier': {
        const wanted = splitAlternatives(value).map((each) => tokenOf(name, each, [odsCodeSystem]).toUpperCase())
        codes = codes === undefined ? wanted : codes.filter((each) => wanted.includes(each))
        break
      }
      case 'active':
        actives.push(booleanOf(name, value))
        break
      case 'type': {
        const token = value.startsWith(`${useSystem}|`) ? value.slice(useSystem.length + 1) : undefined
        // Every record here is a full one.
        if (token !== undefined) nothing ||= token.toLowerCase() !== 'full'
        else {
          const code = tokenOf(name, value, classSystems).toUpperCase()
          if (code !== 'RC1' && code !== 'RC2') nothing = true
          else {
            nothing ||= recordClass !== undefined && recordClass !== code
            recordClass = code
          }
        }
        break
      }
      case 'roleCode':
        roles.push({ anyOf: rolesOf(name, value), held: 'any' })
        break
      case 'activeRoleCode':
        // A role is as active as the organisation that holds it.
        roles.push({ anyOf: rolesOf(name, value), held: 'any' })
        actives.push(true)
        break
      case 'primaryRoleCode':
        roles.push({ anyOf: rolesOf(name, value), held: 'primary' })
        break
      case 'lastChangeDate':
      case '_lastUpdated': {
        const { from, to } = daysOf(name, value)
        if (from > changedFrom) changedFrom = from
        if (to < changedTo) changedTo = to
        break
      }
      default:
        throw unknown(written)
    }
  }
  const [active] = actives
  if (actives.some((each) => each !== active)) nothing = true
  return {
    common,
    query: {
      ...(nothing ? { codes: [] } : codes === undefined ? {} : { codes }),
      ...(names.length === 0 ? {} : { names }),
      ...(postcodes.length === 0 ? {} : { postcodes }),
      ...(towns.length === 0 ? {} : { towns }),
      ...(roles.length === 0 ? {} : { roles }),
      ...(active === undefined ? {} : { active }),
      ...(recordClass === undefined ? {} : { recordClass }),
      ...(changedFrom === '' ? {} : { changedFrom }),
      ...(changedTo === '9' ? {} : { changedTo }),
    },
  }
}

/** First and last day that a date parameter allows. */
function daysOf(name: string, value: string): { readonly from: string; readonly to: string } {
  const prefix = /^[a-z]{2}/.exec(value)?.[0] ?? 'eq'
  const date = parseDateTime(value.replace(/^[a-z]{2}/, ''))
  if (date === undefined || !['eq', 'lt', 'gt', 'le', 'ge'].includes(prefix)) {
    throw wrong(name, 'a date YYYY-MM-DD after eq, lt, gt, le, ge or nothing')
  }
  const first = dayOfMoment(date.start)
  const last = dayOfMoment(date.end - 1)
  switch (prefix) {
    case 'lt':
      return { from: '', to: dayAfter(first, -1) }
    case 'le':
      return { from: '', to: last }
    case 'gt':
      return { from: dayAfter(last, 1), to: '9' }
    case 'ge':
      return { from: first, to: '9' }
    default:
      return { from: first, to: last }
  }
}

async function readAffiliation(needs: R4Needs, request: OdsRequest, id: string): Promise<Resource> {
  onlyFormat(request)
  const now = await needs.catalogue.current()
  const { position, index } = /^\d{1,12}$/.test(id) ? relationOf(Number(id)) : { position: -1, index: -1 }
  const record = now.at(position)
  if (record?.related[index] === undefined) throw refuse('notFound', 'OrganizationAffiliation not found')
  return affiliation(needs, record, index, now)
}

async function searchAffiliations(needs: R4Needs, request: OdsRequest): Promise<Resource> {
  const common: Common = { count: defaultCount, offset: 0, countOnly: false }
  let primary: string | undefined
  let participating: string | undefined
  let role: readonly string[] | undefined
  let active: boolean | undefined
  const given = new Set<string>()
  for (const [name, value] of request.parameters) {
    if (given.has(name)) throw wrong(name, 'given once')
    given.add(name)
    if (takeCommon(common, name, value)) continue
    switch (name) {
      case 'primary-organization':
      case 'primary-organisation':
        primary = organisationOf(name, value)
        break
      case 'participating-organization':
      case 'participating-organisation':
        participating = organisationOf(name, value)
        break
      case 'role':
        role = splitAlternatives(value)
          .slice(0, 50)
          .map((each) => tokenOf(name, each, [`${ods}/ODSRelationship`]).toUpperCase())
        break
      case 'active':
        active = booleanOf(name, value)
        break
      default:
        throw unknown(name)
    }
  }
  if (primary === undefined && participating === undefined) {
    throw refuse('parameter', 'One of primary-organization and participating-organization is required')
  }
  const now = await needs.catalogue.current()
  const sources =
    primary === undefined ? now.relatedTo(participating ?? '') : [now.get(primary)].filter((each) => each !== undefined)
  const target = participating?.toUpperCase()
  const found = sources
    .filter((record) => active === undefined || isActive(record, now.today) === active)
    .flatMap((record) =>
      record.related.flatMap((relation, index) =>
        (target === undefined || relation.target.toUpperCase() === target) &&
        (role === undefined || role.includes(relation.id))
          ? [{ record, index }]
          : [],
      ),
    )
  const paging = pageOf(common)
  return bundle({
    type: 'searchset',
    total: found.length,
    links: pageLinks(request, paging, found.length),
    entries: found.slice(paging.offset, paging.offset + paging.count).map(({ record, index }) => {
      const resource = affiliation(needs, record, index, now)
      return {
        fullUrl: `${request.base}/OrganizationAffiliation/${resource.id}`,
        resource,
        search: { mode: 'match' as const },
      }
    }),
  })
}

/** `Organization/A99968`, `system|A99968` or the code alone. */
function organisationOf(name: string, value: string): string {
  return tokenOf(name, value.replace(/^Organization\//, ''), [odsCodeSystem])
}

function typedPeriod({ period }: OrganisationRecord): Extension[] {
  if (period.start === undefined && period.end === undefined) return []
  return [
    {
      url: `${england}/StructureDefinition/Extension-England-TypedPeriod`,
      extension: [
        {
          url: 'dateType',
          valueCoding: {
            system: `${england}/CodeSystem/England-PeriodType`,
            code: 'Operational',
            display: 'Operational',
          },
        },
        { url: 'period', valuePeriod: period },
      ],
    },
  ]
}

const coding = (system: string, { id, name }: CodedName) => ({ coding: [{ system, code: id, display: name }] })
type Kind = Parameters<typeof uniqueId>[1]
const instance = (record: OrganisationRecord, kind: Kind, index: number): Extension => ({
  url: 'instanceID',
  valueInteger: uniqueId(record, kind, index),
})

function organization({ reader, codes }: R4Needs, record: OrganisationRecord, today: string): AnyResource {
  const active = isActive(record, today)
  const recordClass = codes.recordClasses.get(record.kind.recordClass) ?? { id: record.kind.recordClass, name: '' }
  return {
    resourceType: 'Organization',
    id: record.odsCode,
    meta: {
      lastUpdated: `${record.changed}T00:00:00+00:00`,
      profile: ['https://fhir.hl7.org.uk/StructureDefinition/UKCore-Organization'],
    },
    extension: [
      {
        url: `${england}/StructureDefinition/Extension-England-TypedDateTime`,
        extension: [
          {
            url: 'type',
            valueCoding: { system: `${england}/CodeSystem/England-ODSDateTime`, code: 'lastChangeDate' },
          },
          { url: 'dateTime', valueDateTime: record.changed },
        ],
      },
      ...typedPeriod(record),
      ...record.kind.roles.map((role, index) => ({
        url: `${england}/StructureDefinition/Extension-England-OrganisationRole`,
        extension: [
          instance(record, 'role', index),
          { url: 'roleCode', valueCodeableConcept: coding(`${ods}/ODSOrganisationRole`, role) },
          { url: 'primaryRole', valueBoolean: index === 0 },
          ...typedPeriod(record),
          { url: 'active', valueBoolean: active },
        ],
      })),
    ],
    identifier: [{ use: 'official', system: odsCodeSystem, value: record.odsCode }],
    active,
    type: [
      coding(`${ods}/ODSRecordClass`, recordClass),
      { coding: [{ system: useSystem, code: 'Full', display: 'Full' }] },
    ],
    name: record.name,
    ...partsOf(reader.detail(record)),
  }
}

/** The organisation that is related, towards the one that it is related to. */
function affiliation(
  { codes }: R4Needs,
  record: OrganisationRecord,
  index: number,
  now: Pick<Catalogue, 'get' | 'today'>,
): AnyResource {
  const relation = record.related[index] ?? { id: '', target: '' }
  const target = now.get(relation.target)
  const reference = (odsCode: string, display: string | undefined) => ({
    reference: `Organization/${odsCode}`,
    identifier: { system: odsCodeSystem, value: odsCode },
    ...(display === undefined ? {} : { display: display }),
  })
  return {
    resourceType: 'OrganizationAffiliation',
    id: String(uniqueId(record, 'relation', index)),
    meta: { lastUpdated: `${record.changed}T00:00:00+00:00` },
    ...(typedPeriod(record).length === 0 ? {} : { extension: typedPeriod(record) }),
    active: isActive(record, now.today),
    ...(Object.keys(record.period).length === 0 ? {} : { period: record.period }),
    organization: reference(record.odsCode, record.name),
    participatingOrganization: reference(target?.odsCode ?? relation.target, target?.name),
    code: [
      coding(`${ods}/ODSRelationship`, codes.relationships.get(relation.id) ?? { id: relation.id, name: relation.id }),
    ],
  }
}
