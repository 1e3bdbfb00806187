import type { Peer } from '@openspine/platform/doors'
import { visitorsRecord, visitorsTokenRules } from '@openspine/standards/audit-token'
import { parseToken } from '@openspine/standards/fhir'
import { readBearer, type TokenReading } from '@openspine/standards/jwt'
import { isAsid, isNhsNumber, isUuid, namingSystem } from '@openspine/standards/nhs'
import { callerChecks, type DirectorySnapshot } from '../directory/contract.ts'
import type { VisitorsOutcome } from './outcomes.ts'

const prefix = 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:'

/** Operation → its interaction, as the header names it. Systems are registered for it with `:1` at its end. */
export const visitorsInteractions = {
  search: `${prefix}search:observation`,
  metadata: `${prefix}read:metadata`,
} as const

export type VisitorsOperation = keyof typeof visitorsInteractions

export const observationCode = { system: 'https://fhir.nhs.uk/fhir-observation-code-1', code: '0001' } as const

/** A request as its checks look at it. */
export interface VisitorsRequest {
  readonly method: string
  readonly operation: VisitorsOperation | undefined
  readonly peer: Peer
  header(name: string): string | undefined
  /** Pairs of the query, decoded; undefined where it cannot be. */
  readonly query: readonly (readonly [string, string])[] | undefined
  readonly hasBody: boolean
  /** Whether the formats that are asked for are spoken. */
  readonly format: { readonly parameter: boolean; readonly header: boolean }
  readonly token: TokenReading
  readonly snapshot: DirectorySnapshot
  /** Seconds since the epoch. */
  readonly now: number
  readonly toleranceSeconds: number
}

/** One check: what it asks, where it is written, what the wire says when it fails. */
export interface VisitorsCheck {
  readonly name: string
  readonly clause: string
  readonly outcome: VisitorsOutcome
  /** Plain words for whoever has to mend the request. */
  readonly explains: string
  /** What is wrong, as `diagnostics`; undefined where nothing is. What it builds on has passed before. */
  fault(request: VisitorsRequest): string | undefined
}

/** What a stranger wrote, within bounds. */
const shown = (text: string) => (text.length > 120 ? `${text.slice(0, 120)}…` : text)

function headerCheck(name: string, what: string, fits: (value: string) => boolean, optional = false): VisitorsCheck {
  return {
    name,
    clause: '§25',
    outcome: 'header',
    explains: `The header ${name} is ${what}.`,
    fault({ header }) {
      const value = header(name)
      if (value === undefined) return optional ? undefined : `The header ${name} is missing`
      return fits(value) ? undefined : `The header ${name} is not ${what}`
    },
  }
}

const parameterOf = ({ query }: VisitorsRequest, name: string) => query?.find(([each]) => each === name)?.[1] ?? ''
const patientParameter = 'subject:Patient.identifier'
const known: ReadonlySet<string> = new Set([patientParameter, 'code', '_format'])
const namesOf = (operation: VisitorsOperation | undefined) => {
  const interaction = operation === undefined ? '' : visitorsInteractions[operation]
  return [interaction, `${interaction}:1`]
}

/**
 * The interactions for which systems must be registered. A system that may search may also read what the search offers,
 * because the published registrations have nothing for the metadata.
 */
export const registeredFor = (operation: VisitorsOperation): readonly string[] => {
  const own = `${visitorsInteractions[operation]}:1`
  return operation === 'search' ? [own] : [own, `${visitorsInteractions.search}:1`]
}

const caller = callerChecks<VisitorsRequest>({
  clause: '§25',
  from: 'Ssp-From',
  to: 'Ssp-To',
  registration: 'the interaction (with :1 at its end)',
  interactions: ({ operation }) => registeredFor(operation ?? 'search'),
})

/** Of every request, in order. */
export const arrivalChecks: readonly VisitorsCheck[] = [
  caller.certificate,
  {
    name: 'Operation',
    clause: '§25',
    outcome: 'notImplemented',
    explains: 'There are GET Observation and GET metadata, and nothing else.',
    fault: ({ operation, method }) =>
      operation === undefined || method !== 'GET' ? 'Only GET Observation and GET metadata are served' : undefined,
  },
  headerCheck('Ssp-TraceID', 'a UUID, new for each request', isUuid),
  headerCheck('Ssp-From', 'the twelve digits of the ASID of the system that asks', isAsid),
  headerCheck('Ssp-To', 'the twelve digits of the ASID of the Spine', isAsid),
  {
    name: 'Ssp-InteractionID',
    clause: '§25',
    outcome: 'header',
    explains: 'The header Ssp-InteractionID is that of the operation, with or without :1 at its end.',
    fault({ header, operation }) {
      const value = header('Ssp-InteractionID')
      if (value === undefined) return 'The header Ssp-InteractionID is missing'
      const names = namesOf(operation)
      return names.includes(value) ? undefined : `The header Ssp-InteractionID is not ${names[0]}`
    },
  },
  headerCheck('Ssp-Version', '1, the only version there is', (value) => value === '1', true),
  caller.systems,
  {
    name: 'Accept',
    clause: '§25',
    outcome: 'header',
    explains: 'The media type that is asked for is application/json+fhir or application/xml+fhir.',
    fault: ({ format }) =>
      format.header
        ? undefined
        : 'The header Accept or Content-Type names neither application/json+fhir nor application/xml+fhir',
  },
  {
    name: 'Well formed',
    clause: '§25',
    outcome: 'notWellFormed',
    explains: 'The query can be decoded as UTF-8, and a GET has no body.',
    fault({ query, hasBody }) {
      if (query === undefined) return 'The query cannot be decoded as percent-encoded UTF-8'
      return hasBody ? 'A GET request has no body' : undefined
    },
  },
  {
    name: 'Format',
    clause: '§25',
    outcome: 'parameter',
    explains: 'The parameter _format names JSON or XML.',
    fault: ({ format }) => (format.parameter ? undefined : 'The parameter _format names neither JSON nor XML'),
  },
  {
    name: 'Authorization',
    clause: '§25',
    outcome: 'header',
    explains: 'The header Authorization is Bearer and a token that can be read.',
    fault({ header, token }) {
      if (header('Authorization') === undefined) return 'The header Authorization is missing'
      return token.ok ? undefined : token.fault
    },
  },
]

