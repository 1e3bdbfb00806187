import type { FieldNames } from './fields.ts'
import { originForm } from './octets.ts'
import { endOfTarget, endOfValue, fingerprintOf, sameBytes } from './words.ts'

/** Bounds of one message head. */
export interface HeadLimits {
  readonly maxBytes: number
  readonly maxFields: number
}

export const defaultHeadLimits: HeadLimits = { maxBytes: 16_384, maxFields: 100 }

export const empty = Buffer.alloc(0)
const emptyView = new DataView(empty.buffer, 0, 0)

const blank = (c: number) => c === 0x20 || c === 0x09

/** So many bytes at a time are taken over and walked: a head fits, and a body behind it is not copied along. */
export const pieceBytes = 4096

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
 * The bytes of the head that is being read, where its lines lie, and the same of the head before it. Most heads of a
 * connection are the one before with another target, trace id or date. Such a head is compared with that one instead of
 * being walked (`retrace`): the lines that are the same byte for byte are read in the same way.
 */
export class HeadLines {
  protected readonly kind: 'request' | 'response'
  protected readonly names: FieldNames
  protected readonly limits: HeadLimits
  /** Four positions a field: name start, name end, value start, value end. */
  protected readonly at: Uint32Array
  protected readonly drop: Uint8Array
  /** Index of the first field with this id, or -1. */
  protected readonly first: Int16Array

  /** Length of the head in bytes, with its empty line, once complete. */
  length = 0
  /** How many header lines. */
  count = 0
  method = ''
  status = 0

  /** The head, as far as it is here, and the one before: two buffers of the reader's own that take turns. */
  protected bytes: Buffer = empty
  protected view = emptyView
  protected lastBytes: Buffer = empty
  protected lastView = emptyView
  protected readonly last: Start = { length: 0, count: 0, method: '', status: 0, targetEnd: 0, targetText: undefined }
  /** How many bytes of `bytes` are filled. */
  protected stored = 0
  /** Lines with fields whose values differ from one message to the next, in order, and where they end in a new head. */
  protected readonly varying: Int16Array
  protected readonly ends: Uint32Array
  protected varyingCount = 0
  /** Values that have been asked for, by id. */
  protected readonly values: (string | undefined)[]
  /** Of a request the target, of a response the reason, once it has been asked for. */
  protected targetText: string | undefined = undefined
  protected targetStart = 0
  protected targetEnd = 0

  constructor(kind: 'request' | 'response', names: FieldNames, limits: HeadLimits = defaultHeadLimits) {
    this.kind = kind
    this.names = names
    this.limits = limits
    this.at = new Uint32Array(4 * limits.maxFields)
    this.drop = new Uint8Array(limits.maxFields)
    this.first = new Int16Array(names.all.length).fill(-1)
    this.varying = new Int16Array(limits.maxFields)
    this.ends = new Uint32Array(limits.maxFields)
    this.values = names.all.map(() => undefined)
  }

