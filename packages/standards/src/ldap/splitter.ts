import { SpineError } from '../error.ts'
import { berError, type LdapOutcome } from './ber.ts'

function tooLarge(announced: number, limit: number): SpineError<LdapOutcome> {
  return new SpineError(
    'LDAP_PDU_TOO_LARGE',
    { resultCode: 2 },
    { explanation: `A message of ${announced} bytes was announced; the limit is ${limit}.` },
  )
}

/**
 * Cuts a byte stream into LDAP messages, each a view of one whole `SEQUENCE` with its header. Holds at most one
 * message's bytes: a larger one is refused from its announced length, before its content arrives.
 *
 * @example
 * const splitter = new PduSplitter(1024 * 1024)
 * splitter.push(chunk)
 * for (let pdu = splitter.next(); pdu !== undefined; pdu = splitter.next()) decodeRequest(pdu)
 */
export class PduSplitter {
  readonly #limit: number
  #held: Buffer = Buffer.alloc(0)
  #at = 0
  /** Chunks of an unfinished message: joined once, when all of it is here, so that a slow sender costs no quadratic copying. */
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #wanted = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes held that `next` has not given out. */
  get buffered(): number {
    return this.#held.length - this.#at + this.#pieceBytes
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.#pieces.length === 0 && this.#at >= this.#held.length) {
      this.#held = bytes
      this.#at = 0
      return
    }
    this.#pieces.push(bytes)
    this.#pieceBytes += bytes.length
  }

  /** The next whole message, or undefined when more bytes are needed. Throws `LDAP_BER_INVALID` or `LDAP_PDU_TOO_LARGE`. */
  next(): Buffer | undefined {
    if (this.#pieces.length > 0) {
      if (this.buffered < this.#wanted) return undefined
      this.#held = Buffer.concat([this.#held.subarray(this.#at), ...this.#pieces])
      this.#at = 0
      this.#pieces = []
      this.#pieceBytes = 0
    }
    const bytes = this.#held
    const start = this.#at
    const available = bytes.length - start
    if (available === 0) return undefined
    if (bytes[start] !== 0x30) throw berError('A message must be a SEQUENCE.')
    this.#wanted = 2
    if (available < 2) return undefined
    let at = start + 1
    let length = bytes[at++] as number
    if (length > 0x7f) {
      const count = length & 0x7f
      if (count === 0) throw berError('Indefinite lengths are not allowed in LDAP.')
      if (count > 8) throw berError('The length field is too long.')
      // Every length byte that is here already counts: a gigabyte is refused as soon as it is certain.
      length = 0
      for (let i = 0; i < count; i++) {
        if (at >= bytes.length) {
          this.#wanted = available + 1
          return undefined
        }
        length = length * 256 + (bytes[at++] as number)
        if (length > this.#limit) throw tooLarge(length, this.#limit)
      }
    }
    const total = at - start + length
    if (length > this.#limit) throw tooLarge(length, this.#limit)
    if (total > available) {
      this.#wanted = total
      return undefined
    }
    this.#wanted = 0
    this.#at = start + total
    return start === 0 && total === bytes.length ? bytes : bytes.subarray(start, start + total)
  }
}
