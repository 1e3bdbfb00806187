import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { Store } from '@openspine/platform/store'
import type { KeptRefusal, KeyUse } from '../contract.ts'
import { activityStore, type StoredRefusal, type StoredUse } from './store.ts'

/** So many refusals of an application are kept: the newest. */
export const mostRefusals = 100
const flushMs = 1000
/** A key that is used all day is written of once an hour. */
const coarseMs = 3_600_000
/** Keys of which memory knows that they were written of. */
const mostKnown = 100_000

/** What applications did of late: which keys they used, and what they were refused. */
export interface Activity {
  used(use: { readonly application: string; readonly kind: KeyUse['kind']; readonly name: string }): void
  refused(application: string, refusal: KeptRefusal): void
  /** What was noted before the call is in the answer, as far as this process noted it. */
  uses(application: string): Promise<readonly KeyUse[]>
  refusals(application: string): Promise<readonly KeptRefusal[]>
  /** Writes what waits. */
  flush(): Promise<void>
  stop(): Promise<void>
  readonly fault: string | undefined
}

/** Numbers that may be those of a patient, and what is no text. */
const withoutNumbers = (text: string, most: number) =>
  text
    .slice(0, most)
    .replaceAll(/\p{C}/gu, ' ')
    .replaceAll(/\d[\d ]{7,}\d/g, '…')

/**
 * Notes are collected for a second and written together, so that a flood of refusals costs the store no more than a
 * trickle does: of one second, the newest hundred of an application. The audit has every one; a crash loses at most the
 * last second of this list.
 */
export function applicationActivity(needs: {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}): Activity {
  const { store, clock, log } = needs
  const rows = activityStore(store)
  const hours = new Map<string, number>()
  let uses: StoredUse[] = []
  let refusals = new Map<string, StoredRefusal[]>()
  let timer: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()
  let fault: string | undefined

  const write = async () => {
    const [someUses, someRefusals] = [uses, refusals]
    uses = []
    refusals = new Map()
    try {
      if (someUses.length > 0) await rows.noteUses(someUses)
      const flat = [...someRefusals.values()].flat()
      if (flat.length > 0) await rows.noteRefusals(flat, mostRefusals)
      fault = undefined
    } catch (error) {
      // What was used is noted again at its next use; the refusals are in the audit.
      for (const { kind, name } of someUses) hours.delete(`${kind} ${name}`)
      fault = 'What applications used and were refused cannot be written to the store.'
      log.error({ err: error }, fault)
    }
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    turn = turn.then(write)
    return turn
  }
  const soon = () => {
    timer ??= setTimeout(() => void flush(), flushMs).unref()
  }

  return {
    get fault() {
      return fault
    },
    used({ application, kind, name }) {
      const at = clock.now()
      const hour = Math.floor(at / coarseMs)
      const key = `${kind} ${name}`
      if (hours.get(key) === hour) return
      hours.set(key, hour)
      if (hours.size > mostKnown) hours.delete(hours.keys().next().value as string)
      uses.push({ application, kind, name, at })
      soon()
    },
    refused(application, { id, at, where, status, check, says, explanation, requestId }) {
      const kept: StoredRefusal = {
        application,
        id,
        at,
        where: withoutNumbers(where, 256),
        status,
        check,
        says: withoutNumbers(says, 512),
        explanation: withoutNumbers(explanation, 1024),
        ...(requestId === undefined ? {} : { requestId: withoutNumbers(requestId, 64) }),
      }
      const waiting = refusals.get(application)
      if (waiting === undefined) refusals.set(application, [kept])
      else {
        waiting.push(kept)
        if (waiting.length > mostRefusals) waiting.shift()
      }
      soon()
    },
    async uses(application) {
      await flush()
      return rows.uses(application)
    },
    async refusals(application) {
      await flush()
      return rows.refusals(application)
    },
    flush,
    async stop() {
      await flush()
    },
  }
}
