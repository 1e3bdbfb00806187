/**
 * Bytes of an XML document to text. UTF-8 (with or without byte order mark), US-ASCII and ISO-8859-1 are
 * read; everything else is refused rather than guessed, and so are bytes that are not valid.
 */

import { xmlError } from './problem.ts'

type Encoding = 'utf-8' | 'us-ascii' | 'iso-8859-1'

/** The declaration stands within these first bytes, or there is none. */
const declarationLimit = 256

const names: Readonly<Record<string, Encoding>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'us-ascii': 'us-ascii',
  ascii: 'us-ascii',
  'iso-8859-1': 'iso-8859-1',
  latin1: 'iso-8859-1',
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
}

/** The value of `encoding` in a declaration (`<?xml … ?>`), without judging the rest of it: the parser does. */
function declaredEncoding(declaration: string): string | undefined {
  let at = 5
  while (at < declaration.length) {
    while (isSpace(declaration.charCodeAt(at))) at++
    const nameStart = at
    while (at < declaration.length && declaration[at] !== '=' && !isSpace(declaration.charCodeAt(at))) at++
    const name = declaration.slice(nameStart, at)
    while (isSpace(declaration.charCodeAt(at))) at++
    if (declaration[at] !== '=') return undefined
    at++
    while (isSpace(declaration.charCodeAt(at))) at++
    const quote = declaration[at]
    if (quote !== '"' && quote !== "'") return undefined
    const end = declaration.indexOf(quote, at + 1)
    if (end === -1) return undefined
    if (name === 'encoding') return declaration.slice(at + 1, end)
    at = end + 1
  }
  return undefined
}

/** Takes the bytes in any portions and gives the text of each as soon as it is certain. */
export class XmlDecoder {
  #head: Uint8Array | undefined = new Uint8Array(0)
  #encoding: Encoding = 'utf-8'
  /** `fatal`: an invalid or truncated sequence throws. A byte order mark is dropped. */
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })

  /** The text that these bytes complete; `last` says that no more follow. */
  decode(bytes: Uint8Array, last: boolean): string {
    if (this.#head === undefined) return this.#text(bytes, last)
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const declared = this.#readDeclaration(head, last)
    if (!declared) {
      this.#head = Uint8Array.from(head)
      return ''
    }
    this.#head = undefined
    return this.#text(head, last)
  }

  /** True once the encoding is settled. */
  #readDeclaration(head: Uint8Array, last: boolean): boolean {
    const [first, second, third, fourth] = head
    if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe))
      throw xmlError('XML_ENCODING', 'The document is UTF-16; send it in UTF-8.')
    if (first === 0 || (second === 0 && head.length > 1) || (third === 0 && fourth === 0 && head.length > 3))
      throw xmlError('XML_ENCODING', 'The document starts with a zero byte, as UTF-16 or UTF-32 does; send UTF-8.')
    const start = first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0
    const opening = '<?xml'
    const written = Buffer.from(head.subarray(start, declarationLimit)).toString('latin1')
    const enough = last || head.length >= declarationLimit
    if (!written.startsWith(opening)) return enough || (head.length >= 3 && !opening.startsWith(written))
    const end = written.indexOf('?>')
    if (end === -1) return enough
    const name = declaredEncoding(written.slice(0, end))
    if (name === undefined) return true
    const key = name.toLowerCase()
    const encoding = Object.hasOwn(names, key) ? names[key] : undefined
    if (encoding === undefined)
      throw xmlError('XML_ENCODING', 'The declared encoding is not accepted; send UTF-8.', undefined, name)
    if (start !== 0 && encoding !== 'utf-8')
      throw xmlError('XML_ENCODING', 'The byte order mark says UTF-8 and the declaration another encoding.')
    this.#encoding = encoding
    return true
  }

  #text(bytes: Uint8Array, last: boolean): string {
    if (this.#encoding === 'iso-8859-1') return Buffer.from(bytes).toString('latin1')
    if (this.#encoding === 'us-ascii' && bytes.some((byte) => byte > 0x7f))
      throw xmlError('XML_ENCODING', 'The document declares US-ASCII and has other bytes.')
    try {
      return this.#utf8.decode(bytes, { stream: !last })
    } catch (cause) {
      throw xmlError('XML_ENCODING', 'The document is not valid UTF-8.', undefined, String(cause))
    }
  }
}
