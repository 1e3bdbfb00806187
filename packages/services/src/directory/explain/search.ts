import { SpineError } from '@openspine/standards/error'
import {
  compileFilter,
  type EncodedEntry,
  evaluate,
  type Filter,
  filterText,
  type MemoryTree,
  nameKey,
  parseFilter,
  type Schema,
  type Scope,
} from '@openspine/standards/ldap'
import { faultOf, likelyCauses, spelling } from './causes.ts'

/** A search to be explained. */
export interface SearchQuestion {
  /** Distinguished name; default `o=nhs`. */
  readonly base?: string
  /** Default 2, the whole subtree. */
  readonly scope?: Scope
  /** RFC 4515 text. */
  readonly filter: string
}

/** One condition of a filter: its items that must hold together, one by one. */
export interface ExplainedCondition {
  /** RFC 4515 text. */
  readonly condition: string
  /** Entries below the base that meet it. */
  readonly met: number
  /** Entries elsewhere in the directory that meet it. */
  readonly elsewhere: number
  /** Why it can hold for no entry at all: an attribute that the schema does not know, no matching rule. */
  readonly note?: string
}

/** What keeps an entry from being found. */
export interface Shortfall {
  readonly condition: string
  /** What the entry has instead; the nearest of many. */
  readonly has: readonly string[]
  /** In plain words. */
  readonly why: string
}

export interface NearEntry {
  readonly dn: string
  readonly objectClass: string
  readonly shortfalls: readonly Shortfall[]
}

export interface SearchExplanation {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub' | 'children'
  readonly filter: string
  /** Entries that the search finds, before any limit. */
  readonly found: number
  /** Names of the first ten of them. */
  readonly names: readonly string[]
  readonly conditions: readonly ExplainedCondition[]
  /** Entries that come nearest, nearest first; none when something was found. */
  readonly nearest: readonly NearEntry[]
  /** Likely causes with their remedies, in plain words, the likeliest first; none when something was found. */
  readonly causes: readonly string[]
  /** Entries that were looked at, and whether these were all. */
  readonly examined: number
  readonly complete: boolean
  /** Number of the last change that the answer knows. */
  readonly version: number
}

