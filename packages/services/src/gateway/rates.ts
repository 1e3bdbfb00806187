export interface Rates {
  /** 0: any number. */
  readonly quotaPerMinute: number
  readonly spikePerSecond: number
}

export type RateVerdict =
  | { readonly within: true }
  | { readonly within: false; readonly limit: 'quota' | 'spike'; readonly retryAfterSeconds: number }

interface Count {
  /** Start of the minute that `made` counts. */
  minute: number
  made: number
  /** What may come at once, as of `filledAt`. */
  tokens: number
  filledAt: number
}

const minuteMs = 60_000

/** Counts requests by whoever makes them: spike arrest first, then the quota of the minute. Time in milliseconds. */
export function rateCounter(): (who: string, now: number, rates: Rates) => RateVerdict {
  const counts = new Map<string, Count>()
  return (who, now, { quotaPerMinute, spikePerSecond }) => {
    if (quotaPerMinute === 0 && spikePerSecond === 0) return { within: true }
    const minute = Math.floor(now / minuteMs) * minuteMs
    let count = counts.get(who)
    if (count === undefined) {
      count = { minute, made: 0, tokens: spikePerSecond, filledAt: now }
      counts.set(who, count)
    }
    if (spikePerSecond > 0) {
      const passed = Math.max(0, now - count.filledAt) / 1000
      count.tokens = Math.min(spikePerSecond, count.tokens + passed * spikePerSecond)
      count.filledAt = now
      if (count.tokens < 1) return { within: false, limit: 'spike', retryAfterSeconds: 1 }
      count.tokens--
    }
    if (count.minute !== minute) {
      count.minute = minute
      count.made = 0
    }
    if (quotaPerMinute > 0 && count.made >= quotaPerMinute) {
      return {
        within: false,
        limit: 'quota',
        retryAfterSeconds: Math.max(1, Math.ceil((minute + minuteMs - now) / 1000)),
      }
    }
    count.made++
    return { within: true }
  }
}
