import { classKeys } from './compile.ts'
import {
  type Attributes,
  alone,
  type EncodedContent,
  EncodedEntry,
  encodeEntry,
  nameKey,
  type Provenance,
  type Sharing,
  type Slab,
} from './entry.ts'
import type { MatchingRule } from './matching.ts'
import type { MemoryTree } from './memory-tree.ts'
import type { MapEdit, PersistentMap } from './persistent-map.ts'
import type { Postings } from './plan.ts'
import type { AttributeType, Schema } from './schema.ts'

/** Entries of one chunk: what a change copies of the list of entries. */
export const chunkSize = 512
const bulk = 64
export const none: Postings = []

interface Index {
  readonly attribute: AttributeType
  readonly rule: MatchingRule
}

type Content = EncodedContent['kept']

/** What never changes between the editions of one tree. */
export interface Frame {
  readonly schema: Schema
  readonly indexes: readonly Index[]
  /** Place in `indexes` by attribute id. */
  readonly indexOf: readonly (number | undefined)[]
  readonly objectClass: AttributeType
  readonly memory: { readonly slab: Slab; readonly sharing: Sharing }
}

/** A list of one is the place itself: most values of an index are those of one entry. */
export type HeldPostings = number | Postings

/** Places as they are held; undefined where none are. */
export function placesOf(held: HeldPostings | undefined): Postings | undefined {
  return typeof held === 'number' ? [held] : held
}

/** One edition: entries by place, names and indexes to places. */
export interface State {
  readonly chunks: readonly (readonly (EncodedEntry | undefined)[])[]
  /** Places given out, also those of deleted entries. */
  readonly places: number
  readonly names: PersistentMap<number>
  readonly children: PersistentMap<HeldPostings>
  readonly classes: PersistentMap<HeldPostings>
  readonly postings: readonly PersistentMap<HeldPostings>[]
}

/** Postings of a value of an indexed attribute. */
export function indexed(
  frame: Frame,
  attribute: string,
  value: string,
  postings: (index: number, key: string) => Postings | undefined,
): Postings {
  const place = frame.indexOf[frame.schema.attribute(attribute)?.id ?? -1]
  const index = place === undefined ? undefined : frame.indexes[place]
  if (place === undefined || index === undefined) throw new Error(`no index on ${attribute}`)
  const key = index.rule.normalise(value)
  return (key === undefined ? undefined : postings(place, key)) ?? none
}

/** The next edition in the making. Not for use after `done`. */
export class TreeEdit {
  readonly #frame: Frame
  readonly #chunks: (readonly (EncodedEntry | undefined)[])[]
  readonly #ownChunks = new Map<number, (EncodedEntry | undefined)[]>()
  #places: number
  /** Entries written in this edit: only many together are worth a shared block. */
  #written = 0
  readonly #names: MapEdit<number>
  readonly #children: PostingsEdit
  readonly #classes: PostingsEdit
  readonly #postings: readonly PostingsEdit[]

  readonly #make: (state: State) => MemoryTree

  constructor(frame: Frame, state: State, make: (state: State) => MemoryTree) {
    this.#frame = frame
    this.#make = make
    this.#chunks = [...state.chunks]
    this.#places = state.places
    this.#names = state.names.edit()
    this.#children = new PostingsEdit(state.children.edit())
    this.#classes = new PostingsEdit(state.classes.edit())
    this.#postings = state.postings.map((map) => new PostingsEdit(map.edit()))
  }

  #chunk(place: number): (EncodedEntry | undefined)[] {
    const number = Math.floor(place / chunkSize)
    let chunk = this.#ownChunks.get(number)
    if (chunk === undefined) {
      chunk = [...(this.#chunks[number] ?? [])]
      this.#ownChunks.set(number, chunk)
      this.#chunks[number] = chunk
    }
    return chunk
  }

  #entryAt(place: number): EncodedEntry | undefined {
    return this.#chunks[Math.floor(place / chunkSize)]?.[place % chunkSize]
  }

  get(key: string): EncodedEntry | undefined {
    const place = this.#names.get(key)
    return place === undefined ? undefined : this.#entryAt(place)
  }

  hasChildren(key: string): boolean {
    return this.#children.count(key) > 0
  }

