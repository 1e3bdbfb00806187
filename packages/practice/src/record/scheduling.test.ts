import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dateTimeAt } from './dates.ts'
import { isRolling, plannedUntil, type Schedule, schedule, scheduleProblems, slotsOf } from './scheduling.ts'

/** One session of one slot, which comes again. */
const book = (repeats: 'daily' | 'weekdays' | 'weekly', start = '2026-10-12T09:00:00+01:00'): Schedule =>
  schedule.parse({
    id: 'list-1',
    location: 'site-1',
    sessions: [{ start, end: start.replace('T09:00', 'T09:10'), minutes: 10, repeats }],
  })
const startsAt = (of: Schedule, at: string) => slotsOf(of, Date.parse(at)).map(({ start }) => dateTimeAt(start))

describe('sessions that come again', () => {
  it('are planned from their first day until four weeks after the day', () => {
    const starts = startsAt(book('daily'), '2026-10-13T12:00:00Z')
    assert.equal(starts[0], '2026-10-12T09:00:00+01:00')
    assert.equal(starts.at(-1), '2026-11-10T09:00:00+00:00')
    assert.equal(starts.length, 30)
    assert.equal(
      dateTimeAt(plannedUntil([book('daily')], Date.parse('2026-10-13T12:00:00Z')) ?? 0),
      '2026-11-10T09:10:00+00:00',
    )
  })

  it('keep the time of the clock on the wall when the clocks change', () => {
    const times = startsAt(book('daily'), '2026-10-13T12:00:00Z').map((start) => start.slice(11))
    assert.deepEqual([...new Set(times)], ['09:00:00+01:00', '09:00:00+00:00'])
  })

  it('leave weekends out, or come every seven days', () => {
    const days = startsAt(book('weekdays'), '2026-10-12T12:00:00Z').map((start) => start.slice(0, 10))
    assert.ok(!days.includes('2026-10-17') && !days.includes('2026-10-18') && days.includes('2026-10-19'))
    assert.deepEqual(
      startsAt(book('weekly'), '2026-10-12T12:00:00Z').map((start) => start.slice(0, 10)),
      ['2026-10-12', '2026-10-19', '2026-10-26', '2026-11-02', '2026-11-09'],
    )
  })

  it('are as many in ten years as in the first month', () => {
    const later = startsAt(book('daily'), '2036-10-12T12:00:00Z')
    assert.equal(later.length, 57)
    assert.equal(later.at(-1), '2036-11-09T09:00:00+00:00')
    assert.equal(startsAt(book('weekly'), '2036-10-12T12:00:00Z')[0]?.slice(0, 10), '2036-09-15')
  })

  it('must not overlap another session', () => {
    const [session] = book('daily').sessions
    assert.ok(session && isRolling(book('daily')))
    const other = {
      ...session,
      start: '2026-10-14T09:05:00+01:00',
      end: '2026-10-14T09:15:00+01:00',
      repeats: undefined,
    }
    const problems = scheduleProblems({
      schedules: [{ ...book('daily'), sessions: [session, other] }],
      practitioners: [],
      locations: [{ id: 'site-1' }],
      healthcareServices: [],
    })
    assert.deepEqual(problems, ['schedules[0] has slots that overlap'])
  })
})
