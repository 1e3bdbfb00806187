/**
 * Reading XML safely: events from saxes, with namespaces, behind hard limits. A document type declaration
 * is always an error, so there are no entities but the five of XML itself and nothing is ever fetched.
 */

import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes'
import { isSpineError } from '../error.ts'
import { XmlDecoder } from './decode.ts'
import { type XmlCode, type XmlLimits, xmlDefaults, xmlError } from './problem.ts'

/** The namespace of `xml:lang` and `xml:space`. */
export const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** What is bound without any declaration. */
const outermost: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['xml', xmlNamespace],
])

/** Characters of a name that may not begin one. saxes lets them begin the part behind a colon. */
const noStart = /^(?:[-.0-9\u00b7\u203f\u2040]|[\u0300-\u036f])/

/** An attribute; namespace `''` for the usual unprefixed one. Declarations (`xmlns…`) are none. */
export interface XmlAttribute {
  readonly namespace: string
  readonly prefix: string
  readonly name: string
  readonly value: string
}

/** What the start tag says. */
export interface XmlStart {
  /** Namespace name, `''` for none. */
  readonly namespace: string
  readonly prefix: string
  /** Local name. */
  readonly name: string
  readonly attributes: readonly XmlAttribute[]
  /** Namespaces that this very tag declares, by prefix (`''` = default); undefined when it declares none. */
  readonly declarations: ReadonlyMap<string, string> | undefined
  /** Index of its `<` in the text; one more when CR LF follows the name of the element. */
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** Receives the document. An error that a handler throws ends the reading and passes through. */
export interface XmlHandler {
  start(element: XmlStart): void
  /** Called once per element, also for `<a/>`; `endOffset` is the index behind its last `>`. */
  end?(endOffset: number): void
  /** Character data, in one or more portions; CDATA sections come through here as well. */
  text?(text: string): void
  comment?(text: string): void
  instruction?(target: string, body: string): void
}

/** The place that saxes puts before its messages is carried by the error itself. */
function withoutPlace(message: string): string {
  const colon = message.indexOf(': ')
  return colon === -1 ? message : message.slice(colon + 2)
}

/**
 * Reads one document that arrives in portions.
 *
 * @example
 * const reader = new XmlReader({ start: (element) => console.log(element.name) })
 * reader.write(Buffer.from('<a><b'))
 * reader.write(Buffer.from('/></a>'))
 * reader.end()
 */
export class XmlReader {
  readonly #parser = new SaxesParser({ xmlns: true })
  /** Made for the first bytes; a document that comes as text needs none. */
  #decoder: XmlDecoder | undefined
  readonly #limits: Required<XmlLimits>
  readonly #handler: XmlHandler
  /** Bindings of the open elements, the innermost last. */
  readonly #scopes: Record<string, string>[] = []
  #bytes = 0
  #text = 0
  #nodes = 0
  #attributes = 0
  #tagLine = 0
  #tagColumn = 0
  #tagStart = 0
  #state: 'reading' | 'failed' | 'ended' = 'reading'

  constructor(handler: XmlHandler, limits: XmlLimits = {}) {
    this.#handler = handler
    this.#limits = { ...xmlDefaults, ...limits }
    this.#listen()
  }

  /** The next bytes, or characters; a document comes in one of the two kinds throughout. */
  write(portion: Uint8Array | string): void {
    this.#guard(() => {
      this.#bytes += portion.length
      if (this.#bytes > this.#limits.bytes)
        throw this.#refuse('XML_TOO_LARGE', `The document is larger than ${this.#limits.bytes} bytes.`)
      if (typeof portion === 'string') this.#feed(portion)
      else {
        this.#decoder ??= new XmlDecoder()
        this.#feed(this.#decoder.decode(portion, false))
      }
    })
  }

