/**
 * Lets through so many in a second, all at once if they come so, in this process (§17: spike arrest of POST /Patient).
 * 0 lets everyone through. Time in milliseconds.
 */
export function perSecond(most: number): (now: number) => boolean {
  let left = most
  let filledAt = 0
  return (now) => {
    if (most === 0) return true
    left = Math.min(most, left + (Math.max(0, now - filledAt) / 1000) * most)
    filledAt = now
    if (left < 1) return false
    left--
    return true
  }
}
