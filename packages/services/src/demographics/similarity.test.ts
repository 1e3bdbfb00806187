import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { familyLikeness, givenLikeness, postcodeLikeness, withinOneSlip } from './similarity.ts'

test('family names: equal, one half of a double name, by sound, one slip', () => {
  assert.equal(familyLikeness('SMITH', 'SMITH'), 'equal')
  assert.equal(familyLikeness('SMYTHE', 'SMITH'), 'sounds alike')
  assert.equal(familyLikeness('SMITH', 'SMITHJONES'), 'part')
  assert.equal(familyLikeness('SMITHJONES', 'JONES'), 'part')
  assert.equal(familyLikeness('TESTCASE', 'RESTCASE'), 'one slip')
  assert.equal(familyLikeness('SMITH', 'BROWN'), undefined)
  assert.equal(familyLikeness('', ''), undefined)
})

test('given names: everyday forms and initials too', () => {
  assert.equal(givenLikeness('JOE', 'JOSEPH'), 'short form')
  assert.equal(givenLikeness('JOSEPH', 'JOE'), 'short form')
  assert.equal(givenLikeness('JUSTIN', 'JUSTEN'), 'spelling variant')
  assert.equal(givenLikeness('LUCIAN', 'LOGAN'), 'sounds alike')
  assert.equal(givenLikeness('J', 'JANE'), 'initial')
  assert.equal(givenLikeness('J', 'KATE'), undefined)
  assert.equal(givenLikeness('MARK', 'JOAN'), undefined)
  assert.equal(givenLikeness('MARK', 'MARC'), 'sounds alike')
  assert.equal(givenLikeness('MAIA', 'MIA'), 'sounds alike')
  assert.equal(givenLikeness('EVIE', 'EVOE'), 'sounds alike')
  assert.equal(givenLikeness('LUKE', 'LUNE'), 'slip in a short name')
  assert.equal(givenLikeness('LUKE', 'DUKE'), undefined)
})

test('postcodes: a slip, the same district, and otherwise nothing', () => {
  assert.equal(postcodeLikeness('ZZ993CZ', 'ZZ993CZ'), 'equal')
  assert.equal(postcodeLikeness('ZZ939CZ', 'ZZ993CZ'), 'one slip')
  assert.equal(postcodeLikeness('DN171AA', 'DN179XY'), 'same district')
  assert.equal(postcodeLikeness('NOTAPOSTCODE', 'ZZ993CZ'), undefined)
})

test('one slip is found by its definition', () => {
  const word = fc.string({ unit: fc.constantFrom('A', 'B', 'C'), maxLength: 6 })
  fc.assert(
    fc.property(word, word, (a, b) => assert.equal(withinOneSlip(a, b), slips(a).has(b))),
    { numRuns: 1000 },
  )
})

function slips(word: string): Set<string> {
  const found = new Set([word])
  for (let i = 0; i <= word.length; i++) {
    found.add(word.slice(0, i) + word.slice(i + 1))
    for (const letter of ['A', 'B', 'C']) {
      found.add(word.slice(0, i) + letter + word.slice(i))
      if (i < word.length) found.add(word.slice(0, i) + letter + word.slice(i + 1))
    }
    if (i + 1 < word.length) found.add(word.slice(0, i) + word.charAt(i + 1) + word.charAt(i) + word.slice(i + 2))
  }
  return found
}
