import { X509Certificate } from 'node:crypto'
import {
  createServer as createPlainServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SpineError } from '@openspine/standards/error'
import { type FastifyBaseLogger, type FastifyPluginAsync, fastify, LogController } from 'fastify'
import type { Clock, Random } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Trust } from '../trust/trust.ts'
import { doorMetrics } from './door-metrics.ts'
import { behindFrontEnds, FrontEnds } from './front-ends.ts'
import { type DoorLimits, defaultLimits } from './limits.ts'
import { type Peer, peerNow, peerOf } from './peer.ts'
import { answerPlainHttp } from './plain-http.ts'
import { bareResponse, hsts, problem, problemOf, problemType, sendProblem } from './problem.ts'
import type { ReservedPort } from './reserved-port.ts'
import { followTrust, type Mutual, serverTls } from './tls.ts'
import { answerUnsound, unsoundHead } from './unsound.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is at the other end of this connection, as it stands now; `none` where no certificate is asked for. */
    readonly peer: Peer
  }
  interface FastifyContextConfig {
    /** Answered also when the door sheds load, and not logged: probes of the door itself. */
    operational?: boolean
  }
}

export interface DoorOptions {
  /** `api`, `spine`, … : label of log lines and metrics. */
  readonly name: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** The port, where it had to be known before there was anything to answer with (`reservePort`). */
  readonly reserved?: ReservedPort
  readonly trust: Trust
  /** The server's own certificate. */
  readonly identity: { readonly fqdn: string; readonly names?: readonly string[] }
  readonly mutual: Mutual
  /** Plain HTTP, without TLS: for what everybody may read and is signed itself (CRLs, OCSP). */
  readonly plain?: boolean
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly ticketKeys?: Buffer
  readonly log: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
  /** Encapsulated plugins: hooks, parsers and error handlers of one do not touch another. */
  readonly routes: readonly FastifyPluginAsync[]
  readonly limits?: Partial<DoorLimits>
  /** Addresses and ranges of front ends that pass TCP through, with a header of the PROXY protocol. */
  readonly frontEnds?: readonly string[]
  /** Status for plain HTTP on this port: 400, or 497 where the secure proxy's specification asks for it. */
  readonly plainHttpStatus?: 400 | 497
}

export interface Door {
  readonly url: string
  readonly port: number
  /** Finishes what is in flight, refuses the new, and cuts what is left after `deadlineMs`. */
  close(deadlineMs: number): Promise<void>
}

/** One request on its way, from its head to the end of its response. */
interface Exchange {
  readonly id: string
  readonly response: ServerResponse
  readonly socket: Socket
  readonly started: number
  route: string
  operational: boolean
}

