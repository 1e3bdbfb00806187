import type { Clock } from '@openspine/platform/clock'
import type { Author, BirthKey, ChangeKind, KeptAnswer, RaisedEvent, RequestKey } from '../changes/change.ts'
import type { ChangeStore } from '../changes/store.ts'
import type { PersonRecord } from '../contract.ts'
import { outcomes, refuse } from '../outcomes.ts'
import { type StoredPerson, storedPerson } from '../person.ts'
import type { PersonStore } from '../store.ts'

/** What registering somebody stands on. */
export interface RegisterParts {
  readonly people: PersonStore
  readonly changes: ChangeStore
  readonly clock: Clock
  /** The next number that nobody has. */
  next(): Promise<string>
  /** One registration after the other for one date of birth, in this process. */
  inTurn<Value>(day: number, work: () => Promise<Value>): Promise<Value>
  /** Most name rows that one search reads. */
  readonly block: number
  /** Whether records are kept; otherwise they are made and answered, as in the public sandbox (§29). */
  readonly kept: boolean
}

/** Somebody who is to be registered. */
export interface Registration {
  readonly kind: ChangeKind
  readonly day: number
  readonly record: Omit<PersonRecord, 'nhsNumber'>
  readonly author: Author
  readonly request: RequestKey
  readonly events: readonly RaisedEvent[]
  readonly birth?: BirthKey
  /** Numbers of those who may be the same person. */
  matches(): Promise<readonly string[]>
  /** What is asked of the whole record when nobody was found. */
  check(): void
  /** The answer that the caller gets, and gets again for a repeat of the request. */
  answer(person: StoredPerson): KeptAnswer
}

/** Registered, or not because of these people. */
export type Registered = { readonly answer: KeptAnswer } | { readonly matched: readonly string[] }

/** Others who are registered with the same date of birth at the same moment, by other processes. */
const mostAttempts = 100

/**
 * Gives somebody a record and a number, unless they have one (§12, §13). Whoever registers the same person at the same
 * moment, here or in another process, finds the first one's record: the write holds only as long as nobody else was
 * registered with this date of birth since the search. A repeat of the request gets its answer again.
 */
export function register(parts: RegisterParts, asked: Registration): Promise<Registered> {
  const { people, changes, clock } = parts
  return parts.inTurn(asked.day, async () => {
    let number: string | undefined
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const kept = await changes.keptAnswer(asked.request)
      if (kept) return { answer: kept }
      const round = await changes.round(asked.day)
      const matched = await asked.matches()
      if (matched.length > 0) {
        // Who was found may be of the same request, written elsewhere since the first look.
        const repeated = await changes.keptAnswer(asked.request)
        return repeated ? { answer: repeated } : { matched }
      }
      asked.check()
      number ??= await parts.next()
      const after = storedPerson({ ...asked.record, nhsNumber: number, version: 1 })
      const answer = asked.answer(after)
      if (!parts.kept) return { answer }
      const written = await changes.write({
        after,
        asOf: { day: asked.day, round },
        ...(asked.birth && { birth: asked.birth }),
        kind: asked.kind,
        at: clock.now(),
        author: asked.author,
        members: Object.keys(asked.record.patient),
        events: asked.events,
        request: { ...asked.request, answer },
      })
      if (written === 'written') return { answer }
      if (written === 'repeated' && (await changes.keptAnswer(asked.request)) === undefined)
        throw refuse(outcomes.notFound, 'This request was answered before, and the record was restricted since.')
      // Somebody was loaded under this number, or somebody else was quicker: the number is still nobody's.
      if ((await people.existing([Number(number)])).size > 0) number = undefined
    }
    throw refuse(outcomes.serviceUnavailable, 'Too many others are registered with this date of birth at once.')
  })
}
