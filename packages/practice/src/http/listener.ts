/**
 * The practice's own https server. It asks for a client certificate and answers for a missing or bad one
 * instead of dropping the connection, leaves the request target as it came, and speaks FHIR in every answer.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  answerPlainHttp,
  answerUnsound,
  followTrust,
  type Peer,
  peerNow,
  peerOf,
  serverTls,
  unsoundHead,
} from '@openspine/platform/doors'
import type { Listener, Platform } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { type Answer, answer, newSheet, refusal } from '../answer.ts'
import type { PracticeConfig } from '../config.ts'
import type { Answering, ReceivedRequest } from '../sheet.ts'
import { auditRecord } from './audit-facts.ts'
import { bareOutcome, encoded, headersOf, readBytes, send } from './exchange.ts'

/** Room for a token of its greatest length and the usual headers beside it. */
const headerBytes = 32_768
/** Time for the last octets of an answer to leave. */
const lingerMs = 100
const tls = { mutual: 'report' } as const
const unreadable = 'The message cannot be read as HTTP/1.1.'

export interface ListenerOptions {
  readonly platform: Platform
  readonly config: PracticeConfig
  readonly answering: Answering
}

/** One request on its way. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly received: ReceivedRequest
  readonly clientAddress: string | undefined
  readonly started: number
}

export function practiceListener({ platform, config, answering }: ListenerOptions): Listener {
  const { trust, clock, audit, metrics } = platform
  const log = platform.log.child({ door: 'practice' })
  const identity = { fqdn: config.serverName }
  const requests = metrics.counter('openspine_practice_requests_total', 'Requests to the practice system', [
    'action',
    'status',
  ])
  const seconds = metrics.histogram('openspine_practice_request_seconds', 'Time to the whole answer', ['action'])
  const peers = new WeakMap<Socket, Peer>()
  const inFlight = new Set<ServerResponse>()
  let closing = false
  let shut: ((deadlineMs: number) => Promise<void>) | undefined

  /** Read once for a connection, looked at again for every request: a revocation counts at once. */
  function peerOfSocket(socket: TLSSocket): Peer {
    const known = peers.get(socket)
    if (known !== undefined) return peerNow(known, trust, clock)
    const peer = peerOf(socket, trust, clock)
    peers.set(socket, peer)
    return peer
  }

  async function decide({ request, received }: Exchange): Promise<Answer> {
    if (inFlight.size > config.maxConcurrent)
      return refusal(newSheet(received), 'BUSY', 'This server has as many requests as it can answer.', 'concurrency')
    if (unsoundHead(request) !== undefined) return refusal(newSheet(received), 'BAD_REQUEST', unreadable, 'framing')
    try {
      return await answer(received, () => readBytes(request, config.maxBodyBytes), answering)
    } catch (error) {
      // A client that left in the middle of its body gets nothing, and waits for nothing.
      if (request.destroyed && !request.complete)
        return refusal(newSheet(received), 'BAD_REQUEST', 'The body was broken off.', 'body complete')
      log.error({ err: error }, 'a request failed')
      return refusal(newSheet(received), 'INTERNAL', 'The request could not be answered.', 'unexpected error')
    }
  }

  async function serve(exchange: Exchange): Promise<void> {
    const { request, response, received, clientAddress, started } = exchange
    const acceptEncoding = received.headers.get('accept-encoding')
    let decided = await decide(exchange)
    let content = await encoded(decided.octets ?? decided.body, acceptEncoding)
    const milliseconds = Math.round((performance.now() - started) * 10) / 10
    const bytesIn = decided.sheet.body?.length ?? 0
    const about = { clientAddress, serverName: config.serverName, bytesIn, milliseconds }
    try {
      await audit.append(auditRecord(decided, { ...about, bytesOut: content.bytes.length }))
    } catch (error) {
      // What is not on record must not be disclosed.
      log.error({ err: error }, 'the audit does not accept records: the answer is withheld')
      decided = refusal(decided.sheet, 'INTERNAL', 'The request could not be answered.', 'audit')
      content = await encoded(decided.body, acceptEncoding)
    }
    const unread = !request.complete && !isShort(request, config.maxBodyBytes)
    const last = closing || unread || decided.failed?.check === 'framing'
    const headers = {
      ...decided.headers,
      ...content.headers,
      vary: 'Accept, Accept-Encoding',
      ...(last ? { connection: 'close' } : {}),
      ...(decided.status === 503 ? { 'retry-after': '1' } : {}),
    }
    request.resume()
    await send(response, decided.status, headers, content.bytes)
    const action = decided.sheet.endpoint?.action ?? 'none'
    requests.inc({ action, status: String(decided.status) })
    seconds.observe({ action }, (performance.now() - started) / 1000)
    log.info({ action, status: decided.status, check: decided.failed?.check }, 'answered')
  }

  function accept(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    inFlight.add(response)
    request.on('error', () => undefined)
    // Read while the connection is there: once it is broken, so is the memory of its certificate.
    const received: ReceivedRequest = {
      method: request.method ?? '',
      target: request.url ?? '',
      headers: headersOf(request),
      peer: peerOfSocket(socket as TLSSocket),
      at: clock.now(),
    }
    const started = performance.now()
    serve({ request, response, received, clientAddress: socket.remoteAddress, started })
      .catch((error: unknown) => {
        log.error({ err: error }, 'an answer could not be written')
        response.destroy()
      })
      .finally(() => {
        inFlight.delete(response)
        if (closing && inFlight.size === 0) letGo()
      })
  }

  /** Ends what is still open once the last answer has had time to leave. */
  let letGo: () => void = () => undefined

  return {
    name: 'practice',

    async listen() {
      const made = createServer(
        {
          ...serverTls(trust, await trust.identity(identity.fqdn), tls),
          maxHeaderSize: headerBytes,
          headersTimeout: 15_000,
          connectionsCheckingInterval: 5_000,
          requestTimeout: config.requestSeconds * 1000,
          keepAliveTimeout: 60_000,
        },
        accept,
      )
      made.maxHeadersCount = 200
      made.maxConnections = 10_000
      made.timeout = 120_000
      made.on(
        'clientError',
        answerUnsound({
          underWay: (socket) => [...inFlight].filter(({ req }) => req.socket === socket),
          answer(status) {
            requests.inc({ action: 'none', status: String(status) })
            return bareOutcome(status, 'BAD_REQUEST', unreadable, STATUS_CODES[status] ?? 'Bad Request')
          },
        }),
      )
      // The reason why TLS failed is the peer's business; the connection is gone.
      made.on('tlsClientError', (error) => log.debug({ reason: error.message }, 'TLS handshake failed'))
      const plain = answerPlainHttp(made, () =>
        bareOutcome(497, 'BAD_REQUEST', 'This port speaks HTTPS.', 'HTTP Request Sent to HTTPS Port'),
      )
      const stopFollowing = followTrust(made, trust, identity, tls, log)
      // What changed between the first look and now.
      made.setSecureContext(serverTls(trust, await trust.identity(identity.fqdn), tls))
      const port = await bind(made, config)
      letGo = () => {
        made.closeIdleConnections()
        setTimeout(() => {
          made.closeAllConnections()
          for (const socket of plain.sockets) socket.destroy()
        }, lingerMs)
      }
      shut = async (deadlineMs) => {
        closing = true
        stopFollowing()
        const gone = new Promise<void>((resolve) => made.close(() => resolve()))
        const deadline = setTimeout(letGo, deadlineMs)
        if (inFlight.size === 0) letGo()
        await gone
        clearTimeout(deadline)
      }
      return { port, url: `https://${config.serverName}:${port}` }
    },

    async close(deadlineMs) {
      await shut?.(deadlineMs)
    },
  }
}

/** Whether what is left of a body is small enough to be passed over, so that the connection can be used again. */
function isShort(request: IncomingMessage, longest: number): boolean {
  const length = request.headers['content-length']
  return length !== undefined && Number(length) <= longest
}

function bind(server: Server, { host, port }: PracticeConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new SpineError('PRACTICE_PORT_UNAVAILABLE', undefined, {
          cause,
          detail: `${host}:${port}: ${cause.code ?? cause.message}`,
          explanation:
            cause.code === 'EADDRINUSE'
              ? `Port ${port} of the practice system is in use by another program. Stop it, or configure practice.port.`
              : `The practice system cannot listen on ${host}, port ${port}.`,
        }),
      )
    })
    server.listen({ host, port, backlog: 512 }, () => resolve((server.address() as AddressInfo).port))
  })
}
