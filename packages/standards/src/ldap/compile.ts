import { parseDn } from './dn.ts'
import { nameKey } from './entry.ts'
import type { Filter } from './filter.ts'
import { applicable, type MatchingRule, matchingRule, matchingRules } from './matching.ts'
import type { AttributeType, ObjectClass, Schema } from './schema.ts'

/** A filter bound to a schema: names resolved, assertions prepared, what cannot be decided marked Undefined. */
export type CompiledFilter =
  | { readonly kind: 'true' | 'false' | 'undefined' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly CompiledFilter[] }
  | { readonly kind: 'not'; readonly of: CompiledFilter }
  | { readonly kind: 'present'; readonly types: readonly AttributeType[] }
  | {
      readonly kind: 'equal'
      readonly types: readonly AttributeType[]
      readonly rule: MatchingRule
      /** The normalised assertion. */
      readonly key: string
      /** Also look into the entry's name (`:dn:`). */
      readonly inName: boolean
      /** Whether this is the attribute's own equality rule, so that an index over it answers exactly. */
      readonly indexable: boolean
    }
  | {
      readonly kind: 'substrings'
      readonly types: readonly AttributeType[]
      readonly rule: Required<Pick<MatchingRule, 'substrings'>>
      readonly initial: string
      readonly any: readonly string[]
      readonly final: string
    }
  | {
      readonly kind: 'order'
      readonly types: readonly AttributeType[]
      readonly rule: MatchingRule
      readonly key: string
      /** 1: value ≥ key; -1: value ≤ key. */
      readonly sign: 1 | -1
    }

const yes: CompiledFilter = { kind: 'true' }
const unknown: CompiledFilter = { kind: 'undefined' }

/**
 * Two live generations differ where the schema declares no rule: OpenLDAP (`strict`) calls the item Undefined, the
 * newer server falls back on case-ignoring equality, substrings and order (directory specification §4.4).
 */
export interface MatchingOptions {
  readonly strict: boolean
}

const utf8 = (bytes: Buffer) => bytes.toString('utf8')

/** The attribute type of a description; undefined when unknown, secret, or with options that no stored attribute has. */
function describe(schema: Schema, description: string): AttributeType | undefined {
  const attribute = schema.attribute(description)
  return attribute === undefined || attribute.secret ? undefined : attribute
}

/** Binds a filter to a schema. Never throws: what cannot be decided becomes Undefined. */
export function compileFilter(filter: Filter, schema: Schema, options: MatchingOptions): CompiledFilter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      if (filter.of.length === 0) return filter.kind === 'and' ? yes : { kind: 'false' }
      return { kind: filter.kind, of: filter.of.map((inner) => compileFilter(inner, schema, options)) }
    case 'not':
      return { kind: 'not', of: compileFilter(filter.of, schema, options) }
    case 'present': {
      const attribute = describe(schema, filter.attribute)
      if (attribute === undefined) return unknown
      // Every entry has its class: "everything" needs no look at the entry.
      return attribute.name === 'objectClass' ? yes : { kind: 'present', types: schema.subtypes(attribute) }
    }
    case 'equal':
    case 'approximate': {
      const attribute = describe(schema, filter.attribute)
      return attribute === undefined ? unknown : equality(schema, options, attribute, utf8(filter.value))
    }
    case 'substrings':
      return substrings(schema, options, filter)
    case 'greaterOrEqual':
    case 'lessOrEqual': {
      const attribute = describe(schema, filter.attribute)
      if (attribute === undefined || (options.strict && attribute.ordering === undefined)) return unknown
      const rule = schema.equality(attribute, options.strict ? 'none' : 'caseIgnoreMatch')
      const key = rule?.normalise(utf8(filter.value))
      if (rule === undefined || key === undefined) return unknown
      return {
        kind: 'order',
        types: schema.subtypes(attribute),
        rule,
        key,
        sign: filter.kind === 'greaterOrEqual' ? 1 : -1,
      }
    }
    case 'extensible':
      return extensible(schema, options, filter)
    case 'unknown':
      return unknown
  }
}

