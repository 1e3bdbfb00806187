import type { Day, DayRange } from '../../record/dates.ts'
import type { PatientRecord, PracticeRecord } from '../../record/model.ts'
import type { SectionCode } from '../../record/sections.ts'
import type { Cell, TableRow } from './markup.ts'

/** What decides which rows are shown. */
export interface View {
  readonly practice: PracticeRecord
  readonly patient: PatientRecord
  /** Today in the United Kingdom. */
  readonly today: Day
  /** The period in force; undefined: everything. */
  readonly range: DayRange | undefined
}

/** The rows of one table, in order. */
export interface Selection {
  readonly rows: readonly TableRow[]
  /** Whether something that belongs here was left out because it is confidential. */
  readonly excluded: boolean
  /** Content banners that these rows call for. */
  readonly banners: readonly string[]
}

/** One table of the access record (§7.3), as data. */
export interface TableDefinition {
  readonly title: string
  readonly id: string
  /** Section whose data this is, wherever the table is shown. */
  readonly section: SectionCode
  readonly columns: readonly string[]
  /** Whether a requested period filters the rows, is accepted but does not, or cannot be asked for. */
  readonly period: 'filters' | 'complete' | 'none'
  select(view: View): Selection
}

/** A table whose rows are the items of one area, newest first, without the confidential ones. */
export function listing<Item extends { readonly confidential?: boolean | undefined }>(
  definition: Omit<TableDefinition, 'select'> & {
    items(view: View): readonly Item[]
    /** Whether the item lies in the period; asked only when there is one and the table follows it. */
    inPeriod?(item: Item, range: DayRange): boolean
    /** The day by which the table is sorted, latest first; items without one come last. */
    sortedBy(item: Item): Day | undefined
    cells(item: Item): readonly Cell[]
    /** At most so many. */
    first?: number
  },
): TableDefinition {
  const { items, inPeriod, sortedBy, cells, first, ...rest } = definition
  return {
    ...rest,
    select(view) {
      const { range } = view
      const relevant = items(view).filter(
        (item) => rest.period !== 'filters' || range === undefined || inPeriod === undefined || inPeriod(item, range),
      )
      const sorted = latestFirst(relevant, sortedBy)
      const rows: TableRow[] = []
      let excluded = false
      for (const item of sorted) {
        if (first !== undefined && rows.length === first) break
        if (item.confidential) excluded = true
        else rows.push({ cells: cells(item) })
      }
      return { rows, excluded, banners: [] }
    },
  }
}

/** Sorted by day, latest first, those without a day last, otherwise in the order given. */
export function latestFirst<Item>(items: readonly Item[], dayOf: (item: Item) => Day | undefined): Item[] {
  return items.toSorted((a, b) => {
    const [left, right] = [dayOf(a) ?? '', dayOf(b) ?? '']
    return left < right ? 1 : left > right ? -1 : 0
  })
}
