import { criteriaFor } from './asked.ts'
import type { DayRange } from './criteria.ts'
import { readPerson } from './keys.ts'
import { match } from './match.ts'
import type { StoredPerson } from './person.ts'
import { followed } from './retained.ts'
import type { PersonStore } from './store.ts'

/** A number and what is said of its bearer. */
export interface Claim {
  readonly nhsNumber: string
  readonly birth: DayRange
  readonly family?: string
  readonly given?: readonly string[]
}

/** How a cross-check comes out. */
export type CrossChecked =
  | { readonly found: 'agrees'; readonly person: StoredPerson }
  /** The number has been merged into another; `person` bears that one, where there is still a record. */
  | { readonly found: 'superseded'; readonly person: StoredPerson | undefined }
  | { readonly found: 'nobody' | 'invalidated' | 'disagrees' }

/**
 * Whether a number belongs to somebody of whom date of birth, and name where one is given, are true (§18): the cheapest of
 * all traces. Names agree as in a plain trace, former ones too. Of a very restricted record nothing is confirmed.
 */
export async function crossCheck(store: Pick<PersonStore, 'find'>, claim: Claim): Promise<CrossChecked> {
  const person = await store.find(claim.nhsNumber)
  if (person === undefined) return { found: 'nobody' }
  if (person.status === 'invalidated') return { found: 'invalidated' }
  if (person.status === 'superseded') {
    const retained = await followed(store, person)
    return { found: 'superseded', person: retained?.status === 'current' ? retained : undefined }
  }
  const criteria = criteriaFor({
    birth: claim.birth,
    ...(claim.family === undefined ? {} : { family: claim.family }),
    given: claim.given ?? [],
    history: true,
    max: 1,
  })
  const agrees = criteria !== undefined && match(criteria, readPerson(person).subject) !== undefined
  return agrees ? { found: 'agrees', person } : { found: 'disagrees' }
}
