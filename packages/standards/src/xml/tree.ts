/** A small tree for documents that are read as a whole, such as a SOAP envelope. */

import type { XmlLimits } from './problem.ts'
import { type XmlAttribute, type XmlHandler, XmlReader, type XmlStart } from './reader.ts'

/** An element. Comments and processing instructions are left out; neighbouring text is one string. */
export interface XmlElement {
  readonly namespace: string
  readonly prefix: string
  /** Local name. */
  readonly name: string
  readonly attributes: readonly XmlAttribute[]
  /** Namespaces that this very element declares, by prefix. */
  readonly declarations: ReadonlyMap<string, string> | undefined
  readonly children: readonly (XmlElement | string)[]
  readonly line: number
  readonly column: number
}

class Builder implements XmlHandler {
  readonly #open: { element: XmlElement; children: (XmlElement | string)[] }[] = []
  root: XmlElement | undefined

  start({ namespace, prefix, name, attributes, declarations, line, column }: XmlStart): void {
    const children: (XmlElement | string)[] = []
    const element = { namespace, prefix, name, attributes, declarations, children, line, column }
    const parent = this.#open.at(-1)
    if (parent === undefined) this.root = element
    else parent.children.push(element)
    this.#open.push({ element, children })
  }

  text(text: string): void {
    const children = this.#open.at(-1)?.children
    if (children === undefined) return
    const before = children.at(-1)
    if (typeof before === 'string') children[children.length - 1] = before + text
    else children.push(text)
  }

  end(): void {
    this.#open.pop()
  }
}

/**
 * The root element of a document given whole or in portions. A string is taken as decoded, whatever encoding its
 * declaration names.
 *
 * @throws SpineError `XML_…` whose outcome is the place
 *
 * @example
 * textOf(parseXml('<a xmlns="urn:x">1<b/>2</a>')) // '12'
 */
export function parseXml(input: Uint8Array | string | Iterable<Uint8Array>, limits: XmlLimits = {}): XmlElement {
  const builder = new Builder()
  const reader = new XmlReader(builder, limits)
  if (typeof input === 'string' || input instanceof Uint8Array) reader.write(input)
  else for (const portion of input) reader.write(portion)
  reader.end()
  if (builder.root === undefined) throw new Error('a document without a root was accepted')
  return builder.root
}

/** Child elements of this namespace and local name. */
export function childElements(parent: XmlElement, namespace: string, name: string): XmlElement[] {
  return elementsOf(parent).filter((child) => child.namespace === namespace && child.name === name)
}

/** The first child element of this namespace and local name. */
export function childElement(parent: XmlElement, namespace: string, name: string): XmlElement | undefined {
  return elementsOf(parent).find((child) => child.namespace === namespace && child.name === name)
}

/** All child elements. */
export function elementsOf(parent: XmlElement): XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string')
}

/** All character data beneath an element, in order. */
export function textOf(element: XmlElement): string {
  let text = ''
  for (const child of element.children) text += typeof child === 'string' ? child : textOf(child)
  return text
}

/** The value of an attribute, undefined when it is absent. */
export function attributeOf(element: XmlElement, name: string, namespace = ''): string | undefined {
  return element.attributes.find((one) => one.name === name && one.namespace === namespace)?.value
}

/**
 * An element to write. Attributes without a value are left out, and so are children that are undefined. The prefix must
 * be declared by `declare` or further out; without one the namespace becomes the default.
 *
 * @example
 * writeXml(makeElement('urn:x', 'a', { b: '1', c: undefined }, ['text'])) // <a xmlns="urn:x" b="1">text</a>
 */
export function makeElement(
  namespace: string,
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: readonly (XmlElement | string | undefined)[] = [],
  options: { readonly prefix?: string; readonly declare?: Iterable<readonly [string, string]> } = {},
): XmlElement {
  const written: XmlAttribute[] = []
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== undefined) written.push({ namespace: '', prefix: '', name: attribute, value })
  return {
    namespace,
    prefix: options.prefix ?? '',
    name,
    attributes: written,
    declarations: options.declare === undefined ? undefined : new Map(options.declare),
    children: children.filter((child): child is XmlElement | string => child !== undefined && child !== ''),
    line: 0,
    column: 0,
  }
}
