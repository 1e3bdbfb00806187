import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { longestToken, readBearer, readToken, writeUnsecuredToken } from './jwt.ts'

const claims = { iss: 'https://consumer.example/', iat: 1_700_000_000, exp: 1_700_000_300, name: 'Zoë' }
const encode = (text: string) => Buffer.from(text).toString('base64url')

describe('unsecured token', () => {
  it('is written with the exact header, no padding and a dot at its end', () => {
    const token = writeUnsecuredToken(claims)
    assert.equal(token.split('.')[0], 'eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0')
    assert.ok(token.endsWith('.') && !token.includes('='))
    assert.deepEqual(readBearer(`Bearer ${token}`), {
      ok: true,
      header: { alg: 'none', typ: 'JWT' },
      claims,
      signed: false,
    })
  })

  it('comes back as it was, whatever the claims', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 4 })), (any) => {
        const plain = JSON.parse(JSON.stringify(any))
        const read = readToken(writeUnsecuredToken(plain))
        assert.ok(read.ok)
        assert.deepEqual(JSON.parse(JSON.stringify(read.claims)), plain)
      }),
    )
  })

  it('names what is wrong', () => {
    const good = writeUnsecuredToken(claims)
    const cases: [string, RegExp][] = [
      ['', /"Bearer"/],
      ['Bearer', /"Bearer"/],
      ['Bearer ', /"Bearer"/],
      [`Basic ${good}`, /"Bearer"/],
      [`Bearer ${good} x`, /"Bearer"/],
      [`Bearer ${good.slice(0, -1)}`, /three parts/],
      [`Bearer ${good}.`, /three parts/],
      [`Bearer a+b.${encode('{}')}.`, /header is not base64url/],
      [`Bearer ${encode('{}')}=.${encode('{}')}.`, /header is not base64url/],
      [`Bearer ${encode('{}')}.${Buffer.from('{"a":"???>>>"}').toString('base64')}.`, /claims is not base64url/],
      [
        `Bearer ${encode('{}')}.${encode('{"a":1}').slice(0, 4)}%${encode('{"a":1}').slice(4)}.`,
        /claims is not base64url/,
      ],
      [`Bearer ${encode('{}')}.${encode('{}')}.a`, /signature is not base64url/],
      [`Bearer ${encode('{}')}..`, /claims is not base64url/],
      [`Bearer ${encode('{}')}.${encode('{')}.`, /claims is not JSON/],
      [`Bearer ${encode('{}')}.${encode('null')}.`, /claims is not a JSON object/],
      [`Bearer ${encode('[]')}.${encode('{}')}.`, /header is not a JSON object/],
      [`Bearer ${encode('{}')}.${Buffer.from([0x7b, 0xff]).toString('base64url')}.`, /claims is not UTF-8/],
      [`Bearer ${encode('{}')}.${encode(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`)}.`, /nested/],
      [`Bearer ${'a'.repeat(longestToken + 1)}`, /longer/],
    ]
    for (const [header, fault] of cases) {
      const read = readBearer(header)
      assert.equal(read.ok, false, header.slice(0, 80))
      assert.match(read.ok ? '' : read.fault, fault)
    }
  })

  it('tells a signed token from an unsecured one', () => {
    const read = readToken(`${writeUnsecuredToken(claims)}c2ln`)
    assert.ok(read.ok && read.signed)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void readBearer(text)))
  })
})
