import {
  type AttributeType,
  escapeFilterValue,
  type Filter,
  filterText,
  type ObjectClass,
  type Schema,
  type Scope,
  type SearchRequest,
} from '@openspine/standards/ldap'
import type { DirectoryEntry } from '../contract.ts'
import { type Chance, respelled, respelledName } from './generator.ts'

/** What one round asks both servers. */
export type Question =
  | { readonly kind: 'search'; readonly request: SearchRequest; readonly pageSize: number | undefined }
  | { readonly kind: 'compare'; readonly entry: string; readonly attribute: string; readonly value: string }

/** Of the change log draft, which slapd's schema files have not. */
const ofChangeLog = /^(?:targetDN|changeType|changes|changeTime)$/

/** Makes questions about entries: by chance, but near to what is there. */
export class Questions {
  readonly #chance: Chance
  readonly #schema: Schema
  readonly #entries: readonly DirectoryEntry[]
  readonly #attributes: readonly AttributeType[]
  readonly #classes: readonly ObjectClass[]

  constructor(schema: Schema, entries: readonly DirectoryEntry[], chance: Chance) {
    this.#chance = chance
    this.#schema = schema
    this.#entries = entries
    this.#attributes = schema.attributes.filter(
      ({ usage, secret, name }) => usage === 'userApplications' && !secret && !ofChangeLog.test(name),
    )
    this.#classes = schema.classes.filter(({ name }) => name !== 'changeLogEntry')
  }

  next(): Question {
    const chance = this.#chance
    if (chance.is(0.12)) {
      const { attribute, value } = this.#assertion()
      return { kind: 'compare', entry: this.#base(), attribute, value: respelled(chance, value) }
    }
    const limited = chance.is(0.1)
    const base = this.#base()
    const request: SearchRequest = {
      op: 'search',
      base,
      scope: chance.pick([0, 1, 2, 2, 2, 2, 3] as const) satisfies Scope,
      derefAliases: chance.below(4),
      // Below o=nhs alone is a change log in one of the two.
      sizeLimit: limited && !/^[^,]*$/.test(base) ? 1 + chance.below(6) : 0,
      timeLimit: 0,
      typesOnly: chance.is(0.1),
      filter: this.filter(chance.below(4)),
      attributes: this.#list(),
    }
    return { kind: 'search', request, pageSize: chance.is(0.1) ? 1 + chance.below(30) : undefined }
  }

  #base(): string {
    const chance = this.#chance
    const name = () => respelledName(chance, this.#schema, chance.pick(this.#entries).dn)
    switch (chance.kind({ root: 6, branch: 6, entry: 4, missing: 2, outside: 0.5, malformed: 1, empty: 0.5 })) {
      case 'root':
        return respelledName(chance, this.#schema, 'o=nhs')
      case 'branch': {
        const branch = chance.pick(['Organisations', 'People', 'Services', 'ReferenceData', 'Workgroups'])
        return respelledName(chance, this.#schema, `ou=${branch},o=nhs`)
      }
      case 'entry':
        return name()
      case 'missing':
        return `${chance.pick(['cn=nobody', 'uid=nobody', 'nosuch=1', 'cn=a+sn=b', 'ou=x,ou=y'])},${name()}`
      case 'outside':
        return chance.pick(['o=elsewhere', 'dc=example', 'ou=Services', 'cn=x,o=nhss'])
      case 'malformed':
        return chance.pick([
          'nonsense',
          'o=nhs,',
          ',o=nhs',
          'o',
          '=nhs',
          'o=nhs,,c=gb',
          'o=a"b',
          'cn=#0',
          '1.2=x=,',
          'o=\\zz',
          'o=nhs+',
          '-a=b',
        ])
      case 'empty':
        return ''
    }
  }

  /** A filter nested at most `depth` deep. */
  filter(depth: number): Filter {
    const chance = this.#chance
    if (depth > 0) {
      switch (chance.kind({ item: 2, and: 3, or: 3, not: 2 })) {
        case 'and':
          return { kind: 'and', of: this.#several(depth) }
        case 'or':
          return { kind: 'or', of: this.#several(depth) }
        case 'not':
          return { kind: 'not', of: this.filter(depth - 1) }
      }
    }
    return this.#item()
  }

  #several(depth: number): Filter[] {
    return Array.from({ length: this.#chance.pick([0, 1, 2, 2, 2, 3, 4]) }, () => this.filter(depth - 1))
  }

  #item(): Filter {
    const chance = this.#chance
    const { attribute, value: near } = this.#assertion()
    const value = Buffer.from(respelled(chance, near))
    switch (
      chance.kind({ equal: 10, present: 3, substrings: 5, order: 2, approximate: 1, extensible: 3, class: 5, name: 1 })
    ) {
      case 'equal':
        return { kind: 'equal', attribute, value }
      case 'present':
        return { kind: 'present', attribute }
      case 'substrings':
        return this.#substrings(attribute, near)
      case 'order':
        return { kind: chance.is(0.5) ? 'greaterOrEqual' : 'lessOrEqual', attribute, value }
      case 'approximate':
        return { kind: 'approximate', attribute, value }
      case 'extensible':
        return this.#extensible(attribute, value)
      case 'class':
        return { kind: 'equal', attribute: this.#spelled('objectClass'), value: Buffer.from(this.#className()) }
      case 'name':
        return this.#operational()
    }
  }

  #className(): string {
    const chance = this.#chance
    const { name, oid } = chance.pick(this.#classes)
    return chance.pick([name, name, name.toUpperCase(), name.toLowerCase(), oid, 'nosuchclass', '1.2.3.4'])
  }

  /** Operational attributes that both servers keep in the same way. */
  #operational(): Filter {
    const chance = this.#chance
    const dn = respelledName(chance, this.#schema, chance.pick(this.#entries).dn)
    return chance.pick<Filter>([
      { kind: 'equal', attribute: 'entryDN', value: Buffer.from(dn) },
      { kind: 'equal', attribute: 'hasSubordinates', value: Buffer.from(chance.pick(['TRUE', 'FALSE'])) },
      { kind: 'equal', attribute: 'structuralObjectClass', value: Buffer.from(this.#className()) },
      { kind: 'present', attribute: 'createTimestamp' },
      { kind: 'lessOrEqual', attribute: 'modifyTimestamp', value: Buffer.from('20200101000000Z') },
    ])
  }

  #substrings(attribute: string, value: string): Filter {
    const chance = this.#chance
    const whole = [...value]
    const cuts = [0, 0, 0, 0].map(() => chance.below(whole.length + 1)).sort((a, b) => a - b)
    const part = (from: number, to: number) => {
      const text = whole.slice(from, to).join('')
      return text === '' ? undefined : Buffer.from(chance.is(0.2) ? text.toUpperCase() : text)
    }
    const [a = 0, b = 0, c = 0, d = 0] = cuts
    const initial = chance.is(0.5) ? part(0, a) : undefined
    const final = chance.is(0.5) ? part(d, whole.length) : undefined
    const any = [part(a, b), part(b, c)].flatMap((each) => (each === undefined || chance.is(0.3) ? [] : [each]))
    if (initial === undefined && final === undefined && any.length === 0) any.push(Buffer.from(whole[0] ?? 'a'))
    return { kind: 'substrings', attribute, initial, any, final }
  }

  #extensible(attribute: string, value: Buffer): Filter {
    const chance = this.#chance
    const rule = chance.pick([
      undefined,
      'caseExactMatch',
      'caseIgnoreMatch',
      'CASEIGNOREMATCH',
      '2.5.13.2',
      '2.5.13.5',
      'objectIdentifierMatch',
      'distinguishedNameMatch',
      'nosuchMatch',
      '1.2.3.4',
    ])
    const bare = rule !== undefined && chance.is(0.15)
    if (chance.is(0.3)) {
      return {
        kind: 'extensible',
        rule,
        attribute: chance.pick(['ou', 'o', 'uid', 'uniqueIdentifier']),
        value: Buffer.from(chance.pick(['people', 'Services', 'NHS', '200000000003', 'nothing'])),
        dnAttributes: true,
      }
    }
    return { kind: 'extensible', rule, attribute: bare ? undefined : attribute, value, dnAttributes: chance.is(0.3) }
  }

  /** An attribute, mostly with a value that some entry has for it. */
  #assertion(): { attribute: string; value: string } {
    const chance = this.#chance
    const { attributes } = chance.pick(this.#entries)
    const name = chance.pick(Object.keys(attributes))
    const value = chance.pick(attributes[name] ?? ['x'])
    switch (chance.kind({ own: 14, supertype: 1, other: 2, unknown: 1 })) {
      case 'supertype':
        return { attribute: this.#spelled('name'), value }
      case 'other':
        return { attribute: this.#spelled(chance.pick(this.#attributes).name), value }
      case 'unknown':
        return { attribute: chance.pick(['nosuch', 'nhsaASvcIA', '1.2.3.4', 'x-y']), value }
      default:
        return { attribute: this.#spelled(name), value }
    }
  }

  #spelled(name: string): string {
    const type = this.#schema.attribute(name)
    if (type === undefined) return name
    return this.#chance.pick([name, name, name.toUpperCase(), name.toLowerCase(), type.oid, type.names.at(-1) ?? name])
  }

  #list(): string[] {
    const chance = this.#chance
    switch (chance.kind({ none: 4, all: 2, nothing: 4, some: 8 })) {
      case 'none':
        return []
      case 'all':
        return ['*']
      case 'nothing':
        return ['1.1']
      default: {
        const one = () =>
          chance.pick([
            () => this.#spelled(chance.pick(Object.keys(chance.pick(this.#entries).attributes))),
            () => this.#spelled(chance.pick(Object.keys(chance.pick(this.#entries).attributes))),
            () => this.#spelled(chance.pick(this.#attributes).name),
            () => `@${chance.pick(this.#classes).name}`,
            () =>
              chance.pick([
                'nosuch',
                '1.1',
                '*',
                'name',
                '@nosuchclass',
                'entryDN',
                'hasSubordinates',
                'structuralObjectClass',
                'subschemaSubentry',
                '1.2.3.4',
              ]),
          ])()
        const list = Array.from({ length: 1 + chance.below(5) }, one)
        return chance.is(0.2) ? [...list, list[0] as string] : list
      }
    }
  }
}

/** The filter as text that a careless person might write: spaces between clauses, more escapes than are needed. */
export function carelessText(filter: Filter, chance: Chance): string {
  const space = () => (chance.is(0.3) ? ' '.repeat(1 + chance.below(2)) : '')
  switch (filter.kind) {
    case 'and':
    case 'or':
      return `(${space()}${filter.kind === 'and' ? '&' : '|'}${space()}${filter.of.map((inner) => carelessText(inner, chance) + space()).join('')})`
    case 'not':
      return `(!${space()}${carelessText(filter.of, chance)}${space()})`
    case 'equal': {
      if (!chance.is(0.3)) break
      const escaped = [...filter.value].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
      return `(${filter.attribute}=${escaped})`
    }
    case 'greaterOrEqual':
      return `(${filter.attribute}${space()}>=${escapeFilterValue(filter.value)})`
  }
  return filterText(filter)
}
