import { type BundleEntry, bundle, outcomeResource } from '@openspine/standards/fhir'
import type { Access } from '../access.ts'
import type { PdsOutcome } from '../outcomes.ts'
import type { Found } from '../trace.ts'
import { searchView } from '../view.ts'

export const fhirJson = 'application/fhir+json'

/** The OperationOutcome of §7: one issue, and no `diagnostics` where the catalogue has none. */
export const operationOutcome = (outcome: PdsOutcome): string => JSON.stringify(outcomeResource(outcome))

/** The searchset of §9.4. Without a match there is no `entry`. */
export function searchBundle(
  found: readonly Found[],
  about: {
    readonly publicUrl: string
    readonly now: number
    readonly access: Access
    /** About the search itself, behind the people. */
    readonly more?: readonly BundleEntry[]
  },
): string {
  const entries = found.map(({ person, patient, match }) => ({
    fullUrl: `${about.publicUrl}/Patient/${person.nhsNumber}`,
    search: { score: match.score },
    resource: searchView(person.sensitivity, patient, about.access),
  }))
  const { resourceType, type, ...rest } = bundle({ type: 'searchset', entries: [...entries, ...(about.more ?? [])] })
  const timestamp = new Date(about.now).toISOString().replace(/\.\d+Z$/, '+00:00')
  return JSON.stringify({ resourceType, type, timestamp, ...rest })
}