/** Equality of one attribute with a value, by the attribute's own rule. */
export function equality(
  schema: Schema,
  options: MatchingOptions,
  attribute: AttributeType,
  value: string,
): CompiledFilter {
  const declared = schema.equality(attribute, options.strict ? 'none' : 'caseIgnoreMatch')
  if (declared === undefined) return unknown
  const rule = ruleIn(schema, declared)
  if (rule.valid?.test(value) === false) return unknown
  const key = namesClass(attribute) ? classKey(schema, options.strict ? value : value.trim()) : rule.normalise(value)
  if (key === undefined) return unknown
  return { kind: 'equal', types: schema.subtypes(attribute), rule, key, inName: false, indexable: true }
}

/** The rule as this schema has it: attribute types in names have aliases and numbers. */
function ruleIn(schema: Schema, rule: MatchingRule): MatchingRule {
  if (rule !== matchingRules.distinguishedNameMatch) return rule
  return { ...rule, normalise: (value) => nameKey(schema, value)?.key }
}

const namesClass = ({ name }: AttributeType) => name === 'objectClass' || name === 'structuralObjectClass'

/** The one key under which a class is known, whether it was named or numbered. */
function classKey(schema: Schema, value: string): string | undefined {
  return schema.objectClass(value)?.name.toLowerCase()
}

/** Keys under which an entry's `objectClass` matches: its classes and all their superclasses. */
export function classKeys(schema: Schema, values: readonly string[]): readonly string[] {
  const keys = new Set<string>()
  for (const value of values) {
    const objectClass: ObjectClass | undefined = schema.objectClass(value)
    if (objectClass === undefined) keys.add(value.toLowerCase())
    else for (const each of schema.lineage(objectClass)) keys.add(each.name.toLowerCase())
  }
  return [...keys]
}

function substrings(schema: Schema, options: MatchingOptions, filter: Filter & { kind: 'substrings' }): CompiledFilter {
  const attribute = describe(schema, filter.attribute)
  if (attribute === undefined || (options.strict && attribute.substrings === undefined)) return unknown
  const rule = schema.equality(attribute, options.strict ? 'none' : 'caseIgnoreMatch')
  if (rule?.substrings === undefined) return unknown
  const parts = [filter.initial, ...filter.any, filter.final]
  if (parts.some((part) => part !== undefined && rule.valid?.test(utf8(part)) === false)) return unknown
  const prepare = rule.substrings
  const initial = filter.initial === undefined ? '' : prepare.part(utf8(filter.initial), 'initial')
  const final = filter.final === undefined ? '' : prepare.part(utf8(filter.final), 'final')
  const any = filter.any.map((part) => prepare.part(utf8(part), 'any'))
  if (initial === undefined || final === undefined || !any.every((part) => part !== undefined)) return unknown
  return { kind: 'substrings', types: schema.subtypes(attribute), rule: { substrings: prepare }, initial, any, final }
}

function extensible(schema: Schema, options: MatchingOptions, filter: Filter & { kind: 'extensible' }): CompiledFilter {
  const value = utf8(filter.value)
  const attribute = filter.attribute === undefined ? undefined : describe(schema, filter.attribute)
  if (filter.attribute !== undefined && attribute === undefined) return unknown
  if (filter.rule === undefined) {
    if (attribute === undefined) return unknown
    const own = equality(schema, options, attribute, value)
    return own.kind === 'equal' && filter.dnAttributes ? { ...own, inName: true, indexable: false } : own
  }
  const named = matchingRule(filter.rule)
  if (named === undefined || (attribute !== undefined && !applicable(named, attribute))) return unknown
  const rule = ruleIn(schema, named)
  if (attribute !== undefined && namesClass(attribute) && named === matchingRules.objectIdentifierMatch) {
    return equality(schema, options, attribute, value)
  }
  const key = rule.normalise(value)
  if (key === undefined) return unknown
  const types =
    attribute === undefined
      ? schema.attributes.filter((type) => !type.secret && applicable(named, type))
      : schema.subtypes(attribute)
  return { kind: 'equal', types, rule, key, inName: filter.dnAttributes, indexable: false }
}

