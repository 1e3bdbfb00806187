/** Writing XML 1.0: every character escaped as its place demands, every namespace declared where it is used. */

import { xmlError } from './problem.ts'
import { xmlNamespace } from './reader.ts'
import type { XmlElement } from './tree.ts'

/** What XML 1.0 has no way to write, not even as a character reference. */
const illegal = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u
const illegalAll = new RegExp(illegal.source, 'gu')
const special = /[&<>"\t\n\r]/

/** True when XML 1.0 can carry every character of the text (no control characters, no lone surrogates). */
export function isXmlText(text: string): boolean {
  return !illegal.test(text)
}

/** The text with U+FFFD in place of every character that XML 1.0 cannot carry. */
export function replaceIllegal(text: string): string {
  return text.replace(illegalAll, '\ufffd')
}

function checked(text: string): string {
  if (illegal.test(text)) throw xmlError('XML_NOT_WRITABLE', 'The text has a character that XML 1.0 cannot carry.')
  return text
}

/**
 * Character data. Carriage returns become references, because a reader would turn them into line feeds.
 *
 * @throws SpineError `XML_NOT_WRITABLE` for a character that XML cannot carry
 */
export function escapeText(text: string): string {
  checked(text)
  if (!special.test(text)) return text
  let escaped = ''
  let done = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const by = code === 0x26 ? '&amp;' : code === 0x3c ? '&lt;' : code === 0x3e ? '&gt;' : code === 0x0d ? '&#13;' : ''
    if (by === '') continue
    escaped += text.slice(done, i) + by
    done = i + 1
  }
  return escaped + text.slice(done)
}

/**
 * An attribute value, for double quotes. Tabs and line ends become references, because a reader would turn
 * them into spaces.
 *
 * @throws SpineError `XML_NOT_WRITABLE` for a character that XML cannot carry
 */
export function escapeAttribute(value: string): string {
  checked(value)
  if (!special.test(value)) return value
  let escaped = ''
  let done = 0
  for (let i = 0; i < value.length; i++) {
    const by = attributeEscapes[value.charCodeAt(i)]
    if (by === undefined) continue
    escaped += value.slice(done, i) + by
    done = i + 1
  }
  return escaped + value.slice(done)
}

const attributeEscapes: Readonly<Record<number, string>> = {
  9: '&#9;',
  10: '&#10;',
  13: '&#13;',
  34: '&quot;',
  38: '&amp;',
  60: '&lt;',
  62: '&gt;',
}

/** A name without colon, of letters that every XML reader accepts; non-ASCII letters are allowed. */
function isNcName(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}\p{M}._·-]*$/u.test(name)
}

/** An attribute to write: `name` is local; a namespace needs a prefix, given or already in scope. */
export interface XmlAttributeToWrite {
  readonly name: string
  readonly value: string
  readonly namespace?: string
  readonly prefix?: string
}

/**
 * Writes one document from the outside in, without white space of its own.
 *
 * @example
 * const writer = new XmlWriter()
 * writer.open('urn:x', 'a').leaf('urn:x', 'b', 'one & two').close()
 * writer.toString() // <a xmlns="urn:x"><b>one &amp; two</b></a>
 */
export class XmlWriter {
  #written = ''
  /** A start tag is not closed before it is known whether anything stands inside. */
  #tagOpen = false
  #finished = false
  readonly #elements: { readonly name: string; readonly scope: ReadonlyMap<string, string> }[] = []

