import { isNhsNumber, namingSystem } from '@openspine/standards/nhs'
import type { ApiNeed } from '../gateway/contract.ts'
import { applicationRestrictedDiagnostics, applicationRestrictedText, type ScrOutcomeName } from './outcomes.ts'

export type ScrOperationName = 'search' | 'retrieve' | 'upload' | 'set permission' | 'alert' | 'health'

/** What can be asked for (§26), as data. */
export interface ScrOperation {
  readonly name: ScrOperationName
  readonly method: 'GET' | 'POST'
  /** Below the base. */
  readonly path: string
  /** Whether an application may do it by itself. */
  readonly application: boolean
}

export const scrOperations: readonly ScrOperation[] = [
  { name: 'search', method: 'GET', path: '/DocumentReference', application: true },
  { name: 'retrieve', method: 'GET', path: '/Bundle', application: true },
  { name: 'upload', method: 'POST', path: '/Bundle', application: true },
  { name: 'set permission', method: 'POST', path: '/$setPermission', application: false },
  { name: 'alert', method: 'POST', path: '/AuditEvent', application: false },
  { name: 'health', method: 'GET', path: '/healthcheck', application: true },
]

const sending = ['B0380', 'B8028', 'B8029']
const viewing = [
  ...['B0064', 'B0072', 'B0082', 'B0168', 'B0360', 'B0370', 'B0790', 'B0800'],
  ...['B1690', 'B1691', 'B1693', 'B1694', ...sending],
]

/** What a worker's role must have (identity specification §6.2): whoever sends looks for the latest summary first. */
export const scrPermissions: readonly ApiNeed[] = [
  { methods: ['GET'], paths: /^\/(DocumentReference|Bundle)$/, need: { any: viewing } },
  { methods: ['POST'], paths: /^\/Bundle$/, need: { any: sending } },
  { methods: ['POST'], paths: /^\/\$setPermission$/, need: { all: ['B0020', { any: sending }] } },
  { methods: ['POST'], paths: /^\/AuditEvent$/, need: { any: viewing } },
]

/** A request as its checks look at it, when the API platform has let it in. */
export interface ScrRequest {
  readonly method: string
  /** Below the base; `%24` and `$` are one. */
  readonly path: string
  readonly mode: 'user-restricted' | 'application-restricted'
  header(name: string): string | undefined
  /** Pairs of the query, decoded. */
  readonly query: readonly (readonly [name: string, value: string])[]
}

/** One check: what it asks, where it is written, and what becomes of a request that fails it. */
export interface ScrCheck<Subject> {
  readonly name: string
  readonly clause: string
  readonly outcome: ScrOutcomeName
  /** Plain words for whoever has to mend the request. */
  readonly explains: string
  /** `details.text`; undefined where nothing is wrong. What it builds on has passed before. */
  fault(subject: Subject): string | undefined
  readonly diagnostics?: string
}

export type RequestCheck = ScrCheck<ScrRequest>

/** What a stranger wrote, within bounds. */
export const shown = (text: string): string => (text.length > 128 ? `${text.slice(0, 128)}…` : text)

/** The offset may be missing, as published examples have it. */
const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$/
export const isMoment = (value: unknown): value is string =>
  typeof value === 'string' && moment.test(value) && !Number.isNaN(Date.parse(value))

/** The operations at a path. */
const at = (path: string) => scrOperations.filter((operation) => operation.path === path)
export const operationOf = ({ method, path }: Pick<ScrRequest, 'method' | 'path'>): ScrOperation | undefined =>
  at(path).find((operation) => operation.method === method)
/** Methods that a path has, for the header Allow. */
export const allowed = (path: string): string =>
  at(path)
    .map(({ method }) => method)
    .join(',')

/** As the service prints it. Every UUID passes, whatever its version. */
const uuidPattern = '^[0-9a-fA-F]{8}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{12}+$'
export const uuid = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

function idHeader(name: string): RequestCheck {
  return {
    name,
    clause: '§26',
    outcome: 'value',
    explains: `The header ${name} is a UUID, where it is sent.`,
    fault({ header }) {
      const value = header(name)
      return value === undefined || uuid.test(value)
        ? undefined
        : `Invalid ${name}. Should be a UUIDv4 matching "${uuidPattern}"`
    },
  }
}

