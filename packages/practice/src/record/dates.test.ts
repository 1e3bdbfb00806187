import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  addDays,
  dateTimeAt,
  dayAt,
  daysBetween,
  daysOf,
  displayDay,
  isDay,
  monthsBefore,
  overlaps,
  within,
} from './dates.ts'

describe('days', () => {
  it('exist or do not', () => {
    for (const day of ['2016-02-29', '2000-02-29', '2018-01-04', '2018-12-31']) assert.equal(isDay(day), true, day)
    for (const day of [
      '2015-02-29',
      '1900-02-29',
      '2018-04-31',
      '2018-00-01',
      '2018-13-01',
      '2018-1-4',
      '0000-01-01',
      '',
    ])
      assert.equal(isDay(day), false, day)
  })

  it('are shown as dd-Mmm-yyyy', () => {
    assert.equal(displayDay('2018-01-04'), '04-Jan-2018')
    assert.equal(displayDay('1999-12-31'), '31-Dec-1999')
  })

  it('add and subtract', () => {
    assert.equal(addDays('2016-02-28', 2), '2016-03-01')
    assert.equal(monthsBefore('2016-03-31', 1), '2016-02-29')
    assert.equal(monthsBefore('2016-01-15', 13), '2014-12-15')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: -5000, max: 5000 }), (start, days) => {
        const day = addDays('1940-01-01', start)
        assert.equal(daysBetween(day, addDays(day, days)), days)
      }),
    )
  })
})

describe('FHIR dateTimes', () => {
  it('are intervals of whole days', () => {
    assert.deepEqual(daysOf('2016'), { first: '2016-01-01', last: '2016-12-31' })
    assert.deepEqual(daysOf('2016-02'), { first: '2016-02-01', last: '2016-02-29' })
    assert.deepEqual(daysOf('2015-02'), { first: '2015-02-01', last: '2015-02-28' })
    assert.deepEqual(daysOf('2014-02-03'), { first: '2014-02-03', last: '2014-02-03' })
    assert.deepEqual(daysOf('2014-02-03T23:30:00+01:00'), { first: '2014-02-03', last: '2014-02-03' })
    assert.deepEqual(daysOf('2014-02-03T00:00:00.125Z'), { first: '2014-02-03', last: '2014-02-03' })
  })

  it('are refused when they are none', () => {
    const wrong = ['', ' ', '2014-02-30', '2014-13', '14', '2014-2-3', '2014-02-03T10:00:00', '2014-02-03T10:00Z']
    for (const text of [
      ...wrong,
      '2014-02-03 10:00:00Z',
      '20140203',
      '2014-02-03T25:00:00Z',
      '2014-02-03Z',
      'gone',
      '0000',
    ])
      assert.equal(daysOf(text), undefined, text)
  })
})

describe('United Kingdom time', () => {
  it('changes at 01:00 UTC on the last Sundays of March and October', () => {
    assert.equal(dateTimeAt(Date.parse('2024-03-31T00:59:59Z')), '2024-03-31T00:59:59+00:00')
    assert.equal(dateTimeAt(Date.parse('2024-03-31T01:00:00Z')), '2024-03-31T02:00:00+01:00')
    assert.equal(dateTimeAt(Date.parse('2024-10-27T00:59:59Z')), '2024-10-27T01:59:59+01:00')
    assert.equal(dateTimeAt(Date.parse('2024-10-27T01:00:00Z')), '2024-10-27T01:00:00+00:00')
    assert.equal(dateTimeAt(Date.parse('2024-05-01T09:00:00Z')), '2024-05-01T10:00:00+01:00')
  })

  it('agrees with the time zone database', () => {
    const format = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', dateStyle: 'short' })
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1996, 0), max: Date.UTC(2037, 11) }), (at) => {
        assert.equal(dayAt(at), format.format(at))
      }),
    )
  })
})

describe('ranges', () => {
  it('are inclusive and may be open', () => {
    assert.equal(within('2020-01-01', { first: '2020-01-01', last: '2020-01-01' }), true)
    assert.equal(within('2019-12-31', { first: '2020-01-01' }), false)
    assert.equal(within('2020-01-02', { last: '2020-01-01' }), false)
    assert.equal(overlaps(undefined, undefined, { first: '2020-01-01', last: '2020-01-01' }), true)
    assert.equal(overlaps('2020-01-02', undefined, { last: '2020-01-01' }), false)
    assert.equal(overlaps(undefined, '2019-12-31', { first: '2020-01-01' }), false)
  })
})
