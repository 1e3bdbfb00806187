import { firstRefusal } from '../checks.ts'
import { outcomes, refuse } from '../outcomes.ts'
import { isJson, items, type Json } from '../person.ts'
import { relations } from '../related-words.ts'
import { addressRules, linesComplete, linesMissing } from '../rules/addresses.ts'
import { telecomRules } from '../rules/contacts.ts'
import { nameRules, tidyName } from '../rules/names.ts'
import { isObject, objectOf, periodIsSound, type Snippet, type SnippetRule } from '../rules/snippet.ts'
import { sameJson } from './patch.ts'

/** What an update does with one related person. Ids of those who are added are made here. */
export type RelatedChange =
  | { readonly op: 'add'; readonly value: Json }
  | { readonly op: 'replace'; readonly id: string; readonly value: Json }
  | { readonly op: 'remove'; readonly id: string }

const words: ReadonlySet<unknown> = new Set(relations.map(({ word }) => word))

/** Asked of each item of a list in a related person. */
const each = (list: string, rules: readonly SnippetRule[]) => (snippet: Snippet) => {
  for (const [index, value] of items(objectOf(snippet)[list]).entries()) {
    const refused = firstRefusal(rules, { ...snippet, value, path: `${snippet.path}/${list}/${index}` })
    if (refused) return refused.outcome
  }
  return undefined
}

/** Rules of one related person (§11); names, addresses and telecoms have those of the patient's own. */
export const relatedRules: readonly SnippetRule[] = [
  isObject,
  {
    name: 'relationship is known',
    clause: '§11',
    explanation: 'Somebody is related in one of the ways of the list.',
    refusal(snippet) {
      const codings = items(objectOf(snippet)['relationship']).flatMap(({ coding }) => items(coding))
      const field = `${snippet.path}/relationship`
      return codings.some(({ code }) => words.has(code))
        ? undefined
        : outcomes.invalidField(codings[0]?.['code'] ?? '', field)
    },
  },
  periodIsSound,
  {
    name: 'name is sound',
    clause: '§11',
    explanation: 'A name breaks a rule of names.',
    refusal: each('name', nameRules),
  },
  {
    name: 'address is sound',
    clause: '§11',
    explanation: 'An address breaks a rule of addresses.',
    refusal: each('address', addressRules),
  },
  {
    name: 'Address lines are complete',
    clause: '§10.3',
    explanation: 'An address has line 1 or 2, and line 4.',
    refusal: (snippet) =>
      items(objectOf(snippet)['address']).every((value) => linesComplete({ ...snippet, value }))
        ? undefined
        : outcomes.invalidUpdate(linesMissing),
  },
  {
    name: 'telecom is sound',
    clause: '§11',
    explanation: 'A telecom breaks a rule of telecoms.',
    refusal: each('telecom', telecomRules),
  },
]

/**
 * The related people of a record after the changes, or a refusal: `PDS_INVALID_UPDATE` where nobody has an id that is named.
 */
export function changedRelated(
  current: readonly Json[],
  changes: readonly RelatedChange[],
  about: { readonly today: string; readonly newId: () => string },
): readonly Json[] {
  const { today, newId } = about
  let people: readonly Json[] = current
  for (const change of changes) {
    if (change.op === 'add') {
      people = [...people, sound({ id: newId(), ...change.value }, people.length, today)]
      continue
    }
    const place = people.findIndex(({ id }) => id === change.id)
    if (place === -1)
      throw refuse(
        outcomes.invalidUpdate(`no 'related' resources with object id '${change.id}'`),
        'The object id in the update is not one of the record: retrieve it again.',
      )
    people =
      change.op === 'remove'
        ? people.toSpliced(place, 1)
        : people.with(place, sound({ id: change.id, ...change.value }, place, today, people[place]))
  }
  return people
}

/** As it is kept: what may be left out is filled in. What stays as it was is not judged again. */
function sound(value: Json, place: number, today: string, earlier?: Json): Json {
  if (earlier !== undefined && sameJson(earlier, value)) return earlier
  const refused = firstRefusal(relatedRules, { value, path: `related/${place}`, today })
  if (refused) throw refuse(refused.outcome, refused.check.explanation, refused.check.name)
  const dated = (item: Json) => ({ ...item, period: item['period'] ?? { start: today } })
  const tidied: Record<string, unknown> = { ...dated(value) }
  for (const list of ['name', 'address', 'telecom'])
    if (Array.isArray(value[list]))
      tidied[list] = value[list].filter(isJson).map((item) => (list === 'name' ? tidyName(dated(item)) : dated(item)))
  return tidied
}