/** Of every request, in order, when its token is known. */
export const arrivalChecks: readonly RequestCheck[] = [
  {
    name: 'Mode',
    clause: '§26',
    outcome: 'applicationRestricted',
    explains: 'Permissions are set and privacy alerts are sent by a user: an application by itself may not.',
    diagnostics: applicationRestrictedDiagnostics,
    fault: (request) =>
      request.mode === 'application-restricted' && operationOf(request)?.application === false
        ? applicationRestrictedText
        : undefined,
  },
  idHeader('X-Correlation-ID'),
  idHeader('X-Request-ID'),
  {
    name: 'Path',
    clause: '§26',
    outcome: 'notFound',
    explains: `There are ${[...new Set(scrOperations.map(({ path }) => path))].join(', ')}.`,
    fault: ({ path }) => (at(path).length === 0 ? `${shown(path)} not found` : undefined),
  },
  {
    name: 'Method',
    clause: '§26',
    outcome: 'method',
    explains: 'The path has this method; the header Allow names those that it has.',
    fault: (request) =>
      operationOf(request) === undefined ? `Request method '${shown(request.method)}' not supported` : undefined,
  },
  {
    name: 'Content-Type',
    clause: '§26',
    outcome: 'mediaType',
    explains: 'What is posted is of the media type application/fhir+json.',
    fault({ method, header }) {
      const type = header('content-type') ?? ''
      return method === 'POST' && !/^application\/fhir\+json\s*(;|$)/i.test(type)
        ? `Content type '${shown(type)}' not supported`
        : undefined
    },
  },
  {
    name: 'Accept',
    clause: '§26',
    outcome: 'notAcceptable',
    explains: 'The header Accept, where it is sent, takes application/fhir+json.',
    fault({ header }) {
      const accept = header('accept') ?? '*/*'
      const taken = accept
        .split(',')
        .some((each) => /^\s*(application\/fhir\+json|application\/\*|\*\/\*|\*)\s*(;|$)/i.test(each))
      return taken ? undefined : 'Could not find acceptable representation'
    },
  },
]

const parameterIn = ({ query }: ScrRequest, name: string): string | undefined =>
  query.find(([each]) => each === name)?.[1]

const prefix = `${namingSystem.fhirNhsUk.nhsNumber}|`
export const subjectParameter = 'composition.subject:Patient.identifier'
export const summaryParameter = 'composition.identifier'
export const summaryType = { system: 'http://snomed.info/sct', code: '196981000000101' } as const

function present(name: string): RequestCheck {
  return {
    name: `${name} is there`,
    clause: '§26',
    outcome: 'value',
    explains: `The parameter ${name} is sent.`,
    fault: (request) =>
      parameterIn(request, name) === undefined ? `Required String parameter '${name}' is not present` : undefined,
  }
}

/** The field is called `patient` in both operations. */
function patient(name: string): RequestCheck {
  return {
    name: 'NHS number',
    clause: '§26, §1',
    outcome: 'value',
    explains: `The parameter ${name} is ${prefix} and an NHS number with a right check digit.`,
    fault(request) {
      const value = parameterIn(request, name) ?? ''
      return value.startsWith(prefix) && isNhsNumber(value.slice(prefix.length))
        ? undefined
        : `Invalid value - ${shown(value)} in field 'patient'`
    },
  }
}

/** A parameter that may be left out, and has one value otherwise. */
function only(name: string, value: string): RequestCheck {
  return {
    name,
    clause: '§26',
    outcome: 'value',
    explains: `The parameter ${name}, where it is sent, is ${value}.`,
    fault(request) {
      const given = parameterIn(request, name) ?? ''
      return given === '' || given === value ? undefined : `Invalid value - ${shown(given)} in field '${name}'`
    },
  }
}

/** Of a search for the latest summary. */
export const searchChecks: readonly RequestCheck[] = [
  present('patient'),
  patient('patient'),
  only('type', `${summaryType.system}|${summaryType.code}`),
  only('_sort', 'date'),
  only('_count', '1'),
]

/** Of the retrieval of a summary. */
export const retrieveChecks: readonly RequestCheck[] = [
  present(summaryParameter),
  present(subjectParameter),
  patient(subjectParameter),
]

/** NHS number that a read asks for. */
export const numberIn = (request: ScrRequest): string =>
  (parameterIn(request, 'patient') ?? parameterIn(request, subjectParameter) ?? '').slice(prefix.length)
/** Id of the summary that is asked for. */
export const summaryIdIn = (request: ScrRequest): string => (parameterIn(request, summaryParameter) ?? '').toUpperCase()
