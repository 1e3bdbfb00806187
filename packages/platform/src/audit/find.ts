import { SpineError } from '@openspine/standards/error'
import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { Audit, StoredAuditRecord } from './audit.ts'
import { escapeTrace, storedRecord } from './line.ts'
import { findJournals, openSegment } from './segment.ts'
import { hasTables, recordAt, type StoredLine, selectRecords } from './store.ts'

/** Most records that one search answers. */
export const mostFound = 10_000

export type AuditQuery = Parameters<Audit['find']>[0]

/**
 * Searches without being the writer and without writing anything: the store, and what still waits in the journals of this
 * folder. Newest first; after the record `after`, oldest first, when that is given.
 */
export async function findAudit(options: Where, query: AuditQuery): Promise<StoredAuditRecord[]> {
  const { store } = options
  const limit = Math.min(Math.max(Math.trunc(query.limit), 0), mostFound)
  const trace = query.trace === undefined ? undefined : escapeTrace(query.trace)
  const { event } = query
  const there = await hasTables(store)
  const start = query.after && (await placeOf(options, there, query.after))
  const direction = start ? 1 : -1
  const better = (a: StoredLine, b: StoredLine) => direction * order(a, b)
  // The journals first: what leaves them meanwhile is in the store by then.
  const found = new Map<string, StoredLine>()
  for await (const line of waitingLines(options)) {
    if (trace !== undefined && line.trace !== trace) continue
    if (event !== undefined && line.event !== event) continue
    if (start && order(line, start) <= 0) continue
    found.set(name(line), line)
    if (found.size > 2 * limit + 1000) keepBest(found, better, limit)
  }
  if (there)
    for (const line of await selectRecords(store, { trace, event, after: start, limit })) found.set(name(line), line)
  keepBest(found, better, limit)
  return [...found.values()].map((line) => storedRecord(line.chain, line))
}

function keepBest(
  found: Map<string, StoredLine>,
  better: (a: StoredLine, b: StoredLine) => number,
  limit: number,
): void {
  const best = [...found.values()].sort(better).slice(0, limit)
  found.clear()
  for (const line of best) found.set(name(line), line)
}

const name = ({ chain, seq }: { readonly chain: string; readonly seq: number }): string => `${chain} ${seq}`

interface Place {
  readonly at: number
  readonly chain: string
  readonly seq: number
}

function order(a: Place, b: Place): number {
  return a.at - b.at || (a.chain === b.chain ? a.seq - b.seq : a.chain < b.chain ? -1 : 1)
}

interface Where {
  readonly store: Store
  readonly journalDir: string
  readonly clock: Clock
  /** Chain whose journal need not be read, because it is known to be in the store. */
  readonly except?: string
}

/** Where the record to go on from stands; it may move from the journal to the store while we look. */
async function placeOf(
  where: Where,
  there: boolean,
  cursor: { readonly chain: string; readonly seq: number },
): Promise<Place> {
  const stored = () => (there ? recordAt(where.store, cursor) : undefined)
  const waiting = async () => {
    for await (const line of waitingLines(where))
      if (line.chain === cursor.chain && line.seq === cursor.seq) return line
    return undefined
  }
  const record = (await stored()) ?? (await waiting()) ?? (await stored())
  if (record) return { at: record.at, chain: cursor.chain, seq: cursor.seq }
  throw new SpineError('AUDIT_RECORD_UNKNOWN', undefined, {
    detail: `${cursor.chain}/${cursor.seq}`,
    explanation: 'The record to go on from does not exist.',
  })
}

async function* waitingLines({ journalDir, clock, except }: Where): AsyncGenerator<StoredLine> {
  const { journals } = await findJournals(journalDir, clock.now())
  for (const { chain, segments } of journals) {
    if (chain === except) continue
    for (const segment of segments) {
      const open = await openSegment(segment)
      if (!open) continue
      try {
        for await (const { line } of open.lines()) if (line) yield { ...line, chain }
      } finally {
        await open.close()
      }
    }
  }
}
