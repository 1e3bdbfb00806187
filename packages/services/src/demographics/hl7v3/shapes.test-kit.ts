/** Structure of XML as data, and what is wrong with an element that should have it. */
import { hl7Namespace } from '@openspine/standards/hl7v3'
import { addressingNamespaces, errorListNamespace, soapNamespace } from '@openspine/standards/soap'
import { elementsOf, type XmlElement } from '@openspine/standards/xml'

/** An attribute: a fixed value, one of a form, or (`optional`) one that may be missing. */
export type Attribute = string | RegExp | { readonly optional: string | RegExp }

/** How often an element stands: once, perhaps, any number, at least once; or exactly so many. */
export type Often = '1' | '?' | '*' | '+' | number

/** One kind of element. */
export interface Shape {
  readonly attributes: Readonly<Record<string, Attribute>>
  /** In their order; names of another namespace have its prefix. */
  readonly children: readonly (readonly [name: string, often: Often, shape: Shape])[]
  /** Text of elements that have some. */
  readonly text?: RegExp
}

const namespaces: Readonly<Record<string, string>> = {
  soap: soapNamespace,
  wsa: addressingNamespaces['2004/08'],
  nasp: errorListNamespace,
  none: '',
}

/** What stands within an element. */
export type Children = Shape['children']

/** An element with these attributes and children. */
export const shape = (attributes: Shape['attributes'] = {}, ...children: Children): Shape => ({ attributes, children })

/** An element with text alone. */
export const text = (form = /^.+$/s): Shape => ({ attributes: {}, children: [], text: form })

const allowed = (often: Often, count: number) =>
  often === '*' ||
  (often === '?' && count <= 1) ||
  (often === '+' && count >= 1) ||
  (often === '1' ? count === 1 : often === count)

/** Everything in which an element differs from its shape: path and what is wrong. */
export function faultsOf(element: XmlElement, { attributes, children, text: form }: Shape, path: string): string[] {
  const faults: string[] = []
  for (const [attribute, rule] of Object.entries(attributes)) {
    const found = element.attributes.find(({ name: own, namespace }) => own === attribute && namespace === '')
    const optional = typeof rule === 'object' && 'optional' in rule
    const wanted = optional ? rule.optional : rule
    if (found === undefined) {
      if (!optional) faults.push(`${path}: no @${attribute}`)
    } else if (typeof wanted === 'string' ? wanted !== found.value : !wanted.test(found.value))
      faults.push(`${path}/@${attribute}: ${found.value}`)
  }
  for (const { name: own } of element.attributes)
    if (attributes[own] === undefined) faults.push(`${path}: @${own} is not known`)
  const words = element.children.filter((child) => typeof child === 'string').join('')
  if (form === undefined ? words.trim() !== '' : !form.test(words))
    faults.push(`${path}: text ${words.trim() || 'missing'}`)

  const rest = [...elementsOf(element)]
  for (const [named, often, inner] of children) {
    const [prefix, local] = named.includes(':') ? (named.split(':') as [string, string]) : [undefined, named]
    const namespace = prefix === undefined ? hl7Namespace : (namespaces[prefix] ?? prefix)
    let count = 0
    while (rest[0]?.name === local && rest[0].namespace === namespace) {
      const child = rest.shift() as XmlElement
      count++
      faults.push(...faultsOf(child, inner, `${path}/${named}[${count}]`))
    }
    if (!allowed(often, count)) faults.push(`${path}: ${count} of ${named} (${often})`)
  }
  for (const { name: own } of rest) faults.push(`${path}: ${own} is not expected here`)
  return faults
}
