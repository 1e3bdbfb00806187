/** A TLS record holds no more. */
const slabBytes = 16_384
/** Kept for use again at most: 4 MB. */
const mostKept = 256

/**
 * Read buffers that are used again and again. Buffers that are made for every read count as memory outside
 * of the heap, and every 64 MB of those make V8 mark the whole heap: with a large directory in memory that
 * costs more than the relaying of large bodies itself.
 */
export class Slabs {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
  }

  /** Nobody may hold on to a part of `slab` any more. */
  give(slab: Buffer): void {
    if (this.#free.length < mostKept) this.#free.push(slab)
  }
}
