import { isUtf8 } from 'node:buffer'
import type { Store } from '../store/store.ts'
import { readLine } from './line.ts'
import { firstConflict, insertLines } from './store.ts'

/** What was odd about a group of lines; both are for verify to name, and a reason to keep the journal file. */
export interface Ingested {
  /** Lines that are no records, and were left out. */
  readonly damaged: number
  /** Place whose row in the store is another record than the journal's. */
  readonly conflict: number | undefined
}

const lineFeed = 10

/**
 * Takes whole journal lines (a line feed between them, none at the end) into the store; lines that are there already do no
 * harm, so a group whose commit is in doubt is simply sent again.
 */
export async function ingest(store: Store, chain: string, lines: Buffer): Promise<Ingested> {
  try {
    return await ingestWhole(store, chain, lines, 0)
  } catch (error) {
    if (!isDataError(error)) throw error
    const { kept, damaged } = sift(lines)
    return kept.length === 0 ? { damaged, conflict: undefined } : ingestWhole(store, chain, kept, damaged)
  }
}

async function ingestWhole(store: Store, chain: string, lines: Buffer, damaged: number): Promise<Ingested> {
  const inserted = await insertLines(store, chain, lines)
  const conflict = inserted < countLines(lines) ? await firstConflict(store, chain, lines) : undefined
  return { damaged, conflict }
}

function countLines(lines: Buffer): number {
  let count = 1
  for (let at = lines.indexOf(lineFeed); at >= 0; at = lines.indexOf(lineFeed, at + 1)) count++
  return count
}

function sift(lines: Buffer): { readonly kept: Buffer; readonly damaged: number } {
  const kept: Buffer[] = []
  let damaged = 0
  for (let from = 0; from <= lines.length; ) {
    const feed = lines.indexOf(lineFeed, from)
    const end = feed < 0 ? lines.length : feed
    const line = lines.subarray(from, end)
    if (!isUtf8(line) || !readLine(line.toString())) damaged++
    else kept.push(...(kept.length === 0 ? [line] : [newLine, line]))
    from = end + 1
  }
  return { kept: Buffer.concat(kept), damaged }
}

const newLine = Buffer.of(lineFeed)

/** The data, not the store, is at fault: SQLSTATE class 22 (data exception) or 23502 (missing value). */
function isDataError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^22[0-9A-Z]{3}$/.test(code) || code === '23502'
}
