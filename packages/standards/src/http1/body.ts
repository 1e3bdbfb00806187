import { type Fault, faults } from './faults.ts'

/** How the end of a body is told: no body, a count, chunks, or the end of the connection. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close'

const SIZE = 0
const SIZE_LF = 1
const DATA = 2
const DATA_CR = 3
const DATA_LF = 4
const LAST_CR = 5
const LAST_LF = 6

const hex = new Int8Array(256).fill(-1)
for (let digit = 0; digit < 16; digit++) {
  hex[digit.toString(16).charCodeAt(0)] = digit
  hex[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}

/**
 * Walks over body bytes and finds where the body ends, without changing or copying them: what was
 * walked may be forwarded as it stands. Reused for message after message of one connection.
 *
 * @example
 * body.begin('length', 5)
 * const end = body.read(chunk, 0) // index after the last byte of the body in this chunk
 * if (body.done) next(chunk.subarray(end))
 */
export class BodyReader {
  kind: BodyKind = 'none'
  done = true
  fault: Fault | undefined = undefined
  /** Bytes walked, framing of chunks included. */
  bytes = 0
  #state = SIZE
  #left = 0
  #digits = 0

  begin(kind: BodyKind, length = 0): void {
    this.kind = kind
    this.fault = undefined
    this.bytes = 0
    this.done = kind === 'none' || (kind === 'length' && length === 0)
    this.#left = kind === 'length' ? length : 0
    this.#state = SIZE
    this.#digits = 0
  }

  /** Bytes still to come of a counted body. */
  get left(): number {
    return this.kind === 'length' ? this.#left : Number.POSITIVE_INFINITY
  }

  /** Index after the last byte of `chunk` that belongs to this body; stops where a fault begins. */
  read(chunk: Uint8Array, from: number): number {
    if (this.done || this.fault !== undefined) return from
    let end = chunk.length
    if (this.kind === 'length') {
      const there = end - from
      if (there >= this.#left) {
        end = from + this.#left
        this.done = true
        this.#left = 0
      } else {
        this.#left -= there
      }
    } else if (this.kind === 'chunked') {
      end = this.#walk(chunk, from)
    }
    this.bytes += end - from
    return end
  }

  /** The connection ended. True when that was this body's proper end. */
  close(): boolean {
    if (this.kind === 'close') this.done = true
    return this.done
  }

  #walk(chunk: Uint8Array, from: number): number {
    const end = chunk.length
    let at = from
    let state = this.#state
    let left = this.#left
    while (at < end) {
      if (state === DATA) {
        const there = end - at
        if (there < left) {
          left -= there
          at = end
          break
        }
        at += left
        left = 0
        state = DATA_CR
        continue
      }
      const c = chunk[at] as number
      if (state === SIZE) {
        const digit = hex[c] as number
        if (digit >= 0 && this.#digits < 12) {
          left = left * 16 + digit
          this.#digits++
        } else if (c === 0x0d && this.#digits > 0) {
          state = SIZE_LF
        } else {
          this.fault = faults.HTTP1_CHUNK_SIZE
          break
        }
      } else if (state === SIZE_LF) {
        if (c !== 0x0a) {
          this.fault = faults.HTTP1_CHUNK_SIZE
          break
        }
        state = left === 0 ? LAST_CR : DATA
      } else if (state === DATA_CR || state === DATA_LF) {
        if (c !== (state === DATA_CR ? 0x0d : 0x0a)) {
          this.fault = faults.HTTP1_CHUNK_END
          break
        }
        if (state === DATA_LF) this.#digits = 0
        state = state === DATA_CR ? DATA_LF : SIZE
      } else {
        if (c !== (state === LAST_CR ? 0x0d : 0x0a)) {
          this.fault = faults.HTTP1_TRAILER
          break
        }
        if (state === LAST_LF) {
          this.done = true
          at++
          break
        }
        state = LAST_LF
      }
      at++
    }
    this.#state = state
    this.#left = left
    return at
  }
}
