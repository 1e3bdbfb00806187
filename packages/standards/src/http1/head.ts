import type { BodyKind } from './body.ts'
import { type Fault, faults } from './faults.ts'
import { CONNECTION, CONTENT_LENGTH, type FieldNames, HOST, isNamed, TRANSFER_ENCODING } from './fields.ts'
import {
  classes,
  digits,
  duplicate,
  maxMethod,
  methodName,
  originForm,
  startsWithProxy,
  statusByte,
  TOKEN,
  VALUE,
  versionCrlf,
} from './octets.ts'
import { endOfTarget, endOfValue, fingerprintOf, sameBytes } from './words.ts'

/** Bounds of one message head. */
export interface HeadLimits {
  readonly maxBytes: number
  readonly maxFields: number
}

export const defaultHeadLimits: HeadLimits = { maxBytes: 16_384, maxFields: 100 }

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

/** So many bytes at a time are taken over and walked: a head fits, and a body behind it is not copied along. */
const pieceBytes = 4096
const empty = Buffer.alloc(0)
const emptyView = new DataView(empty.buffer, 0, 0)

const blank = (c: number) => c === 0x20 || c === 0x09

/** What is known of a head besides its lines. */
interface Start {
  /** Length of the head in bytes; 0 when there is none to compare with. */
  length: number
  count: number
  method: string
  status: number
  targetEnd: number
  targetText: string | undefined
}

