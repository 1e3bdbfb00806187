import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BerReader } from './ber.ts'
import { encodeFilter, type Filter, readFilter } from './filter.ts'
import { escapeFilterValue, filterText, parseFilter } from './filter-text.ts'

/** Records with the prototype that everything else has. */
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(shape, { noNullPrototype: true } as never)

const octets = fc.uint8Array({ minLength: 0, maxLength: 10 }).map((bytes) => Buffer.from(bytes))
const part = fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes))
const attribute = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,8}(;[a-z]{1,3})?$/)

const filter = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    record({
      kind: fc.constantFrom('equal', 'greaterOrEqual', 'lessOrEqual', 'approximate'),
      attribute,
      value: octets,
    }),
    record({ kind: fc.constant('present'), attribute }),
    record({
      kind: fc.constant('substrings'),
      attribute,
      initial: fc.option(part, { nil: undefined }),
      any: fc.array(part, { maxLength: 3 }),
      final: fc.option(part, { nil: undefined }),
    }).filter(({ initial, any, final }) => initial !== undefined || final !== undefined || any.length > 0),
    record({
      kind: fc.constant('extensible'),
      rule: fc.option(fc.stringMatching(/^[a-z]{3,8}$/), { nil: undefined }),
      attribute: fc.option(attribute, { nil: undefined }),
      value: octets,
      dnAttributes: fc.boolean(),
    }).filter(({ rule, attribute: named }) => rule !== undefined || named !== undefined),
    record({ kind: fc.constantFrom('and', 'or'), of: fc.array(tie('filter'), { maxLength: 4 }) }),
    record({ kind: fc.constant('not'), of: tie('filter') }),
  ) as fc.Arbitrary<Filter>,
})).filter

test('filters survive the way to text and back', () => {
  fc.assert(
    fc.property(filter, (given) => assert.deepEqual(parseFilter(filterText(given)), given)),
    { numRuns: 500 },
  )
})

test('filters survive the way to bytes and back', () => {
  fc.assert(
    fc.property(filter, (given) => assert.deepEqual(readFilter(new BerReader(encodeFilter(given))), given)),
    { numRuns: 500 },
  )
})

test('any text is a filter or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab()&|!=*<>~:\\2 é') }), (text) => {
      try {
        parseFilter(text)
      } catch (error) {
        assert.match(String((error as { code?: string }).code), /^LDAP_FILTER_/)
      }
    }),
    { numRuns: 3000 },
  )
})

test('a value escaped stays one value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const parsed = parseFilter(`(&(a=${escapeFilterValue(value)})(b=c))`)
      assert.ok(parsed.kind === 'and')
      assert.deepEqual(parsed.of, [
        { kind: 'equal', attribute: 'a', value: Buffer.from(value) },
        { kind: 'equal', attribute: 'b', value: Buffer.from('c') },
      ])
    }),
  )
})

test('reads what clients write', () => {
  const equal = (name: string, value: string): Filter => ({ kind: 'equal', attribute: name, value: Buffer.from(value) })
  assert.deepEqual(parseFilter(' ( & (a=b) \n ( | (c=d) (e=f) ) (!(g=h)) ) '), {
    kind: 'and',
    of: [equal('a', 'b'), { kind: 'or', of: [equal('c', 'd'), equal('e', 'f')] }, { kind: 'not', of: equal('g', 'h') }],
  })
  assert.deepEqual(parseFilter('a=b'), equal('a', 'b'))
  assert.deepEqual(parseFilter('(&)'), { kind: 'and', of: [] })
  assert.deepEqual(parseFilter('(|)'), { kind: 'or', of: [] })
  assert.deepEqual(parseFilter('(a= b )'), equal('a', ' b '))
  assert.deepEqual(parseFilter('(cn:dn:2.5.13.5:=x)'), {
    kind: 'extensible',
    attribute: 'cn',
    dnAttributes: true,
    rule: '2.5.13.5',
    value: Buffer.from('x'),
  })
  assert.equal(filterText(parseFilter('(a=*b*\\2a\\28*)')), '(a=*b*\\2a\\28*)')
})

test('refuses what is no filter', () => {
  for (const text of [
    '',
    '(',
    '()',
    '(a)',
    '(a=b',
    '(a=b))',
    '(&(a=b)',
    '(!)',
    '(!(a=b)(c=d))',
    '(a=\\zz)',
    '(a=\\2)',
    '(a=b(c)',
    '(=b)',
    '(a=**b)',
    '(:=x)',
    '(a:b:c:=x)',
    '(a b=c)',
  ]) {
    assert.throws(() => parseFilter(text), { code: 'LDAP_FILTER_SYNTAX' }, text)
  }
  assert.throws(() => parseFilter(`${'(!'.repeat(10_000)}(a=b)${')'.repeat(10_000)}`), {
    code: 'LDAP_FILTER_TOO_LARGE',
  })
})
