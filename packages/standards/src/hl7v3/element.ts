import { attributeOf, childElements, makeElement, textOf, type XmlElement } from '../xml/xml.ts'

/** Namespace of every HL7 V3 message. */
export const hl7Namespace = 'urn:hl7-org:v3'

type Attributes = Readonly<Record<string, string | undefined>>

/** An element of HL7 V3 to write; what is undefined is left out. */
export function hl7(
  name: string,
  attributes: Attributes = {},
  ...children: readonly (XmlElement | string | undefined)[]
): XmlElement {
  return makeElement(hl7Namespace, name, attributes, children)
}

/** Every element at the end of a path of names, such as `ControlActEvent/author1`; names may hold dots. */
export function all(element: XmlElement | undefined, path: string): readonly XmlElement[] {
  let found: readonly XmlElement[] = element === undefined ? [] : [element]
  for (const name of path.split('/')) found = found.flatMap((each) => childElements(each, hl7Namespace, name))
  return found
}

/** The first element at the end of a path. */
export const one = (element: XmlElement | undefined, path: string): XmlElement | undefined => all(element, path)[0]

/** An attribute of an element that may be missing. */
export const valueAt = (element: XmlElement | undefined, attribute: string): string | undefined =>
  element && attributeOf(element, attribute)

/** Text of an element that may be missing, without the white space around it. */
export const textAt = (element: XmlElement | undefined): string | undefined => element && textOf(element).trim()

/** The same value without the members that are undefined. */
export function present<Value extends object>(value: { readonly [Key in keyof Value]: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value
}
