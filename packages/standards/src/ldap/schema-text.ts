import { applicable, companionRules, type MatchingRule, matchingRules, syntaxes } from './matching.ts'
import type { AttributeType, ObjectClass, Schema } from './schema.ts'

function names(list: readonly string[]): string {
  return list.length === 1 ? `NAME '${list[0]}'` : `NAME ( ${list.map((name) => `'${name}'`).join(' ')} )`
}

function oidList(keyword: string, attributes: readonly { readonly name: string }[]): string {
  if (attributes.length === 0) return ''
  const list = attributes.map(({ name }) => name)
  return list.length === 1 ? ` ${keyword} ${list[0]}` : ` ${keyword} ( ${list.join(' $ ')} )`
}

/** AttributeTypeDescription (RFC 4512 §4.1.2), keywords in the order of its grammar. */
export function attributeTypeText(attribute: AttributeType): string {
  const { declared } = attribute
  return [
    `( ${attribute.oid} ${names(attribute.names)}`,
    attribute.sup === undefined ? '' : ` SUP ${attribute.sup.name}`,
    declared.equality === undefined ? '' : ` EQUALITY ${declared.equality}`,
    declared.ordering === undefined ? '' : ` ORDERING ${declared.ordering}`,
    declared.substrings === undefined ? '' : ` SUBSTR ${declared.substrings}`,
    declared.syntax === undefined ? '' : ` SYNTAX ${declared.syntax}`,
    attribute.single ? ' SINGLE-VALUE' : '',
    attribute.userModifiable ? '' : ' NO-USER-MODIFICATION',
    attribute.usage === 'userApplications' ? '' : ` USAGE ${attribute.usage}`,
    attribute.origin === undefined ? '' : ` X-ORIGIN '${attribute.origin}'`,
    ' )',
  ].join('')
}

/** ObjectClassDescription (RFC 4512 §4.1.1). */
export function objectClassText(objectClass: ObjectClass): string {
  return [
    `( ${objectClass.oid} NAME '${objectClass.name}'`,
    objectClass.sup === undefined ? '' : ` SUP ${objectClass.sup.name}`,
    ` ${objectClass.kind}`,
    oidList('MUST', objectClass.must),
    oidList('MAY', objectClass.may),
    objectClass.origin === undefined ? '' : ` X-ORIGIN '${objectClass.origin}'`,
    ' )',
  ].join('')
}

/** The five published lists of the subschema subentry. */
export function subschemaText(schema: Schema): Readonly<Record<string, readonly string[]>> {
  const rules = Object.values<MatchingRule>(matchingRules)
  const all = [...rules, ...companionRules]
  const equalities = new Set<string>(rules.map(({ name }) => name))
  const uses = all.flatMap((rule) => {
    const applies = schema.attributes.filter((attribute) =>
      equalities.has(rule.name)
        ? applicable(rule, attribute)
        : attribute.ordering === rule.name || attribute.substrings === rule.name,
    )
    return applies.length === 0 ? [] : [`( ${rule.oid} NAME '${rule.name}'${oidList('APPLIES', applies)} )`]
  })
  return {
    objectClasses: schema.classes.map(objectClassText),
    attributeTypes: schema.attributes.map(attributeTypeText),
    ldapSyntaxes: [...syntaxes].map(([oid, description]) => `( ${oid} DESC '${description}' )`),
    matchingRules: all.map((rule) => `( ${rule.oid} NAME '${rule.name}' SYNTAX ${rule.syntax} )`),
    matchingRuleUse: uses,
  }
}
