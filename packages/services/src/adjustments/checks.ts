import type { Peer } from '@openspine/platform/doors'
import { asidHeaderDiagnostics, judgeSpineToken } from '@openspine/standards/audit-token'
import { bodyFormat, negotiate, parseToken } from '@openspine/standards/fhir'
import { isNhsNumber, isUuid } from '@openspine/standards/nhs'
import { callerChecks, type DirectorySnapshot } from '../directory/contract.ts'
import { adjustmentList, nraf } from './codes.ts'
import type { GatewayOutcome, SpineOutcome } from './outcomes.ts'
import type { TopKind } from './stu3/render.ts'

const prefix = 'urn:nhs:names:services:raflags:'

type Resource = 'Consent' | 'Flag' | 'List' | 'Condition'

/** What can be asked for (§23), as data. */
export interface RaOperation {
  readonly name: 'search' | 'create' | 'update' | 'remove record' | 'metadata' | 'poll'
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Path below the base; `{id}` stands for one segment. */
  readonly path: string
  /** What it is about; `threshold` is derived, and read only. */
  readonly kind?: TopKind | 'threshold'
  /** Name of the query parameter beside patient and status. */
  readonly parameter?: 'category' | 'code'
  /** Below `urn:nhs:names:services:raflags:`. */
  readonly interaction?: string
  /** Scopes of the token on the direct door; any of them. */
  readonly scopes?: readonly string[]
}

function resource(path: string, kind: TopKind, type: Resource, parameter: 'category' | 'code'): readonly RaOperation[] {
  const about = { kind, parameter } as const
  const write = { interaction: `${type}.write:1`, scopes: [`user/${type}.write`] }
  // The published table of scopes has user/Condition where the others end with .read.
  const scopes = [`user/${type}.read`, ...(type === 'Condition' ? ['user/Condition'] : [])]
  return [
    { name: 'search', method: 'GET', path, ...about, interaction: `${type}.read:1`, scopes },
    { name: 'create', method: 'POST', path, ...about, ...write },
    { name: 'update', method: 'PUT', path: `${path}/{id}`, ...about, ...write },
  ]
}

export const raOperations: readonly RaOperation[] = [
  ...resource('/Consent', 'record', 'Consent', 'category'),
  ...resource('/Flag', 'adjustment', 'Flag', 'category'),
  ...resource('/List', 'impairments', 'List', 'code'),
  ...resource('/UnderlyingConditionList', 'conditions', 'Condition', 'category'),
  // As older documents call it.
  ...resource('/UnderlyingConditions', 'conditions', 'Condition', 'category'),
  {
    name: 'search',
    method: 'GET',
    path: '/ThresholdCode',
    kind: 'threshold',
    parameter: 'category',
    interaction: 'Flag.read:1',
    scopes: ['user/Flag.read'],
  },
  {
    name: 'remove record',
    method: 'POST',
    path: '/$removerarecord',
    interaction: 'removerarecord.write:1',
    scopes: ['user/Consent.write', 'user/Flag.write'],
  },
  { name: 'metadata', method: 'GET', path: '/metadata' },
  { name: 'poll', method: 'GET', path: '/_poll/{id}' },
]

