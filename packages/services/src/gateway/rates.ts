/** Requests in a window (§9.6). */
export interface Quota {
  readonly limit: number
  readonly interval: number
  readonly timeunit: 'minute' | 'hour' | 'day' | 'week' | 'month'
}

export interface Rates {
  /** 0: any number. */
  readonly quotaPerMinute: number
  readonly spikePerSecond: number
  /** In place of `quotaPerMinute`. */
  readonly quota?: Quota
  /** In place of `spikePerSecond`: `600pm` is one in 100 ms, `10ps` the same. */
  readonly spikeArrest?: string
}

export type RateVerdict =
  | { readonly within: true }
  | {
      readonly within: false
      readonly limit: 'quota' | 'spike'
      readonly retryAfterSeconds: number
      /** Requests that are allowed, and in how many seconds. */
      readonly allowed: number
      readonly seconds: number
    }

/** A request counted in one window, on its way to the counts that all processes share. */
export interface SharedCount {
  readonly who: string
  readonly startsAt: number
  readonly endsAt: number
  readonly made: number
}

interface Window {
  readonly startsAt: number
  readonly endsAt: number
}

interface Count {
  window: Window
  /** Of every process, as far as this one knows. */
  made: number
  /** Made here and not told to the others yet. */
  untold: number
  /** What may come at once, as of `filledAt`. */
  tokens: number
  filledAt: number
  /** Requests a second that are allowed, and this process's part of them until `shareUntil`. */
  rate: number
  share: number
  shareUntil: number
  /** The shared count when it was last told, and when that was. */
  told: number
  toldAt: number
}

const minuteMs = 60_000
const unitMs = { minute: minuteMs, hour: 60 * minuteMs, day: 1_440 * minuteMs, week: 10_080 * minuteMs } as const
/** The epoch was a Thursday; weeks begin on Monday. */
const mondayMs = 4 * unitMs.day

/** Window of the clock (UTC) in which a moment lies. */
export function windowOf({ interval, timeunit }: Quota, now: number): Window {
  if (timeunit === 'month') {
    const date = new Date(now)
    const months = date.getUTCFullYear() * 12 + date.getUTCMonth()
    const first = months - (months % interval)
    return { startsAt: monthAt(first), endsAt: monthAt(first + interval) }
  }
  const length = interval * unitMs[timeunit]
  const shift = timeunit === 'week' ? mondayMs : 0
  const startsAt = Math.floor((now - shift) / length) * length + shift
  return { startsAt, endsAt: startsAt + length }
}

/** First moment of a month, counted from year 0. */
const monthAt = (month: number) => Date.UTC(2000, month - 24_000)

/** Requests a second of `600pm` or `10ps`; undefined for anything else. */
export function perSecond(rate: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ps|pm)$/.exec(rate) ?? []
  return count === undefined ? undefined : Number(count) / (unit === 'pm' ? 60 : 1)
}

/** Limits of the environment, and an application's own in their place: one that it has of a kind, in whichever spelling. */
export function ratesFor(environment: Rates, own: Partial<Rates> | undefined): Rates {
  if (own === undefined) return environment
  const { quotaPerMinute, spikePerSecond, quota, spikeArrest } = environment
  const ownQuota = own.quota !== undefined || own.quotaPerMinute !== undefined
  const ownSpike = own.spikeArrest !== undefined || own.spikePerSecond !== undefined
  return {
    quotaPerMinute: ownQuota ? 0 : quotaPerMinute,
    spikePerSecond: ownSpike ? 0 : spikePerSecond,
    ...(ownQuota || quota === undefined ? {} : { quota }),
    ...(ownSpike || spikeArrest === undefined ? {} : { spikeArrest }),
    ...own,
  }
}

/** The quota in force; undefined: any number. */
export const quotaOf = ({ quota, quotaPerMinute: limit }: Rates): Quota | undefined =>
  quota ?? (limit > 0 ? { limit, interval: 1, timeunit: 'minute' } : undefined)

export interface RateCounter {
  /** Counts a request by whoever makes it: spike arrest first, then the quota. */
  count(who: string, rates: Rates): RateVerdict
  /** Tells the others what was counted here since the last time: `tell` adds it, and answers what all counted. */
  share(tell: (counts: readonly SharedCount[]) => Promise<readonly Shared[]>): Promise<void>
}

/** What all processes together counted. */
export type Shared = Pick<SharedCount, 'who' | 'startsAt' | 'made'>

