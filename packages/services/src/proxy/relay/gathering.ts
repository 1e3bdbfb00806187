import type { Slabs } from './slabs.ts'

/** A TLS record holds no more; what is read at once is never longer. */
export const recordBytes = 16_384

/**
 * Body bytes of an answer as they are read: one record behind the other in one buffer, so that those of one turn of the
 * event loop leave in one write. Each write costs a system call and wakes the consumer; the records cost nothing apart.
 */
export class Gathering {
  readonly #slabs: Slabs
  #slab: Buffer | undefined = undefined
  #from = 0
  #filled = 0

  constructor(slabs: Slabs) {
    this.#slabs = slabs
  }

  /** Where the next bytes are to be read. */
  room(): Buffer {
    this.#slab ??= this.#slabs.take()
    return this.#filled === 0 ? this.#slab : this.#slab.subarray(this.#filled)
  }

  /** So many bytes have come there. False when another record might find no room. */
  add(bytes: number): boolean {
    this.#filled += bytes
    return this.#slab !== undefined && this.#slab.length - this.#filled >= recordBytes
  }

  /** Bytes that have not been taken. */
  get waiting(): number {
    return this.#filled - this.#from
  }

  /** What waits. The buffer stays in use behind it: a read may be under way there. */
  take(): Buffer | undefined {
    const piece = this.#slab?.subarray(this.#from, this.#filled)
    this.#from = this.#filled
    return piece
  }

  /** Lets go of the buffer: within a read, before the next place is asked for. The answer gives it back, once all is written. */
  leave(): (() => void) | undefined {
    const slab = this.#slab
    this.#slab = undefined
    this.#from = 0
    this.#filled = 0
    return slab === undefined ? undefined : () => this.#slabs.give(slab)
  }
}

/** Tells those who ask for it when the event loop has handed over everything that had come. */
export class Turn {
  #waiting: { turnEnded(): void }[] = []
  #scheduled = false

  add(one: { turnEnded(): void }): void {
    this.#waiting.push(one)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      const waiting = this.#waiting
      this.#waiting = []
      this.#scheduled = false
      for (const one of waiting) one.turnEnded()
    })
  }
}
