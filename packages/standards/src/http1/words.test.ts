import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classes, TARGET, VALUE } from './octets.ts'
import { endOfTarget, endOfValue, fingerprintOf, sameBytes } from './words.ts'

const length = 45
const plain = Buffer.from('eyJhbGciOiJub25lIn0.é~\t !"#$%&\'()*+,-./09:;<=>?@AZ[', 'latin1').subarray(0, length)
const view = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** The same bytes with another at one place. */
function withByte(at: number, value: number): Buffer {
  const bytes = Buffer.from(plain)
  bytes[at] = value
  return bytes
}

test('every byte at every place is found as the table of classes says, from every start', () => {
  for (let at = 0; at < length; at++)
    for (let value = 0; value < 256; value++) {
      const bytes = withByte(at, value)
      for (const from of [0, 1, 7, 20]) {
        const naive = (kind: number) => {
          let end = from
          while (end < length && ((classes[bytes[end] as number] as number) & kind) !== 0) end++
          return end
        }
        assert.equal(endOfValue(view(bytes), from, length), naive(VALUE), `value: ${value} at ${at} from ${from}`)
        assert.equal(endOfTarget(view(bytes), from, length), naive(TARGET), `target: ${value} at ${at} from ${from}`)
      }
    }
})

test('one other byte is another run of bytes, wherever it stands, and another fingerprint', () => {
  for (let at = 0; at < length; at++)
    for (const value of [0, 0x41, 0xff]) {
      const bytes = withByte(at, value)
      const same = bytes.equals(plain)
      assert.equal(sameBytes(view(bytes), 0, view(plain), 0, length), same, `${value} at ${at}`)
      assert.equal(fingerprintOf(view(bytes), 0, length) === fingerprintOf(view(plain), 0, length), same)
    }
  const shifted = Buffer.concat([Buffer.from('xyz'), plain])
  assert.equal(sameBytes(view(shifted), 3, view(plain), 0, length), true)
  assert.equal(fingerprintOf(view(shifted), 3, shifted.length), fingerprintOf(view(plain), 0, length))
  assert.equal(sameBytes(view(plain), 0, view(plain), 1, 0), true)
})
