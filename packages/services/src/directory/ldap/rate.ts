import type { Clock } from '@openspine/platform/clock'

interface Bucket {
  tokens: number
  /** When the tokens were last counted. */
  at: number
}

/** Buckets that are held. Above it the tenth that came first is forgotten: those clients begin anew. */
const mostClients = 10_000

/** So many seconds' worth of searches may come at once after a rest. */
const burstSeconds = 2

/**
 * Searches a second for each client, whatever the number of its connections (directory specification §16.7): a token
 * bucket by name. Answers whether one more may be made; undefined when nothing is limited.
 */
export function searchRate(perSecond: number, clock: Clock): ((client: string) => boolean) | undefined {
  if (perSecond <= 0) return undefined
  const burst = Math.max(1, perSecond * burstSeconds)
  const buckets = new Map<string, Bucket>()
  const refill = (bucket: Bucket, now: number) => {
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1000)
    bucket.at = now
  }
  return (client) => {
    const now = clock.now()
    let bucket = buckets.get(client)
    if (bucket === undefined) {
      if (buckets.size >= mostClients) forgetOldest(buckets)
      bucket = { tokens: burst, at: now }
      buckets.set(client, bucket)
    } else refill(bucket, now)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  let left = mostClients / 10
  for (const client of buckets.keys()) {
    if (left-- <= 0) return
    buckets.delete(client)
  }
}
