import { readIpv4, readIpv6, writeAddress } from './addresses.ts'

/**
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt): the header with which a front end that
 * passes TCP through tells whose connection it is.
 */

/** Longest headers that are read: what §2.1 allows, and room for extensions in §2.2. */
export const proxyHeaderLimits = { v1: 107, v2: 536 } as const

/** One end of the connection that the front end accepted. */
export interface ProxyEndpoint {
  readonly address: string
  readonly port: number
}

export interface ProxyHeader {
  readonly version: 1 | 2
  /** Absent when the connection is the front end's own, or not TCP over IP: the socket's own ends then count. */
  readonly ends?: { readonly source: ProxyEndpoint; readonly destination: ProxyEndpoint }
  /** Bytes of the header; what follows belongs to the connection. */
  readonly length: number
}

export interface ProxyHeaderFault {
  readonly code: 'PROXY_PROTOCOL_MISSING' | 'PROXY_PROTOCOL_MALFORMED' | 'PROXY_PROTOCOL_TOO_LONG'
  readonly reason: string
}

export type ProxyHeaderReading =
  | { readonly state: 'more' }
  | { readonly state: 'header'; readonly header: ProxyHeader }
  | { readonly state: 'fault'; readonly fault: ProxyHeaderFault }

const more: ProxyHeaderReading = { state: 'more' }
const missing: ProxyHeaderReading = {
  state: 'fault',
  fault: {
    code: 'PROXY_PROTOCOL_MISSING',
    reason: 'The connection does not begin with a header of the PROXY protocol.',
  },
}
const malformed = (reason: string): ProxyHeaderReading => ({
  state: 'fault',
  fault: { code: 'PROXY_PROTOCOL_MALFORMED', reason },
})
const tooLong = (most: number): ProxyHeaderReading => ({
  state: 'fault',
  fault: { code: 'PROXY_PROTOCOL_TOO_LONG', reason: `The header does not end within ${most} bytes.` },
})

const wordV1 = Buffer.from('PROXY ')
const signatureV2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const headV2 = 16

/** Reads the beginning of a connection. Refusals are values; what is refused early stays refused, whatever follows. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeaderReading {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, proxyHeaderLimits.v2))
  if (start.length === 0) return more
  const signature = start[0] === wordV1[0] ? wordV1 : signatureV2
  const known = Math.min(start.length, signature.length)
  if (start.compare(signature, 0, known, 0, known) !== 0) return missing
  if (known < signature.length) return more
  return signature === wordV1 ? readV1(start) : readV2(start)
}

function readV1(start: Buffer): ProxyHeaderReading {
  const most = Math.min(start.length, proxyHeaderLimits.v1)
  for (let at = wordV1.length; at < most; at++) {
    const octet = start[at]
    if (octet === 0x0a) return malformed('A line feed stands without a carriage return.')
    if (octet !== 0x0d || at + 1 === most) continue
    if (start[at + 1] !== 0x0a) return malformed('A carriage return stands without a line feed.')
    return lineV1(start.toString('latin1', wordV1.length, at), at + 2)
  }
  return most < proxyHeaderLimits.v1 ? more : tooLong(proxyHeaderLimits.v1)
}

/** What stands between `PROXY ` and the end of the line. */
function lineV1(line: string, length: number): ProxyHeaderReading {
  // Whatever follows UNKNOWN is to be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { state: 'header', header: { version: 1, length } }
  const [family, ...rest] = line.split(' ')
  if (family !== 'TCP4' && family !== 'TCP6') return malformed('The family is not TCP4, TCP6 or UNKNOWN.')
  const [source, destination, sourcePort, destinationPort] = rest
  const read = family === 'TCP4' ? readIpv4 : readIpv6
  const from = read(source ?? '')
  const to = read(destination ?? '')
  if (rest.length !== 4 || from === undefined || to === undefined || !isPort(sourcePort) || !isPort(destinationPort))
    return malformed(`Two addresses of ${family} and two ports must follow, one space before each.`)
  const ends = {
    source: { address: writeAddress(from), port: Number(sourcePort) },
    destination: { address: writeAddress(to), port: Number(destinationPort) },
  }
  return { state: 'header', header: { version: 1, ends, length } }
}

function isPort(text: string | undefined): text is string {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

const localCommand = 0x20
const proxyCommand = 0x21
/** Bytes of the addresses and ports of each family; unknown ones say nothing of theirs. */
const blocks = [0, 12, 36, 216]
const tcpOverIpv4 = 0x11
const tcpOverIpv6 = 0x21

function readV2(start: Buffer): ProxyHeaderReading {
  const [command, transport] = start.subarray(12, 14)
  if (command === undefined) return more
  if (command !== localCommand && command !== proxyCommand)
    return malformed('Version and command are not 2 with LOCAL or PROXY.')
  if (transport === undefined) return more
  const block = blocks[transport >> 4]
  if (command === proxyCommand && (block === undefined || (transport & 0xf) > 2))
    return malformed('The family or the transport is none that is assigned.')
  if (start.length < headV2) return more
  const length = headV2 + start.readUInt16BE(14)
  if (length > proxyHeaderLimits.v2) return tooLong(proxyHeaderLimits.v2)
  // A family or transport that is unspecified has no addresses that count (§2.2).
  if (command === proxyCommand && (transport & 0xf) !== 0 && length < headV2 + (block ?? 0))
    return malformed('The header is too short for the addresses of its family.')
  if (start.length < length) return more
  const size = transport === tcpOverIpv4 ? 4 : transport === tcpOverIpv6 ? 16 : 0
  if (command === localCommand || size === 0) return { state: 'header', header: { version: 2, length } }
  const end = (at: number, port: number): ProxyEndpoint => ({
    address: writeAddress(start.subarray(headV2 + at * size, headV2 + (at + 1) * size)),
    port: start.readUInt16BE(headV2 + 2 * size + port),
  })
  return { state: 'header', header: { version: 2, ends: { source: end(0, 0), destination: end(1, 2) }, length } }
}

/** The header of one version. Without ends it is that of a connection of the front end's own: UNKNOWN, or LOCAL. */
export function writeProxyHeader({ version, ends }: Pick<ProxyHeader, 'version' | 'ends'>): Buffer {
  if (ends === undefined)
    return version === 1
      ? Buffer.from('PROXY UNKNOWN\r\n')
      : Buffer.concat([signatureV2, Buffer.from([localCommand, 0, 0, 0])])
  const { source, destination } = ends
  const four = [readIpv4(source.address), readIpv4(destination.address)]
  const isIpv4 = four.every((octets) => octets !== undefined)
  if (version === 1) {
    const addresses = `${source.address} ${destination.address} ${source.port} ${destination.port}`
    return Buffer.from(`PROXY ${isIpv4 ? 'TCP4' : 'TCP6'} ${addresses}\r\n`)
  }
  const octets = isIpv4 ? four : [readIpv6(source.address), readIpv6(destination.address)]
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(source.port, 0)
  ports.writeUInt16BE(destination.port, 2)
  const block = Buffer.concat([...octets.map((one) => Buffer.from(one ?? [])), ports])
  return Buffer.concat([
    signatureV2,
    Buffer.from([proxyCommand, isIpv4 ? tcpOverIpv4 : tcpOverIpv6, 0, block.length]),
    block,
  ])
}
