import { SpineError } from '../error.ts'
import type { LdapOutcome } from './ber.ts'
import { defaultFilterLimits, type Filter, type FilterLimits, filterTooLarge } from './filter.ts'

function syntaxError(explanation: string, at: number): SpineError<LdapOutcome> {
  return new SpineError(
    'LDAP_FILTER_SYNTAX',
    { resultCode: 2 },
    { explanation: `${explanation} (at character ${at + 1} of the filter)` },
  )
}

/** Escapes text for use as a literal value in a filter (RFC 4515 §3): nothing in it can change the filter's meaning. */
export function escapeFilterValue(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : undefined
  if (text !== undefined && /^[\x20-\x7e]*$/.test(text) && !/[*()\\]/.test(text)) return text
  if (typeof value !== 'string' && Buffer.isBuffer(value) && literal(value)) return value.toString('latin1')
  const bytes = Buffer.from(text ?? (value as Uint8Array))
  const asText = bytes.toString('utf8')
  // Text that survives the way through UTF-8 stays readable; everything else becomes \xx.
  const readable = !asText.includes('\ufffd') && Buffer.from(asText).equals(bytes)
  if (readable) {
    return asText.replace(/[*()\\\0-\x1f\x7f]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  }
  return [...bytes]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || '*()\\'.includes(String.fromCharCode(byte))
        ? `\\${byte.toString(16).padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('')
}

/** Nearly every value: printable ASCII of which nothing is escaped. */
function literal(bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte < 0x20 || byte > 0x7e || (byte >= 0x28 && byte <= 0x2a) || byte === 0x5c) return false
  }
  return true
}

/** Writes a filter as RFC 4515 text. An unknown choice is written `(?)`, which no parser accepts. */
export function filterText(filter: Filter): string {
  switch (filter.kind) {
    case 'and':
      return `(&${filter.of.map(filterText).join('')})`
    case 'or':
      return `(|${filter.of.map(filterText).join('')})`
    case 'not':
      return `(!${filterText(filter.of)})`
    case 'equal':
      return `(${filter.attribute}=${escapeFilterValue(filter.value)})`
    case 'greaterOrEqual':
      return `(${filter.attribute}>=${escapeFilterValue(filter.value)})`
    case 'lessOrEqual':
      return `(${filter.attribute}<=${escapeFilterValue(filter.value)})`
    case 'approximate':
      return `(${filter.attribute}~=${escapeFilterValue(filter.value)})`
    case 'present':
      return `(${filter.attribute}=*)`
    case 'substrings':
      return `(${filter.attribute}=${[filter.initial ?? '', ...filter.any, filter.final ?? ''].map(escapeFilterValue).join('*')})`
    case 'extensible':
      return `(${filter.attribute ?? ''}${filter.dnAttributes ? ':dn' : ''}${filter.rule === undefined ? '' : `:${filter.rule}`}:=${escapeFilterValue(filter.value)})`
    case 'unknown':
      return '(?)'
  }
}

/**
 * Parses RFC 4515 text. White space between clauses is allowed, as every client library does. Throws
 * `LDAP_FILTER_SYNTAX` or `LDAP_FILTER_TOO_LARGE`.
 */
export function parseFilter(text: string, limits: FilterLimits = defaultFilterLimits): Filter {
  const trimmed = text.trim()
  // `a=b` without parentheses is what ldapsearch and many libraries accept at the top.
  const parser = new Parser(trimmed.startsWith('(') ? trimmed : `(${trimmed})`, limits)
  const filter = parser.filter(limits.depth)
  parser.end()
  return filter
}

const description = /^[A-Za-z0-9][A-Za-z0-9.-]*(?:;[A-Za-z0-9-]+)*$/

class Parser {
  readonly #text: string
  #at = 0
  #terms: number

  constructor(text: string, limits: FilterLimits) {
    this.#text = text
    this.#terms = limits.terms
  }

  #spaces() {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #expect(char: string) {
    if (this.#text[this.#at] !== char) throw syntaxError(`"${char}" is missing`, this.#at)
    this.#at++
  }

  end() {
    this.#spaces()
    if (this.#at < this.#text.length) throw syntaxError('There is text after the filter', this.#at)
  }

  filter(depth: number): Filter {
    if (depth === 0) throw filterTooLarge('is nested too deep')
    if (--this.#terms < 0) throw filterTooLarge('has too many terms')
    this.#spaces()
    this.#expect('(')
    this.#spaces()
    const sign = this.#text[this.#at]
    let result: Filter
    if (sign === '&' || sign === '|') {
      this.#at++
      const of: Filter[] = []
      for (;;) {
        this.#spaces()
        if (this.#text[this.#at] !== '(') break
        of.push(this.filter(depth - 1))
      }
      result = { kind: sign === '&' ? 'and' : 'or', of }
    } else if (sign === '!') {
      this.#at++
      result = { kind: 'not', of: this.filter(depth - 1) }
    } else result = this.#item()
    this.#spaces()
    this.#expect(')')
    return result
  }

  #item(): Filter {
    const start = this.#at
    const equals = this.#text.indexOf('=', start)
    if (equals < 0) throw syntaxError('An item has no =', start)
    let left = this.#text.slice(start, equals)
    const sign = left.at(-1)
    this.#at = equals + 1
    const raw = this.#rawValue()
    if (sign === ':') return this.#extensible(left.slice(0, -1), raw, start)
    const kind = sign === '>' ? 'greaterOrEqual' : sign === '<' ? 'lessOrEqual' : sign === '~' ? 'approximate' : 'equal'
    if (kind !== 'equal') left = left.slice(0, -1)
    const attribute = left.trim()
    if (!description.test(attribute)) throw syntaxError('An attribute description is malformed', start)
    if (kind !== 'equal') return { kind, attribute, value: this.#value(raw) }
    if (raw === '*') return { kind: 'present', attribute }
    if (!raw.includes('*')) return { kind, attribute, value: this.#value(raw) }
    const parts = raw.split('*').map((part) => this.#value(part))
    const initial = parts[0] as Buffer
    const final = parts.at(-1) as Buffer
    const any = parts.slice(1, -1)
    if (any.some((part) => part.length === 0)) throw syntaxError('Two asterisks stand together', start)
    return {
      kind: 'substrings',
      attribute,
      initial: initial.length === 0 ? undefined : initial,
      any,
      final: final.length === 0 ? undefined : final,
    }
  }

  #extensible(left: string, raw: string, at: number): Filter {
    const [attribute = '', ...rest] = left.split(':')
    const dnAttributes = rest[0]?.toLowerCase() === 'dn'
    if (dnAttributes) rest.shift()
    const rule = rest.shift()
    if (rest.length > 0 || (attribute === '' && rule === undefined))
      throw syntaxError('An extensible match is malformed', at)
    if ((attribute !== '' && !description.test(attribute)) || (rule !== undefined && !description.test(rule))) {
      throw syntaxError('An extensible match is malformed', at)
    }
    return {
      kind: 'extensible',
      rule,
      attribute: attribute === '' ? undefined : attribute,
      value: this.#value(raw),
      dnAttributes,
    }
  }

  #rawValue(): string {
    const close = this.#text.indexOf(')', this.#at)
    if (close < 0) throw syntaxError('")" is missing', this.#text.length)
    const raw = this.#text.slice(this.#at, close)
    if (raw.includes('(')) throw syntaxError('A "(" in a value must be written \\28', this.#at)
    this.#at = close
    return raw
  }

  #value(raw: string): Buffer {
    if (!raw.includes('\\')) return Buffer.from(raw)
    const pieces = raw.split('\\')
    return Buffer.concat(
      pieces.map((piece, index) => {
        if (index === 0) return Buffer.from(piece)
        if (!/^[0-9a-f]{2}/i.test(piece))
          throw syntaxError('A backslash must be followed by two hexadecimal digits', this.#at)
        return Buffer.concat([Buffer.from(piece.slice(0, 2), 'hex'), Buffer.from(piece.slice(2))])
      }),
    )
  }
}
