/** Within a structured record every reference leads somewhere (§9.2): to a resource of the bundle, or it is not there. */
import type { IdentifiedResource } from './area.ts'

/** Who and where is added for whoever refers to it, so that such references always resolve. */
const added = new Set(['Patient', 'Practitioner', 'PractitionerRole', 'Organization', 'Location'])

/**
 * The resources without their references to clinical resources that the answer does not hold: a problem that comes
 * along with one item names only what is there, and an item names its consultation only where that was asked for.
 * With the reference goes what is meaningless without it: the extension, the relation.
 *
 * `contained` are resources that stand inside lists alone (resolved allergies): whoever refers to one (`#id`) holds it
 * too, because such a reference leads nowhere else.
 */
export function resolved(
  resources: readonly IdentifiedResource[],
  contained: readonly IdentifiedResource[],
): readonly IdentifiedResource[] {
  const held = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const within = new Map(contained.map((resource) => [`#${resource.id}`, resource]))
  return resources.map((resource) => {
    const local = new Map<string, IdentifiedResource>()
    const leads = (reference: string): boolean => {
      const inner = within.get(reference)
      if (inner !== undefined) local.set(reference, inner)
      return inner !== undefined || held.has(reference) || added.has(reference.slice(0, reference.indexOf('/')))
    }
    const kept = pruned(resource, leads) as IdentifiedResource
    return local.size === 0 ? kept : { ...kept, contained: [...local.values()] }
  })
}

type Leads = (reference: string) => boolean

/** The value without what leads nowhere; itself where all of it leads somewhere, which is almost always. */
function pruned(value: unknown, leads: Leads): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return prunedList(value, leads)
  const members = value as Record<string, unknown>
  const { reference } = members
  if (typeof reference === 'string' && !leads(reference)) return undefined
  // An extension is its value or its parts, a relation its target, an entry its item.
  const whole = 'url' in members || 'target' in members || 'item' in members
  let changed: Record<string, unknown> | undefined
  for (const name in members) {
    const member = members[name]
    const kept = pruned(member, leads)
    if (kept === member) continue
    if (whole && (kept === undefined || lengthOf(kept) < lengthOf(member))) return undefined
    changed ??= { ...members }
    if (kept === undefined) delete changed[name]
    else changed[name] = kept
  }
  // An object without elements may not stand: the context of a document that has nothing but its consultation.
  return changed !== undefined && Object.keys(changed).length === 0 ? undefined : (changed ?? value)
}

function prunedList(list: readonly unknown[], leads: Leads): unknown {
  let changed: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const kept = pruned(list[i], leads)
    if (kept !== list[i]) changed ??= list.slice(0, i)
    if (kept !== undefined) changed?.push(kept)
  }
  return changed === undefined ? list : changed.length === 0 ? undefined : changed
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0)
