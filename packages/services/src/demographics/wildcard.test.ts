import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldName, foldPostcode } from './fold.ts'
import { afterPrefix, isWild, likePattern, matches, parsePattern } from './wildcard.ts'

test('a wildcard needs two characters before it, and at most three stand in a value', () => {
  for (const wrong of ['*', 'S*', '*mith', 'S*th', '--*', '12*', 'Sm*i*t*h*'])
    assert.equal(parsePattern(wrong, foldName), undefined)
  for (const right of ['Sm*', 'Sm*th', 'Smi*h', 'Smith']) assert.ok(parsePattern(right, foldName))
  assert.deepEqual(parsePattern("O'*", foldName), { pieces: ['O', ''] })
  assert.deepEqual(parsePattern('zz99 *', foldPostcode), { pieces: ['ZZ99', ''] })
})

test('without a wildcard only equality matches, and nothing matches nothing', () => {
  const smith = parsePattern('smith', foldName)
  assert.ok(smith && !isWild(smith) && matches(smith, 'SMITH') && !matches(smith, 'SMITHS'))
  assert.equal(matches({ pieces: [''] }, ''), false)
})

test('matches as a naive backtracking matcher and as LIKE do', () => {
  const letters = fc.string({ unit: fc.constantFrom('A', 'B'), maxLength: 6 })
  fc.assert(
    fc.property(
      fc.array(letters, { minLength: 2, maxLength: 4 }),
      fc.string({ unit: fc.constantFrom('A', 'B'), maxLength: 12 }),
      (pieces, text) => {
        assert.equal(matches({ pieces }, text), naive(pieces.join('*'), text))
        assert.equal(likePattern({ pieces }), pieces.join('%'))
      },
    ),
    { numRuns: 2000 },
  )
})

function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)))
  return text !== '' && pattern[0] === text[0] && naive(pattern.slice(1), text.slice(1))
}

test('a prefix range holds exactly what begins with the prefix', () => {
  const folded = fc.string({ unit: fc.constantFrom(...'ABYZ09'), minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(folded, folded, (prefix, text) => {
      assert.equal(text >= prefix && text < afterPrefix(prefix), text.startsWith(prefix))
    }),
  )
})
