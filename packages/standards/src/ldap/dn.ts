import { SpineError } from '../error.ts'
import type { LdapOutcome } from './ber.ts'
import { prepare } from './prepare.ts'

/** One `type=value` of a relative distinguished name, unescaped. */
export interface NameAssertion {
  readonly type: string
  readonly value: string
}

/** The assertions of one relative distinguished name; more than one when joined with `+`. */
export type RelativeName = readonly NameAssertion[]

/** A distinguished name, most specific part first, as it is written (RFC 4514). */
export type DistinguishedName = readonly RelativeName[]

/** A name in the form in which names are compared: one key per relative name. */
export interface NormalisedName {
  readonly key: string
  /** Keys of the relative names, most specific first; `key` is these joined with commas. */
  readonly parts: readonly string[]
}

const maxParts = 64
const maxLength = 8192

function dnError(explanation: string): SpineError<LdapOutcome> {
  return new SpineError('LDAP_DN_INVALID', { resultCode: 34 }, { explanation })
}

const typeName = /^(?:[A-Za-z][A-Za-z0-9-]*|(?:oid\.)?\d+(?:\.\d+)+)$/i
const special = '"+,;<>\\ #='

/** Reads one escape at `at` (which holds the backslash): answers the bytes and the position after. */
function readEscape(text: string, at: number): { bytes: Buffer; next: number } {
  const pair = text.slice(at + 1, at + 3)
  if (/^[0-9a-f]{2}$/i.test(pair)) return { bytes: Buffer.from(pair, 'hex'), next: at + 3 }
  const char = text[at + 1]
  if (char === undefined || !special.includes(char)) throw dnError('A backslash escapes nothing that may be escaped.')
  return { bytes: Buffer.from(char), next: at + 2 }
}

/** `#` and pairs of digits: the BER of a value, here always one of the string types. */
function hexValue(digits: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) throw dnError('A # value is not pairs of hexadecimal digits.')
  const bytes = Buffer.from(digits, 'hex')
  const length = bytes[1]
  if (length === undefined || length > 0x7f || bytes.length !== length + 2) throw dnError('A # value is not BER.')
  return bytes.subarray(2).toString('utf8')
}

/**
 * Parses RFC 4514 text, and what RFC 2253 clients still send: spaces around separators, `;` as a separator,
 * quoted values. The empty text is the root. Throws `LDAP_DN_INVALID`.
 */
export function parseDn(text: string): DistinguishedName {
  if (text.length > maxLength) throw dnError('The name is too long.')
  const names: NameAssertion[][] = []
  let at = 0
  const skipSpaces = () => {
    while (text[at] === ' ') at++
  }
  skipSpaces()
  if (at === text.length) return []
  let current: NameAssertion[] = []
  for (;;) {
    skipSpaces()
    const equals = text.indexOf('=', at)
    if (equals < 0) throw dnError('A part of the name has no =.')
    const type = text.slice(at, equals).trimEnd()
    if (!typeName.test(type)) throw dnError('An attribute type in the name is not a name or an OID.')
    at = equals + 1
    skipSpaces()
    const read = text[at] === '"' ? quotedValue(text, at) : plainValue(text, at)
    at = read.next
    current.push({ type: type.replace(/^oid\./i, ''), value: read.value })
    skipSpaces()
    const separator = text[at]
    if (separator === '+') {
      at++
      continue
    }
    names.push(current)
    if (names.length > maxParts) throw dnError('The name has too many parts.')
    current = []
    if (separator === undefined) return names
    if (separator !== ',' && separator !== ';')
      throw dnError('A value in the name is followed by something else than a separator.')
    at++
  }
}

function quotedValue(text: string, start: number): { value: string; next: number } {
  const parts: Buffer[] = []
  let at = start + 1
  for (;;) {
    const char = text[at]
    if (char === undefined) throw dnError('A quoted value does not end.')
    if (char === '"') return { value: Buffer.concat(parts).toString('utf8'), next: at + 1 }
    if (char === '\\') {
      const { bytes, next } = readEscape(text, at)
      parts.push(bytes)
      at = next
    } else {
      const point = text.codePointAt(at) as number
      const whole = String.fromCodePoint(point)
      parts.push(Buffer.from(whole))
      at += whole.length
    }
  }
}

function plainValue(text: string, start: number): { value: string; next: number } {
  let at = start
  while (at < text.length && !',+;'.includes(text[at] as string) && text[at] !== '\\' && text[at] !== '"') at++
  if (text[start] === '#') return { value: hexValue(text.slice(start + 1, at).trimEnd()), next: at }
  // Nearly every value holds no escape: one slice.
  if (at === text.length || ',+;'.includes(text[at] as string))
    return checked(text.slice(start, at).replace(/ +$/, ''), at)
  const parts: Buffer[] = [Buffer.from(text.slice(start, at))]
  let trailing = 0
  for (;;) {
    const char = text[at]
    if (char === undefined || ',+;'.includes(char)) break
    if (char === '\\') {
      const { bytes, next } = readEscape(text, at)
      parts.push(bytes)
      at = next
      trailing = 0
      continue
    }
    const whole = String.fromCodePoint(text.codePointAt(at) as number)
    if ('"<>'.includes(whole)) throw dnError('A special character in the name is not escaped.')
    parts.push(Buffer.from(whole))
    at += whole.length
    trailing = char === ' ' ? trailing + 1 : 0
  }
  const bytes = Buffer.concat(parts)
  return { value: bytes.subarray(0, bytes.length - trailing).toString('utf8'), next: at }
}

function checked(value: string, next: number): { value: string; next: number } {
  if (/["<>\0]/.test(value)) throw dnError('A special character in the name is not escaped.')
  return { value, next }
}

/** Writes RFC 4514 text: no space after commas, escapes only where they are needed. */
export function renderDn(name: DistinguishedName): string {
  return name.map((part) => part.map(({ type, value }) => `${type}=${escapeDnValue(value)}`).join('+')).join(',')
}

/** Escapes one attribute value for use in a distinguished name (RFC 4514 §2.4). */
export function escapeDnValue(value: string): string {
  // Nearly every value needs none.
  if (!/[\\"+,;<>\0]|^[ #]| $/.test(value)) return value
  const escaped = value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ #]/, '\\$&')
  return value.length > 1 && value.endsWith(' ') ? `${escaped.slice(0, -1)}\\ ` : escaped
}

/** How an attribute type in a name is called and how its values compare; answered by the schema. */
export type NameRules = (
  type: string,
) => { readonly name: string; normalise(value: string): string | undefined } | undefined

/**
 * The comparable form of a name. Types without a rule compare by their lower-case name, values without case.
 * Undefined when the text is no name.
 */
export function normaliseDn(name: string | DistinguishedName, rules?: NameRules): NormalisedName | undefined {
  let parsed: DistinguishedName
  try {
    parsed = typeof name === 'string' ? parseDn(name) : name
  } catch {
    return undefined
  }
  const parts = parsed.map((part) =>
    part
      .map(({ type, value }) => {
        const rule = rules?.(type)
        const form = rule === undefined ? prepare(value, true) : rule.normalise(value)
        return `${rule?.name ?? type.toLowerCase()}=${escapeDnValue(form ?? value)}`
      })
      .sort()
      .join('+'),
  )
  return { key: parts.join(','), parts }
}
