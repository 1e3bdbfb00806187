import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readIpv4, readIpv6, writeAddress } from './addresses.ts'
import { type ProxyHeaderReading, proxyHeaderLimits, readProxyHeader, writeProxyHeader } from './proxy-protocol.ts'

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const port = fc.integer({ min: 0, max: 65_535 })
const ends = fc
  .constantFrom(4, 16)
  .chain((size) => fc.record({ from: octets(size), to: octets(size), source: port, destination: port }))
  .map(({ from, to, source, destination }) => ({
    source: { address: writeAddress(from), port: source },
    destination: { address: writeAddress(to), port: destination },
  }))
const header = fc.record(
  { version: fc.constantFrom(1 as const, 2 as const), ends },
  { requiredKeys: ['version'], noNullPrototype: true },
)
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const v2 = (command: number, transport: number, block: Uint8Array, length = block.length) =>
  Buffer.concat([signature, Buffer.from([command, transport, length >> 8, length & 0xff]), block])
const fault = (bytes: Uint8Array) => {
  const reading = readProxyHeader(bytes)
  return reading.state === 'fault' ? reading.fault.code : reading.state
}
const line = (text: string) => fault(Buffer.from(text, 'latin1'))

/** What the reading is of every beginning of these bytes: `more` up to one place, and the same ever after. */
function atEverySplit(bytes: Uint8Array): ProxyHeaderReading {
  const whole = readProxyHeader(bytes)
  let settled = false
  for (let length = 0; length <= bytes.length; length++) {
    const reading = readProxyHeader(bytes.subarray(0, length))
    if (reading.state === 'more') assert.ok(!settled, `undecided again at ${length}`)
    else {
      settled = true
      assert.deepEqual(reading, whole)
    }
  }
  return whole
}

