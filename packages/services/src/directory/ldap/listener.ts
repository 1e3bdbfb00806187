import { createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net'
import { hostname as machineName } from 'node:os'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import {
  behindFrontEnds,
  FrontEnds,
  followTrust,
  type Peer,
  peerOf,
  serverTls,
  stillValid,
} from '@openspine/platform/doors'
import type { Listener, Platform } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { type LdapEngine, type OperationReport, resultCodes } from '@openspine/standards/ldap'
import type { DirectoryConfig } from '../config.ts'
import { Connection } from './connection.ts'
import { searchRate } from './rate.ts'
import type { Caller, Trail } from './trail.ts'

export interface LdapNeeds {
  readonly platform: Pick<Platform, 'clock' | 'log' | 'metrics' | 'trust'>
  readonly config: DirectoryConfig
  readonly engine: LdapEngine
  readonly trail: Trail
  /** Told of every finished operation beside the trail. */
  observe(report: OperationReport): void
}

export interface LdapListeners {
  readonly listeners: readonly Listener[]
  /** Connections open now. */
  readonly connections: ReadonlySet<Connection>
}

/** The sockets of the directory: LDAP over mutual TLS, and without TLS where it is configured. */
export function ldapListeners(needs: LdapNeeds): LdapListeners {
  const { config } = needs
  const shared = connections(needs)
  const listeners = [secureListener(needs, shared)]
  if (config.plainPort >= 0) listeners.push(plainListener(needs, shared))
  return { listeners, connections: shared.open }
}

interface Connections {
  readonly open: ReadonlySet<Connection>
  accept(socket: Socket, peer: Peer | undefined, door: string): Connection | undefined
  refused(reason: string): void
  /** Looks for connections that are idle, stuck or no longer allowed; runs while a listener is open. */
  watch(): () => void
  close(door: string, deadlineMs: number): Promise<void>
}

function connections({ platform, config, engine, trail, observe }: LdapNeeds): Connections {
  const { clock, log, metrics, trust } = platform
  const open = new Set<Connection>()
  const doors = new WeakMap<Connection, string>()
  const peers = new WeakMap<Connection, Peer>()
  const gauge = metrics.gauge('openspine_directory_connections', 'LDAP connections open now')
  const refusals = metrics.counter(
    'openspine_directory_connections_refused_total',
    'LDAP connections that were refused',
    ['reason'],
  )
  const rate = searchRate(config.searchesPerSecond, clock)
  let number = 0
  let watchers = 0
  let stopWatching: (() => void) | undefined
  const waiting = new Set<() => void>()

  const onOperation = (report: OperationReport, caller: Caller, boundAs: string) => {
    observe(report)
    trail.add({ report, caller, boundAs })
  }
  const isAllowed = (peer: Peer | undefined) => peer === undefined || stillValid(peer, trust, clock)

  const sweep = () => {
    const now = clock.now()
    for (const connection of open) {
      const peer = peers.get(connection)
      const { partialSince, activeAt, session } = connection
      if (!isAllowed(peer)) {
        connection.disconnect(resultCodes.strongerAuthRequired, 'The client certificate is no longer valid.')
      } else if (partialSince !== undefined && now - partialSince > config.partialSeconds * 1000) {
        connection.disconnect(resultCodes.protocolError, 'The message was not completed in time.')
      } else if (now - activeAt > config.idleSeconds * 1000) {
        // Idle with work under way: the client does not read its answer, and would not read a notice.
        if (session.busy) connection.destroy()
        else connection.disconnect(resultCodes.unavailable, 'The connection was idle for too long.')
      }
    }
  }

  return {
    open,
    refused: (reason) => refusals.inc({ reason }),
    accept(socket, peer, door) {
      if (open.size >= config.maxConnections) {
        refusals.inc({ reason: 'limit' })
        socket.destroy()
        return undefined
      }
      const certificate = peer !== undefined && peer.state !== 'none' ? peer : undefined
      const address = socket.remoteAddress ?? ''
      const client = certificate?.fqdn ?? address
      const connection = new Connection(socket, {
        engine,
        trail,
        clock,
        caller: {
          fqdn: certificate?.fqdn ?? '',
          serial: certificate?.serial ?? '',
          address,
          connection: ++number,
        },
        allowed: () => isAllowed(peer),
        mayAsk: rate === undefined ? undefined : () => rate(client),
        onOperation,
        onFault: (error) => log.error({ err: error }, 'an LDAP session failed'),
        onClose: (closed) => {
          open.delete(closed)
          gauge.set(open.size)
          if (open.size === 0) for (const wake of waiting) wake()
        },
      })
      open.add(connection)
      doors.set(connection, door)
      if (peer !== undefined) peers.set(connection, peer)
      gauge.set(open.size)
      return connection
    },
    watch() {
      watchers++
      if (stopWatching === undefined) {
        const period = Math.min(1000, config.idleSeconds * 250, config.partialSeconds * 250)
        const timer = setInterval(sweep, Math.max(20, period))
        timer.unref()
        const forget = trust.onChange(sweep)
        stopWatching = () => {
          clearInterval(timer)
          forget()
        }
      }
      return () => {
        if (--watchers > 0) return
        stopWatching?.()
        stopWatching = undefined
      }
    },
    async close(door, deadlineMs) {
      const own = () => [...open].filter((connection) => doors.get(connection) === door)
      const deadline = performance.now() + deadlineMs
      // Those in the middle of an answer finish it; the others hear that the server goes.
      while (own().length > 0 && performance.now() < deadline) {
        for (const connection of own()) {
          if (!connection.session.busy)
            connection.disconnect(resultCodes.unavailable, 'The directory is shutting down.')
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          const timer = setTimeout(wake, 20)
          waiting.add(wake)
        })
      }
      for (const connection of own()) connection.destroy()
    },
  }
}

