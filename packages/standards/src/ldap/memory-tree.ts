import { type CompiledFilter, classKeys, evaluate } from './compile.ts'
import {
  type Attributes,
  alone,
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

  get(key: string): EncodedEntry | undefined {
    const place = this.#names.get(key)
    return place === undefined ? undefined : this.#chunks[Math.floor(place / chunkSize)]?.[place % chunkSize]
  }

  hasChildren(key: string): boolean {
    return this.#children.count(key) > 0
  }

  /** As `MemoryTree.having`, on the edition in the making. */
  having(attribute: string, value: string): readonly EncodedEntry[] {
    const places = indexed(this.#frame, attribute, value, (index, key) => this.#postings[index]?.get(key))
    return places.flatMap((place) => this.#chunks[Math.floor(place / chunkSize)]?.[place % chunkSize] ?? [])
  }

  /** Adds an entry at the end, or replaces the one of that name in its place. `order` counts for new ones alone. */
  put(dn: string, attributes: Attributes, order: number, provenance: Provenance): EncodedEntry {
    const { schema, memory } = this.#frame
    const name = nameKey(schema, dn)
    if (name === undefined) throw new Error('not a name')
    const old = this.get(name.key)
    const place = this.#names.get(name.key) ?? this.#places++
    if (old !== undefined) this.#unindex(old, place)
    const parentKey =
      name.parts.length > 1 ? memory.sharing.text(name.key.slice((name.parts[0] as string).length + 1)) : undefined
    const entry = new EncodedEntry(
      { dn: old?.dn ?? dn, key: old?.key ?? name.key, parentKey },
      old?.order ?? order,
      encodeEntry(schema, old?.dn ?? dn, attributes, { ...memory, slab: this.#written++ < bulk ? alone : memory.slab }),
      {
        ...provenance,
        creator: memory.sharing.text(provenance.creator),
        modifier: memory.sharing.text(provenance.modifier),
      },
    )
    this.#chunk(place)[place % chunkSize] = entry
    this.#names.set(entry.key, place)
    this.#index(entry, place)
    return entry
  }

  delete(key: string): boolean {
    const place = this.#names.get(key)
    const entry = this.get(key)
    if (place === undefined || entry === undefined) return false
    this.#unindex(entry, place)
    this.#names.delete(key)
    this.#chunk(place)[place % chunkSize] = undefined
    return true
  }

  #each(entry: EncodedEntry, visit: (postings: PostingsEdit, key: string) => void) {
    const { indexes, objectClass, schema } = this.#frame
    if (entry.parentKey !== undefined) visit(this.#children, entry.parentKey)
    for (const key of classKeys(schema, entry.values(objectClass))) visit(this.#classes, key)
    for (let i = 0; i < indexes.length; i++) {
      const { attribute, rule } = indexes[i] as Index
      const values = entry.values(attribute)
      if (values.length === 0) continue
      const postings = this.#postings[i] as PostingsEdit
      for (const value of values) {
        const key = rule.normalise(value)
        if (key !== undefined) visit(postings, key)
      }
    }
  }

  #index(entry: EncodedEntry, place: number) {
    this.#each(entry, (postings, key) => postings.add(key, place))
  }

  #unindex(entry: EncodedEntry, place: number) {
    this.#each(entry, (postings, key) => postings.remove(key, place))
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

/** Lists of places by key; a list is copied when it is first touched, then grown in place. */
class PostingsEdit {
  readonly #map: MapEdit<Postings>
  readonly #own = new Set<Postings>()

  constructor(map: MapEdit<Postings>) {
    this.#map = map
  }

  count(key: string): number {
    return this.#map.get(key)?.length ?? 0
  }

  get(key: string): Postings | undefined {
    return this.#map.get(key)
  }

  #list(key: string): number[] {
    const list = this.#map.get(key)
    if (list !== undefined && this.#own.has(list)) return list as number[]
    const copy = list === undefined ? [] : [...list]
    this.#own.add(copy)
    this.#map.set(key, copy)
    return copy
  }

  add(key: string, place: number) {
    const list = this.#list(key)
    const last = list.at(-1)
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
    if (list.length === 0) this.#map.delete(key)
  }

  done(): PersistentMap<Postings> {
    return this.#map.done()
  }
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
