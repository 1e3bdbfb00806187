import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
import { allocatedRange } from './register/numbers.ts'
import { workedPeople } from './worked-people.ts'

/**
 * First three digits of the numbers of invented people: 999, and where that is full, part of the ranges that
 * vendors' test packs use (§1). Those with well-known test people of the national environments (900, 911, 944,
 * 969, 972, 973 …) are left alone.
 */
export const numberRanges: readonly number[] = [
  999,
  ...Array.from({ length: 49 }, (_, index) => 920 + index).filter((range) => range !== 944),
]

/** Valid numbers that share their first six digits: they differ by what those six add to the weighted sum alone. */
const inBlock = Array.from(
  { length: 11 },
  (_, remainder) =>
    Array.from({ length: 1000 }, (_, low) => low).filter((low) => {
      const sum = remainder + 4 * Math.floor(low / 100) + 3 * (Math.floor(low / 10) % 10) + 2 * (low % 10)
      return sum % 11 !== 1
    }).length,
)

const taken: ReadonlySet<string> = new Set(workedPeople().map(({ nhsNumber }) => nhsNumber))

/** How many numbers are free among each thousand prefixes, in order of {@link numberRanges}. */
const free: Uint16Array = (() => {
  const counts = new Uint16Array(numberRanges.length * 1000)
  for (const [at, range] of numberRanges.entries()) {
    const sum = 10 * Math.floor(range / 100) + 9 * (Math.floor(range / 10) % 10) + 8 * (range % 10)
    for (let block = 0; block < 1000; block++) {
      const more = 7 * Math.floor(block / 100) + 6 * (Math.floor(block / 10) % 10) + 5 * (block % 10)
      const first = (range * 1000 + block) * 1000
      // Those at the end of 999 are for people who are registered.
      const allocated = first >= allocatedRange.from && first <= allocatedRange.to
      counts[at * 1000 + block] = allocated ? 0 : (inBlock[(sum + more) % 11] as number)
    }
  }
  for (const number of taken) {
    const block = numberRanges.indexOf(Number(number.slice(0, 3))) * 1000 + Number(number.slice(3, 6))
    counts[block] = (counts[block] as number) - 1
  }
  return counts
})()

/** How many numbers there are: valid ones of {@link numberRanges}, without those of the worked examples and {@link allocatedRange}. */
export const freeNumberCount = free.reduce((sum, count) => sum + count, 0)

/** Free numbers from the n-th one on (0 is the first), without making those before it. */
export function* freeNumbers(from: number): Generator<string> {
  let passed = 0
  for (const [block, count] of free.entries()) {
    if (count === 0 || passed + count <= from) {
      passed += count
      continue
    }
    const high = (numberRanges[Math.floor(block / 1000)] as number) * 1000 + (block % 1000)
    for (let low = 0; low < 1000; low++) {
      const digits = `${high}${String(low).padStart(3, '0')}`
      const check = nhsNumberCheckDigit(digits)
      if (check === undefined) continue
      const number = `${digits}${check}`
      if (!taken.has(number) && passed++ >= from) yield number
    }
  }
}
