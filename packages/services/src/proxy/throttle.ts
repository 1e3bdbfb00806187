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

type Limits = Pick<ProxyConfig, 'limitPerSender' | 'limitPerPair' | 'limitPerProvider' | 'limitWindowSeconds'>

const free: Allowance = { allowed: true }

/**
 * Counts requests in fixed windows (§2.10), per process. Its size is bounded by the directory, because
 * only systems that the directory knows are counted.
 */
export function throttle(
  limits: Limits,
): (call: { from: string; to: string; provider: string }, now: number) => Allowance {
  const { limitPerSender, limitPerPair, limitPerProvider } = limits
  if (limitPerSender === 0 && limitPerPair === 0 && limitPerProvider === 0) return () => free
  const window = limits.limitWindowSeconds * 1000
  let ends = 0
  const counts = new Map<string, number>()
  return (call, now) => {
    if (now >= ends) {
      counts.clear()
      ends = now - (now % window) + window
    }
    const reset = Math.ceil((ends - now) / 1000)
    let limit = Number.POSITIVE_INFINITY
    let remaining = Number.POSITIVE_INFINITY
    const look = (key: string, most: number): boolean => {
      if (most === 0) return true
      const used = (counts.get(key) ?? 0) + 1
      const left = Math.max(0, most - used)
      if (left < remaining || limit === Number.POSITIVE_INFINITY) {
        limit = most
        remaining = left
      }
      if (used > most) return false
      counts.set(key, used)
      return true
    }
    const passed = !look(`s ${call.from}`, limitPerSender)
      ? 'sender'
      : !look(`p ${call.from} ${call.to}`, limitPerPair)
        ? 'pair'
        : undefined
    if (passed !== undefined) return { allowed: false, passed, limit, remaining: 0, reset }
    if (!look(`o ${call.provider}`, limitPerProvider))
      return { allowed: false, passed: 'provider', limit: limitPerProvider, remaining: 0, reset }
    return { allowed: true, limit, remaining, reset }
  }
}

/** The header lines that tell a sender where it stands; empty when no limit is on. */
export function rateHeaders(allowance: Allowance): string {
  if (allowance.limit === undefined) return ''
  return `X-Rate-Limit-Limit: ${allowance.limit}\r\nX-Rate-Limit-Remaining: ${allowance.remaining}\r\nX-Rate-Limit-Reset: ${allowance.reset}\r\n`
}
