import type { Peer } from '@openspine/platform/doors'
import type { AccreditedSystem, DirectorySnapshot, MessageHandlingSystem } from '../directory/contract.ts'
import type { SharingAgreement, SharingAgreements } from '../registration/contract.ts'
import type { ProxyConfig } from './config.ts'
import type { RegisteredEndpoint, Target } from './target.ts'
import type { Allowance } from './throttle.ts'
import type { KnownToken } from './tokens.ts'

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
  /** What an Authorization header says; may be remembered from an earlier request. */
  readToken(authorization: string): KnownToken
  allow(call: { from: string; to: string; provider: string }, now: number): Allowance
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
  readonly authorization: string | undefined
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
  token: string | undefined = undefined
  tokenFault: string | undefined = undefined
  allowance: Allowance | undefined = undefined

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
}

/** What the head of the request said. */
export interface Said {
  readonly method: string
  readonly requestTarget: string
  readonly traceId: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly interaction: string | undefined
  readonly authorization: string | undefined
  readonly contentType: string | undefined
}
