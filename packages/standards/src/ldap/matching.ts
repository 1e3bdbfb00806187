import { normaliseDn } from './dn.ts'
import { prepare, prepareForSubstrings, prepareSubstring } from './prepare.ts'

/** How values compare under one matching rule (RFC 4517 §4.2). */
export interface MatchingRule {
  readonly name: string
  readonly oid: string
  /** OID of the assertion's syntax. */
  readonly syntax: string
  /** What assertions may hold where the syntax is not all of Unicode: others are Undefined. */
  readonly valid?: RegExp
  /** Equality form of a value or assertion; undefined when it cannot match (the assertion is Undefined). */
  normalise(value: string): string | undefined
  /** Compares two normalised values for ≥ and ≤; by code unit where absent. */
  readonly order?: (a: string, b: string) => number
  /** Preparation for substrings; absent where parts of values have no meaning. */
  readonly substrings?: {
    value(text: string): string | undefined
    part(text: string, place: 'initial' | 'any' | 'final'): string | undefined
  }
}

const syntaxArc = '1.3.6.1.4.1.1466.115.121.1.'

function caseRule(name: string, oid: string, syntax: string, ignoreCase: boolean): MatchingRule {
  return {
    name,
    oid,
    syntax,
    normalise: (value) => prepare(value, ignoreCase),
    substrings: {
      value: (text) => prepareForSubstrings(text, ignoreCase),
      part: (text, place) => prepareSubstring(text, place, ignoreCase),
    },
  }
}

const ia5 = /^[\x00-\x7f]*$/
const printable = /^[A-Za-z0-9'()+,\-.=/:? ]*$/
const numeric = /^[0-9 ]*$/

/** A rule over strings in which some characters do not count (telephone numbers, numeric strings). */
function squeezeRule(name: string, oid: string, syntax: string, ignored: RegExp, valid: RegExp): MatchingRule {
  const squeeze = (text: string) => prepare(text, true)?.replace(ignored, '')
  return {
    name,
    oid,
    syntax,
    valid,
    normalise: squeeze,
    substrings: { value: squeeze, part: (text) => squeeze(text) },
  }
}

function integerForm(value: string): string | undefined {
  const text = value.trim()
  return /^-?\d{1,100}$/.test(text) ? BigInt(text).toString() : undefined
}

/** `YYYYMMDDHH[MM[SS]][(.|,)fraction](Z|±hh[mm])` to UTC with 9 digits of fraction, so that text order is time order. */
function timeForm(value: string): string | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})?)?(?:[.,](\d+))?(Z|[+-]\d{2}(?:\d{2})?)$/.exec(
    value.trim(),
  )
  if (match === null) return undefined
  const [, year, month, day, hour, minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const offset =
    zone === 'Z'
      ? 0
      : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5) || '0'))
  const at = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute) - offset,
    Number(second),
  )
  if (!Number.isFinite(at)) return undefined
  return `${new Date(at).toISOString().replace(/[-:T]|\..*$/g, '')}.${fraction.slice(0, 9).padEnd(9, '0')}Z`
}

const list = caseRule('', '', '', true)

/**
 * The rules by name. `objectIdentifierMatch` here compares OIDs and descriptors as text; the schema resolves
 * names and superclasses where it matters (`objectClass`).
 */
export const matchingRules = {
  objectIdentifierMatch: {
    name: 'objectIdentifierMatch',
    oid: '2.5.13.0',
    syntax: `${syntaxArc}38`,
    normalise: (value) => prepare(value, true),
  },
  distinguishedNameMatch: {
    name: 'distinguishedNameMatch',
    oid: '2.5.13.1',
    syntax: `${syntaxArc}12`,
    normalise: (value) => normaliseDn(value)?.key,
  },
  caseIgnoreMatch: caseRule('caseIgnoreMatch', '2.5.13.2', `${syntaxArc}15`, true),
  caseExactMatch: caseRule('caseExactMatch', '2.5.13.5', `${syntaxArc}15`, false),
  numericStringMatch: squeezeRule('numericStringMatch', '2.5.13.8', `${syntaxArc}36`, / /g, numeric),
  caseIgnoreListMatch: {
    ...list,
    name: 'caseIgnoreListMatch',
    oid: '2.5.13.11',
    syntax: `${syntaxArc}41`,
    normalise: (value) => {
      const lines = value.split('$').map((line) => prepare(line, true))
      return lines.includes(undefined) ? undefined : lines.join('$')
    },
  },
  booleanMatch: {
    name: 'booleanMatch',
    oid: '2.5.13.13',
    syntax: `${syntaxArc}7`,
    normalise: (value) => (/^(true|false)$/i.test(value) ? value.toUpperCase() : undefined),
  },
  integerMatch: {
    name: 'integerMatch',
    oid: '2.5.13.14',
    syntax: `${syntaxArc}27`,
    normalise: integerForm,
    order: (a, b) => (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0),
  },
  octetStringMatch: {
    name: 'octetStringMatch',
    oid: '2.5.13.17',
    syntax: `${syntaxArc}40`,
    normalise: (value) => value,
  },
  telephoneNumberMatch: squeezeRule('telephoneNumberMatch', '2.5.13.20', `${syntaxArc}50`, /[ \-‐‑–—−]/g, printable),
  generalizedTimeMatch: {
    name: 'generalizedTimeMatch',
    oid: '2.5.13.27',
    syntax: `${syntaxArc}24`,
    normalise: timeForm,
  },
  objectIdentifierFirstComponentMatch: {
    name: 'objectIdentifierFirstComponentMatch',
    oid: '2.5.13.30',
    syntax: `${syntaxArc}38`,
    // A description's first component is its OID: `( 2.5.4.3 NAME …`.
    normalise: (value) => /^\(\s*(\S+)/.exec(value)?.[1] ?? value.trim(),
  },
  caseExactIA5Match: {
    ...caseRule('caseExactIA5Match', '1.3.6.1.4.1.1466.109.114.1', `${syntaxArc}26`, false),
    valid: ia5,
  },
  caseIgnoreIA5Match: {
    ...caseRule('caseIgnoreIA5Match', '1.3.6.1.4.1.1466.109.114.2', `${syntaxArc}26`, true),
    valid: ia5,
  },
  UUIDMatch: {
    name: 'UUIDMatch',
    oid: '1.3.6.1.1.16.2',
    syntax: '1.3.6.1.1.16.1',
    normalise: (value) =>
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value.trim()) ? value.trim().toLowerCase() : undefined,
  },
} as const satisfies Record<string, MatchingRule>

