/** Reads a resource from XML straight into the shape that it has in JSON, without a tree between. */

import { XmlDecoder } from '../xml/decode.ts'
import { type XmlLimits, xmlDefaults, xmlError } from '../xml/problem.ts'
import { readXml, type XmlHandler, type XmlStart } from '../xml/reader.ts'
import { parseXml, type XmlElement } from '../xml/tree.ts'
import { escapeAttribute, writeXml } from '../xml/writer.ts'
import { xhtmlNamespace } from '../xml/xhtml.ts'
import { isPrimitive } from './check.ts'
import { type FhirDecimal, numberFrom } from './json.ts'
import { type FhirCode, fhirError } from './problem.ts'
import type { Member, TypeDefinition, TypeLibrary } from './tables.ts'
import { fhirNamespace } from './to-xml.ts'
import type { AnyResource } from './types.ts'

/** Hints for schema validators; they say nothing about the resource. */
const instanceNamespace = 'http://www.w3.org/2001/XMLSchema-instance'

/** Reading XML as a sender must be read, or as a receiver may. */
export interface XmlReading extends XmlLimits {
  /**
   * Pass over elements, attributes and resource types that this version does not have, with all that is in them, as a
   * consumer must that meets a newer provider. Default false: they throw.
   */
  readonly lenient?: boolean
}

type Fields = Record<string, unknown>
type Primitive = string | number | boolean | FhirDecimal

interface Frame {
  /** `name[0]`, for the path of an error. */
  readonly label: string
  /** What the element becomes: an object with the members of a type, a primitive, or the place of a resource. */
  readonly kind: 'object' | 'primitive' | 'place'
  readonly type: TypeDefinition
  readonly fields: Fields
  readonly member: Member | undefined
  /** Of a primitive: its value. */
  readonly value: Primitive | undefined
  /** Of an object: how often each member has stood, and which form of each choice. */
  seen: Map<string, number> | undefined
  forms: Map<string, string> | undefined
}

class ResourceReader implements XmlHandler {
  resource: Fields | undefined
  readonly #library: TypeLibrary
  readonly #text: string
  readonly #elementType: TypeDefinition
  readonly #frames: Frame[] = []
  /** Declarations of every open element, for a narrative that uses them. */
  readonly #declared: (ReadonlyMap<string, string> | undefined)[] = []
  #narrative: { readonly start: number; readonly tag: string; depth: number; standsAlone: boolean } | undefined
  readonly #lenient: boolean
  /** Open elements that are passed over, the outermost being 1. */
  #passedOver = 0

  constructor(library: TypeLibrary, text: string, lenient: boolean) {
    this.#library = library
    this.#text = text
    this.#lenient = lenient
    this.#elementType = library.type('Element')
  }

