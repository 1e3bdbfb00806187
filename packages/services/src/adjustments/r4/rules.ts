import { items, type Json } from '@openspine/standards/fhir/untrusted'
import { extensions } from '../codes.ts'
import { type Item, type Kind, next, ofRecord, type Removal } from '../item.ts'
import { refuse } from '../outcomes.ts'
import { activeOf, type Making } from '../rules.ts'
import type { Decision } from '../store.ts'
import { emptyList } from '../stu3/render.ts'
import { type FlagDraft, noted } from './resources.ts'

const listOf = { impairment: 'impairments', condition: 'conditions' } as const
const titles = { impairments: 'Reasonable Adjustment List', conditions: 'Underlying Condition List' } as const

const make = ({ nhsNumber, by, newId }: Making, kind: Kind, document: Json): Item => ({
  nhsNumber,
  id: newId(),
  kind,
  version: 1,
  active: true,
  document,
  created: by,
})

/** Notes of both, the older first. */
function withNotes(item: Item, notes: string): Json {
  const own = items(item.document['extension'])
  const before = own.find(({ url }) => url === extensions.adjustmentNotes)?.['valueString']
  const rest = own.filter(({ url }) => url !== extensions.adjustmentNotes)
  const all = typeof before === 'string' ? `${before}\n${notes}` : notes
  return { ...item.document, extension: [...rest, ...noted(all)] }
}

/**
 * Adds flags and what supports them, all or nothing. A flag at the top that is there already is merged into; what
 * supports it needs it to be there, before or in the same request. Answers the item of each draft, in their order.
 */
export function addFlags(making: Making, drafts: readonly FlagDraft[]) {
  return (items: readonly Item[]): Decision<readonly Item[]> => {
    const writes = new Map<string, Item>()
    const keep = (item: Item): Item => {
      writes.set(item.id, item)
      return item
    }
    const current = (kind: Kind): Item | undefined =>
      [...writes.values()].find((item) => item.active && item.kind === kind) ?? activeOf(items, kind)
    /** At most one version more in one request. */
    const again = (item: Item, document: Json): Item =>
      keep(writes.has(item.id) ? { ...item, document } : next(item, making.by, { document }))

    function top({ kind, document, notes }: FlagDraft): Item {
      const before = current(kind)
      if (before === undefined) return keep(make(making, kind, document))
      return notes === undefined ? before : again(before, withNotes(before, notes))
    }

    function supporting({ kind, document }: FlagDraft): Item {
      if (current('record') === undefined)
        throw refuse('noConsent', 'The patient has no Reasonable Adjustments flag', 'Flag at the top')
      if (kind !== 'impairment' && kind !== 'condition') return keep(make(making, kind, document))
      const list = listOf[kind]
      const before = current(list)
      if (before === undefined) keep(make(making, list, emptyList(making.nhsNumber, making.by.at, titles[list])))
      else again(before, before.document)
      const member = make(making, kind, document)
      return keep({ ...member, member: { localId: member.id } })
    }

    const isTop = ({ kind }: FlagDraft) => kind === 'record' || kind === 'fgm' || kind === 'child-protection'
    const results = new Map<FlagDraft, Item>()
    for (const draft of drafts.filter(isTop)) results.set(draft, top(draft))
    for (const draft of drafts.filter((each) => !isTop(each))) results.set(draft, supporting(draft))
    const result = drafts.map((draft) => {
      const item = results.get(draft) as Item
      return writes.get(item.id) ?? item
    })
    return { writes: [...writes.values()], result }
  }
}

/** Removes one thing that supports a flag. */
export function removeSupporting(making: Making, kinds: readonly Kind[], id: string, removal: Removal | undefined) {
  return (items: readonly Item[]): Decision<Item> => {
    const item = items.find((each) => each.id === id && kinds.includes(each.kind) && each.active)
    if (item === undefined) throw refuse('noRecord', 'There is no such resource', 'Resource is there')
    const gone = next(item, making.by, { active: false, ...(removal && { removal }) })
    const list =
      item.kind === 'impairment' || item.kind === 'condition' ? activeOf(items, listOf[item.kind]) : undefined
    return { writes: [gone, ...(list ? [next(list, making.by, {})] : [])], result: gone }
  }
}

/** Removes flags at the top with all that supports them. */
export function removeFlags(making: Making, kinds: readonly Kind[], removal: Removal) {
  return (items: readonly Item[]): Decision<number> => {
    const writes = items
      .filter(
        (item) => item.active && (kinds.includes(item.kind) || (kinds.includes('record') && ofRecord.has(item.kind))),
      )
      .map((item) => next(item, making.by, { active: false, removal }))
    if (writes.length === 0) throw refuse('noConsent', 'The patient has no such flag', 'Flag is there')
    return { writes, result: writes.length }
  }
}
