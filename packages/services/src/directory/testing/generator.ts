import { type AttributeType, type ObjectClass, parseDn, renderDn, type Schema } from '@openspine/standards/ldap'
import type { DirectoryEntry } from '../contract.ts'

/** Repeatable chance: the same seed, the same entries and searches. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  is(likelihood: number): boolean {
    return this.next() < likelihood
  }

  pick<Value>(values: readonly Value[]): Value {
    if (values.length === 0) throw new Error('there is nothing to pick from')
    return values[this.below(values.length)] as Value
  }

  /** One of the kinds, by weight. */
  kind<Kind extends string>(weights: Readonly<Record<Kind, number>>): Kind {
    const kinds = Object.entries<number>(weights) as [Kind, number][]
    let left = this.next() * kinds.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [kind, weight] of kinds) {
      left -= weight
      if (left < 0) return kind
    }
    return (kinds[0] as [Kind, number])[0]
  }
}

/** Spelled so that case, spaces, accents, escapes and prefixes matter. */
const words = [
  'YES',
  'yes',
  'Invented Records',
  'INVENTED  RECORDS',
  'invented surgery',
  'Ann Other',
  'Anna',
  'an',
  'Zoë Brontë',
  'ZOE\u0308 BRONTE\u0308',
  'École',
  'ŁÓDŹ',
  'Ωmega Δelta',
  'a*b',
  '(brackets)',
  'back\\slash',
  'comma, plus+ equals= <angle>',
  '#hash',
  '"quoted"',
  'MSHSignalsOnly',
  'mshsignalsonly',
  'always',
  'never',
  '20260102090000',
  '20250102',
  '2',
  '10',
  'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1',
  'urn:nhs:names:services:pdsquery:QUPA_IN040000UK32',
  'urn:nhs:names:services:psis',
  '"Clinical":"Clinical Provision":"General Medical Practitioner"',
  'S8000:G8000:R8000',
  'uniqueIdentifier=555,uniqueIdentifier=444,uid=333, ou=People, o=nhs',
  '語彙 目録',
]
const codes = ['A99968', 'YES', 'X26', 'B82617', 'a20047', 'RR8']
const partyKeys = codes.map((code) => `${code.toUpperCase()}-850000`)
const telephones = ['+44 113 496 0000', '0113-496 0000', '01134960000', '0113 4960001']

const pools: Readonly<Record<string, readonly string[]>> = {
  nhsIDCode: codes,
  nhsAsClient: codes,
  nhsMhsManufacturerOrg: codes,
  nhsParentOrgCode: codes,
  nhsPCTCode: codes,
  nhsMHSPartyKey: partyKeys,
  nhsAsSvcIA: words.filter((word) => word.startsWith('urn:')),
  nhsMhsSvcIA: words.filter((word) => word.startsWith('urn:')),
  telephoneNumber: telephones,
  facsimileTelephoneNumber: telephones,
  mail: ['ann@example.nhs.uk', 'Ann@Example.nhs.uk', 'desk+one@example.nhs.uk'],
  postalAddress: ['1 HIGH ST$$$TOWN$COUNTY', '1 high  st$ $$town$county', '2 Low Road$TOWN', '3 Mews'],
  postalCode: ['ZZ99 4AA', 'zz99 4aa', 'ZZ994AA'],
  labeledURI: ['https://example.nhs.uk/', 'https://EXAMPLE.nhs.uk/ a label'],
}

/** Attributes that generated entries do not carry: secrets, and syntaxes in which words are no values. */
const left =
  /^(?:nhsPuSecret|userPassword|seeAlso|manager|secretary|preferredDeliveryMethod|c|telexNumber|internationaliSDNNumber|destinationIndicator|serialNumber|pager|mobile|homePhone|homePostalAddress|registeredAddress|preferredLanguage)$/

/** How many entries of a class stand below which name, and by which attribute they are named. */
interface Planting {
  readonly objectClass: string
  readonly below: string
  readonly named: string
  readonly count: number
  /** Planted below each of the entries so planted. */
  readonly children?: readonly Omit<Planting, 'below'>[]
}

/** Every branch and every class of directory specification §2 and §3.1, but those of the change log, which slapd has not. */
const plantings: readonly Planting[] = [
  ...['nhsOrg', 'nhsGPPractice', 'nhsSite', 'nhsDept'].map((objectClass) => ({
    objectClass,
    below: 'ou=Organisations,o=nhs',
    named: 'uniqueIdentifier',
    count: 8,
  })),
  {
    objectClass: 'nhsPerson',
    below: 'ou=People,o=nhs',
    named: 'uid',
    count: 10,
    children: [
      {
        objectClass: 'nhsOrgPerson',
        named: 'uniqueIdentifier',
        count: 2,
        children: [{ objectClass: 'nhsOrgPersonRole', named: 'uniqueIdentifier', count: 2 }],
      },
    ],
  },
  { objectClass: 'nhsAs', below: 'ou=Services,o=nhs', named: 'uniqueIdentifier', count: 30 },
  { objectClass: 'nhsMhs', below: 'ou=Services,o=nhs', named: 'uniqueIdentifier', count: 30 },
  {
    objectClass: 'nhsMHSService',
    below: 'ou=Services,o=nhs',
    named: 'uniqueIdentifier',
    count: 4,
    children: [
      {
        objectClass: 'nhsMHSAction',
        named: 'uniqueIdentifier',
        count: 2,
        children: [{ objectClass: 'nhsMHSCP', named: 'uniqueIdentifier', count: 1 }],
      },
    ],
  },
  ...['nhsRBACJR', 'nhsRBACAoW', 'nhsRBACBF', 'nhsRBACBL', 'nhsList'].map((objectClass) => ({
    objectClass,
    below: 'ou=ReferenceData,o=nhs',
    named: 'uniqueIdentifier',
    count: 4,
  })),
  { objectClass: 'nhsWgTypes', below: 'ou=ReferenceData,o=nhs', named: 'cn', count: 3 },
  { objectClass: 'nhsWg', below: 'ou=Workgroups,o=nhs', named: 'uniqueIdentifier', count: 8 },
]

