import { classes, TARGET, VALUE } from './octets.ts'

/*
 * Loops over bytes that take four at a time: in place, a loop that looks every byte up in a table was the most
 * expensive function of the proxy, because a token alone has more than a thousand of them. `DataView` reads words from
 * any offset, and V8 compiles that to one load.
 */

/** Whether `length` bytes of one head from `at` are those of another from `other`. */
export function sameBytes(one: DataView, at: number, two: DataView, other: number, length: number): boolean {
  let i = 0
  for (; i + 4 <= length; i += 4) if (one.getInt32(at + i) !== two.getInt32(other + i)) return false
  for (; i < length; i++) if (one.getUint8(at + i) !== two.getUint8(other + i)) return false
  return true
}

/** A number made of the bytes: for the same bytes the same, for others mostly another. Nothing to rely on. */
export function fingerprintOf(bytes: DataView, from: number, end: number): number {
  // Two that do not wait for each other. Each step is one to one, so a difference in one word is never lost.
  let one = end - from
  let two = 0x2545f491
  let at = from
  for (; at + 8 <= end; at += 8) {
    one = Math.imul(one ^ bytes.getInt32(at), 0x2c1b3c6d)
    two = Math.imul(two ^ bytes.getInt32(at + 4), 0x297a2d39)
  }
  for (; at < end; at++) one = Math.imul(one ^ bytes.getUint8(at), 0x2c1b3c6d)
  return one ^ (one >>> 15) ^ two ^ (two >>> 13)
}

/** Index of the first byte that cannot stand in a field value (a control other than the tab), or `end`. */
export function endOfValue(bytes: DataView, from: number, end: number): number {
  let at = from
  for (; at + 4 <= end; at += 4) {
    const word = bytes.getInt32(at)
    const noDelete = word ^ 0x7f7f7f7f
    // A top bit stays where a byte is below 0x20, or is 0x7f. A borrow can only make more of them, above a true one.
    const odd = ((word - 0x20202020) & ~word) | ((noDelete - 0x01010101) & ~noDelete)
    if ((odd & 0x80808080) !== 0) break
  }
  while (at < end && ((classes[bytes.getUint8(at)] as number) & VALUE) !== 0) at++
  return at
}

/** Index of the first byte that cannot stand in a request target, or `end`. */
export function endOfTarget(bytes: DataView, from: number, end: number): number {
  let at = from
  while (at < end && ((classes[bytes.getUint8(at)] as number) & TARGET) !== 0) at++
  return at
}