export type MatchingRuleName = keyof typeof matchingRules

/** Substring and ordering rules are published by name and OID; what they do follows from the equality rule they go with. */
export const companionRules = [
  { name: 'caseIgnoreOrderingMatch', oid: '2.5.13.3', syntax: `${syntaxArc}15` },
  { name: 'caseIgnoreSubstringsMatch', oid: '2.5.13.4', syntax: `${syntaxArc}58` },
  { name: 'caseExactOrderingMatch', oid: '2.5.13.6', syntax: `${syntaxArc}15` },
  { name: 'caseExactSubstringsMatch', oid: '2.5.13.7', syntax: `${syntaxArc}58` },
  { name: 'numericStringSubstringsMatch', oid: '2.5.13.10', syntax: `${syntaxArc}58` },
  { name: 'caseIgnoreListSubstringsMatch', oid: '2.5.13.12', syntax: `${syntaxArc}58` },
  { name: 'integerOrderingMatch', oid: '2.5.13.15', syntax: `${syntaxArc}27` },
  { name: 'telephoneNumberSubstringsMatch', oid: '2.5.13.21', syntax: `${syntaxArc}58` },
  { name: 'generalizedTimeOrderingMatch', oid: '2.5.13.28', syntax: `${syntaxArc}24` },
  { name: 'caseIgnoreIA5SubstringsMatch', oid: '1.3.6.1.4.1.1466.109.114.3', syntax: `${syntaxArc}58` },
  { name: 'UUIDOrderingMatch', oid: '1.3.6.1.1.16.3', syntax: '1.3.6.1.1.16.1' },
] as const

const byNameOrOid = new Map<string, MatchingRule>()
for (const rule of Object.values<MatchingRule>(matchingRules)) {
  byNameOrOid.set(rule.name.toLowerCase(), rule)
  byNameOrOid.set(rule.oid, rule)
}

/** A rule by its name (any case) or OID. */
export function matchingRule(nameOrOid: string): MatchingRule | undefined {
  return byNameOrOid.get(nameOrOid.toLowerCase())
}

const stringSyntaxes = ['11', '15', '44', '50'].map((suffix) => syntaxArc + suffix)

/** Whether a rule has a meaning for values of an attribute (RFC 4512 §4.1.4): otherwise an extensible match is Undefined. */
export function applicable(
  rule: Pick<MatchingRule, 'name' | 'syntax'>,
  attribute: { readonly equality: MatchingRule | undefined; readonly syntax: string },
): boolean {
  if (rule.name === attribute.equality?.name || rule.syntax === attribute.syntax) return true
  const caseRule = rule.name === 'caseIgnoreMatch' || rule.name === 'caseExactMatch'
  return caseRule && stringSyntaxes.includes(attribute.syntax)
}

/** `ldapSyntaxes` as published: OID suffix below 1.3.6.1.4.1.1466.115.121.1 → description (RFC 4517 §3.3). */
export const syntaxes: ReadonlyMap<string, string> = new Map([
  ...Object.entries({
    3: 'Attribute Type Description',
    7: 'Boolean',
    11: 'Country String',
    12: 'DN',
    14: 'Delivery Method',
    15: 'Directory String',
    16: 'DIT Content Rule Description',
    17: 'DIT Structure Rule Description',
    22: 'Facsimile Telephone Number',
    24: 'Generalized Time',
    26: 'IA5 String',
    27: 'INTEGER',
    30: 'Matching Rule Description',
    31: 'Matching Rule Use Description',
    35: 'Name Form Description',
    36: 'Numeric String',
    37: 'Object Class Description',
    38: 'OID',
    40: 'Octet String',
    41: 'Postal Address',
    44: 'Printable String',
    50: 'Telephone Number',
    52: 'Telex Number',
    54: 'LDAP Syntax Description',
    58: 'Substring Assertion',
  }).map(([suffix, text]) => [syntaxArc + suffix, text] as const),
  ['1.3.6.1.1.16.1', 'UUID'],
])
