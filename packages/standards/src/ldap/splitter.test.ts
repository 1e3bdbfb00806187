import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { octetString, tags, tlv } from './ber.ts'
import { PduSplitter } from './splitter.ts'

const message = (bytes: Uint8Array) => tlv(tags.sequence, octetString(bytes))

/** The same message with its length written in so many bytes. */
function longWinded(pdu: Buffer, size: number): Buffer {
  const first = pdu[1] as number
  const header = first < 0x80 ? 2 : 2 + (first & 0x7f)
  const length = Buffer.alloc(size)
  length.writeUIntBE(pdu.length - header, size - Math.min(size, 6), Math.min(size, 6))
  return Buffer.concat([Buffer.of(0x30, 0x80 | size), length, pdu.subarray(header)])
}

test('messages come out whole however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 400 }), size: fc.integer({ min: 0, max: 8 }) }), {
        maxLength: 8,
      }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (messages, cuts) => {
        const pdus = messages.map(({ bytes, size }) => (size < 2 ? message(bytes) : longWinded(message(bytes), size)))
        const stream = Buffer.concat(pdus)
        const splitter = new PduSplitter(1024)
        const out: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] as number
          splitter.push(Buffer.from(stream.subarray(at, at + length)))
          at += length
          for (let pdu = splitter.next(); pdu !== undefined; pdu = splitter.next()) out.push(Buffer.from(pdu))
        }
        assert.deepEqual(out, pdus)
        assert.equal(splitter.buffered, 0)
      },
    ),
  )
})

test('a gigabyte is refused from its announcement', () => {
  const splitter = new PduSplitter(1 << 20)
  splitter.push(Buffer.from('3084400000', 'hex'))
  assert.throws(() => splitter.next(), { code: 'LDAP_PDU_TOO_LARGE' })
})

test('the limit itself is allowed', () => {
  const pdu = message(Buffer.alloc(1000))
  const splitter = new PduSplitter(pdu.length - 4)
  splitter.push(pdu)
  assert.deepEqual(splitter.next(), pdu)
  const smaller = new PduSplitter(pdu.length - 5)
  smaller.push(pdu)
  assert.throws(() => smaller.next(), { code: 'LDAP_PDU_TOO_LARGE' })
})

test('what is no message is refused at its first byte', () => {
  for (const hex of ['47', '160301', '3080', '3089000000000000000001']) {
    const splitter = new PduSplitter(1 << 20)
    splitter.push(Buffer.from(hex, 'hex'))
    assert.throws(() => splitter.next(), { code: 'LDAP_BER_INVALID' }, hex)
  }
})

test('half a message is waited for', () => {
  const splitter = new PduSplitter(1 << 20)
  const pdu = message(Buffer.alloc(300))
  for (const byte of pdu.subarray(0, -1)) {
    splitter.push(Buffer.of(byte))
    assert.equal(splitter.next(), undefined)
  }
  splitter.push(pdu.subarray(-1))
  assert.deepEqual(splitter.next(), pdu)
})