/** Entries of every class and branch, parents first. */
export function generatedEntries(schema: Schema, chance: Chance): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  let number = 200_000_000_000
  const plant = ({ objectClass, below, named, count, children }: Planting) => {
    const type = schema.objectClass(objectClass)
    if (type === undefined) throw new Error(`the schema has no class ${objectClass}`)
    for (let i = 0; i < count; i++) {
      const name = chance.is(0.15) ? `${chance.pick(words)} ${++number}` : String(++number)
      const dn = `${renderDn([[{ type: named, value: name }]])},${below}`
      entries.push({ dn, attributes: attributesOf(schema, chance, type, named, name) })
      for (const child of children ?? []) plant({ ...child, below: dn })
    }
  }
  for (const planting of plantings) plant(planting)
  return entries
}

function attributesOf(schema: Schema, chance: Chance, type: ObjectClass, named: string, name: string) {
  const lineage = schema.lineage(type)
  const classes = lineage.map((each) => each.name).reverse()
  // The RBAC marker is the one auxiliary class.
  if (type.name.startsWith('nhsRBAC') && chance.is(0.5)) classes.push('nhsRBAC')
  const all = classes.flatMap((each) => schema.objectClass(each) ?? [])
  const attributes: Record<string, readonly string[]> = { objectClass: classes }
  const fill = (attribute: AttributeType) => {
    if (attributes[attribute.name] !== undefined || left.test(attribute.name)) return
    const count = attribute.single ? 1 : chance.kind({ one: 6, two: 2, three: 1 })
    const own = attribute.name === named ? [name] : []
    attributes[attribute.name] = distinct(schema, attribute, [
      ...own,
      ...(own.length > 0 && attribute.single
        ? []
        : Array.from({ length: count === 'three' ? 3 : count === 'two' ? 2 : own.length > 0 ? 0 : 1 }, () =>
            anyValue(chance, attribute),
          )),
    ])
  }
  const naming = schema.attribute(named)
  if (naming !== undefined) fill(naming)
  for (const each of all) for (const attribute of each.must) fill(attribute)
  for (const each of all) for (const attribute of each.may) if (chance.is(0.25)) fill(attribute)
  return attributes
}

function distinct(schema: Schema, attribute: AttributeType, values: readonly string[]): string[] {
  const forms = new Map<string, string>()
  for (const value of values) {
    const form = schema.equality(attribute, 'caseIgnoreMatch')?.normalise(value) ?? value
    if (!forms.has(form)) forms.set(form, value)
  }
  return [...forms.values()]
}

function anyValue(chance: Chance, attribute: AttributeType): string {
  return chance.pick(pools[attribute.name] ?? words)
}

/** Changes what should not matter, or what just may: case, spaces, composition, a character less or more. */
export function respelled(chance: Chance, value: string): string {
  switch (chance.kind({ same: 8, upper: 2, lower: 2, spaces: 2, around: 2, decomposed: 1, cut: 1, more: 1 })) {
    case 'upper':
      return value.toUpperCase()
    case 'lower':
      return value.toLowerCase()
    case 'spaces':
      return value.replaceAll(' ', '   ')
    case 'around':
      return `  ${value} `
    case 'decomposed':
      return value.normalize('NFD')
    case 'cut':
      return value.slice(0, -1)
    case 'more':
      return `${value}x`
    default:
      return value
  }
}

/** Another spelling of a distinguished name: case, spaces, OIDs, separators. */
export function respelledName(chance: Chance, schema: Schema, dn: string): string {
  const parsed = parseDn(dn)
  switch (chance.kind({ same: 6, upper: 2, spaces: 2, oids: 1, names: 1, hex: 1 })) {
    case 'upper':
      return parsed
        .map((part) =>
          renderDn([part.map(({ type, value }) => ({ type: type.toUpperCase(), value: value.toLowerCase() }))]),
        )
        .join(',')
    case 'spaces':
      return parsed.map((part) => renderDn([part]).replace('=', ' = ')).join(' , ')
    case 'oids':
      return renderDn(
        parsed.map((part) => part.map(({ type, value }) => ({ type: schema.attribute(type)?.oid ?? type, value }))),
      )
    case 'names':
      return renderDn(
        parsed.map((part) =>
          part.map(({ type, value }) => ({ type: schema.attribute(type)?.names.at(-1) ?? type, value })),
        ),
      )
    case 'hex':
      return parsed
        .map((part) =>
          part
            .map(
              ({ type, value }) =>
                `${type}=${[...Buffer.from(value)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}`,
            )
            .join('+'),
        )
        .join(',')
    default:
      return dn
  }
}
