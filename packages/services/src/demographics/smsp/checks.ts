import type { Peer } from '@openspine/platform/doors'
import { isSpineError } from '@openspine/standards/error'
import { oid } from '@openspine/standards/hl7v3'
import { type DistributionEnvelope, readDistributionEnvelope, type toolkitErrors } from '@openspine/standards/itk'
import { isNhsNumber } from '@openspine/standards/nhs'
import {
  type Addressing,
  type Envelope,
  noAddressing,
  readAddressing,
  readEnvelope,
  readSecurity,
  type Security,
  securityTime,
} from '@openspine/standards/soap'
import type { XmlElement } from '@openspine/standards/xml'
import type { AccreditedSystem, DirectorySnapshot } from '../../directory/contract.ts'
import { criteriaFor } from '../asked.ts'
import { bears } from '../spine-party.ts'
import { isRegistered, type Operation, operationOf } from './operations.ts'
import type { MiniCode } from './outcomes.ts'
import { birthOf, familyOf, genderOf, givenOf, type MiniRequest, readRequest } from './request.ts'

/** By how much the clock of a sender may differ (messaging specification §14). */
const skewMs = 5 * 60_000

/** One request as the checks see it. */
export class MiniCall {
  readonly peer: Peer
  readonly soapAction: string | undefined
  readonly operation: Operation | undefined
  readonly envelope: Envelope | undefined
  readonly addressing: Addressing
  readonly security: Security | undefined
  readonly distribution: DistributionEnvelope | undefined
  readonly request: MiniRequest | undefined
  /** ASID of the sender, where the audit identity is one. */
  readonly asid: string | undefined
  readonly system: AccreditedSystem | undefined
  readonly now: number
  readonly timestamps: 'in-time' | 'ignored'

  constructor(arrived: {
    readonly peer: Peer
    readonly soapAction: string | undefined
    readonly body: Uint8Array
    readonly directory: Pick<DirectorySnapshot, 'accreditedSystem'>
    readonly now: number
    readonly timestamps: 'in-time' | 'ignored'
  }) {
    this.peer = arrived.peer
    this.soapAction = arrived.soapAction
    this.now = arrived.now
    this.timestamps = arrived.timestamps
    this.operation = arrived.soapAction === undefined ? undefined : operationOf(arrived.soapAction)
    this.envelope = quietly(() => readEnvelope(arrived.body))
    const headers = this.envelope?.headers ?? []
    this.addressing = this.envelope === undefined ? noAddressing : readAddressing(headers, '2005/08')
    this.security = readSecurity(headers)
    const root = this.envelope?.body.length === 1 ? this.envelope.body[0] : undefined
    this.distribution = root && quietly(() => readDistributionEnvelope(root))
    const [payload, ...more] = this.distribution?.payloads ?? []
    const [content] = payload?.content ?? []
    const element: XmlElement | undefined = typeof content === 'string' || more.length > 0 ? undefined : content
    this.request = this.operation && readRequest(element, this.operation)
    this.asid = this.distribution?.auditIdentities.find(({ type }) => type === oid.asid)?.uri
    this.system = this.asid === undefined ? undefined : arrived.directory.accreditedSystem(this.asid)
  }
}

function quietly<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (isSpineError(error)) return undefined
    throw error
  }
}

/** One step before the request is looked at: a failure is a SOAP fault. */
export interface MiniCheck {
  readonly name: string
  readonly clause: string
  /** Code of the toolkit's fault. */
  readonly outcome: keyof typeof toolkitErrors
  readonly path: string
  readonly explains: string
  holds(call: MiniCall): boolean
}

