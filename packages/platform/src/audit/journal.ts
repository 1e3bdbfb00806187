import {
  closeSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { unlink as remove } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SpineError } from '@openspine/standards/error'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { AuditRecord } from './audit.ts'
import { bytesHash, chainSeed, isEventName, recordFacts, recordStart } from './line.ts'
import { segmentHeader, segmentName, setAside } from './segment.ts'
import { abandonedAt, heartbeatMs, silentMs, thisWriter } from './writer.ts'

/**
 * What an acknowledged record survives. `process`: the end of this process in any way, `kill -9` included (it is in the
 * kernel; a group fdatasync follows within 200 ms). `disk`: also the end of the operating system or the power.
 */
export type Durability = 'process' | 'disk'

export interface Head {
  readonly seq: number
  readonly hash: string
}

/** A file of the journal. Bytes before `size` are whole, acknowledged lines. */
export interface Segment {
  readonly path: string
  readonly fd: number
  /** Where the records begin. */
  readonly start: number
  readonly size: number
  readonly lastSeq: number
}

export interface Journal {
  readonly chain: string
  /** Resolves when the record survives what the durability promises. Rejects alone when the record itself is at fault. */
  append(record: AuditRecord): Promise<void>
  /** The newest acknowledged record. */
  head(): Head
  /** Oldest first; the last is the one that is written to. */
  segments(): readonly Segment[]
  /** Bytes of records acknowledged so far. */
  written(): number
  /** This file shall be kept (as `*.damaged`) when it is released. */
  keep(segment: Segment): void
  /** Removes the finished files whose records all come before or at `seq`. */
  release(seq: number): Promise<void>
  /** Refuses further records, writes what waits and makes it durable; files stay until they are released. */
  close(): Promise<void>
  /** After `close`: leaves the files that are not released for whoever opens the audit next. */
  abandon(): void
}

/** The calls that can fail in ways worth a test. */
export interface JournalFiles {
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number
  truncate(fd: number, size: number): void
  sync(fd: number): Promise<void>
}

const systemFiles: JournalFiles = {
  write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, length),
  truncate: ftruncateSync,
  sync: promisify(fdatasync),
}

const syncDirectory = promisify(fsync)
/** In `process` mode the group fdatasync starts so long after the first write that it covers. */
const syncAfterMs = 150
/** A tick that collects more bytes is written at once. */
const fullGroup = 256 << 10
/** A hash in hexadecimal, as it stands before the tab of its line. */
const hashLength = 64
const tab = 9
const lineFeed = 10
const closingBrace = 0x7d
/** Longest record, in characters of its line (bytes of those parts that come as bytes). */
export const longestRecord = 256 << 10

