import { classes, TARGET, VALUE } from './octets.ts'

/*
 * Loops over bytes that take several words at a time: in place, a loop that looks every byte up in a table was the most
 * expensive function of the proxy, because a token alone has more than a thousand of them. `DataView` reads words from
 * any offset, and V8 compiles that to one load.
 */

/** Whether `length` bytes of one head from `at` are those of another from `other`. */
export function sameBytes(one: DataView, at: number, two: DataView, other: number, length: number): boolean {
  let i = 0
  for (; i + 8 <= length; i += 8) {
    const first = one.getInt32(at + i) ^ two.getInt32(other + i)
    const second = one.getInt32(at + i + 4) ^ two.getInt32(other + i + 4)
    if ((first | second) !== 0) return false
  }
  for (; i < length; i++) if (one.getUint8(at + i) !== two.getUint8(other + i)) return false
  return true
}

/** A number made of the bytes: for the same bytes the same, for others mostly another. Nothing to rely on. */
export function fingerprintOf(bytes: DataView, from: number, end: number): number {
  // Four that do not wait for one another. Each step is one to one, so a difference in one word is never lost.
  let a = end - from
  let b = 0x2545f491
  let c = 0x1b873593
  let d = 0x85ebca6b
  let at = from
  for (; at + 16 <= end; at += 16) {
    a = Math.imul(a ^ bytes.getInt32(at), 0x2c1b3c6d)
    b = Math.imul(b ^ bytes.getInt32(at + 4), 0x297a2d39)
    c = Math.imul(c ^ bytes.getInt32(at + 8), 0x3ad8025f)
    d = Math.imul(d ^ bytes.getInt32(at + 12), 0x5d1f9f4b)
  }
  for (; at < end; at++) a = Math.imul(a ^ bytes.getUint8(at), 0x2c1b3c6d)
  return a ^ (a >>> 15) ^ b ^ (b >>> 13) ^ c ^ (c >>> 14) ^ d ^ (d >>> 12)
}

/** Index of the first byte that cannot stand in a field value (a control other than the tab), or `end`. */
export function endOfValue(bytes: DataView, from: number, end: number): number {
  let at = from
  for (; at + 16 <= end; at += 16) {
    const a = bytes.getInt32(at)
    const b = bytes.getInt32(at + 4)
    const c = bytes.getInt32(at + 8)
    const d = bytes.getInt32(at + 12)
    // Bit 6 stays where a byte has bit 5 or 6: it is then no control (and not 0x80 to 0x9f, which are left to the end).
    const printing = (a | (a << 1)) & (b | (b << 1)) & (c | (c << 1)) & (d | (d << 1))
    // Bit 7 is set where a byte is 0x7f, or has it already; a carry comes only from a byte that has it.
    const odd = a | (a + 0x01010101) | b | (b + 0x01010101) | c | (c + 0x01010101) | d | (d + 0x01010101)
    if ((printing & 0x40404040) !== 0x40404040 || (odd & 0x80808080) !== 0) break
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
