import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { Store } from '@openspine/platform/store'
import { type RateCounter, rateCounter } from '../rates.ts'
import { activityStore } from './store.ts'

const forgetEveryMs = 60_000

/** The counter of this process, and how it agrees with those of the others. */
export interface SharedRates {
  readonly count: RateCounter['count']
  /** Tells what was counted, and hears what the others did. */
  share(): Promise<void>
  start(): void
  stop(): Promise<void>
  readonly fault: string | undefined
}

/** Limits that hold over all processes of one store. While the store does not answer, each counts for itself. */
export function sharedRates(needs: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** How often processes tell each other; 0: never. */
  readonly everyMs: number
}): SharedRates {
  const { store, clock, log, everyMs } = needs
  const rows = activityStore(store)
  const counter = rateCounter({ now: () => clock.now(), tellMs: everyMs })
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()
  let forgottenAt = 0
  let fault: string | undefined

  const once = async () => {
    try {
      await counter.share(rows.tell)
      const now = clock.now()
      if (now - forgottenAt >= forgetEveryMs) {
        forgottenAt = now
        await rows.forget(now)
      }
      fault = undefined
    } catch (error) {
      if (fault === undefined) log.error({ err: error }, 'the limits of applications could not be shared')
      fault = 'The limits of applications could not be shared: each process counts for itself.'
    }
  }
  const share = () => {
    turn = turn.then(once)
    return turn
  }

  return {
    count: counter.count,
    share,
    start() {
      if (everyMs > 0) timer = setInterval(() => void share(), everyMs).unref()
    },
    async stop() {
      clearInterval(timer)
      if (everyMs > 0) await share()
    },
    get fault() {
      return fault
    },
  }
}