interface Group {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

interface OwnSegment extends Segment {
  size: number
  lastSeq: number
  /** Written since its last fdatasync. */
  dirty: boolean
  /** Its name in the folder may not be durable yet. */
  fresh: boolean
  /** A call on it failed: nothing more is written to it. */
  failed: boolean
  kept: boolean
}

/**
 * The first of the two stages: records of one tick become one `write(2)` to an append-only file. Hashing happens as
 * records arrive; there is no timer and no thread on the way to the acknowledgement in `process` mode, and one
 * group fdatasync at a time in `disk` mode.
 */
export function openJournal(options: {
  readonly folder: string
  readonly chain: string
  readonly clock: Clock
  readonly log: Logger
  readonly durability: Durability
  readonly segmentBytes: number
  readonly onWritten: (records: number) => void
  readonly files?: JournalFiles
}): Journal {
  const { folder, chain, clock, log, durability, segmentBytes } = options
  const files = options.files ?? systemFiles
  const writer = thisWriter()
  mkdirSync(folder, { recursive: true, mode: 0o700 })

  let ordinal = 0
  let closed = false
  let written = 0
  let acknowledged: Head = { seq: 0, hash: chainSeed(chain) }
  let { seq, hash } = acknowledged
  /** Lines that wait to be written: the first `used` bytes of `waitingLines`. */
  let waitingLines = Buffer.allocUnsafeSlow(2 * fullGroup)
  let used = 0
  let group: Group = Promise.withResolvers<void>()
  let scheduled: NodeJS.Immediate | undefined
  /** Written, waiting for the disk. */
  let waiting: Group[] = []
  let syncing: Promise<void> | undefined
  let syncTimer: NodeJS.Timeout | undefined
  let lastBeat = clock.now()

  const openSegment = (): OwnSegment => {
    const path = join(folder, segmentName(chain, ordinal))
    const fd = openSync(path, 'ax+', 0o600)
    ordinal++
    const header = Buffer.from(segmentHeader({ chain, after: acknowledged, writer }))
    try {
      writeAll(fd, header, header.length)
    } catch (error) {
      closeSync(fd)
      unlinkSync(path)
      throw error
    }
    const size = header.length
    return {
      path,
      fd,
      start: size,
      size,
      lastSeq: acknowledged.seq,
      dirty: true,
      fresh: true,
      failed: false,
      kept: false,
    }
  }
  const writeAll = (fd: number, bytes: Uint8Array, length: number) => {
    for (let done = 0; done < length; ) {
      const count = files.write(fd, bytes, done, length - done)
      if (count <= 0) throw new Error('the journal took no bytes')
      done += count
    }
  }

  let current = openSegment()
  const all: OwnSegment[] = [current]

  const rotate = () => {
    if (!current.failed && current.size < segmentBytes) return
    try {
      current = openSegment()
      all.push(current)
    } catch (error) {
      // A file that is merely long can still be written to.
      if (current.failed) throw error
      log.warn({ err: error }, 'no new audit journal file; going on with the old one')
    }
  }

  const beat = () => {
    lastBeat = clock.now()
    try {
      futimesSync(current.fd, lastBeat / 1000, lastBeat / 1000)
      if (fstatSync(current.fd).nlink > 0) return
      log.error({ file: current.path }, 'the audit journal file was removed while in use; starting another')
      current.failed = true
    } catch (error) {
      log.error({ err: error }, 'the audit journal cannot be touched')
    }
  }
  const heartbeat = setInterval(beat, heartbeatMs)
  heartbeat.unref()

  /**
   * Adds a record. Its text is made into bytes once: the hash before it is put in front for a moment, where its own hash
   * and a tab will stand, because together they are what is hashed.
   */
  const take = (before: string, facts: readonly (string | Buffer)[], length: number) => {
    const most = used + hashLength + 1 + 3 * length + 1
    if (most > waitingLines.length) {
      const grown = Buffer.allocUnsafeSlow(2 * most)
      waitingLines.copy(grown, 0, 0, used)
      waitingLines = grown
    }
    const start = used + hashLength + 1
    let end = start + waitingLines.write(before, start, 'latin1')
    for (const part of facts)
      if (typeof part === 'string') end += waitingLines.write(part, end)
      else {
        waitingLines.set(part, end)
        end += part.length
      }
    waitingLines.write(hash, start - hashLength, 'latin1')
    hash = bytesHash(waitingLines.subarray(start - hashLength, end))
    waitingLines.write(hash, used, 'latin1')
    waitingLines[start - 1] = tab
    waitingLines[end] = lineFeed
    used = end + 1
    seq++
  }

  const flush = () => {
    clearImmediate(scheduled)
    scheduled = undefined
    if (used === 0) return
    const length = used
    const of = group
    used = 0
    group = Promise.withResolvers<void>()
    if (clock.now() - lastBeat > silentMs / 2) beat()
    try {
      rotate()
      writeAll(current.fd, waitingLines, length)
      const records = seq - acknowledged.seq
      current.size += length
      current.lastSeq = seq
      current.dirty = true
      written += length
      acknowledged = { seq, hash }
      if (durability === 'disk') {
        waiting.push(of)
        syncing ??= syncAll()
      } else {
        of.resolve()
        syncTimer ??= setTimeout(() => {
          syncing ??= syncAll()
        }, syncAfterMs).unref()
      }
      options.onWritten(records)
    } catch (error) {
      seq = acknowledged.seq
      hash = acknowledged.hash
      try {
        files.truncate(current.fd, current.size)
      } catch {
        // What was written stays in that file, and the next file's header says that it does not count.
        current.failed = true
      }
      log.error({ err: error }, 'the audit journal cannot be written')
      of.reject(unavailable(error))
    }
  }

  const syncAll = async (): Promise<void> => {
    clearTimeout(syncTimer)
    syncTimer = undefined
    do {
      const groups = waiting
      waiting = []
      const dirty = all.filter((segment) => segment.dirty)
      try {
        for (const segment of dirty) {
          segment.dirty = false
          await files.sync(segment.fd)
          if (segment.fresh) {
            await syncFolder(folder)
            segment.fresh = false
          }
        }
        for (const waiter of groups) waiter.resolve()
      } catch (error) {
        log.error({ err: error }, 'the audit journal could not be made durable')
        // After a failed fsync the kernel may call lost pages clean: nothing further goes to that file.
        for (const segment of dirty) segment.failed = true
        for (const waiter of groups) waiter.reject(unavailable(error))
      }
    } while (waiting.length > 0)
    syncing = undefined
  }

  return {
    chain,
    append(record) {
      if (closed)
        return Promise.reject(new SpineError('AUDIT_CLOSED', undefined, { explanation: 'The audit is closed.' }))
      if (!isEventName(record.event) || !Number.isSafeInteger(record.at))
        return Promise.reject(invalid('the event must be a short dotted name and the time whole milliseconds'))
      let facts: readonly (string | Buffer)[]
      try {
        facts = recordFacts(record)
        if (!closes(facts.at(-1))) return Promise.reject(invalid('the facts are no JSON object'))
      } catch (error) {
        return Promise.reject(invalid('the facts are no JSON', error))
      }
      const start = recordStart(seq + 1, record)
      let { length } = start
      for (const part of facts) length += part.length
      if (length > longestRecord) return Promise.reject(invalid(`longer than ${longestRecord} characters`))
      take(start, facts, length)
      const { promise } = group
      if (used >= fullGroup) flush()
      else scheduled ??= setImmediate(flush)
      return promise
    },
    head: () => acknowledged,
    segments: () => all,
    written: () => written,
    keep(segment) {
      const own = all.find((one) => one === segment)
      if (own) own.kept = true
    },
    async release(upTo) {
      const done = all.filter((segment) => segment.lastSeq <= upTo && (closed || segment !== current))
      if (done.length === 0) return
      await syncing
      for (const segment of done) {
        all.splice(all.indexOf(segment), 1)
        closeSync(segment.fd)
        try {
          if (segment.kept) setAside(segment.path)
          else await remove(segment.path)
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
            log.warn({ err: error }, 'an audit journal file that has been taken over could not be removed')
        }
      }
    },
    async close() {
      if (closed) return
      closed = true
      flush()
      clearInterval(heartbeat)
      clearTimeout(syncTimer)
      await syncing
      syncing = syncAll()
      await syncing
    },
    abandon() {
      for (const segment of all.splice(0)) {
        try {
          futimesSync(segment.fd, abandonedAt, abandonedAt)
        } finally {
          closeSync(segment.fd)
        }
      }
    },
  }
}

/** Whether the last part of the facts ends an object. JSON.stringify answers undefined for what it cannot write. */
function closes(part: string | Buffer | undefined): boolean {
  return typeof part === 'string' ? part.endsWith('}') : part?.at(-1) === closingBrace
}

async function syncFolder(folder: string): Promise<void> {
  const fd = openSync(folder, 'r')
  try {
    await syncDirectory(fd)
  } finally {
    closeSync(fd)
  }
}

function invalid(detail: string, cause?: unknown): SpineError {
  return new SpineError('AUDIT_RECORD_INVALID', undefined, {
    detail,
    explanation: 'This cannot be written to the audit, so the operation that it belongs to must not go on.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function unavailable(cause: unknown): SpineError {
  return new SpineError('AUDIT_UNAVAILABLE', undefined, {
    detail: cause instanceof Error ? cause.message : String(cause),
    explanation:
      'The audit journal cannot be written (is the disk full?). Nothing may be answered that has not been audited.',
    cause,
  })
}