  /** No more follows: the document must be complete. */
  end(): void {
    this.#guard(() => {
      if (this.#decoder !== undefined) this.#feed(this.#decoder.decode(new Uint8Array(0), true))
      this.#parser.close()
      this.#state = 'ended'
    })
  }

  #feed(text: string): void {
    if (text !== '') this.#parser.write(text)
  }

  #guard(work: () => void): void {
    if (this.#state !== 'reading') throw new Error(`this reader has ${this.#state}`)
    try {
      work()
    } catch (cause) {
      this.#state = 'failed'
      throw cause
    }
  }

  #refuse(code: XmlCode, explanation: string, detail?: string): Error {
    return xmlError(code, explanation, { line: this.#parser.line, column: this.#parser.column }, detail)
  }

  #checkLocalName(name: string): void {
    if (noStart.test(name))
      throw this.#refuse('XML_NOT_WELL_FORMED', 'The document is not well-formed XML.', 'malformed name')
  }

  #countNode(): void {
    if (++this.#nodes > this.#limits.nodes)
      throw this.#refuse('XML_TOO_MANY_NODES', `The document has more than ${this.#limits.nodes} nodes.`)
  }

  #countText(length: number): void {
    this.#text += length
    if (this.#text > this.#limits.text)
      throw this.#refuse('XML_TOO_MUCH_TEXT', `The document has more than ${this.#limits.text} characters of text.`)
  }

  /**
   * Writes the binding of a prefix into the scopes between its use and its declaration. saxes walks them
   * all for each name; without this, many siblings at great depth cost their product.
   */
  #cacheBinding(prefix: string): void {
    let at = this.#scopes.length - 1
    while (at >= 0 && this.#scopes[at]?.[prefix] === undefined) at--
    const uri = at >= 0 ? this.#scopes[at]?.[prefix] : outermost.get(prefix)
    if (uri === undefined) return
    for (let i = at + 1; i < this.#scopes.length; i++) {
      const scope = this.#scopes[i]
      if (scope !== undefined) scope[prefix] = uri
    }
  }

  #listen(): void {
    const parser = this.#parser
    const handler = this.#handler
    parser.on('error', (error) => {
      throw isSpineError(error)
        ? error
        : this.#refuse('XML_NOT_WELL_FORMED', 'The document is not well-formed XML.', withoutPlace(error.message))
    })
    parser.on('xmldecl', (declaration) => {
      if (declaration.version !== '1.0') throw this.#refuse('XML_VERSION', 'Only XML 1.0 is accepted.')
    })
    parser.on('doctype', () => {
      throw this.#refuse('XML_DTD_FORBIDDEN', 'A document type declaration is not accepted.')
    })
    parser.on('opentagstart', (tag) => {
      this.#countNode()
      if (this.#scopes.length >= this.#limits.depth)
        throw this.#refuse('XML_TOO_DEEP', `Elements are nested deeper than ${this.#limits.depth}.`)
      this.#attributes = 0
      // saxes has read the name and one character more, which may have been a line end.
      this.#tagLine = parser.column === 0 ? parser.line - 1 : parser.line
      this.#tagColumn = Math.max(0, parser.column - tag.name.length - 2)
      this.#tagStart = parser.position - tag.name.length - 2
      const colon = tag.name.indexOf(':')
      if (colon !== -1) this.#checkLocalName(tag.name.slice(colon + 1))
      this.#cacheBinding(colon === -1 ? '' : tag.name.slice(0, colon))
      this.#scopes.push(tag.ns)
    })
    parser.on('attribute', (attribute) => {
      if (++this.#attributes > this.#limits.attributes)
        throw this.#refuse('XML_TOO_MANY_ATTRIBUTES', `An element has more than ${this.#limits.attributes} attributes.`)
      this.#countText(attribute.value.length)
      if (attribute.prefix === '') return
      this.#checkLocalName(attribute.local)
      if (attribute.prefix !== 'xmlns') this.#cacheBinding(attribute.prefix)
    })
    parser.on('opentag', (tag) => handler.start(this.#start(tag)))
    parser.on('closetag', () => {
      this.#scopes.pop()
      handler.end?.(parser.position)
    })
    const characters = (text: string): void => {
      this.#countNode()
      this.#countText(text.length)
      // White space around the root element is no content.
      if (this.#scopes.length > 0) handler.text?.(text)
    }
    parser.on('text', characters)
    parser.on('cdata', characters)
    parser.on('comment', (text) => {
      this.#countNode()
      handler.comment?.(text)
    })
    parser.on('processinginstruction', ({ target, body }) => {
      this.#countNode()
      handler.instruction?.(target, body)
    })
  }

  #start(tag: SaxesTagNS): XmlStart {
    const attributes: XmlAttribute[] = []
    let declarations: Map<string, string> | undefined
    for (const written in tag.attributes) {
      const { uri, prefix, local, name, value } = tag.attributes[written] as SaxesAttributeNS
      if (uri === xmlnsNamespace) {
        declarations ??= new Map()
        declarations.set(name === 'xmlns' ? '' : local, value)
      } else attributes.push({ namespace: uri, prefix, name: local, value })
    }
    return {
      namespace: tag.uri,
      prefix: tag.prefix,
      name: tag.local,
      attributes,
      declarations,
      offset: this.#tagStart,
      line: this.#tagLine,
      column: this.#tagColumn,
    }
  }
}

/**
 * Reads a whole document at once.
 *
 * @throws SpineError `XML_…` whose outcome is the place
 */
export function readXml(input: Uint8Array | string, handler: XmlHandler, limits: XmlLimits = {}): void {
  const reader = new XmlReader(handler, limits)
  reader.write(input)
  reader.end()
}
