import { isSpineError, SpineError } from '../error.ts'

/** What the wire may say about undecodable bytes: an LDAP result code (2 = protocolError). */
export interface LdapOutcome {
  readonly resultCode: number
}

/** Makes the error that every decoder here throws: bytes that are no BER as LDAP uses it (RFC 4511 §5.1). */
export function berError(explanation: string): SpineError<LdapOutcome> {
  return new SpineError('LDAP_BER_INVALID', { resultCode: 2 }, { explanation })
}

/** Universal tags that LDAP uses. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const

/**
 * Reads BER with definite lengths. Lengths need not be minimal (RFC 4511 §5.1 asks servers to accept that);
 * indefinite lengths and multi-byte tags, which LDAP never uses, are refused. Reads views, copies nothing.
 * Every method throws `LDAP_BER_INVALID` rather than read past `end`.
 */
export class BerReader {
  readonly bytes: Buffer
  position: number
  end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  /** The next tag without consuming it, or -1 at the end. */
  peek(): number {
    return this.position < this.end ? (this.bytes[this.position] ?? -1) : -1
  }

  /** Consumes a tag and a length; answers where the content ends. `tag` undefined accepts any. */
  header(tag?: number): number {
    const { bytes, end } = this
    let at = this.position
    if (at + 2 > end) throw berError('The data ends inside a tag or length.')
    const found = bytes[at++] as number
    if (tag !== undefined && found !== tag) {
      throw berError(`Tag 0x${found.toString(16)} stands where 0x${tag.toString(16)} belongs.`)
    }
    if ((found & 0x1f) === 0x1f) throw berError('Tags of more than one byte are not used in LDAP.')
    let length = bytes[at++] as number
    if (length > 0x7f) {
      const count = length & 0x7f
      if (count === 0) throw berError('Indefinite lengths are not allowed in LDAP.')
      if (count > 8 || at + count > end) throw berError('The length is longer than the data.')
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[at++] as number)
    }
    const contentEnd = at + length
    if (contentEnd > end) throw berError('The length runs past the end of what encloses it.')
    this.position = at
    return contentEnd
  }

  /** Steps over one element of whatever tag. */
  skip(): void {
    this.position = this.header()
  }

  /** Opens a constructed element: narrows `end` to it and answers the former end for `leave`. */
  enter(tag: number): number {
    const inner = this.header(tag)
    const outer = this.end
    this.end = inner
    return outer
  }

  /** Closes what `enter` opened; what was not read is stepped over (extensibility, RFC 4511 §4). */
  leave(outer: number): void {
    this.position = this.end
    this.end = outer
  }

  /** Two's complement, at most six bytes of value, so that a number holds it exactly. */
  integer(tag: number = tags.integer): number {
    const stop = this.header(tag)
    const { bytes } = this
    let at = this.position
    if (at === stop) throw berError('An integer has no content.')
    const negative = ((bytes[at] as number) & 0x80) !== 0
    while (stop - at > 6 && bytes[at] === (negative ? 0xff : 0)) at++
    if (stop - at > 6) throw berError('An integer is too large.')
    let value = negative ? -1 : 0
    for (; at < stop; at++) value = value * 256 + (bytes[at] as number)
    this.position = stop
    return value
  }

  boolean(tag: number = tags.boolean): boolean {
    const stop = this.header(tag)
    if (stop - this.position !== 1) throw berError('A boolean is one byte.')
    const value = this.bytes[this.position] !== 0
    this.position = stop
    return value
  }

  /** The content of a primitive as a view into the input. */
  octets(tag: number = tags.octetString): Buffer {
    const stop = this.header(tag)
    const view = this.bytes.subarray(this.position, stop)
    this.position = stop
    return view
  }

  /** The content as UTF-8 text; malformed sequences become U+FFFD, which no prepared value contains. */
  text(tag: number = tags.octetString): string {
    const stop = this.header(tag)
    const value = this.bytes.toString('utf8', this.position, stop)
    this.position = stop
    return value
  }
}

/** How many bytes the minimal length field takes. */
export function lengthSize(length: number): number {
  if (length < 0x80) return 1
  if (length < 0x100) return 2
  if (length < 0x10000) return 3
  if (length < 0x1000000) return 4
  return 5
}

/** Writes tag and minimal length at `at`; answers the position after them. */
export function writeHeader(into: Uint8Array, at: number, tag: number, length: number): number {
  into[at++] = tag
  if (length < 0x80) {
    into[at++] = length
    return at
  }
  const count = lengthSize(length) - 1
  into[at++] = 0x80 | count
  for (let shift = (count - 1) * 8; shift >= 0; shift -= 8) into[at++] = (length >>> shift) & 0xff
  return at
}

/** One element: tag, minimal length, the parts one after another. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const out = Buffer.allocUnsafe(1 + lengthSize(length) + length)
  let at = writeHeader(out, 0, tag, length)
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function octetString(value: string | Uint8Array, tag: number = tags.octetString): Buffer {
  return tlv(tag, typeof value === 'string' ? Buffer.from(value, 'utf8') : value)
}

/** Minimal two's complement; `value` within ±2^47. */
export function integer(value: number, tag: number = tags.integer): Buffer {
  const bytes: number[] = []
  let rest = Math.trunc(value)
  do {
    bytes.unshift(((rest % 256) + 256) % 256)
    rest = Math.floor(rest / 256)
  } while (rest !== 0 && rest !== -1)
  const first = bytes[0] as number
  if (value >= 0 && first > 0x7f) bytes.unshift(0)
  if (value < 0 && first < 0x80) bytes.unshift(0xff)
  return tlv(tag, Uint8Array.from(bytes))
}

export function boolean(value: boolean, tag: number = tags.boolean): Buffer {
  return tlv(tag, Uint8Array.of(value ? 0xff : 0))
}

/** Whether an error is a decoder's of this family; with `code`, that one. */
export function isBerError(error: unknown, code?: string): error is SpineError<LdapOutcome> {
  return isSpineError(error) && error.code.startsWith('LDAP_') && (code === undefined || error.code === code)
}