function tokenFault(request: VisitorsRequest, outcome: 'BAD_REQUEST' | 'INVALID_RESOURCE'): string | undefined {
  const { token, now, toleranceSeconds } = request
  if (!token.ok) return undefined
  const { header, claims, signed } = token
  const subject = { header, claims, signed, now, longestAheadSeconds: toleranceSeconds, recordType: 'Patient' } as const
  const failed = visitorsTokenRules.find((rule) => !rule.passes(subject))
  return failed?.outcome === outcome ? failed.explains : undefined
}

/** Of a search, after those of every request. */
export const searchChecks: readonly VisitorsCheck[] = [
  {
    name: 'Token',
    clause: '§25, identity §7.2',
    outcome: 'header',
    explains: 'The token is unsecured, in time, and has every claim of Visitors & Migrants.',
    fault: (request) => tokenFault(request, 'BAD_REQUEST'),
  },
  {
    name: 'Resources of the token',
    clause: '§25, identity §7.2',
    outcome: 'element',
    explains: 'The resources in the claims have only elements that DSTU2 defines.',
    fault: (request) => tokenFault(request, 'INVALID_RESOURCE'),
  },
  {
    name: 'Parameters',
    clause: '§25',
    outcome: 'parameter',
    explains: 'There are subject:Patient.identifier and code, once each, and perhaps _format.',
    fault({ query = [] }) {
      const names = query.map(([name]) => name)
      const unknown = names.find((name) => !known.has(name))
      if (unknown !== undefined) return `There is no parameter ${shown(unknown)}`
      const twice = names.find((name, at) => names.indexOf(name) !== at)
      if (twice !== undefined) return `The parameter ${twice} stands twice`
      const missing = [patientParameter, 'code'].find((name) => !names.includes(name))
      return missing === undefined ? undefined : `The parameter ${missing} is missing`
    },
  },
  {
    name: 'Identifier system',
    clause: '§25',
    outcome: 'identifierSystem',
    explains: `The system of subject:Patient.identifier is ${namingSystem.fhirNhsUk.nhsNumber}.`,
    fault(request) {
      const { system = '' } = parseToken(parameterOf(request, patientParameter))
      const right = system === namingSystem.fhirNhsUk.nhsNumber
      return right ? undefined : `The system of ${patientParameter} is not ${namingSystem.fhirNhsUk.nhsNumber}`
    },
  },
  {
    name: 'NHS number',
    clause: '§25, §1',
    outcome: 'nhsNumber',
    explains: 'The value of subject:Patient.identifier is ten digits with a right check digit.',
    fault: (request) =>
      isNhsNumber(parseToken(parameterOf(request, patientParameter)).value)
        ? undefined
        : 'An invalid NHS number format has been provided in the request',
  },
  {
    name: 'Code system',
    clause: '§25',
    outcome: 'codeSystem',
    explains: `The system of code is ${observationCode.system}.`,
    fault(request) {
      const { system = '' } = parseToken(parameterOf(request, 'code'))
      return system === observationCode.system ? undefined : `The system of code is not ${observationCode.system}`
    },
  },
  {
    name: 'Code',
    clause: '§25',
    outcome: 'codeValue',
    explains: `The value of code is ${observationCode.code}.`,
    fault: (request) =>
      parseToken(parameterOf(request, 'code')).value === observationCode.code
        ? undefined
        : `The value of code is not ${observationCode.code}`,
  },
  {
    name: 'Record of the token',
    clause: '§25',
    outcome: 'unmatched',
    explains: 'The NHS number in the query is that of the claim requested_record.',
    fault: (request) =>
      request.token.ok && visitorsRecord(request.token.claims) === numberIn(request)
        ? undefined
        : 'The NHS number in the query is not that of the claim requested_record',
  },
]

/** NHS number that a search asks for. */
export const numberIn = (request: VisitorsRequest): string => parseToken(parameterOf(request, patientParameter)).value

/** The token as the Authorization header has it. */
export const tokenIn = (authorization: string | undefined): TokenReading => readBearer(authorization ?? '')
