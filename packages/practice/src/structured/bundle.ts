/** Puts the parts of a structured record together: people and places, areas, lists, warnings (§9.2). */
import { bundle, type Resource } from '@openspine/standards/fhir'
import type { SwitchableArea } from '../record/areas.ts'
import { isFrom } from '../record/services.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import {
  locationResource,
  organizationResource,
  parentOrganizationResource,
  patientResource,
  practitionerResource,
  practitionerRoleResource,
} from '../stu3/people.ts'
import { definition } from '../stu3/systems.ts'
import type { Area, AreaQuery, AreaResult, IdentifiedResource, ListContent } from './area.ts'
import { type Context, contextOf, type DocumentSource, unknownPractitionerId } from './context.ts'
import { profiled } from './elements.ts'
import { listResource, type Secondary } from './lists.ts'
import { resolved } from './resolving.ts'
import { type Unserved, warningOutcome } from './warnings.ts'

/** The clinical areas, and what joins them. */
export interface Registry {
  readonly areas: readonly Area[]
  /** The problems linked to the rows that are shown: resources, and the one list of linked problems (§9.5). */
  linkedProblems(shown: ReadonlySet<string>, context: Context): AreaResult
  /** The documents among some rows that another area is linked to. */
  linkedDocuments(only: NonNullable<AreaQuery['only']>, context: Context): AreaResult
  allDocuments(context: Context): readonly IdentifiedResource[]
}

export interface RecordRequest {
  readonly held: StoredPractice
  readonly record: StoredPatient
  readonly at: number
  readonly version: string
  readonly traceId: string
  /** The areas asked for. */
  readonly queries: readonly { readonly area: Area; readonly query: AreaQuery }[]
  /** What was asked for and is not served: becomes the warnings. */
  readonly unserved: readonly Unserved[]
  readonly includeSensitive: boolean
  readonly disabled: ReadonlySet<SwitchableArea>
  /** Where documents are handed over; absent: this practice does not. */
  readonly documents?: DocumentSource | undefined
  /** Whether all documents are told of, whatever they are linked to (§9.6). */
  readonly withDocuments?: boolean
}

const nothing: AreaResult = { resources: [], lists: [], shown: [] }

export function structuredRecord(request: RecordRequest, registry: Registry): Resource {
  const { held, record, queries, unserved, version, traceId, withDocuments = false } = request
  const context = contextOf({
    ...request,
    linked: (its, ids, within, asking) =>
      joined([
        ...registry.areas.filter(({ name }) => name !== asking).map((area) => linkedOf(area, { ids, within }, its)),
        registry.linkedDocuments({ ids, within }, its),
      ]),
  })
  const asked = joined(queries.map(({ area, query }) => area.build(query, context)))
  const linked = registry.linkedProblems(new Set(asked.shown), context)
  const { resources, lists } = joined([asked, withoutPrimary(linked, asked)])
  const written = lists.flatMap((list) => listResource(list, context) ?? [])
  const people = closed(
    resolved(
      [
        patientResource(record, held, { versioned: false }),
        ...resources,
        ...(withDocuments ? registry.allDocuments(context) : []),
      ],
      lists.flatMap(({ contained = [] }) => contained),
    ),
    written,
    held,
  )
  const entries: Resource[] = [...people, ...written, ...(unserved.length === 0 ? [] : [warningOutcome(unserved)])]
  return bundle({
    type: 'collection',
    // 1.2 has no id at all, later versions that of the request (§9.2).
    id: isFrom(version, '1.5') ? traceId : undefined,
    meta: { profile: [definition('GPConnect-StructuredRecord-Bundle-1')] },
    entries: entries.map((resource) => ({ resource })),
  })
}

/** The rows of one area that another area's are linked to; of an area that is switched off, that there are some. */
function linkedOf(area: Area, only: { ids: ReadonlySet<string>; within: Secondary }, context: Context): AreaResult {
  const result = area.build({ asked: [], only }, context)
  if (!context.disabled(area.name)) return result
  return {
    ...nothing,
    lists: result.lists
      .filter(({ within, entries }) => within !== undefined && entries.length > 0)
      .map(({ kind, within }) => ({
        kind,
        ...(within === undefined ? {} : { within }),
        entries: [{ display: `${area.title} items have been disabled` }],
      })),
  }
}

