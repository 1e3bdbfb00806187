import { lengthSize, tags, writeHeader } from './ber.ts'
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

/** Gives out stretches of large blocks, so that 100 000 entries are not 100 000 allocations. */
export class Slab {
  readonly #blockSize: number
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(blockSize = 1 << 20) {
    this.#blockSize = blockSize
  }

  take(size: number): Buffer {
    if (size > this.#blockSize / 8) return Buffer.allocUnsafeSlow(size)
    if (this.#at + size > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(this.#blockSize)
      this.#at = 0
    }
    this.#at += size
    return this.#block.subarray(this.#at - size, this.#at)
  }
}

/** A block of its own for each: for entries that may soon be replaced, so that none keeps a large block alive. */
export const alone: Pick<Slab, 'take'> = { take: (size) => Buffer.allocUnsafeSlow(size) }

/** Shares equal texts and shapes between entries. Lives as long as the trees that were made with it. */
export class Sharing {
  readonly #shapes = new Map<string, readonly number[]>()
  readonly #texts = new Map<string, string>()
  readonly #classKeys = new Map<string, readonly string[]>()

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
    const key = ids.join()
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    this.#shapes.set(key, ids)
    return ids
  }

  text(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size < 10_000) this.#texts.set(text, text)
    return text
  }
}

const nothing: readonly string[] = []

/** An entry whose user attributes are held as the bytes of a response and nothing else. */
export class EncodedEntry implements TreeEntry {
  readonly dn: string
  readonly key: string
  readonly order: number
  readonly encoded: Buffer
  readonly attributesAt: number
  readonly shape: readonly number[]
  readonly provenance: Provenance
  readonly parentKey: string | undefined

  constructor(
    name: { readonly dn: string; readonly key: string; readonly parentKey: string | undefined },
    order: number,
    content: { readonly encoded: Buffer; readonly attributesAt: number; readonly shape: readonly number[] },
    provenance: Provenance,
  ) {
    this.dn = name.dn
    this.key = name.key
    this.parentKey = name.parentKey
    this.order = order
    this.encoded = content.encoded
    this.attributesAt = content.attributesAt
    this.shape = content.shape
    this.provenance = provenance
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
    const { encoded } = this
    let at = this.attributesAt
    for (let i = 0; i < place; i++) at = elementEnd(encoded, at)
    const list = contentStart(encoded, elementEnd(encoded, contentStart(encoded, at)))
    const end = elementEnd(encoded, at)
    const values: string[] = []
    for (let value = list; value < end; value = elementEnd(encoded, value)) {
      values.push(encoded.toString('utf8', contentStart(encoded, value), elementEnd(encoded, value)))
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
export interface EncodedContent {
  readonly encoded: Buffer
  readonly attributesAt: number
  readonly shape: readonly number[]
  readonly kept: readonly { readonly type: AttributeType; readonly values: readonly string[] }[]
}

/**
 * Encodes name and attributes as a response carries them. Attributes that the schema does not know, that are
 * secret, operational or without values are left out; spellings become canonical, order stays.
 */
export function encodeEntry(
  schema: Schema,
  dn: string,
  attributes: Attributes,
  memory: { readonly slab: Pick<Slab, 'take'>; readonly sharing: Sharing },
): EncodedContent {
  const ids: number[] = []
  const kept: {
    readonly type: AttributeType
    readonly values: readonly string[]
    readonly sizes: number[]
    set: number
  }[] = []
  const dnSize = Buffer.byteLength(dn)
  let total = element(dnSize)
  for (const name in attributes) {
    const values = attributes[name] as readonly string[]
    const type = schema.attribute(name)
    if (type === undefined || type.secret || type.usage !== 'userApplications' || values.length === 0) continue
    const sizes: number[] = []
    let set = 0
    for (const value of values) {
      const size = Buffer.byteLength(value)
      sizes.push(size)
      set += element(size)
    }
    kept.push({ type, values, sizes, set })
    ids.push(type.id)
    total += element(element(type.name.length) + element(set))
  }
  const encoded = memory.slab.take(total)
  let at = writeHeader(encoded, 0, tags.octetString, dnSize)
  at += encoded.write(dn, at, 'utf8')
  const attributesAt = at
  for (const { type, values, sizes, set } of kept) {
    at = writeHeader(encoded, at, tags.sequence, element(type.name.length) + element(set))
    at = writeHeader(encoded, at, tags.octetString, type.name.length)
    at += encoded.write(type.name, at, 'latin1')
    at = writeHeader(encoded, at, tags.set, set)
    for (let i = 0; i < values.length; i++) {
      at = writeHeader(encoded, at, tags.octetString, sizes[i] as number)
      at += encoded.write(values[i] as string, at, 'utf8')
    }
  }
  return { encoded, attributesAt, shape: memory.sharing.shape(ids), kept }
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
