import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { FrontEnds, peerAndSubject } from '@openspine/platform/doors'
import type { Trust } from '@openspine/platform/trust'
import { SpineError } from '@openspine/standards/error'
import { Call, type ConnectionFacts } from './call.ts'
import { dateLine, hstsLine, outcomeBody } from './outcome.ts'
import { proxyRecord } from './record.ts'
import type { Refusal } from './refusal.ts'
import { Inbound } from './relay/inbound.ts'
import type { Relay } from './relay/relay.ts'

/** First byte of a TLS record that carries a handshake. */
const handshakeByte = 0x16
/** How long a new connection may say nothing at all. */
const silenceMs = 10_000

/** The listening socket of the proxy: tells TLS from plain HTTP, counts connections, and gives each to the relay. */
export class Door {
  readonly #relay: Relay
  readonly #trust: Trust
  readonly #server: Server
  readonly #tls: TlsServer
  readonly #raw = new Set<Socket>()
  readonly #inbound = new Set<Inbound>()
  readonly #frontEnds: FrontEnds
  #listening = false
  #emptied: (() => void) | undefined

  constructor(relay: Relay, trust: Trust, options: TlsOptions) {
    this.#relay = relay
    this.#trust = trust
    this.#frontEnds = new FrontEnds(relay.config.trustedFrontEnds, relay.log)
    this.#tls = createTlsServer(options)
    this.#tls.on('secureConnection', (socket) => this.#secured(socket))
    this.#tls.on('tlsClientError', (error, socket) => {
      relay.log.debug(
        { code: (error as Error & { code?: string }).code, address: this.#frontEnds.addressOf(socket) },
        'no TLS connection came about',
      )
      socket.destroy()
    })
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  get connections(): number {
    return this.#raw.size
  }

  /** New certificate, authorities and revocations for handshakes from now on. */
  renew(options: TlsOptions): void {
    this.#tls.setSecureContext(options)
  }

  async listen(): Promise<{ port: number; url: string }> {
    const { host, port, fqdn } = this.#relay.config
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: Error & { code?: string }) =>
        reject(
          new SpineError('PROXY_PORT_UNAVAILABLE', undefined, {
            explanation: `The proxy cannot listen on ${host}, port ${port} (${error.code ?? error.message}). Is another process using it? Set proxy.port to another.`,
            cause: error,
          }),
        ),
      )
      this.#server.listen(port, host, () => resolve())
    })
    this.#listening = true
    const address = this.#server.address()
    const actual = typeof address === 'object' && address !== null ? address.port : port
    return { port: actual, url: `https://${fqdn}:${actual}` }
  }

  /** `relay.closing()` is true by now: what is in flight ends its connection by itself. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#listening) this.#server.close()
    this.#listening = false
    for (const inbound of this.#inbound) if (inbound.idle) inbound.end()
    if (this.#raw.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadlineMs)
        this.#emptied = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const inbound of this.#inbound) inbound.cut()
    for (const socket of this.#raw) socket.destroy()
  }

  #accept(socket: Socket): void {
    if (this.#raw.size >= this.#relay.config.maxConnections || this.#relay.closing()) {
      socket.destroy()
      return
    }
    this.#raw.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#raw.delete(socket)
      if (this.#raw.size === 0) this.#emptied?.()
    })
    const behindFrontEnd = this.#frontEnds.trusts(socket)
    // The header of a front end counts as part of the handshake.
    const patienceMs = behindFrontEnd ? this.#relay.config.handshakeSeconds * 1000 : silenceMs
    const silence = setTimeout(() => socket.destroy(), patienceMs)
    socket.on('close', () => clearTimeout(silence))
    const begin = (first: Buffer) => {
      clearTimeout(silence)
      if (first[0] === handshakeByte) {
        socket.unshift(first)
        this.#tls.emit('connection', socket)
      } else if (first[0] !== undefined && first[0] >= 0x41 && first[0] <= 0x5a) {
        this.#plain(socket, first)
      } else {
        socket.destroy()
      }
    }
    if (behindFrontEnd) {
      this.#frontEnds.await(socket, begin)
      return
    }
    const look = () => {
      const first: Buffer | null = socket.read()
      if (first === null) return
      socket.off('readable', look)
      begin(first)
    }
    socket.on('readable', look)
  }

  #secured(socket: TLSSocket): void {
    if (this.#relay.closing()) {
      socket.destroy()
      return
    }
    const facts: ConnectionFacts = {
      address: this.#frontEnds.addressOf(socket),
      ...peerAndSubject(socket, this.#trust, this.#relay.clock),
    }
    this.#inbound.add(new Inbound(this.#relay, socket, facts, (gone) => this.#inbound.delete(gone)))
  }

  /** Plain HTTP on the TLS port (§2.3): 497, or a redirection; never more than that. */
  #plain(socket: Socket, first: Buffer): void {
    const relay = this.#relay
    const { config } = relay
    const line = /^([A-Z]{1,20}) (\/[\x21-\x7e]{0,8000}) HTTP\/1\.[01]\r?\n/.exec(first.toString('latin1'))
    const [, method = '', target = ''] = line ?? []
    const now = relay.clock.now()
    const text = 'The plain HTTP request was sent to the HTTPS port'
    const redirect = config.plainHttp === 'redirect' && target !== ''
    const refusal: Refusal = {
      check: 'plain-http',
      clause: 'SSP §2.3',
      status: 497,
      text,
      explanation: 'The consumer spoke plain HTTP to the TLS port. Use https:// and the client certificate.',
      compared: {},
    }
    const body = redirect ? '' : outcomeBody(497, text, relay.random.uuid(), 'application/fhir+json')
    const called = this.#frontEnds.portOf(socket)
    const location = `https://${config.fqdn}${called === 443 ? '' : `:${called}`}${target}`
    const answer = redirect
      ? `HTTP/1.1 308 Permanent Redirect\r\nLocation: ${location}\r\n`
      : 'HTTP/1.1 497 HTTP Request Sent to HTTPS Port\r\nContent-Type: application/fhir+json; charset=utf-8\r\n'
    const call = new Call(
      { address: this.#frontEnds.addressOf(socket), peer: { state: 'none' }, subject: '' },
      {
        method,
        requestTarget: target,
        traceId: undefined,
        from: undefined,
        to: undefined,
        interaction: undefined,
        authorization: undefined,
        contentType: undefined,
      },
    )
    const status = redirect ? 308 : 497
    relay.tally.ended('refused', status, 0, 0, 0)
    relay.audit
      .append(
        proxyRecord(
          relay.node,
          now,
          call,
          {
            ending: 'refused',
            status,
            bytesIn: 0,
            bytesOut: 0,
            totalMs: 0,
            firstByteMs: undefined,
            providerMs: undefined,
          },
          refusal,
        ),
      )
      .then(
        () => {
          socket.end(
            `${answer}${dateLine(now)}${hstsLine}Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${method === 'HEAD' ? '' : body}`,
          )
          socket.resume()
          const linger = setTimeout(() => socket.destroy(), 2_000)
          socket.on('close', () => clearTimeout(linger))
        },
        (error: unknown) => {
          relay.log.error({ err: error }, 'a request could not be audited, so it is not answered')
          socket.destroy()
        },
      )
  }
}
