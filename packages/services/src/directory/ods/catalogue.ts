import type { Clock } from '@openspine/platform/clock'
import { type MemoryTree, nameKey, type Schema } from '@openspine/standards/ldap'
import { GramIndex, Postings, type Slots } from './grams.ts'
import { isActive, isOrganisationKey, type OrganisationReader, type OrganisationRecord } from './organisation.ts'

/** A state of the directory, as much of it as the catalogue reads. */
export interface CatalogueState {
  readonly tree: Pick<MemoryTree, 'get' | 'entries'>
  readonly version: number
}

/** How a text is looked for; without regard to case but for `exact`. */
export interface TextTerm {
  readonly text: string
  readonly match: 'starts' | 'contains' | 'exact'
}

/** One role of several, held in that way. */
export interface RoleTerm {
  readonly anyOf: readonly string[]
  readonly held: 'any' | 'primary' | 'further'
}

/** What is looked for; everything that is given must hold. */
export interface OrganisationQuery {
  /** Any of these. */
  readonly codes?: readonly string[]
  readonly names?: readonly TextTerm[]
  /** Spaces count for nothing, but for `exact`. */
  readonly postcodes?: readonly TextTerm[]
  /** The whole postcode, or the part before the space. */
  readonly postcode?: string
  readonly towns?: readonly TextTerm[]
  readonly active?: boolean
  /** Days of the last change, both ends within. */
  readonly changedFrom?: string
  readonly changedTo?: string
  readonly roles?: readonly RoleTerm[]
  readonly recordClass?: 'RC1' | 'RC2'
}

export interface Found {
  readonly total: number
  readonly page: readonly OrganisationRecord[]
}

/** Found organisations, and characters of the searches, that are remembered between pages of the same search. */
const mostRemembered = 500_000
/** Entries that are worked on before others get their turn. */
const slice = 2_000

/** Upper case without accents. */
const fold = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .toUpperCase()
const compact = (postcode: string) => postcode.replace(/\s+/g, '').toUpperCase()
/** The part before the space; without one, all but the last three characters of a full postcode. */
function outward(postcode: string): string {
  const [before = '', after] = postcode.trim().toUpperCase().split(/\s+/)
  return after === undefined && before.length > 4 ? before.slice(0, -3) : before
}

interface Indexed extends OrganisationRecord {
  readonly folded: string
  readonly compact: string
  readonly foldedTown: string
}

/**
 * Every organisation of the directory with indexes over them, brought up to date by the change log when it is asked
 * for: the cost is that of the changes. An index says who may match; the record itself says who does, so that an
 * index may keep what a later change took away.
 */
export class Catalogue {
  readonly #state: () => CatalogueState
  readonly #reader: OrganisationReader
  readonly #schema: Schema
  readonly #clock: Clock
  #version = -1
  #shelf = new Shelf()
  readonly #remembered = new Map<string, Slots>()
  #rememberedSlots = 0
  #rememberedOn = ''
  #working: Promise<void> | undefined

  constructor(needs: {
    readonly state: () => CatalogueState
    readonly reader: OrganisationReader
    readonly schema: Schema
    readonly clock: Clock
  }) {
    this.#state = needs.state
    this.#reader = needs.reader
    this.#schema = needs.schema
    this.#clock = needs.clock
  }

