/**
 * What a version of FHIR knows of its types, in the compact form that `generate.ts` writes, and its reading.
 * A type is expanded on first use: a process that speaks only Patient and Bundle pays for those alone.
 *
 * One type is one string: the base type, `!` when it is a resource, then its members in specification order.
 * A member is `name:kind` with `*` for a list and `+` for at least one. Kinds are `s` string, `b` boolean,
 * `n` number, `x` XHTML, `@` XML attribute, or the name of a complex type. `stem[x]:Suffix,Suffix,…`
 * is a choice.
 */

/** The compact tables of one version. */
export interface FhirTables {
  /** Version of the specification, for example `1.0.2`. */
  readonly version: string
  readonly types: Readonly<Record<string, string>>
}

/** How a member is written: four kinds of text on the wire, one of attribute, and two of structure. */
export type MemberKind = 'string' | 'boolean' | 'number' | 'xhtml' | 'attribute' | 'complex' | 'resource'

export interface Member {
  readonly name: string
  readonly kind: MemberKind
  /** Name of the complex type; empty for primitives and for any resource. */
  readonly type: string
  readonly many: boolean
  readonly required: boolean
  /** `value` of `valueString`, `valueCode`, …: at most one of them may stand. */
  readonly choice: string | undefined
  /** Place among the members of its type. */
  readonly order: number
}

export interface TypeDefinition {
  readonly name: string
  readonly isResource: boolean
  /** In specification order, inherited members first. */
  readonly members: readonly Member[]
  readonly byName: ReadonlyMap<string, Member>
}

/** Primitive types by the suffix they give to a choice, with the kind they have in JSON. */
export const primitiveSuffixes: Readonly<Record<string, 's' | 'b' | 'n'>> = {
  Base64Binary: 's',
  Boolean: 'b',
  Canonical: 's',
  Code: 's',
  Date: 's',
  DateTime: 's',
  Decimal: 'n',
  Id: 's',
  Instant: 's',
  Integer: 'n',
  Markdown: 's',
  Oid: 's',
  PositiveInt: 'n',
  String: 's',
  Time: 's',
  UnsignedInt: 'n',
  Uri: 's',
  Url: 's',
  Uuid: 's',
}

const kinds: Readonly<Record<string, MemberKind>> = {
  s: 'string',
  b: 'boolean',
  n: 'number',
  x: 'xhtml',
  '@': 'attribute',
  Resource: 'resource',
}

type Unplaced = Omit<Member, 'order'>

function member(
  name: string,
  code: string,
  rest: { many: boolean; required: boolean; choice: string | undefined },
): Unplaced {
  const kind = Object.hasOwn(kinds, code) ? kinds[code] : undefined
  return { name, kind: kind ?? 'complex', type: kind === undefined ? code : '', ...rest }
}

function* expand(words: readonly string[]): Generator<Unplaced> {
  for (const word of words) {
    const colon = word.indexOf(':')
    const name = word.slice(0, colon)
    let code = word.slice(colon + 1)
    if (name.endsWith('[x]')) {
      const stem = name.slice(0, -3)
      for (const suffix of code.split(',')) {
        const primitive = Object.hasOwn(primitiveSuffixes, suffix) ? primitiveSuffixes[suffix] : undefined
        yield member(stem + suffix, primitive ?? suffix, { many: false, required: false, choice: stem })
      }
      continue
    }
    const required = code.endsWith('+')
    if (required) code = code.slice(0, -1)
    const many = code.endsWith('*')
    if (many) code = code.slice(0, -1)
    yield member(name, code, { many, required, choice: undefined })
  }
}

/** Types of one version by name, expanded on first use and kept. */
export class TypeLibrary {
  readonly #tables: FhirTables
  readonly #expanded = new Map<string, TypeDefinition>()

  constructor(tables: FhirTables) {
    this.#tables = tables
  }

  /** The type of this name, or undefined when the version has none. */
  find(name: string): TypeDefinition | undefined {
    const known = this.#expanded.get(name)
    if (known !== undefined) return known
    if (!Object.hasOwn(this.#tables.types, name)) return undefined
    const [head = '', ...words] = (this.#tables.types[name] ?? '').split(' ')
    const isResource = head.endsWith('!')
    const base = isResource ? head.slice(0, -1) : head
    const byName = new Map<string, Member>()
    if (base !== '') for (const inherited of this.type(base).members) byName.set(inherited.name, inherited)
    for (const own of expand(words)) byName.set(own.name, { ...own, order: byName.size })
    const definition: TypeDefinition = { name, isResource, members: [...byName.values()], byName }
    this.#expanded.set(name, definition)
    return definition
  }

  /** A type that the tables themselves name; its absence is a fault of the tables. */
  type(name: string): TypeDefinition {
    const definition = this.find(name)
    if (definition === undefined) throw new Error(`FHIR ${this.#tables.version} has no type ${name}`)
    return definition
  }

  /** The resource type of this name, or undefined: data types and abstract types are no resources. */
  resource(name: string): TypeDefinition | undefined {
    const definition = this.find(name)
    return definition?.isResource === true ? definition : undefined
  }

  /** Every type name, in the order of the tables. */
  names(): readonly string[] {
    return Object.keys(this.#tables.types)
  }
}