describe('a header of the PROXY protocol', () => {
  it('that is written is read again, wherever it is cut and whatever follows', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 40 }), (one, rest) => {
        const bytes = writeProxyHeader(one)
        assert.deepEqual(atEverySplit(Buffer.concat([bytes, rest])), {
          state: 'header',
          header: { ...one, length: bytes.length },
        })
        assert.equal(readProxyHeader(bytes.subarray(0, bytes.length - 1)).state, 'more')
      }),
    )
  })

  it('is judged alike at every split, whatever is changed in it, and never beyond its limits', () => {
    fc.assert(
      fc.property(
        header,
        fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
        fc.uint8Array({ maxLength: 120 }),
        (one, changes, rest) => {
          const bytes = Buffer.concat([writeProxyHeader(one), rest])
          for (const [at, octet] of changes) bytes[at % bytes.length] = octet
          const reading = atEverySplit(bytes)
          if (reading.state === 'header') assert.ok(reading.header.length <= proxyHeaderLimits.v2)
        },
      ),
      { numRuns: 300 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void atEverySplit(bytes)))
  })

  it('of version 1: the examples of the specification', () => {
    const reading = readProxyHeader(Buffer.from('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n'))
    assert.deepEqual(reading, {
      state: 'header',
      header: {
        version: 1,
        ends: {
          source: { address: '192.168.0.1', port: 56_324 },
          destination: { address: '192.168.0.11', port: 443 },
        },
        length: 47,
      },
    })
    const full = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'
    const longest = `PROXY UNKNOWN ${full} ${full} 65535 65535\r\n`
    assert.equal(longest.length, proxyHeaderLimits.v1)
    assert.deepEqual(readProxyHeader(Buffer.from(longest)), { state: 'header', header: { version: 1, length: 107 } })
    assert.equal(line('PROXY UNKNOWN\r\n'), 'header')
    assert.equal(line('PROXY UNKNOWN whatever \x00\xff\r\n'), 'header')
    assert.equal(line(`PROXY TCP6 ${full} ::1 65535 0\r\n`), 'header')
  })

  it('of version 1: anything that does not match exactly is refused', () => {
    for (const text of [
      'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n',
      'PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n',
      'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n',
      'PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n',
      'PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n',
      'PROXY TCP4 ::1 ::2 1 2\r\n',
      'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n',
      'PROXY TCP6 1::2::3 ::2 1 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 007 2\r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n',
      'PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY UNKNOWNS\r\n',
      'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n',
      'PROXY \r\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n',
      'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rX',
    ])
      assert.equal(line(text), 'PROXY_PROTOCOL_MALFORMED', JSON.stringify(text))
    for (const text of ['GET / HTTP/1.1\r\n', 'PROXYTCP4', 'proxy ', '\x16\x03\x01', '\r\n\r\nX', 'P\r\n'])
      assert.equal(line(text), 'PROXY_PROTOCOL_MISSING', JSON.stringify(text))
    assert.equal(line(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), 'header')
    assert.equal(line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`), 'PROXY_PROTOCOL_TOO_LONG')
    assert.equal(line(`PROXY UNKNOWN ${'x'.repeat(92)}`), 'more')
    assert.equal(line(`PROXY UNKNOWN ${'x'.repeat(93)}`), 'PROXY_PROTOCOL_TOO_LONG')
  })

  it('of version 2: LOCAL, and what is not TCP over IP, name no ends; extensions are passed over', () => {
    const ipv4 = Buffer.from('c0000201c000020213881f90', 'hex')
    const named = v2(0x21, 0x11, Buffer.concat([ipv4, Buffer.from('0300040102030404000101', 'hex')]))
    assert.deepEqual(readProxyHeader(named), {
      state: 'header',
      header: {
        version: 2,
        ends: { source: { address: '192.0.2.1', port: 5000 }, destination: { address: '192.0.2.2', port: 8080 } },
        length: 39,
      },
    })
    for (const [what, bytes] of [
      ['LOCAL', v2(0x20, 0x00, Buffer.alloc(0))],
      ['LOCAL with a block, whatever the family', v2(0x20, 0xff, Buffer.alloc(9))],
      ['UNSPEC', v2(0x21, 0x00, Buffer.alloc(0))],
      ['UNSPEC with a block', v2(0x21, 0x00, ipv4)],
      ['IPv4 of no transport', v2(0x21, 0x10, Buffer.alloc(0))],
      ['UDP', v2(0x21, 0x12, ipv4)],
      ['UNIX', v2(0x21, 0x31, Buffer.alloc(216))],
    ] as const)
      assert.deepEqual(atEverySplit(bytes), { state: 'header', header: { version: 2, length: bytes.length } }, what)
  })

  it('of version 2: other versions, commands and families, and what is too short or too long, is refused', () => {
    const block = Buffer.alloc(36)
    for (const bytes of [
      v2(0x11, 0x11, block),
      v2(0x31, 0x11, block),
      v2(0x22, 0x11, block),
      v2(0x2f, 0x11, block),
      v2(0x21, 0x41, block),
      v2(0x21, 0x13, block),
      v2(0x21, 0x11, block.subarray(0, 11)),
      v2(0x21, 0x21, block.subarray(0, 35)),
      v2(0x21, 0x31, block),
    ])
      assert.equal(fault(bytes), 'PROXY_PROTOCOL_MALFORMED', bytes.toString('hex'))
    assert.equal(fault(v2(0x21, 0x11, Buffer.alloc(520))), 'header')
    assert.equal(fault(v2(0x21, 0x11, Buffer.alloc(0), 521)), 'PROXY_PROTOCOL_TOO_LONG')
    assert.equal(fault(v2(0x20, 0x00, Buffer.alloc(0), 65_535)), 'PROXY_PROTOCOL_TOO_LONG')
  })
})

describe('addresses', () => {
  it('are accepted as Node accepts them, but for zones', () => {
    const part = fc.constantFrom(
      '',
      '0',
      '1',
      '00',
      '01',
      '255',
      '256',
      'ffff',
      'FFFFF',
      'g',
      '::',
      ':',
      '.',
      '1.2.3.4',
    )
    const text = fc.oneof(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
      fc.ipV4(),
      fc.ipV6(),
    )
    fc.assert(
      fc.property(text, (one) => {
        assert.equal(readIpv4(one) !== undefined, isIPv4(one), one)
        assert.equal(readIpv6(one) !== undefined, isIPv6(one), one)
      }),
      { numRuns: 2000 },
    )
  })

  it('are written in the form of RFC 5952', () => {
    for (const [given, written] of [
      ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['1:0:0:0:0:0:0:0', '1::'],
      ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
      ['0:0:0:0:0:ffff:c000:207', '::ffff:192.0.2.7'],
    ] as const)
      assert.equal(writeAddress(readIpv6(given) ?? []), written)
  })
})
