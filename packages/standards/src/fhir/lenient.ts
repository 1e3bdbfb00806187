/**
 * Straightens JSON that other readers take although the standard does not: a list of one where a single value
 * belongs, a single value where a list belongs, and null for what is absent. Clients in the field send all three.
 */

import { isObject, isPrimitive } from './check.ts'
import type { JsonValue } from './json.ts'
import type { Member, TypeDefinition, TypeLibrary } from './tables.ts'

type Fields = { [member: string]: JsonValue }

function isFields(value: JsonValue | undefined): value is Fields {
  return isObject(value)
}

/** A copy with the three faults mended. Unknown elements and wrong types stay, for the check to find. */
export function straighten(library: TypeLibrary, value: JsonValue): JsonValue {
  if (!isFields(value)) return value
  const name = value['resourceType']
  const type = typeof name === 'string' ? library.resource(name) : undefined
  return type === undefined ? value : members(library, value, type)
}

function members(library: TypeLibrary, value: Fields, type: TypeDefinition): Fields {
  const straight: Fields = {}
  for (const [key, content] of Object.entries(value)) {
    const extras = key.startsWith('_')
    const member = type.byName.get(extras ? key.slice(1) : key)
    const mended = member === undefined ? content : mend(library, content, member, extras)
    if (mended !== null) straight[key] = mended
  }
  return straight
}

/** Null when nothing is left of it. */
function mend(library: TypeLibrary, content: JsonValue, member: Member, extras: boolean): JsonValue {
  if (content === null) return null
  const items = (Array.isArray(content) ? content : [content]).map((item) => inside(library, item, member, extras))
  // Lists of primitives have null where only the extension, or only the value, is given.
  const kept = isPrimitive(member) && member.many ? items : items.filter((item) => item !== null)
  if (kept.every((item) => item === null) && !extras) return null
  if (member.many) return kept
  return kept.length === 1 ? (kept[0] ?? null) : kept
}

function inside(library: TypeLibrary, value: JsonValue, member: Member, extras: boolean): JsonValue {
  if (!isFields(value)) return value
  if (member.kind === 'resource') return straighten(library, value)
  if (extras) return members(library, value, library.type('Element'))
  return member.kind === 'complex' ? members(library, value, library.type(member.type)) : value
}
