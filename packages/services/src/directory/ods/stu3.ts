import {
  type AnyResource,
  bundle,
  contentTypeOf,
  type Extension,
  type FhirFormat,
  operationOutcome,
  parseDateTime,
  splitAlternatives,
} from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { Catalogue, OrganisationQuery, RoleTerm, TextTerm } from './catalogue.ts'
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
import { isActive, type OrganisationReader, type OrganisationRecord } from './organisation.ts'
import { type OdsOutcome, refusals, refuse } from './outcome.ts'

/** What the STU3 face stands on. */
export interface Stu3Needs {
  readonly basePath: string
  readonly catalogue: Catalogue
  readonly reader: OrganisationReader
  /** `live`: single objects where the standard has lists, as the retired service sent JSON. */
  readonly json: 'standard' | 'live'
}

export const odsCodeSystem = 'https://fhir.nhs.uk/Id/ods-organization-code'
const definitions = 'https://fhir.nhs.uk/STU3/StructureDefinition'
const roleSystem = 'https://directory.spineservices.nhs.uk/STU3/CodeSystem/ODSAPI-OrganizationRole-1'
const recordClassSystem = 'https://fhir.nhs.uk/STU3/CodeSystem/ODSAPI-OrganizationRecordClass-1'
const outcomeSystem = 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1'
const pageSize = 20

/** ODS over FHIR STU3 (directory specification §9.2). */
export function stu3Dialect(needs: Stu3Needs): Dialect {
  return {
    name: 'stu3',
    basePath: needs.basePath,
    async answer(request) {
      const [resource, id, ...more] = request.path
      if (resource !== 'Organization' || more.length > 0) throw refuse('notFound', 'No record found')
      return id === undefined ? search(needs, request) : read(needs, request, id)
    },
    refuse: (outcome, request) => refused(outcome, request),
  }
}

function refused({ refusal, text }: OdsOutcome, request: OdsRequest): OdsAnswer {
  const { status, issue, code, display } = refusals[refusal].stu3
  const format = formatOfError(request, 'stu3')
  const resource = operationOutcome({
    severity: 'error',
    issue,
    system: outcomeSystem,
    code,
    display,
    diagnostics: text,
    profile: `${definitions}/Spine-OperationOutcome-1`,
  })
  return { status, type: contentTypeOf('stu3', format), body: stu3.write(format, resource) }
}

async function read(needs: Stu3Needs, request: OdsRequest, id: string): Promise<OdsAnswer> {
  for (const [name] of request.parameters) if (name !== '_format') throw unknown(name)
  const format = formatOf(request, 'stu3')
  if (!/^[A-Za-z0-9]{1,64}$/.test(id)) throw notAlphanumeric()
  const now = await needs.catalogue.current()
  const record = now.get(id)
  if (record === undefined) throw refuse('notFound', 'No record found for supplied ODS code')
  return answer(needs, format, organization(needs, record, now.today))
}

const unknown = (name: string) => refuse('parameter', `Unknown argument found ${name.slice(0, 100)}`)
const notAlphanumeric = () => refuse('identifierValue', 'Supplied identifier must be just alphanumeric characters.')

async function search(needs: Stu3Needs, request: OdsRequest): Promise<OdsAnswer> {
  const format = formatOf(request, 'stu3')
  const { query, paging, countOnly } = queryOf(request.parameters)
  const now = await needs.catalogue.current()
  const { total, page } = now.search(query, paging.offset, countOnly ? 0 : paging.count)
  return answer(
    needs,
    format,
    bundle({
      type: 'searchset',
      total,
      links: pageLinks(request, countOnly ? { ...paging, count: 0 } : paging, total),
      entries: page.map((record) => ({
        fullUrl: `${request.base}/Organization/${record.odsCode}`,
        resource: organization(needs, record, now.today),
      })),
    }),
  )
}

