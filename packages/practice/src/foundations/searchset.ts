import { type Bundle, searchset } from '@openspine/standards/fhir'
import type { IdentifiedResource } from '../stu3/people.ts'
import { definition } from '../stu3/systems.ts'

/** A searchset of the 1.x line: no `fullUrl`, and no paging (§4.1). */
export function searchsetOf(resources: readonly IdentifiedResource[]): Bundle {
  return searchset(resources, { meta: { profile: [definition('GPConnect-Searchset-Bundle-1')] } })
}