/**
 * Counts in memory. Where several processes tell each other what they counted (`share`), a quota is exceeded at most by
 * what the others admit between two tellings, and of a spike arrest each takes its part: what the others leave, or as
 * much as it had of all requests, and a little more so that it can grow: together about a tenth too much, besides the
 * requests of the first two tellings. Time in milliseconds.
 */
export function rateCounter({ now, tellMs }: { now(): number; readonly tellMs: number }): RateCounter {
  const counts = new Map<string, Count>()
  const longestMs = 3 * tellMs

  function countOf(who: string, quota: Quota, rate: number, at: number): Count {
    const window = windowOf(quota, at)
    const count = counts.get(who)
    if (count === undefined) {
      const fresh: Count = {
        window,
        made: 0,
        untold: 0,
        tokens: Math.max(1, rate),
        filledAt: at,
        rate,
        share: 1,
        shareUntil: 0,
        told: 0,
        toldAt: 0,
      }
      counts.set(who, fresh)
      return fresh
    }
    // What was not told of a window that is over matters to nobody any more.
    if (count.window.startsAt !== window.startsAt || count.window.endsAt !== window.endsAt)
      Object.assign(count, { window, made: 0, untold: 0, told: 0, toldAt: 0 })
    count.rate = rate
    return count
  }

  return {
    count(who, rates) {
      const quota = quotaOf(rates)
      const rate = rates.spikeArrest === undefined ? rates.spikePerSecond : (perSecond(rates.spikeArrest) ?? 0)
      if (quota === undefined && rate === 0) return { within: true }
      const at = now()
      const count = countOf(who, quota ?? { limit: 0, interval: 1, timeunit: 'minute' }, rate, at)
      if (rate > 0) {
        const mine = at < count.shareUntil ? rate * count.share : rate
        count.tokens = Math.min(Math.max(1, mine), count.tokens + (Math.max(0, at - count.filledAt) / 1000) * mine)
        count.filledAt = at
        if (count.tokens < 1) {
          const retryAfterSeconds = Math.max(1, Math.ceil((1 - count.tokens) / mine))
          const [allowed, seconds] = rate < 1 ? [Math.round(rate * 60), 60] : [Math.round(rate), 1]
          return { within: false, limit: 'spike', retryAfterSeconds, allowed, seconds }
        }
        count.tokens--
      }
      const { startsAt, endsAt } = count.window
      if (quota !== undefined && count.made >= quota.limit) {
        const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - at) / 1000))
        return {
          within: false,
          limit: 'quota',
          retryAfterSeconds,
          allowed: quota.limit,
          seconds: (endsAt - startsAt) / 1000,
        }
      }
      count.made++
      count.untold++
      return { within: true }
    },
    async share(tell) {
      const sent = new Map<string, SharedCount>()
      for (const [who, count] of counts) {
        if (count.untold > 0) sent.set(who, { who, ...count.window, made: count.untold })
        else if (count.window.endsAt <= now()) counts.delete(who)
        count.untold = 0
      }
      if (sent.size === 0) return
      const still = (who: string, startsAt: number) => {
        const count = counts.get(who)
        return count?.window.startsAt === startsAt ? count : undefined
      }
      let shared: readonly Shared[]
      try {
        // In one order, so that processes that tell at the same time do not wait for each other in a ring.
        shared = await tell([...sent.values()].sort((one, other) => (one.who < other.who ? -1 : 1)))
      } catch (error) {
        for (const { who, startsAt, made } of sent.values()) {
          const count = still(who, startsAt)
          if (count !== undefined) count.untold += made
        }
        throw error
      }
      const at = now()
      for (const { who, startsAt, made } of shared) {
        const count = still(who, startsAt)
        if (count === undefined) continue
        const own = sent.get(who)?.made ?? 0
        const others = Math.max(0, made - count.told - own)
        const seconds = (at - count.toldAt) / 1000
        // What was told long ago says nothing of the moment.
        if (count.toldAt > 0 && seconds > 0 && at - count.toldAt <= longestMs) {
          const left = count.rate > 0 ? 1 - others / seconds / count.rate : 1
          count.share = Math.max(left, (own + 0.5) / (own + others + 0.5))
          count.shareUntil = at + longestMs
        }
        count.made = made + count.untold
        count.told = made
        count.toldAt = at
      }
    },
  }
}
