import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { parseDateParameter, parseDateTime, parseToken, splitAlternatives } from './search.ts'

test('tokens tell system, value and the number of bars', () => {
  const cases: readonly (readonly [string, string | undefined, string, number])[] = [
    ['urn:s|1', 'urn:s', '1', 1],
    ['1', undefined, '1', 0],
    ['|1', '', '1', 1],
    ['urn:s|', 'urn:s', '', 1],
    ['|', '', '', 1],
    ['', undefined, '', 0],
    ['a|b|c', 'a', 'b|c', 2],
    ['a\\|b|c\\,d\\$e\\\\f', 'a|b', 'c,d$e\\f', 1],
    ['a\\x|b\\', 'a\\x', 'b\\', 1],
  ]
  for (const [text, system, value, bars] of cases) assert.deepEqual(parseToken(text), { system, value, bars }, text)
})

test('an escaped token is read back', () => {
  const escaped = (text: string) => text.replace(/[\\|,$]/g, '\\$&')
  const part = fc.string({ unit: fc.constantFrom('a', '\\', '|', ',', '$', ':') })
  fc.assert(
    fc.property(part, part, part, (system, value, other) => {
      const written = `${escaped(system)}|${escaped(value)}`
      assert.deepEqual(parseToken(written), { system, value, bars: 1 })
      assert.deepEqual(splitAlternatives(`${written},${escaped(other)}`), [written, escaped(other)])
    }),
  )
})

const iso = (milliseconds: number | undefined) => new Date(milliseconds ?? Number.NaN).toISOString()

test('dates cover the whole of what they name', () => {
  const cases: readonly (readonly [string, string, string, string, number | undefined])[] = [
    ['2016', 'year', '2016-01-01T00:00:00.000Z', '2017-01-01T00:00:00.000Z', undefined],
    ['2016-02', 'month', '2016-02-01T00:00:00.000Z', '2016-03-01T00:00:00.000Z', undefined],
    ['2016-12', 'month', '2016-12-01T00:00:00.000Z', '2017-01-01T00:00:00.000Z', undefined],
    ['2016-02-29', 'day', '2016-02-29T00:00:00.000Z', '2016-03-01T00:00:00.000Z', undefined],
    ['2016-02-29T23:59', 'minute', '2016-02-29T23:59:00.000Z', '2016-03-01T00:00:00.000Z', undefined],
    ['2016-06-01T10:00:00+01:00', 'second', '2016-06-01T09:00:00.000Z', '2016-06-01T09:00:01.000Z', 60],
    ['2016-06-01T10:00:00 01:00', 'second', '2016-06-01T09:00:00.000Z', '2016-06-01T09:00:01.000Z', 60],
    ['2016-06-01T10:00:00-05:30', 'second', '2016-06-01T15:30:00.000Z', '2016-06-01T15:30:01.000Z', -330],
    ['2016-06-01T10:00:00.5Z', 'millisecond', '2016-06-01T10:00:00.500Z', '2016-06-01T10:00:00.501Z', 0],
    ['0001-01-01', 'day', '0001-01-01T00:00:00.000Z', '0001-01-02T00:00:00.000Z', undefined],
  ]
  for (const [text, precision, start, end, zone] of cases) {
    const date = parseDateTime(text)
    assert.deepEqual(
      [date?.precision, iso(date?.start), iso(date?.end), date?.zone],
      [precision, start, end, zone],
      text,
    )
  }
})

test('what is no date is none', () => {
  for (const text of [
    '',
    '16',
    '2016-1',
    '2016-13',
    '2016-00',
    '2016-02-30',
    '2015-02-29',
    '2016-02-00',
    '2016-01-01T',
    '2016-01-01T10',
    '2016-01-01T24:00:00Z',
    '2016-01-01T10:60:00Z',
    '2016-01-01T10:00:60Z',
    '2016-01-01T10:00:00+15:00',
    '2016-01-01T10:00:00+01',
    '2016-01-01 10:00',
    '20160101',
    '2016-01-01Z',
    ' 2016',
    '2016\n',
    '٢٠١٦',
  ])
    assert.equal(parseDateTime(text), undefined, text)
})

test('a date parameter has a prefix or means equality', () => {
  assert.equal(parseDateParameter('start', 'ge2026-02-01').prefix, 'ge')
  assert.equal(parseDateParameter('start', '2026-02-01').prefix, 'eq')
  assert.equal(parseDateParameter('start', 'le2026').date.precision, 'year')
  for (const value of ['xx2026', 'GE2026', '>2026', 'ge', 'ge 2026', 'gege2026'])
    assert.throws(
      () => parseDateParameter('start', value),
      (error) =>
        isSpineError(error) &&
        error.code === 'FHIR_SEARCH_VALUE' &&
        (error.outcome as { path: string }).path === 'start',
      value,
    )
})
