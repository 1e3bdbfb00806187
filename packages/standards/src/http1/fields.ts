/** A field that the reader recognises while it walks over a head. */
export interface KnownField {
  readonly id: number
  /** Lower case. */
  readonly name: string
  /** Must not stand twice, and `Connection` must not name it: what was checked is what the next reader sees. */
  readonly single: boolean
  /** Never copied into a rebuilt head: belongs to one connection, or is written anew. */
  readonly perHop: boolean
  /** Its value differs from one message of a connection to the next, while the lines around it stay. */
  readonly varying: boolean
}

const framing: readonly { name: string; single: boolean; perHop: boolean }[] = [
  { name: 'host', single: true, perHop: true },
  { name: 'content-length', single: true, perHop: true },
  { name: 'transfer-encoding', single: true, perHop: true },
  { name: 'connection', single: false, perHop: true },
  { name: 'keep-alive', single: false, perHop: true },
  { name: 'te', single: false, perHop: true },
  { name: 'trailer', single: false, perHop: true },
  { name: 'upgrade', single: false, perHop: true },
]

export const HOST = 0
export const CONTENT_LENGTH = 1
export const TRANSFER_ENCODING = 2
export const CONNECTION = 3

/**
 * The names that a reader recognises: those of framing and of the single hop, and whichever its user
 * wants to read by `id`; `varying` names those of them whose values change from message to message, for speed alone.
 * Made once, shared by every connection.
 *
 * @example
 * const names = fieldNames({ single: ['authorization'], wanted: ['accept'] })
 * const accept = names.id('accept')
 */
export function fieldNames(
  own: {
    readonly single?: readonly string[]
    readonly wanted?: readonly string[]
    readonly varying?: readonly string[]
  } = {},
) {
  const varying = new Set(['content-length', ...(own.varying ?? [])])
  const all: KnownField[] = [
    ...framing,
    ...(own.single ?? []).map((name) => ({ name: name.toLowerCase(), single: true, perHop: false })),
    ...(own.wanted ?? []).map((name) => ({ name: name.toLowerCase(), single: false, perHop: false })),
  ].map((field, id) => ({ id, ...field, varying: varying.has(field.name) }))
  return new FieldNames(all)
}

interface Candidate extends KnownField {
  readonly bytes: Uint8Array
}

/** Length and first letter choose at most a handful of candidates, so an unknown name costs one look-up. */
const slot = (length: number, first: number) => (length << 5) | (first & 31)

export class FieldNames {
  readonly all: readonly KnownField[]
  /** Ids of the varying ones. */
  readonly varying: readonly number[]
  readonly #byName = new Map<string, KnownField>()
  readonly #slots: (readonly Candidate[] | undefined)[]
  readonly #longest: number

  constructor(all: readonly KnownField[]) {
    this.all = all
    this.varying = all.filter((field) => field.varying).map((field) => field.id)
    this.#longest = Math.max(...all.map((field) => field.name.length))
    const slots: Candidate[][] = []
    for (const field of all) {
      if (this.#byName.has(field.name)) throw new Error(`The field ${field.name} is named twice`)
      this.#byName.set(field.name, field)
      const bytes = Uint8Array.from(Buffer.from(field.name, 'latin1'))
      const at = slot(bytes.length, bytes[0] ?? 0)
      const there = slots[at] ?? []
      there.push({ ...field, bytes })
      slots[at] = there
    }
    this.#slots = Array.from({ length: (this.#longest + 1) << 5 }, (_, at) => slots[at])
  }

  /** Throws when the name was not given to `fieldNames`: a mistake of the programmer, not of a peer. */
  id(name: string): number {
    const field = this.#byName.get(name.toLowerCase())
    if (field === undefined) throw new Error(`The field ${name} is not among the names of this reader`)
    return field.id
  }

  named(lowerCaseName: string): KnownField | undefined {
    return this.#byName.get(lowerCaseName)
  }

  /** The known field whose name stands in `bytes` from `start` to `end`, in any case. */
  at(bytes: Uint8Array, start: number, end: number): KnownField | undefined {
    const length = end - start
    if (length > this.#longest) return undefined
    const candidates = this.#slots[slot(length, bytes[start] as number)]
    if (candidates === undefined) return undefined
    for (const candidate of candidates) {
      const name = candidate.bytes
      let i = 0
      while (i < length && lower[bytes[start + i] as number] === name[i]) i++
      if (i === length) return candidate
    }
    return undefined
  }
}

/** Byte → the same byte in lower case (ASCII letters only). */
const lower = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x41 && c <= 0x5a ? c | 0x20 : c))

/** Whether the bytes from `start` to `end` are `name` (given in lower case) in any case. */
export function isNamed(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (lower[bytes[start + i] as number] !== name.charCodeAt(i)) return false
  return true
}
