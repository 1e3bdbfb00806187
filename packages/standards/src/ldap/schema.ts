import { type MatchingRule, matchingRule } from './matching.ts'
import {
  nhsArc,
  nhsAttributeLists,
  nhsAttributes,
  nhsAuxiliaryClasses,
  nhsClasses,
  secretAttributes,
  tempUidOid,
} from './schema-nhs.ts'
import { standardAttributes, standardClasses } from './schema-standard.ts'

const directoryString = '1.3.6.1.4.1.1466.115.121.1.15'

/** One attribute type (RFC 4512 §4.1.2), with inherited properties filled in. */
export interface AttributeType {
  /** Small and dense: an index into per-schema tables. */
  readonly id: number
  readonly oid: string
  /** The first is canonical: the spelling of every response. */
  readonly names: readonly string[]
  readonly name: string
  readonly sup: AttributeType | undefined
  /** Declared or inherited rules; undefined where none is. */
  readonly equality: MatchingRule | undefined
  readonly ordering: string | undefined
  readonly substrings: string | undefined
  /** What this definition itself declares, for its published text. */
  readonly declared: {
    readonly equality?: string
    readonly ordering?: string
    readonly substrings?: string
    readonly syntax?: string
  }
  readonly syntax: string
  readonly single: boolean
  readonly usage: 'userApplications' | 'directoryOperation' | 'dSAOperation'
  readonly userModifiable: boolean
  readonly origin: string | undefined
  /** Never leaves the directory. */
  readonly secret: boolean
}

export interface ObjectClass {
  readonly oid: string
  readonly name: string
  readonly kind: 'ABSTRACT' | 'STRUCTURAL' | 'AUXILIARY'
  readonly sup: ObjectClass | undefined
  /** Its own, without those of superclasses. */
  readonly must: readonly AttributeType[]
  readonly may: readonly AttributeType[]
  readonly origin: string | undefined
}

/** A schema: lookups by any name or OID, in any case. */
export interface Schema {
  readonly attributes: readonly AttributeType[]
  readonly classes: readonly ObjectClass[]
  attribute(nameOrOid: string): AttributeType | undefined
  objectClass(nameOrOid: string): ObjectClass | undefined
  /** The attribute and all that inherit from it: a filter on `name` sees `cn`. */
  subtypes(attribute: AttributeType): readonly AttributeType[]
  /** The class and its superclasses, most specific first. */
  lineage(objectClass: ObjectClass): readonly ObjectClass[]
  /** How values of the attribute compare where the caller says what holds when no rule is declared. */
  equality(attribute: AttributeType, undeclared: 'caseIgnoreMatch' | 'none'): MatchingRule | undefined
}

type Draft = { -readonly [Key in keyof AttributeType]: AttributeType[Key] }

