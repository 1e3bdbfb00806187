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
    // Almost all lead somewhere: those are not copied.
    const kept = allLead(resource, leads) ? resource : (pruned(resource, leads) as IdentifiedResource)
    return local.size === 0 ? kept : { ...kept, contained: [...local.values()] }
  })
}

type Leads = (reference: string) => boolean

function allLead(value: unknown, leads: Leads): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every((item) => allLead(item, leads))
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name]
    if (name === 'reference' && typeof member === 'string' ? !leads(member) : !allLead(member, leads)) return false
  }
  return true
}

function pruned(value: unknown, leads: Leads): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => pruned(item, leads)).filter((item) => item !== undefined)
    return items.length === 0 ? undefined : items
  }
  if (typeof value !== 'object' || value === null) return value
  if ('reference' in value && typeof value.reference === 'string' && !leads(value.reference)) return undefined
  const members = Object.entries(value).map(([name, member]) => [name, member, pruned(member, leads)] as const)
  // An extension is its value or its parts, a relation its target, an entry its item.
  const whole = 'url' in value || 'target' in value || 'item' in value
  if (whole && members.some(([, member, kept]) => kept === undefined || lengthOf(kept) < lengthOf(member)))
    return undefined
  const left = members.flatMap(([name, , kept]) => (kept === undefined ? [] : [[name, kept]]))
  // An object without elements may not stand: the context of a document that has nothing but its consultation.
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0)