  /** `<?xml version="1.0" encoding="UTF-8"?>`; must come first. */
  declaration(): this {
    if (this.#written !== '') throw new Error('the declaration comes first')
    this.#written = '<?xml version="1.0" encoding="UTF-8"?>'
    return this
  }

  /**
   * Opens an element. Its namespace becomes the default unless a prefix is given; `declare` adds further
   * declarations, by prefix.
   */
  open(
    namespace: string,
    name: string,
    attributes: readonly XmlAttributeToWrite[] = [],
    options: { readonly prefix?: string; readonly declare?: Iterable<readonly [string, string]> } = {},
  ): this {
    if (this.#finished) throw new Error('the document has one root')
    const prefix = options.prefix ?? ''
    if (namespace === '' && prefix !== '') throw xmlError('XML_NOT_WRITABLE', 'A prefix needs a namespace.')
    const outer = this.#elements.at(-1)?.scope
    const scope = new Map<string, string>(outer)
    const own = new Map<string, string>(options.declare)
    if (own.get(prefix) === undefined && (scope.get(prefix) ?? '') !== namespace) own.set(prefix, namespace)
    for (const [declared, uri] of own) scope.set(declared, uri)
    if ((scope.get(prefix) ?? '') !== namespace)
      throw xmlError('XML_NOT_WRITABLE', 'One prefix is declared for two namespaces on one element.')
    let written = ''
    const seen = new Set<string>()
    for (const attribute of attributes) {
      const attributePrefix = this.#prefixOf(attribute, scope, own)
      const key = `${attribute.namespace ?? ''}\n${attribute.name}`
      if (seen.has(key)) throw xmlError('XML_NOT_WRITABLE', 'An attribute is given twice.', undefined, attribute.name)
      seen.add(key)
      written += ` ${qualified(attributePrefix, attribute.name)}="${escapeAttribute(attribute.value)}"`
    }
    let declarations = ''
    for (const [declared, uri] of own) {
      if (outer?.get(declared) === uri) continue
      declarations +=
        declared === '' ? ` xmlns="${escapeAttribute(uri)}"` : ` xmlns:${declared}="${escapeAttribute(uri)}"`
    }
    const qname = qualified(prefix, name)
    this.#inside()
    this.#written += `<${qname}${declarations}${written}`
    this.#tagOpen = true
    this.#elements.push({ name: qname, scope })
    return this
  }

  #prefixOf(attribute: XmlAttributeToWrite, scope: Map<string, string>, own: Map<string, string>): string {
    const { namespace = '', prefix } = attribute
    if (namespace === '') return ''
    if (namespace === xmlNamespace) return 'xml'
    if (prefix !== undefined && prefix !== '' && scope.get(prefix) === namespace) return prefix
    for (const [known, uri] of scope) if (uri === namespace && known !== '') return known
    let fresh = prefix === undefined || prefix === '' || scope.has(prefix) ? 'ns1' : prefix
    for (let i = 1; scope.has(fresh); i++) fresh = `ns${i}`
    scope.set(fresh, namespace)
    own.set(fresh, namespace)
    return fresh
  }

  /** Character data. */
  text(text: string): this {
    if (this.#elements.length === 0) throw new Error('text stands inside an element')
    this.#inside()
    this.#written += escapeText(text)
    return this
  }

  /** Closes the innermost element. */
  close(): this {
    const element = this.#elements.pop()
    if (element === undefined) throw new Error('no element is open')
    this.#written += this.#tagOpen ? '/>' : `</${element.name}>`
    this.#tagOpen = false
    this.#finished = this.#elements.length === 0
    return this
  }

  /** An element with nothing but text; empty text gives `<name/>`. */
  leaf(namespace: string, name: string, text = '', attributes: readonly XmlAttributeToWrite[] = []): this {
    this.open(namespace, name, attributes)
    if (text !== '') this.text(text)
    return this.close()
  }

  /** Well-formed XML that is known to declare all it uses, as it is; the caller vouches for it. */
  verbatim(xml: string): this {
    this.#inside()
    this.#written += xml
    return this
  }

  /** A parsed element with everything inside it. */
  element(element: XmlElement): this {
    const { namespace, name, prefix, attributes, declarations } = element
    this.open(namespace, name, attributes, { prefix, ...(declarations === undefined ? {} : { declare: declarations }) })
    for (const child of element.children) {
      if (typeof child === 'string') this.text(child)
      else this.element(child)
    }
    return this.close()
  }

  #inside(): void {
    if (this.#tagOpen) this.#written += '>'
    this.#tagOpen = false
  }

  /** The document; every element must be closed. */
  toString(): string {
    if (this.#elements.length > 0) throw new Error(`${this.#elements.at(-1)?.name} is still open`)
    return this.#written
  }
}

function qualified(prefix: string, name: string): string {
  if (!isNcName(name) || (prefix !== '' && !isNcName(prefix)))
    throw xmlError('XML_NOT_WRITABLE', 'This is not a name of XML.', undefined, `${prefix}:${name}`)
  return prefix === '' ? name : `${prefix}:${name}`
}

/** An element as a document of its own, namespaces declared anew. */
export function writeXml(element: XmlElement): string {
  return new XmlWriter().element(element).toString()
}
