import type { KeptAnswer, RequestKey } from '../changes/change.ts'
import { outcomes, refuse } from '../outcomes.ts'
import type { Answer } from './answer.ts'

/** Writes that take longer than the caller will wait (§17). */
export interface SlowWrites {
  /** The answer of this work, if it is there in time; else 503 or, in the legacy form, 202. The work goes on. */
  inTime(key: RequestKey, ms: number, work: Promise<Answer>): Promise<Answer>
  /** What GET /_poll/{id} answers: the answer, or 202 again; `PDS_RESOURCE_NOT_FOUND` where there is neither. */
  poll(key: RequestKey): Promise<Answer>
}

/** Refusals that nobody has asked for yet. Those of accepted writes are kept in the store. */
const mostRefusals = 1_000

const nameOf = ({ caller, id }: RequestKey) => `${caller} ${id}`

/** The legacy form: come again, to this address. */
const later = ({ id }: RequestKey): Answer => ({
  status: 202,
  body: '',
  headers: { 'content-location': `/_poll/${id}`, 'retry-after': '5' },
})

/** What was written is kept, under the caller and the X-Request-ID: the id of a poll is that X-Request-ID. */
export function keptAsAnswer({ shown, ...answer }: KeptAnswer): Answer {
  return { ...answer, shown: shown === undefined ? [] : [shown] }
}

/**
 * Writes under their X-Request-ID. `retry` answers late ones 503, and a repeat of the request gets the answer; `poll` answers
 * them 202, and `/_poll/{X-Request-ID}` does. Running work is known to this process alone: a poll that another one gets is
 * answered 404 until the write is committed.
 */
export function slowWrites(parts: {
  readonly form: 'retry' | 'poll'
  keptAnswer(key: RequestKey): Promise<KeptAnswer | undefined>
  refusal(error: unknown): Answer
}): SlowWrites {
  const running = new Set<string>()
  const refusals = new Map<string, Answer>()
  return {
    inTime(key, ms, work) {
      if (parts.form === 'retry')
        return within(work, ms, () => {
          throw refuse(outcomes.serviceUnavailable, `No answer within ${ms} ms.`)
        })
      const name = nameOf(key)
      running.add(name)
      let asked = false
      work
        .then(
          () => undefined,
          (error: unknown) => {
            if (!asked) return
            refusals.set(name, parts.refusal(error))
            for (const oldest of refusals.keys()) {
              if (refusals.size <= mostRefusals) break
              refusals.delete(oldest)
            }
          },
        )
        .finally(() => running.delete(name))
      return within(work, ms, () => {
        asked = true
        return later(key)
      })
    },
    async poll(key) {
      const kept = await parts.keptAnswer(key)
      if (kept) return keptAsAnswer(kept)
      const name = nameOf(key)
      const refusal = refusals.get(name)
      if (refusal) return refusal
      if (running.has(name)) return later(key)
      throw refuse(outcomes.notFound, 'No write of this caller has this X-Request-ID, or its answer is no longer kept.')
    },
  }
}

function within(work: Promise<Answer>, ms: number, otherwise: () => Answer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      try {
        resolve(otherwise())
      } catch (error) {
        reject(error)
      }
    }, ms)
    work.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
