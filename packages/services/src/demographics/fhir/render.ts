import { type BundleEntry, bundle, outcomeResource } from '@openspine/standards/fhir'
import type { Access } from '../access.ts'
import type { PdsOutcome } from '../outcomes.ts'
import type { Json, StoredPerson } from '../person.ts'
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
  return searchset([...entries, ...(about.more ?? [])], about.now)
}

/** The searchset of §11: each related person under the patient's own address. */
export function relatedBundle(
  nhsNumber: string,
  resources: readonly Json[],
  about: { readonly publicUrl: string; readonly now: number },
): string {
  const entries = resources.map((resource) => ({
    fullUrl: `${about.publicUrl}/Patient/${nhsNumber}/RelatedPerson/${String(resource['id'])}`,
    resource: { ...resource, resourceType: 'RelatedPerson' },
  }))
  return searchset(entries, about.now)
}

/** The searchset of §14: at most one card, and the version of the record in any case. */
export function coverageBundle(
  person: StoredPerson,
  card: Json | undefined,
  about: { readonly publicUrl: string; readonly now: number },
): string {
  const fullUrl = `${about.publicUrl}/Coverage?subscriber:identifier=${person.nhsNumber}`
  const entries = card === undefined ? [] : [{ fullUrl, resource: { ...card, resourceType: 'Coverage' } }]
  return searchset(entries, about.now, { versionId: String(person.version) })
}

function searchset(entries: Parameters<typeof bundle>[0]['entries'], now: number, meta?: Json): string {
  const { resourceType, type, ...rest } = bundle({ type: 'searchset', entries })
  const timestamp = new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00')
  return JSON.stringify({ resourceType, type, timestamp, ...rest, ...(meta && { meta }) })
}