function queryOf(parameters: OdsRequest['parameters']): {
  readonly query: OrganisationQuery
  readonly paging: Paging
  readonly countOnly: boolean
} {
  const names: TextTerm[] = []
  const postcodes: TextTerm[] = []
  const towns: TextTerm[] = []
  const roles: (readonly string[])[] = []
  let codes: readonly string[] | undefined
  let active: boolean | undefined
  let primary: boolean | undefined
  let changedFrom: string | undefined
  let count = pageSize
  let offset = 0
  let countOnly = false
  for (const [written, value] of parameters) {
    const [name, modifier] = splitName(written)
    const match = textMatch(modifier)
    const text = name === 'name' || name === 'address-postalcode' || name === 'address-city'
    if (match === undefined || (modifier !== undefined && !text)) throw unknown(written)
    switch (name) {
      case '_id':
      case 'identifier': {
        const wanted = name === '_id' ? codeOf(value) : identifierOf(value)
        codes = codes === undefined || codes.some((each) => each.toUpperCase() === wanted.toUpperCase()) ? [wanted] : []
        break
      }
      case 'name':
        names.push({
          text: textOf(
            written,
            value,
            3,
            100,
            /^[A-Za-z0-9 &()'+,\-_./:@]*$/,
            `Supplied ${written} has invalid Character/s`,
          ),
          match,
        })
        break
      case 'address-postalcode':
        postcodes.push({
          text: textOf(
            written,
            value,
            2,
            8,
            /^[A-Za-z0-9 ]*$/,
            `Supplied ${written} contains invalid characters, alphanumeric characters only`,
          ),
          match,
        })
        break
      case 'address-city':
        towns.push({
          text: textOf(
            written,
            value,
            3,
            100,
            /^[A-Za-z ,.'-]*$/,
            `Supplied ${written} contains invalid characters, valid characters include:  , . ' and alphabetical characters`,
          ),
          match,
        })
        break
      case 'active':
        active = booleanOf('active', value)
        break
      case 'ods-org-role':
        roles.push(rolesOf(value))
        break
      case 'ods-org-primaryRole':
        primary = booleanOf('ods-org-primaryRole', value)
        break
      case '_lastUpdated': {
        const after = changedAfter(value)
        if (changedFrom === undefined || after > changedFrom) changedFrom = after
        break
      }
      case '_count':
        if (!/^\d{1,9}$/.test(value) || Number(value) > pageSize) {
          throw refuse('value', 'Supplied limit is invalid, the parameter must take an integer between 0 and 20')
        }
        count = Number(value)
        break
      case '_offset':
        if (!/^\d{1,9}$/.test(value))
          throw refuse('value', 'Supplied offset is invalid, the parameter must take an integer')
        offset = Number(value)
        break
      case '_summary':
        if (value !== 'count') throw refuse('value', 'Supplied _summary is invalid, the parameter must be count')
        countOnly = true
        break
      case '_format':
        break
      default:
        throw unknown(written)
    }
  }
  if (primary !== undefined && roles.length === 0) {
    throw refuse('parameter', 'ods-org-primaryRole can only be used in conjunction with ods-org-role')
  }
  const held = primary === undefined ? 'any' : primary ? 'primary' : 'further'
  return {
    query: {
      ...(codes === undefined ? {} : { codes }),
      ...(names.length === 0 ? {} : { names }),
      ...(postcodes.length === 0 ? {} : { postcodes }),
      ...(towns.length === 0 ? {} : { towns }),
      ...(active === undefined ? {} : { active }),
      ...(changedFrom === undefined ? {} : { changedFrom }),
      ...(roles.length === 0 ? {} : { roles: roles.map((anyOf): RoleTerm => ({ anyOf, held })) }),
    },
    paging: { offset, count },
    countOnly: countOnly || count === 0,
  }
}

function codeOf(value: string): string {
  if (!/^[A-Za-z0-9]{1,64}$/.test(value)) throw notAlphanumeric()
  return value
}

function identifierOf(value: string): string {
  const bar = value.indexOf('|')
  if (bar !== -1 && value.slice(0, bar) !== odsCodeSystem) {
    // The guide names the other parameter here; so did the service.
    throw refuse('identifierSystem', `Invalid ods-org-role parameter. Should be ${odsCodeSystem}`)
  }
  return codeOf(value.slice(bar + 1))
}

function textOf(parameter: string, value: string, least: number, most: number, allowed: RegExp, wrong: string): string {
  if (value.trim().length < least) throw refuse('value', `Supplied ${parameter} is too short, min ${least} characters`)
  if (value.length > most) throw refuse('value', `Supplied ${parameter} is too long, max ${most} characters`)
  if (!allowed.test(value)) throw refuse('value', wrong)
  return value
}

function booleanOf(parameter: string, value: string): boolean {
  if (!/^(true|false)$/i.test(value)) throw refuse('value', `Invalid FHIR ${parameter} parameter`)
  return value.toLowerCase() === 'true'
}

/** `[system|]76,177`: any of them, as role ids. The system stands before the first, or before each. */
function rolesOf(value: string): string[] {
  const alternatives = splitAlternatives(value)
  if (alternatives.length > 50) throw refuse('codeValue', 'Invalid FHIR ods-org-role parameter')
  return alternatives.map((each) => {
    const bar = each.indexOf('|')
    if (bar !== -1 && each.slice(0, bar) !== roleSystem) {
      throw refuse('codeSystem', `Invalid ods-org-role parameter. Should be ${roleSystem}.`)
    }
    const code = each.slice(bar + 1)
    if (!/^\d{1,5}$/.test(code)) throw refuse('codeValue', 'Invalid FHIR ods-org-role parameter')
    return `RO${code}`
  })
}

/** The first day after that of `gt2017-04-01`. */
function changedAfter(value: string): string {
  if (!value.startsWith('gt')) {
    throw refuse(
      'value',
      /^[a-z]{2}\d/.test(value) ? 'Supplied date prefix is invalid, must be gt' : 'Supplied date is invalid',
    )
  }
  const date = parseDateTime(value.slice(2))
  if (date === undefined || date.precision === 'year' || date.precision === 'month') {
    throw refuse('value', 'Supplied date is invalid')
  }
  // The last change is known to the day.
  return dayAfter(dayOfMoment(date.start), 1)
}

function answer({ json }: Stu3Needs, format: FhirFormat, resource: AnyResource | ReturnType<typeof bundle>): OdsAnswer {
  const type = contentTypeOf('stu3', format)
  if (format === 'json' && json === 'live') return { status: 200, type, body: JSON.stringify(asLive(resource)) }
  return { status: 200, type, body: stu3.write(format, resource) }
}

/** Lists of one that the retired service sent as the one. */
const single = new Set(['identifier', 'coding', 'type', 'address', 'profile'])

function asLive(value: unknown, member = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((each) => asLive(each))
    return items.length === 1 && single.has(member) ? items[0] : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asLive(each, name)]))
}

