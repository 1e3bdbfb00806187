import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { StoredAuditRecord } from './audit.ts'
import { storedRecord } from './line.ts'
import { openJournals } from './segment.ts'
import { hasTables, recordsBetween, type StoredLine, timesOfEvent } from './store.ts'

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
/** Width of the first slice of time, in milliseconds. */
const firstSlice = 1000
const farthest = 8.64e15

/**
 * Every record of an event in a stretch of time, each once, in pages: for questions about more records than a search
 * answers. Needs no writer and writes nothing. What was acknowledged before the call is in it, whether it is in the
 * store or still in the journals of this folder; first come those of the journals, then those of the store.
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
  for await (const line of storedLines(store, { event, from, to })) {
    const seen = waiting.get(line.chain)
    if (seen === undefined || line.seq < seen.first || line.seq > seen.last) yield storedRecord(line.chain, line)
  }
}

/**
 * In slices of time that hold about a page each. Not in pages of one ordered whole: for each of those a planner that
 * does not know the table yet reads and sorts all that is left.
 */
async function* storedLines(store: Store, { event, from, to }: Required<AuditStretch>): AsyncGenerator<StoredLine> {
  const times = await timesOfEvent(store, { event, from, to })
  if (times === undefined) return
  let width = firstSlice
  for (let at = times.first; at <= times.last; ) {
    const end = Math.min(at + width, times.last + 1)
    // One millisecond is taken whole, however much it holds.
    const limit = end - at === 1 ? 2 ** 40 : recordPage
    const page = await recordsBetween(store, { event, from: at, to: end, limit: limit + 1 })
    if (page.length > limit) {
      width = Math.max(1, Math.floor((end - at) / 4))
      continue
    }
    yield* page
    at = end
    if (page.length < recordPage / 4) width *= 2
  }
}
