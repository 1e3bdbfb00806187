import type { Peer } from '@openspine/platform/doors'
import type { AccreditedSystem, DirectorySnapshot, MessageHandlingSystem } from '../directory/contract.ts'
import type { SharingAgreement, SharingAgreements } from '../registration/contract.ts'
import type { ProxyConfig } from './config.ts'
import type { RegisteredEndpoint, Target } from './target.ts'
import type { Allowance } from './throttle.ts'
import type { Credentials } from './tokens.ts'

/** What is known of a consumer connection, once for all its requests. */
export interface ConnectionFacts {
  /** The consumer's address. */
  readonly address: string
  /** Who the consumer's certificate says it is, as judged at the handshake. */
  readonly peer: Peer
  /** Subject of that certificate, `CN=a, OU=b, O=nhs`; empty when there is none. */
  readonly subject: string
}

/** What the checks need from outside the call. */
export interface Surroundings {
  readonly config: ProxyConfig
  readonly directory: DirectorySnapshot
  readonly agreements: Pick<SharingAgreements, 'permitting'>
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The same peer as it stands now: revoked, out of time, or of an authority no longer trusted. */
  peerNow(peer: Peer): Peer
  readEndpoint(value: string): RegisteredEndpoint | undefined
  allow(call: { from: string; to: string; provider: string }, now: number): Allowance
}

/** What is written of a way (connection, verb, target, sender, receiver, interaction and what the directory has of them). */
export interface Way {
  /** Its members in the audit record. */
  record?: Buffer
  /** Start line, Host and framing for the provider, and the last of these. */
  start?: Buffer
  framing?: string
}

/** One request on its way through the checks: what it says, and what the checks found for it. */
export class Call {
  readonly connection: ConnectionFacts
  readonly method: string
  /** The raw request target. */
  readonly requestTarget: string
  readonly traceId: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly interaction: string | undefined
  readonly authorization: Credentials | undefined
  readonly contentType: string | undefined

  target: Target | undefined = undefined
  sender: AccreditedSystem | undefined = undefined
  receiver: AccreditedSystem | undefined = undefined
  /** Message handling systems of the receiver for the interaction. */
  handlers: readonly MessageHandlingSystem[] = []
  provider: MessageHandlingSystem | undefined = undefined
  endpoint: RegisteredEndpoint | undefined = undefined
  agreement: SharingAgreement | undefined = undefined
  /** The `TokenFacts` of the token, as JSON. */
  token: string | Buffer | undefined = undefined
  tokenFault: string | undefined = undefined
  allowance: Allowance | undefined = undefined
  /** The snapshot by which it was admitted. */
  directory: DirectorySnapshot | undefined = undefined
  /** Shared by requests of a connection that take the same way one after the other. */
  way: Way = {}

  constructor(connection: ConnectionFacts, said: Said) {
    this.connection = connection
    this.method = said.method
    this.requestTarget = said.requestTarget
    this.traceId = said.traceId
    this.from = said.from
    this.to = said.to
    this.interaction = said.interaction
    this.authorization = said.authorization
    this.contentType = said.contentType
  }

  /** Lets go of what checks have found. */
  forget(): void {
    this.target = undefined
    this.sender = undefined
    this.receiver = undefined
    this.handlers = []
    this.provider = undefined
    this.endpoint = undefined
    this.agreement = undefined
    this.token = undefined
    this.tokenFault = undefined
    this.allowance = undefined
    this.way = {}
  }
}

/** What the head of the request said. */
export interface Said {
  readonly method: string
  readonly requestTarget: string
  readonly traceId: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly interaction: string | undefined
  /** What the Authorization header says; may be remembered from an earlier request. */
  readonly authorization: Credentials | undefined
  readonly contentType: string | undefined
}
