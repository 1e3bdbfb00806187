import type { BodyKind } from './body.ts'
import { type Fault, faults } from './faults.ts'
import {
  CONNECTION,
  CONTENT_LENGTH,
  type FieldNames,
  HOST,
  isNamed,
  type KnownField,
  TRANSFER_ENCODING,
} from './fields.ts'

/** Bounds of one message head. */
export interface HeadLimits {
  readonly maxBytes: number
  readonly maxFields: number
}

export const defaultHeadLimits: HeadLimits = { maxBytes: 16_384, maxFields: 100 }

const TOKEN = 1
const VALUE = 2
const TARGET = 4
const classes = Uint8Array.from({ length: 256 }, (_, c) => {
  const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(c)) && c < 0x80
  const value = c === 0x09 || (c >= 0x20 && c !== 0x7f)
  const target = c > 0x20 && c < 0x7f
  return (token ? TOKEN : 0) | (value ? VALUE : 0) | (target ? TARGET : 0)
})

/** Names that belong to one hop by their beginning. */
const proxyPrefix = [0x70, 0x72, 0x6f, 0x78, 0x79, 0x2d]

const METHOD = 0
const PATH = 1
const VERSION = 2
const LINE_LF = 3
const STATUS = 4
const REASON = 5
const NAME = 6
const SPACE = 7
const CONTENT = 8
const CONTENT_LF = 9
const LAST_LF = 10
const COMPLETE = 11

const versionCrlf = Buffer.from('HTTP/1.1\r', 'latin1')
const maxMethod = 32
const empty = Buffer.alloc(0)

/**
 * Reads message heads of one side of one connection: positions into the bytes, no object per field.
 * Strict (RFC 9112 with every leniency refused), incremental, and the same for every way in which the
 * bytes may be cut. Everything it answers is valid until the next `begin`.
 *
 * @example
 * const head = new HeadReader('request', names)
 * if (head.read(chunk) && head.fault === undefined) use(head.method, head.target, head.rest)
 */
export class HeadReader {
  readonly #kind: 'request' | 'response'
  readonly #names: FieldNames
  readonly #limits: HeadLimits
  /** Four positions a field: name start, name end, value start, value end. */
  readonly #at: Uint32Array
  readonly #drop: Uint8Array
  /** Index of the first field with this id, or -1. */
  readonly #first: Int16Array

  fault: Fault | undefined = undefined
  /** Length of the head in bytes, with its empty line, once complete. */
  length = 0
  /** How many header lines. */
  count = 0
  method = ''
  status = 0
  /** How the body that follows ends. For a response call `responseBody` instead. */
  body: BodyKind = 'none'
  contentLength = -1
  /** `Connection: close` was asked for. */
  close = false
  /** Bytes read so far; nothing has arrived yet when 0. */
  received = 0

  #bytes: Buffer = empty
  /** Holds a head that came in pieces; undefined while the head lies in the chunk that it came in. */
  #held: Buffer | undefined = undefined
  #state: number
  #pos = 0
  #mark = 0
  #nameEnd = 0
  #valueStart = 0
  #targetStart = 0
  #targetEnd = 0
  #hop = false

  constructor(kind: 'request' | 'response', names: FieldNames, limits: HeadLimits = defaultHeadLimits) {
    this.#kind = kind
    this.#names = names
    this.#limits = limits
    this.#at = new Uint32Array(4 * limits.maxFields)
    this.#drop = new Uint8Array(limits.maxFields)
    this.#first = new Int16Array(names.all.length).fill(-1)
    this.#state = kind === 'request' ? METHOD : STATUS
  }

  /** Forgets the last head and waits for the next. */
  begin(): void {
    this.fault = undefined
    this.length = 0
    this.count = 0
    this.method = ''
    this.status = 0
    this.body = 'none'
    this.contentLength = -1
    this.close = false
    this.received = 0
    this.#bytes = empty
    this.#held = undefined
    this.#state = this.#kind === 'request' ? METHOD : STATUS
    this.#pos = 0
    this.#mark = 0
    this.#hop = false
    this.#first.fill(-1)
  }

  get complete(): boolean {
    return this.#state === COMPLETE && this.fault === undefined
  }

