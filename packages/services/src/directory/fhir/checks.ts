import { namingSystem } from '@openspine/standards/nhs'
import { type SdsOutcome, sdsOutcomes } from './outcomes.ts'

const { odsOrganisation, serviceInteractionId, partyKey } = namingSystem.fhirNhsUk

export type SdsResource = 'Device' | 'Endpoint'

/** One request for a resource, as far as it is judged. */
export interface SdsRequest {
  readonly resource: SdsResource
  /** X-Correlation-ID as it was sent. */
  readonly correlationId: string | undefined
  /** Decoded, in the order of the request. */
  readonly parameters: readonly Parameter[]
  readonly accept: string | undefined
}

export interface Parameter {
  readonly name: string
  /** Before the first `|`, or all where there is none. */
  readonly system: string
  /** After it, without the white space around. */
  readonly value: string
}

/** The values that a request names; blank ones count as missing, of several of one system the last stands. */
export interface Named {
  readonly odsCode?: string
  readonly interaction?: string
  readonly partyKey?: string
  readonly manufacturer?: string
}

/** The pairs of a query string, decoded as forms are; what cannot be decoded stays as it was sent. */
export function parametersOf(query: string): Parameter[] {
  return [...new URLSearchParams(query)].map(([name, text]) => {
    const bar = text.indexOf('|')
    return bar === -1
      ? { name, system: text, value: '' }
      : { name, system: text.slice(0, bar), value: text.slice(bar + 1).trim() }
  })
}

