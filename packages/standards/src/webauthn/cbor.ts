/** What CTAP2 writes of CBOR (RFC 8949; CTAP 2.1 §8): definite lengths, no tags, no floating point. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

/** Maps and lists within each other; CTAP2 has at most four. */
const deepest = 8

class Malformed extends Error {}

class Reader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new Malformed('ends too early')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  #argument(additional: number): number {
    if (additional < 24) return additional
    if (additional > 27) throw new Malformed('an indefinite or reserved length')
    let value = 0
    for (const octet of this.#take(2 ** (additional - 24))) value = value * 256 + octet
    if (!Number.isSafeInteger(value)) throw new Malformed('a number beyond 2^53')
    return value
  }

  item(depth: number): Cbor {
    if (depth > deepest) throw new Malformed('too deep')
    const [initial = 0] = this.#take(1)
    const additional = initial & 31
    switch (initial >> 5) {
      case 0:
        return this.#argument(additional)
      case 1:
        return -1 - this.#argument(additional)
      case 2:
        return this.#take(this.#argument(additional))
      case 3:
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(this.#argument(additional)))
      case 4: {
        const items: Cbor[] = []
        for (let left = this.#argument(additional); left > 0; left--) items.push(this.item(depth + 1))
        return items
      }
      case 5: {
        const map = new Map<number | string, Cbor>()
        for (let left = this.#argument(additional); left > 0; left--) {
          const key = this.item(depth + 1)
          if (typeof key !== 'number' && typeof key !== 'string') throw new Malformed('a key that is no number or text')
          if (map.has(key)) throw new Malformed('the same key twice')
          map.set(key, this.item(depth + 1))
        }
        return map
      }
      case 7:
        if (additional === 20 || additional === 21) return additional === 21
        if (additional === 22) return null
    }
    throw new Malformed('a kind of value that CTAP2 does not write')
  }
}

/** One item from an offset on, and where it ends; undefined when it is not well formed or not of CTAP2. */
export function readCbor(bytes: Uint8Array, at = 0): { readonly value: Cbor; readonly end: number } | undefined {
  const reader = new Reader(bytes, at)
  try {
    return { value: reader.item(0), end: reader.at }
  } catch (error) {
    // Text that is not UTF-8 is a TypeError.
    if (error instanceof Malformed || error instanceof TypeError) return undefined
    throw error
  }
}
