import { type AuditRecord, WrittenFacts } from '@openspine/platform/audit'
import type { Call, ConnectionFacts } from './call.ts'
import type { Refusal } from './refusal.ts'

/** How an exchange ended. */
export type Ending =
  /** The provider's answer went to the consumer whole. */
  | 'relayed'
  /** A check, or the framing of the request, refused it. */
  | 'refused'
  /** The provider could not be reached, or broke off. */
  | 'failed'
  /** The consumer went away first (499). */
  | 'consumer-left'
  /** The connection was closed without an answer (444). */
  | 'closed'
  /** OPTIONS, answered by the proxy. */
  | 'answered'

export interface ExchangeFacts {
  readonly ending: Ending
  /** What the consumer was told; 499 and 444 where it was told nothing. */
  readonly status: number
  /** Body bytes from the consumer. */
  readonly bytesIn: number
  /** Body bytes to the consumer. */
  readonly bytesOut: number
  /** Milliseconds from the first byte of the request. */
  readonly totalMs: number
  /** Milliseconds from the request's departure to the first byte of the provider's answer, and to its end. */
  readonly firstByteMs: number | undefined
  readonly providerMs: number | undefined
}

/**
 * The audit record of one request (§2.11). Names in it are stable: `explainProxyRecord` and searches read them. Its JSON
 * is written by hand, because it is written for every request and most of it is known before.
 */
export function proxyRecord(
  node: string,
  at: number,
  call: Call,
  exchange: ExchangeFacts,
  refusal: Refusal | undefined,
): AuditRecord {
  // Only what was admitted is known to have the same things written of it as others of its way.
  const way = call.way.record ?? wayOf(call)
  if (call.directory !== undefined) call.way.record = way
  let json = `,"bytesIn":${exchange.bytesIn},"bytesOut":${exchange.bytesOut}`
  if (exchange.firstByteMs !== undefined) json += `,"firstByteMs":${exchange.firstByteMs}`
  if (exchange.providerMs !== undefined) json += `,"providerMs":${exchange.providerMs}`
  json += `,"totalMs":${exchange.totalMs}`
  if (call.agreement !== undefined) json += `,"agreement":${quoted(call.agreement.id)}`
  if (call.tokenFault !== undefined) json += `,"tokenFault":${quoted(call.tokenFault)}`
  if (refusal !== undefined)
    json += `,"check":${quoted(refusal.check)},"clause":${quoted(refusal.clause)},"said":${quoted(refusal.text)},"explanation":${quoted(refusal.explanation)},"compared":${JSON.stringify(refusal.compared)}`
  const start = `{"node":${quoted(node)},"ending":"${exchange.ending}","status":${exchange.status}`
  const connection = written(call.connection)
  const facts =
    call.token === undefined
      ? new WrittenFacts(start, way, connection, `${json}}`)
      : new WrittenFacts(start, way, connection, `${json},"token":`, call.token, '}')
  return call.traceId === undefined
    ? { event: 'proxy.request', at, facts }
    : {
        event: 'proxy.request',
        at,
        trace: call.traceId.length > 200 ? call.traceId.slice(0, 200) : call.traceId,
        facts,
      }
}

/** Who asks whom for what. */
function wayOf(call: Call): Buffer {
  const { sender, receiver } = call
  const verb = call.method.length > 40 ? call.method.slice(0, 40) : call.method
  const target = call.target?.url ?? (call.requestTarget === '' ? undefined : call.requestTarget.slice(0, 8192))
  let json = `,"verb":${quoted(verb)}`
  if (target !== undefined) json += `,"target":${quoted(target)}`
  if (call.from !== undefined) json += `,"from":${quoted(bounded(call.from))}`
  if (call.to !== undefined) json += `,"to":${quoted(bounded(call.to))}`
  if (call.interaction !== undefined) json += `,"interaction":${quoted(bounded(call.interaction))}`
  if (sender !== undefined) json += `,"senderOds":${quoted(sender.odsCode)},"senderPartyKey":${quoted(sender.partyKey)}`
  if (receiver !== undefined)
    json += `,"receiverOds":${quoted(receiver.odsCode)},"receiverPartyKey":${quoted(receiver.partyKey)}`
  if (call.provider !== undefined) json += `,"cpaId":${quoted(call.provider.cpaId)}`
  return Buffer.from(json)
}

/** Who a connection comes from is the same for all its requests. */
const connections = new WeakMap<ConnectionFacts, Buffer>()

function written(connection: ConnectionFacts): Buffer {
  const there = connections.get(connection)
  if (there !== undefined) return there
  const { address, subject, peer } = connection
  let json = `,"address":${quoted(address)}`
  if (subject !== '') json += `,"subject":${quoted(subject)}`
  if (peer.state !== 'none') json += `,"serial":${quoted(peer.serial)},"issuer":${quoted(peer.issuer)}`
  const bytes = Buffer.from(json)
  connections.set(connection, bytes)
  return bytes
}

/** As a JSON string; nearly every one needs no escape. */
function quoted(value: string): string {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value) ? `"${value}"` : JSON.stringify(value)
}

/** A stranger writes these headers: what does not look like an id is kept short. */
function bounded(value: string): string {
  return value.length <= 300 ? value : value.slice(0, 300)
}
