import type { Criteria } from './criteria.ts'
import type { Claim, CrossChecked } from './cross-check.ts'
import type { StoredPerson } from './person.ts'
import type { Traced } from './trace.ts'

/** The use cases that a query stands on. */
export interface UseCases {
  /** The record that a number stands for. SpineError `PDS_RESOURCE_NOT_FOUND` or `PDS_INVALIDATED_RESOURCE`. */
  retrieve(nhsNumber: string): Promise<StoredPerson>
  search(criteria: Criteria): Promise<Traced>
  crossCheck(claim: Claim): Promise<CrossChecked>
}
