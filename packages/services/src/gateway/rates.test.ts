import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { perSecond, type Quota, type RateCounter, type Rates, rateCounter, ratesFor, windowOf } from './rates.ts'

const none: Rates = { quotaPerMinute: 0, spikePerSecond: 0 }

describe('windows of a quota', () => {
  const at = (text: string) => Date.parse(text)
  const rows: readonly [Quota, string, string, string][] = [
    [
      { limit: 1, interval: 1, timeunit: 'minute' },
      '2026-11-25T12:34:56Z',
      '2026-11-25T12:34:00Z',
      '2026-11-25T12:35:00Z',
    ],
    [
      { limit: 1, interval: 5, timeunit: 'minute' },
      '2026-11-25T12:34:56Z',
      '2026-11-25T12:30:00Z',
      '2026-11-25T12:35:00Z',
    ],
    [
      { limit: 1, interval: 1, timeunit: 'hour' },
      '2026-11-25T12:34:56Z',
      '2026-11-25T12:00:00Z',
      '2026-11-25T13:00:00Z',
    ],
    [
      { limit: 1, interval: 1, timeunit: 'day' },
      '2026-11-25T12:34:56Z',
      '2026-11-25T00:00:00Z',
      '2026-11-26T00:00:00Z',
    ],
    [
      { limit: 1, interval: 1, timeunit: 'week' },
      '2026-11-25T12:34:56Z',
      '2026-11-23T00:00:00Z',
      '2026-11-30T00:00:00Z',
    ],
    [
      { limit: 1, interval: 1, timeunit: 'month' },
      '2026-12-25T12:34:56Z',
      '2026-12-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ],
    [
      { limit: 1, interval: 3, timeunit: 'month' },
      '2026-11-25T12:34:56Z',
      '2026-10-01T00:00:00Z',
      '2027-01-01T00:00:00Z',
    ],
  ]
  for (const [quota, now, starts, ends] of rows)
    it(`of ${quota.interval} ${quota.timeunit}`, () => {
      assert.deepEqual(windowOf(quota, at(now)), { startsAt: at(starts), endsAt: at(ends) })
      assert.equal(windowOf(quota, at(ends) - 1).startsAt, at(starts))
      assert.equal(windowOf(quota, at(ends)).startsAt, at(ends))
    })
})

describe('limits of one process', () => {
  const verdict = (counter: RateCounter, rates: Rates, who = 'one') => {
    const said = counter.count(who, rates)
    return said.within ? 'within' : `${said.limit} ${said.allowed}/${said.seconds} ${said.retryAfterSeconds}`
  }

  it('a quota by the hour lasts as long, in the national form', () => {
    const clock = manualClock('2026-11-25T12:59:00Z')
    const counter = rateCounter({ now: () => clock.now(), tellMs: 1000 })
    const rates: Rates = { ...none, quota: { limit: 2, interval: 1, timeunit: 'hour' } }
    const say = () => verdict(counter, rates)
    assert.deepEqual([say(), say(), say()], ['within', 'within', 'quota 2/3600 60'])
    assert.equal(verdict(counter, rates, 'other'), 'within')
    clock.advance(60_000)
    assert.equal(say(), 'within')
  })

  it('600pm is one in 100 ms with a burst of a second; 30pm one in two seconds', () => {
    assert.deepEqual(['600pm', '10ps', '30pm', '10', 'ps', '1pd', ''].map(perSecond), [
      10,
      10,
      0.5,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    const clock = manualClock('2026-11-25T12:00:00Z')
    const counter = rateCounter({ now: () => clock.now(), tellMs: 1000 })
    const say = (spikeArrest: string) => verdict(counter, { ...none, spikeArrest }, spikeArrest)
    for (let n = 0; n < 10; n++) assert.equal(say('600pm'), 'within')
    assert.equal(say('600pm'), 'spike 10/1 1')
    clock.advance(100)
    assert.deepEqual([say('600pm'), say('600pm')], ['within', 'spike 10/1 1'])
    assert.deepEqual([say('30pm'), say('30pm')], ['within', 'spike 30/60 2'])
    clock.advance(2000)
    assert.equal(say('30pm'), 'within')
  })

  it('what an application has of its own takes the place of the same limit in the other spelling', () => {
    const environment: Rates = { quotaPerMinute: 300, spikePerSecond: 5 }
    assert.deepEqual(ratesFor(environment, undefined), environment)
    assert.deepEqual(ratesFor(environment, { spikeArrest: '600pm' }), {
      quotaPerMinute: 300,
      spikePerSecond: 0,
      spikeArrest: '600pm',
    })
    assert.deepEqual(ratesFor(environment, { quotaPerMinute: 0 }), { quotaPerMinute: 0, spikePerSecond: 5 })
  })
})

describe('limits of several processes', () => {
  const start = Date.parse('2026-11-25T12:00:00Z')
  function processes(number: number) {
    const clock = manualClock(start)
    const rows = new Map<string, number>()
    const counters = Array.from({ length: number }, () => rateCounter({ now: () => clock.now(), tellMs: 1000 }))
    const tell: Parameters<RateCounter['share']>[0] = async (counts) =>
      counts.map(({ who, startsAt, made }) => {
        const all = (rows.get(`${who} ${startsAt}`) ?? 0) + made
        rows.set(`${who} ${startsAt}`, all)
        return { who, startsAt, made: all }
      })
    const share = async () => {
      for (const counter of counters) await counter.share(tell)
    }
    return { clock, counters, tell, share, rows }
  }
  const admitted = (counters: readonly RateCounter[], rates: Rates, times: number) =>
    counters.reduce((sum, counter) => {
      for (let n = 0; n < times; n++) if (counter.count('one', rates).within) sum++
      return sum
    }, 0)

  it('a quota is exceeded at most by what the others admit between two tellings', async () => {
    const { clock, counters, share } = processes(4)
    const rates: Rates = { ...none, quotaPerMinute: 1000 }
    let all = 0
    for (let second = 0; second < 59; second++) {
      all += admitted(counters, rates, 20)
      await share()
      clock.advance(1000)
    }
    assert.ok(all >= 1000 && all <= 1000 + 3 * 20, `${all} admitted`)
    clock.advance(1000)
    assert.equal(admitted(counters, rates, 1), 4, 'the next minute')
  })

  it('the spike arrest holds for all together, and does not punish who was alone', async () => {
    const { clock, counters, share } = processes(4)
    const rates: Rates = { ...none, spikePerSecond: 10 }
    let all = 0
    for (let tenth = 0; tenth < 300; tenth++) {
      all += admitted(counters, rates, 3)
      if (tenth % 10 === 9) await share()
      clock.advance(100)
    }
    // Each has a burst and two seconds' worth before it knows of the others.
    assert.ok(all >= 280 && all <= 30 * 10 * 1.15 + 4 * 30, `${all} admitted in 30 s`)

    const alone = processes(2)
    const [busy, idle] = alone.counters as [RateCounter, RateCounter]
    idle.count('one', rates)
    await alone.share()
    for (let second = 0; second < 30; second++) {
      for (let n = 0; n < 9; n++) assert.equal(busy.count('one', rates).within, true)
      await alone.share()
      alone.clock.advance(1000)
    }
    assert.equal(idle.count('one', rates).within, true)
    await alone.share()
    assert.equal(idle.count('one', rates).within, true, 'what was counted long ago says nothing of the moment')
  })

  it('counts for itself while nobody can be told, and tells it later', async () => {
    const { counters, tell, rows } = processes(2)
    const [one, other] = counters as [RateCounter, RateCounter]
    const rates: Rates = { ...none, quotaPerMinute: 5 }
    admitted([one], rates, 3)
    await assert.rejects(one.share(async () => Promise.reject(new Error('no store'))))
    admitted([one], rates, 1)
    await one.share(tell)
    assert.deepEqual([...rows.values()], [4])
    admitted([other], rates, 1)
    await other.share(tell)
    assert.equal(admitted([other], rates, 3), 0)
    await one.share(tell)
    assert.equal(admitted([one], rates, 3), 1, 'it told nothing, and heard nothing')
  })
})
