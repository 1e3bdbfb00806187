import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BerReader, boolean, integer, lengthSize, octetString, tags, tlv, writeHeader } from './ber.ts'

const invalid = { code: 'LDAP_BER_INVALID' }

test('integers, booleans and octet strings survive the way there and back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      fc.boolean(),
      fc.uint8Array(),
      (number, truth, bytes) => {
        const reader = new BerReader(tlv(tags.sequence, integer(number), boolean(truth), octetString(bytes)))
        const outer = reader.enter(tags.sequence)
        assert.equal(reader.integer(), number)
        assert.equal(reader.boolean(), truth)
        assert.deepEqual(new Uint8Array(reader.octets()), bytes)
        assert.equal(reader.done, true)
        reader.leave(outer)
        assert.equal(reader.done, true)
      },
    ),
  )
})

test('integers are minimal', () => {
  for (const [number, hex] of [
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2 ** 31 - 1, '02047fffffff'],
  ] as const) {
    assert.equal(integer(number).toString('hex'), hex)
    assert.equal(new BerReader(Buffer.from(hex, 'hex')).integer(), number)
  }
})

test('lengths need not be minimal, up to eight bytes of them', () => {
  for (const hex of ['0401ff', '048101ff', '04820001ff', '048400000001ff', '04880000000000000001ff']) {
    assert.deepEqual([...new BerReader(Buffer.from(hex, 'hex')).octets()], [0xff])
  }
})

test('headers are written as long as lengthSize says', () => {
  for (const length of [0, 127, 128, 255, 256, 65535, 65536, 2 ** 24 - 1, 2 ** 24, 2 ** 31 - 1]) {
    const into = new Uint8Array(8)
    assert.equal(writeHeader(into, 0, 0x30, length), 1 + lengthSize(length))
  }
})

test('what is no BER of LDAP is refused', () => {
  for (const hex of [
    '', // nothing
    '04', // no length
    '0480', // indefinite
    '0481', // length cut
    '0489000000000000000001', // too many length bytes
    '0488ffffffffffffffff', // astronomically long
    '0405ffff', // content cut
    '1f8101', // tag of several bytes
  ]) {
    assert.throws(() => new BerReader(Buffer.from(hex, 'hex')).skip(), invalid, hex)
  }
  assert.throws(() => new BerReader(Buffer.from('0200', 'hex')).integer(), invalid)
  assert.throws(() => new BerReader(Buffer.from('020801020304050607ff', 'hex')).integer(), invalid)
  assert.throws(() => new BerReader(Buffer.from('01020000', 'hex')).boolean(), invalid)
  assert.throws(() => new BerReader(Buffer.from('020101', 'hex')).octets(), invalid)
})
