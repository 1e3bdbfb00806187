import { type Filter, parseDn, type Schema, type Scope } from '@openspine/standards/ldap'
import type { Question } from './searches.ts'

/** A difference from OpenLDAP that is meant. */
export interface JustifiedDifference {
  readonly name: string
  readonly what: string
  readonly why: string
  readonly clause: string
  /** A search that always shows it. */
  readonly example: readonly [base: string, scope: Scope, filter: string, attributes?: readonly string[]]
  /** Whether the question meets it. */
  meets(question: Question, schema: Schema): boolean
  /** What slapd must be asked instead to answer as we do. */
  instead?(question: Question): Question
  /** The code that slapd answers with, where that is the difference. */
  readonly theirs?: number
}

/** Every item of a filter. */
function items(filter: Filter): readonly Filter[] {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.of.flatMap(items)
  return filter.kind === 'not' ? items(filter.of) : [filter]
}

function replaced(filter: Filter, replace: (item: Filter) => Filter): Filter {
  if (filter.kind === 'and' || filter.kind === 'or')
    return { ...filter, of: filter.of.map((each) => replaced(each, replace)) }
  return filter.kind === 'not' ? { ...filter, of: replaced(filter.of, replace) } : replace(filter)
}

const asked = (question: Question) => (question.kind === 'search' ? items(question.request.filter) : [])

function withFilter(question: Question, replace: (item: Filter) => Filter): Question {
  if (question.kind !== 'search') return question
  return { ...question, request: { ...question.request, filter: replaced(question.request.filter, replace) } }
}

const nameOf = (question: Question) => (question.kind === 'search' ? question.request.base : question.entry)

function typesOf(dn: string): readonly string[] {
  try {
    return parseDn(dn).flatMap((part) => part.map(({ type }) => type))
  } catch {
    return []
  }
}

const isAddress = (schema: Schema, attribute: string) => schema.attribute(attribute)?.syntax.endsWith('.41') === true

/** All of them: whatever else differs fails the test, and so does an entry here that no longer differs. */
export const justified: readonly JustifiedDifference[] = [
  {
    name: 'approximate is equality',
    what: 'slapd compares the sound of words; ours compares as `=` does.',
    why: 'The directory specification says so.',
    clause: 'directory §4.4, RFC 4511 §4.5.1.7.6',
    example: ['o=nhs', 2, '(o~=invanted sergery)', ['1.1']],
    meets: (question) => asked(question).some(({ kind }) => kind === 'approximate'),
    instead: (question) =>
      withFilter(question, (item) => (item.kind === 'approximate' ? { ...item, kind: 'equal' } : item)),
  },
  {
    name: 'a name with an unknown attribute is well formed',
    what: 'A base with an attribute that the schema has not: 32 with the deepest ancestor that is there; slapd says 34.',
    why: 'Nothing is wrong with its syntax; there is no such entry.',
    clause: 'directory §4.4, RFC 4511 §4.1.9 and appendix A.2',
    example: ['nosuch=1,ou=Services,o=nhs', 2, '(objectClass=*)'],
    meets: (question, schema) => typesOf(nameOf(question)).some((type) => schema.attribute(type) === undefined),
    theirs: 34,
  },
  {
    name: 'class of the root DSE',
    what: 'Ours is of class extensibleObject, theirs of OpenLDAProotDSE.',
    why: 'That class belongs to one product.',
    clause: 'RFC 4512 §5.1',
    example: ['', 0, '(objectClass=*)'],
    meets: (question) => question.kind === 'search' && question.request.base === '' && question.request.scope === 0,
  },
  {
    name: 'operational attributes of @extensibleObject',
    what: 'slapd returns operational attributes too; ours returns the user attributes, as for `*`.',
    why: 'The class allows user attributes; `+` asks for the others.',
    clause: 'RFC 4512 §4.3, RFC 4529 §2',
    example: ['o=nhs', 0, '(objectClass=*)', ['@extensibleObject']],
    meets: (question) =>
      question.kind === 'search' && question.request.attributes.some((each) => /^@extensibleObject$/i.test(each)),
    instead: (question) =>
      question.kind !== 'search'
        ? question
        : {
            ...question,
            request: {
              ...question.request,
              attributes: question.request.attributes.map((each) => (/^@extensibleObject$/i.test(each) ? '*' : each)),
            },
          },
  },
  {
    name: 'a structural class is one class',
    what: 'slapd also matches superclasses in structuralObjectClass; ours matches the class itself.',
    why: 'Its rule is objectIdentifierMatch, and its value the most specific class alone.',
    clause: 'RFC 4512 §3.4.1',
    example: ['o=nhs', 2, '(structuralObjectClass=person)', ['1.1']],
    meets: (question, schema) =>
      asked(question).some((item) => {
        if (item.kind !== 'equal' || schema.attribute(item.attribute)?.name !== 'structuralObjectClass') return false
        const named = schema.objectClass(item.value.toString())
        return named !== undefined && schema.classes.some(({ sup }) => sup === named)
      }),
  },
  {
    name: 'objectIdentifierMatch called by its name',
    what: 'slapd finds no object class by an extensible match that names this rule, with or without the attribute.',
    why: 'It is the rule of objectClass, and a rule applies to every attribute that supports it.',
    clause: 'RFC 4511 §4.5.1.7.7',
    example: ['o=nhs', 2, '(:objectIdentifierMatch:=person)', ['1.1']],
    meets: (question, schema) =>
      asked(question).some(
        (item) =>
          item.kind === 'extensible' &&
          /^objectId/i.test(item.rule ?? '') &&
          (item.attribute === undefined || schema.attribute(item.attribute)?.name === 'objectClass'),
      ),
  },
  {
    name: 'a space at the edge of a part of a value',
    what: 'A part that ends (or begins) with a space is found at the end (or beginning) of a value; slapd does not find it.',
    why: 'For substrings, a prepared value has a space at both ends.',
    clause: 'RFC 4518 §2.6.1',
    example: ['o=nhs', 2, '(o=*surgery *)', ['1.1']],
    meets: (question) =>
      asked(question).some(
        (item) =>
          item.kind === 'substrings' &&
          [item.initial, ...item.any, item.final].some((part) => part !== undefined && /^ | $/.test(part.toString())),
      ),
  },
  {
    name: 'blank lines of an address',
    what: 'A line of spaces is the same as an empty line; slapd tells them apart.',
    why: 'Both are prepared to the same string.',
    clause: 'RFC 4517 §4.2.12, RFC 4518 §2.6.1',
    example: ['o=nhs', 2, '(postalAddress=1 high st$$$town$county)', ['postalAddress']],
    meets: (question, schema) =>
      question.kind === 'compare'
        ? isAddress(schema, question.attribute)
        : asked(question).some(
            (item) => 'attribute' in item && item.kind !== 'present' && isAddress(schema, item.attribute ?? ''),
          ),
  },
]
