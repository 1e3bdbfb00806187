import { type CompiledFilter, classKeys, evaluate } from './compile.ts'
import {
  type Attributes,
  alone,
  type EncodedContent,
  EncodedEntry,
  encodeEntry,
  generalizedTime,
  nameKey,
  type Provenance,
  Sharing,
  Slab,
} from './entry.ts'
import type { MatchingRule } from './matching.ts'
import { type MapEdit, PersistentMap } from './persistent-map.ts'
import { type Postings, plan } from './plan.ts'
import type { AttributeType, ObjectClass, Schema } from './schema.ts'
import type { Cursor, Tree, TreeEntry, TreeQuery } from './tree.ts'

export interface MemoryTreeOptions {
  readonly schema: Schema
  /** Attributes with an equality index; `objectClass` and parents always have one. */
  readonly indexed: readonly string[]
}

interface Index {
  readonly attribute: AttributeType
  readonly rule: MatchingRule
}

const chunkSize = 512
const bulk = 64
const none: Postings = []

type Content = EncodedContent['kept']

/** What never changes between the editions of one tree. */
interface Frame {
  readonly schema: Schema
  readonly indexes: readonly Index[]
  /** Place in `indexes` by attribute id. */
  readonly indexOf: readonly (number | undefined)[]
  readonly objectClass: AttributeType
  readonly memory: { readonly slab: Slab; readonly sharing: Sharing }
}

/** One edition: entries by place, names and indexes to places. */
interface State {
  readonly chunks: readonly (readonly (EncodedEntry | undefined)[])[]
  /** Places given out, also those of deleted entries. */
  readonly places: number
  readonly names: PersistentMap<number>
  readonly children: PersistentMap<Postings>
  readonly classes: PersistentMap<Postings>
  readonly postings: readonly PersistentMap<Postings>[]
}

/**
 * A directory tree in memory: every edition immutable, so that a long search and a paged one see one state.
 * `edit` makes the next edition at the cost of what it touches.
 */
export class MemoryTree implements Tree {
  readonly #frame: Frame
  readonly #state: State

  constructor(frame: Frame, state: State) {
    this.#frame = frame
    this.#state = state
  }

  get size(): number {
    return this.#state.names.size
  }

  get schema(): Schema {
    return this.#frame.schema
  }