/** How much work one evaluation is, in comparisons: what a server divides its patience by. */
export function filterWeight(filter: CompiledFilter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.of.reduce((sum, inner) => sum + filterWeight(inner), 1)
    case 'not':
      return 1 + filterWeight(filter.of)
    case 'substrings':
      return filter.types.length * (2 + filter.any.length)
    case 'present':
    case 'equal':
    case 'order':
      return filter.types.length
    default:
      return 1
  }
}

/** Three-valued logic (RFC 4511 §4.5.1.7). */
export type Truth = 'true' | 'false' | 'undefined'

/** Where the evaluation finds values: user and operational attributes of one entry. */
export interface EntryValues {
  readonly dn: string
  values(attribute: AttributeType): readonly string[]
}

/** Evaluates a bound filter on one entry. */
export function evaluate(filter: CompiledFilter, entry: EntryValues, schema: Schema): Truth {
  switch (filter.kind) {
    case 'true':
    case 'false':
    case 'undefined':
      return filter.kind
    case 'and': {
      let result: Truth = 'true'
      for (const inner of filter.of) {
        const truth = evaluate(inner, entry, schema)
        if (truth === 'false') return 'false'
        if (truth === 'undefined') result = 'undefined'
      }
      return result
    }
    case 'or': {
      let result: Truth = 'false'
      for (const inner of filter.of) {
        const truth = evaluate(inner, entry, schema)
        if (truth === 'true') return 'true'
        if (truth === 'undefined') result = 'undefined'
      }
      return result
    }
    case 'not': {
      const truth = evaluate(filter.of, entry, schema)
      return truth === 'true' ? 'false' : truth === 'false' ? 'true' : 'undefined'
    }
    case 'present':
      return filter.types.some((type) => entry.values(type).length > 0) ? 'true' : 'false'
    case 'equal':
      return equalItem(filter, entry, schema) ? 'true' : 'false'
    case 'substrings':
      return some(filter.types, entry, (value) => containsParts(filter, value)) ? 'true' : 'false'
    case 'order':
      return some(filter.types, entry, (value) => {
        const form = filter.rule.normalise(value)
        if (form === undefined) return false
        const compared = filter.rule.order?.(form, filter.key) ?? (form < filter.key ? -1 : form > filter.key ? 1 : 0)
        return compared * filter.sign >= 0
      })
        ? 'true'
        : 'false'
  }
}

function some(types: readonly AttributeType[], entry: EntryValues, test: (value: string) => boolean): boolean {
  for (const type of types) for (const value of entry.values(type)) if (test(value)) return true
  return false
}

function equalItem(filter: CompiledFilter & { kind: 'equal' }, entry: EntryValues, schema: Schema): boolean {
  const first = filter.types[0]
  if (first?.name === 'objectClass' && filter.indexable) {
    return classKeys(schema, entry.values(first)).includes(filter.key)
  }
  if (some(filter.types, entry, (value) => filter.rule.normalise(value) === filter.key)) return true
  if (!filter.inName) return false
  return parseDn(entry.dn).some((part) =>
    part.some(({ type, value }) => {
      const attribute = schema.attribute(type)
      return attribute !== undefined && filter.types.includes(attribute) && filter.rule.normalise(value) === filter.key
    }),
  )
}

function containsParts(filter: CompiledFilter & { kind: 'substrings' }, value: string): boolean {
  const text = filter.rule.substrings.value(value)
  if (text === undefined || !text.startsWith(filter.initial)) return false
  let at = filter.initial.length
  for (const part of filter.any) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - at >= filter.final.length && text.endsWith(filter.final)
}
