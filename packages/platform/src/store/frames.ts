/**
 * Framing of the PostgreSQL frontend/backend protocol 3 (PostgreSQL documentation, "Message Formats"):
 * a start-up packet has a length and a code; every later message a type byte and a length, which
 * counts itself but not the type.
 */

export const messageType = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bind: 0x42,
  commandComplete: 0x43,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  copyInResponse: 0x47,
  describe: 0x44,
  errorResponse: 0x45,
  execute: 0x45,
  flush: 0x48,
  notificationResponse: 0x41,
  parse: 0x50,
  query: 0x51,
  readyForQuery: 0x5a,
  sync: 0x53,
  terminate: 0x58,
} as const

const cancelRequest = 80877102
const sslRequest = 80877103
const gssEncryptionRequest = 80877104

export type Startup =
  | { readonly kind: 'encryption' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'start'; readonly minor: number; readonly parameters: ReadonlyMap<string, string> }
  | { readonly kind: 'unknown' }

/** Cuts a stream of bytes into whole messages, first start-up packets, then (after `begin()`) typed messages. */
export class FrameReader {
  readonly #limit: number
  #held: Uint8Array = new Uint8Array(0)
  #typed = false

  /** Messages longer than `limit` bytes are an error. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The start-up is over: what follows has type bytes. */
  begin(): void {
    this.#typed = true
  }

  push(bytes: Uint8Array): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
  }

  /** The next whole message, undefined when more bytes are needed. Throws RangeError on a length out of bounds. */
  next(): Uint8Array | undefined {
    const held = this.#held
    const header = this.#typed ? 1 : 0
    if (held.length < header + 4) return undefined
    const length = uint32(held, header)
    // A start-up packet is small; PostgreSQL's own limit for it is 10 000 bytes.
    if (length < 4 || length > (this.#typed ? this.#limit : 10_000))
      throw new RangeError(`a message of ${length} bytes`)
    const end = header + length
    if (held.length < end) return undefined
    this.#held = held.subarray(end)
    return held.subarray(0, end)
  }

  /** Bytes that wait for the rest of their message. */
  get rest(): Uint8Array {
    return this.#held
  }
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) * 0x1000000 +
      ((bytes[at + 1] ?? 0) << 16) +
      ((bytes[at + 2] ?? 0) << 8) +
      (bytes[at + 3] ?? 0)) >>>
    0
  )
}

export function readStartup(packet: Uint8Array): Startup {
  const code = uint32(packet, 4)
  if (code === sslRequest || code === gssEncryptionRequest) return { kind: 'encryption' }
  if (code === cancelRequest) return { kind: 'cancel' }
  if (code >>> 16 !== 3) return { kind: 'unknown' }
  const words = Buffer.from(packet.subarray(8)).toString('utf8').split('\0')
  const parameters = new Map<string, string>()
  for (let index = 0; index + 1 < words.length && words[index] !== ''; index += 2)
    parameters.set(words[index] ?? '', words[index + 1] ?? '')
  return { kind: 'start', minor: code & 0xffff, parameters }
}

/** A message of that type with this body. */
export function message(type: number, ...body: readonly (Uint8Array | string | number)[]): Buffer {
  const parts = body.map((part) => {
    if (typeof part === 'string') return Buffer.from(`${part}\0`)
    if (typeof part !== 'number') return part
    const number = Buffer.alloc(4)
    number.writeInt32BE(part)
    return number
  })
  const length = parts.reduce((sum, part) => sum + part.length, 4)
  const header = Buffer.alloc(5)
  header[0] = type
  header.writeInt32BE(length, 1)
  return Buffer.concat([header, ...parts])
}

export function query(text: string): Buffer {
  return message(messageType.query, text)
}

/** The start-up packet of this house: whatever a client asked for, the one session is this user's. */
export function startup(): Buffer {
  const words = ['user', 'postgres', 'database', 'postgres', 'client_encoding', 'UTF8', 'DateStyle', 'ISO, MDY', '']
  const body = Buffer.from(`${words.join('\0')}\0`)
  const header = Buffer.alloc(8)
  header.writeInt32BE(body.length + 8)
  header.writeInt32BE(3 << 16, 4)
  return Buffer.concat([header, body])
}

/** An ErrorResponse as PostgreSQL writes it. */
export function errorResponse(severity: 'ERROR' | 'FATAL', sqlstate: string, text: string): Buffer {
  return message(
    messageType.errorResponse,
    `S${severity}`,
    `V${severity}`,
    `C${sqlstate}`,
    `M${text}`,
    Buffer.from([0]),
  )
}

export interface Answer {
  /** Status byte of the ReadyForQuery at the end: `I`, `T` or `E`; 0 when there is none. */
  readonly status: number
  /** The first error in it. */
  readonly error: { readonly severity: string; readonly sqlstate: string } | undefined
}

/** Walks an answer of the engine: its last status, and the first error of the worst kind. */
export function readAnswer(answer: Uint8Array): Answer {
  let error: Answer['error']
  let status = 0
  for (let at = 0; at + 5 <= answer.length; ) {
    const type = answer[at]
    const end = at + 1 + uint32(answer, at + 1)
    status = type === messageType.readyForQuery ? (answer[at + 5] ?? 0) : 0
    if (type === messageType.errorResponse && (error === undefined || error.severity === 'ERROR'))
      error = readError(answer.subarray(at + 5, end))
    at = end
  }
  return { status, error }
}

function readError(body: Uint8Array): { readonly severity: string; readonly sqlstate: string } {
  const fields = Buffer.from(body).toString('utf8').split('\0')
  const field = (letter: string) => fields.find((text) => text.startsWith(letter))?.slice(1) ?? ''
  return { severity: field('V') || field('S'), sqlstate: field('C') }
}