/**
 * Opens an HTTPS door (or, where that is asked for, a plain one) and registers the plugins of services on it. Bodies reach plugins as a `Buffer`
 * unless a plugin adds a parser of its own; errors that no plugin renders become
 * `application/problem+json` that shows nothing of the inside.
 */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { name, trust, clock, random, mutual } = options
  const limits: DoorLimits = { ...defaultLimits, ...options.limits }
  const log = options.log.child({ door: name })
  const counts = doorMetrics(options.metrics)
  const tls = {
    mutual,
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    ...(options.ticketKeys === undefined ? {} : { ticketKeys: options.ticketKeys }),
  }
  const { plain = false } = options
  const own = () => trust.identity(options.identity.fqdn, options.identity.names)
  const inFlight = new Set<Exchange>()
  const exchanges = new WeakMap<IncomingMessage, Exchange>()
  const peers = new WeakMap<Socket, Peer>()
  let closing = false

  function peerOfSocket(socket: Socket): Peer {
    if (mutual === 'none') return { state: 'none' }
    const known = peers.get(socket)
    if (known !== undefined) return peerNow(known, trust, clock)
    const peer = peerOf(socket as TLSSocket, trust, clock)
    peers.set(socket, peer)
    return peer
  }

  function exchangeOf(raw: IncomingMessage): Exchange {
    const exchange = exchanges.get(raw)
    if (exchange === undefined) throw new Error('a request that the door has not admitted')
    return exchange
  }

  function admit(request: IncomingMessage, response: ServerResponse, handle: () => void) {
    const exchange: Exchange = {
      id: random.uuid(),
      response,
      socket: request.socket,
      started: performance.now(),
      route: 'none',
      operational: false,
    }
    exchanges.set(request, exchange)
    inFlight.add(exchange)
    counts.inFlight.inc({ door: name })
    response.once('close', () => finish(request, exchange))
    // Meaningless outside TLS (RFC 6797 §7.2).
    if (!plain) response.setHeader('strict-transport-security', hsts)
    // Read while the connection is there: once it is broken, so is the memory of its certificate.
    const peer = peerOfSocket(request.socket)
    if (closing) return refuse(exchange, 503, 'This server is stopping. Try again shortly.')
    const unsound = unsoundHead(request)
    if (unsound !== undefined) return refuse(exchange, unsound, unreadable)
    if (mutual === 'refuse' && peer.state !== 'valid') {
      return refuse(exchange, 403, 'The certificate of this connection is no longer valid.')
    }
    handle()
  }

  /** Without the framework, which may be closing or must not be reached. */
  function refuse({ id, response }: Exchange, status: number, detail: string) {
    const body = JSON.stringify(problem(status, { detail, requestId: id }))
    response.writeHead(status, {
      'content-type': problemType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      connection: 'close',
      ...(status === 503 ? { 'retry-after': '1' } : {}),
    })
    response.end(body)
  }

  function finish(request: IncomingMessage, exchange: Exchange) {
    const { response, route, operational, id } = exchange
    inFlight.delete(exchange)
    counts.inFlight.dec({ door: name })
    const ms = performance.now() - exchange.started
    const complete = response.writableFinished
    const status = complete ? response.statusCode : 499
    const method = request.method ?? ''
    counts.requests.inc({ door: name, route, method, status: String(status) })
    counts.seconds.observe({ door: name, route }, ms / 1000)
    const peer = peers.get(exchange.socket)
    const line = {
      requestId: id,
      method,
      route,
      status,
      ms: Math.round(ms * 10) / 10,
      ...(peer?.state === 'valid' ? { peer: peer.fqdn } : {}),
    }
    if (operational) log.debug(line, 'probe')
    else log.info(line, complete ? 'answered' : 'broken off')
    if (closing) setImmediate(() => server.closeIdleConnections())
  }

  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined
  const bounds = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: Math.max(50, Math.min(5_000, limits.headersMs / 2)),
  }
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    admit(request, response, () => handle(request, response))
  const secure = plain ? undefined : createServer({ ...serverTls(trust, await own(), tls), ...bounds }, answer)
  const server = secure ?? createPlainServer(bounds, answer)
  server.maxConnections = limits.connections
  server.timeout = limits.stallMs
  server.maxHeadersCount = 200

  const app = fastify({
    serverFactory: (handler) => {
      handle = handler
      // An https.Server has all that fastify uses of an http.Server; only the types part them.
      return server as HttpServer
    },
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (raw) => exchangeOf(raw).id,
    bodyLimit: limits.bodyBytes,
    return503OnClosing: false,
    forceCloseConnections: false,
    exposeHeadRoutes: true,
    // The router would refuse an address that it cannot decode, in words of its own; a service answers in
    // its dialect, and finds what was sent in `originalUrl`.
    rewriteUrl: (raw) => readableUrl(raw.url ?? '/'),
    routerOptions: { maxParamLength: 2_000, caseSensitive: true },
    // Where the message itself cannot be read, and where TLS fails (Node reports both here).
    clientErrorHandler: answerUnsound({
      underWay: (socket) => [...inFlight].filter((one) => one.socket === socket).map(({ response }) => response),
      answer(status) {
        counts.requests.inc({ door: name, route: 'none', method: 'none', status: String(status) })
        return bareResponse(status, unreadable)
      },
      otherwise({ code = '' }) {
        if (!/^ERR_(SSL|TLS)/.test(code)) return
        counts.tlsFailures.inc({ door: name })
        log.debug({ reason: code }, 'TLS handshake failed')
      },
    }),
    frameworkErrors: (error, request, reply) => {
      reply.hijack()
      refuse(exchangeOf(request.raw), error.statusCode ?? 400, 'The address of the request cannot be read.')
    },
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.decorateRequest('peer', {
    getter() {
      return peerOfSocket(this.raw.socket)
    },
  })
  app.addHook('onRequest', async (request, reply) => {
    const exchange = exchangeOf(request.raw)
    exchange.route = request.routeOptions.url ?? 'none'
    exchange.operational = request.routeOptions.config.operational === true
    if (inFlight.size > limits.concurrency && !exchange.operational) {
      counts.shed.inc({ door: name })
      const detail = 'This server has as many requests as it can answer. Try again shortly.'
      reply.header('retry-after', '1')
      return sendProblem(reply, problem(503, { detail, requestId: request.id }))
    }
  })
  app.setErrorHandler((error, request, reply) => {
    const rendered = problemOf(error, request.id)
    if (rendered.status >= 500) request.log.error({ err: error }, 'a request failed')
    return sendProblem(reply, rendered)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, problem(404, { detail: 'Nothing is served at this address.', requestId: request.id })),
  )
  for (const routes of options.routes) await app.register(routes)
  await app.ready()

  const secured = secure === undefined ? undefined : await secureDoor(secure)
  const port = await listen(server, options)

  /** What TLS needs beside the server: plain HTTP answered, OCSP stapled, changes of trust followed. */
  async function secureDoor(server: Server) {
    const plainStatus = options.plainHttpStatus ?? 400
    const { sockets } = answerPlainHttp(server, () => {
      counts.requests.inc({ door: name, route: 'none', method: 'none', status: String(plainStatus) })
      const detail = 'This port speaks HTTPS: use https:// in place of http://.'
      return bareResponse(plainStatus, detail, plainStatus === 497 ? 'HTTP Request Sent to HTTPS Port' : undefined)
    })
    const { frontEnds = [] } = options
    const awaiting = frontEnds.length === 0 ? undefined : behindFrontEnds(server, new FrontEnds(frontEnds, log)).sockets
    server.on(
      'OCSPRequest',
      (certificate: Buffer, _issuer: Buffer, staple: (error: null, response?: Buffer) => void) => {
        // Without a staple the client asks the responder itself: no reason to fail the handshake.
        trust.staple(new X509Certificate(certificate).serialNumber).then(
          (response) => staple(null, response),
          (error: unknown) => {
            log.error({ err: error }, 'no OCSP response to staple')
            staple(null)
          },
        )
      },
    )
    const stopFollowing = followTrust(server, trust, options.identity, tls, log)
    // What changed between the first look and now.
    server.setSecureContext(serverTls(trust, await own(), tls))
    return { sockets: () => [...sockets, ...(awaiting ?? [])], stopFollowing }
  }

  let closed: Promise<void> | undefined
  async function close(deadlineMs: number): Promise<void> {
    closing = true
    secured?.stopFollowing()
    const gone = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const { response } of inFlight) {
      if (!response.headersSent) response.setHeader('connection', 'close')
    }
    server.closeIdleConnections()
    const deadline = after(deadlineMs)
    await Promise.race([emptied(inFlight, deadline.passed), deadline.passed])
    // Connections that say goodbye themselves lose nothing; those that never began a request are not waited for.
    const grace = after(inFlight.size > 0 ? 0 : Math.min(200, deadlineMs))
    await Promise.race([gone, grace.passed])
    server.closeAllConnections()
    for (const socket of secured?.sockets() ?? []) socket.destroy()
    await gone
    deadline.cancel()
    grace.cancel()
    await app.close()
  }

  const fqdn = options.identity.fqdn.toLowerCase()
  return {
    url: `${plain ? 'http' : 'https'}://${isIPv6(fqdn) ? `[${fqdn}]` : fqdn}:${port}`,
    port,
    close(deadlineMs) {
      closed ??= close(deadlineMs)
      return closed
    },
  }
}