function activePeriod({ period }: OrganisationRecord): AnyResource['valuePeriod'] {
  const type: Extension = { url: `${definitions}/Extension-ODSAPI-DateType-1`, valueString: 'Operational' }
  return { extension: [type], ...period }
}

/** An organisation as profile ODSAPI-Organization-1 has it. */
function organization({ reader }: Stu3Needs, record: OrganisationRecord, today: string): AnyResource {
  const active = isActive(record, today)
  const dated = record.period.start !== undefined || record.period.end !== undefined
  return {
    resourceType: 'Organization',
    id: record.odsCode,
    meta: {
      lastUpdated: `${record.changed}T00:00:00+00:00`,
      profile: [`${definitions}/ODSAPI-Organization-1`],
    },
    extension: [
      ...(dated ? [{ url: `${definitions}/Extension-ODSAPI-ActivePeriod-1`, valuePeriod: activePeriod(record) }] : []),
      ...record.kind.roles.map((role, index) => ({
        url: `${definitions}/Extension-ODSAPI-OrganizationRole-1`,
        extension: [
          {
            url: 'role',
            valueCoding: { system: roleSystem, code: role.id.replace(/^RO/, ''), display: role.name },
          },
          { url: 'primaryRole', valueBoolean: index === 0 },
          ...(dated ? [{ url: 'activePeriod', valuePeriod: activePeriod(record) }] : []),
          { url: 'status', valueString: active ? 'Active' : 'Inactive' },
        ],
      })),
    ],
    identifier: [{ system: odsCodeSystem, value: record.odsCode }],
    active,
    type: [
      {
        coding: [
          {
            system: recordClassSystem,
            code: record.kind.recordClass.replace(/^RC/, ''),
            display: record.kind.recordClass === 'RC1' ? 'HSCOrg' : 'HSCSite',
          },
        ],
      },
    ],
    name: record.name,
    ...partsOf(reader.detail(record)),
  }
}
