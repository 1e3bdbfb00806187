/** The contract of a clinical area: what may be asked of it, and what it puts into the bundle (§9.1, §9.2). */
import type { DomainResource } from '@openspine/standards/fhir'
import type { AreaName } from '../record/areas.ts'
import type { Day, DayRange } from '../record/dates.ts'
import type { Context } from './context.ts'
import type { ListKind, Secondary } from './lists.ts'

export type IdentifiedResource = DomainResource & { readonly id: string }

/** How the value of a part is written: `date` is a whole day, `period` has whole days. */
export type PartType = 'boolean' | 'date' | 'period' | 'code' | 'positiveInt'

/** One part of an area's parameter. */
export interface PartForm {
  readonly name: string
  readonly type: PartType
  /** Has to stand when the parameter stands. */
  readonly required?: boolean
  /** The values of a `code`. */
  readonly values?: readonly string[]
  /** Of a `date` or `period`: where its days must lie. */
  readonly bound?: 'untilToday' | 'fromToday'
}

export type PartValue = boolean | number | string | DayRange
/** The parts of one parameter by name. A date is its day, a period its days. */
export type Parts = Readonly<Record<string, PartValue>>

/** What is asked of an area. */
export interface AreaQuery {
  /** The parts of each time that the parameter stands; one without parts is an empty object. */
  readonly asked: readonly Parts[]
  /**
   * Only the rows with these ids, because another area's rows are linked to them: nothing is asked, and the lists
   * are the secondary ones of that area.
   */
  readonly only?: { readonly ids: ReadonlySet<string>; readonly within: Secondary }
}

/** What a list of the bundle holds; code, titles, warnings and notes are those of its kind (§9.2). */
export interface ListContent {
  readonly kind: ListKind
  /** A secondary list: left out when it is empty and carries no warning. */
  readonly within?: Secondary
  /** References (`AllergyIntolerance/…`, `#…`), or what stands in place of items that may not be had. */
  readonly entries: readonly (string | { readonly display: string })[]
  readonly contained?: readonly IdentifiedResource[]
  /** Whether confidential items were kept back. */
  readonly withheld?: boolean
}

export interface AreaResult {
  /** Everything but lists, people and places: whoever is referred to is added by the bundle. */
  readonly resources: readonly IdentifiedResource[]
  readonly lists: readonly ListContent[]
  /** Ids of the rows that are shown: the problems linked to them come along (§9.5). */
  readonly shown: readonly string[]
}

export interface Area {
  readonly name: AreaName
  /** How the area is called where its items are left out: `[Area] items have been disabled`. */
  readonly title: string
  readonly parameter: string
  /** First version of the specification that has the parameter. */
  readonly since: string
  /** Whether the parameter may stand more than once. */
  readonly repeats?: boolean
  readonly parts: readonly PartForm[]
  /** Parts of its own that may not stand together. */
  readonly exclusive?: readonly (readonly [string, string])[]
  /** Parts of any area that may not stand in one request with this parameter. */
  readonly forbids?: readonly string[]
  /** Other areas whose items it may bring along. */
  readonly brings?: readonly (AreaName | 'documents')[]
  /** What is asked when the whole record is (§9.6). */
  readonly whole: Parts
  build(query: AreaQuery, context: Context): AreaResult
}

/** Whether a boolean part is true in the first repetition; `otherwise` where it does not stand. */
export function flag({ asked: [first] }: AreaQuery, part: string, otherwise: boolean): boolean {
  const value = first?.[part]
  return typeof value === 'boolean' ? value : otherwise
}

/** The day of a date part. */
export function dayOf({ asked: [first] }: AreaQuery, part: string): Day | undefined {
  const value = first?.[part]
  return typeof value === 'string' ? value : undefined
}

/** The days of a period part; everything where it does not stand. */
export function rangeOf({ asked: [first] }: AreaQuery, part: string): DayRange {
  const value = first?.[part]
  return typeof value === 'object' ? value : {}
}
