import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare, told } from './differential.test-kit.ts'

describe('the framer beside the parser of node:http', () => {
  it('accepts nothing that the parser refuses or reads in another way; the other differences are listed', () => {
    const result = compare(20_000, 20_261_125)
    assert.deepEqual(result.wrong, [], told(result))
    assert.ok(result.agreed > 3_000, `only ${result.agreed} were accepted: too wild to prove anything`)
    assert.ok(Object.keys(result.stricter).length > 8, 'few differences were met: too tame to prove anything')
  })
})
