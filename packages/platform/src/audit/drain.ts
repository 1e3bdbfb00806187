import { read } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { promisify } from 'node:util'
import type { Logger } from '../log.ts'
import type { Store } from '../store/store.ts'
import { ingest } from './ingest.ts'
import { type Head, type Journal, longestRecord, type Segment } from './journal.ts'

/** The second stage: carries what the journal has acknowledged into the store, in order, one group at a time. */
export interface Drain {
  /** Something was written. */
  wake(): void
  /** Resolves when everything acknowledged before the call is in the store; rejects when the store does not take it. */
  flush(): Promise<void>
  /** The newest record that is in the store. */
  head(): Head
  /** Bytes that wait. */
  backlog(): number
  /** Waits for the group in flight and sends no more. */
  stop(): Promise<void>
}

interface Waiter {
  readonly until: number
  /** Groups that had been tried when it came. */
  readonly since: number
  resolve(): void
  reject(error: unknown): void
}

const readInto = promisify(read)
/** A group: some five hundred records of the usual size. */
const groupBytes = 512 << 10
/** Less than a group waits so long for company. The records are durable already, and searches flush. */
const lingerMs = 200
const longestBackoffMs = 5_000
/**
 * While this process has its hands full, answers come first: what is in the journal is safe, and searches bring it in. It
 * waits no longer than this, and never more bytes.
 */
const longestRestMs = 5_000
const largestRestBytes = 64 << 20
/** Share of a turn's time at which the event loop counts as busy. */
const busyShare = 0.7
const lineFeed = 10

/**
 * Reads back from the journal instead of holding records in memory, so that a slow store costs disk, not memory. A group
 * that fails is sent again; the store knows each record by its place, so nothing is lost or doubled.
 */
export function startDrain(options: {
  readonly store: Store
  readonly journal: Journal
  readonly log: Logger
  readonly onDrained: () => void
  readonly onFailed: () => void
  /** The file of this group must be kept for whoever investigates. */
  readonly onOdd: (segment: Segment, about: { readonly damaged: number; readonly conflict: number | undefined }) => void
}): Drain {
  const { store, journal, log } = options
  let segment: Segment | undefined
  let offset = 0
  let drained = 0
  let head: Head = journal.head()
  let buffer = Buffer.allocUnsafeSlow(groupBytes)
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let stopped = false
  /** Groups tried so far, failed ones too. */
  let attempts = 0
  let waiters: Waiter[] = []
  let restingSince: number | undefined
  let lastTurn = performance.eventLoopUtilization()

  /** Whether the journal may keep what it has until this process is less busy. */
  const mayRest = (): boolean => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, lastTurn)
    lastTurn = now
    const busy = utilization > busyShare && waiters.length === 0 && journal.written() - drained < largestRestBytes
    restingSince = busy ? (restingSince ?? performance.now()) : undefined
    return restingSince !== undefined && performance.now() - restingSince < longestRestMs
  }

  /** Whole lines that wait, without the last line feed; undefined when there are none. */
  const next = async (): Promise<{ readonly from: Segment; readonly lines: Buffer } | undefined> => {
    const segments = journal.segments()
    let index = segment ? segments.indexOf(segment) : -1
    if (index < 0) {
      index = 0
      offset = segments[0]?.start ?? 0
    }
    let from = segments[index]
    while (from && offset >= from.size && index < segments.length - 1) {
      from = segments[++index]
      offset = from?.start ?? 0
    }
    segment = from
    if (!from || offset >= from.size) return undefined
    let length = Math.min(groupBytes, from.size - offset)
    for (;;) {
      if (length > buffer.length) buffer = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await readInto(from.fd, buffer, 0, length, offset)
      const end = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed)
      if (end >= 0) return { from, lines: buffer.subarray(0, end) }
      if (length === from.size - offset || length > 4 * longestRecord)
        throw new Error('the audit journal was cut or overwritten under its writer')
      length = Math.min(length * 2, from.size - offset)
    }
  }

  const step = async (): Promise<boolean> => {
    attempts++
    const group = await next()
    if (!group) return false
    const { from, lines } = group
    const { damaged, conflict } = await ingest(store, journal.chain, lines)
    offset += lines.length + 1
    drained += lines.length + 1
    const [hash = '', seq = ''] = lines.toString('latin1', lines.lastIndexOf(lineFeed) + 1).split('\t', 2)
    if (damaged === 0) head = { hash, seq: Number(seq) }
    if (damaged > 0 || conflict !== undefined) options.onOdd(from, { damaged, conflict })
    if (failures > 0) log.info({ waiting: journal.written() - drained }, 'the store takes audit records again')
    failures = 0
    const ready = waiters.filter(({ until }) => until <= drained)
    waiters = waiters.filter(({ until }) => until > drained)
    for (const { resolve } of ready) resolve()
    options.onDrained()
    return true
  }

  const run = async () => {
    try {
      for (let more = true; more && !stopped; ) {
        more = await step()
        // A small rest waits for company, unless somebody waits for it.
        if (journal.written() - drained < groupBytes && waiters.length === 0) break
      }
    } catch (error) {
      failures++
      // A connection that broke may still hold on to the bytes of its group.
      buffer = Buffer.allocUnsafeSlow(groupBytes)
      const backoff = Math.min(100 * 2 ** (failures - 1), longestBackoffMs)
      const level = failures === 1 ? 'warn' : 'debug'
      log[level](
        { err: error, waiting: journal.written() - drained },
        'the store does not take audit records; they wait in the journal',
      )
      options.onFailed()
      // Who came while this group was under way gets an attempt of its own.
      const failed = waiters.filter(({ since }) => since < attempts)
      waiters = waiters.filter(({ since }) => since >= attempts)
      for (const { reject } of failed) reject(error)
      schedule(waiters.length > 0 ? 0 : backoff)
    } finally {
      running = undefined
      if (failures === 0 && journal.written() > drained) schedule(waiters.length > 0 ? 0 : lingerMs)
    }
  }
  const start = () => {
    clearTimeout(timer)
    timer = undefined
    if (stopped || running) return
    // Asked before the run begins: a run that ended within its own call would be taken for one under way for ever.
    if (mayRest()) schedule(lingerMs)
    else running = run()
  }
  const schedule = (ms: number) => {
    if (!stopped) timer ??= setTimeout(start, ms).unref()
  }

  return {
    wake() {
      if (running || failures > 0) return
      if (journal.written() - drained >= groupBytes && restingSince === undefined) start()
      else schedule(lingerMs)
    },
    flush() {
      const until = journal.written()
      if (until <= drained) return Promise.resolve()
      if (stopped) return Promise.reject(new Error('the audit is closed'))
      return new Promise((resolve, reject) => {
        waiters.push({ until, since: attempts, resolve, reject })
        start()
      })
    },
    head: () => head,
    backlog: () => journal.written() - drained,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      for (const { reject } of waiters) reject(new Error('the audit is closed'))
      waiters = []
    },
  }
}
