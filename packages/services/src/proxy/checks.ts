import type { Call, Surroundings } from './call.ts'
import type { RefusalStatus } from './refusal.ts'
import { liesUnder, readTarget } from './target.ts'

/** One step of the admission of a request. The order of `checks` is the order of execution. */
export interface Check {
  readonly name: string
  readonly clause: string
  /** What the check asks, for the documentation. */
  readonly asks: string
  /** What a failure may be answered with. */
  readonly failures: readonly { readonly status: RefusalStatus; readonly text: string }[]
  /**
   * What its verdict, and what it finds, follows from, where that is less than the whole request: `parties` are the
   * connection, verb, sender, receiver, interaction and media type, with one snapshot of the directory; `target` are
   * those and the target. A request that has these in common with the one before on its connection, which was
   * admitted, passes the check for the same reasons.
   */
  readonly follows?: 'parties' | 'target'
  run(call: Call, around: Surroundings): Failure | undefined
}

interface Failure {
  readonly status: RefusalStatus
  readonly text: string
  readonly explanation: string
  readonly compared: Readonly<Record<string, unknown>>
}

const senderText = (call: Call) => `ASID_CHECK_FAILED_MESSAGESENDER_${call.from}`
const day = (at: number) => new Date(at).toISOString()

/** The admission of a request (§2.6), rows 2 to 13. */
export const checks: readonly Check[] = [
  {
    name: 'certificate-present',
    clause: 'SSP §2.6 row 2',
    follows: 'parties',
    asks: 'Did the consumer show a client certificate?',
    failures: [{ status: 496, text: 'A client certificate is required' }],
    run: ({ connection }) =>
      connection.peer.state === 'none'
        ? {
            status: 496,
            text: 'A client certificate is required',
            explanation:
              'The consumer connected without a client certificate. Give it the certificate and key that were issued for its FQDN.',
            compared: { address: connection.address },
          }
        : undefined,
  },
  {
    name: 'certificate-valid',
    clause: 'SSP §2.6 row 3',
    asks: 'Was the certificate issued by this environment’s authority, is it in time, and is it not revoked?',
    failures: [{ status: 495, text: 'The client certificate is not valid' }],
    run({ connection }, around) {
      const peer = around.peerNow(connection.peer)
      if (peer.state !== 'invalid') return undefined
      const { reason, serial, issuer, notBefore, notAfter } = peer
      return {
        status: 495,
        text: 'The client certificate is not valid',
        explanation: certificateAdvice(reason, notBefore, notAfter),
        compared: {
          reason,
          subject: connection.subject,
          serial,
          issuer,
          notBefore: day(notBefore),
          notAfter: day(notAfter),
        },
      }
    },
  },
  {
    name: 'verb',
    clause: 'SSP §2.5, §2.6 row 4',
    follows: 'parties',
    asks: 'Is it a verb that the proxy relays?',
    failures: [{ status: 405, text: '405: Method Not Allowed' }],
    run: ({ method }, { config }) =>
      config.verbs.includes(method)
        ? undefined
        : {
            status: 405,
            text: '405: Method Not Allowed',
            explanation: `The verb ${method.slice(0, 40)} is not relayed. The setting proxy.verbs lists those that are.`,
            compared: { verb: method.slice(0, 40), relayed: config.verbs },
          },
  },
  {
    name: 'target',
    clause: 'SSP §2.2, §2.6 row 5',
    follows: 'target',
    asks: 'Does the path hold one well-formed https URL, without tricks?',
    failures: [{ status: 400, text: 'The target URL is missing or malformed' }],
    run(call, { config }) {
      const reading = readTarget(call.requestTarget, {
        encoded: config.encodedTarget,
        mergedSlashes: config.mergedSlashes,
      })
      if (reading.ok) {
        call.target = reading.target
        return undefined
      }
      return {
        status: 400,
        text: 'The target URL is missing or malformed',
        explanation: reading.why,
        compared: { target: reading.url },
      }
    },
  },
  header('trace-id', 'Ssp-TraceID', 'a UUID, new for every request', (call) => call.traceId, isTraceId),
  header(
    'sender-id',
    'Ssp-From',
    'the 12 digits of the sending system’s ASID',
    (call) => call.from,
    isTwelveDigits,
    'parties',
  ),
  header(
    'receiver-id',
    'Ssp-To',
    'the 12 digits of the receiving system’s ASID',
    (call) => call.to,
    isTwelveDigits,
    'parties',
  ),
  header(
    'interaction-id',
    'Ssp-InteractionID',
    'a full interaction id that begins with urn:nhs:names:services:',
    (call) => call.interaction,
    isInteraction,
    'parties',
  ),
  header(
    'authorization',
    'Authorization',
    'Bearer and one token',
    ({ authorization }) => (authorization === undefined ? undefined : authorization.empty ? '' : 'hidden'),
    (_, { authorization }) => authorization?.bearer === true,
  ),
  {
    name: 'content-type',
    clause: 'SSP §2.8',
    follows: 'parties',
    asks: 'Is the media type of the request among those allowed (any, unless the operator has listed some)?',
    failures: [{ status: 415, text: 'Unsupported_Media_Type' }],
    run({ contentType }, { config }) {
      if (config.contentTypes.length === 0 || contentType === undefined) return undefined
      const type = (contentType.split(';')[0] ?? '').trim().toLowerCase()
      if (config.contentTypes.some((allowed) => allowed.toLowerCase() === type)) return undefined
      return {
        status: 415,
        text: 'Unsupported_Media_Type',
        explanation: 'The setting proxy.contentTypes does not list this media type.',
        compared: { contentType: type.slice(0, 100), allowed: config.contentTypes },
      }
    },
  },
  {
    name: 'sender-known',
    clause: 'SSP §2.6 row 7',
    follows: 'parties',
    asks: 'Does the directory have an accredited system for Ssp-From?',
    failures: [{ status: 403, text: 'ASID_CHECK_FAILED_MESSAGESENDER_<from>' }],
    run(call, { directory }) {
      call.sender = directory.accreditedSystem(call.from ?? '')
      if (call.sender !== undefined) return undefined
      return {
        status: 403,
        text: senderText(call),
        explanation: `The directory has no accredited system (nhsAs) with uniqueIdentifier ${call.from}. Register the consumer’s system, or correct Ssp-From.`,
        compared: { from: call.from, directoryVersion: directory.version },
      }
    },
  },
  {
    name: 'sender-certificate',
    clause: 'SSP §2.3 name check, §2.6 row 7',
    follows: 'parties',
    asks: 'Does the certificate name the FQDN that is registered for Ssp-From?',
    failures: [{ status: 495, text: 'The client certificate does not belong to the sender <from>' }],
    run(call, { config }) {
      const { sender } = call
      const { peer, subject } = call.connection
      if (sender === undefined || peer.state === 'none') return undefined
      const registered = sender.fqdns
      if (peer.fqdn !== '' && registered.has(peer.fqdn)) return undefined
      if (config.certificateName !== 'subject')
        for (const name of peer.names) if (registered.has(name)) return undefined
      if (config.certificateName === 'when-registered' && registered.size === 0) return undefined
      const { names } = peer
      return {
        status: 495,
        text: `The client certificate does not belong to the sender ${call.from}`,
        explanation:
          registered.size === 0
            ? `No FQDN is registered for the accredited system ${call.from} (organisation ${sender.odsCode}, party key ${sender.partyKey}). Register the FQDN of its certificate.`
            : `The certificate names ${names.join(', ') || 'nothing'}, but ${[...registered].join(', ')} is registered for the accredited system ${call.from} (organisation ${sender.odsCode}, party key ${sender.partyKey}). Use the certificate of that FQDN, or correct Ssp-From.`,
        compared: { certificate: names, registered: [...registered], subject, serial: peer.serial },
      }
    },
  },
  {
    name: 'sender-interaction',
    clause: 'SSP §2.6 row 8',
    follows: 'parties',
    asks: 'Does the sender’s accredited system list the interaction?',
    failures: [{ status: 403, text: 'ASID_CHECK_FAILED_MESSAGESENDER_<from>' }],
    run(call, { directory }) {
      const { sender, interaction = '' } = call
      if (sender === undefined || sender.interactions.has(interaction)) return undefined
      return {
        status: 403,
        text: senderText(call),
        explanation: `The accredited system ${call.from} (organisation ${sender.odsCode}) does not list ${interaction} among its interactions (nhsAsSvcIA)${
          directory.knowsInteraction(interaction)
            ? '. Add it there once the system is accredited for it.'
            : '; nothing in the directory does. Is it spelt correctly?'
        }`,
        compared: { from: call.from, interaction, listed: [...sender.interactions].slice(0, 50) },
      }
    },
  },
  {
    name: 'receiver-interaction',
    clause: 'SSP §2.6 row 9',
    follows: 'parties',
    asks: 'Does the directory have an accredited system for Ssp-To and a message handling system of the same party key, both with the interaction?',
    failures: [{ status: 403, text: 'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_<to>' }],
    run(call, { directory }) {
      const { to = '', interaction = '' } = call
      const receiver = directory.accreditedSystem(to)
      call.receiver = receiver
      const text = `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${to}`
      if (receiver === undefined)
        return {
          status: 403,
          text,
          explanation: `The directory has no accredited system (nhsAs) with uniqueIdentifier ${to}. Register the provider’s system, or correct Ssp-To.`,
          compared: { to, directoryVersion: directory.version },
        }
      if (!receiver.interactions.has(interaction))
        return {
          status: 403,
          text,
          explanation: `The accredited system ${to} (organisation ${receiver.odsCode}) does not list ${interaction} among its interactions (nhsAsSvcIA).`,
          compared: { to, interaction, listed: [...receiver.interactions].slice(0, 50) },
        }
      call.handlers = directory.messageHandlingSystems({ partyKey: receiver.partyKey, interaction })
      if (call.handlers.length === 0)
        return {
          status: 403,
          text,
          explanation: `No message handling system (nhsMhs) with party key ${receiver.partyKey} and interaction ${interaction} is registered, so the provider ${to} has no endpoint for it.`,
          compared: { to, interaction, partyKey: receiver.partyKey },
        }
      return undefined
    },
  },
  {
    name: 'endpoint',
    clause: 'SSP §2.2, §2.6 row 10',
    follows: 'target',
    asks: 'Does the target URL lie under the endpoint that is registered for the receiver and the interaction?',
    failures: [{ status: 400, text: 'ENDPOINT_<registered>_CPAID_<cpa id>_VARIES_FROM_TARGETURL_<target>' }],
    run(call, around) {
      const { receiver, target, interaction = '', handlers: systems } = call
      if (receiver === undefined || target === undefined) return undefined
      for (const system of systems)
        for (const value of system.endpoints) {
          const endpoint = around.readEndpoint(value)
          if (endpoint !== undefined && liesUnder(target, endpoint)) {
            call.provider = system
            call.endpoint = endpoint
            return undefined
          }
        }
      const [first] = systems
      const registered = first?.endpoints[0] ?? ''
      call.provider = first
      return {
        status: 400,
        text: `ENDPOINT_${registered}_CPAID_${first?.cpaId ?? ''}_VARIES_FROM_TARGETURL_${target.url}`,
        explanation:
          around.readEndpoint(registered) === undefined
            ? `The registered endpoint ${registered} (nhsMhsEndPoint of CPA ${first?.cpaId}) is not an https URL that can be called. Correct the record.`
            : `The target must be the endpoint registered for CPA ${first?.cpaId} (party key ${receiver.partyKey}, ${interaction}), character by character, followed by nothing, a slash or a query. Look the endpoint up again, or correct the record.`,
        compared: {
          target: target.url,
          registered: systems.flatMap((system) => system.endpoints),
          cpaId: first?.cpaId,
        },
      }
    },
  },
  {
    name: 'sharing-agreement',
    clause: 'SSP §2.6 row 11',
    asks: 'Has the receiver’s organisation agreed to share with the sender’s?',
    failures: [{ status: 403, text: 'FOT_CHECK_FAILED_MESSAGESENDER_<from>_MESSAGERECEIVER_<to>' }],
    run(call, { agreements }) {
      const { sender, receiver, from = '', to = '', interaction = '' } = call
      if (sender === undefined || receiver === undefined) return undefined
      call.agreement = agreements.permitting({
        fromAsid: from,
        fromOdsCode: sender.odsCode,
        toAsid: to,
        toOdsCode: receiver.odsCode,
        interaction,
      })
      if (call.agreement !== undefined) return undefined
      return {
        status: 403,
        text: `FOT_CHECK_FAILED_MESSAGESENDER_${from}_MESSAGERECEIVER_${to}`,
        explanation: `No data sharing agreement permits ${sender.odsCode} (ASID ${from}) to use ${interaction} at ${receiver.odsCode} (ASID ${to}). Record one when both organisations have signed.`,
        compared: { from, fromOdsCode: sender.odsCode, to, toOdsCode: receiver.odsCode, interaction },
      }
    },
  },
  {
    name: 'token',
    clause: 'SSP §2.6 row 12, §3',
    asks: 'Can the token be read (and, where the operator wants it, is it in time)?',
    failures: [{ status: 400, text: 'The token in the Authorization header cannot be read' }],
    run(call, { config, now }) {
      keepToken(call)
      const reading = call.authorization?.token
      if (config.token === 'log' || reading === undefined) return undefined
      const fault = reading.ok && config.token === 'validate' ? timeFault(reading, now / 1000) : call.tokenFault
      if (fault === undefined) return undefined
      call.tokenFault = fault
      return {
        status: 400,
        text: 'The token in the Authorization header cannot be read',
        explanation: `${fault} The provider and the audit need it to know who asks.`,
        compared: reading.ok ? { iat: reading.iat, exp: reading.exp, now: Math.floor(now / 1000) } : {},
      }
    },
  },
  {
    name: 'limits',
    clause: 'SSP §2.6 row 13, §2.10',
    asks: 'Are sender, pair and provider within their limits (when limits are on)?',
    failures: [
      { status: 429, text: 'Too many requests' },
      { status: 503, text: 'The provider has too many requests' },
    ],
    run(call, around) {
      const { from = '', to = '' } = call
      const allowance = around.allow({ from, to, provider: call.receiver?.partyKey ?? '' }, around.now)
      call.allowance = allowance
      if (allowance.allowed) return undefined
      const { passed } = allowance
      const own = passed !== 'provider'
      return {
        status: own ? 429 : 503,
        text: own ? 'Too many requests' : 'The provider has too many requests',
        explanation: own
          ? `The sender ${from} has passed its limit${passed === 'pair' ? ` for the receiver ${to}` : ''} of ${allowance.limit} in a window of ${around.config.limitWindowSeconds} s. It must wait ${allowance.reset} s, or the limit must be raised.`
          : `All senders together have passed the limit of ${allowance.limit} in a window of ${around.config.limitWindowSeconds} s for the provider ${to}. They must wait ${allowance.reset} s, or the limit must be raised.`,
        compared: { passed, limit: allowance.limit, reset: allowance.reset },
      }
    },
  },
]

