import type { EncodedEntry, Filter } from '@openspine/standards/ldap'
import type { ExplainedCondition, ExplainGround, NearEntry, Shortfall } from './search.ts'

type Ground = Pick<ExplainGround, 'schema' | 'strict' | 'now'>

const mostValues = 5

/** Why an item can hold for no entry at all. */
export function faultOf(item: Filter, ground: Ground): string | undefined {
  if (!('attribute' in item) || item.attribute === undefined) return undefined
  const { schema, strict } = ground
  const type = schema.attribute(item.attribute)
  if (type === undefined || type.secret) {
    const meant = nearestName(
      item.attribute,
      schema.attributes.filter(({ secret }) => !secret).flatMap(({ names }) => names),
    )
    return `The schema has no attribute ${item.attribute}, so this condition is never met.${meant === undefined ? '' : ` Did you mean ${meant}?`}`
  }
  if (type.name === 'objectClass' && item.kind === 'equal') {
    const named = item.value.toString().trim()
    if (schema.objectClass(named) !== undefined) return undefined
    const meant = nearestName(
      named,
      schema.classes.map(({ name }) => name),
    )
    return `The schema has no object class ${named}, so this condition is never met.${meant === undefined ? '' : ` Did you mean ${meant}?`}`
  }
  const rule = schema.equality(type, strict ? 'none' : 'caseIgnoreMatch')
  const strictly = ` With directory.strictMatching the schema's own rules hold alone, and it declares none for ${type.name}: such a condition is never met.`
  switch (item.kind) {
    case 'equal':
    case 'approximate':
      return rule === undefined ? `${type.name} has no equality rule.${strict ? strictly : ''}` : undefined
    case 'substrings':
      return rule?.substrings === undefined || (strict && type.substrings === undefined)
        ? `Parts of ${type.name} cannot be compared: it has no substrings rule.${strict ? strictly : ''}`
        : undefined
    case 'greaterOrEqual':
    case 'lessOrEqual':
      return rule === undefined || (strict && type.ordering === undefined)
        ? `${type.name} has no ordering rule.${strict ? strictly : ''}`
        : undefined
    default:
      return undefined
  }
}

/** What an entry has instead of what an item wants, and why that is not enough. */
export function spelling(item: Filter, entry: EncodedEntry, ground: Ground): Omit<Shortfall, 'condition'> {
  const fault = faultOf(item, ground)
  if (fault !== undefined) return { has: [], why: fault }
  if (!('attribute' in item) || item.attribute === undefined)
    return { has: [], why: item.kind === 'or' ? 'none of the alternatives holds' : 'the condition does not hold' }
  const type = ground.schema.attribute(item.attribute)
  const values = type === undefined || type.usage !== 'userApplications' ? [] : entry.values(type)
  const name = type?.name ?? item.attribute
  if (values.length === 0) return { has: [], why: `it has no ${name}` }
  if (item.kind !== 'equal') {
    const has = values.slice(0, mostValues)
    return { has, why: `its ${name} ${values.length === 1 ? 'is' : 'are'} ${listed(has, values.length)}` }
  }
  const wanted = item.value.toString()
  const folded = wanted.trim().toLowerCase()
  const inOtherCase = values.find((value) => value.toLowerCase() === folded)
  if (inOtherCase !== undefined)
    return { has: [inOtherCase], why: `its ${name} is ${inOtherCase}: upper and lower case count in this attribute` }
  if (name === 'objectClass') return { has: values, why: `it is a ${values.at(-1)}, not a ${wanted}` }
  const has = [...values]
    .map((value) => ({ value, common: commonStart(value.toLowerCase(), folded) }))
    .sort((a, b) => b.common - a.common)
    .slice(0, mostValues)
    .map(({ value }) => value)
  if (values.length === 1) return { has, why: `its ${name} is ${values[0]}, not ${wanted}` }
  return {
    has,
    why: `none of its ${values.length} values of ${name} is ${wanted}; the nearest are ${listed(has, values.length)}`,
  }
}

