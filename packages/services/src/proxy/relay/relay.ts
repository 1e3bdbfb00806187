import type { Audit } from '@openspine/platform/audit'
import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { fieldNames, type HeadLimits } from '@openspine/standards/http1'
import type { Directory } from '../../directory/contract.ts'
import type { SharingAgreements } from '../../registration/contract.ts'
import type { Surroundings } from '../call.ts'
import type { ProxyConfig } from '../config.ts'
import type { tokenReader } from '../tokens.ts'
import type { Deadlines } from './deadlines.ts'
import type { Turn } from './gathering.ts'
import type { Slabs } from './slabs.ts'
import type { Tally } from './tally.ts'
import type { Upstreams } from './upstream.ts'
import type { Vigil } from './vigil.ts'

/** Fields of a request that the proxy reads; those that are checked must stand once. */
export const requestNames = fieldNames({
  single: ['authorization', 'ssp-traceid', 'ssp-from', 'ssp-to', 'ssp-interactionid'],
  wanted: ['accept', 'content-type', 'expect'],
  varying: ['ssp-traceid', 'authorization'],
})

export const field = {
  authorization: requestNames.id('authorization'),
  traceId: requestNames.id('ssp-traceid'),
  from: requestNames.id('ssp-from'),
  to: requestNames.id('ssp-to'),
  interaction: requestNames.id('ssp-interactionid'),
  accept: requestNames.id('accept'),
  contentType: requestNames.id('content-type'),
  expect: requestNames.id('expect'),
}

export const responseNames = fieldNames({
  wanted: ['date', 'etag', 'last-modified'],
  varying: ['date', 'etag', 'last-modified'],
})
export const keepAliveField = responseNames.id('keep-alive')

/** Limits of time, in milliseconds. */
export interface Times {
  readonly head: number
  readonly keepAlive: number
  readonly body: number
  readonly connect: number
  readonly answer: number
  readonly idle: number
  readonly total: number
  readonly queue: number
  readonly upstreamIdle: number
}

export function timesOf(config: ProxyConfig): Times {
  return {
    head: config.headSeconds * 1000,
    keepAlive: config.keepAliveSeconds * 1000,
    body: config.bodySeconds * 1000,
    connect: config.connectSeconds * 1000,
    answer: config.answerSeconds * 1000,
    idle: config.idleSeconds * 1000,
    total: config.totalSeconds * 1000,
    queue: config.queueSeconds * 1000,
    upstreamIdle: config.upstreamIdleSeconds * 1000,
  }
}

/** What every connection of one proxy shares. */
export interface Relay {
  readonly config: ProxyConfig
  readonly times: Times
  readonly headLimits: HeadLimits
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly audit: Audit
  readonly directory: Pick<Directory, 'snapshot'>
  readonly agreements: Pick<SharingAgreements, 'permitting'>
  readonly deadlines: Deadlines
  readonly upstreams: Upstreams
  readonly tally: Tally
  /** Buffers for what is written. */
  readonly drafts: Slabs
  readonly turn: Turn
  /** For the first byte of an answer, and for the next request of a connection. */
  readonly vigils: { readonly answer: Vigil; readonly request: Vigil }
  /** Where bytes of consumers are read, those of all connections one after the other. */
  readonly consumerBytes: Buffer
  /** Name of this node in the audit. */
  readonly node: string
  /** Rules that do not change between requests; `around` adds the snapshot and the time. */
  readonly rules: Pick<Surroundings, 'peerNow' | 'readEndpoint' | 'allow'>
  /** What an Authorization header says. */
  readonly readToken: ReturnType<typeof tokenReader>
  /** New requests are no longer wanted: every answer closes its connection. */
  readonly closing: () => boolean
}

/** The surroundings of one request: one snapshot for all its checks. */
export function around(relay: Relay, now: number): Surroundings {
  return {
    config: relay.config,
    directory: relay.directory.snapshot(),
    agreements: relay.agreements,
    now,
    peerNow: relay.rules.peerNow,
    readEndpoint: relay.rules.readEndpoint,
    allow: relay.rules.allow,
  }
}