  /** `YYYY-MM-DD`, UTC. */
  get today(): string {
    return new Date(this.#clock.now()).toISOString().slice(0, 10)
  }

  /** Resolves when the catalogue shows the state that the directory shows. Read it before the next `await`. */
  async current(): Promise<this> {
    // Twice: the work under way may have begun before this call. Under steady change nobody waits for the last one.
    for (let round = 0; round < 2 && this.#version !== this.#state().version; round++) {
      this.#working ??= this.#advance().finally(() => {
        this.#working = undefined
      })
      await this.#working
    }
    return this
  }

  get size(): number {
    return this.#shelf.live
  }

  get(odsCode: string): OrganisationRecord | undefined {
    const slot = this.#shelf.byCode.get(odsCode.toUpperCase())
    return slot === undefined ? undefined : this.#shelf.slots[slot]
  }

  /** By the number of the change that added it. */
  at(position: number): OrganisationRecord | undefined {
    let low = 0
    let high = this.#shelf.slots.length
    while (low < high) {
      const middle = (low + high) >> 1
      let probe = middle
      while (probe < high && this.#shelf.slots[probe] === undefined) probe++
      const record = probe < high ? this.#shelf.slots[probe] : undefined
      if (record === undefined || record.position > position) high = middle
      else if (record.position === position) return record
      else low = probe + 1
    }
    return undefined
  }

  /** Organisations that name this one in a relationship. */
  relatedTo(odsCode: string): readonly OrganisationRecord[] {
    const code = odsCode.toUpperCase()
    return this.#shelf.indexes.targets
      .get(code)
      .flatMap((slot) => this.#shelf.slots[slot] ?? [])
      .filter((each) => each.related.some(({ target }) => target.toUpperCase() === code))
  }

  /** In order of insertion, from `from` on, at most `count`. */
  search(query: OrganisationQuery, from: number, count: number): Found {
    const slots = this.#find(query)
    return {
      total: slots.length,
      page: slots.slice(from, from + count).flatMap((slot) => this.#shelf.slots[slot] ?? []),
    }
  }

  #find(query: OrganisationQuery): Slots {
    const { today } = this
    if (this.#rememberedOn !== today) this.#forget()
    this.#rememberedOn = today
    const key = JSON.stringify(query)
    const known = this.#remembered.get(key)
    if (known !== undefined) {
      // What was asked for last is forgotten last.
      this.#remembered.delete(key)
      this.#remembered.set(key, known)
      return known
    }
    const test = predicate(query, today)
    const candidates = this.#candidates(query)
    const found: number[] = []
    const look = (slot: number) => {
      const record = this.#shelf.slots[slot]
      if (record !== undefined && test(record)) found.push(slot)
    }
    if (candidates === undefined) for (let slot = 0; slot < this.#shelf.slots.length; slot++) look(slot)
    else for (const slot of candidates) look(slot)
    this.#remember(key, found)
    return found
  }

  #remember(key: string, found: Slots): void {
    this.#remembered.set(key, found)
    this.#rememberedSlots += found.length + key.length
    for (const [oldest, slots] of this.#remembered) {
      if (this.#rememberedSlots <= mostRemembered || oldest === key) break
      this.#remembered.delete(oldest)
      this.#rememberedSlots -= slots.length + oldest.length
    }
  }

  #forget(): void {
    this.#remembered.clear()
    this.#rememberedSlots = 0
  }

  /** The shortest list that an index gives, in order; undefined when every organisation must be looked at. */
  #candidates(query: OrganisationQuery): Slots | undefined {
    const { names, postcodes, fulls, outwards, towns, roles, days } = this.#shelf.indexes
    const lists: Slots[] = []
    const offer = (list: Slots | undefined) => {
      if (list !== undefined && list.length < this.#shelf.slots.length) lists.push(list)
    }
    if (query.codes !== undefined) {
      offer(united(query.codes.map((code) => [this.#shelf.byCode.get(code.toUpperCase()) ?? []].flat())))
    }
    for (const { text } of query.names ?? []) offer(names.candidates(fold(text)))
    for (const { text } of query.postcodes ?? []) offer(postcodes.candidates(compact(text)))
    for (const { text } of query.towns ?? []) offer(towns.candidates(fold(text)))
    if (query.postcode !== undefined) {
      const wanted = compact(query.postcode)
      offer(united([fulls.get(wanted), outwards.get(wanted)]))
    }
    for (const { anyOf } of query.roles ?? []) offer(united(anyOf.map((id) => roles.get(id))))
    if (query.changedFrom !== undefined || query.changedTo !== undefined) {
      const { changedFrom = '', changedTo = '9' } = query
      const within = [...days.keys()].filter((each) => each >= changedFrom && each <= changedTo)
      const size = within.reduce((sum, each) => sum + days.get(each).length, 0)
      if (size < this.#shelf.slots.length) offer(united(within.map((each) => days.get(each))))
    }
    return lists.sort((a, b) => a.length - b.length)[0]
  }

  async #advance(): Promise<void> {
    const state = this.#state()
    const touched = this.#version < 0 ? undefined : this.#changed(state)
    if (touched === undefined || this.#shelf.stale > Math.max(10_000, this.#shelf.live)) await this.#build(state)
    else {
      // In order of insertion, whatever the order in which they were touched.
      const entries = [...touched].map((key) => ({ key, entry: state.tree.get(key) }))
      let left = slice / 4
      for (const { key, entry } of entries.sort((a, b) => (a.entry?.order ?? 0) - (b.entry?.order ?? 0))) {
        if (--left === 0) {
          left = slice / 4
          await new Promise((resolve) => setImmediate(resolve))
        }
        this.#shelf.put(key, entry === undefined ? undefined : this.#reader.record(entry))
      }
    }
    this.#forget()
    this.#version = state.version
  }

  /** Names of the organisations that changed; undefined when the log does not reach back. */
  #changed({ tree, version }: CatalogueState): ReadonlySet<string> | undefined {
    const keys = new Set<string>()
    const target = this.#schema.attribute('targetDN')
    if (target === undefined) return undefined
    for (let number = this.#version + 1; number <= version; number++) {
      const change = tree.get(`changenumber=${number},cn=changelog,o=nhs`)
      const [dn] = change?.values(target) ?? []
      if (dn === undefined) return undefined
      const key = nameKey(this.#schema, dn)?.key
      if (key !== undefined && isOrganisationKey(key)) keys.add(key)
    }
    return keys
  }

  /** On a shelf of its own: until it is full, readers see the old one. */
  async #build({ tree }: CatalogueState): Promise<void> {
    const shelf = new Shelf()
    let left = slice
    for (const entry of tree.entries()) {
      if (isOrganisationKey(entry.key)) shelf.put(entry.key, this.#reader.record(entry))
      if (--left > 0) continue
      left = slice
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#shelf = shelf
  }
}

/** The organisations in order of insertion, each in its slot, and the indexes over them. */
class Shelf {
  readonly slots: (Indexed | undefined)[] = []
  readonly byCode = new Map<string, number>()
  readonly indexes = {
    names: new GramIndex(3),
    postcodes: new GramIndex(2),
    fulls: new Postings(),
    outwards: new Postings(),
    towns: new GramIndex(3),
    roles: new Postings(),
    days: new Postings(),
    targets: new Postings(),
  }
  readonly #byKey = new Map<string, number>()
  /** How many there are. */
  live = 0
  /** How often an index kept what is no longer so. */
  stale = 0

  /** What stands under that name now: new, changed, or (undefined) gone. */
  put(key: string, record: OrganisationRecord | undefined): void {
    const known = this.#byKey.get(key)
    const old = known === undefined ? undefined : this.slots[known]
    if (known !== undefined && old !== undefined) {
      this.stale++
      const code = old.odsCode.toUpperCase()
      if (this.byCode.get(code) === known) this.byCode.delete(code)
      // Removed and added again it stands at the end, as in the directory.
      if (record === undefined || record.position !== old.position) {
        this.slots[known] = undefined
        this.#byKey.delete(key)
        this.live--
      }
    }
    if (record === undefined) return
    let slot = this.#byKey.get(key)
    if (slot === undefined) {
      slot = this.slots.length
      this.#byKey.set(key, slot)
      this.live++
    }
    this.#index(record, slot)
  }

  #index(record: OrganisationRecord, slot: number): void {
    const folded = fold(record.name)
    const compacted = compact(record.postcode)
    const foldedTown = fold(record.town)
    this.slots[slot] = { ...record, folded, compact: compacted, foldedTown }
    // Where two entries claim one code, the first keeps it.
    const code = record.odsCode.toUpperCase()
    if (!this.byCode.has(code)) this.byCode.set(code, slot)
    const { names, postcodes, fulls, outwards, towns, roles, days, targets } = this.indexes
    names.add(folded, slot)
    postcodes.add(compacted, slot)
    fulls.add(compacted, slot)
    outwards.add(outward(record.postcode), slot)
    towns.add(foldedTown, slot)
    for (const { id } of record.kind.roles) roles.add(id, slot)
    days.add(record.changed, slot)
    for (const { target } of record.related) targets.add(target.toUpperCase(), slot)
  }
}

/** One ascending list of several. */
function united(lists: readonly Slots[]): Slots {
  const held = lists.filter((list) => list.length > 0)
  if (held.length < 2) return held[0] ?? []
  return [...new Set(held.flat())].sort((a, b) => a - b)
}

function textMatches(held: string, wanted: string, match: TextTerm['match']): boolean {
  if (match === 'starts') return held.startsWith(wanted)
  return match === 'contains' ? held.includes(wanted) : held === wanted
}

function predicate(query: OrganisationQuery, today: string): (record: Indexed) => boolean {
  const tests: ((record: Indexed) => boolean)[] = []
  const { codes, postcode, active, changedFrom, changedTo, recordClass } = query
  if (codes !== undefined) {
    const wanted = new Set(codes.map((code) => code.toUpperCase()))
    tests.push(({ odsCode }) => wanted.has(odsCode.toUpperCase()))
  }
  if (recordClass !== undefined) tests.push(({ kind }) => kind.recordClass === recordClass)
  if (active !== undefined) tests.push((record) => isActive(record, today) === active)
  if (changedFrom !== undefined) tests.push(({ changed }) => changed >= changedFrom)
  if (changedTo !== undefined) tests.push(({ changed }) => changed <= changedTo)
  for (const { anyOf, held } of query.roles ?? []) {
    const wanted = new Set(anyOf)
    tests.push(({ kind: { roles } }) =>
      roles.some(({ id }, place) => wanted.has(id) && (held === 'any' || (place === 0) === (held === 'primary'))),
    )
  }
  if (postcode !== undefined) {
    const wanted = compact(postcode)
    tests.push((record) => record.compact === wanted || outward(record.postcode) === wanted)
  }
  for (const { text, match } of query.names ?? []) {
    const wanted = fold(text)
    tests.push(({ folded, name }) => (match === 'exact' ? name === text : textMatches(folded, wanted, match)))
  }
  for (const { text, match } of query.postcodes ?? []) {
    const wanted = compact(text)
    tests.push((record) => (match === 'exact' ? record.postcode === text : textMatches(record.compact, wanted, match)))
  }
  for (const { text, match } of query.towns ?? []) {
    const wanted = fold(text)
    tests.push(({ foldedTown, town }) => (match === 'exact' ? town === text : textMatches(foldedTown, wanted, match)))
  }
  return (record) => tests.every((test) => test(record))
}