function listed(values: readonly string[], of: number): string {
  return `${values.join(', ')}${of > values.length ? ` and ${of - values.length} more` : ''}`
}

function commonStart(one: string, other: string): number {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return at
}

/** Causes in plain words, with what to do, the likeliest first. */
export function likelyCauses(about: {
  readonly base: string
  readonly baseIsThere: boolean
  readonly conditions: readonly ExplainedCondition[]
  readonly nearest: readonly NearEntry[]
}): string[] {
  const { base, baseIsThere, conditions, nearest } = about
  const causes: string[] = []
  if (!baseIsThere)
    causes.push(
      `The base ${base} is not in the directory (result 32, noSuchObject). Systems stand below ou=Services,o=nhs, organisations below ou=Organisations,o=nhs, people below ou=People,o=nhs.`,
    )
  for (const { note } of conditions) if (note !== undefined) causes.push(note)
  for (const { dn, objectClass, shortfalls } of nearest.slice(0, 2)) {
    const telling = shortfalls.filter(({ why }) => !conditions.some(({ note }) => note === why))
    if (telling.length > 0 && telling.length < Math.max(2, conditions.length))
      causes.push(
        `${objectClass} ${dn} comes near, but ${telling.map(({ why }) => why).join('; and ')}. ${remedy(telling[0] as Shortfall)}`,
      )
  }
  for (const { condition, met, elsewhere, note } of conditions) {
    if (met > 0 || note !== undefined) continue
    causes.push(
      elsewhere > 0
        ? `Nothing below ${base} meets ${condition}, but ${elsewhere} ${elsewhere === 1 ? 'entry' : 'entries'} elsewhere in the directory ${elsewhere === 1 ? 'does' : 'do'}: is the base right?`
        : `No entry of the directory meets ${condition}: ${nothingAtAll(condition)}`,
    )
  }
  if (causes.length === 0)
    causes.push('Each condition is met by some entry, but no entry meets all of them together: see how many meet each.')
  return [...new Set(causes)]
}

function nothingAtAll(condition: string): string {
  if (/^\(nhs(id|as)c/i.test(condition))
    return 'is the ODS code right, and is a system of that organisation registered in this environment?'
  if (/svcia/i.test(condition))
    return 'is the interaction id right, with its whole urn:nhs:names:services: prefix and its version?'
  if (/partykey/i.test(condition)) return 'is the party key of this environment?'
  return 'is it spelt right, and is this the right environment?'
}

function remedy({ condition }: Shortfall): string {
  if (/svcia/i.test(condition)) return 'Add the interaction to that system by registration, or ask for one that it has.'
  if (/nhsidcode|nhsasclient/i.test(condition)) return 'Ask for the organisation that the record belongs to.'
  if (/partykey/i.test(condition)) return 'Take the party key from the endpoint of the same organisation.'
  if (/manufacturer/i.test(condition)) return 'Name the supplier with which the system was registered.'
  if (/objectclass/i.test(condition))
    return 'Accredited systems (nhsAs) hold nhsAsSvcIA, endpoints (nhsMhs) hold nhsMhsSvcIA: ask for the class and its attribute together.'
  if (/ of /.test(condition)) return 'Search from a base above it.'
  return 'Correct the condition, or the record by registration.'
}

/** The candidate that is a typing mistake away, in any case; undefined when none is. */
export function nearestName(wanted: string, candidates: readonly string[]): string | undefined {
  const name = wanted.slice(0, 100).toLowerCase()
  const most = Math.max(1, Math.min(4, Math.floor(name.length / 4)))
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most) continue
    const distance = editDistance(name, candidate.toLowerCase())
    if (distance <= most && (best === undefined || distance < best.distance)) best = { name: candidate, distance }
  }
  return best?.name
}

/** Levenshtein distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1)
      next[j] = Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1)
    }
    row = next
  }
  return row[other.length] as number
}
