import type { ProxyConfig } from './config.ts'

/** What a limit says about one request. */
export interface Allowance {
  readonly allowed: boolean
  /** Which limit was passed. */
  readonly passed?: 'sender' | 'pair' | 'provider'
  /** Of the limit that was passed, or else of the one with the least left, for X-Rate-Limit-*; absent when no limit is on. */
  readonly limit?: number
  readonly remaining?: number
  /** Seconds until the window ends. */
  readonly reset?: number
}

type Limits = Pick<
  ProxyConfig,
  'limitPerSender' | 'limitPerPair' | 'limitPerProvider' | 'limitWindowSeconds' | 'providerLimits'
>

/** Requests that were let through in the window of now, and how many may be. */
interface Counter {
  readonly most: number
  used: number
}

const free: Allowance = { allowed: true }

/**
 * Counts requests in fixed windows (§2.10), per process. Its size is bounded by the directory, because
 * only systems that the directory knows are counted. Nothing is made for a request that no limit concerns.
 */
export function throttle(
  limits: Limits,
): (call: { from: string; to: string; provider: string }, now: number) => Allowance {
  const { limitPerSender, limitPerPair, limitPerProvider } = limits
  /** Most requests to the ASIDs that have a limit of their own; 0 for no limit. */
  const ownLimits = new Map(
    limits.providerLimits.flatMap(({ asid, requests }) => (requests === undefined ? [] : [[asid, requests] as const])),
  )
  if (limitPerSender === 0 && limitPerPair === 0 && limitPerProvider === 0 && ownLimits.size === 0) return () => free
  const window = limits.limitWindowSeconds * 1000
  let ends = 0
  const senders = new Map<string, Counter>()
  const pairs = new Map<string, Map<string, Counter>>()
  const providers = new Map<string, Counter>()
  const own = new Map<string, Counter>()
  return ({ from, to, provider }, now) => {
    if (now >= ends) {
      for (const counters of [senders, pairs, providers, own]) counters.clear()
      ends = now - (now % window) + window
    }
    const ownLimit = ownLimits.get(to)
    const bySender = limitPerSender === 0 ? undefined : counter(senders, from, limitPerSender)
    const byPair = limitPerPair === 0 ? undefined : counter(receiversOf(pairs, from), to, limitPerPair)
    const byProvider =
      ownLimit === undefined
        ? limitPerProvider === 0
          ? undefined
          : counter(providers, provider, limitPerProvider)
        : ownLimit === 0
          ? undefined
          : counter(own, to, ownLimit)
    if (bySender === undefined && byPair === undefined && byProvider === undefined) return free
    const reset = Math.ceil((ends - now) / 1000)
    if (bySender !== undefined && ++bySender.used > bySender.most) return refused('sender', bySender, reset)
    if (byPair !== undefined && ++byPair.used > byPair.most) return refused('pair', byPair, reset)
    if (byProvider !== undefined && ++byProvider.used > byProvider.most) return refused('provider', byProvider, reset)
    const { most, used } = scarcest(scarcest(bySender, byPair), byProvider) ?? { most: 0, used: 0 }
    return { allowed: true, limit: most, remaining: most - used, reset }
  }
}

function counter(counters: Map<string, Counter>, key: string, most: number): Counter {
  const there = counters.get(key)
  if (there !== undefined) return there
  const made = { most, used: 0 }
  counters.set(key, made)
  return made
}

function receiversOf(pairs: Map<string, Map<string, Counter>>, from: string): Map<string, Counter> {
  const there = pairs.get(from)
  if (there !== undefined) return there
  const made = new Map<string, Counter>()
  pairs.set(from, made)
  return made
}

/** The one with less left; the first when both have the same. */
function scarcest(one: Counter | undefined, other: Counter | undefined): Counter | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return other.most - other.used < one.most - one.used ? other : one
}

function refused(passed: 'sender' | 'pair' | 'provider', by: Counter, reset: number): Allowance {
  by.used = by.most
  return { allowed: false, passed, limit: by.most, remaining: 0, reset }
}

/** The header lines that tell a sender where it stands; empty when no limit is on. */
export function rateHeaders(allowance: Allowance): string {
  if (allowance.limit === undefined) return ''
  return `X-Rate-Limit-Limit: ${allowance.limit}\r\nX-Rate-Limit-Remaining: ${allowance.remaining}\r\nX-Rate-Limit-Reset: ${allowance.reset}\r\n`
}
