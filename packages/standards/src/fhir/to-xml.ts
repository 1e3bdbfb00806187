/** Writes a resource that `check` has found sound as XML, elements in the order of the specification. */

import { escapeAttribute } from '../xml/writer.ts'
import { isIgnored, isObject, isPrimitive } from './check.ts'
import type { Member, TypeDefinition, TypeLibrary } from './tables.ts'

export const fhirNamespace = 'http://hl7.org/fhir'

type Fields = Readonly<Record<string, unknown>>

export function writeResource(library: TypeLibrary, resource: Fields, root = true): string {
  const type = library.type(String(resource['resourceType']))
  const written = `<${type.name}${root ? ` xmlns="${fhirNamespace}"` : ''}`
  return closed(written, type.name, content(library, resource, type))
}

function closed(start: string, name: string, inside: string): string {
  return inside === '' ? `${start}/>` : `${start}>${inside}</${name}>`
}

/** The members that stand in the object, in order; a primitive with nothing but `_name` counts once. */
function present(value: Fields, type: TypeDefinition): Member[] {
  const members: Member[] = []
  let sorted = true
  for (const key of Object.keys(value)) {
    if (isIgnored(key, value[key])) continue
    const plain = key.startsWith('_') ? key.slice(1) : key
    if (plain !== key && value[plain] !== undefined) continue
    const member = type.byName.get(plain)
    if (member === undefined) continue
    if (sorted && (members.at(-1)?.order ?? -1) > member.order) sorted = false
    members.push(member)
  }
  return sorted ? members : members.sort((a, b) => a.order - b.order)
}

function content(library: TypeLibrary, value: Fields, type: TypeDefinition): string {
  let written = ''
  for (const member of present(value, type)) {
    if (member.kind === 'attribute') continue
    const single = value[member.name]
    if (isPrimitive(member)) {
      const extras = value[`_${member.name}`]
      if (!member.many) {
        written += primitive(library, member.name, single, extras)
        continue
      }
      const values: readonly unknown[] = Array.isArray(single) ? single : []
      const beside: readonly unknown[] = Array.isArray(extras) ? extras : []
      for (let i = 0; i < Math.max(values.length, beside.length); i++)
        written += primitive(library, member.name, values[i], beside[i])
    } else if (member.kind === 'xhtml') written += String(single)
    else for (const one of Array.isArray(single) ? single : [single]) written += structure(library, member, one)
  }
  return written
}

function structure(library: TypeLibrary, member: Member, value: unknown): string {
  if (!isObject(value)) return ''
  if (member.kind === 'resource') return `<${member.name}>${writeResource(library, value, false)}</${member.name}>`
  return element(library, member.name, value, library.type(member.type), '')
}

function element(library: TypeLibrary, name: string, value: Fields, type: TypeDefinition, attributes: string): string {
  let start = `<${name}`
  for (const attribute of ['id', 'url']) {
    const text = value[attribute]
    if (typeof text === 'string' && type.byName.get(attribute)?.kind === 'attribute')
      start += ` ${attribute}="${escapeAttribute(text)}"`
  }
  return closed(start + attributes, name, content(library, value, type))
}

function primitive(library: TypeLibrary, name: string, value: unknown, extras: unknown): string {
  const attribute = value === undefined || value === null ? '' : ` value="${escapeAttribute(String(value))}"`
  if (!isObject(extras)) return `<${name}${attribute}/>`
  return element(library, name, extras, library.type('Element'), attribute)
}
