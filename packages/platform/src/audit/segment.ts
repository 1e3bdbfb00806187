import { isUtf8 } from 'node:buffer'
import { readdirSync, renameSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuditLine, readLine } from './line.ts'
import { isAlive, silentMs, type Writer } from './writer.ts'

/** First line of a journal file. `after` is the record before its first: `seq` 0 and the chain's seed at the beginning. */
export interface SegmentHeader {
  readonly chain: string
  readonly after: { readonly seq: number; readonly hash: string }
  readonly writer: Writer
}

/** A journal file as found in the folder. */
export interface FoundSegment {
  readonly path: string
  /** Undefined when the first line is damaged. */
  readonly header: SegmentHeader | undefined
  /** Where the records begin. */
  readonly start: number
  /** Records beyond this place were never acknowledged: a later file of the chain begins there. Infinity for the last. */
  readonly upTo: number
}

/** All files of one writer, in order. */
export interface FoundJournal {
  readonly chain: string
  readonly alive: boolean
  readonly segments: readonly FoundSegment[]
}

const prefix = '#openspine audit journal 1 '
const extension = '.journal'
/** Longest header that is read. */
const headerBytes = 4096
const chunkBytes = 256 << 10

export const segmentName = (chain: string, ordinal: number): string =>
  `${chain}.${String(ordinal).padStart(8, '0')}${extension}`

export const segmentHeader = (header: SegmentHeader): string => `${prefix}${JSON.stringify(header)}\n`

/**
 * The journals in the folder. A file without a whole first line holds no acknowledged record (that line is written before
 * the first one); once its writer must be gone it comes back under `empty`.
 */
export async function findJournals(
  folder: string,
  now: number,
): Promise<{ readonly journals: readonly FoundJournal[]; readonly empty: readonly string[] }> {
  const byChain = new Map<string, { segments: Omit<FoundSegment, 'upTo'>[]; lastSeen: number }>()
  const torn: { readonly chain: string; readonly path: string; readonly seen: number }[] = []
  for (const name of namesIn(folder)) {
    const chain = /^(.+)\.\d+\.journal$/.exec(name)?.[1]
    if (chain === undefined) continue
    const path = join(folder, name)
    const seen = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
    const found = await readHeader(path)
    if (found === 'gone') continue
    if (found === 'torn') {
      torn.push({ chain, path, seen })
      continue
    }
    const journal = byChain.get(chain) ?? { segments: [], lastSeen: 0 }
    byChain.set(chain, journal)
    journal.segments.push(found)
    journal.lastSeen = Math.max(journal.lastSeen, seen)
  }
  const journals = [...byChain].map(([chain, { segments, lastSeen }]) => {
    const writer = segments.findLast(({ header }) => header !== undefined)?.header?.writer
    return {
      chain,
      alive: writer === undefined ? now - lastSeen < silentMs : isAlive(writer, lastSeen, now),
      segments: segments.map((segment, index) => ({
        ...segment,
        upTo: segments[index + 1]?.header?.after.seq ?? Number.POSITIVE_INFINITY,
      })),
    }
  })
  const dead = new Set(journals.filter(({ alive }) => !alive).map(({ chain }) => chain))
  const empty = torn.filter(({ chain, seen }) => dead.has(chain) || now - seen > silentMs).map(({ path }) => path)
  return { journals, empty }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Undefined when the file is gone; any other failure must not be taken for that, or records would be thrown away. */
function openFile(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
}

async function readHeader(path: string): Promise<Omit<FoundSegment, 'upTo'> | 'gone' | 'torn'> {
  const file = await openFile(path)
  if (!file) return 'gone'
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headerBytes), 0, headerBytes, 0)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    if (end < 0 && bytesRead < headerBytes) return 'torn'
    return { path, header: parseHeader(buffer.toString('utf8', 0, Math.max(end, 0))), start: end + 1 }
  } finally {
    await file.close()
  }
}

function parseHeader(text: string): SegmentHeader | undefined {
  if (!text.startsWith(prefix)) return undefined
  try {
    return JSON.parse(text.slice(prefix.length)) as SegmentHeader
  } catch {
    return undefined
  }
}

/** A line of a journal file. */
export interface JournalEntry {
  /** Undefined when the bytes are no record. */
  readonly line: AuditLine | undefined
  readonly bytes: Buffer
  /** Which record it is, or must have been. */
  readonly place: number
}

/** A journal file held open, so that removal by whoever takes it over does no harm to the reader. */
export interface OpenSegment {
  /** Bytes after the last line feed are a torn write that was never acknowledged, and are left out. */
  lines(): AsyncGenerator<JournalEntry>
  close(): Promise<void>
}

/** Undefined when the file is gone. */
export async function openSegment(segment: FoundSegment): Promise<OpenSegment | undefined> {
  const file = await openFile(segment.path)
  if (!file) return undefined
  return {
    async *lines() {
      let position = segment.start
      let rest: Buffer = Buffer.alloc(0)
      let place = segment.header?.after.seq ?? 0
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
        if (bytesRead === 0) return
        position += bytesRead
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        let from = 0
        for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
          const found = bytes.subarray(from, end)
          const line = isUtf8(found) ? readLine(found.toString()) : undefined
          place = line?.seq ?? place + 1
          if (place <= segment.upTo) yield { line, bytes: found, place }
          from = end + 1
        }
        rest = bytes.subarray(from)
      }
    },
    close: () => file.close(),
  }
}

/** The files of one writer, held open. */
export interface OpenJournal {
  readonly chain: string
  readonly segments: readonly OpenSegment[]
}

/** All journals of the folder, held open: nothing slips from them into the store unseen by whoever reads both. */
export async function openJournals(folder: string, now: number): Promise<OpenJournal[]> {
  const { journals } = await findJournals(folder, now)
  const opened: OpenJournal[] = []
  for (const { chain, segments } of journals) {
    const open: OpenSegment[] = []
    for (const segment of segments) {
      const one = await openSegment(segment)
      if (one) open.push(one)
    }
    opened.push({ chain, segments: open })
  }
  return opened
}

/** Keeps a journal file for whoever investigates, out of the way of the next start. */
export function setAside(path: string): void {
  try {
    renameSync(path, `${path}.damaged`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