  #at(place: number): EncodedEntry | undefined {
    return this.#state.chunks[Math.floor(place / chunkSize)]?.[place % chunkSize]
  }

  get(key: string): EncodedEntry | undefined {
    const place = this.#state.names.get(key)
    return place === undefined ? undefined : this.#at(place)
  }

  /** Entries that hold the value under the attribute's equality rule, in order; for callers beside LDAP. */
  having(attribute: string, value: string): readonly EncodedEntry[] {
    const places = indexed(this.#frame, attribute, value, (index, key) => this.#state.postings[index]?.get(key))
    return places.flatMap((place) => this.#at(place) ?? [])
  }

  /** Whether any entry holds the value. */
  holds(attribute: string, value: string): boolean {
    return indexed(this.#frame, attribute, value, (index, key) => this.#state.postings[index]?.get(key)).length > 0
  }

  hasChildren(key: string): boolean {
    return (this.#state.children.get(key)?.length ?? 0) > 0
  }

  *entries(): IterableIterator<EncodedEntry> {
    for (const chunk of this.#state.chunks) for (const entry of chunk) if (entry !== undefined) yield entry
  }

  /** Postings of one equality item; undefined when no index answers it exactly. */
  #postings(filter: CompiledFilter & { kind: 'equal' }): Postings | undefined {
    if (!filter.indexable) return undefined
    const [type] = filter.types
    if (type === undefined || filter.types.length !== 1) return undefined
    if (type === this.#frame.objectClass) return this.#state.classes.get(filter.key) ?? none
    const index = this.#frame.indexOf[type.id]
    return index === undefined ? undefined : (this.#state.postings[index]?.get(filter.key) ?? none)
  }

  search(query: TreeQuery): Cursor {
    const { base, scope, filter } = query
    if (scope === 0) return this.#cursor(query, [this.#state.names.get(base.key) ?? -1], false)
    const planned = plan(filter, (item) => this.#postings(item))
    const limit = planned?.places.length ?? this.#state.places
    const below = this.#below(base.key, scope, limit)
    if (below !== undefined) return this.#cursor(query, below, false)
    return this.#cursor(query, planned?.places, planned?.exact ?? false)
  }

  /** Places in scope, in order, when there are fewer than `limit`; undefined otherwise. */
  #below(key: string, scope: number, limit: number): Postings | undefined {
    const { children, names } = this.#state
    const direct = children.get(key) ?? none
    if (direct.length >= limit) return undefined
    if (scope === 1) return direct
    const found: number[] = []
    const own = names.get(key)
    if (scope === 2 && own !== undefined) found.push(own)
    const open = [...direct]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      found.push(place)
      if (found.length + open.length >= limit) return undefined
      const entry = this.#at(place)
      const more = entry === undefined ? undefined : children.get(entry.key)
      if (more !== undefined) for (const each of more) open.push(each)
    }
    return found.sort((a, b) => a - b)
  }

  #inScope(entry: EncodedEntry, query: TreeQuery): boolean {
    if (query.scope === 1) return entry.parentKey === query.base.key
    if (query.scope !== 3 && entry.key === query.base.key) return true
    for (let key = entry.parentKey; key !== undefined; key = this.get(key)?.parentKey) {
      if (key === query.base.key) return true
    }
    return false
  }

  /** `places` undefined: all of them. `exact`: the filter needs no further look. */
  #cursor(query: TreeQuery, places: Postings | undefined, exact: boolean): Cursor {
    const { filter, after } = query
    const { schema } = this.#frame
    const end = places?.length ?? this.#state.places
    const view = {
      dn: '',
      entry: undefined as EncodedEntry | undefined,
      values: (attribute: AttributeType) =>
        view.entry === undefined
          ? []
          : attribute.usage === 'userApplications'
            ? view.entry.values(attribute)
            : this.operational(view.entry, attribute),
    }
    let at = after > 0 ? this.#firstAfter(places, end, after) : 0
    const cursor = {
      examined: 0,
      next: (budget: number) => {
        for (let left = budget; at < end; left--) {
          if (left <= 0) return null
          cursor.examined++
          const entry = this.#at(places === undefined ? at : (places[at] as number))
          at++
          if (entry === undefined || (query.scope !== 0 && !this.#inScope(entry, query))) continue
          if (exact) return entry
          view.entry = entry
          view.dn = entry.dn
          if (evaluate(filter, view, schema) === 'true') return entry
        }
        return undefined
      },
    }
    return cursor
  }

  /** Orders grow with places: halve until the first place whose entry comes after. */
  #firstAfter(places: Postings | undefined, end: number, after: number): number {
    let low = 0
    let high = end
    while (low < high) {
      const middle = (low + high) >> 1
      let probe = middle
      let entry: EncodedEntry | undefined
      while (probe < high) {
        entry = this.#at(places === undefined ? probe : (places[probe] as number))
        if (entry !== undefined) break
        probe++
      }
      if (entry === undefined) high = middle
      else if (entry.order > after) high = middle
      else low = probe + 1
    }
    return low
  }

  operational(entry: TreeEntry, attribute: AttributeType): readonly string[] {
    if (!(entry instanceof EncodedEntry)) return []
    const { provenance } = entry
    switch (attribute.name) {
      case 'structuralObjectClass': {
        // Live change log entries name two structural classes: then it is the last.
        const { schema, objectClass } = this.#frame
        const names = entry.values(objectClass)
        const named =
          structuralClass(schema, names)?.name ??
          names.findLast((each) => schema.objectClass(each)?.kind === 'STRUCTURAL')
        return named === undefined ? [] : [named]
      }
      case 'entryUUID':
        return [provenance.uuid]
      case 'entryDN':
        return [entry.dn]
      case 'subschemaSubentry':
        return ['cn=Subschema']
      case 'createTimestamp':
        return [generalizedTime(provenance.createdAt)]
      case 'modifyTimestamp':
        return [generalizedTime(provenance.modifiedAt)]
      case 'creatorsName':
        return [provenance.creator]
      case 'modifiersName':
        return [provenance.modifier]
      case 'hasSubordinates':
        return [this.hasChildren(entry.key) ? 'TRUE' : 'FALSE']
      case 'numSubordinates':
        return [String(this.#state.children.get(entry.key)?.length ?? 0)]
      default:
        return []
    }
  }

  edit(): TreeEdit {
    return new TreeEdit(this.#frame, this.#state)
  }
}

/** Postings of a value of an indexed attribute. */
function indexed(
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

/** The most specific structural class among the values. */
export function structuralClass(schema: Schema, values: readonly string[]): ObjectClass | undefined {
  const structural = values.flatMap((value) => {
    const objectClass = schema.objectClass(value)
    return objectClass?.kind === 'STRUCTURAL' ? [objectClass] : []
  })
  return structural.find((one) => structural.every((other) => schema.lineage(one).includes(other)))
}

/** An empty tree over a schema. */
export function memoryTree(options: MemoryTreeOptions): MemoryTree {
  const { schema } = options
  const objectClass = schema.attribute('objectClass')
  if (objectClass === undefined) throw new Error('a schema needs objectClass')
  const indexOf: (number | undefined)[] = []
  const indexes = options.indexed.map((name, place) => {
    const attribute = schema.attribute(name)
    const rule = attribute === undefined ? undefined : schema.equality(attribute, 'caseIgnoreMatch')
    if (attribute === undefined || rule === undefined) throw new Error(`cannot index ${name}`)
    indexOf[attribute.id] = place
    return { attribute, rule }
  })
  return new MemoryTree(
    { schema, indexes, indexOf, objectClass, memory: { slab: new Slab(), sharing: new Sharing() } },
    {
      chunks: [],
      places: 0,
      names: new PersistentMap(),
      children: new PersistentMap(),
      classes: new PersistentMap(),
      postings: indexes.map(() => new PersistentMap()),
    },
  )
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

  constructor(frame: Frame, state: State) {
    this.#frame = frame
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
    const content = encodeEntry(schema, old?.dn ?? dn, attributes, {
      ...memory,
      slab: this.#written++ < bulk ? alone : memory.slab,
    })
    const entry = new EncodedEntry(
      { dn: old?.dn ?? dn, key: old?.key ?? name, parentKey },
      old?.order ?? order,
      content,
      {
        ...provenance,
        creator: memory.sharing.text(provenance.creator),
        modifier: memory.sharing.text(provenance.modifier),
      },
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
    return new MemoryTree(this.#frame, {
      chunks: this.#chunks,
      places: this.#places,
      names: this.#names.done(),
      children: this.#children.done(),
      classes: this.#classes.done(),
      postings: this.#postings.map((edit) => edit.done()),
    })
  }
}

/** Lists of places by key; a list is copied when it is first touched, then grown in place until `done`. */
class PostingsEdit {
  readonly #map: MapEdit<Postings>
  readonly #own = new Map<string, number[]>()

  constructor(map: MapEdit<Postings>) {
    this.#map = map
  }

  count(key: string): number {
    return this.get(key)?.length ?? 0
  }

  get(key: string): Postings | undefined {
    return this.#own.get(key) ?? this.#map.get(key)
  }

  #list(key: string): number[] {
    let list = this.#own.get(key)
    if (list === undefined) {
      list = this.#map.get(key)?.slice() ?? []
      this.#own.set(key, list)
    }
    return list
  }

  add(key: string, place: number) {
    const list = this.#list(key)
    const last = list[list.length - 1]
    if (last === undefined || last < place) list.push(place)
    else {
      const at = firstNotBelow(list, place)
      if (list[at] !== place) list.splice(at, 0, place)
    }
  }

  remove(key: string, place: number) {
    const list = this.#list(key)
    const at = firstNotBelow(list, place)
    if (list[at] === place) list.splice(at, 1)
  }

  done(): PersistentMap<Postings> {
    for (const [key, list] of this.#own) {
      if (list.length > 0) this.#map.set(key, list)
      else this.#map.delete(key)
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
