import { isIP, type LookupFunction, type OnReadOpts } from 'node:net'
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from 'node:tls'
import type { Peer } from '@openspine/platform/doors'
import { BodyReader, HeadReader } from '@openspine/standards/http1'
import type { RegisteredEndpoint } from '../target.ts'
import type { Deadlines, Expiring } from './deadlines.ts'
import { Gathering } from './gathering.ts'
import { AnswerStarts } from './heads.ts'
import { keepAliveField, responseNames, type Times } from './relay.ts'
import type { Slabs } from './slabs.ts'

/** Who waits for a connection to a provider, and then uses it for one exchange. */
export interface UpstreamUser {
  /** A connection is there: send. */
  ready(connection: UpstreamConnection): void
  /** None can be had. */
  unreachable(problem: UpstreamProblem): void
  /** Bytes of the answer. They are overwritten after the call, unless they are gathered (`connection.gathering`). */
  bytes(chunk: Buffer): void
  /** The provider will send nothing more; `error` when it did not close in an orderly way. */
  ended(error: Error | undefined): void
  drained(): void
}

export interface UpstreamProblem {
  readonly timeout: boolean
  /** Error code or OpenSSL's reason, for the audit. */
  readonly code: string
  readonly message: string
}

/** How many connections one provider gets, and how many requests may wait for them. */
export interface OriginLimits {
  readonly connections: number
  readonly waiting: number
}

/** What all connections to providers share. */
export interface UpstreamSettings {
  readonly times: Times
  readonly deadlines: Deadlines
  readonly headLimits: { readonly maxBytes: number; readonly maxFields: number }
  readonly limits: OriginLimits
  /** Limits of single providers, by ASID. */
  readonly ownLimits: ReadonlyMap<string, OriginLimits>
  /** Certificate and key that are shown to providers, authorities and revocations; replaced when trust changes. */
  readonly secureContext: () => SecureContext
  /** Who the provider is, and who it is now (revocation, dates, authority). */
  readonly peerOf: (socket: TLSSocket) => Peer
  readonly peerNow: (peer: Peer) => Peer
  readonly lookup: LookupFunction | undefined
  /** Where bytes of providers are read, those of all connections one after the other. */
  readonly providerBytes: Buffer
  /** Buffers for long answers. */
  readonly slabs: Slabs
}

/** A TLS session to resume, with the peer of its full handshake: a resumed one does not show the certificate again. */
interface SavedSession {
  readonly data: Buffer
  readonly peer: Peer
}

const CONNECTING = 0
const IDLE = 1
const BUSY = 2
const DEAD = 3

/** One connection to a provider: used by one exchange at a time, and never again after one that was not clean. */
export class UpstreamConnection implements Expiring {
  readonly socket: TLSSocket
  readonly head: HeadReader
  readonly body = new BodyReader()
  readonly starts = new AnswerStarts()
  deadline: number
  /** True when an earlier exchange has used it: it may have died without our knowing. */
  used = false
  /** While this is set, what is read is gathered there. */
  gathering: Gathering | undefined = undefined
  readonly #origin: Origin
  readonly #settings: UpstreamSettings
  readonly #generation: number
  #state = CONNECTING
  #user: UpstreamUser | undefined
  #peer: Peer = { state: 'none' }
  /** The session that was offered, and the newest that the provider gave. */
  readonly #offered: SavedSession | undefined
  #session: Buffer | undefined = undefined
  #keepMs: number

