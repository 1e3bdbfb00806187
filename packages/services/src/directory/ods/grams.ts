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

/** Slots by the runs of `size` characters in a text: who holds a longer text holds all its runs. */
export class GramIndex {
  readonly #size: number
  readonly #postings = new Postings()

  constructor(size: number) {
    this.#size = size
  }

  add(text: string, slot: number): void {
    for (let at = 0; at + this.#size <= text.length; at++) this.#postings.add(text.slice(at, at + this.#size), slot)
  }

  /** Among these slots are all that hold the text; undefined when it is too short to tell. */
  candidates(text: string): Slots | undefined {
    let shortest: Slots | undefined
    for (let at = 0; at + this.#size <= text.length; at++) {
      const list = this.#postings.get(text.slice(at, at + this.#size))
      if (shortest === undefined || list.length < shortest.length) shortest = list
    }
    return shortest
  }
}
