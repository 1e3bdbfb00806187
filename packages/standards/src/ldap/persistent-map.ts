/**
 * A map with string keys of which every edition stays as it was: `edit` makes the next edition, sharing all
 * buckets that it does not touch. Look-ups cost one hash over the key more than in a plain Map.
 */
export class PersistentMap<Value> {
  readonly #buckets: readonly (ReadonlyMap<string, Value> | undefined)[]
  readonly size: number

  constructor(buckets: readonly (ReadonlyMap<string, Value> | undefined)[] = [], size = 0) {
    this.#buckets = buckets
    this.size = size
  }

  get(key: string): Value | undefined {
    return this.#buckets[bucketOf(key)]?.get(key)
  }

  *entries(): IterableIterator<[string, Value]> {
    for (const bucket of this.#buckets) if (bucket !== undefined) yield* bucket
  }

  edit(): MapEdit<Value> {
    return new MapEdit([...this.#buckets], this.size)
  }
}

const bucketCount = 1024

function bucketOf(key: string): number {
  let hash = 0x811c9dc5
  // Keys of one kind share their beginning: the end tells them apart sooner.
  for (let i = key.length - 1, stop = Math.max(0, key.length - 24); i >= stop; i--) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  }
  return (hash ^ (hash >>> 15)) & (bucketCount - 1)
}

/** The next edition in the making: buckets are copied when they are first touched. */
export class MapEdit<Value> {
  readonly #buckets: (ReadonlyMap<string, Value> | undefined)[]
  readonly #own = new Map<number, Map<string, Value>>()
  #size: number

  constructor(buckets: (ReadonlyMap<string, Value> | undefined)[], size: number) {
    this.#buckets = buckets
    this.#size = size
  }

  get(key: string): Value | undefined {
    return this.#buckets[bucketOf(key)]?.get(key)
  }

  #bucket(key: string): Map<string, Value> {
    const at = bucketOf(key)
    let bucket = this.#own.get(at)
    if (bucket === undefined) {
      bucket = new Map(this.#buckets[at])
      this.#own.set(at, bucket)
      this.#buckets[at] = bucket
    }
    return bucket
  }

  set(key: string, value: Value): void {
    const bucket = this.#bucket(key)
    if (!bucket.has(key)) this.#size++
    bucket.set(key, value)
  }

  delete(key: string): void {
    if (this.#bucket(key).delete(key)) this.#size--
  }

  done(): PersistentMap<Value> {
    return new PersistentMap(this.#buckets, this.#size)
  }
}