/** The audit keeps the claims of refused requests too (§2.11), whichever check refused them. */
export function keepToken(call: Call): void {
  const reading = call.authorization?.token
  if (reading === undefined || call.tokenFault !== undefined) return
  if (reading.ok) call.token = reading.json
  else call.tokenFault = reading.fault
}

function header(
  name: string,
  field: string,
  expected: string,
  value: (call: Call) => string | undefined,
  wellFormed: (value: string, call: Call) => boolean,
  follows?: 'parties',
): Check {
  const text = `The header ${field} is missing or malformed`
  const secret = field === 'Authorization'
  return {
    name,
    clause: 'SSP §2.4, §2.6 row 6',
    asks: `Is ${field} there, and is it ${expected}?`,
    failures: [{ status: 400, text }],
    ...(follows === undefined ? {} : { follows }),
    run(call) {
      const found = value(call)
      if (found !== undefined && wellFormed(found, call)) return undefined
      return {
        status: 400,
        text,
        explanation:
          found === undefined || found === ''
            ? `The consumer sent no ${field}. Expected: ${expected}.`
            : `The consumer sent a malformed ${field}. Expected: ${expected}.`,
        compared: {
          found: found === undefined || secret ? (found === undefined ? null : 'hidden') : found.slice(0, 200),
        },
      }
    },
  }
}

