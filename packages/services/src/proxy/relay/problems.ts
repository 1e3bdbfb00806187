import type { Fault, HeadReader } from '@openspine/standards/http1'
import type { Call } from '../call.ts'
import { preferredType, refusalAnswer } from '../outcome.ts'
import { allowedVerbs } from '../preflight.ts'
import { type Refusal, type RefusalStatus, shapes } from '../refusal.ts'
import { field, type Relay } from './relay.ts'

/** The answer that tells the consumer of a refusal, in the type that its request prefers. */
export function ownAnswer(relay: Relay, call: Call, head: HeadReader, refusal: Refusal, close: boolean): Buffer {
  return refusalAnswer(refusal, {
    id: relay.random.uuid(),
    type: preferredType(call.target?.url ?? call.requestTarget, head.complete ? head.value(field.accept) : undefined),
    close,
    method: call.method,
    verbs: allowedVerbs(relay.config),
    at: relay.clock.now(),
    allowance: call.allowance,
  })
}

/** A fault of framing as a refusal. */
export function framingRefusal(fault: Fault): Refusal {
  return {
    check: 'framing',
    clause: 'SSP §2.7; RFC 9112',
    status: fault.status,
    text: fault.status === 431 ? shapes[431].reason : 'The request is not sound HTTP/1.1',
    explanation: `${fault.reason} The connection was closed, because what follows cannot be told apart from it.`,
    compared: { code: fault.code },
  }
}

/** The provider failed; `said` is the status of its answer when that had begun, otherwise 0. */
export function providerRefusal(
  call: Call,
  status: RefusalStatus,
  code: string,
  explanation: string,
  said: number,
): Refusal {
  return {
    check: 'provider',
    clause: status === 504 ? 'SSP §2.8, §2.9' : 'SSP §2.7, §2.8',
    status,
    text: `ERROR_COMMUNICATING_TO_ENDPOINT_URL_${call.target?.url ?? ''}`,
    explanation,
    compared: { code, endpoint: call.endpoint?.value, ...(said === 0 ? {} : { providerStatus: said }) },
  }
}

/** Too many requests for what the provider, or the settings, allow. */
export function capacityRefusal(call: Call, explanation: string): Refusal {
  return {
    check: 'provider-capacity',
    clause: 'SSP §2.9',
    status: 503,
    text: 'The provider has too many requests',
    explanation,
    compared: { endpoint: call.endpoint?.value },
  }
}

/** The body of the request stopped after so many bytes. */
export function bodyRefusal(received: number): Refusal {
  return {
    check: 'request-body',
    clause: 'SSP §2.9',
    status: 400,
    text: 'The body of the request did not arrive in time',
    explanation:
      'The consumer paused within the body of its request for longer than proxy.bodySeconds, or took longer than proxy.totalSeconds for the whole.',
    compared: { received },
  }
}

/** For the record alone: the consumer did not take its answer. */
export function consumerRefusal(explanation: string): Refusal {
  return { check: 'consumer', clause: 'SSP §2.7', status: 400, text: '', explanation, compared: {} }
}

/** A fault of our own. */
export const internalRefusal: Refusal = {
  check: 'internal',
  clause: 'SSP §2.8',
  status: 500,
  text: 'Internal Server Error',
  explanation: 'The proxy failed; its log says why.',
  compared: {},
}

/** What to look at when a provider cannot be reached. */
export function advice(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'Does the registered host name exist? The setting proxy.hosts can name addresses that DNS does not know.'
  if (code === 'ECONNREFUSED') return 'Is the provider running, and is the registered port right?'
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS_CERT') || code.includes('VERIFY') || code.includes('CERT'))
    return 'The provider must show a certificate of this environment that names the registered host and is in time and not revoked.'
  return 'Is the provider running, reachable, and does it accept the proxy’s certificate?'
}

/** The provider closed its connection: before it said a byte, within its head, or within its body. */
export function closedExplanation(stage: 'silent' | 'head' | 'body', error: Error | undefined): string {
  return stage === 'body'
    ? 'The provider’s connection broke within the body of its answer; the consumer’s connection was cut so that nobody takes it for complete.'
    : `The provider closed the connection ${stage === 'silent' ? 'before it answered' : 'within the head of its answer'} (${error?.message ?? 'orderly'}).`
}

export function queueExplanation(connections: number | undefined): string {
  return `No connection to the provider became free within proxy.queueSeconds; all ${connections} that it may have are in use.`
}
