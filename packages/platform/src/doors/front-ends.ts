import { BlockList, isIP, type Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import { type ProxyHeaderFault, readProxyHeader } from '@openspine/standards/proxy-protocol'
import type { Logger } from '../log.ts'

/** How long a front end may take for its header and the first octet of TLS behind it. */
const patienceMs = 10_000

/** Whether it is an address, or a range of them in the form `address/prefix`. */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

/** IPv4 addresses in their IPv6 dress are written as IPv4. */
const bare = (address: string) => (address.startsWith('::ffff:') ? address.slice(7) : address)

/**
 * The front ends that pass connections through to a door, and tell in a header of the PROXY protocol whose each
 * is. Remembers it as long as the connection lasts.
 */
export class FrontEnds {
  readonly #trusted: BlockList | undefined
  readonly #log: Logger
  /** The client's address and the port that it called, by the ends of the connection with its front end. */
  readonly #told = new Map<string, { readonly address: string; readonly port: number }>()

  constructor(trusted: readonly string[], log: Logger) {
    this.#log = log
    if (trusted.length === 0) return
    this.#trusted = new BlockList()
    for (const one of trusted) {
      const [address = '', prefix] = one.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(prefix), family)
    }
  }

  /** Whether a connection comes from one of them, so that it must begin with a header. */
  trusts(socket: Socket): boolean {
    if (this.#trusted === undefined) return false
    const address = bare(socket.remoteAddress ?? '')
    return address !== '' && this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }

  /** The address of the client whose connection this is, TLS on top of it or not. */
  addressOf(socket: Socket): string {
    return this.#of(socket)?.address ?? bare(socket.remoteAddress ?? '')
  }

  /** The port that this client called. */
  portOf(socket: Socket): number | undefined {
    return this.#of(socket)?.port ?? socket.localPort
  }

  #of(socket: Socket) {
    return this.#told.size === 0 ? undefined : this.#told.get(ends(socket))
  }

  /**
   * Reads the header of a connection that must have one, and calls `then` with the bytes that follow it once there
   * are some. Ends the connection when it is not there; how long it may take, whoever calls decides by ending it.
   */
  await(socket: Socket, then: (first: Buffer) => void): void {
    const front = bare(socket.remoteAddress ?? '')
    let held: Buffer = Buffer.alloc(0)
    let read = false
    const refuse = ({ code, reason }: Fault) =>
      this.#log.warn({ code, address: front }, `a connection of a front end was closed: ${reason}`)
    const left = () => {
      if (!read && held.length > 0) refuse(incomplete)
    }
    const look = () => {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) return
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      if (!read) {
        const reading = readProxyHeader(held)
        if (reading.state === 'more') return
        read = true
        if (reading.state === 'fault') {
          socket.off('readable', look)
          refuse(reading.fault)
          socket.destroy()
          return
        }
        const { ends: told, length } = reading.header
        if (told !== undefined) this.#remember(socket, bare(told.source.address), told.destination.port)
        held = held.subarray(length)
      }
      if (held.length === 0) return
      socket.off('readable', look)
      then(held)
    }
    socket.on('close', left)
    socket.on('readable', look)
  }

  #remember(socket: Socket, address: string, port: number): void {
    const key = ends(socket)
    this.#told.set(key, { address, port })
    socket.on('close', () => this.#told.delete(key))
  }
}

/**
 * Puts front ends before a TLS server: a connection of theirs begins with their header, and everything above (requests,
 * sessions, whatever reads `remoteAddress` of the TLS socket) sees the client's address. Everybody else is handed on
 * untouched, so that a header of theirs is no TLS. Gives the sockets that still owe theirs, for whoever closes the server.
 */
export function behindFrontEnds(server: Server, frontEnds: FrontEnds): { readonly sockets: ReadonlySet<Socket> } {
  const sockets = new Set<Socket>()
  const accept = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const handOn = () => {
      for (const listener of accept) listener.call(server, socket)
    }
    if (!frontEnds.trusts(socket)) return handOn()
    sockets.add(socket)
    const drop = () => socket.destroy()
    const timer = setTimeout(drop, patienceMs)
    socket.on('error', drop)
    socket.once('close', () => {
      clearTimeout(timer)
      sockets.delete(socket)
    })
    frontEnds.await(socket, (first) => {
      clearTimeout(timer)
      sockets.delete(socket)
      socket.off('error', drop)
      socket.unshift(first)
      handOn()
    })
  })
  // Before whoever uses the connection looks.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const value = frontEnds.addressOf(socket)
    if (value !== bare(socket.remoteAddress ?? '')) Object.defineProperty(socket, 'remoteAddress', { value })
  })
  return { sockets }
}

type Fault = Omit<ProxyHeaderFault, 'code'> & { readonly code: string }

const incomplete: Fault = {
  code: 'PROXY_PROTOCOL_INCOMPLETE',
  reason: 'The header of the PROXY protocol did not arrive in time, or broke off.',
}

const ends = ({ localAddress, remoteAddress, remotePort }: Socket) => `${localAddress} ${remoteAddress} ${remotePort}`
