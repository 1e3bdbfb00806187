/** Numbers from 0 up to 1, the same for the same beginning. */
export type Dice = () => number

/** A small counter-based generator (32-bit mixing): good enough to look like people, and very quick. */
export function dice(seed: number, index: number): Dice {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const pick = <Item>(roll: Dice, from: readonly Item[]): Item => from[Math.floor(roll() * from.length)] as Item

const ladders = new WeakMap<readonly unknown[], readonly number[]>()

/** By rank, as names are: the second some two thirds as often as the first, and a long tail (Zipf–Mandelbrot). */
export function pickCommon<Item>(roll: Dice, from: readonly Item[]): Item {
  let ladder = ladders.get(from)
  if (!ladder) {
    let sum = 0
    ladder = from.map((_, rank) => (sum += 1 / (rank + 3) ** 0.85))
    ladders.set(from, ladder)
  }
  const at = roll() * (ladder.at(-1) as number)
  let [low, high] = [0, from.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ladder[middle] as number) > at) high = middle
    else low = middle + 1
  }
  return from[low] as Item
}

export const digits = (value: number, width: number): string => String(value).padStart(width, '0')
/** A whole number from `least` up to `most`. */
export const between = (roll: Dice, least: number, most: number): number =>
  least + Math.floor(roll() * (most - least + 1))

/** A day of that year. */
export function day(year: number, roll: Dice): string {
  const at = new Date(Date.UTC(year, 0, 1 + Math.floor(roll() * 365)))
  return at.toISOString().slice(0, 10)
}
