import { type CompiledFilter, evaluate } from './compile.ts'
import { EncodedEntry, generalizedTime, Sharing, Slab } from './entry.ts'
import { PersistentMap } from './persistent-map.ts'
import { type Postings, plan } from './plan.ts'
import type { AttributeType, ObjectClass, Schema } from './schema.ts'
import type { Cursor, Tree, TreeEntry, TreeQuery } from './tree.ts'
import { chunkSize, type Frame, indexed, none, placesOf, type State, TreeEdit } from './tree-edit.ts'

export interface MemoryTreeOptions {
  readonly schema: Schema
  /** Attributes with an equality index; `objectClass` and parents always have one. */
  readonly indexed: readonly string[]
}

/** A subtree larger than this is not collected before the search: all entries are looked at, in slices. */
const mostBelow = 10_000

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

  /** Not for callers outside: a place means something in this edition alone. */
  at(place: number): EncodedEntry | undefined {
    return this.#state.chunks[Math.floor(place / chunkSize)]?.[place % chunkSize]
  }

  get(key: string): EncodedEntry | undefined {
    const place = this.#state.names.get(key)
    return place === undefined ? undefined : this.at(place)
  }

  /** Entries that hold the value under the attribute's equality rule, in order; for callers beside LDAP. */
  having(attribute: string, value: string): readonly EncodedEntry[] {
    const places = indexed(this.#frame, attribute, value, (index, key) =>
      placesOf(this.#state.postings[index]?.get(key)),
    )
    return places.flatMap((place) => this.at(place) ?? [])
  }

  /** Whether any entry holds the value. */
  holds(attribute: string, value: string): boolean {
    return (
      indexed(this.#frame, attribute, value, (index, key) => placesOf(this.#state.postings[index]?.get(key))).length > 0
    )
  }

  #childrenOf(key: string): Postings {
    return placesOf(this.#state.children.get(key)) ?? none
  }

  hasChildren(key: string): boolean {
    return this.#childrenOf(key).length > 0
  }

  /** The entry of this key and everything beneath it, parents first; costs what it gives. */
  *under(key: string): IterableIterator<EncodedEntry> {
    const open = [this.get(key)]
    for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
      yield entry
      for (const place of this.#childrenOf(entry.key).toReversed()) open.push(this.at(place))
    }
  }

  *entries(): IterableIterator<EncodedEntry> {
    for (const chunk of this.#state.chunks) for (const entry of chunk) if (entry !== undefined) yield entry
  }

  /** Postings of one equality item; undefined when no index answers it exactly. */
  #postings(filter: CompiledFilter & { kind: 'equal' }): Postings | undefined {
    if (!filter.indexable) return undefined
    const [type] = filter.types
    if (type === undefined || filter.types.length !== 1) return undefined
    if (type === this.#frame.objectClass) return placesOf(this.#state.classes.get(filter.key)) ?? none
    const index = this.#frame.indexOf[type.id]
    return index === undefined ? undefined : (placesOf(this.#state.postings[index]?.get(filter.key)) ?? none)
  }

  search(query: TreeQuery): Cursor {
    const { base, scope, filter } = query
    if (scope === 0) return this.#cursor(query, [this.#state.names.get(base.key) ?? -1], false)
    const planned = plan(filter, (item) => this.#postings(item))
    const limit = Math.min(planned?.places.length ?? this.#state.places, mostBelow)
    const below = this.#below(base.key, scope, limit)
    if (below !== undefined) return this.#cursor(query, below, false)
    return this.#cursor(query, planned?.places, planned?.exact ?? false)
  }

  /** Places in scope, in order, when there are fewer than `limit`; undefined otherwise. */
  #below(key: string, scope: number, limit: number): Postings | undefined {
    const { names } = this.#state
    const direct = this.#childrenOf(key)
    if (direct.length >= limit) return undefined
    if (scope === 1) return direct
    const found: number[] = []
    const own = names.get(key)
    if (scope === 2 && own !== undefined) found.push(own)
    const open = [...direct]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      found.push(place)
      if (found.length + open.length >= limit) return undefined
      const entry = this.at(place)
      if (entry !== undefined) for (const each of this.#childrenOf(entry.key)) open.push(each)
    }
    return found.sort((a, b) => a - b)
  }

  /** Whether an entry stands where the query looks. */
  inScope(entry: EncodedEntry, query: TreeQuery): boolean {
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
    const from = after > 0 ? this.#firstAfter(places, end, after) : 0
    if (exact && places !== undefined) return new ExactCursor(this, query, places, from)
    const view = {
      get dn() {
        return view.entry?.dn ?? ''
      },
      entry: undefined as EncodedEntry | undefined,
      values: (attribute: AttributeType) =>
        view.entry === undefined
          ? []
          : attribute.usage === 'userApplications'
            ? view.entry.values(attribute)
            : this.operational(view.entry, attribute),
    }
    let at = from
    const cursor = {
      examined: 0,
      next: (budget: number) => {
        for (let left = budget; at < end; left--) {
          if (left <= 0) return null
          cursor.examined++
          const entry = this.at(places === undefined ? at : (places[at] as number))
          at++
          if (entry === undefined || (query.scope !== 0 && !this.inScope(entry, query))) continue
          view.entry = entry
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
        entry = this.at(places === undefined ? probe : (places[probe] as number))
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
        return [String(this.#childrenOf(entry.key).length)]
      default:
        return []
    }
  }

  edit(): TreeEdit {
    return new TreeEdit(this.#frame, this.#state, (state) => new MemoryTree(this.#frame, state))
  }
}

/** The entries of a plan that needs no further look but at their place in the tree: what nearly every search is. */
class ExactCursor implements Cursor {
  examined = 0
  readonly #tree: MemoryTree
  readonly #query: TreeQuery
  readonly #places: Postings
  #at: number

  constructor(tree: MemoryTree, query: TreeQuery, places: Postings, from: number) {
    this.#tree = tree
    this.#query = query
    this.#places = places
    this.#at = from
  }

  next(budget: number): EncodedEntry | null | undefined {
    for (let left = budget; this.#at < this.#places.length; left--) {
      if (left <= 0) return null
      this.examined++
      const entry = this.#tree.at(this.#places[this.#at++] as number)
      if (entry !== undefined && (this.#query.scope === 0 || this.#tree.inScope(entry, this.#query))) return entry
    }
    return undefined
  }
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
