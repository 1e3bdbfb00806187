import type { Clock } from '@openspine/platform/clock'

/** Callers that are remembered at most; the one that was quiet the longest is forgotten first. */
const mostCallers = 10_000

/**
 * Fair use: each caller may ask `perSecond` times a second, and as often at once. Answers how many seconds to wait;
 * 0 to go on. `perSecond` 0 lets everybody.
 */
export function fairUse(perSecond: number, clock: Clock): (caller: string) => number {
  const callers = new Map<string, { tokens: number; at: number }>()
  const most = Math.max(1, perSecond)
  return (caller) => {
    if (perSecond === 0) return 0
    const now = clock.now()
    const known = callers.get(caller)
    const tokens =
      known === undefined ? most : Math.min(most, known.tokens + (Math.max(0, now - known.at) / 1000) * perSecond)
    const granted = tokens >= 1
    callers.delete(caller)
    callers.set(caller, { tokens: granted ? tokens - 1 : tokens, at: now })
    const [oldest] = callers.keys()
    if (callers.size > mostCallers && oldest !== undefined) callers.delete(oldest)
    return granted ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond))
  }
}
