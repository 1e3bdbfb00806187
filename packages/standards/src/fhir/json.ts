/**
 * JSON of FHIR: as JSON.parse, but decimals keep their digits (`1.50` is not `1.5`), a repeated member is an
 * error, `__proto__` is refused, and size and depth are bounded.
 */

import { type FhirCode, fhirError } from './problem.ts'

declare global {
  interface JSON {
    /** A piece of JSON that stringify writes as it is (ECMAScript: JSON.parse source text access). */
    rawJSON?(text: string): unknown
  }
}

const numberPattern = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/

/** A number with the digits it was written with. Integers that JavaScript holds exactly are plain numbers instead. */
export class FhirDecimal {
  readonly text: string

  /** @throws RangeError when the text is not a JSON number */
  constructor(text: string) {
    if (!numberPattern.test(text)) throw new RangeError('not a decimal')
    this.text = text
  }

  /** The nearest double, for arithmetic. */
  valueOf(): number {
    return Number(this.text)
  }

  toString(): string {
    return this.text
  }

  /** Lets JSON.stringify write the digits unchanged. */
  toJSON(): unknown {
    return JSON.rawJSON?.(this.text) ?? Number(this.text)
  }
}

/** A number as JSON writes it, or undefined when the text is none. */
export function numberFrom(text: string): number | FhirDecimal | undefined {
  if (!numberPattern.test(text)) return undefined
  const value = Number(text)
  // Also tells -0, 1e2 and integers beyond 2^53 apart.
  return Number.isSafeInteger(value) && String(value) === text ? value : new FhirDecimal(text)
}

export type JsonValue = string | number | boolean | null | FhirDecimal | JsonValue[] | { [member: string]: JsonValue }

/** Bounds of reading JSON. */
export interface JsonLimits {
  /** Bytes (characters for a string). Default 16 MiB. */
  readonly bytes?: number
  /** Nested objects and arrays. Default 200. */
  readonly depth?: number
}

export const jsonDefaults: Required<JsonLimits> = { bytes: 16 * 1024 * 1024, depth: 200 }

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Reader {
  readonly #text: string
  readonly #maximumDepth: number
  #at = 0
  #depth = 0

  constructor(text: string, maximumDepth: number) {
    this.#text = text
    this.#maximumDepth = maximumDepth
  }

  document(): JsonValue {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) throw this.#fail('something follows the value')
    return value
  }

  #fail(explanation: string, code: FhirCode = 'FHIR_JSON_INVALID'): Error {
    let line = 1
    let start = 0
    for (let i = this.#text.indexOf('\n'); i !== -1 && i < this.#at; i = this.#text.indexOf('\n', i + 1)) {
      line++
      start = i + 1
    }
    return fhirError(code, `line ${line}, column ${this.#at - start + 1}`, explanation)
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #value(): JsonValue {
    this.#space()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fail('not JSON')
    this.#at += word.length
    return value
  }

  #number(): number | FhirDecimal {
    const start = this.#at
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      const belongs =
        (code >= 0x30 && code <= 0x39) ||
        code === 0x2b ||
        code === 0x2d ||
        code === 0x2e ||
        code === 0x45 ||
        code === 0x65
      if (!belongs) break
      this.#at++
    }
    const value = numberFrom(this.#text.slice(start, this.#at))
    if (value === undefined) {
      this.#at = start
      throw this.#fail(start < this.#text.length ? 'not JSON' : 'the text ends too early')
    }
    return value
  }

  #string(): string {
    let start = ++this.#at
    let text = ''
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x22) {
        text += this.#text.slice(start, this.#at++)
        return text
      }
      if (code === 0x5c) {
        text += this.#text.slice(start, this.#at) + this.#escape()
        start = this.#at
      } else if (code >= 0x20) this.#at++
      else throw this.#fail(this.#at < this.#text.length ? 'control character in a string' : 'the text ends too early')
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ''
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 2, this.#at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fail('wrong escape')
      this.#at += 6
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const by = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
    if (by === undefined) throw this.#fail('wrong escape')
    this.#at += 2
    return by
  }

  #descend(): void {
    this.#at++
    if (++this.#depth > this.#maximumDepth)
      throw this.#fail(`nested deeper than ${this.#maximumDepth}`, 'FHIR_TOO_DEEP')
    this.#space()
  }

  /** After a member or item: true to go on, false when the closing sign was read. */
  #more(closing: string): boolean {
    this.#space()
    const sign = this.#text[this.#at]
    if (sign !== ',' && sign !== closing)
      throw this.#fail(sign === undefined ? 'the text ends too early' : `',' or '${closing}' expected`)
    this.#at++
    if (sign === closing) this.#depth--
    return sign === ','
  }

  #array(): JsonValue[] {
    this.#descend()
    const items: JsonValue[] = []
    if (this.#text[this.#at] === ']') {
      this.#at++
      this.#depth--
      return items
    }
    do items.push(this.#value())
    while (this.#more(']'))
    return items
  }

  #object(): { [member: string]: JsonValue } {
    this.#descend()
    const object: { [member: string]: JsonValue } = {}
    if (this.#text[this.#at] === '}') {
      this.#at++
      this.#depth--
      return object
    }
    do {
      this.#space()
      if (this.#text[this.#at] !== '"') throw this.#fail('the name of a member expected')
      const name = this.#string()
      if (name === '__proto__') throw this.#fail('this name is not accepted')
      if (Object.hasOwn(object, name)) throw this.#fail('one member stands twice', 'FHIR_JSON_DUPLICATE_KEY')
      this.#space()
      if (this.#text[this.#at] !== ':') throw this.#fail("':' expected")
      this.#at++
      object[name] = this.#value()
    } while (this.#more('}'))
    return object
  }
}

/**
 * JSON text as plain values, with FhirDecimal for numbers that are no exact integers. Bytes are UTF-8, a byte
 * order mark is dropped.
 *
 * @throws SpineError `FHIR_JSON_INVALID`, `FHIR_JSON_DUPLICATE_KEY`, `FHIR_TOO_DEEP`, `FHIR_TOO_LARGE`
 *
 * @example
 * writeJson(parseJson('{"value": 1.50}')) // '{"value":1.50}'
 */
export function parseJson(input: Uint8Array | string, limits: JsonLimits = {}): JsonValue {
  const { bytes, depth } = { ...jsonDefaults, ...limits }
  if (input.length > bytes) throw fhirError('FHIR_TOO_LARGE', 'document', `larger than ${bytes} bytes`)
  let text: string
  if (typeof input === 'string') text = input
  else {
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(input)
    } catch (cause) {
      throw fhirError('FHIR_JSON_INVALID', 'document', 'not valid UTF-8', cause)
    }
  }
  return new Reader(text, depth).document()
}

/** JSON of a value; FhirDecimal keeps its digits, members that are undefined are left out. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value)
}
