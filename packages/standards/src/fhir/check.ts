/** Compares a value with the tables of a version: elements, JSON types, lists, choices, required elements. */

import { isXmlText } from '../xml/writer.ts'
import { xhtmlDivProblem } from '../xml/xhtml.ts'
import { FhirDecimal } from './json.ts'
import type { FhirCode } from './problem.ts'
import type { Member, TypeDefinition, TypeLibrary } from './tables.ts'

/** One fault. All codes but `FHIR_EMPTY` and `FHIR_MISSING_ELEMENT` keep a resource from being written as XML. */
export interface FhirFault {
  readonly code: FhirCode
  /** `Patient.name[0].given[1]`. */
  readonly path: string
  readonly message: string
}

/** Nested elements beyond this are refused; the default limit of reading XML is the same. */
const maximumDepth = 256
/** More faults of one code than these help nobody; no code hides another, so that nothing grave is left unsaid. */
const maximumOfOneCode = 100

type Fields = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof FhirDecimal)
}

/** Members that carry no content: undefined ones, and the comments that DSTU2 allowed in JSON. */
export function isIgnored(key: string, value: unknown): boolean {
  return value === undefined || key === 'fhir_comments'
}

export class Checker {
  readonly faults: FhirFault[] = []
  readonly #counts = new Map<FhirCode, number>()
  readonly #library: TypeLibrary

  constructor(library: TypeLibrary) {
    this.#library = library
  }

  #fault(code: FhirCode, path: string, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    if (count <= maximumOfOneCode) this.faults.push({ code, path, message })
  }

  /** A resource, at the root or inside another one; `path` is empty at the root. */
  resource(value: unknown, path = '', depth = 0): void {
    const name = isObject(value) ? value['resourceType'] : undefined
    const type = typeof name === 'string' ? this.#library.resource(name) : undefined
    const place = path === '' ? 'resource' : path
    if (!isObject(value)) this.#fault('FHIR_WRONG_TYPE', place, 'a resource is an object')
    else if (name === undefined) this.#fault('FHIR_UNKNOWN_RESOURCE', place, 'the object has no resourceType')
    else if (type === undefined) this.#fault('FHIR_UNKNOWN_RESOURCE', place, 'no such resource type')
    else this.#members(value, type, path === '' ? type.name : path, depth + 1)
  }

  #members(value: Fields, type: TypeDefinition, path: string, depth: number): void {
    if (depth > maximumDepth) {
      this.#fault('FHIR_TOO_DEEP', path, `nested deeper than ${maximumDepth}`)
      return
    }
    const forms = new Map<string, string>()
    let count = 0
    for (const key of Object.keys(value)) {
      const content = value[key]
      if (isIgnored(key, content) || (key === 'resourceType' && type.isResource)) continue
      count++
      const extras = key.startsWith('_')
      const member = type.byName.get(extras ? key.slice(1) : key)
      const place = `${path}.${key}`
      if (member === undefined || (extras && !isPrimitive(member))) {
        this.#fault('FHIR_UNKNOWN_ELEMENT', place, `${type.name} has no such element`)
        continue
      }
      if (member.choice !== undefined) {
        const other = forms.get(member.choice)
        if (other !== undefined && other !== member.name)
          this.#fault('FHIR_CARDINALITY', place, `only one form of ${member.choice}[x] may stand`)
        forms.set(member.choice, member.name)
      }
      this.#content(content, value, member, extras, place, depth)
    }
    if (count === 0 && !type.isResource) this.#fault('FHIR_EMPTY', path, 'the object has no element')
    for (const { name, required } of type.members)
      if (required && value[name] === undefined && value[`_${name}`] === undefined)
        this.#fault('FHIR_MISSING_ELEMENT', `${path}.${name}`, 'the element is required')
  }

  #content(content: unknown, owner: Fields, member: Member, extras: boolean, path: string, depth: number): void {
    if (!member.many) {
      if (Array.isArray(content)) this.#fault('FHIR_CARDINALITY', path, 'the element is no list')
      else this.#one(content, member, extras, path, depth)
      return
    }
    if (!Array.isArray(content)) {
      this.#fault('FHIR_CARDINALITY', path, 'the element is a list')
      return
    }
    if (content.length === 0) this.#fault('FHIR_EMPTY', path, 'the list is empty')
    const twin = owner[extras ? member.name : `_${member.name}`]
    content.forEach((item: unknown, index) => {
      const place = `${path}[${index}]`
      if (item !== null || !isPrimitive(member)) this.#one(item, member, extras, place, depth)
      // A gap is right where the other list has something; one of the two reports a gap of both.
      else if (!extras && !(Array.isArray(twin) && isObject(twin[index])))
        this.#fault('FHIR_EMPTY', place, 'neither a value nor an extension')
    })
  }

  #one(value: unknown, member: Member, extras: boolean, path: string, depth: number): void {
    if (member.kind === 'resource') this.resource(value, path, depth + 1)
    else if (member.kind === 'complex' || extras) {
      if (isObject(value)) this.#members(value, this.#library.type(extras ? 'Element' : member.type), path, depth + 1)
      else this.#fault('FHIR_WRONG_TYPE', path, `an object belongs here`)
    } else if (member.kind === 'boolean') {
      if (typeof value !== 'boolean') this.#fault('FHIR_WRONG_TYPE', path, 'true or false belongs here')
    } else if (member.kind === 'number') {
      if (!(value instanceof FhirDecimal) && !(typeof value === 'number' && Number.isFinite(value)))
        this.#fault('FHIR_WRONG_TYPE', path, 'a number belongs here')
    } else if (typeof value !== 'string') this.#fault('FHIR_WRONG_TYPE', path, 'a string belongs here')
    else this.#string(value, member, path)
  }

  #string(value: string, member: Member, path: string): void {
    if (value === '') this.#fault('FHIR_EMPTY', path, 'the string is empty')
    if (!isXmlText(value)) this.#fault('FHIR_NOT_WRITABLE', path, 'the string has a control character')
    if (member.kind !== 'xhtml') return
    const problem = xhtmlDivProblem(value)
    if (problem !== undefined) this.#fault('FHIR_NARRATIVE_INVALID', path, problem)
  }
}

/** Written with a `value` in XML, and with a `_name` beside it in JSON. */
export function isPrimitive(member: Member): boolean {
  return member.kind === 'string' || member.kind === 'boolean' || member.kind === 'number'
}
