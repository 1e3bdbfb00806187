import { oids } from './codes.ts'
import { type Attributes, alone, encodeEntry, generalizedTime, nameKey, Sharing } from './entry.ts'
import type { AttributeType, Schema } from './schema.ts'
import { subschemaText } from './schema-text.ts'
import type { TreeEntry } from './tree.ts'

/** An entry outside the tree that describes the server itself. */
export interface ServerEntry extends TreeEntry {
  operational(attribute: AttributeType): readonly string[]
}

export interface ServerDescription {
  readonly schema: Schema
  readonly namingContexts: readonly string[]
  readonly vendorName: string
  readonly vendorVersion: string
  /** When the schema was last changed, milliseconds since the epoch. */
  readonly schemaTime: number
}

function serverEntry(schema: Schema, dn: string, attributes: Attributes, operational: Attributes): ServerEntry {
  const content = encodeEntry(schema, dn, attributes, { slab: alone, sharing: new Sharing() })
  const valuesOf = new Map<AttributeType, readonly string[]>()
  for (const [name, values] of Object.entries({ ...attributes, ...operational })) {
    const attribute = schema.attribute(name)
    if (attribute === undefined) throw new Error(`schema names no attribute ${name}`)
    valuesOf.set(attribute, values)
  }
  const values = (attribute: AttributeType) => valuesOf.get(attribute) ?? []
  const { bytes, start, attributesAt, end, shape } = content
  const key = nameKey(schema, dn)?.key ?? ''
  return { dn, key, order: 0, bytes, start, attributesAt, end, shape, values, operational: values }
}

/** The root DSE (RFC 4512 §5.1): user attributes are `objectClass` alone, the rest comes on request. */
export function rootDse(about: ServerDescription): ServerEntry {
  return serverEntry(
    about.schema,
    '',
    { objectClass: ['top', 'extensibleObject'] },
    {
      structuralObjectClass: ['top'],
      entryDN: [''],
      subschemaSubentry: ['cn=Subschema'],
      namingContexts: about.namingContexts,
      supportedLDAPVersion: ['3'],
      supportedControl: [oids.pagedResults, oids.manageDsaIT, oids.assertion],
      supportedExtension: [oids.whoAmI, oids.cancel],
      // modifyIncrement describes an operation that this server refuses like every write; clients expect it listed.
      supportedFeatures: [
        oids.allOperationalAttributes,
        oids.objectClassAttributeLists,
        oids.absoluteFilters,
        oids.modifyIncrement,
      ],
      vendorName: [about.vendorName],
      vendorVersion: [about.vendorVersion],
    },
  )
}

/** The subschema subentry (RFC 4512 §4.2): schema-aware clients refuse to send what it does not list. */
export function subschema(about: ServerDescription): ServerEntry {
  const time = generalizedTime(about.schemaTime)
  return serverEntry(
    about.schema,
    'cn=Subschema',
    { objectClass: ['top', 'subentry', 'subschema', 'extensibleObject'], cn: ['Subschema'] },
    {
      structuralObjectClass: ['subentry'],
      entryDN: ['cn=Subschema'],
      subschemaSubentry: ['cn=Subschema'],
      createTimestamp: [time],
      modifyTimestamp: [time],
      ...subschemaText(about.schema),
    },
  )
}
