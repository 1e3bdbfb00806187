import type { Json } from '@openspine/standards/fhir/untrusted'
import { type Author, type Item, type Kind, next, ofRecord, type Removal, wireId } from './item.ts'
import { refuse } from './outcomes.ts'
import type { Decision } from './store.ts'

/** What a change is made with. */
export interface Making {
  readonly nhsNumber: string
  readonly by: Author
  newId(): string
}

/** What became of a request: the item, and the members of a list that the request was about. */
export interface Made {
  readonly created: boolean
  readonly item: Item
  readonly members: readonly Item[]
}

export type ListKind = 'impairments' | 'conditions'
const memberKind = { impairments: 'impairment', conditions: 'condition' } as const satisfies Record<ListKind, Kind>

/** A member of a list, as a request has it. */
export interface MemberDraft {
  readonly localId: string
  readonly document: Json
  readonly provenance?: Json
  readonly date?: string
  readonly removal?: Removal
  readonly removed: boolean
}

const make = ({ nhsNumber, by, newId }: Making, kind: Kind, document: Json): Item => ({
  nhsNumber,
  id: newId(),
  kind,
  version: 1,
  active: true,
  document,
  created: by,
})

export const activeOf = (items: readonly Item[], kind: Kind): Item | undefined =>
  items.find((item) => item.active && item.kind === kind)

const made = (item: Item, members: readonly Item[] = []): Made => ({ created: item.version === 1, item, members })

/** Consent comes first: nothing is recorded without one, and there is never a second. */
export function addRecord(making: Making, document: Json) {
  return (items: readonly Item[]): Decision<Made> => {
    if (activeOf(items, 'record') !== undefined)
      throw refuse('duplicate', 'The patient already has an active consent', 'One active consent')
    const item = make(making, 'record', document)
    return { writes: [item], result: made(item) }
  }
}

function mustHaveRecord(items: readonly Item[]): void {
  if (activeOf(items, 'record') === undefined)
    throw refuse('noConsent', 'The patient has no active consent to record Reasonable Adjustments', 'Consent')
}

export function addAdjustment(making: Making, document: Json) {
  return (items: readonly Item[]): Decision<Made> => {
    mustHaveRecord(items)
    const item = make(making, 'adjustment', document)
    return { writes: [item], result: made(item) }
  }
}

/** Adds members to the list of that kind; makes the list where there is none that is active. */
export function addMembers(making: Making, kind: ListKind, list: Json, drafts: readonly MemberDraft[]) {
  return (items: readonly Item[]): Decision<Made> => {
    mustHaveRecord(items)
    const before = activeOf(items, kind)
    const item = before === undefined ? make(making, kind, list) : next(before, making.by, {})
    const members = membersAfter(making, items, kind, drafts)
    return { writes: [item, ...members], result: made(item, members) }
  }
}

function membersAfter(making: Making, items: readonly Item[], kind: ListKind, drafts: readonly MemberDraft[]): Item[] {
  return drafts.map(({ localId, document, provenance, date, removal, removed }) => {
    const member = { localId, ...(provenance && { provenance }), ...(date === undefined ? {} : { date }) }
    const before = items.find(
      (item) => item.active && item.kind === memberKind[kind] && item.member?.localId === localId,
    )
    if (before === undefined) {
      if (removed) throw refuse('noRecord', `The list has no active entry ${localId}`, 'Entry is there')
      return { ...make(making, memberKind[kind], document), member }
    }
    return next(before, making.by, { document, member, active: !removed, ...(removal && { removal }) })
  })
}

/** The item that a request names, in the version that it names. */
function found(items: readonly Item[], kind: Kind, id: string, version: number | undefined): Item {
  const item = items.find((each) => each.kind === kind && each.id === id)
  if (item === undefined) throw refuse('noRecord', 'There is no such resource of this patient', 'Resource is there')
  if (version !== undefined && item.version !== version)
    throw refuse(
      'conflict',
      `If-Match names version ${version}, and the resource is of version ${item.version}`,
      'If-Match',
    )
  if (!item.active)
    throw refuse('state', 'The resource is inactive: it was removed, and is not taken up again', 'Resource is active')
  return item
}

export interface Put {
  readonly kind: Kind
  readonly id: string
  /** Undefined: whichever it is. */
  readonly version: number | undefined
  readonly document: Json
  readonly active: boolean
  readonly removal?: Removal
  /** Of a list: what changes of its members. Those that are not mentioned stay as they are. */
  readonly drafts?: readonly MemberDraft[]
}

/** A change of what is there. Whoever takes the consent away takes the whole record away; a list goes with its members. */
export function put(making: Making, { kind, id, version, document, active, removal, drafts = [] }: Put) {
  return (items: readonly Item[]): Decision<Made> => {
    const before = found(items, kind, id, version)
    const item = next(before, making.by, { document, active, ...(removal && { removal }) })
    if (kind === 'record' && !active) {
      const others = items.filter((each) => each.id !== id && each.active && ofRecord.has(each.kind))
      return { writes: [item, ...removedAll(others, making.by, removal)], result: made(item) }
    }
    if (kind !== 'impairments' && kind !== 'conditions') return { writes: [item], result: made(item) }
    if (!active) {
      const members = items.filter((each) => each.active && each.kind === memberKind[kind])
      const gone = removedAll(members, making.by, removal)
      // Of a number that was merged there may be another list, whose members were shown in this one.
      const lists = items.filter((each) => each.id !== id && each.active && each.kind === kind)
      return { writes: [item, ...gone, ...removedAll(lists, making.by, removal)], result: made(item, gone) }
    }
    const members = membersAfter(making, items, kind, drafts)
    return { writes: [item, ...members], result: made(item, members) }
  }
}

function removedAll(items: readonly Item[], by: Author, removal: Removal | undefined): Item[] {
  return items.map((item) => next(item, by, { active: false, ...(removal && { removal }) }))
}

/** `$removerarecord`: everything of the record, in one go. `version` is that of the consent. */
export function removeRecord({ by }: Making, version: number | undefined, removal: Removal) {
  return (items: readonly Item[]): Decision<number> => {
    const record = activeOf(items, 'record')
    if (record === undefined)
      throw refuse('noRecord', 'The patient has no Reasonable Adjustments record', 'Record is there')
    found(items, 'record', record.id, version)
    const writes = removedAll(
      items.filter((item) => item.active && ofRecord.has(item.kind)),
      by,
      removal,
    )
    return { writes, result: writes.length }
  }
}

/** Where what is kept stands on the wire. */
export const locationOf = (type: string, item: Item): string => `${type}/${wireId(item)}/_history/${item.version}`
