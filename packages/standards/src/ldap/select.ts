import { BerReader, lengthSize, octetString, tags, tlv, writeHeader } from './ber.ts'
import { elementEnd } from './entry.ts'
import { responseTags } from './message.ts'
import type { AttributeType, ObjectClass, Schema } from './schema.ts'
import type { TreeEntry } from './tree.ts'

/** Which attributes a search wants (RFC 4511 §4.5.1.8, RFC 3673, RFC 4529). */
export interface Selection {
  readonly allUser: boolean
  /** By attribute id: 1 when wanted by name. */
  readonly wanted: Uint8Array
  /** Operational attributes wanted, in the order of the schema. */
  readonly operational: readonly AttributeType[]
}

/** Resolves an attribute list. Unknown names and names with options are ignored. */
export function select(schema: Schema, list: readonly string[]): Selection {
  const wanted = new Uint8Array(schema.attributes.length)
  let allUser = list.length === 0
  let allOperational = false
  const want = (attribute: AttributeType) => {
    for (const type of schema.subtypes(attribute)) wanted[type.id] = 1
  }
  for (const name of list) {
    if (name === '*') allUser = true
    else if (name === '+') allOperational = true
    else if (name.startsWith('@')) {
      const objectClass: ObjectClass | undefined = schema.objectClass(name.slice(1))
      // Allows every user attribute (RFC 4512 §4.3).
      if (objectClass?.name === 'extensibleObject') allUser = true
      for (const each of objectClass === undefined ? [] : schema.lineage(objectClass)) {
        for (const attribute of [...each.must, ...each.may]) want(attribute)
      }
    } else {
      const attribute = schema.attribute(name)
      if (attribute !== undefined) want(attribute)
    }
  }
  const operational = schema.attributes.filter(
    ({ usage, id }) => usage !== 'userApplications' && (allOperational || wanted[id] === 1),
  )
  return { allUser, wanted, operational }
}

/** A growing buffer that responses are written into, one after another; one serves all sessions of an engine. */
export class Sink {
  #bytes = Buffer.allocUnsafeSlow(1 << 16)
  length = 0

  /** Makes room for `size` more bytes and answers the buffer; the caller writes at `length` and moves it. */
  reserve(size: number): Buffer {
    if (this.length + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + size))
      this.#bytes.copy(larger, 0, 0, this.length)
      this.#bytes = larger
    }
    return this.#bytes
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length)
    this.length += bytes.length
  }

  /** A copy of everything written, and room for the next. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.length))
    this.length = 0
    // One giant answer must not keep its buffer for ever.
    if (this.#bytes.length > 1 << 20) this.#bytes = Buffer.allocUnsafeSlow(1 << 16)
    return taken
  }
}

function idSize(id: number): number {
  return id < 0x80 ? 1 : id < 0x8000 ? 2 : id < 0x800000 ? 3 : 4
}

function writeId(into: Buffer, at: number, id: number): number {
  const size = idSize(id)
  into[at++] = tags.integer
  into[at++] = size
  for (let shift = (size - 1) * 8; shift >= 0; shift -= 8) into[at++] = (id >>> shift) & 0xff
  return at
}

const noExtra: readonly Buffer[] = []
/** Start and end of every stretch to copy, reused by each call. */
const stretches: number[] = []

/** Writes a `SearchResultEntry` message with the wanted attributes of an entry, copying their bytes as they are. */
export function writeEntry(
  sink: Sink,
  id: number,
  entry: TreeEntry,
  selection: Selection,
  typesOnly: boolean,
  operational: (attribute: AttributeType) => readonly string[],
): void {
  const { bytes, start, attributesAt, end: entryEnd, shape } = entry
  let extra: Buffer[] | undefined
  let size = 0
  stretches.length = 0
  if (typesOnly) {
    extra = []
    let at = attributesAt
    for (const type of shape) {
      const end = elementEnd(bytes, at)
      if (selection.allUser || selection.wanted[type] === 1) extra.push(typeAlone(bytes, at, end))
      at = end
    }
  } else if (selection.allUser) {
    stretches.push(attributesAt, entryEnd)
    size = entryEnd - attributesAt
  } else {
    let at = attributesAt
    for (let i = 0; i < shape.length; i++) {
      const end = elementEnd(bytes, at)
      if (selection.wanted[shape[i] as number] === 1) {
        const last = stretches.length - 1
        if (stretches[last] === at) stretches[last] = end
        else stretches.push(at, end)
        size += end - at
      }
      at = end
    }
  }
  for (const attribute of selection.operational) {
    const values = operational(attribute)
    if (values.length === 0) continue
    extra ??= []
    extra.push(
      tlv(
        tags.sequence,
        octetString(attribute.name),
        tlv(tags.set, ...(typesOnly ? [] : values.map((value) => octetString(value)))),
      ),
    )
  }
  const others = extra ?? noExtra
  for (let i = 0; i < others.length; i++) size += (others[i] as Buffer).length

  const nameSize = attributesAt - start
  const body = nameSize + 1 + lengthSize(size) + size
  const message = 2 + idSize(id) + 1 + lengthSize(body) + body
  const total = 1 + lengthSize(message) + message
  const into = sink.reserve(total)
  let at = writeHeader(into, sink.length, tags.sequence, message)
  at = writeId(into, at, id)
  at = writeHeader(into, at, responseTags.entry, body)
  at += bytes.copy(into, at, start, attributesAt)
  at = writeHeader(into, at, tags.sequence, size)
  for (let i = 0; i < stretches.length; i += 2) {
    at += bytes.copy(into, at, stretches[i] as number, stretches[i + 1] as number)
  }
  for (let i = 0; i < others.length; i++) at += (others[i] as Buffer).copy(into, at)
  sink.length = at
}

/** The attribute at `at` without its values. */
function typeAlone(encoded: Buffer, at: number, end: number): Buffer {
  const reader = new BerReader(encoded, at, end)
  reader.enter(tags.sequence)
  return tlv(tags.sequence, octetString(reader.octets()), tlv(tags.set))
}

/** Writes a final response that carries nothing but its code: the common end of a search. */
export function writeCode(sink: Sink, id: number, tag: number, code: number): void {
  const message = 2 + idSize(id) + 9
  const into = sink.reserve(2 + message)
  let at = writeHeader(into, sink.length, tags.sequence, message)
  at = writeId(into, at, id)
  at = writeHeader(into, at, tag, 7)
  into[at++] = tags.enumerated
  into[at++] = 1
  into[at++] = code
  into[at++] = tags.octetString
  into[at++] = 0
  into[at++] = tags.octetString
  into[at++] = 0
  sink.length = at
}
