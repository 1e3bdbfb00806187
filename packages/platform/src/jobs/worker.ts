import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { JobHandler } from './jobs.ts'
import { holderLost, jobError, losesItsHolders, retryAfterMs } from './retry.ts'
import { type Claim, claimJobs, failJob, finishJobs, type JobError, nextDue, renewLeases, returnJobs } from './store.ts'

const usualLeaseMs = 30_000
/** A poll comes every second from the store; this timer serves what is due before that. */
const pollMs = 1_000
const leastPauseMs = 10
const firstPauseMs = 100
const longestPauseMs = 5_000

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export interface WorkerMeters {
  ended(queue: string, how: 'done' | 'retried' | 'parked' | 'lost'): void
}

/**
 * Works one queue: claims as many as it has free hands, runs them, finishes them in groups (what ends while a finish is
 * under way goes with the next), and renews the leases of what takes long.
 */
export function startWorker(options: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly handler: JobHandler
  readonly topic: string
  /** A name for a claim that was never given before. */
  readonly newLease: () => string
  readonly meters: WorkerMeters
}): { stop(): Promise<void> } {
  const { store, clock, handler, newLease, meters } = options
  const { queue } = handler
  const log = options.log.child({ queue })
  const hands = Math.max(1, Math.trunc(handler.concurrency ?? 1))
  const leaseMs = handler.leaseMs ?? usualLeaseMs

  let stopping = false
  let claiming: Promise<void> | undefined
  let wokenMeanwhile = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  /** Claimed and not yet finished, by lease and id. */
  const held = new Set<Claim>()
  const inFlight = new Set<Promise<void>>()
  let finished: { readonly claim: Claim; readonly settle: (stillOurs: boolean) => void; fail(error: unknown): void }[] =
    []
  let finishing = false

  const wake = () => {
    if (stopping) return
    if (claiming) wokenMeanwhile = true
    else claiming = claim()
  }
  const later = (ms: number) => {
    clearTimeout(timer)
    if (!stopping) timer = setTimeout(wake, ms).unref()
  }

  const claim = async (): Promise<void> => {
    try {
      do {
        wokenMeanwhile = false
        // Jobs finished by one statement free their hands one after another: claim for all of them at once.
        await turn()
        while (!stopping && inFlight.size < hands) {
          const limit = hands - inFlight.size
          const lease = newLease()
          const claims = await claimJobs(store, { queue, lease, now: clock.now(), leaseMs, limit })
          failures = 0
          if (stopping) {
            if (claims.length > 0) await returnJobs(store, queue, claims, clock.now())
            return
          }
          for (const claimed of claims) begin(claimed)
          if (claims.length < limit) {
            const due = await nextDue(store, queue)
            if (due !== undefined && due - clock.now() < pollMs) later(Math.max(due - clock.now(), leastPauseMs))
            break
          }
        }
      } while (wokenMeanwhile && !stopping)
    } catch (error) {
      failures++
      log[failures === 1 ? 'warn' : 'debug']({ err: error }, 'no jobs can be taken from the store; trying again')
      later(Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs))
    } finally {
      claiming = undefined
    }
  }

  const begin = (claimed: Claim) => {
    held.add(claimed)
    const work = tryJob(claimed)
      .catch((error: unknown) =>
        log.error({ err: error, id: claimed.id }, 'a job could not be brought to its end; it comes again'),
      )
      .finally(() => {
        held.delete(claimed)
        inFlight.delete(work)
        wake()
      })
    inFlight.add(work)
  }

  const tryJob = async (claimed: Claim): Promise<void> => {
    const { id, attempt } = claimed
    if (losesItsHolders(handler, attempt)) return failed(claimed, holderLost, undefined)
    try {
      await handler.run({ id, attempt, body: JSON.parse(claimed.body) as unknown })
    } catch (error) {
      const wait = retryAfterMs(handler, attempt)
      const told = jobError(error)
      log[wait === undefined ? 'error' : 'info']({ id, attempt, code: told.code, wait }, 'a job failed')
      return failed(claimed, told, wait)
    }
    const stillOurs = await insist(claimed, () => finish(claimed))
    meters.ended(queue, stillOurs ? 'done' : 'lost')
    if (!stillOurs) log.warn({ id, attempt }, 'a job was done after its lease had ended; another has taken it')
  }

  const failed = async (claimed: Claim, error: JobError, wait: number | undefined): Promise<void> => {
    const now = clock.now()
    const again = wait === undefined ? undefined : now + Math.max(0, wait)
    const stillOurs = await insist(claimed, () => failJob(store, queue, claimed, { error, now, again }))
    meters.ended(queue, !stillOurs ? 'lost' : wait === undefined ? 'parked' : 'retried')
  }

  /** A store that does not answer for a moment is asked again, as long as the lease would hold without renewal. */
  const insist = async (claimed: Claim, ask: () => Promise<boolean>): Promise<boolean> => {
    const until = clock.now() + leaseMs
    for (let pause = firstPauseMs; ; pause *= 2) {
      try {
        return await ask()
      } catch (error) {
        if (stopping || clock.now() + pause >= until || pause > longestPauseMs) throw error
        log.warn({ err: error, id: claimed.id }, 'the end of a job could not be written; trying again')
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
  }

  const finish = (claimed: Claim): Promise<boolean> =>
    new Promise((settle, fail) => {
      finished.push({ claim: claimed, settle, fail })
      if (!finishing) void finishAll()
    })
  const finishAll = async () => {
    finishing = true
    while (finished.length > 0) {
      await turn() // what ends in the same turn of the event loop goes together
      const group = finished
      finished = []
      try {
        const ours = await finishJobs(
          store,
          queue,
          group.map(({ claim: { id, lease } }) => ({ id, lease })),
        )
        for (const { claim: done, settle } of group) settle(ours.has(done.id))
      } catch (error) {
        for (const { fail } of group) fail(error)
      }
    }
    finishing = false
  }

  const renew = async () => {
    const claims = [...held]
    if (claims.length === 0) return
    try {
      await renewLeases(store, queue, claims, clock.now() + leaseMs)
    } catch (error) {
      log.warn({ err: error }, 'leases of running jobs could not be renewed; trying again')
    }
  }
  const renewal = setInterval(() => void renew(), Math.max(leaseMs / 3, 10))
  renewal.unref()
  const forget = store.onAnnounced(options.topic, wake)
  wake()

  return {
    async stop() {
      stopping = true
      forget()
      clearTimeout(timer)
      await claiming
      while (inFlight.size > 0) await Promise.all(inFlight)
      clearInterval(renewal)
    },
  }
}