  constructor(origin: Origin, settings: UpstreamSettings, generation: number) {
    this.#origin = origin
    this.#settings = settings
    this.#generation = generation
    this.#keepMs = settings.times.upstreamIdle
    this.head = new HeadReader('response', responseNames, settings.headLimits)
    this.deadline = settings.deadlines.now + settings.times.connect
    settings.deadlines.add(this)
    this.#offered = origin.session
    const { hostname, port } = origin.endpoint
    const options: ConnectionOptions & { onread: OnReadOpts } = {
      onread: {
        buffer: () => this.gathering?.room() ?? settings.providerBytes,
        callback: (length, buffer) => {
          // The very buffer that was given above.
          this.#read((buffer as Buffer).subarray(0, length))
          return true
        },
      },
      host: hostname,
      port,
      secureContext: settings.secureContext(),
      ALPNProtocols: ['http/1.1'],
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...(this.#offered === undefined ? {} : { session: this.#offered.data }),
      ...(settings.lookup === undefined ? {} : { lookup: settings.lookup }),
    }
    const socket = connect(options)
    this.socket = socket
    socket.setNoDelay(true)
    let failure: Error | undefined
    socket.on('secureConnect', () => this.#connected())
    socket.on('session', (session) => {
      this.#session = session
      this.#saveSession()
    })
    socket.on('drain', () => this.#user?.drained())
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('end', () => {
      if (this.#state === BUSY) this.#user?.ended(undefined)
      else if (this.#state === IDLE) this.destroy()
    })
    socket.on('close', () => this.#closed(failure))
  }

  /** The rest of the answer is to be gathered. */
  gather(): Gathering {
    this.gathering = new Gathering(this.#settings.slabs)
    return this.gathering
  }

  #read(chunk: Buffer): void {
    if (this.#user === undefined) this.destroy()
    else this.#user.bytes(chunk)
  }

  /** Fit for another exchange: open, current, and its certificate still good. */
  usable(): boolean {
    const { socket } = this
    return (
      this.#state === IDLE &&
      socket.writable &&
      !socket.destroyed &&
      this.#generation === this.#origin.generation() &&
      this.#settings.peerNow(this.#peer).state === 'valid'
    )
  }

  /** Hands it to an exchange. */
  occupy(user: UpstreamUser): void {
    this.#user = user
    this.#state = BUSY
    this.deadline = Number.POSITIVE_INFINITY
    this.head.begin()
  }

  /** The exchange is over. `clean`: request sent whole, answer read whole, nothing beyond it, nobody asked to close. */
  release(clean: boolean): void {
    if (this.#state !== BUSY) return
    this.#user = undefined
    if (!clean || this.#generation !== this.#origin.generation()) {
      this.destroy()
      return
    }
    if (!this.used) {
      this.used = true
      const hint = /timeout=(\d{1,6})/i.exec(this.head.value(keepAliveField) ?? '')?.[1]
      // Leave before the provider does, so that a request never meets a closing connection.
      if (hint !== undefined) this.#keepMs = Math.min(this.#keepMs, Math.max(0, Number(hint) * 1000 - 1000))
    }
    this.#state = IDLE
    if (this.socket.isPaused()) this.socket.resume()
    if (this.#keepMs === 0) this.destroy()
    else {
      this.deadline = this.#settings.deadlines.now + this.#keepMs
      this.#origin.offer(this)
    }
  }

  /** A connection that is still being made, or waits unused, has waited long enough. */
  expire(): void {
    if (this.#state === CONNECTING)
      this.#fail({
        timeout: true,
        code: 'CONNECT_TIMEOUT',
        message: 'The provider did not answer the connection in time.',
      })
    this.destroy()
  }

  destroy(): void {
    this.#user = undefined
    this.socket.destroy()
  }

  #connected(): void {
    // A resumed session looks neither at the certificate nor at the revocation list again: the peer of the
    // handshake that it comes from is judged once more.
    const peer =
      this.#offered !== undefined && this.socket.isSessionReused()
        ? this.#settings.peerNow(this.#offered.peer)
        : this.#settings.peerOf(this.socket)
    this.#peer = peer
    if (peer.state !== 'valid') {
      this.#origin.session = undefined
      const code = peer.state === 'none' ? 'NO_CERTIFICATE' : peer.reason
      this.#fail({ timeout: false, code, message: 'The provider’s certificate is not valid.' })
      this.destroy()
      return
    }
    this.#saveSession()
    this.#state = IDLE
    this.deadline = this.#settings.deadlines.now + this.#keepMs
    this.#origin.connected(this)
  }

  /** TLS 1.2 gives its session before the peer is known, 1.3 after. */
  #saveSession(): void {
    if (this.#session === undefined || this.#peer.state !== 'valid' || this.#generation !== this.#origin.generation())
      return
    this.#origin.session = { data: this.#session, peer: this.#peer }
  }

  #fail(problem: UpstreamProblem): void {
    this.#state = DEAD
    this.#origin.failed(problem)
  }

  #closed(failure: (Error & { code?: string }) | undefined): void {
    this.#settings.deadlines.delete(this)
    const state = this.#state
    if (state === CONNECTING)
      this.#fail({
        timeout: false,
        code: failure?.code ?? 'CLOSED',
        message: failure?.message ?? 'The provider closed the connection during the handshake.',
      })
    this.#state = DEAD
    const user = this.#user
    this.#user = undefined
    this.#origin.closed(this)
    if (state === BUSY) user?.ended(failure ?? new Error('The provider closed the connection.'))
  }
}

/** One provider: its unused connections (the newest is taken first), and who waits for one. */
export class Origin {
  readonly endpoint: RegisteredEndpoint
  readonly limits: OriginLimits
  session: SavedSession | undefined = undefined
  readonly #settings: UpstreamSettings
  readonly #all = new Set<UpstreamConnection>()
  readonly #idle: UpstreamConnection[] = []
  readonly #waiting = new Set<UpstreamUser>()
  #connecting = 0
  #generation = 0

  constructor(endpoint: RegisteredEndpoint, settings: UpstreamSettings, limits: OriginLimits) {
    this.endpoint = endpoint
    this.limits = limits
    this.#settings = settings
  }

  get open(): number {
    return this.#all.size
  }

  generation(): number {
    return this.#generation
  }

  /** An unused connection at once; `waiting` when `ready` will be called; `full` when too many wait already. */
  take(user: UpstreamUser): UpstreamConnection | 'waiting' | 'full' {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable()) {
        connection.occupy(user)
        return connection
      }
      connection.destroy()
    }
    const room = this.#all.size < this.limits.connections
    if (!room && this.#waiting.size >= this.limits.waiting) return 'full'
    this.#waiting.add(user)
    this.#grow()
    return 'waiting'
  }

  /** Whoever waited has gone. */
  leave(user: UpstreamUser): void {
    this.#waiting.delete(user)
  }

  /** A connection has become free. */
  offer(connection: UpstreamConnection): void {
    for (const user of this.#waiting) {
      this.#waiting.delete(user)
      connection.occupy(user)
      user.ready(connection)
      return
    }
    this.#idle.push(connection)
  }

  connected(connection: UpstreamConnection): void {
    this.#connecting--
    this.offer(connection)
  }

  /** A connection could not be made: one of those who wait is told, the others get another try. */
  failed(problem: UpstreamProblem): void {
    this.#connecting--
    for (const user of this.#waiting) {
      this.#waiting.delete(user)
      user.unreachable(problem)
      return
    }
  }

  closed(connection: UpstreamConnection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#grow()
  }

  /** Trust has changed: unused connections go now, those in use when they are done. */
  renew(): void {
    this.#generation++
    this.session = undefined
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }

  destroy(): void {
    for (const connection of this.#all) connection.destroy()
  }

  #grow(): void {
    while (this.#connecting < this.#waiting.size && this.#all.size < this.limits.connections) {
      this.#connecting++
      this.#all.add(new UpstreamConnection(this, this.#settings, this.#generation))
    }
  }
}

/** All providers that have been called. Only registered endpoints ever come here. */
export class Upstreams {
  readonly #settings: UpstreamSettings
  /** By address: providers behind one address share its connections. */
  readonly #shared = new Map<string, Origin>()
  /** Of providers that have limits of their own: by ASID, then by address. */
  readonly #own: ReadonlyMap<string, { readonly limits: OriginLimits; readonly origins: Map<string, Origin> }>

  constructor(settings: UpstreamSettings) {
    this.#settings = settings
    this.#own = new Map([...settings.ownLimits].map(([asid, limits]) => [asid, { limits, origins: new Map() }]))
  }

  of(endpoint: RegisteredEndpoint, asid: string): Origin {
    const own = this.#own.size === 0 ? undefined : this.#own.get(asid)
    const origins = own === undefined ? this.#shared : own.origins
    const there = origins.get(endpoint.authority)
    if (there !== undefined) return there
    const origin = new Origin(endpoint, this.#settings, own?.limits ?? this.#settings.limits)
    origins.set(endpoint.authority, origin)
    return origin
  }

  get open(): number {
    let open = 0
    for (const origins of this.#all()) for (const origin of origins.values()) open += origin.open
    return open
  }

  renew(): void {
    for (const origins of this.#all())
      for (const [authority, origin] of origins) {
        origin.renew()
        if (origin.open === 0) origins.delete(authority)
      }
  }

  destroy(): void {
    for (const origins of this.#all()) for (const origin of origins.values()) origin.destroy()
  }

  *#all(): Generator<Map<string, Origin>> {
    yield this.#shared
    for (const { origins } of this.#own.values()) yield origins
  }
}
