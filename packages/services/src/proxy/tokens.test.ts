import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readClaims } from './claims.ts'
import { bearer, credentials } from './testing.ts'
import { tokenReader } from './tokens.ts'

/** At a time that stands still: the same claims are the same header. */
const at = { iat: 1_790_000_000, exp: 1_790_000_300 }

/** What `read` finds in a request with that header. */
const reading =
  (read = tokenReader()) =>
  (header: string) =>
    credentials(header, read).token

describe('remembered tokens', () => {
  it('say what a reading of the header says, the first time and every time', () => {
    const read = reading()
    const header = bearer({ sub: 'u-1' })
    const claims = readClaims(header)
    assert.ok(claims.ok)
    const expected = {
      ok: true,
      json: JSON.stringify(claims.facts),
      iat: claims.claims['iat'],
      exp: claims.claims['exp'],
    }
    assert.deepEqual(read(header), expected)
    // What has come twice is remembered, and its JSON is bytes.
    const second = read(header)
    assert.deepEqual(second, { ...expected, json: Buffer.from(expected.json) })
    assert.equal(read(header), second)
    assert.deepEqual(read('Bearer a.b'), readClaims('Bearer a.b'))
    assert.deepEqual(read('Bearer a.b'), readClaims('Bearer a.b'))
  })

  it('are told from each other by their bytes when their fingerprints are the same', () => {
    const read = tokenReader()
    const alike = (header: string) => ({
      fingerprint: () => 7,
      is: (_: number, bytes: Buffer, start: number, end: number) =>
        bytes.subarray(start, end).equals(Buffer.from(header)),
      value: () => header,
    })
    for (let round = 0; round < 3; round++)
      for (const sub of ['a', 'b']) {
        const found = read(alike(bearer({ ...at, sub })), 0)?.token
        assert.ok(found?.ok && found.json.includes(`"sub":"${sub}"`))
      }
  })

  it('are remembered soon, however many share a place', () => {
    const read = tokenReader()
    const headers = [1, 2].map((number) => bearer({ ...at, sub: `u-${number}` }))
    const seen = (number: number) =>
      read(
        {
          // The same first place for both, different second ones.
          fingerprint: () => (number << 16) | 5,
          is: (_, bytes, start, end) => bytes.subarray(start, end).equals(Buffer.from(headers[number] as string)),
          value: () => headers[number],
        },
        0,
      )
    for (let round = 0; round < 4; round++) for (const number of [0, 1]) seen(number)
    for (const number of [0, 1]) assert.equal(seen(number), seen(number))
  })

  it('say whether the header is Bearer and one token, and whether it is there at all', () => {
    const told = (header: string) => credentials(header)
    assert.deepEqual(
      [told('Basic dTpw').bearer, told('bearer  x').bearer, told('Bearer a b').bearer],
      [false, true, false],
    )
    assert.deepEqual([told('').empty, told('').bearer, told('x').empty], [true, false, false])
    assert.equal(tokenReader()({ fingerprint: () => 0, is: () => false, value: () => undefined }, 0), undefined)
  })

  it('are never taken one for another, though they differ in one digit', () => {
    const read = reading()
    const iat = 1_790_000_000
    for (let round = 0; round < 2; round++)
      for (let second = 0; second < 20; second++) {
        const header = bearer({ iat: iat + second, exp: iat + second + 300 })
        read(header)
        const found = read(header)
        assert.ok(found.ok)
        assert.equal(found.iat, iat + second)
        assert.ok(found.json.includes(`"exp":${iat + second + 300}`))
      }
  })

  it('are read anew when so many others came in between that what was kept of them is overwritten', () => {
    const read = reading()
    const padding = 'x'.repeat(500)
    const said = (number: number) => {
      const found = read(bearer({ ...at, sub: `${number}-${padding}` }))
      assert.ok(found.ok && found.json.includes(`"sub":"${number}-x`), String(number))
      return typeof found.json
    }
    said(0)
    assert.equal(said(0), 'object', 'found again')
    for (let number = 1; number < 6000; number++) assert.equal(said(number), 'string', 'the first time')
    for (const number of [1, 2, 3, 2500]) assert.equal(said(number), 'string', 'long gone')
    for (const number of [5996, 5999]) assert.equal(said(number), 'object', 'still there')
  })

  it('are kept from their first time only when they can be read', () => {
    const read = reading()
    for (const header of [bearer({ iat: 'x' }), bearer({ exp: undefined }), 'Basic dTpw', 'Bearer a.b.c', 'Bearer ']) {
      const first = read(header)
      assert.deepEqual(read(header), first)
      assert.deepEqual(read(header), first)
    }
  })

  it('are forgotten when newer ones come, and kept while they are used', () => {
    const read = reading(tokenReader(4))
    const twice = (sub: string) => {
      read(bearer({ ...at, sub }))
      return read(bearer({ ...at, sub }))
    }
    const used = twice('used')
    const left = twice('left')
    for (let i = 0; i < 100; i++) {
      twice(`other-${i * 7919}`)
      assert.equal(read(bearer({ ...at, sub: 'used' })), used)
    }
    const again = read(bearer({ ...at, sub: 'left' }))
    assert.notEqual(again, left)
    assert.deepEqual(again, left)
  })
})
