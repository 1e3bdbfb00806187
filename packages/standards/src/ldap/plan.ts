import type { CompiledFilter } from './compile.ts'

/** Places of entries, ascending. */
export type Postings = readonly number[]

export interface Plan {
  readonly places: Postings
  /** Every place matches the filter, and no other does: no entry needs to be looked at. */
  readonly exact: boolean
}

/** The answer of an index to one equality item, exact; undefined when there is no such index. */
export type IndexLookup = (item: CompiledFilter & { kind: 'equal' }) => Postings | undefined

const nothing: Plan = { places: [], exact: true }

/** Places that planning may touch: beyond it a look at the entries, done in slices, is the better way. */
const planBudget = 50_000

interface Budget {
  left: number
}

/**
 * The smallest set of candidates that the indexes can name; undefined when they cannot bound the filter at all, or not
 * without much work. Undefined counts as "no match" only at the top, so a `not` never bounds.
 */
export function plan(
  filter: CompiledFilter,
  lookup: IndexLookup,
  budget: Budget = { left: planBudget },
): Plan | undefined {
  switch (filter.kind) {
    case 'false':
    case 'undefined':
      return nothing
    case 'equal': {
      const places = lookup(filter)
      return places === undefined ? undefined : { places, exact: true }
    }
    case 'and':
      return planAnd(filter.of, lookup, budget)
    case 'or':
      return planOr(filter.of, lookup, budget)
    default:
      return undefined
  }
}

function planAnd(of: readonly CompiledFilter[], lookup: IndexLookup, budget: Budget): Plan | undefined {
  let exact = true
  const plans: Plan[] = []
  for (const inner of of) {
    if (inner.kind === 'true') continue
    const planned = plan(inner, lookup, budget)
    if (planned === undefined) exact = false
    else {
      if (planned.places.length === 0) return nothing
      plans.push(planned)
    }
  }
  if (plans.length > 1) plans.sort((a, b) => a.places.length - b.places.length)
  const first = plans[0]
  if (first === undefined) return undefined
  let { places } = first
  exact &&= first.exact
  for (let i = 1; i < plans.length; i++) {
    const next = plans[i] as Plan
    budget.left -= places.length
    // Enough: what is left is looked at entry by entry.
    if (budget.left < 0) return { places, exact: false }
    exact &&= next.exact
    places = intersect(places, next.places)
    if (places.length === 0) return nothing
  }
  return { places, exact }
}

function planOr(of: readonly CompiledFilter[], lookup: IndexLookup, budget: Budget): Plan | undefined {
  let exact = true
  const all = new Set<number>()
  for (const inner of of) {
    const planned = plan(inner, lookup, budget)
    if (planned === undefined) return undefined
    budget.left -= planned.places.length
    if (budget.left < 0) return undefined
    exact &&= planned.exact
    for (const place of planned.places) all.add(place)
  }
  return { places: [...all].sort((a, b) => a - b), exact }
}

/** `few` is the shorter list: each of its places is sought in `many` by galloping, so the cost hardly depends on `many`. */
function intersect(few: Postings, many: Postings): Postings {
  const both: number[] = []
  let at = 0
  for (const place of few) {
    let step = 1
    while (at + step < many.length && (many[at + step] as number) < place) step *= 2
    let low = at + (step >> 1)
    let high = Math.min(at + step, many.length - 1)
    while (low < high) {
      const middle = (low + high) >> 1
      if ((many[middle] as number) < place) low = middle + 1
      else high = middle
    }
    at = low
    if (many[at] === place) both.push(place)
    if (at >= many.length - 1 && (many[at] as number) < place) break
  }
  return both
}