export function namedIn(parameters: readonly Parameter[]): Named {
  const last = (name: string, system: string) =>
    parameters.findLast((each) => each.name === name && each.system === system && each.value !== '')?.value
  const all = {
    odsCode: last('organization', odsOrganisation),
    interaction: last('identifier', serviceInteractionId),
    partyKey: last('identifier', partyKey),
    manufacturer: last('manufacturing-organization', odsOrganisation),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const organisationOf = (name: string) => `${name}=${odsOrganisation}|value`
const interactionOf = `identifier=${serviceInteractionId}|value`
const partyKeyOf = `identifier=${partyKey}|value`
const missing = (name: string) => `Missing or invalid '${name}' query parameter. Should be '${organisationOf(name)}'`

const uuid = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'
const uuidPattern = new RegExp(uuid)

export const isCorrelationId = (value: string) => uuidPattern.test(value)

/** One ordered check; its words are the live service's own, its oddities included. */
export interface SdsCheck<Subject = SdsRequest> {
  readonly name: string
  readonly clause: string
  readonly asks: string
  /** What the wire says, with `<name>` for what varies. */
  readonly says: SdsOutcome
  /** The outcome when the check fails. */
  refusal(subject: Subject): SdsOutcome | undefined
}

function check<Subject>(
  about: Pick<SdsCheck, 'name' | 'clause' | 'asks' | 'says'>,
  fails: (subject: Subject) => boolean,
): SdsCheck<Subject> {
  return { ...about, refusal: (subject) => (fails(subject) ? about.says : undefined) }
}

const illegal = (name: string) => sdsOutcomes.badRequest(`Illegal query parameter '${name}'`)

/** Parameters of each resource, in the words of the wire. */
const known: Readonly<Record<SdsResource, readonly string[]>> = {
  Device: ['organization', 'identifier', 'manufacturing-organization'],
  Endpoint: ['organization', 'identifier'],
}

/** What one parameter is judged by, in order: the first parameter of the request that fails decides. */
export const parameterChecks: readonly SdsCheck<Parameter & { readonly resource: SdsResource }>[] = [
  {
    name: 'parameter-known',
    clause: '§7.4 (2)',
    asks: 'Is it a parameter of this resource? Endpoint has no manufacturing-organization.',
    says: illegal('<name>'),
    refusal: ({ resource, name }) => (known[resource].includes(name) ? undefined : illegal(name)),
  },
  check(
    {
      name: 'organization-system',
      clause: '§7.4 (2)',
      asks: 'Is `organization` an ODS code with its system?',
      says: sdsOutcomes.badRequest(missing('organization')),
    },
    ({ name, system }) => name === 'organization' && system !== odsOrganisation,
  ),
  check(
    {
      name: 'identifier-system',
      clause: '§7.4 (2)',
      asks: 'Is `identifier` an interaction id or a party key with its system?',
      says: sdsOutcomes.badRequest(
        `Missing or invalid 'identifier' query parameter. Should be one or both of: ['${interactionOf}', '${partyKeyOf}')`,
      ),
    },
    ({ name, system }) => name === 'identifier' && system !== serviceInteractionId && system !== partyKey,
  ),
  check(
    {
      name: 'manufacturing-organization-system',
      clause: '§7.4 (2)',
      asks: 'Is `manufacturing-organization` an ODS code with its system?',
      says: sdsOutcomes.badRequest(missing('manufacturing-organization')),
    },
    ({ name, system }) => name === 'manufacturing-organization' && system !== odsOrganisation,
  ),
]

const acceptable = ['*/*', 'application/fhir+json', 'application/json'] as const

/** The media type of the answer; undefined when none that is accepted can be sent. Parameters do not count. */
export function mediaTypeFor(accept: string | undefined): string | undefined {
  if (accept === undefined || accept.trim() === '') return 'application/fhir+json'
  const ranges = accept.split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase())
  const found = acceptable.find((type) => ranges.includes(type))
  return found === '*/*' ? 'application/fhir+json' : found
}

const organizationMissing: SdsCheck = check(
  {
    name: 'device-organization',
    clause: '§7.4 (3)',
    asks: 'Device: is there an organization that is not blank?',
    says: sdsOutcomes.badRequest(missing('organization')),
  },
  ({ resource, parameters }) => resource === 'Device' && namedIn(parameters).odsCode === undefined,
)
const interactionMissing: SdsCheck = check(
  {
    name: 'device-interaction',
    clause: '§7.4 (3)',
    asks: 'Device: is there an interaction id that is not blank?',
    says: sdsOutcomes.badRequest(`Missing or invalid 'identifier' query parameter. Should be '${interactionOf}'`),
  },
  ({ resource, parameters }) => resource === 'Device' && namedIn(parameters).interaction === undefined,
)

const combinations = [
  [organisationOf('organization'), interactionOf, partyKeyOf],
  [organisationOf('organization'), interactionOf],
  [organisationOf('organization'), partyKeyOf],
  [interactionOf, partyKeyOf],
]
  .map((parts) => `'${parts.join('&')}'`)
  .join('')

/** After path (404) and method (405); the first that fails decides. */
export const sdsChecks: readonly SdsCheck[] = [
  check(
    {
      name: 'correlation-id',
      clause: '§7.4 (1)',
      asks: 'Is X-Correlation-ID, where it is sent, a UUID?',
      says: sdsOutcomes.badRequest(`Invalid X-Correlation-ID header. Should be an UUIDv4 matching regex '${uuid}'`),
    },
    ({ correlationId }) => correlationId !== undefined && !uuidPattern.test(correlationId),
  ),
  {
    name: 'parameters',
    clause: '§7.4 (2)',
    asks: 'Does every parameter, in the order of the request, pass the checks of a parameter?',
    says: sdsOutcomes.badRequest('<message of the parameter>'),
    refusal({ resource, parameters }) {
      for (const parameter of parameters)
        for (const each of parameterChecks) {
          const refused = each.refusal({ ...parameter, resource })
          if (refused !== undefined) return refused
        }
      return undefined
    },
  },
  organizationMissing,
  interactionMissing,
  check(
    {
      name: 'endpoint-combination',
      clause: '§7.4 (3)',
      asks: 'Endpoint: are at least two of organization, interaction id and party key there, and not blank?',
      says: sdsOutcomes.badRequest(
        `Missing or invalid query parameters. Should one of following combinations: [${combinations}])`,
      ),
    },
    ({ resource, parameters }) => resource === 'Endpoint' && Object.keys(namedIn(parameters)).length < 2,
  ),
  check(
    {
      name: 'accept',
      clause: '§7.1, §7.4 (4)',
      asks: 'Does Accept, where it is sent, name `*/*`, `application/fhir+json` or `application/json`?',
      says: sdsOutcomes.notAcceptable,
    },
    ({ accept }) => mediaTypeFor(accept) === undefined,
  ),
]
