/** What is served below a service root: verb, path, interaction and scope (§6). */
import { interactions } from '../fhir/systems.ts'
import type { Action, Sheet } from '../sheet.ts'

export const endpoints: readonly {
  readonly action: Action
  readonly verb: string
  /** Below the service root; raw, and compared as it stands: paths are case-sensitive. */
  readonly paths: readonly string[]
  readonly interaction: string
  readonly scope: string
}[] = [
  {
    action: 'metadata',
    verb: 'GET',
    paths: ['/metadata'],
    interaction: interactions.metadata,
    scope: 'organization/*.read',
  },
  {
    action: 'getCareRecord',
    verb: 'POST',
    paths: ['/Patient/$gpc.getcarerecord', '/Patient/%24gpc.getcarerecord'],
    interaction: interactions.getCareRecord,
    scope: 'patient/*.read',
  },
]

export const knownInteractions = new Set<string>(endpoints.map(({ interaction }) => interaction))

export function endpointOf(sheet: Sheet) {
  return endpoints.find(({ action }) => action === sheet.action)
}

/** Verb that the path of this request wants, where it has one. */
export function verbOf(sheet: Sheet): string | undefined {
  return endpointOf(sheet)?.verb
}
