import { arch, hostname } from 'node:os'
import type { Clock, Random } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Store } from '../store/store.ts'
import type { Audit } from './audit.ts'
import { makeNotary } from './checkpoint.ts'
import { startDrain } from './drain.ts'
import { findAudit } from './find.ts'
import { type Durability, type Head, openJournal } from './journal.ts'
import { chainSeed } from './line.ts'
import { migrations } from './migrations.ts'
import { recoverJournals } from './recover.ts'
import { chainHead } from './store.ts'
import { verifyAudit } from './verify.ts'
import { heartbeatMs, silentMs } from './writer.ts'

export { type Audit, type AuditRecord, type AuditVerdict, type StoredAuditRecord, WrittenFacts } from './audit.ts'
export { type AuditQuery, findAudit, mostFound } from './find.ts'
export type { Durability } from './journal.ts'
export { type AuditStretch, streamAudit } from './stream.ts'
export { AuditTrail, type TrailOptions } from './trail.ts'
export { checkpointChain, type VerifyOptions, verifyAudit } from './verify.ts'

export interface OpenAuditOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Folder of journals and of the checkpoint key. Several processes may share it; it must be on a local disk. */
  readonly journalDir: string
  readonly metrics?: Metrics
  /**
   * When `append` resolves. `process` (default): the record is with the operating system, so it survives any end of the
   * process, `kill -9` included; a group fdatasync follows within 200 ms, which is what a power cut can cost.
   * `disk`: after a group fdatasync, so it survives a power cut too.
   */
  readonly durability?: Durability
  /** Size at which a journal file gives way to the next; default 8 MiB. */
  readonly segmentBytes?: number
  /** Milliseconds between signed checkpoints while records come in; default 5 000. */
  readonly checkpointMs?: number
}

/**
 * Opens this process's audit: its own fresh chain, and whatever journals dead writers have left in the folder.
 *
 * @example
 * const audit = await openAudit({ store, clock, random, log, journalDir: '.openspine/audit' })
 * await audit.append({ event: 'proxy.request', at: clock.now(), trace, facts: { status: 200 } })
 */
export async function openAudit(options: OpenAuditOptions): Promise<Audit> {
  const { store, clock, log, journalDir } = options
  const checkpointMs = options.checkpointMs ?? 5_000
  await store.migrate('audit', migrations)
  const chain = await freshChain(store, options.random)
  const notary = makeNotary({ store, folder: journalDir, writer: chain, clock })
  const count = meters(options.metrics)

  // Announced before its first record enters the store: a chain that no checkpoint knows is an added one.
  const announced = await notary.attest([{ chain, seq: 0, hash: chainSeed(chain) }])
  const journal = openJournal({
    folder: journalDir,
    chain,
    clock,
    log,
    durability: options.durability ?? 'process',
    segmentBytes: options.segmentBytes ?? 8 << 20,
    onWritten(records) {
      count.written(records, drain.backlog())
      drain.wake()
    },
  })
  const drain = startDrain({
    store,
    journal,
    log,
    onDrained() {
      count.waiting(drain.backlog())
      checkpointTimer ??= setTimeout(checkpoint, checkpointMs).unref()
    },
    onFailed: count.failed,
    onOdd(segment, about) {
      journal.keep(segment)
      log.error({ chain, file: segment.path, ...about }, 'the audit journal and the store disagree; the file is kept')
    },
  })

  let attested: Head = { seq: 0, hash: chainSeed(chain) }
  let checkpointTimer: NodeJS.Timeout | undefined
  let busy: Promise<void> = Promise.resolve()
  let closing: Promise<void> | undefined

  const attest = async (closed: boolean) => {
    const head = drain.head()
    if (head.seq <= attested.seq && !closed) return
    await notary.attest([{ chain, ...head, ...(closed ? { closed: true as const } : {}) }])
    attested = head
    await journal.release(head.seq)
  }
  /** One piece of upkeep after another; a failure is told and tried again later. */
  const upkeep = (name: string, work: () => Promise<void>): Promise<void> => {
    busy = busy
      .then(work)
      .catch((error: unknown) => log.warn({ err: error }, `the audit could not ${name}; trying again`))
    return busy
  }
  const checkpoint = () => {
    checkpointTimer = undefined
    void upkeep('sign a checkpoint', async () => {
      try {
        await attest(false)
      } catch (error) {
        if (!closing) checkpointTimer ??= setTimeout(checkpoint, checkpointMs).unref()
        throw error
      }
    })
  }
  const takeOver = () =>
    recoverJournals({
      store,
      notary,
      folder: journalDir,
      own: chain,
      now: clock.now(),
      async report(recovery) {
        log[recovery.damaged > 0 || recovery.conflict !== undefined ? 'error' : 'info'](
          recovery,
          'took over the audit journal of a writer that ended without closing it',
        )
        await journal.append({ event: 'audit.recovered', at: clock.now(), facts: { ...recovery } })
      },
    })

  try {
    await journal.append({
      event: 'audit.started',
      at: clock.now(),
      facts: {
        host: hostname(),
        pid: process.pid,
        node: process.version,
        platform: `${process.platform} ${arch()}`,
        checkpoint: { seq: announced.seq, hash: announced.hash },
      },
    })
    await takeOver()
    await drain.flush()
    await attest(false)
  } catch (error) {
    await drain.stop()
    await journal.close()
    journal.abandon()
    throw error
  }
  // Another process of this folder may die while we live.
  const sweep = setInterval(() => void upkeep('take over a journal', takeOver), silentMs + heartbeatMs)
  sweep.unref()

  const close = async () => {
    clearInterval(sweep)
    const stopped = journal.append({ event: 'audit.stopped', at: clock.now(), facts: {} })
    await journal.close()
    await stopped.catch((error: unknown) => log.error({ err: error }, 'the end of the audit could not be written'))
    clearTimeout(checkpointTimer)
    await busy
    try {
      await drain.flush()
      clearTimeout(checkpointTimer)
      await attest(true)
    } catch (error) {
      log.error(
        { err: error, waiting: drain.backlog() },
        'the audit closes with records in its journal; the next start takes them over',
      )
    }
    await drain.stop()
    journal.abandon()
    clearTimeout(checkpointTimer)
  }

  return {
    append: journal.append,
    async find(query) {
      await drain.flush()
      return findAudit({ store, journalDir, clock, except: chain }, query)
    },
    async verify(progress) {
      await drain.flush()
      return verifyAudit({ store, journalDir, clock, ...(progress ? { progress } : {}) })
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** A chain is a writer's own: an id that is in use already (a repeatable source of randomness) is not taken. */
async function freshChain(store: Store, random: Random): Promise<string> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const chain = random.uuid()
    if (!(await chainHead(store, chain))) return chain
  }
  throw new Error('the source of randomness repeats itself')
}

function meters(metrics: Metrics | undefined) {
  const records = metrics?.counter('openspine_audit_records_total', 'Audit records acknowledged')
  const groups = metrics?.counter('openspine_audit_groups_total', 'Groups in which audit records were written')
  const waiting = metrics?.gauge(
    'openspine_audit_waiting_bytes',
    'Audit records in the journal that the store does not have yet',
  )
  const failures = metrics?.counter(
    'openspine_audit_store_failures_total',
    'Groups of audit records that the store did not take at once',
  )
  return {
    written(count: number, bytes: number) {
      records?.inc(count)
      groups?.inc()
      waiting?.set(bytes)
    },
    waiting: (bytes: number) => waiting?.set(bytes),
    failed: () => failures?.inc(),
  }
}