/** From the connection to the payload, in order. */
export const faultChecks: readonly MiniCheck[] = [
  {
    name: 'certificate',
    clause: 'demographics §20',
    outcome: '3000',
    path: 'client certificate',
    explains: 'The connection needs a client certificate of this environment that is in time and not revoked.',
    holds: ({ peer }) => peer.state === 'valid',
  },
  {
    name: 'operation',
    clause: 'demographics §20',
    outcome: '1000',
    path: 'HTTP Header - SOAPAction',
    explains: 'SOAPAction must name one of the operations of the Mini Services.',
    holds: ({ operation }) => operation !== undefined,
  },
  {
    name: 'envelope',
    clause: 'demographics §20',
    outcome: '1000',
    path: 'Envelope',
    explains: 'The request must be one SOAP 1.1 Envelope with one Header and one Body.',
    holds: ({ envelope }) => envelope?.headers !== undefined,
  },
  {
    name: 'addressing',
    clause: 'demographics §20',
    outcome: '1000',
    path: 'Header/Action',
    explains: 'wsa:MessageID and wsa:To (2005/08) stand once, and wsa:Action is the same as SOAPAction.',
    holds: ({ addressing: { messageId, action, to }, soapAction }) =>
      messageId.length === 1 &&
      messageId[0] !== '' &&
      to.length <= 1 &&
      action.length === 1 &&
      action[0] === soapAction,
  },
  {
    name: 'security',
    clause: 'demographics §20',
    outcome: '1000',
    path: 'Header/Security',
    explains: 'wsse:Security needs a Timestamp with Created and Expires, and a UsernameToken with a Username.',
    holds: ({ security }) =>
      security?.username !== undefined &&
      security.username !== '' &&
      securityTime(security.created ?? '') !== undefined &&
      securityTime(security.expires ?? '') !== undefined,
  },
  {
    name: 'timestamp',
    clause: 'messaging §12.4',
    outcome: '3000',
    path: 'Header/Security/Timestamp',
    explains: 'The time stamp must not have expired, and must not lie in the future (five minutes are allowed).',
    holds: ({ security, now, timestamps }) =>
      timestamps === 'ignored' ||
      (now < (securityTime(security?.expires ?? '') ?? 0) + skewMs &&
        now > (securityTime(security?.created ?? '') ?? 0) - skewMs),
  },
  {
    name: 'distribution-envelope',
    clause: 'demographics §20, messaging §12.4',
    outcome: '1000',
    path: 'Body/DistributionEnvelope',
    explains: 'The body must be one DistributionEnvelope for the same service, whose manifest fits its payloads.',
    holds: ({ distribution, soapAction }) => distribution?.service === soapAction,
  },
  {
    name: 'sender',
    clause: 'messaging §14',
    outcome: '3000',
    path: 'auditIdentity/id/@uri',
    explains:
      'Where the audit identity is an ASID, the certificate must name an FQDN that is registered for it, and the system must be accredited for the operation.',
    holds: ({ asid, system, peer, operation }) =>
      asid === undefined ||
      (system !== undefined &&
        bears(peer, system) &&
        operation !== undefined &&
        isRegistered(system.interactions, operation)),
  },
  {
    name: 'payload',
    clause: 'demographics §20',
    outcome: '1000',
    path: 'payloads/payload',
    explains: 'There must be one payload: the request of the operation, with a queryEvent.',
    holds: ({ request }) => request !== undefined,
  },
]

/** A rule for what a request says: a failure is a reply with this code. */
export interface RequestCheck {
  readonly name: string
  readonly clause: string
  readonly outcome: MiniCode
  readonly explains: string
  /** Operations that it is for. */
  readonly of: ReadonlySet<Operation>
  holds(request: MiniRequest, operation: Operation): boolean
}

const byNumber: ReadonlySet<Operation> = new Set(['verifyNHSNumber', 'getPatientDetailsByNHSNumber'])
const bySearch: ReadonlySet<Operation> = new Set(['getNHSNumber', 'getPatientDetailsBySearch'])
const every: ReadonlySet<Operation> = new Set([...byNumber, ...bySearch, 'getPatientDetails'])

/** `getPatientDetails` goes by the number where it is given, and by the search otherwise. */
export const goesByNumber = ({ number }: MiniRequest, operation: Operation): boolean =>
  byNumber.has(operation) || (operation === 'getPatientDetails' && number !== undefined)

export const requestChecks: readonly RequestCheck[] = [
  {
    name: 'date-of-birth',
    clause: 'demographics §20',
    outcome: 'SMSP-0001',
    explains: 'Person.DateOfBirth is needed: YYYYMMDD, a day of the calendar.',
    of: every,
    holds: (request) => birthOf(request) !== undefined,
  },
  {
    name: 'nhs-number-given',
    clause: 'demographics §20',
    outcome: 'SMSP-0001',
    explains: 'Person.NHSNumber is needed.',
    of: byNumber,
    holds: ({ number }) => number !== undefined && number.extension !== '',
  },
  {
    name: 'new-style-number',
    clause: 'demographics §20',
    outcome: 'DEMOG-0042',
    explains: 'The root of Person.NHSNumber must be that of the NHS number.',
    of: every,
    holds: ({ number }) => number === undefined || number.root === oid.nhsNumber,
  },
  {
    name: 'check-digit',
    clause: 'demographics §20',
    outcome: 'SMSP-0001',
    explains: 'An NHS number is ten digits, the last of which is the check digit.',
    of: every,
    holds: ({ number }) => number === undefined || isNhsNumber(number.extension),
  },
  {
    name: 'gender',
    clause: 'demographics §20',
    outcome: 'SMSP-0001',
    explains: 'Person.Gender is needed for a search: 0, 1, 2 or 9.',
    of: every,
    holds: (request, operation) =>
      goesByNumber(request, operation)
        ? request.gender === undefined || genderOf(request) !== undefined
        : genderOf(request) !== undefined,
  },
  {
    name: 'name',
    clause: 'demographics §20',
    outcome: 'SMSP-0001',
    explains: 'Person.Name with a family name is needed for a search; a wildcard stands behind two characters.',
    of: every,
    holds: (request, operation) =>
      goesByNumber(request, operation) ||
      (familyOf(request) !== undefined &&
        criteriaFor({
          family: familyOf(request) ?? '',
          given: givenOf(request),
          ...(request.postcode === undefined ? {} : { postcode: request.postcode }),
          wildcards: true,
          max: 1,
        }) !== undefined),
  },
]
