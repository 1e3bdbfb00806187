import { lengthSize, octetString, tags, writeHeader } from './ber.ts'
import { type DistinguishedName, type NameRules, type NormalisedName, normaliseDn } from './dn.ts'
import type { AttributeType, Schema } from './schema.ts'
import type { TreeEntry } from './tree.ts'

/** Attribute name in any spelling → values in stored order. */
export type Attributes = Readonly<Record<string, readonly string[]>>

/** What the directory itself knows about an entry (RFC 4512 §3.4, RFC 4530). */
export interface Provenance {
  readonly uuid: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly modifiedAt: number
  /** Distinguished names. */
  readonly creator: string
  readonly modifier: string
}

/** Where something is held: from `start` in `bytes`, which others share. */
export interface Stretch {
  readonly bytes: Buffer
  readonly start: number
}

/** Gives out stretches of large blocks, so that 100 000 entries are not 100 000 allocations. */
export class Slab {
  readonly #blockSize: number
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(blockSize = 1 << 20) {
    this.#blockSize = blockSize
  }

  take(size: number): Stretch {
    if (size > this.#blockSize / 8) return alone.take(size)
    if (this.#at + size > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(this.#blockSize)
      this.#at = 0
    }
    const start = this.#at
    this.#at += size
    return { bytes: this.#block, start }
  }
}

/** A block of its own for each: for entries that may soon be replaced, so that none keeps a large block alive. */
export const alone: Pick<Slab, 'take'> = { take: (size) => ({ bytes: Buffer.allocUnsafeSlow(size), start: 0 }) }

/** Who made an entry, and who changed it last. */
type Actors = Pick<Provenance, 'creator' | 'modifier'>

/** Shares equal texts, shapes and actors between entries. Lives as long as the trees that were made with it. */
export class Sharing {
  readonly #shapes = new Map<number, (readonly number[])[]>()
  readonly #texts = new Map<string, string>()
  readonly #classKeys = new Map<string, readonly string[]>()
  readonly #actors = new Map<string, Actors>()
  readonly #names: (Buffer | undefined)[] = []

  /** Remembers what was worked out for a list of object classes. */
  classKeys(values: readonly string[], work: () => readonly string[]): readonly string[] {
    const key = values.join()
    let keys = this.#classKeys.get(key)
    if (keys === undefined) {
      keys = work()
      if (this.#classKeys.size < 10_000) this.#classKeys.set(key, keys)
    }
    return keys
  }

  shape(ids: readonly number[]): readonly number[] {
    let hash = ids.length
    for (let i = 0; i < ids.length; i++) hash = (Math.imul(hash, 31) + (ids[i] as number)) | 0
    const alike = this.#shapes.get(hash)
    const known = alike?.find((shape) => sameNumbers(shape, ids))
    if (known !== undefined) return known
    if (alike === undefined) this.#shapes.set(hash, [ids])
    else alike.push(ids)
    return ids
  }

  text(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size < 10_000) this.#texts.set(text, text)
    return text
  }

  actors({ creator, modifier }: Provenance): Actors {
    const key = `${creator}\n${modifier}`
    let actors = this.#actors.get(key)
    if (actors === undefined) {
      actors = { creator, modifier }
      if (this.#actors.size < 10_000) this.#actors.set(key, actors)
    }
    return actors
  }

  /** The name of a type as the element that stands before its values. */
  nameOf(type: AttributeType): Buffer {
    let name = this.#names[type.id]
    if (name === undefined) {
      name = octetString(type.name)
      this.#names[type.id] = name
    }
    return name
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const nothing: readonly string[] = []

/** UUID and two times stand behind the attributes of an entry: they cost no object until somebody asks. */
const provenanceSize = 32

/** An entry whose user attributes are held as the bytes of a response and nothing else. */
export class EncodedEntry implements TreeEntry {
  readonly key: string
  readonly order: number
  readonly bytes: Buffer
  readonly start: number
  readonly attributesAt: number
  readonly end: number
  readonly shape: readonly number[]
  readonly parentKey: string | undefined
  readonly #actors: Actors

  /** `content` was encoded with this provenance. */
  constructor(
    name: { readonly key: string; readonly parentKey: string | undefined },
    order: number,
    content: EncodedContent,
    actors: Actors,
  ) {
    this.key = name.key
    this.parentKey = name.parentKey
    this.order = order
    this.bytes = content.bytes
    this.start = content.start
    this.attributesAt = content.attributesAt
    this.end = content.end
    this.shape = content.shape
    this.#actors = actors
  }

  get dn(): string {
    return this.bytes.toString('utf8', contentStart(this.bytes, this.start), this.attributesAt)
  }

  /** Name and user attributes. */
  get encoded(): Buffer {
    return this.bytes.subarray(this.start, this.end)
  }

  get provenance(): Provenance {
    const { bytes, end } = this
    const hex = bytes.toString('hex', end, end + 16)
    return {
      uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
      createdAt: bytes.readDoubleBE(end + 16),
      modifiedAt: bytes.readDoubleBE(end + 24),
      ...this.#actors,
    }
  }

  /** Every attribute in stored order. */
  content(schema: Schema): { readonly type: AttributeType; readonly values: readonly string[] }[] {
    const types = this.shape.flatMap((id) => schema.attributes[id] ?? [])
    return types.map((type) => ({ type, values: this.values(type) }))
  }

  /** Every attribute in stored order, by canonical name. */
  attributes(schema: Schema): Attributes {
    return Object.fromEntries(this.content(schema).map(({ type, values }) => [type.name, values]))
  }

  values(attribute: AttributeType): readonly string[] {
    const place = this.shape.indexOf(attribute.id)
    if (place < 0) return nothing
    const { bytes } = this
    let at = this.attributesAt
    for (let i = 0; i < place; i++) at = elementEnd(bytes, at)
    const list = contentStart(bytes, elementEnd(bytes, contentStart(bytes, at)))
    const end = elementEnd(bytes, at)
    const values: string[] = []
    for (let value = list; value < end; value = elementEnd(bytes, value)) {
      values.push(bytes.toString('utf8', contentStart(bytes, value), elementEnd(bytes, value)))
    }
    return values
  }
}

// These two walk only bytes that `encodeEntry` wrote: minimal lengths below 2^32, always complete.

/** Where the content of the element at `at` begins. */
export function contentStart(bytes: Buffer, at: number): number {
  const first = bytes[at + 1] as number
  return first < 0x80 ? at + 2 : at + 2 + (first & 0x7f)
}

/** Where the element at `at` ends. */
export function elementEnd(bytes: Buffer, at: number): number {
  const first = bytes[at + 1] as number
  if (first < 0x80) return at + 2 + first
  if (first === 0x81) return at + 3 + (bytes[at + 2] as number)
  if (first === 0x82) return at + 4 + (bytes[at + 2] as number) * 0x100 + (bytes[at + 3] as number)
  let length = 0
  const count = first & 0x7f
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[at + 2 + i] as number)
  return at + 2 + count + length
}

function element(length: number): number {
  return 1 + lengthSize(length) + length
}

/** What `encodeEntry` made, and the values that it kept, by type. */
export interface EncodedContent extends Stretch {
  readonly attributesAt: number
  readonly end: number
  readonly shape: readonly number[]
  readonly kept: readonly { readonly type: AttributeType; readonly values: readonly string[] }[]
}

/** Texts up to this length are measured and written here: a call into the engine costs more than their characters. */
const shortText = 64

function byteLength(text: string): number {
  if (text.length > shortText) return Buffer.byteLength(text)
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

/** `size`: its length in bytes. Answers the position after it. */
function writeText(into: Buffer, at: number, text: string, size: number): number {
  // As many bytes as characters: ASCII.
  if (size !== text.length) into.write(text, at, 'utf8')
  else if (size > shortText) into.write(text, at, 'latin1')
  else for (let i = 0; i < size; i++) into[at + i] = text.charCodeAt(i)
  return at + size
}

/**
 * Encodes name and attributes as a response carries them. Attributes that the schema does not know, that are
 * secret, operational or without values are left out; spellings become canonical, order stays. What is known of the
 * entry's origin stands behind `end`, where it is given; its `uuid` in the canonical form of RFC 9562.
 */
export function encodeEntry(
  schema: Schema,
  dn: string,
  attributes: Attributes,
  memory: { readonly slab: Pick<Slab, 'take'>; readonly sharing: Sharing },
  provenance?: Provenance,
): EncodedContent {
  const { sharing } = memory
  const ids: number[] = []
  const kept: { readonly type: AttributeType; readonly values: readonly string[]; set: number }[] = []
  const sizes: number[] = []
  const dnSize = byteLength(dn)
  let total = element(dnSize)
  for (const name in attributes) {
    const values = attributes[name] as readonly string[]
    const type = schema.attribute(name)
    if (type === undefined || type.secret || type.usage !== 'userApplications' || values.length === 0) continue
    let set = 0
    for (let i = 0; i < values.length; i++) {
      const size = byteLength(values[i] as string)
      sizes.push(size)
      set += element(size)
    }
    kept.push({ type, values, set })
    ids.push(type.id)
    total += element(sharing.nameOf(type).length + element(set))
  }
  const { bytes, start } = memory.slab.take(total + (provenance === undefined ? 0 : provenanceSize))
  let at = writeHeader(bytes, start, tags.octetString, dnSize)
  at = writeText(bytes, at, dn, dnSize)
  const attributesAt = at
  let next = 0
  for (const { type, values, set } of kept) {
    const name = sharing.nameOf(type)
    at = writeHeader(bytes, at, tags.sequence, name.length + element(set))
    for (let i = 0; i < name.length; i++) bytes[at++] = name[i] as number
    at = writeHeader(bytes, at, tags.set, set)
    for (let i = 0; i < values.length; i++) {
      const size = sizes[next++] as number
      at = writeHeader(bytes, at, tags.octetString, size)
      at = writeText(bytes, at, values[i] as string, size)
    }
  }
  if (provenance !== undefined) writeProvenance(bytes, at, provenance)
  return { bytes, start, attributesAt, end: at, shape: sharing.shape(ids), kept }
}

function writeProvenance(bytes: Buffer, at: number, { uuid, createdAt, modifiedAt }: Provenance): void {
  if (bytes.write(uuid.replaceAll('-', ''), at, 16, 'hex') !== 16) throw new Error('not a UUID')
  bytes.writeDoubleBE(createdAt, at + 16)
  bytes.writeDoubleBE(modifiedAt, at + 24)
}

/** The rules by which names of this schema compare. Values compare without case where no rule is declared. */
export function nameRules(schema: Schema): NameRules {
  return (type) => {
    const attribute = schema.attribute(type)
    if (attribute === undefined) return undefined
    const rule = schema.equality(attribute, 'caseIgnoreMatch')
    return rule === undefined
      ? undefined
      : { name: attribute.name.toLowerCase(), normalise: (value) => rule.normalise(value) }
  }
}

/** The comparable form of a name under this schema. */
export function nameKey(schema: Schema, name: string | DistinguishedName): NormalisedName | undefined {
  return normaliseDn(name, nameRules(schema))
}

/** `YYYYMMDDhhmmssZ`. */
export function generalizedTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
}