  #fail(code: FhirCode, explanation: string, last?: string): Error {
    // A resource inside another one has no name of its own in the path.
    const labels = this.#frames.map((frame) => frame.label).filter((label) => label !== '')
    if (last !== undefined) labels.push(last)
    return fhirError(code, labels.join('.') || 'document', explanation)
  }

  #push(label: string, kind: Frame['kind'], type: TypeDefinition, member?: Member, value?: Primitive): Fields {
    const fields: Fields = {}
    this.#frames.push({ label, kind, type, fields, member, value, seen: undefined, forms: undefined })
    return fields
  }

  start(element: XmlStart): void {
    this.#declared.push(element.declarations)
    if (this.#narrative !== undefined) {
      this.#narrative.depth++
      if (usesPrefix(element)) this.#narrative.standsAlone = false
      return
    }
    const parent = this.#frames.at(-1)
    const member = parent?.kind === 'object' ? parent.type.byName.get(element.name) : undefined
    if (this.#passedOver > 0 || (this.#lenient && parent !== undefined && this.#isUnknown(element, parent, member))) {
      this.#passedOver++
      return
    }
    if (element.namespace !== (member?.kind === 'xhtml' ? xhtmlNamespace : fhirNamespace))
      throw this.#fail('FHIR_WRONG_NAMESPACE', 'the element is not in the namespace that belongs here', element.name)
    if (parent === undefined || parent.kind === 'place') this.#startResource(element, parent)
    else if (parent.kind === 'object') this.#startMember(element, parent, member)
    else this.#startMember(element, parent, this.#elementType.byName.get(element.name))
  }

  #isUnknown({ namespace, name }: XmlStart, parent: Frame, member: Member | undefined): boolean {
    if (namespace !== (member?.kind === 'xhtml' ? xhtmlNamespace : fhirNamespace)) return true
    if (parent.kind === 'place') return this.#library.resource(name) === undefined
    const known = parent.kind === 'object' ? member : this.#elementType.byName.get(name)
    return known === undefined || known.kind === 'attribute'
  }

  #startResource(element: XmlStart, holder: Frame | undefined): void {
    const type = this.#library.resource(element.name)
    if (type === undefined) throw this.#fail('FHIR_UNKNOWN_RESOURCE', 'no such resource type', holder && element.name)
    if (holder?.fields['resource'] !== undefined)
      throw this.#fail('FHIR_CARDINALITY', 'one element holds one resource', element.name)
    const fields = this.#push(holder === undefined ? type.name : '', 'object', type)
    fields['resourceType'] = type.name
    this.#attributes(element, type, fields)
    if (holder === undefined) this.resource = fields
    else holder.fields['resource'] = fields
  }

  #startMember(element: XmlStart, parent: Frame, member: Member | undefined): void {
    const { name } = element
    if (member === undefined || member.kind === 'attribute')
      throw this.#fail('FHIR_UNKNOWN_ELEMENT', `${parent.type.name} has no such element`, name)
    parent.seen ??= new Map()
    const index = parent.seen.get(name) ?? 0
    if (index > 0 && !member.many) throw this.#fail('FHIR_CARDINALITY', 'the element may stand once', name)
    parent.seen.set(name, index + 1)
    if (member.choice !== undefined) {
      parent.forms ??= new Map()
      if ((parent.forms.get(member.choice) ?? name) !== name)
        throw this.#fail('FHIR_CARDINALITY', `only one form of ${member.choice}[x] may stand`, name)
      parent.forms.set(member.choice, name)
    }
    const label = member.many ? `${name}[${index}]` : name
    if (member.kind === 'xhtml') this.#startNarrative(element)
    else if (member.kind === 'resource') {
      this.#push(label, 'place', this.#elementType, member)
      this.#attributes(element, undefined, {})
    } else if (isPrimitive(member)) this.#startPrimitive(element, member, label)
    else {
      const type = this.#library.type(member.type)
      const fields = this.#push(label, 'object', type, member)
      this.#attributes(element, type, fields)
      place(parent, member, fields)
    }
  }

  #startPrimitive(element: XmlStart, member: Member, label: string): void {
    const written = element.attributes.find((one) => one.name === 'value' && one.namespace === '')?.value
    const value = written === undefined ? undefined : readPrimitive(member, written)
    if (written !== undefined && value === undefined)
      throw this.#fail('FHIR_WRONG_TYPE', `a ${member.kind} belongs here`, label)
    const fields = this.#push(label, 'primitive', this.#elementType, member, value)
    this.#attributes(element, this.#elementType, fields, 'value')
  }

  /** `id` and `url` where the type has them as attributes; whatever else stands there is unknown. */
  #attributes(element: XmlStart, type: TypeDefinition | undefined, fields: Fields, known = ''): void {
    for (const { name, namespace, value } of element.attributes) {
      if (namespace === instanceNamespace || (namespace === '' && name === known)) continue
      if (namespace !== '' || type?.byName.get(name)?.kind !== 'attribute') {
        if (this.#lenient) continue
        throw this.#fail('FHIR_UNKNOWN_ELEMENT', 'no such attribute belongs here', `@${name}`)
      }
      fields[name] = value
    }
  }

  #startNarrative(element: XmlStart): void {
    const standsAlone =
      element.prefix === '' && element.declarations?.get('') === xhtmlNamespace && !usesPrefix(element)
    const tag = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`
    this.#narrative = { start: this.#text.lastIndexOf('<', element.offset + 1), tag, depth: 1, standsAlone }
  }

  text(text: string): void {
    if (this.#narrative === undefined && this.#passedOver === 0 && text.trim() !== '')
      throw this.#fail('FHIR_UNEXPECTED_TEXT', 'there is text between the elements')
  }

  end(endOffset: number): void {
    if (this.#narrative !== undefined) {
      if (--this.#narrative.depth === 0) this.#endNarrative(endOffset)
      this.#declared.pop()
      return
    }
    this.#declared.pop()
    if (this.#passedOver > 0) {
      this.#passedOver--
      return
    }
    const frame = this.#frames.pop()
    const parent = this.#frames.at(-1)
    if (frame === undefined || parent === undefined) return
    if (frame.kind === 'primitive') addPrimitive(parent, frame)
    else if (frame.kind === 'place') this.#addResource(parent, frame)
  }

  #addResource(parent: Frame, { member, fields, label }: Frame): void {
    const resource = fields['resource']
    if (resource === undefined && this.#lenient) return
    if (resource === undefined) throw this.#fail('FHIR_CARDINALITY', 'the element holds no resource', label)
    if (member !== undefined) place(parent, member, resource)
  }

  #endNarrative(endOffset: number): void {
    const narrative = this.#narrative
    const owner = this.#frames.at(-1)
    if (narrative === undefined || owner === undefined) return
    this.#narrative = undefined
    const written = this.#text.slice(narrative.start, endOffset)
    // A parser reads every line end as a line feed; so does the text in JSON.
    owner.fields['div'] = narrative.standsAlone ? written.replace(/\r\n?/g, '\n') : this.#detach(written, narrative.tag)
  }

  /** A narrative that leans on declarations of its ancestors, rewritten to stand alone. */
  #detach(written: string, tag: string): string {
    const scope = new Map<string, string>()
    for (const declarations of this.#declared.slice(0, -1))
      for (const [prefix, uri] of declarations ?? []) scope.set(prefix, uri)
    for (const prefix of this.#declared.at(-1)?.keys() ?? []) scope.delete(prefix)
    let declared = ''
    for (const [prefix, uri] of scope)
      declared += ` xmlns${prefix === '' ? '' : ':'}${prefix}="${escapeAttribute(uri)}"`
    return writeXml(unprefixed(parseXml(`<${tag}${declared}${written.slice(tag.length + 1)}`)))
  }
}

/** Puts an object where its element stands in the parent. */
function place(parent: Frame, { name, many }: Member, value: unknown): void {
  const list = parent.fields[name]
  if (!many) parent.fields[name] = value
  else if (Array.isArray(list)) list.push(value)
  else parent.fields[name] = [value]
}

function usesPrefix(element: XmlStart): boolean {
  return (
    (element.prefix !== '' && element.prefix !== 'xml') ||
    element.attributes.some(({ prefix }) => prefix !== '' && prefix !== 'xml')
  )
}

function unprefixed(element: XmlElement): XmlElement {
  const children = element.children.map((child) => (typeof child === 'string' ? child : unprefixed(child)))
  const plain = { ...element, declarations: undefined, children }
  return element.namespace === xhtmlNamespace ? { ...plain, prefix: '' } : plain
}

function readPrimitive(member: Member, written: string): Primitive | undefined {
  if (member.kind === 'number') return numberFrom(written)
  if (member.kind === 'boolean') return written === 'true' ? true : written === 'false' ? false : undefined
  return written
}

/** Lists of values and of what stands beside them have the same length, with null in the gaps. */
function addPrimitive(parent: Frame, { member, value, fields }: Frame): void {
  if (member === undefined) return
  const { name } = member
  const beside = `_${name}`
  const extras = Object.keys(fields).length > 0 ? fields : undefined
  if (!member.many) {
    if (value !== undefined) parent.fields[name] = value
    if (extras !== undefined) parent.fields[beside] = extras
    return
  }
  const before = (parent.seen?.get(name) ?? 1) - 1
  for (const [key, one] of [
    [name, value],
    [beside, extras],
  ] as const) {
    const list = parent.fields[key]
    if (Array.isArray(list)) list.push(one ?? null)
    else if (one !== undefined) parent.fields[key] = [...new Array<null>(before).fill(null), one]
  }
}

/**
 * The resource of an XML document.
 *
 * @throws SpineError `XML_…` (outcome: line and column) or `FHIR_…` (outcome: path)
 */
export function readResource(library: TypeLibrary, input: Uint8Array | string, options: XmlReading = {}): AnyResource {
  const { lenient = false, ...limits } = options
  const { bytes } = { ...xmlDefaults, ...limits }
  if (input.length > bytes) throw xmlError('XML_TOO_LARGE', `The document is larger than ${bytes} bytes.`)
  // The narrative is cut out of the text, so the text is needed whole.
  let text = input
  if (typeof text !== 'string') {
    const decoder = new XmlDecoder()
    text = decoder.decode(text, true)
  }
  const reader = new ResourceReader(library, text, lenient)
  readXml(text, reader, limits)
  if (reader.resource === undefined) throw new Error('a document without a root was accepted')
  return reader.resource as AnyResource
}
