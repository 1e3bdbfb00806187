import { parseDn } from '@openspine/standards/ldap'
import type { WriteCheck } from './check.ts'

const branchOf: Readonly<Record<string, string>> = {
  nhsas: 'ou=services,o=nhs',
  nhsmhs: 'ou=services,o=nhs',
  nhsmhsservice: 'ou=services,o=nhs',
  nhsorg: 'ou=organisations,o=nhs',
  nhsgppractice: 'ou=organisations,o=nhs',
  nhssite: 'ou=organisations,o=nhs',
  nhsdept: 'ou=organisations,o=nhs',
  nhsperson: 'ou=people,o=nhs',
  nhswg: 'ou=workgroups,o=nhs',
}

const longestValue = 64 * 1024

/** Rules of the tree and its schema: what any directory would ask. */
export const structureChecks: readonly WriteCheck[] = [
  {
    code: 'DIRECTORY_BRANCH_CLOSED',
    clause: 'directory §2, §6.5',
    asks: 'Is the name below o=nhs and outside the change log, which writes itself?',
    on: 'refused',
    run({ name }) {
      if (!/(^|,)o=nhs$/.test(name.key)) return { explanation: 'The tree holds names below o=nhs alone.' }
      if (/(^|,)cn=changelog,o=nhs$/.test(name.key))
        return { explanation: 'The change log is written by the directory itself.' }
      return undefined
    },
  },
  {
    code: 'DIRECTORY_PARENT_MISSING',
    clause: 'directory §2',
    asks: 'Does the entry above exist?',
    on: 'refused',
    run({ name, look }) {
      const parent = name.parts.slice(1).join(',')
      return parent === '' || look.get(parent) !== undefined
        ? undefined
        : { explanation: `There is no entry ${parent} to stand below. Put it first.` }
    },
  },
  {
    code: 'DIRECTORY_ATTRIBUTE_UNKNOWN',
    clause: 'directory §3.2',
    asks: 'Does the schema know every attribute, as one that may be written?',
    on: 'refused',
    run({ schema, attributes }) {
      for (const name of Object.keys(attributes)) {
        const attribute = schema.attribute(name)
        if (attribute === undefined) return { attribute: name, explanation: `The schema has no attribute ${name}.` }
        if (attribute.usage !== 'userApplications') {
          return { attribute: name, explanation: `${name} is kept by the directory itself.` }
        }
      }
      return undefined
    },
  },
  {
    code: 'DIRECTORY_VALUE',
    clause: 'directory §3',
    asks: 'Is every value non-empty text of bearable length, and none there twice?',
    on: 'refused',
    run({ schema, attributes }) {
      for (const [attribute, values] of Object.entries(attributes)) {
        const type = schema.attribute(attribute)
        const rule = type === undefined ? undefined : schema.equality(type, 'caseIgnoreMatch')
        const seen = new Set<string>()
        for (const value of values) {
          const key = rule === undefined ? value : rule.normalise(value)
          if (value.trim() === '' || key === undefined || value.includes('\0')) {
            return { attribute, explanation: `${attribute} has a value that is empty or no text.` }
          }
          if (Buffer.byteLength(value) > longestValue)
            return { attribute, explanation: `A value of ${attribute} is too long.` }
          if (seen.has(key))
            return { attribute, explanation: `${attribute} has the value ${value.slice(0, 200)} twice.` }
          seen.add(key)
        }
      }
      return undefined
    },
  },
  {
    code: 'DIRECTORY_OBJECT_CLASS',
    clause: 'directory §3.1',
    asks: 'Do the object classes exist, with exactly one structural class and its superclasses?',
    on: 'refused',
    run({ attributes, classes, structural, schema }) {
      const attribute = 'objectClass'
      const named = attributes[attribute] ?? []
      const unknown = named.find((name) => schema.objectClass(name) === undefined)
      if (unknown !== undefined) return { attribute, explanation: `The schema has no object class ${unknown}.` }
      if (structural === undefined)
        return { attribute, explanation: 'An entry has exactly one structural object class.' }
      const stranger = classes.find((each) => each.kind === 'STRUCTURAL' && !schema.lineage(structural).includes(each))
      return stranger === undefined
        ? undefined
        : { attribute, explanation: `${stranger.name} is no superclass of ${structural.name}.` }
    },
  },
  {
    code: 'DIRECTORY_ATTRIBUTE_MISSING',
    clause: 'directory §3.1 MUST',
    asks: 'Is every attribute that the classes require there?',
    on: 'refused',
    run({ classes, schema, attributes }) {
      for (const each of new Set(classes.flatMap((one) => schema.lineage(one)))) {
        const missing = each.must.find(({ name }) => attributes[name] === undefined)
        if (missing !== undefined) {
          return { attribute: missing.name, explanation: `${each.name} requires ${missing.name}.` }
        }
      }
      return undefined
    },
  },
  {
    code: 'DIRECTORY_ATTRIBUTE_NOT_ALLOWED',
    clause: 'directory §3.1 MAY',
    asks: 'Do the classes allow every attribute?',
    on: 'refused',
    run({ classes, schema, attributes }) {
      const lineage = classes.flatMap((one) => schema.lineage(one))
      if (lineage.some(({ name }) => name === 'extensibleObject')) return undefined
      const allowed = new Set(lineage.flatMap(({ must, may }) => [...must, ...may].map(({ name }) => name)))
      const stranger = Object.keys(attributes).find((name) => !allowed.has(name))
      return stranger === undefined
        ? undefined
        : { attribute: stranger, explanation: `The object classes of the entry do not allow ${stranger}.` }
    },
  },
  {
    code: 'DIRECTORY_SINGLE_VALUE',
    clause: 'directory §3.2',
    asks: 'Has every single-valued attribute one value?',
    on: 'refused',
    run({ schema, attributes }) {
      const name = Object.keys(attributes).find(
        (each) => schema.attribute(each)?.single === true && (attributes[each]?.length ?? 0) > 1,
      )
      return name === undefined ? undefined : { attribute: name, explanation: `${name} holds one value.` }
    },
  },
  {
    code: 'DIRECTORY_NAME_VALUE',
    clause: 'RFC 4512 §2.3, directory §6.3',
    asks: 'Does the entry hold the values of its own name? (The naming attribute cannot change.)',
    on: 'refused',
    run({ schema, dn, attributes }) {
      for (const { type, value: named } of parseDn(dn)[0] ?? []) {
        const attribute = schema.attribute(type)
        if (attribute === undefined)
          return { explanation: `The schema has no attribute ${type}, which names the entry.` }
        const rule = schema.equality(attribute, 'caseIgnoreMatch')
        const wanted = rule?.normalise(named)
        if (!(attributes[attribute.name] ?? []).some((value) => rule?.normalise(value) === wanted)) {
          return {
            attribute: attribute.name,
            explanation: `${attribute.name} must hold the value that names the entry.`,
          }
        }
      }
      return undefined
    },
  },
  {
    code: 'DIRECTORY_BRANCH',
    clause: 'directory §2',
    asks: 'Does the entry stand in the branch of its class?',
    on: 'refused',
    run({ structural, name }) {
      const branch = branchOf[structural?.name.toLowerCase() ?? '']
      return branch === undefined || name.key.endsWith(`,${branch}`)
        ? undefined
        : { explanation: `Entries of class ${structural?.name} stand below ${branch}.` }
    },
  },
]
