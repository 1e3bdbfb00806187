/** For long answers: eight TLS records. */
export const answerBytes = 131_072
/** For what is written in one piece: a head of the usual size with as much of a body. */
export const writeBytes = 18_432
/** Kept for use again at most, in bytes. */
const mostKept = 4 << 20

/**
 * Buffers that are used again and again. Those that are made for every message count as memory outside of the heap,
 * and every 64 MB of that make V8 mark the whole heap: with a large directory in memory that costs more than the
 * relaying of large bodies itself.
 */
export class Slabs {
  readonly #bytes: number
  readonly #free: Buffer[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** Nobody may hold on to a part of `slab` any more. */
  give(slab: Buffer): void {
    if (this.#free.length * this.#bytes < mostKept) this.#free.push(slab)
  }
}