  /** Takes the next bytes. True when the head is complete or at fault; `rest` then gives what follows it. */
  read(chunk: Buffer): boolean {
    if (this.fault !== undefined || this.#state === COMPLETE) return true
    if (this.received === 0) {
      this.#bytes = chunk
      this.received = chunk.length
    } else {
      this.#hold(chunk)
    }
    this.fault = this.#walk()
    return this.fault !== undefined || this.#state === COMPLETE
  }

  /** What came after the head together with its last piece. */
  get rest(): Buffer {
    return this.length === this.received ? empty : this.#bytes.subarray(this.length, this.received)
  }

  #hold(chunk: Buffer): void {
    const size = this.received + chunk.length
    const held = this.#held
    if (held === undefined || held.length < size) {
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 * size))
      this.#bytes.copy(grown, 0, 0, this.received)
      this.#held = grown
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.received)
    this.received = size
  }

  #walk(): Fault | undefined {
    const bytes = this.#bytes
    const { maxBytes, maxFields } = this.#limits
    const end = this.received < maxBytes ? this.received : maxBytes
    let pos = this.#pos
    let state = this.#state
    let fault: Fault | undefined
    while (pos < end) {
      if (state === CONTENT) {
        while (pos < end && ((classes[bytes[pos] as number] as number) & VALUE) !== 0) pos++
        if (pos === end) break
        if (bytes[pos] !== 0x0d) {
          fault = bytes[pos] === 0x0a ? faults.HTTP1_BARE_LF : faults.HTTP1_FIELD_VALUE
          break
        }
        state = CONTENT_LF
        pos++
      } else if (state === CONTENT_LF) {
        if (bytes[pos] !== 0x0a) {
          fault = faults.HTTP1_BARE_CR
          break
        }
        fault = this.#field(bytes, pos - 1)
        if (fault !== undefined) break
        pos++
        this.#mark = pos
        state = NAME
      } else if (state === NAME) {
        while (pos < end && ((classes[bytes[pos] as number] as number) & TOKEN) !== 0) pos++
        if (pos === end) break
        const c = bytes[pos] as number
        if (c === 0x3a && pos > this.#mark) {
          if (this.count === maxFields) {
            fault = faults.HTTP1_TOO_MANY_FIELDS
            break
          }
          this.#nameEnd = pos
          this.#valueStart = pos + 1
          state = SPACE
        } else if (pos === this.#mark && c === 0x0d) {
          state = LAST_LF
        } else {
          fault =
            c === 0x0a
              ? faults.HTTP1_BARE_LF
              : pos === this.#mark && (c === 0x20 || c === 0x09)
                ? faults.HTTP1_FOLDED
                : faults.HTTP1_FIELD_NAME
          break
        }
        pos++
      } else if (state === SPACE) {
        while (pos < end && (bytes[pos] === 0x20 || bytes[pos] === 0x09)) pos++
        this.#valueStart = pos
        if (pos < end) state = CONTENT
      } else if (state === LAST_LF) {
        if (bytes[pos] !== 0x0a) {
          fault = faults.HTTP1_BARE_CR
          break
        }
        pos++
        this.length = pos
        this.#pos = pos
        this.#state = COMPLETE
        return this.#settle()
      } else if (state === METHOD) {
        while (pos < end && pos <= maxMethod && ((classes[bytes[pos] as number] as number) & TOKEN) !== 0) pos++
        if (pos === end) break
        if (bytes[pos] !== 0x20 || pos === 0 || pos > maxMethod) {
          fault = faults.HTTP1_METHOD
          break
        }
        this.method = methodName(bytes, pos)
        pos++
        this.#targetStart = pos
        state = PATH
      } else if (state === PATH) {
        while (pos < end && ((classes[bytes[pos] as number] as number) & TARGET) !== 0) pos++
        if (pos === end) break
        if (bytes[pos] !== 0x20 || !originForm(bytes, this.#targetStart, pos)) {
          fault = faults.HTTP1_TARGET
          break
        }
        this.#targetEnd = pos
        pos++
        this.#mark = pos
        state = VERSION
      } else if (state === VERSION) {
        while (pos < end && pos - this.#mark < 9 && bytes[pos] === versionCrlf[pos - this.#mark]) pos++
        if (pos - this.#mark === 9) state = LINE_LF
        else if (pos < end) {
          fault = bytes[pos] === 0x0a && pos - this.#mark === 8 ? faults.HTTP1_BARE_LF : faults.HTTP1_VERSION
          break
        }
      } else if (state === STATUS) {
        const wrong = statusByte(bytes[pos] as number, pos)
        if (wrong !== undefined) {
          fault = wrong
          break
        }
        if (pos === 12) {
          this.status =
            ((bytes[9] as number) - 0x30) * 100 + ((bytes[10] as number) - 0x30) * 10 + ((bytes[11] as number) - 0x30)
          this.#targetStart = 13
          this.#targetEnd = 13
          state = bytes[pos] === 0x0d ? LINE_LF : REASON
        }
        pos++
      } else if (state === REASON) {
        while (pos < end && ((classes[bytes[pos] as number] as number) & VALUE) !== 0) pos++
        if (pos === end) break
        if (bytes[pos] !== 0x0d) {
          fault = bytes[pos] === 0x0a ? faults.HTTP1_BARE_LF : faults.HTTP1_REASON
          break
        }
        this.#targetEnd = pos
        pos++
        state = LINE_LF
      } else {
        if (bytes[pos] !== 0x0a) {
          fault = faults.HTTP1_BARE_CR
          break
        }
        pos++
        this.#mark = pos
        state = NAME
      }
    }
    this.#pos = pos
    this.#state = state
    if (fault === undefined && end === maxBytes) return faults.HTTP1_HEAD_TOO_LARGE
    return fault
  }

  /** A header line ended at `end` (the CR). */
  #field(bytes: Buffer, end: number): Fault | undefined {
    let valueEnd = end
    const valueStart = this.#valueStart
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === 0x20 || bytes[valueEnd - 1] === 0x09)) valueEnd--
    const index = this.count++
    const at = this.#at
    const base = index << 2
    const start = this.#mark
    at[base] = start
    at[base + 1] = this.#nameEnd
    at[base + 2] = valueStart
    at[base + 3] = valueEnd
    const known = this.#names.at(bytes, start, this.#nameEnd)
    if (known === undefined) {
      this.#drop[index] = startsWithProxy(bytes, start, this.#nameEnd) ? 1 : 0
      return undefined
    }
    this.#drop[index] = known.perHop ? 1 : 0
    if ((this.#first[known.id] as number) < 0) this.#first[known.id] = index
    else if (known.single) return duplicate(known)
    if (known.id === CONNECTION) this.#hop = true
    return undefined
  }

  /** All lines are there: decide framing, and what `Connection` removes. */
  #settle(): Fault | undefined {
    const bytes = this.#bytes
    const at = this.#at
    if (this.#kind === 'request' && (this.#first[HOST] as number) < 0) return faults.HTTP1_HOST
    const length = this.#first[CONTENT_LENGTH] as number
    const encoding = this.#first[TRANSFER_ENCODING] as number
    if (length >= 0) {
      if (encoding >= 0) return faults.HTTP1_LENGTH_AND_ENCODING
      const value = digits(bytes, at[(length << 2) + 2] as number, at[(length << 2) + 3] as number)
      if (value < 0 || this.#tabbed(length)) return faults.HTTP1_CONTENT_LENGTH
      this.contentLength = value
      this.body = value === 0 ? 'none' : 'length'
    } else if (encoding >= 0) {
      const exact = isNamed(bytes, at[(encoding << 2) + 2] as number, at[(encoding << 2) + 3] as number, 'chunked')
      if (!exact || this.#tabbed(encoding)) return faults.HTTP1_TRANSFER_ENCODING
      this.body = 'chunked'
    }
    return this.#hop ? this.#connection() : undefined
  }

  /** A tab beside a framing value is legal, but parsers are known to read it in different ways. */
  #tabbed(index: number): boolean {
    const base = index << 2
    const end = this.#lineEnd(index, this.length - 2)
    for (let i = (this.#at[base + 1] as number) + 1; i < end; i++) if (this.#bytes[i] === 0x09) return true
    return false
  }

  #connection(): Fault | undefined {
    for (let index = 0; index < this.count; index++) {
      const base = index << 2
      const at = this.#at
      if (!isNamed(this.#bytes, at[base] as number, at[base + 1] as number, 'connection')) continue
      const start = at[base + 2] as number
      const end = at[base + 3] as number
      if (isNamed(this.#bytes, start, end, 'keep-alive')) continue
      for (const option of this.#bytes.toString('latin1', start, end).toLowerCase().split(',')) {
        const name = option.replace(/^[ \t]+|[ \t]+$/g, '')
        if (name === '') continue
        if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return faults.HTTP1_CONNECTION
        if (name === 'close') this.close = true
        else if (this.#names.named(name)?.single === true) return faults.HTTP1_CONNECTION
        else this.#remove(name)
      }
    }
    return undefined
  }

  #remove(name: string): void {
    for (let index = 0; index < this.count; index++) {
      const base = index << 2
      if (isNamed(this.#bytes, this.#at[base] as number, this.#at[base + 1] as number, name)) this.#drop[index] = 1
    }
  }

  /** The request target, byte for byte. */
  get target(): string {
    return this.#kind === 'request' && this.#targetEnd > this.#targetStart
      ? this.#bytes.toString('latin1', this.#targetStart, this.#targetEnd)
      : ''
  }

  get reason(): string {
    return this.#kind === 'response' ? this.#bytes.toString('latin1', this.#targetStart, this.#targetEnd) : ''
  }

  /** Value of the first field with this id, without surrounding white space; undefined when absent. */
  value(id: number): string | undefined {
    const index = this.#first[id] as number
    if (index < 0) return undefined
    const base = index << 2
    return this.#bytes.toString('latin1', this.#at[base + 2], this.#at[base + 3])
  }

  has(id: number): boolean {
    return (this.#first[id] as number) >= 0
  }

  /** Every field in order, names as written. For tests and rare needs; allocates. */
  fields(): [name: string, value: string][] {
    return Array.from({ length: this.count }, (_, index) => {
      const [a, b, c, d] = this.#at.subarray(index << 2, (index << 2) + 4)
      return [this.#bytes.toString('latin1', a, b), this.#bytes.toString('latin1', c, d)]
    })
  }

  /** How the body of this response to `method` ends (RFC 9112 §6.3). */
  responseBody(method: string): BodyKind {
    const { status } = this
    if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 'none'
    if (this.body === 'none') return this.contentLength === 0 ? 'none' : 'close'
    return this.body
  }

  /**
   * A new head for the next hop, in one piece with the body bytes at hand: `before` (start line and own
   * fields, each with CR LF), the kept lines byte for byte, `after` (own fields), the empty line, `body`.
   * Left out: Host, framing, Connection and what it names, and every field of the single hop. `into` is a buffer to
   * write it into, where it fits; the answer is then a part of that.
   */
  rebuild(before: string, after: string, body?: Buffer, into?: Buffer): Buffer {
    const { count } = this
    const drop = this.#drop
    const last = this.length - 2
    let size = before.length + after.length + 2
    for (let index = 0; index < count; index++) {
      if (drop[index] === 0) size += this.#lineEnd(index, last) - (this.#at[index << 2] as number)
    }
    const total = body === undefined ? size : size + body.length
    const out = into !== undefined && total <= into.length ? into.subarray(0, total) : Buffer.allocUnsafe(total)
    let to = out.write(before, 0, 'latin1')
    for (let index = 0; index < count; ) {
      if (drop[index] !== 0) {
        index++
        continue
      }
      const from = this.#at[index << 2] as number
      while (index + 1 < count && drop[index + 1] === 0) index++
      to += this.#bytes.copy(out, to, from, this.#lineEnd(index, last))
      index++
    }
    if (after !== '') to += out.write(after, to, 'latin1')
    out[to] = 0x0d
    out[to + 1] = 0x0a
    if (body !== undefined) body.copy(out, to + 2)
    return out
  }

  #lineEnd(index: number, last: number): number {
    return index + 1 < this.count ? (this.#at[(index + 1) << 2] as number) : last
  }
}

function duplicate(field: KnownField): Fault {
  if (field.id === HOST) return faults.HTTP1_HOST
  if (field.id === CONTENT_LENGTH) return faults.HTTP1_CONTENT_LENGTH
  return field.id === TRANSFER_ENCODING ? faults.HTTP1_TRANSFER_ENCODING : faults.HTTP1_DUPLICATE
}

function startsWithProxy(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < proxyPrefix.length) return false
  for (let i = 0; i < proxyPrefix.length; i++)
    if (((bytes[start + i] as number) | 0x20) !== (proxyPrefix[i] as number | 0x20)) return false
  return true
}

/** A relay is asked with a path, or with `*`; the absolute form and the authority form (CONNECT) are for other servers. */
function originForm(bytes: Buffer, start: number, end: number): boolean {
  return bytes[start] === 0x2f ? end > start : bytes[start] === 0x2a && end === start + 1
}

/** 1 to 15 digits as a number; -1 otherwise. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > 15) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** The frequent methods without a new string. */
function methodName(bytes: Buffer, end: number): string {
  const first = bytes[0]
  if (end === 3 && first === 0x47 && bytes[1] === 0x45 && bytes[2] === 0x54) return 'GET'
  if (end === 4 && first === 0x50 && bytes[1] === 0x4f && bytes[2] === 0x53 && bytes[3] === 0x54) return 'POST'
  return bytes.toString('latin1', 0, end)
}

const statusStart = Buffer.from('HTTP/1.1 ', 'latin1')

/** Byte `at` of a status line, up to what follows the three digits. */
function statusByte(c: number, at: number): Fault | undefined {
  if (at < 9) {
    if (c === statusStart[at]) return undefined
    return at < 8 ? faults.HTTP1_VERSION : faults.HTTP1_STATUS
  }
  if (at === 9) return c >= 0x31 && c <= 0x35 ? undefined : faults.HTTP1_STATUS
  if (at < 12) return c >= 0x30 && c <= 0x39 ? undefined : faults.HTTP1_STATUS
  return c === 0x20 || c === 0x0d ? undefined : faults.HTTP1_STATUS
}
