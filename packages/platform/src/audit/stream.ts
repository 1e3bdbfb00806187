import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { StoredAuditRecord } from './audit.ts'
import { storedRecord } from './line.ts'
import { openJournals } from './segment.ts'
import { hasTables, recordsOfEvent } from './store.ts'

/** Records of one event within a stretch of time. */
export interface AuditStretch {
  readonly event: string
  /** Milliseconds since the epoch, inclusive; without it, from the beginning. */
  readonly from?: number
  /** Exclusive; without it, to the end. */
  readonly to?: number
}

/** Pages hold up the event loop for a few milliseconds each. */
const recordPage = 1000
const farthest = 8.64e15

/**
 * Every record of an event in a stretch of time, each once, in pages: for questions about more records than a search
 * answers. Needs no writer and writes nothing. What was acknowledged before the call is in it, whether it is in the
 * store or still in the journals of this folder; first come those of the journals, then those of the store by time.
 */
export async function* streamAudit(
  where: { readonly store: Store; readonly journalDir: string; readonly clock: Clock },
  stretch: AuditStretch,
): AsyncGenerator<StoredAuditRecord> {
  const { store } = where
  const { event, from = -farthest, to = farthest } = stretch
  // Held open first: what leaves the journals while they are read is left out below, by its place in the chain.
  const journals = await openJournals(where.journalDir, where.clock.now())
  const waiting = new Map<string, { first: number; last: number }>()
  try {
    for (const { chain, segments } of journals)
      for (const segment of segments)
        for await (const { line, place } of segment.lines()) {
          const seen = waiting.get(chain)
          if (seen === undefined) waiting.set(chain, { first: place, last: place })
          else if (place > seen.last) seen.last = place
          else continue
          if (line !== undefined && line.event === event && line.at >= from && line.at < to)
            yield storedRecord(chain, line)
        }
  } finally {
    for (const { segments } of journals) for (const segment of segments) await segment.close()
  }
  if (!(await hasTables(store))) return
  for (let after: { at: number; chain: string; seq: number } | undefined; ; ) {
    const page = await recordsOfEvent(store, { event, from, to, after, limit: recordPage })
    for (const line of page) {
      const seen = waiting.get(line.chain)
      if (seen === undefined || line.seq < seen.first || line.seq > seen.last) yield storedRecord(line.chain, line)
    }
    after = page.at(-1)
    if (after === undefined || page.length < recordPage) return
  }
}
