/** Faults and limits of reading XML. */

import { SpineError } from '../error.ts'

/** Every code that this module throws. */
export type XmlCode =
  /** The document breaks a rule of XML 1.0 or of Namespaces in XML 1.0. */
  | 'XML_NOT_WELL_FORMED'
  /** The document has a document type declaration. */
  | 'XML_DTD_FORBIDDEN'
  /** The encoding is none that is accepted, or the bytes are not valid in it. */
  | 'XML_ENCODING'
  /** XML 1.1 or an unknown version. */
  | 'XML_VERSION'
  | 'XML_TOO_LARGE'
  | 'XML_TOO_DEEP'
  | 'XML_TOO_MANY_ATTRIBUTES'
  | 'XML_TOO_MANY_NODES'
  | 'XML_TOO_MUCH_TEXT'
  /** Asked to write something that XML 1.0 cannot carry. */
  | 'XML_NOT_WRITABLE'

/** Where it went wrong: line from 1, column (in characters) from 0; both 0 where the text has no place. */
export interface XmlPlace {
  readonly line: number
  readonly column: number
}

/** Bounds of one document; reading stops at the first that is passed. */
export interface XmlLimits {
  /** Bytes of the whole document (characters where it comes as a string). Default 16 MiB. */
  readonly bytes?: number
  /** Nested elements, the root being 1. Default 256. */
  readonly depth?: number
  /** Attributes of one element, namespace declarations included. Default 256. */
  readonly attributes?: number
  /** Elements, text runs, comments and processing instructions together. Default 1 000 000. */
  readonly nodes?: number
  /** Characters of all text and attribute values together. Default 16 Mi. */
  readonly text?: number
}

/** The limits that hold where none are given. */
export const xmlDefaults: Required<XmlLimits> = {
  bytes: 16 * 1024 * 1024,
  depth: 256,
  attributes: 256,
  nodes: 1_000_000,
  text: 16 * 1024 * 1024,
}

/** Nothing that the sender wrote stands in `explanation`; `detail` may quote names of elements. */
export function xmlError(
  code: XmlCode,
  explanation: string,
  place: XmlPlace = { line: 0, column: 0 },
  detail?: string,
): SpineError<XmlPlace> {
  const where = place.line === 0 ? explanation : `${explanation} (line ${place.line}, column ${place.column})`
  return new SpineError(code, place, detail === undefined ? { explanation: where } : { explanation: where, detail })
}