/** The schema of the Spine directory with the standard types that it builds on (directory specification §3). */
export function spineSchema(): Schema {
  const attributes: AttributeType[] = []
  const byName = new Map<string, AttributeType>()
  const put = (draft: Omit<Draft, 'id' | 'name' | 'secret'>) => {
    const name = draft.names[0] as string
    const attribute = { ...draft, id: attributes.length, name, secret: secretAttributes.includes(name) }
    attributes.push(attribute)
    for (const key of [...draft.names, draft.oid]) {
      byName.set(key, attribute)
      byName.set(key.toLowerCase(), attribute)
    }
  }
  for (const line of standardAttributes) put(readStandard(line, (name) => byName.get(name)))
  for (const line of nhsAttributes.split(';')) {
    const [name = '', suffix = '', flags = ''] = line.trim().split(' ')
    put(nhsAttribute(name, nhsArc + suffix, flags))
  }
  put(nhsAttribute('nhsTempUid', tempUidOid, '-S'))

  const classes: ObjectClass[] = []
  const classByName = new Map<string, ObjectClass>()
  const resolve = (names: string): AttributeType[] =>
    names.split(' ').flatMap((name) => {
      if (name === '') return []
      if (name.startsWith('@')) return resolve(nhsAttributeLists[name.slice(1)] ?? '')
      const attribute = byName.get(name)
      if (attribute === undefined || attribute.name !== name) throw new Error(`schema names no attribute ${name}`)
      return [attribute]
    })
  const putClass = (oid: string, name: string, kind: ObjectClass['kind'], sup: string, must: string, may: string) => {
    const origin = oid.startsWith(nhsArc) ? 'nhsSDS' : undefined
    const entry = {
      oid,
      name,
      kind,
      sup: classByName.get(sup.toLowerCase()),
      must: resolve(must),
      may: resolve(may),
      origin,
    }
    classes.push(entry)
    classByName.set(name.toLowerCase(), entry)
    classByName.set(oid, entry)
  }
  for (const [oid, name, kind, sup, must, may] of standardClasses) putClass(oid, name, kind, sup, must, may)
  for (const [name, suffix, sup, must, may] of nhsClasses) {
    putClass(nhsArc + suffix, name, nhsAuxiliaryClasses.includes(name) ? 'AUXILIARY' : 'STRUCTURAL', sup, must, may)
  }

  const subtypes = attributes.map((attribute) => attributes.filter((other) => descends(other, attribute)))
  const lineages = new Map(classes.map((entry) => [entry, lineageOf(entry)]))
  const caseIgnore = matchingRule('caseIgnoreMatch')
  return {
    attributes,
    classes,
    attribute: (nameOrOid) => byName.get(nameOrOid) ?? byName.get(nameOrOid.toLowerCase()),
    objectClass: (nameOrOid) => classByName.get(nameOrOid.toLowerCase()),
    subtypes: (attribute) => subtypes[attribute.id] ?? [],
    lineage: (objectClass) => lineages.get(objectClass) ?? [],
    equality: (attribute, undeclared) =>
      attribute.equality ??
      (undeclared === 'caseIgnoreMatch' && attribute.syntax === directoryString ? caseIgnore : undefined),
  }
}

function descends(attribute: AttributeType | undefined, ancestor: AttributeType): boolean {
  return attribute !== undefined && (attribute === ancestor || descends(attribute.sup, ancestor))
}

function lineageOf(objectClass: ObjectClass | undefined): ObjectClass[] {
  return objectClass === undefined ? [] : [objectClass, ...lineageOf(objectClass.sup)]
}

function nhsAttribute(name: string, oid: string, flags: string): Omit<Draft, 'id' | 'name' | 'secret'> {
  const equality = flags[0] === 'X' ? 'caseExactMatch' : flags[0] === 'I' ? 'caseIgnoreMatch' : undefined
  return {
    oid,
    names: [name],
    sup: undefined,
    equality: equality === undefined ? undefined : matchingRule(equality),
    ordering: undefined,
    substrings: undefined,
    declared: { syntax: directoryString, ...(equality === undefined ? {} : { equality }) },
    syntax: directoryString,
    single: flags[1] === 'S',
    usage: 'userApplications',
    userModifiable: true,
    origin: 'nhsSDS',
  }
}

function readStandard(
  line: string,
  find: (name: string) => AttributeType | undefined,
): Omit<Draft, 'id' | 'name' | 'secret'> {
  const [oid = '', names = '', ...rest] = line.split(' ')
  const take = (mark: string) => rest.find((word) => word.startsWith(mark))?.slice(mark.length)
  const supName = take('<')
  const sup = supName === undefined ? undefined : find(supName)
  const given = take('#')
  const syntax =
    given === undefined ? undefined : given.startsWith('#') ? given.slice(1) : `1.3.6.1.4.1.1466.115.121.1.${given}`
  const equality = take('=')
  const substrings = take('~')
  const ordering = take('>')
  return {
    oid,
    names: names.split('|'),
    sup,
    equality: equality === undefined ? sup?.equality : matchingRule(equality),
    ordering: ordering ?? sup?.ordering,
    substrings: substrings ?? sup?.substrings,
    declared: {
      ...(equality === undefined ? {} : { equality }),
      ...(ordering === undefined ? {} : { ordering }),
      ...(substrings === undefined ? {} : { substrings }),
      ...(syntax === undefined ? {} : { syntax }),
    },
    syntax: syntax ?? sup?.syntax ?? directoryString,
    single: rest.includes('single'),
    usage: rest.includes('op') ? 'directoryOperation' : rest.includes('dsa') ? 'dSAOperation' : 'userApplications',
    userModifiable: !rest.includes('nomod'),
    origin: undefined,
  }
}