export interface ExplainGround {
  readonly tree: MemoryTree
  readonly version: number
  readonly schema: Schema
  readonly strict: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

const scopes = ['base', 'one', 'sub', 'children'] as const
const mostConditions = 50
const mostNames = 10
const mostNear = 5
/** Entries looked at before others get their turn, and in all. */
const slice = 1000
const mostExamined = 1_000_000

function refused(explanation: string): SpineError<{ readonly status: 400 }> {
  return new SpineError('DIRECTORY_QUESTION', { status: 400 }, { explanation })
}

/** The items that must all hold. Nested ands are one. */
function conjuncts(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' ? filter.of.flatMap(conjuncts) : [filter]
}

interface Near {
  readonly entry: EncodedEntry
  readonly inPlace: boolean
  readonly missed: readonly number[]
  readonly cost: number
}

/**
 * Says why a search finds what it finds: how many entries meet each of its conditions, which come nearest, and what
 * they have instead. Looks at every entry once, in slices, so that nobody waits for it. SpineError
 * `DIRECTORY_QUESTION` (400) when filter or base cannot be read.
 */
export async function explainSearch(question: SearchQuestion, ground: ExplainGround): Promise<SearchExplanation> {
  const { tree, schema } = ground
  const { scope = 2, base = 'o=nhs' } = question
  let filter: Filter
  try {
    filter = parseFilter(question.filter)
  } catch (error) {
    throw refused(`The filter cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`)
  }
  const name = nameKey(schema, base)
  if (name === undefined) throw refused(`${base.slice(0, 200)} is not a distinguished name.`)
  const items = conjuncts(filter)
  if (items.length > mostConditions)
    throw refused(`The filter has ${items.length} conditions; ${mostConditions} are explained at most.`)
  const compiled = items.map((item) => compileFilter(item, schema, ground))
  const met = items.map(() => 0)
  const elsewhere = items.map(() => 0)
  const names: string[] = []
  let found = 0
  let examined = 0
  let near: Near[] = []

  const look = (entry: EncodedEntry) => {
    const values = {
      dn: entry.dn,
      values: (type: Parameters<EncodedEntry['values']>[0]) =>
        type.usage === 'userApplications' ? entry.values(type) : tree.operational(entry, type),
    }
    const inPlace = inScope(entry.key, name.key, scope)
    const missed: number[] = []
    compiled.forEach((condition, index) => {
      if (evaluate(condition, values, schema) !== 'true') missed.push(index)
      else if (inPlace) met[index] = (met[index] ?? 0) + 1
      else elsewhere[index] = (elsewhere[index] ?? 0) + 1
    })
    if (inPlace && missed.length === 0) {
      found++
      if (names.length < mostNames) names.push(entry.dn)
      return
    }
    if (found > 0) return
    // Near: something beside the class holds, and little does not.
    const telling = items.length === 1 || items.some((item, index) => !missed.includes(index) && !ofClass(item))
    if (
      !telling &&
      !compiled.some((_, index) => missed.includes(index) && isNear(items[index] as Filter, entry, schema))
    )
      return
    const cost =
      (inPlace ? 0 : 0.6) +
      missed.reduce((sum, index) => sum + (isNear(items[index] as Filter, entry, schema) ? 0.4 : 1), 0)
    if (cost >= items.length && items.length > 1) return
    if (items.length === 1 && cost >= 1) return
    near.push({ entry, inPlace, missed, cost })
    if (near.length > 200) near = nearest(near)
  }

  let complete = true
  for (const entry of tree.entries()) {
    if (/(^|,)cn=changelog,o=nhs$/.test(entry.key)) continue
    if (examined >= mostExamined) {
      complete = false
      break
    }
    look(entry)
    if (++examined % slice === 0) await new Promise((resolve) => setImmediate(resolve))
  }

  const conditions = items.map((item, index): ExplainedCondition => {
    const note = faultOf(item, ground)
    return {
      condition: filterText(item),
      met: met[index] ?? 0,
      elsewhere: elsewhere[index] ?? 0,
      ...(note === undefined ? {} : { note }),
    }
  })
  const shown = found > 0 ? [] : nearest(near)
  const nearEntries = shown.map(
    ({ entry, inPlace, missed }): NearEntry => ({
      dn: entry.dn,
      objectClass: classOf(entry, schema),
      shortfalls: [
        ...(inPlace
          ? []
          : [
              {
                condition: `${scopes[scope]} of ${base}`,
                has: [entry.dn],
                why: `it stands elsewhere in the directory, not ${scope === 0 ? 'at' : 'below'} ${base}`,
              },
            ]),
        ...missed.map((index) => ({
          condition: filterText(items[index] as Filter),
          ...spelling(items[index] as Filter, entry, ground),
        })),
      ],
    }),
  )
  const baseEntry = name.key === '' ? undefined : tree.get(name.key)
  return {
    base,
    scope: scopes[scope],
    filter: filterText(filter),
    found,
    names,
    conditions,
    nearest: nearEntries,
    causes:
      found > 0 ? [] : likelyCauses({ base, baseIsThere: baseEntry !== undefined, conditions, nearest: nearEntries }),
    examined,
    complete,
    version: ground.version,
  }
}

function nearest(near: readonly Near[]): Near[] {
  return [...near].sort((a, b) => a.cost - b.cost || a.entry.order - b.entry.order).slice(0, mostNear)
}

const ofClass = (item: Filter) => 'attribute' in item && /^(?:objectclass|2\.5\.4\.0)$/i.test(item.attribute ?? '')

/** Whether the entry has the wanted value but for its case and spaces: the commonest mistake. */
function isNear(item: Filter, entry: EncodedEntry, schema: Schema): boolean {
  if (item.kind !== 'equal') return false
  const type = schema.attribute(item.attribute)
  if (type === undefined || type.secret || type.usage !== 'userApplications') return false
  const wanted = item.value.toString().trim().toLowerCase()
  return entry.values(type).some((value) => value.toLowerCase() === wanted)
}

function classOf(entry: EncodedEntry, schema: Schema): string {
  const type = schema.attribute('objectClass')
  return (type === undefined ? undefined : entry.values(type).at(-1)) ?? ''
}

function inScope(key: string, base: string, scope: Scope): boolean {
  if (key === base) return scope === 0 || scope === 2
  if (scope === 0 || !(base === '' || key.endsWith(`,${base}`))) return false
  if (scope !== 1) return true
  const own = base === '' ? key : key.slice(0, -base.length - 1)
  return !/(?<!\\)(?:\\\\)*,/.test(own)
}
