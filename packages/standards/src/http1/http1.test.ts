import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BodyReader, fieldNames, HeadReader } from './http1.ts'
import { readRequests, readResponse } from './reading.ts'
import { message, mutated } from './samples.test-kit.ts'

const names = fieldNames({ single: ['authorization', 'ssp-from'], wanted: ['accept'] })

function faultOf(text: string): string | undefined {
  const [first] = readRequests([Buffer.from(text, 'latin1')], names).slice(-1)
  return first?.fault
}

const ok = 'GET /a HTTP/1.1\r\nHost: h\r\n'

describe('request heads that are refused', () => {
  const cases: [why: string, bytes: string, fault: string][] = [
    ['leading empty line', `\r\n${ok}\r\n`, 'HTTP1_METHOD'],
    ['no method', ' /a HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_METHOD'],
    ['endless method', `${'A'.repeat(40)} /a HTTP/1.1\r\n`, 'HTTP1_METHOD'],
    ['method with a slash', 'G/T /a HTTP/1.1\r\n', 'HTTP1_METHOD'],
    ['empty target', 'GET  HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['absolute form', 'GET https://h/a HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['CONNECT', 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['target with a tab', 'GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['target beyond ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['target with DEL', 'GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_TARGET'],
    ['space in the target', 'GET /a b HTTP/1.1\r\nHost: h\r\n\r\n', 'HTTP1_VERSION'],
    ['HTTP/0.9', 'GET /a\r\n\r\n', 'HTTP1_TARGET'],
    ['HTTP/1.0', 'GET /a HTTP/1.0\r\nHost: h\r\n\r\n', 'HTTP1_VERSION'],
    ['HTTP/2.0', 'GET /a HTTP/2.0\r\nHost: h\r\n\r\n', 'HTTP1_VERSION'],
    ['HTTP/1.10', 'GET /a HTTP/1.10\r\nHost: h\r\n\r\n', 'HTTP1_VERSION'],
    ['lower-case version', 'GET /a http/1.1\r\nHost: h\r\n\r\n', 'HTTP1_VERSION'],
    ['bare LF after the request line', 'GET /a HTTP/1.1\nHost: h\n\n', 'HTTP1_BARE_LF'],
    ['bare CR after the request line', 'GET /a HTTP/1.1\rHost: h\r\n\r\n', 'HTTP1_BARE_CR'],
    ['bare LF after a field', `${ok}X: 1\nY: 2\r\n\r\n`, 'HTTP1_BARE_LF'],
    ['bare CR in a value', `${ok}X: 1\rY: 2\r\n\r\n`, 'HTTP1_BARE_CR'],
    ['bare LF as the empty line', `${ok}\n`, 'HTTP1_BARE_LF'],
    ['NUL in a value', `${ok}X: a\0b\r\n\r\n`, 'HTTP1_FIELD_VALUE'],
    ['control in a value', `${ok}X: a\x1bb\r\n\r\n`, 'HTTP1_FIELD_VALUE'],
    ['folded line', `${ok}X: a\r\n b\r\n\r\n`, 'HTTP1_FOLDED'],
    ['folded first line', 'GET /a HTTP/1.1\r\n Host: h\r\n\r\n', 'HTTP1_FOLDED'],
    ['space before the colon', `${ok}X : a\r\n\r\n`, 'HTTP1_FIELD_NAME'],
    ['empty name', `${ok}: a\r\n\r\n`, 'HTTP1_FIELD_NAME'],
    ['no colon', `${ok}nonsense\r\n\r\n`, 'HTTP1_FIELD_NAME'],
    ['name beyond ASCII', `${ok}X\xff: a\r\n\r\n`, 'HTTP1_FIELD_NAME'],
    ['no Host', 'GET /a HTTP/1.1\r\nX: h\r\n\r\n', 'HTTP1_HOST'],
    ['two Hosts', `${ok}Host: i\r\n\r\n`, 'HTTP1_HOST'],
    ['two equal lengths', `${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['length list', `${ok}Content-Length: 1, 1\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['signed length', `${ok}Content-Length: +1\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['negative length', `${ok}Content-Length: -1\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['hexadecimal length', `${ok}Content-Length: 0x1\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['empty length', `${ok}Content-Length:\r\n\r\n`, 'HTTP1_CONTENT_LENGTH'],
    ['length of 16 digits', `${ok}Content-Length: 1000000000000000\r\n\r\n`, 'HTTP1_CONTENT_LENGTH'],
    ['length and chunked', `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 'HTTP1_LENGTH_AND_ENCODING'],
    ['chunked and length', `${ok}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`, 'HTTP1_LENGTH_AND_ENCODING'],
    ['two codings', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'HTTP1_TRANSFER_ENCODING'],
    ['identity', `${ok}Transfer-Encoding: identity\r\n\r\n`, 'HTTP1_TRANSFER_ENCODING'],
    [
      'chunked twice',
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'HTTP1_TRANSFER_ENCODING',
    ],
    ['coding with parameter', `${ok}Transfer-Encoding: chunked;q=1\r\n\r\n`, 'HTTP1_TRANSFER_ENCODING'],
    ['coding after a tab', `${ok}Transfer-Encoding:\tchunked\r\n\r\n`, 'HTTP1_TRANSFER_ENCODING'],
    ['length before a tab', `${ok}Content-Length: 1\t\r\n\r\na`, 'HTTP1_CONTENT_LENGTH'],
    ['coding with vertical tab', `${ok}Transfer-Encoding: \x0bchunked\r\n\r\n`, 'HTTP1_FIELD_VALUE'],
    ['checked field twice', `${ok}Ssp-From: 1\r\nssp-from: 2\r\n\r\n`, 'HTTP1_DUPLICATE'],
    ['Connection names a checked field', `${ok}Ssp-From: 1\r\nConnection: Ssp-From\r\n\r\n`, 'HTTP1_CONNECTION'],
    ['Connection names Host', `${ok}Connection: close, host\r\n\r\n`, 'HTTP1_CONNECTION'],
    ['Connection is no token list', `${ok}Connection: "a b"\r\n\r\n`, 'HTTP1_CONNECTION'],
    ['head too large', `${ok}X: ${'a'.repeat(17_000)}\r\n\r\n`, 'HTTP1_HEAD_TOO_LARGE'],
    ['target too large', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\n`, 'HTTP1_HEAD_TOO_LARGE'],
    ['too many fields', `${ok}${'X: 1\r\n'.repeat(100)}\r\n`, 'HTTP1_TOO_MANY_FIELDS'],
    ['chunk extension', `${ok}Transfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['chunk size not hexadecimal', `${ok}Transfer-Encoding: chunked\r\n\r\n1g\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['chunk size with 0x', `${ok}Transfer-Encoding: chunked\r\n\r\n0x1\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['chunk size of 13 digits', `${ok}Transfer-Encoding: chunked\r\n\r\n0000000000001\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['empty chunk size', `${ok}Transfer-Encoding: chunked\r\n\r\n\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['bare LF after the chunk size', `${ok}Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n`, 'HTTP1_CHUNK_SIZE'],
    ['chunk longer than told', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n`, 'HTTP1_CHUNK_END'],
    ['bare LF after chunk data', `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nx\n0\r\n\r\n`, 'HTTP1_CHUNK_END'],
    ['trailer', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n`, 'HTTP1_TRAILER'],
    ['bare LF as the end', `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\n`, 'HTTP1_TRAILER'],
  ]
  for (const [why, bytes, fault] of cases) {
    it(why, () => {
      assert.equal(faultOf(bytes), fault)
      // and the same when the bytes come one at a time
      const single = [...Buffer.from(bytes, 'latin1')].map((c) => Buffer.of(c))
      assert.equal(readRequests(single, names).at(-1)?.fault, fault)
    })
  }
})

describe('request heads that are read', () => {
  it('gives method, target, values without surrounding white space, and what follows', () => {
    const head = new HeadReader('request', names)
    assert.ok(
      head.read(Buffer.from('POST /x?a|b HTTP/1.1\r\nhOsT: h\r\nACCEPT: \t a b \t\r\nContent-Length: 3\r\n\r\nabcGET')),
    )
    assert.equal(head.fault, undefined)
    assert.equal(head.method, 'POST')
    assert.equal(head.target, '/x?a|b')
    assert.equal(head.value(names.id('accept')), 'a b')
    assert.equal(head.has(names.id('ssp-from')), false)
    assert.equal(head.body, 'length')
    assert.equal(head.contentLength, 3)
    assert.equal(head.rest.toString(), 'abcGET')
  })

  it('rebuilds the head for the next hop: hop-by-hop lines and those named by Connection are gone, the rest is byte for byte', () => {
    const head = new HeadReader('request', names)
    head.read(
      Buffer.from(
        [
          'PUT / HTTP/1.1',
          'X-One:  spaced\t',
          'Host: consumer',
          'Connection: keep-alive, X-Mine',
          'Keep-Alive: 5',
          'x-mine: secret',
          'Transfer-Encoding:   chunked',
          'TE: trailers',
          'Trailer: X',
          'Upgrade: h2c',
          'PROXY-Authorization: a',
          'proxy-x: b',
          'Authorization: Bearer x',
          'X-Empty:',
          'Set-Cookie: a',
          'Set-Cookie: b',
          '',
          '3\r\nabc\r\n0\r\n\r\n',
        ].join('\r\n'),
        'latin1',
      ),
    )
    assert.equal(head.fault, undefined)
    assert.equal(
      head.rebuild('PUT /y HTTP/1.1\r\nHost: p\r\n', 'Forwarded: for=a\r\n', head.rest).toString('latin1'),
      'PUT /y HTTP/1.1\r\nHost: p\r\nX-One:  spaced\t\r\nAuthorization: Bearer x\r\nX-Empty:\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nForwarded: for=a\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    )
  })

  it('keeps nothing of the last message', () => {
    const head = new HeadReader('request', names)
    head.read(Buffer.from('GET /a HTTP/1.1\r\nHost: h\r\nAccept: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n'))
    assert.ok(head.close)
    head.begin()
    head.read(Buffer.from('GET /b HTTP/1.1\r\nHost: h\r\n\r\n'))
    assert.deepEqual(
      [head.close, head.value(names.id('accept')), head.body, head.target],
      [false, undefined, 'none', '/b'],
    )
  })
})

describe('responses', () => {
  const body = (text: string, method = 'GET') => readResponse([Buffer.from(text, 'latin1')], names, method)
  it('have no body after HEAD, 1xx, 204 and 304, whatever their fields say', () => {
    for (const [status, method] of [
      [200, 'HEAD'],
      [100, 'GET'],
      [204, 'GET'],
      [304, 'GET'],
    ] as const)
      assert.equal(body(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`, method).kind, 'none')
  })
  it('end with the connection when neither length nor chunks are told', () => {
    assert.deepEqual(body('HTTP/1.1 200 OK\r\n\r\nabc'), {
      fault: undefined,
      kind: 'close',
      body: 'abc',
      done: false,
      over: '',
    })
    assert.equal(body('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n').kind, 'none')
  })
  it('tell what came beyond their end', () => {
    assert.equal(body('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc').over, 'bc')
    assert.equal(body('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nX').over, 'X')
  })
  it('are refused with a wrong status line, and read without a reason phrase', () => {
    for (const [line, fault] of [
      ['HTTP/1.0 200 OK', 'HTTP1_VERSION'],
      ['HTTP/2 200 OK', 'HTTP1_VERSION'],
      ['ICY 200 OK', 'HTTP1_VERSION'],
      ['HTTP/1.1  200 OK', 'HTTP1_STATUS'],
      ['HTTP/1.1 20 OK', 'HTTP1_STATUS'],
      ['HTTP/1.1 2000 OK', 'HTTP1_STATUS'],
      ['HTTP/1.1 099 OK', 'HTTP1_STATUS'],
      ['HTTP/1.1 600 OK', 'HTTP1_STATUS'],
      ['HTTP/1.1 200 O\0K', 'HTTP1_REASON'],
    ] as const)
      assert.equal(body(`${line}\r\n\r\n`).fault, fault, line)
    assert.equal(body('HTTP/1.1 204\r\n\r\n').fault, undefined)
    assert.equal(body('HTTP/1.1 204 \r\n\r\n').fault, undefined)
  })
  it('end a counted body short when the connection ends, and an uncounted one properly', () => {
    const reader = new BodyReader()
    reader.begin('length', 3)
    reader.read(Buffer.from('ab'), 0)
    assert.equal(reader.close(), false)
    reader.begin('close')
    reader.read(Buffer.from('ab'), 0)
    assert.equal(reader.close(), true)
  })
})

describe('properties', () => {
  it('every way to cut the bytes gives the same messages, positions and faults', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message(), mutated()), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }),
        (messages, cuts) => {
          const all = Buffer.concat(messages)
          const pieces: Buffer[] = []
          for (let at = 0, i = 0; at < all.length; i++) {
            const size = cuts[i % cuts.length] as number
            pieces.push(all.subarray(at, at + size))
            at += size
          }
          const whole = readRequests([all], names)
          assert.deepEqual(readRequests(pieces, names), whole)
          const each = Array.from(all, (_, at) => all.subarray(at, at + 1))
          assert.deepEqual(readRequests(each, names), whole)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('well-formed messages are read back as they were made', () => {
    fc.assert(
      fc.property(message(), (bytes) => {
        const [first, second] = readRequests([bytes], names)
        assert.equal(first?.fault, undefined)
        assert.equal(first?.complete, true)
        assert.equal(second, undefined)
      }),
      { numRuns: 500 },
    )
  })

  it('never throws and never reads past the end, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        readRequests([Buffer.from(bytes)], names)
        readResponse([Buffer.from(bytes)], names, 'GET')
      }),
      { numRuns: 500 },
    )
  })
})
