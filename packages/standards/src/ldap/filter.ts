import { SpineError } from '../error.ts'
import { type BerReader, berError, boolean, type LdapOutcome, octetString, tlv } from './ber.ts'

/** A search filter (RFC 4511 §4.5.1.7). Values are the octets of the wire. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | {
      readonly kind: 'equal' | 'greaterOrEqual' | 'lessOrEqual' | 'approximate'
      readonly attribute: string
      readonly value: Buffer
    }
  | { readonly kind: 'present'; readonly attribute: string }
  | {
      readonly kind: 'substrings'
      readonly attribute: string
      readonly initial: Buffer | undefined
      readonly any: readonly Buffer[]
      readonly final: Buffer | undefined
    }
  | {
      readonly kind: 'extensible'
      readonly rule: string | undefined
      readonly attribute: string | undefined
      readonly value: Buffer
      readonly dnAttributes: boolean
    }
  /** A choice that this version of the protocol does not know: evaluates to Undefined. */
  | { readonly kind: 'unknown' }

export interface FilterLimits {
  /** Nesting of and, or, not. */
  readonly depth: number
  /** All nodes together. */
  readonly terms: number
}

export const defaultFilterLimits: FilterLimits = { depth: 100, terms: 20_000 }

/** The error of a filter that is well-formed but larger than this server works on (11, adminLimitExceeded). */
export function filterTooLarge(what: string): SpineError<LdapOutcome> {
  return new SpineError('LDAP_FILTER_TOO_LARGE', { resultCode: 11 }, { explanation: `The filter ${what}.` })
}

const comparisons = { 163: 'equal', 165: 'greaterOrEqual', 166: 'lessOrEqual', 168: 'approximate' } as const

/** Reads one filter at the reader's position. */
export function readFilter(reader: BerReader, limits: FilterLimits = defaultFilterLimits): Filter {
  return read(reader, limits.depth, { left: limits.terms })
}

function read(reader: BerReader, depth: number, terms: { left: number }): Filter {
  if (depth === 0) throw filterTooLarge('is nested too deep')
  if (--terms.left < 0) throw filterTooLarge('has too many terms')
  const tag = reader.peek()
  switch (tag) {
    case 0xa0:
    case 0xa1: {
      const outer = reader.enter(tag)
      const of: Filter[] = []
      while (!reader.done) of.push(read(reader, depth - 1, terms))
      reader.leave(outer)
      return { kind: tag === 0xa0 ? 'and' : 'or', of }
    }
    case 0xa2: {
      const outer = reader.enter(tag)
      const of = read(reader, depth - 1, terms)
      reader.leave(outer)
      return { kind: 'not', of }
    }
    case 0xa3:
    case 0xa5:
    case 0xa6:
    case 0xa8: {
      const outer = reader.enter(tag)
      const attribute = reader.text()
      const value = reader.octets()
      reader.leave(outer)
      return { kind: comparisons[tag], attribute, value }
    }
    case 0xa4:
      return readSubstrings(reader)
    case 0x87:
      return { kind: 'present', attribute: reader.text(tag) }
    case 0xa9:
      return readExtensible(reader)
    default:
      if ((tag & 0xc0) !== 0x80) throw berError('A filter is a context-specific choice.')
      reader.skip()
      return { kind: 'unknown' }
  }
}

function readSubstrings(reader: BerReader): Filter {
  const outer = reader.enter(0xa4)
  const attribute = reader.text()
  const list = reader.enter(0x30)
  let initial: Buffer | undefined
  let final: Buffer | undefined
  const any: Buffer[] = []
  while (!reader.done) {
    const tag = reader.peek()
    if (final !== undefined) throw berError('A substring follows the final one.')
    if (tag === 0x80) {
      if (initial !== undefined || any.length > 0) throw berError('An initial substring is not first.')
      initial = reader.octets(tag)
    } else if (tag === 0x82) final = reader.octets(tag)
    else any.push(reader.octets(0x81))
  }
  if (initial === undefined && final === undefined && any.length === 0)
    throw berError('A substrings filter has no parts.')
  reader.leave(list)
  reader.leave(outer)
  return { kind: 'substrings', attribute, initial, any, final }
}

function readExtensible(reader: BerReader): Filter {
  const outer = reader.enter(0xa9)
  const rule = reader.peek() === 0x81 ? reader.text(0x81) : undefined
  const attribute = reader.peek() === 0x82 ? reader.text(0x82) : undefined
  const value = reader.octets(0x83)
  const dnAttributes = reader.peek() === 0x84 ? reader.boolean(0x84) : false
  reader.leave(outer)
  return { kind: 'extensible', rule, attribute, value, dnAttributes }
}

/** The BER of a filter. */
export function encodeFilter(filter: Filter): Buffer {
  switch (filter.kind) {
    case 'and':
      return tlv(0xa0, ...filter.of.map(encodeFilter))
    case 'or':
      return tlv(0xa1, ...filter.of.map(encodeFilter))
    case 'not':
      return tlv(0xa2, encodeFilter(filter.of))
    case 'equal':
      return tlv(0xa3, octetString(filter.attribute), octetString(filter.value))
    case 'greaterOrEqual':
      return tlv(0xa5, octetString(filter.attribute), octetString(filter.value))
    case 'lessOrEqual':
      return tlv(0xa6, octetString(filter.attribute), octetString(filter.value))
    case 'approximate':
      return tlv(0xa8, octetString(filter.attribute), octetString(filter.value))
    case 'present':
      return octetString(filter.attribute, 0x87)
    case 'substrings':
      return tlv(
        0xa4,
        octetString(filter.attribute),
        tlv(
          0x30,
          ...(filter.initial === undefined ? [] : [octetString(filter.initial, 0x80)]),
          ...filter.any.map((part) => octetString(part, 0x81)),
          ...(filter.final === undefined ? [] : [octetString(filter.final, 0x82)]),
        ),
      )
    case 'extensible':
      return tlv(
        0xa9,
        ...(filter.rule === undefined ? [] : [octetString(filter.rule, 0x81)]),
        ...(filter.attribute === undefined ? [] : [octetString(filter.attribute, 0x82)]),
        octetString(filter.value, 0x83),
        ...(filter.dnAttributes ? [boolean(true, 0x84)] : []),
      )
    case 'unknown':
      throw new SpineError(
        'LDAP_FILTER_UNKNOWN',
        { resultCode: 2 },
        { explanation: 'An unknown filter has no encoding.' },
      )
  }
}