  /** Takes over a piece of `chunk`, as far as a head may reach. */
  protected store(chunk: Buffer, from: number): void {
    const stored = this.stored
    const size = Math.min(stored + Math.min(chunk.length - from, pieceBytes), this.limits.maxBytes)
    if (this.bytes.length < size) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(1024, 2 * size), this.limits.maxBytes))
      this.bytes.copy(grown, 0, 0, stored)
      this.bytes = grown
      this.view = new DataView(grown.buffer)
    }
    chunk.copy(this.bytes, stored, from, from + size - stored)
    this.stored = size
  }

  /** The lines of the last head are of no use. */
  protected forgetLast(): void {
    this.last.length = 0
    this.targetText = undefined
    this.first.fill(-1)
    this.values.fill(undefined)
    this.varyingCount = 0
  }

  /**
   * Whether this head is the last one with another target and other values in the varying fields. Then the lines are
   * where they were, moved by what those differ in length. It may say no to any head, and the head is walked. It says
   * yes only when the walk would find the same lines: every byte outside of those places is the same, and in them
   * stands nothing that could end a line, or that the walk would trim.
   */
  protected retrace(): boolean {
    const last = this.last
    if (last.length === 0) return false
    const bytes = this.view
    const before = this.lastView
    const stored = this.stored
    const at = this.at
    let from = 0
    let shift = 0
    if (this.kind === 'request') {
      const start = this.targetStart
      const end = last.targetEnd
      if (end >= stored || !sameBytes(bytes, 0, before, 0, start)) return false
      if (sameBytes(bytes, start, before, start, end + 1 - start)) this.targetText = last.targetText
      else {
        const other = endOfTarget(bytes, start, stored)
        if (other === stored || !originForm(this.bytes, start, other)) return false
        shift = other - end
      }
      from = end
    } else this.targetText = last.targetText
    const targetShift = shift
    for (let k = 0; k < this.varyingCount; k++) {
      const base = (this.varying[k] as number) << 2
      const valueStart = at[base + 2] as number
      const start = valueStart + shift
      if (start >= stored || !sameBytes(bytes, from + shift, before, from, valueStart - from)) return false
      const end = endOfValue(bytes, start, stored)
      if (end === stored || blank(bytes.getUint8(start)) || blank(bytes.getUint8(end - 1))) return false
      this.ends[k] = end
      from = at[base + 3] as number
      shift = end - from
    }
    // A varying value must be followed by what followed the last one, the CR first.
    const length = last.length + shift
    if (length > stored || !sameBytes(bytes, from + shift, before, from, last.length - from)) return false
    this.targetEnd = last.targetEnd + targetShift
    this.move(last.count, targetShift)
    this.length = length
    this.count = last.count
    this.method = last.method
    this.status = last.status
    return true
  }

  /** The lines of the last head where they stand in this one. */
  protected move(count: number, targetShift: number): void {
    const at = this.at
    const ids = this.names.varying
    for (let i = 0; i < ids.length; i++) this.values[ids[i] as number] = undefined
    let shift = targetShift
    let k = 0
    for (let index = 0; index < count; index++) {
      const base = index << 2
      at[base] = (at[base] as number) + shift
      at[base + 1] = (at[base + 1] as number) + shift
      at[base + 2] = (at[base + 2] as number) + shift
      if (k < this.varyingCount && this.varying[k] === index)
        shift = (this.ends[k++] as number) - (at[base + 3] as number)
      at[base + 3] = (at[base + 3] as number) + shift
    }
  }

  /** The request target, byte for byte. */
  get target(): string {
    if (this.kind !== 'request' || this.targetEnd <= this.targetStart) return ''
    this.targetText ??= this.bytes.toString('latin1', this.targetStart, this.targetEnd)
    return this.targetText
  }

  get reason(): string {
    if (this.kind === 'request') return ''
    this.targetText ??= this.bytes.toString('latin1', this.targetStart, this.targetEnd)
    return this.targetText
  }

  /** Value of the first field with this id, without surrounding white space; undefined when absent. */
  value(id: number): string | undefined {
    const index = this.first[id] as number
    if (index < 0) return undefined
    const there = this.values[id]
    if (there !== undefined) return there
    const base = index << 2
    const value = this.bytes.toString('latin1', this.at[base + 2], this.at[base + 3])
    this.values[id] = value
    return value
  }

  /** A number made of the bytes of that value: for the same bytes the same, for others mostly another. 0 when absent. */
  fingerprint(id: number): number {
    const index = this.first[id] as number
    if (index < 0) return 0
    const base = index << 2
    return fingerprintOf(this.view, this.at[base + 2] as number, this.at[base + 3] as number)
  }

  /** Whether that value is there and its bytes are those of `bytes` from `start` to `end`. */
  is(id: number, bytes: Buffer, start: number, end: number): boolean {
    const index = this.first[id] as number
    if (index < 0) return false
    const from = this.at[(index << 2) + 2] as number
    const to = this.at[(index << 2) + 3] as number
    return to - from === end - start && this.bytes.compare(bytes, start, end, from, to) === 0
  }

  has(id: number): boolean {
    return (this.first[id] as number) >= 0
  }

  /** Every field in order, names as written. For tests and rare needs; allocates. */
  fields(): [name: string, value: string][] {
    return Array.from({ length: this.count }, (_, index) => {
      const [a, b, c, d] = this.at.subarray(index << 2, (index << 2) + 4)
      return [this.bytes.toString('latin1', a, b), this.bytes.toString('latin1', c, d)]
    })
  }

  /**
   * A new head for the next hop, in one piece with the body bytes at hand: `before` (start line and own
   * fields, each with CR LF), the kept lines byte for byte, `after` (own fields), the empty line, `body`.
   * Left out: Host, framing, Connection and what it names, and every field of the single hop. `into` is a buffer to
   * write it into, where it fits; the answer is then a part of that.
   */
  rebuild(before: string | Buffer, after: string | Buffer, body?: Buffer, into?: Buffer): Buffer {
    const { count } = this
    const drop = this.drop
    const last = this.length - 2
    let size = before.length + after.length + 2
    for (let index = 0; index < count; index++) {
      if (drop[index] === 0) size += this.lineEnd(index, last) - (this.at[index << 2] as number)
    }
    const total = body === undefined ? size : size + body.length
    const out = into !== undefined && total <= into.length ? into.subarray(0, total) : Buffer.allocUnsafe(total)
    let to = put(out, before, 0)
    for (let index = 0; index < count; ) {
      if (drop[index] !== 0) {
        index++
        continue
      }
      const from = this.at[index << 2] as number
      while (index + 1 < count && drop[index + 1] === 0) index++
      to += this.bytes.copy(out, to, from, this.lineEnd(index, last))
      index++
    }
    to += put(out, after, to)
    out[to] = 0x0d
    out[to + 1] = 0x0a
    if (body !== undefined) body.copy(out, to + 2)
    return out
  }

  protected lineEnd(index: number, last: number): number {
    return index + 1 < this.count ? (this.at[(index + 1) << 2] as number) : last
  }
}

/** Own lines, as text or, where they are the same every time, as bytes, which costs a quarter. */
function put(out: Buffer, lines: string | Buffer, at: number): number {
  if (typeof lines === 'string') return lines === '' ? 0 : out.write(lines, at, 'latin1')
  out.set(lines, at)
  return lines.length
}
