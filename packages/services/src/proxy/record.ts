import type { AuditRecord } from '@openspine/platform/audit'
import type { Call } from './call.ts'
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

/** The audit record of one request (§2.11). Names in it are stable: `explainProxyRecord` and searches read them. */
export function proxyRecord(
  node: string,
  at: number,
  call: Call,
  exchange: ExchangeFacts,
  refusal: Refusal | undefined,
): AuditRecord {
  const { connection, sender, receiver } = call
  const { peer } = connection
  const facts = {
    node,
    ending: exchange.ending,
    status: exchange.status,
    verb: call.method.length > 40 ? call.method.slice(0, 40) : call.method,
    target: call.target?.url ?? (call.requestTarget === '' ? undefined : call.requestTarget.slice(0, 8192)),
    from: bounded(call.from),
    to: bounded(call.to),
    interaction: bounded(call.interaction),
    senderOds: sender?.odsCode,
    senderPartyKey: sender?.partyKey,
    receiverOds: receiver?.odsCode,
    receiverPartyKey: receiver?.partyKey,
    cpaId: call.provider?.cpaId,
    agreement: call.agreement?.id,
    address: connection.address,
    subject: connection.subject === '' ? undefined : connection.subject,
    serial: peer.state === 'none' ? undefined : peer.serial,
    issuer: peer.state === 'none' ? undefined : peer.issuer,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    firstByteMs: exchange.firstByteMs,
    providerMs: exchange.providerMs,
    totalMs: exchange.totalMs,
    token: call.token,
    tokenFault: call.tokenFault,
    check: refusal?.check,
    clause: refusal?.clause,
    said: refusal?.text,
    explanation: refusal?.explanation,
    compared: refusal?.compared,
  }
  return call.traceId === undefined
    ? { event: 'proxy.request', at, facts }
    : {
        event: 'proxy.request',
        at,
        trace: call.traceId.length > 200 ? call.traceId.slice(0, 200) : call.traceId,
        facts,
      }
}

/** A stranger writes these headers: what does not look like an id is kept short. */
function bounded(value: string | undefined): string | undefined {
  return value === undefined || value.length <= 300 ? value : value.slice(0, 300)
}