/**
 * Reads message heads of one side of one connection: positions into the bytes, no object per field.
 * Strict (RFC 9112 with every leniency refused), incremental, and the same for every way in which the
 * bytes may be cut. Everything it answers but `rest` is valid until the next `begin`: it keeps a copy of the head.
 *
 * Most heads of a connection are the one before with another target, trace id or date. Such a head is compared with
 * that one instead of being walked (`#retrace`): the lines that are the same byte for byte are read in the same way.
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

  /** The head, as far as it is here, and the one before: two buffers of the reader's own that take turns. */
  #bytes: Buffer = empty
  #view = emptyView
  #lastBytes: Buffer = empty
  #lastView = emptyView
  readonly #last: Start = { length: 0, count: 0, method: '', status: 0, targetEnd: 0, targetText: undefined }
  /** How many bytes of `#bytes` are filled. */
  #stored = 0
  /** What was read last, and how many bytes came before it. */
  #chunk: Buffer = empty
  #before = 0
  /** Lines with fields whose values differ from one message to the next, in order, and where they end in a new head. */
  readonly #varying: Int16Array
  readonly #ends: Uint32Array
  #varyingCount = 0
  /** Values that have been asked for, by id. */
  readonly #values: (string | undefined)[]
  #targetText: string | undefined = undefined
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
    this.#varying = new Int16Array(limits.maxFields)
    this.#ends = new Uint32Array(limits.maxFields)
    this.#values = names.all.map(() => undefined)
    this.#state = kind === 'request' ? METHOD : STATUS
  }

  /** Lets go of the last head and waits for the next. */
  begin(): void {
    const last = this.#last
    last.length = this.complete && this.length <= pieceBytes ? this.length : 0
    last.count = this.count
    last.method = this.method
    last.status = this.status
    last.targetEnd = this.#targetEnd
    last.targetText = this.#targetText
    const bytes = this.#bytes
    this.#bytes = this.#lastBytes
    this.#lastBytes = bytes
    const view = this.#view
    this.#view = this.#lastView
    this.#lastView = view
    this.fault = undefined
    this.length = 0
    this.count = 0
    this.method = ''
    this.status = 0
    this.body = 'none'
    this.contentLength = -1
    this.close = false
    this.received = 0
    this.#stored = 0
    this.#chunk = empty
    this.#before = 0
    this.#state = this.#kind === 'request' ? METHOD : STATUS
    this.#pos = 0
    this.#mark = 0
    this.#targetEnd = 0
    this.#targetText = undefined
  }

  get complete(): boolean {
    return this.#state === COMPLETE && this.fault === undefined
  }

  /** Takes the next bytes. True when the head is complete or at fault; `rest` then gives what follows it. */
  read(chunk: Buffer): boolean {
    if (this.fault !== undefined || this.#state === COMPLETE) return true
    const before = this.received
    this.#chunk = chunk
    this.#before = before
    this.received = before + chunk.length
    for (let from = 0; from < chunk.length && this.#state !== COMPLETE; from += pieceBytes) {
      this.#store(chunk, from)
      if (before + from === 0) {
        if (this.#retrace()) {
          this.#state = COMPLETE
          this.fault = this.#settle()
          return true
        }
        this.#forget()
      }
      this.fault = this.#walk()
      if (this.fault !== undefined) return true
    }
    return this.#state === COMPLETE
  }

  /** What came after the head together with its last piece: a part of that piece, to be used or copied at once. */
  get rest(): Buffer {
    return this.length === this.received ? empty : this.#chunk.subarray(this.length - this.#before)
  }

  /** Takes over a piece of `chunk`, as far as a head may reach. */
  #store(chunk: Buffer, from: number): void {
    const stored = this.#stored
    const size = Math.min(stored + Math.min(chunk.length - from, pieceBytes), this.#limits.maxBytes)
    if (this.#bytes.length < size) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(1024, 2 * size), this.#limits.maxBytes))
      this.#bytes.copy(grown, 0, 0, stored)
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    chunk.copy(this.#bytes, stored, from, from + size - stored)
    this.#stored = size
  }

  /** The lines of the last head are of no use. */
  #forget(): void {
    this.#last.length = 0
    this.#targetText = undefined
    this.#first.fill(-1)
    this.#values.fill(undefined)
    this.#varyingCount = 0
    this.#hop = false
  }

  /**
   * Whether this head is the last one with another target and other values in the varying fields. Then the lines are
   * where they were, moved by what those differ in length. It may say no to any head, and the head is walked. It says
   * yes only when the walk would find the same lines: every byte outside of those places is the same, and in them
   * stands nothing that could end a line, or that the walk would trim.
   */
  #retrace(): boolean {
    const last = this.#last
    if (last.length === 0) return false
    const bytes = this.#view
    const before = this.#lastView
    const stored = this.#stored
    const at = this.#at
    let from = 0
    let shift = 0
    if (this.#kind === 'request') {
      const start = this.#targetStart
      const end = last.targetEnd
      if (end >= stored || !sameBytes(bytes, 0, before, 0, start)) return false
      if (sameBytes(bytes, start, before, start, end + 1 - start)) this.#targetText = last.targetText
      else {
        const other = endOfTarget(bytes, start, stored)
        if (other === stored || !originForm(this.#bytes, start, other)) return false
        shift = other - end
      }
      from = end
    }
    const targetShift = shift
    for (let k = 0; k < this.#varyingCount; k++) {
      const base = (this.#varying[k] as number) << 2
      const valueStart = at[base + 2] as number
      const start = valueStart + shift
      if (start >= stored || !sameBytes(bytes, from + shift, before, from, valueStart - from)) return false
      const end = endOfValue(bytes, start, stored)
      if (end === stored || blank(bytes.getUint8(start)) || blank(bytes.getUint8(end - 1))) return false
      this.#ends[k] = end
      from = at[base + 3] as number
      shift = end - from
    }
    // A varying value must be followed by what followed the last one, the CR first.
    const length = last.length + shift
    if (length > stored || !sameBytes(bytes, from + shift, before, from, last.length - from)) return false
    this.#targetEnd = last.targetEnd + targetShift
    this.#move(last.count, targetShift)
    this.length = length
    this.count = last.count
    this.method = last.method
    this.status = last.status
    return true
  }

  /** The lines of the last head where they stand in this one. */
  #move(count: number, targetShift: number): void {
    const at = this.#at
    const ids = this.#names.varying
    for (let i = 0; i < ids.length; i++) this.#values[ids[i] as number] = undefined
    let shift = targetShift
    let k = 0
    for (let index = 0; index < count; index++) {
      const base = index << 2
      at[base] = (at[base] as number) + shift
      at[base + 1] = (at[base + 1] as number) + shift
      at[base + 2] = (at[base + 2] as number) + shift
      if (k < this.#varyingCount && this.#varying[k] === index)
        shift = (this.#ends[k++] as number) - (at[base + 3] as number)
      at[base + 3] = (at[base + 3] as number) + shift
    }
  }

  #walk(): Fault | undefined {
    const bytes = this.#bytes
    const view = this.#view
    const { maxBytes, maxFields } = this.#limits
    const end = this.#stored
    let pos = this.#pos
    let state = this.#state
    let fault: Fault | undefined
    while (pos < end) {
      if (state === CONTENT) {
        pos = endOfValue(view, pos, end)
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
        pos = endOfTarget(view, pos, end)
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
    if (known.varying) this.#varying[this.#varyingCount++] = index
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
    if (this.#kind !== 'request' || this.#targetEnd <= this.#targetStart) return ''
    this.#targetText ??= this.#bytes.toString('latin1', this.#targetStart, this.#targetEnd)
    return this.#targetText
  }

  get reason(): string {
    return this.#kind === 'response' ? this.#bytes.toString('latin1', this.#targetStart, this.#targetEnd) : ''
  }

  /** Value of the first field with this id, without surrounding white space; undefined when absent. */
  value(id: number): string | undefined {
    const index = this.#first[id] as number
    if (index < 0) return undefined
    const there = this.#values[id]
    if (there !== undefined) return there
    const base = index << 2
    const value = this.#bytes.toString('latin1', this.#at[base + 2], this.#at[base + 3])
    this.#values[id] = value
    return value
  }

  /** A number made of the bytes of that value: for the same bytes the same, for others mostly another. 0 when absent. */
  fingerprint(id: number): number {
    const index = this.#first[id] as number
    if (index < 0) return 0
    const base = index << 2
    return fingerprintOf(this.#view, this.#at[base + 2] as number, this.#at[base + 3] as number)
  }

  /** Whether that value is there and has just these bytes. */
  is(id: number, bytes: Buffer): boolean {
    const index = this.#first[id] as number
    if (index < 0) return false
    const start = this.#at[(index << 2) + 2] as number
    const end = this.#at[(index << 2) + 3] as number
    return end - start === bytes.length && this.#bytes.compare(bytes, 0, bytes.length, start, end) === 0
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
  rebuild(before: string | Buffer, after: string | Buffer, body?: Buffer, into?: Buffer): Buffer {
    const { count } = this
    const drop = this.#drop
    const last = this.length - 2
    let size = before.length + after.length + 2
    for (let index = 0; index < count; index++) {
      if (drop[index] === 0) size += this.#lineEnd(index, last) - (this.#at[index << 2] as number)
    }
    const total = body === undefined ? size : size + body.length
    const out = into !== undefined && total <= into.length ? into.subarray(0, total) : Buffer.allocUnsafe(total)
    let to = put(out, before, 0)
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
    to += put(out, after, to)
    out[to] = 0x0d
    out[to + 1] = 0x0a
    if (body !== undefined) body.copy(out, to + 2)
    return out
  }

  #lineEnd(index: number, last: number): number {
    return index + 1 < this.count ? (this.#at[(index + 1) << 2] as number) : last
  }
}

/** Own lines, as text or, where they are the same every time, as bytes, which costs a quarter. */
function put(out: Buffer, lines: string | Buffer, at: number): number {
  if (typeof lines === 'string') return lines === '' ? 0 : out.write(lines, at, 'latin1')
  out.set(lines, at)
  return lines.length
}