const unreadable = 'The request cannot be read as HTTP/1.1 within the limits of this server.'

async function emptied(inFlight: ReadonlySet<Exchange>, giveUp: Promise<void>): Promise<void> {
  let over = false
  void giveUp.then(() => {
    over = true
  })
  while (inFlight.size > 0 && !over) {
    const [exchange] = inFlight
    if (exchange === undefined) return
    await Promise.race([
      new Promise<void>((resolve) => exchange.response.once('close', () => setImmediate(resolve))),
      giveUp,
    ])
  }
}

function after(ms: number): { readonly passed: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  return {
    passed: promise,
    cancel() {
      clearTimeout(timer)
      resolve()
    },
  }
}

function listen(server: Server | HttpServer, { name, host, port, reserved }: DoorOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new SpineError(
          'DOOR_PORT_UNAVAILABLE',
          { status: 500 },
          {
            cause,
            detail: `${host}:${port}: ${cause.code ?? cause.message}`,
            explanation:
              cause.code === 'EADDRINUSE'
                ? `Port ${port} of the door "${name}" is in use by another program. Stop it, or configure another port.`
                : `The door "${name}" cannot listen on ${host}, port ${port}.`,
          },
        ),
      )
    })
    const ready = () => resolve((server.address() as AddressInfo).port)
    if (reserved === undefined) server.listen({ host, port, backlog: 1024 }, ready)
    else server.listen(reserved.socket, ready)
  })
}

/** The address with every `%` written as `%25` where it does not decode. */
function readableUrl(url: string): string {
  try {
    decodeURIComponent(url)
    return url
  } catch {
    return url.replaceAll('%', '%25')
  }
}