  /** As `MemoryTree.having`, on the edition in the making. */
  having(attribute: string, value: string): readonly EncodedEntry[] {
    const places = indexed(this.#frame, attribute, value, (index, key) => this.#postings[index]?.get(key))
    return places.flatMap((place) => this.#entryAt(place) ?? [])
  }

  /**
   * Adds an entry at the end, or replaces the one of that name in its place. `order` counts for new ones alone.
   * `key`: the normalised name, where the caller has it already.
   */
  put(dn: string, attributes: Attributes, order: number, provenance: Provenance, key?: string): EncodedEntry {
    const { schema, memory } = this.#frame
    const name = key ?? nameKey(schema, dn)?.key
    if (name === undefined) throw new Error('not a name')
    const known = this.#names.get(name)
    const old = known === undefined ? undefined : this.#entryAt(known)
    const place = known ?? this.#places++
    const parent = parentOf(name)
    const parentKey = parent === undefined ? undefined : memory.sharing.text(parent)
    const slab = this.#written++ < bulk ? alone : memory.slab
    const content = encodeEntry(schema, old?.dn ?? dn, attributes, { slab, sharing: memory.sharing }, provenance)
    const entry = new EncodedEntry(
      { key: old?.key ?? name, parentKey },
      old?.order ?? order,
      content,
      memory.sharing.actors(provenance),
    )
    this.#chunk(place)[place % chunkSize] = entry
    if (old === undefined) {
      this.#names.set(entry.key, place)
      this.#each(entry.parentKey, content.kept, (postings, value) => postings.add(value, place))
    } else this.#reindex(old, entry, content.kept, place)
    return entry
  }

  delete(key: string): boolean {
    const place = this.#names.get(key)
    const entry = place === undefined ? undefined : this.#entryAt(place)
    if (place === undefined || entry === undefined) return false
    const { schema } = this.#frame
    this.#each(entry.parentKey, entry.content(schema), (postings, value) => postings.remove(value, place))
    this.#names.delete(key)
    this.#chunk(place)[place % chunkSize] = undefined
    return true
  }

  /** Visits every posting list that an entry with this content belongs to. */
  #each(parentKey: string | undefined, content: Content, visit: (postings: PostingsEdit, key: string) => void) {
    const { indexes, indexOf, objectClass, schema, memory } = this.#frame
    if (parentKey !== undefined) visit(this.#children, parentKey)
    for (const { type, values } of content) {
      if (type === objectClass) {
        for (const key of memory.sharing.classKeys(values, () => classKeys(schema, values))) visit(this.#classes, key)
        continue
      }
      const place = indexOf[type.id]
      if (place === undefined) continue
      const { rule } = indexes[place] as Index
      const postings = this.#postings[place] as PostingsEdit
      for (const value of values) {
        const key = rule.normalise(value)
        if (key !== undefined) visit(postings, key)
      }
    }
  }

  /** Touches only the lists that the entry leaves or joins: the long ones, of its class and parent, stay shared. */
  #reindex(old: EncodedEntry, entry: EncodedEntry, content: Content, place: number) {
    const before = new Map<PostingsEdit, Set<string>>()
    this.#each(old.parentKey, old.content(this.#frame.schema), (postings, key) => {
      const keys = before.get(postings)
      if (keys === undefined) before.set(postings, new Set([key]))
      else keys.add(key)
    })
    this.#each(entry.parentKey, content, (postings, key) => {
      if (before.get(postings)?.delete(key) !== true) postings.add(key, place)
    })
    for (const [postings, keys] of before) for (const key of keys) postings.remove(key, place)
  }

  done(): MemoryTree {
    return this.#make({
      chunks: this.#chunks,
      places: this.#places,
      names: this.#names.done(),
      children: this.#children.done(),
      classes: this.#classes.done(),
      postings: this.#postings.map((edit) => edit.done()),
    })
  }
}

/** A list of so many places loses them together, not each by moving all that follow. */
const long = 1024

/** Lists of places by key; a longer list is copied when it is first touched, then grown in place until `done`. */
class PostingsEdit {
  readonly #map: MapEdit<HeldPostings>
  readonly #own = new Map<string, number[]>()
  /** Places that a long list still holds and has lost. */
  readonly #lost = new Map<string, Set<number>>()

  constructor(map: MapEdit<HeldPostings>) {
    this.#map = map
  }

  count(key: string): number {
    this.#settle(key)
    const held = this.#map.get(key)
    return held === undefined ? 0 : typeof held === 'number' ? 1 : held.length
  }

  get(key: string): Postings | undefined {
    this.#settle(key)
    return placesOf(this.#map.get(key))
  }

  #hold(key: string, list: number[]): number[] {
    this.#own.set(key, list)
    this.#map.set(key, list)
    return list
  }

  /** A list that may be changed. */
  #list(key: string, held: HeldPostings): number[] {
    return this.#own.get(key) ?? this.#hold(key, typeof held === 'number' ? [held] : held.slice())
  }

  #settle(key: string): void {
    const lost = this.#lost.get(key)
    const list = this.#own.get(key)
    if (lost === undefined || list === undefined) return
    this.#lost.delete(key)
    this.#hold(
      key,
      list.filter((place) => !lost.has(place)),
    )
  }

  add(key: string, place: number) {
    if (this.#lost.get(key)?.delete(place) === true) return
    const held = this.#map.get(key)
    if (held === undefined) {
      this.#map.set(key, place)
      return
    }
    if (held === place) return
    const list = this.#list(key, held)
    const last = list[list.length - 1]
    if (last === undefined || last < place) list.push(place)
    else {
      const at = firstNotBelow(list, place)
      if (list[at] !== place) list.splice(at, 0, place)
    }
  }

  remove(key: string, place: number) {
    const held = this.#map.get(key)
    if (held === undefined || typeof held === 'number') {
      if (held === place) this.#map.delete(key)
      return
    }
    const list = this.#list(key, held)
    const at = firstNotBelow(list, place)
    if (list[at] !== place) return
    if (list.length < long) list.splice(at, 1)
    else {
      const lost = this.#lost.get(key)
      if (lost === undefined) this.#lost.set(key, new Set([place]))
      else lost.add(place)
    }
  }

  done(): PersistentMap<HeldPostings> {
    for (const key of [...this.#lost.keys()]) this.#settle(key)
    for (const [key, list] of this.#own) {
      if (list.length === 0) this.#map.delete(key)
      // Without the room that a growing list keeps.
      else this.#map.set(key, list.length === 1 ? (list[0] as number) : list.slice())
    }
    return this.#map.done()
  }
}

/** The normalised name above, cut at the first comma that separates; undefined above a single part. */
function parentOf(key: string): string | undefined {
  for (let at = key.indexOf(','); at >= 0; at = key.indexOf(',', at + 1)) {
    let slashes = 0
    while (key[at - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return key.slice(at + 1)
  }
  return undefined
}

function firstNotBelow(list: Postings, place: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle] as number) < place) low = middle + 1
    else high = middle
  }
  return low
}