/** Results as one: a resource stands once, and a list that several of them have holds the entries of all. */
export function joined(results: readonly AreaResult[]): AreaResult {
  const lists = new Map<string, ListContent>()
  for (const list of results.flatMap((result) => result.lists)) {
    const key = `${list.kind}/${list.within ?? ''}`
    const other = lists.get(key)
    lists.set(key, other === undefined ? list : bothOf(other, list))
  }
  return {
    resources: distinct(results.flatMap(({ resources }) => resources)),
    lists: [...lists.values()],
    shown: [...new Set(results.flatMap(({ shown }) => shown))],
  }
}

function bothOf(one: ListContent, other: ListContent): ListContent {
  const entries = new Map(
    [...one.entries, ...other.entries].map((entry) => [typeof entry === 'string' ? entry : entry.display, entry]),
  )
  return {
    ...one,
    entries: [...entries.values()],
    contained: distinct([...(one.contained ?? []), ...(other.contained ?? [])]),
    withheld: one.withheld === true || other.withheld === true,
  }
}

function distinct(resources: readonly IdentifiedResource[]): readonly IdentifiedResource[] {
  return [...new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource])).values()]
}

/** Problems that were asked for are in the list of problems, not in that of linked ones. */
function withoutPrimary(linked: AreaResult, asked: AreaResult): AreaResult {
  const primary = new Set(
    asked.lists.filter(({ kind, within }) => kind === 'problems' && within === undefined).flatMap((it) => it.entries),
  )
  return {
    ...linked,
    lists: linked.lists.map((list) => ({ ...list, entries: list.entries.filter((entry) => !primary.has(entry)) })),
  }
}

/** The resources and everyone whom they or the lists refer to, each once; whoever cannot be found is a fault. */
function closed(
  resources: readonly IdentifiedResource[],
  lists: readonly Resource[],
  held: StoredPractice,
): readonly IdentifiedResource[] {
  const found = new Map<string, IdentifiedResource>()
  const add = (resource: IdentifiedResource) => found.set(`${resource.resourceType}/${resource.id}`, resource)
  for (const resource of resources) add(resource)
  add(organizationResource(held, { versioned: false }))
  const open = [...referencesIn([...found.values(), ...lists])]
  for (let reference = open.pop(); reference !== undefined; reference = open.pop()) {
    if (found.has(reference)) continue
    const more = whoIs(reference, held)
    if (more.length === 0) throw new Error(`nothing is known of a ${reference.split('/')[0]} that a resource refers to`)
    for (const resource of more) {
      add(resource)
      open.push(...referencesIn(resource))
    }
  }
  return [...found.values()]
}

/** Every reference to another resource of the bundle, each once. */
export function referencesIn(value: unknown): ReadonlySet<string> {
  const found = new Set<string>()
  collect(value, found)
  return found
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found)
    return
  }
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name]
    if (typeof inner === 'object') collect(inner, found)
    else if (name === 'reference' && typeof inner === 'string' && !inner.startsWith('#')) found.add(inner)
  }
}

/** People and places of the practice; a practitioner comes with the role. */
function whoIs(reference: string, held: StoredPractice): readonly IdentifiedResource[] {
  const { practice } = held
  const writing = { versioned: false }
  const [type, id] = reference.split('/')
  if (type === 'Practitioner') {
    const practitioner = practice.practitioners.find((one) => one.id === id)
    if (practitioner !== undefined)
      return [practitionerResource(practitioner, held, writing), practitionerRoleResource(practitioner, held, writing)]
    return id === unknownPractitionerId ? [unknownPractitioner] : []
  }
  if (type === 'Location') {
    const location = practice.locations.find((one) => one.id === id)
    return location === undefined ? [] : [locationResource(location, held, writing)]
  }
  if (type === 'Organization') {
    const parent = parentOrganizationResource(held, writing)
    return parent?.id === id && parent !== undefined ? [parent] : []
  }
  return []
}

const named = {
  resourceType: 'Practitioner',
  id: unknownPractitionerId,
  meta: profiled('Practitioner'),
  name: [{ use: 'official', text: 'Unknown', family: 'Unknown' }],
}
const unknownPractitioner: IdentifiedResource = named