function secureListener({ platform, config }: LdapNeeds, shared: Connections): Listener {
  const { trust, clock, log } = platform
  const options = { mutual: 'refuse' } as const
  // OpenLDAP's clients put the machine's own name in the place of `localhost` before they compare.
  const identity = { fqdn: config.fqdn, names: [...new Set([...config.alternativeNames, machineName()])] }
  let server: PlainServer | undefined
  let stop: (() => void)[] = []
  return {
    name: 'directory',
    async listen() {
      const certificate = await trust.identity(identity.fqdn, identity.names)
      const secure = createTlsServer({ ...serverTls(trust, certificate, options), noDelay: true })
      secure.on('secureConnection', (socket: TLSSocket) => {
        const peer = peerOf(socket, trust, clock)
        // A resumed session skips the CRL: who is no longer welcome hears so before the first answer.
        const connection = shared.accept(socket, peer, 'directory')
        if (peer.state !== 'valid') {
          shared.refused('certificate')
          connection?.disconnect(resultCodes.strongerAuthRequired, 'The client certificate is no longer valid.')
        }
      })
      secure.on('tlsClientError', (error) => {
        shared.refused('handshake')
        log.debug({ reason: error.message }, 'a TLS handshake with the directory failed')
      })
      const forget = followTrust(secure, trust, identity, options, log)
      bound(secure, config, shared)
      server = secure
      stop = [forget, shared.watch()]
      if (config.trustedFrontEnds.length > 0) {
        const { sockets } = behindFrontEnds(
          secure,
          new FrontEnds(config.trustedFrontEnds, log.child({ door: 'directory' })),
        )
        stop.push(() => {
          for (const socket of sockets) socket.destroy()
        })
      }
      return listen(secure, config.host, config.port, 'ldaps')
    },
    close: (deadlineMs) => closeServer(server, stop, () => shared.close('directory', deadlineMs)),
  }
}

function plainListener({ config }: LdapNeeds, shared: Connections): Listener {
  let server: PlainServer | undefined
  let stop: (() => void)[] = []
  return {
    name: 'directory-plain',
    async listen() {
      server = createPlainServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
        shared.accept(socket, undefined, 'directory-plain')
      })
      bound(server, config, shared)
      stop = [shared.watch()]
      return listen(server, config.host, config.plainPort, 'ldap')
    },
    close: (deadlineMs) => closeServer(server, stop, () => shared.close('directory-plain', deadlineMs)),
  }
}

/** Sockets in the handshake are not connections yet: they have a bound of their own above that of connections. */
const handshakes = 200

function bound(server: PlainServer, config: DirectoryConfig, shared: Connections): void {
  server.maxConnections = config.maxConnections + handshakes
  server.on('drop', () => shared.refused('limit'))
}

async function listen(
  server: PlainServer,
  host: string,
  port: number,
  scheme: string,
): Promise<{ port: number; url: string }> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException) =>
      reject(
        new SpineError('DIRECTORY_PORT_UNAVAILABLE', undefined, {
          explanation: `The directory cannot listen on ${host}, port ${port} (${cause.code ?? cause.message}). Is another process using it? Set directory.port to another.`,
          cause,
        }),
      )
    server.once('error', refuse)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', refuse)
      resolve()
    })
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const named = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return { port: bound, url: `${scheme}://${named}:${bound}` }
}

async function closeServer(
  server: PlainServer | undefined,
  stop: (() => void)[],
  rest: () => Promise<void>,
): Promise<void> {
  if (server === undefined) return
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await rest()
  for (const each of stop.splice(0)) each()
  await closed
}