export function raOperationAt(
  method: string,
  path: string,
): { readonly operation: RaOperation; readonly id: string | undefined } | undefined {
  for (const operation of raOperations) {
    if (operation.method !== method) continue
    const base = operation.path.replace('/{id}', '')
    if (operation.path === path || (operation.path.includes('$') && decoded(path) === operation.path))
      return { operation, id: undefined }
    const id = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : ''
    if (operation.path !== base && /^[A-Za-z0-9.-]{1,64}$/.test(id)) return { operation, id }
  }
  return undefined
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The whole interaction, and the name under which older registrations have it: `RaflagsConsentRead01`. */
export function interactionNames({ interaction = '' }: RaOperation): readonly string[] {
  const [what = '', how = ''] = interaction.replace(':1', '').split('.')
  const capital = (word: string) => `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`
  return [`${prefix}${interaction}`, `${prefix}Raflags${capital(what)}${capital(how)}01`]
}

/** Every interaction, in both names: what a system is registered for. */
export const raInteractions: readonly string[] = [
  ...new Set(raOperations.filter(({ interaction }) => interaction !== undefined).flatMap(interactionNames)),
]

/** A request as its checks look at it. */
export interface RaRequest {
  readonly method: string
  readonly operation: RaOperation | undefined
  header(name: string): string | undefined
  /** Pairs of the query, decoded as far as they can be. */
  readonly query: readonly (readonly [string, string])[]
  readonly body: Buffer
}

/** Version that If-Match names; undefined where it names none. */
export const versionIn = (ifMatch: string | undefined): number | undefined => {
  const version = /^(?:W\/)?"([0-9]{1,9})"$/.exec(ifMatch?.trim() ?? '')?.[1]
  return version === undefined ? undefined : Number(version)
}

export const parameterIn = ({ query }: RaRequest, name: string): string | undefined =>
  query.find(([each]) => each === name)?.[1]

const needsIfMatch = ({ operation }: RaRequest) => operation?.name === 'update' || operation?.name === 'remove record'
const writes = ({ method }: RaRequest) => method === 'POST' || method === 'PUT'

function missingParameter({ operation, query }: RaRequest): string | undefined {
  if (operation?.name !== 'search') return undefined
  return ['patient', 'status', operation.parameter ?? 'category'].find(
    (name) => !query.some(([each, value]) => each === name && value !== ''),
  )
}

interface Check<Outcome, Request> {
  readonly name: string
  readonly clause: string
  readonly outcome: Outcome
  /** Plain words for whoever has to mend the request. */
  readonly explains: string
  /** What is wrong; undefined where nothing is. */
  fault(request: Request): string | undefined
}

export type GatewayCheck = Check<GatewayOutcome, RaRequest>

/** At the gateway, before the token: the national gateway asks in this order. */
export const gatewayHeadChecks: readonly GatewayCheck[] = [
  {
    name: 'Path',
    clause: '§23',
    outcome: 'unknownPath',
    explains: 'Method and path are one of those that are offered.',
    fault: ({ operation }) => (operation === undefined ? 'There is nothing at this path for this method' : undefined),
  },
  {
    name: 'Query',
    clause: '§23',
    outcome: 'query',
    explains: 'A read has patient, status, and category (of a list: code), none of them empty.',
    fault(request) {
      const missing = missingParameter(request)
      return missing && `The query parameter ${missing} is missing or empty`
    },
  },
  {
    name: 'If-Match',
    clause: '§23',
    outcome: 'ifMatch',
    explains: 'PUT and $removerarecord name the version that was read: If-Match: W/"1".',
    fault: (request) =>
      needsIfMatch(request) && versionIn(request.header('if-match')) === undefined
        ? 'The header If-Match is missing or names no version'
        : undefined,
  },
]

/** A request at the gateway, when its token is known. */
export interface GatewayRequest extends RaRequest {
  /** Undefined: it cannot be told. */
  readonly role: string | undefined
  readonly asid: string | undefined
  readonly odsCode: string | undefined
}

/** At the gateway, after the token. */
export const gatewayChecks: readonly Check<GatewayOutcome, GatewayRequest>[] = [
  {
    name: 'X-Request-ID',
    clause: '§23',
    outcome: 'requestId',
    explains: 'The header X-Request-ID is a UUID.',
    fault: ({ header }) =>
      isUuid(header('x-request-id')) ? undefined : 'The header X-Request-ID is missing or no UUID',
  },
  {
    name: 'NHSD-Session-URID',
    clause: '§23',
    outcome: 'role',
    explains: 'The role is one of the user’s: that of the header, else the one chosen at sign-in, else the only one.',
    fault: ({ role }) =>
      role === undefined ? 'The header NHSD-Session-URID is empty, no number, or none of the user’s roles' : undefined,
  },
  {
    name: 'Content-Type',
    clause: '§23',
    outcome: 'contentType',
    explains: 'A POST or PUT is of the media type application/fhir+json.',
    fault: (request) =>
      writes(request) && !/^application\/fhir\+json\s*(;|$)/i.test(request.header('content-type') ?? '')
        ? 'The header Content-Type is not application/fhir+json'
        : undefined,
  },
  {
    name: 'Payload',
    clause: '§23',
    outcome: 'payload',
    explains: 'A POST or PUT has a body.',
    fault: (request) => (writes(request) && request.body.length === 0 ? 'There is no body' : undefined),
  },
  {
    name: 'ASID of the application',
    clause: '§23',
    outcome: 'asid',
    explains: 'The application is registered with the ASID of its accredited system.',
    fault: ({ asid }) => (asid === undefined ? 'The application has no ASID: openspine app set --asid' : undefined),
  },
  {
    name: 'ODS code of the application',
    clause: '§23',
    outcome: 'ods',
    explains: 'The application has an ODS code among its settings, or its ASID is registered for an organisation.',
    fault: ({ odsCode }) => (odsCode === undefined ? 'No organisation is known for the application' : undefined),
  },
]

/** A request on the direct door. */
export interface DirectRequest extends RaRequest {
  readonly peer: Peer
  readonly snapshot: DirectorySnapshot
  /** Seconds since the epoch. */
  readonly now: number
}

export type DirectCheck = Check<SpineOutcome, DirectRequest>

function asidHeader(name: 'fromASID' | 'toASID'): DirectCheck {
  return {
    name,
    clause: '§23, identity §7.1',
    outcome: 'header',
    explains: `The header ${name} is an ASID.`,
    fault: ({ header }) => (header(name) === undefined ? asidHeaderDiagnostics(name) : undefined),
  }
}

const caller = callerChecks<DirectRequest>({
  clause: '§23',
  from: 'fromasid',
  to: 'toasid',
  registration: 'the interaction',
  interactions: ({ operation }) => (operation === undefined ? [] : interactionNames(operation)),
})

/** On the direct door, in order; metadata needs the first two alone. */
export const directChecks: readonly DirectCheck[] = [
  caller.certificate,
  {
    name: 'Operation',
    clause: '§23',
    outcome: 'notImplemented',
    explains: 'Method and path are one of those that are offered.',
    fault: ({ operation }) =>
      operation === undefined || operation.name === 'poll'
        ? 'There is nothing at this path for this method'
        : undefined,
  },
  asidHeader('fromASID'),
  asidHeader('toASID'),
  {
    name: 'TraceID',
    clause: '§23',
    outcome: 'header',
    explains: 'The header TraceID names the request.',
    fault: ({ header }) => (header('traceid') === undefined ? 'TraceID HTTP Header is missing' : undefined),
  },
  {
    name: 'InteractionID',
    clause: '§23',
    outcome: 'header',
    explains: 'The header InteractionID is that of the operation.',
    fault({ header, operation }) {
      const given = header('interactionid')
      if (given === undefined) return 'InteractionID HTTP Header is missing'
      const names = operation === undefined ? [] : interactionNames(operation)
      return names.includes(given) ? undefined : `InteractionID HTTP Header is not ${names[0]}`
    },
  },
  caller.systems,
  {
    name: 'Token',
    clause: '§23, identity §7.1',
    outcome: 'token',
    explains:
      'The token is unsecured, in time, for direct care, and has the scope of the operation, organisation and user.',
    fault({ header, operation, snapshot, now }) {
      const verdict = judgeSpineToken({
        api: 'spine',
        authorization: header('authorization'),
        now,
        ...(operation?.scopes && { scopes: operation.scopes }),
        mandatory: ['requesting_organization', 'requesting_user'],
        reasons: ['directcare'],
        organisationOf: (asid) => snapshot.accreditedSystem(asid)?.odsCode,
        isKnownOrganisation: (odsCode) => snapshot.organisation(odsCode) !== undefined,
      })
      return verdict.ok ? undefined : verdict.diagnostics
    },
  },
  {
    name: 'Media types',
    clause: '§23',
    outcome: 'mediaType',
    explains: 'What is sent and what is asked for is application/fhir+json or application/fhir+xml.',
    fault(request) {
      const contentType = request.header('content-type') ?? ''
      if (writes(request) && bodyFormat(contentType, 'stu3', { lenient: true }) === undefined)
        return 'Content-Type is neither application/fhir+json nor application/fhir+xml'
      const format = parameterIn(request, '_format')
      const answer = negotiate({
        version: 'stu3',
        format,
        accept: request.header('accept'),
        contentType,
        lenient: true,
      })
      return answer === undefined ? 'Neither application/fhir+json nor application/fhir+xml is accepted' : undefined
    },
  },
  {
    name: 'If-Match',
    clause: '§23',
    outcome: 'precondition',
    explains: 'PUT and $removerarecord name the version that was read: If-Match: W/"1".',
    fault: (request) =>
      needsIfMatch(request) && versionIn(request.header('if-match')) === undefined
        ? 'If-Match must name the version of the resource that is changed'
        : undefined,
  },
  {
    name: 'Query',
    clause: '§23',
    outcome: 'parameter',
    explains: 'A read has patient, status, and category (of a list: code), none of them empty.',
    fault(request) {
      const missing = missingParameter(request)
      return missing && `The query parameter ${missing} is missing or empty`
    },
  },
]

export type QueryCheck = Check<SpineOutcome, RaRequest>

const wanted = ({ operation }: RaRequest) => (operation?.parameter === 'code' ? adjustmentList : nraf)

/** Of a read, on both doors. */
export const queryChecks: readonly QueryCheck[] = [
  {
    name: 'NHS number',
    clause: '§23, §1',
    outcome: 'nhsNumber',
    explains: 'The parameter patient is the bare NHS number.',
    fault: (request) =>
      isNhsNumber(parameterIn(request, 'patient')) ? undefined : 'The parameter patient is no valid NHS number',
  },
  {
    name: 'Status',
    clause: '§23',
    outcome: 'codeValue',
    explains: 'The parameter status is active: nothing else can be asked for.',
    fault: (request) =>
      parameterIn(request, 'status') === 'active' ? undefined : 'The parameter status is not active',
  },
  {
    name: 'System of category or code',
    clause: '§23',
    outcome: 'codeSystem',
    explains: `The system of category is ${nraf.system}, that of code (lists) ${adjustmentList.system}.`,
    fault(request) {
      const { system } = parseToken(parameterIn(request, request.operation?.parameter ?? '') ?? '')
      return system === wanted(request).system
        ? undefined
        : `The system of ${request.operation?.parameter} is not ${wanted(request).system}`
    },
  },
  {
    name: 'Category or code',
    clause: '§23',
    outcome: 'codeValue',
    explains: `The category is ${nraf.code}, the code of lists ${adjustmentList.code}.`,
    fault(request) {
      const { value } = parseToken(parameterIn(request, request.operation?.parameter ?? '') ?? '')
      return value === wanted(request).code
        ? undefined
        : `The value of ${request.operation?.parameter} is not ${wanted(request).code}`
    },
  },
]