function certificateAdvice(reason: string, notBefore: number, notAfter: number): string {
  if (reason === 'CERT_HAS_EXPIRED')
    return `The client certificate ended at ${day(notAfter)}. Issue a new one for the same FQDN.`
  if (reason === 'CERT_NOT_YET_VALID')
    return `The client certificate begins at ${day(notBefore)}: it is too early, or a clock is wrong.`
  if (reason === 'CERT_REVOKED')
    return 'The client certificate is revoked. Issue a new one, and find out why it was revoked.'
  return `The client certificate was not accepted (${reason}): it must be issued by this environment’s authority.`
}

function isTraceId(value: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(value)
}

function isTwelveDigits(value: string): boolean {
  return /^\d{12}$/.test(value)
}

function isInteraction(value: string): boolean {
  return value.length <= 255 && /^urn:nhs:names:services:[\x21-\x7e]+$/.test(value)
}

/** Why a token is out of time, in a sentence; undefined when it is not. Strictness beyond this is the provider's. */
function timeFault({ iat, exp }: { readonly iat: unknown; readonly exp: unknown }, now: number): string | undefined {
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return 'The token’s iat and exp are not whole seconds.'
  if (Number(exp) < now) return 'The token has expired.'
  return Number(exp) < Number(iat) ? 'The token ends before it begins.' : undefined
}
