/**
 * XML 1.0 with namespaces: safe reading (events or a small tree, hard limits, never a DTD) and exact writing.
 *
 * @example
 * import { parseXml, XmlWriter } from '@openspine/standards/xml'
 */

export { type XmlCode, type XmlLimits, type XmlPlace, xmlDefaults } from './problem.ts'
export { readXml, type XmlAttribute, type XmlHandler, XmlReader, type XmlStart, xmlNamespace } from './reader.ts'
export {
  attributeOf,
  childElement,
  childElements,
  elementsOf,
  makeElement,
  parseXml,
  textOf,
  type XmlElement,
} from './tree.ts'
export {
  escapeAttribute,
  escapeText,
  isXmlText,
  replaceIllegal,
  writeXml,
  type XmlAttributeToWrite,
  XmlWriter,
} from './writer.ts'
export { xhtmlDivProblem, xhtmlNamespace } from './xhtml.ts'
