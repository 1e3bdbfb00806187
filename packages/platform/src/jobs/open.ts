import { SpineError } from '@openspine/standards/error'
import type { Clock, Random } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Database, Store } from '../store/store.ts'
import type { JobHandler, Jobs } from './jobs.ts'
import { migrations } from './migrations.ts'
import { insertJob, type ParkedJob, selectParked, unpark } from './store.ts'
import { startWorker } from './worker.ts'

export type { Job, JobHandler, Jobs } from './jobs.ts'
export { usualAttempts } from './retry.ts'
export type { JobError, ParkedJob } from './store.ts'

/** Longest body, in characters of its JSON: larger things belong into a table or a blob that the job names. */
export const longestBody = 1 << 20

/** Topic under which new jobs of a queue are announced. */
export const jobTopic = (queue: string): string => `job:${queue}`

export interface OpenJobs extends Jobs {
  /** Jobs that were given up, newest first, with the error that made an end of them. */
  parked(query: { readonly queue?: string; readonly limit: number }): Promise<ParkedJob[]>
  /** Puts a parked job back as if it were new; false when there is none of that name. */
  revive(queue: string, id: string): Promise<boolean>
  /** Stops all work and waits for what is in flight. */
  close(): Promise<void>
}

/** An announcement within a transaction comes before its commit: it is said again when that is likely over. */
const repeatAfterMs = [10, 100]

/**
 * Opens the job queues of the store.
 *
 * @example
 * const jobs = await openJobs({ store, clock, random, log })
 * const work = jobs.work({ queue: 'mesh.notify', run: async ({ body }) => notify(body) })
 * await jobs.enqueue('mesh.notify', { mailbox: 'X26HC001' })
 * await work.stop()
 */
export async function openJobs(options: {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}): Promise<OpenJobs> {
  const { store, clock, random, log } = options
  await store.migrate('job', migrations)
  const holder = random.uuid()
  let leases = 0
  const enqueued = options.metrics?.counter('openspine_jobs_enqueued_total', 'Jobs enqueued', ['queue'])
  const ended = options.metrics?.counter('openspine_jobs_ended_total', 'Attempts at jobs by their end', [
    'queue',
    'how',
  ])
  const workers = new Set<{ stop(): Promise<void> }>()
  const repeats = new Map<string, NodeJS.Timeout[]>()
  let closed = false

  const announceAgain = (queue: string) => {
    if (repeats.has(queue)) return
    const timers = repeatAfterMs.map((ms, index) =>
      setTimeout(() => {
        if (index === repeatAfterMs.length - 1) repeats.delete(queue)
        store.announce(jobTopic(queue))
      }, ms).unref(),
    )
    repeats.set(queue, timers)
  }

  return {
    async enqueue(queue, body, { id = random.uuid(), notBefore, transaction } = {}) {
      const text = JSON.stringify(body ?? null)
      if (text.length > longestBody)
        throw new SpineError('JOB_TOO_LARGE', undefined, {
          detail: `${text.length} characters for ${queue}`,
          explanation: `The body of a job may have ${longestBody} characters as JSON.`,
        })
      const created = clock.now()
      const job = { queue, id, body: text, created, due: notBefore ?? created }
      await insertJob((transaction as Database | undefined) ?? store.db, job)
      enqueued?.inc({ queue })
      if (notBefore === undefined || notBefore <= created) {
        if (transaction === undefined || transaction === store.db) store.announce(jobTopic(queue))
        else announceAgain(queue)
      }
      return id
    },
    work(handler: JobHandler) {
      if (closed) throw new SpineError('JOBS_CLOSED', undefined, { explanation: 'The job queues are closed.' })
      const worker = startWorker({
        store,
        clock,
        log,
        handler,
        topic: jobTopic(handler.queue),
        newLease: () => `${holder}/${++leases}`,
        meters: { ended: (queue, how) => ended?.inc({ queue, how }) },
      })
      let stopped: Promise<void> | undefined
      const control = {
        stop() {
          stopped ??= worker.stop().finally(() => workers.delete(control))
          return stopped
        },
      }
      workers.add(control)
      return control
    },
    parked: ({ queue, limit }) => selectParked(store, queue, Math.min(Math.max(Math.trunc(limit), 0), 10_000)),
    async revive(queue, id) {
      const there = await unpark(store, queue, id, clock.now())
      if (there) store.announce(jobTopic(queue))
      return there
    },
    async close() {
      closed = true
      for (const timers of repeats.values()) for (const timer of timers) clearTimeout(timer)
      repeats.clear()
      await Promise.all([...workers].map((worker) => worker.stop()))
    },
  }
}
