/** Slots in ascending order. */
export type Slots = readonly number[]

/** Adds a slot to an ascending list unless it is there. */
export function addSlot(list: number[], slot: number): void {
  const last = list.at(-1)
  if (last === undefined || last < slot) {
    list.push(slot)
    return
  }
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as number) < slot) low = middle + 1
    else high = middle
  }
  if (list[low] !== slot) list.splice(low, 0, slot)
}

/** Slots by key. */
export class Postings {
  readonly #lists = new Map<string, number[]>()

  add(key: string, slot: number): void {
    const list = this.#lists.get(key)
    if (list === undefined) this.#lists.set(key, [slot])
    else addSlot(list, slot)
  }

  get(key: string): Slots {
    return this.#lists.get(key) ?? []
  }

  keys(): IterableIterator<string> {
    return this.#lists.keys()
  }
}

/** The keys of the runs of `size` characters in a text, two or three: ten bits of each character. */
function* runs(text: string, size: 2 | 3): Generator<number> {
  let key = 0
  const mask = size === 3 ? 0x3fffffff : 0xfffff
  for (let at = 0; at < text.length; at++) {
    key = ((key << 10) | (text.charCodeAt(at) & 0x3ff)) & mask
    if (at >= size - 1) yield key
  }
}

/**
 * Slots by the runs of two or three characters in a text. Who holds a longer text holds all its runs; who holds its
 * runs need not hold it.
 */
export class GramIndex {
  readonly #size: 2 | 3
  readonly #lists = new Map<number, number[]>()

  constructor(size: 2 | 3) {
    this.#size = size
  }

  add(text: string, slot: number): void {
    for (const key of runs(text, this.#size)) {
      const list = this.#lists.get(key)
      if (list === undefined) this.#lists.set(key, [slot])
      else addSlot(list, slot)
    }
  }

  /** Among these slots are all that hold the text; undefined when it is too short to tell. */
  candidates(text: string): Slots | undefined {
    let shortest: Slots | undefined
    for (const key of runs(text, this.#size)) {
      const list = this.#lists.get(key) ?? []
      if (shortest === undefined || list.length < shortest.length) shortest = list
    }
    return shortest
  }
}
