import type { BodyKind } from './body.ts'
import { type Fault, faults } from './faults.ts'
import { CONNECTION, CONTENT_LENGTH, type FieldNames, HOST, isNamed, TRANSFER_ENCODING } from './fields.ts'
import { defaultHeadLimits, empty, type HeadLimits, HeadLines, pieceBytes } from './lines.ts'
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
import { endOfTarget, endOfValue } from './words.ts'

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

/**
 * Reads message heads of one side of one connection: positions into the bytes, no object per field.
 * Strict (RFC 9112 with every leniency refused), incremental, and the same for every way in which the
 * bytes may be cut. Everything it answers but `rest` is valid until the next `begin`: it keeps a copy of the head.
 *
 * @example
 * const head = new HeadReader('request', names)
 * if (head.read(chunk) && head.fault === undefined) use(head.method, head.target, head.rest)
 */
export class HeadReader extends HeadLines {
  fault: Fault | undefined = undefined
  /** How the body that follows ends. For a response call `responseBody` instead. */
  body: BodyKind = 'none'
  contentLength = -1
  /** `Connection: close` was asked for. */
  close = false
  /** Bytes read so far; nothing has arrived yet when 0. */
  received = 0

  /** What was read last, and how many bytes came before it. */
  #chunk: Buffer = empty
  #before = 0
  #state: number
  #pos = 0
  #mark = 0
  #nameEnd = 0
  #valueStart = 0
  #hop = false

  constructor(kind: 'request' | 'response', names: FieldNames, limits: HeadLimits = defaultHeadLimits) {
    super(kind, names, limits)
    this.#state = kind === 'request' ? METHOD : STATUS
  }

  /** Lets go of the last head and waits for the next. */
  begin(): void {
    const last = this.last
    last.length = this.complete && this.length <= pieceBytes ? this.length : 0
    last.count = this.count
    last.method = this.method
    last.status = this.status
    last.targetEnd = this.targetEnd
    last.targetText = this.targetText
    const bytes = this.bytes
    this.bytes = this.lastBytes
    this.lastBytes = bytes
    const view = this.view
    this.view = this.lastView
    this.lastView = view
    this.fault = undefined
    this.length = 0
    this.count = 0
    this.method = ''
    this.status = 0
    this.body = 'none'
    this.contentLength = -1
    this.close = false
    this.received = 0
    this.stored = 0
    this.#chunk = empty
    this.#before = 0
    this.#state = this.kind === 'request' ? METHOD : STATUS
    this.#pos = 0
    this.#mark = 0
    this.targetEnd = 0
    this.targetText = undefined
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
      this.store(chunk, from)
      if (before + from === 0) {
        if (this.retrace()) {
          this.#state = COMPLETE
          this.fault = this.#settle()
          return true
        }
        this.forgetLast()
        this.#hop = false
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

  #walk(): Fault | undefined {
    const bytes = this.bytes
    const view = this.view
    const { maxBytes, maxFields } = this.limits
    const end = this.stored
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
        this.targetStart = pos
        state = PATH
      } else if (state === PATH) {
        pos = endOfTarget(view, pos, end)
        if (pos === end) break
        if (bytes[pos] !== 0x20 || !originForm(bytes, this.targetStart, pos)) {
          fault = faults.HTTP1_TARGET
          break
        }
        this.targetEnd = pos
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
          this.targetStart = 13
          this.targetEnd = 13
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
        this.targetEnd = pos
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
    const at = this.at
    const base = index << 2
    const start = this.#mark
    at[base] = start
    at[base + 1] = this.#nameEnd
    at[base + 2] = valueStart
    at[base + 3] = valueEnd
    const known = this.names.at(bytes, start, this.#nameEnd)
    if (known === undefined) {
      this.drop[index] = startsWithProxy(bytes, start, this.#nameEnd) ? 1 : 0
      return undefined
    }
    this.drop[index] = known.perHop ? 1 : 0
    if ((this.first[known.id] as number) < 0) this.first[known.id] = index
    else if (known.single) return duplicate(known)
    if (known.varying) this.varying[this.varyingCount++] = index
    if (known.id === CONNECTION) this.#hop = true
    return undefined
  }

  /** All lines are there: decide framing, and what `Connection` removes. */
  #settle(): Fault | undefined {
    const bytes = this.bytes
    const at = this.at
    if (this.kind === 'request' && (this.first[HOST] as number) < 0) return faults.HTTP1_HOST
    const length = this.first[CONTENT_LENGTH] as number
    const encoding = this.first[TRANSFER_ENCODING] as number
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
    const end = this.lineEnd(index, this.length - 2)
    for (let i = (this.at[base + 1] as number) + 1; i < end; i++) if (this.bytes[i] === 0x09) return true
    return false
  }

  #connection(): Fault | undefined {
    for (let index = 0; index < this.count; index++) {
      const base = index << 2
      const at = this.at
      if (!isNamed(this.bytes, at[base] as number, at[base + 1] as number, 'connection')) continue
      const start = at[base + 2] as number
      const end = at[base + 3] as number
      if (isNamed(this.bytes, start, end, 'keep-alive')) continue
      for (const option of this.bytes.toString('latin1', start, end).toLowerCase().split(',')) {
        const name = option.replace(/^[ \t]+|[ \t]+$/g, '')
        if (name === '') continue
        if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return faults.HTTP1_CONNECTION
        if (name === 'close') this.close = true
        else if (this.names.named(name)?.single === true) return faults.HTTP1_CONNECTION
        else this.#remove(name)
      }
    }
    return undefined
  }

  #remove(name: string): void {
    for (let index = 0; index < this.count; index++) {
      const base = index << 2
      if (isNamed(this.bytes, this.at[base] as number, this.at[base + 1] as number, name)) this.drop[index] = 1
    }
  }

  /** How the body of this response to `method` ends (RFC 9112 §6.3). */
  responseBody(method: string): BodyKind {
    const { status } = this
    if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 'none'
    if (this.body === 'none') return this.contentLength === 0 ? 'none' : 'close'
    return this.body
  }
}
