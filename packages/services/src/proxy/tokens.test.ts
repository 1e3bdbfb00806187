import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readClaims } from './claims.ts'
import { bearer } from './testing.ts'
import { tokenReader } from './tokens.ts'

/** At a time that stands still: the same claims are the same header. */
const at = { iat: 1_790_000_000, exp: 1_790_000_300 }

describe('remembered tokens', () => {
  it('say what a reading of the header says, the first time and every time', () => {
    const read = tokenReader()
    const header = bearer({ sub: 'u-1' })
    const reading = readClaims(header)
    assert.ok(reading.ok)
    const expected = {
      ok: true,
      json: JSON.stringify(reading.facts),
      iat: reading.claims['iat'],
      exp: reading.claims['exp'],
    }
    const first = read(header)
    assert.deepEqual(first, expected)
    // Another string with the same characters, as the next request brings it.
    assert.equal(read(Buffer.from(header).toString()), first)
    assert.deepEqual(read('Bearer a.b'), readClaims('Bearer a.b'))
    assert.deepEqual(read('Bearer a.b'), readClaims('Bearer a.b'))
  })

  it('are never taken one for another, though they differ in one digit', () => {
    const read = tokenReader()
    const iat = 1_790_000_000
    for (let round = 0; round < 2; round++)
      for (let second = 0; second < 20; second++) {
        const found = read(bearer({ iat: iat + second, exp: iat + second + 300 }))
        assert.ok(found.ok)
        assert.equal(found.iat, iat + second)
        assert.ok(found.json.includes(`"exp":${iat + second + 300}`))
      }
  })

  it('are forgotten when newer ones come, and kept while they are used', () => {
    const read = tokenReader(4)
    const used = read(bearer({ ...at, sub: 'used' }))
    const left = read(bearer({ ...at, sub: 'left' }))
    for (let i = 0; i < 100; i++) {
      read(bearer({ ...at, sub: `other-${i * 7919}` }))
      assert.equal(read(bearer({ ...at, sub: 'used' })), used)
    }
    const again = read(bearer({ ...at, sub: 'left' }))
    assert.notEqual(again, left)
    assert.deepEqual(again, left)
  })
})
