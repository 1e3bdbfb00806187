import type { Store } from '@openspine/platform/store'
import type { PersonRecord } from './contract.ts'
import { criteriaOf, type SearchParameters } from './criteria.ts'
import { migrations } from './migrations.ts'
import { storedPerson } from './person.ts'
import { personStore } from './store.ts'
import { cascade, type Traced, trace } from './trace.ts'

export interface TracedPerson {
  readonly nhsNumber: string
  /** Only a possible match: nobody takes it who does not look at it. */
  readonly possible: boolean
}

/** Best first. */
export type TracedPeople = readonly TracedPerson[] | 'too many'

/**
 * Store and matcher without a face, checks or audit: to measure how well people are found. Whoever serves
 * people takes the service.
 */
export function tracing(store: Store, fuzzyBlock = 10_000) {
  const people = personStore(store)
  const told = (traced: Traced): TracedPeople =>
    'tooMany' in traced
      ? 'too many'
      : traced.found.map(({ person, match }) => ({
          nhsNumber: person.nhsNumber,
          possible: match.possible !== undefined,
        }))
  const criteria = (parameters: SearchParameters, max: number) => {
    const found = criteriaOf(parameters, max)
    if (!found) throw new Error('no parameters of a search')
    return found
  }
  return {
    migrations,
    count: () => people.count(),
    load: (records: readonly PersonRecord[]) => people.insert(records.map(storedPerson)),
    /** As a user of staff: everybody who matches. */
    async search(parameters: SearchParameters): Promise<TracedPeople> {
      return told(await trace(people, criteria(parameters, 50), fuzzyBlock))
    },
    /** As an application with `Accept: version=1.1`: one person or none. */
    async cascade(parameters: SearchParameters): Promise<TracedPeople> {
      return told(await cascade(people, criteria(parameters, 1), fuzzyBlock))
    },
  }
}
