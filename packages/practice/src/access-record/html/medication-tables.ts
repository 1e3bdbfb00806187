/** The five tables of Medications (§7.3, §7.6). */
import { addDays, type Day, type DayRange, displayDay, overlaps, within } from '../../record/dates.ts'
import type { Issue, Medication } from '../../record/model.ts'
import {
  type Cell,
  dateCell,
  type Markup,
  markupCell,
  stacked,
  strong,
  type TableRow,
  text,
  textCell,
} from './markup.ts'
import { latestFirst, type Selection, type TableDefinition, type View } from './table-definition.ts'

const discontinuedBanner = 'All repeat medication ended by a clinician action'
const calculatedEndBanner =
  'Scheduled End Date is not always captured in the source; where it was not recorded, the displayed date is calculated from start date and days duration'
const reviewBanner =
  'The Review Date is that set for each Repeat Course. Reviews may be conducted according to a diary event which differs from the dates shown'

export function isRepeat(medication: Medication): boolean {
  return medication.type !== 'acute'
}

/** Post date, then start; prescribed elsewhere: expected start, else the day of entry. */
export function startOf(medication: Medication): Day | undefined {
  if (medication.elsewhere !== undefined) return medication.startDate ?? medication.recordedDate
  return medication.postDate ?? medication.startDate
}

export function scheduledEnd(medication: Medication): { readonly day: Day; readonly calculated: boolean } | undefined {
  if (medication.scheduledEndDate !== undefined) return { day: medication.scheduledEndDate, calculated: false }
  // Of a repeat, the duration is that of one issue and says nothing about the course.
  if (isRepeat(medication)) return undefined
  const start = startOf(medication)
  return start === undefined || medication.daysDuration === undefined
    ? undefined
    : { day: addDays(start, medication.daysDuration), calculated: true }
}

export function endOf(medication: Medication): Day | undefined {
  return medication.ended?.date ?? scheduledEnd(medication)?.day
}

/** Of issues in this practice; a repeat dispense or a prescription from elsewhere has none that the practice knows of. */
function hasOwnIssues(medication: Medication): boolean {
  return medication.type !== 'repeat-dispense' && medication.elsewhere === undefined
}

export function lastIssued(medication: Medication): Day | undefined {
  return hasOwnIssues(medication)
    ? medication.issues.reduce<Day | undefined>(
        (latest, { date }) => (latest === undefined || date > latest ? date : latest),
        undefined,
      )
    : undefined
}

export function issueCount(medication: Medication): string {
  return hasOwnIssues(medication) ? String(medication.issues.length) : ''
}

export function typeOf(medication: Medication): string {
  const kind =
    medication.type === 'repeat'
      ? 'Repeat'
      : medication.type === 'repeat-dispense'
        ? 'Repeat Dispense'
        : medication.postDate === undefined
          ? 'Acute'
          : 'Acute Post-Dated'
  return medication.elsewhere === undefined ? kind : `${kind} - ${medication.elsewhere.agency ?? 'Unknown Prescriber'}`
}

/** `CANCELLED: ` for acute, `DISCONTINUED: ` for repeat, then when and why; empty unless a clinician ended it. */
function discontinuation(medication: Medication): string {
  if (medication.ended?.by !== 'clinician') return ''
  const word = medication.type === 'acute' ? 'CANCELLED' : 'DISCONTINUED'
  const { date, reason } = medication.ended
  return `${word}: ${displayDay(date)}${reason === undefined ? '' : ` ${reason}`}`
}

export function information(medication: Medication, more: readonly string[] = []): Cell {
  const lines: Markup[] = [...medication.information, ...more].filter((it) => it !== '').map((it) => text(it))
  return markupCell(stacked(medication.controlledDrug ? [strong('CONTROLLED DRUG'), ...lines] : lines))
}

export function count(value: number | undefined): Cell {
  return textCell(value === undefined ? undefined : String(value))
}

export function plain(
  definition: Omit<TableDefinition, 'select' | 'section'> & {
    items(view: View): readonly Medication[]
    sortedBy(item: Medication): Day | undefined
    cells(item: Medication): readonly Cell[]
    banners?(shown: readonly Medication[], view: View): readonly string[]
  },
): TableDefinition {
  const { items, sortedBy, cells, banners, ...rest } = definition
  return {
    ...rest,
    section: 'MED',
    select(view): Selection {
      const all = items(view)
      const shown = latestFirst(
        all.filter((item) => !item.confidential),
        sortedBy,
      )
      return {
        rows: shown.map((item) => ({ cells: cells(item) })),
        excluded: shown.length < all.length,
        banners: banners?.(shown, view) ?? [],
      }
    },
  }
}

/** Acute courses that began in the last twelve months, or will begin. */
export const acuteMedication = plain({
  title: 'Acute Medication (Last 12 Months)',
  id: 'med-tab-acu-med',
  columns: [
    'Type',
    'Start Date',
    'Medication Item',
    'Dosage Instruction',
    'Quantity',
    'Scheduled End Date',
    'Days Duration',
    'Additional Information',
  ],
  period: 'complete',
  items: ({ patient, today }) =>
    patient.medications.filter(
      (item) => item.type === 'acute' && (startOf(item) ?? item.recordedDate) > addDays(today, -365),
    ),
  sortedBy: startOf,
  cells: (item) => [
    textCell(typeOf(item)),
    dateCell(startOf(item)),
    textCell(item.item),
    textCell(item.dosage),
    textCell(item.quantity),
    dateCell(scheduledEnd(item)?.day),
    count(item.daysDuration),
    // The table has no column for a cancelled course, and whoever reads it must not take it for a live one.
    information(item, [discontinuation(item)]),
  ],
  banners: (shown) => (shown.some((item) => scheduledEnd(item)?.calculated) ? [calculatedEndBanner] : []),
})

/** Repeat courses that have not ended, whether issued or not. */
export const currentRepeatMedication = plain({
  title: 'Current Repeat Medication',
  id: 'med-tab-curr-rep',
  columns: [
    'Type',
    'Start Date',
    'Medication Item',
    'Dosage Instruction',
    'Quantity',
    'Last Issued Date',
    'Number of Prescriptions Issued',
    'Max Issues',
    'Review Date',
    'Additional Information',
  ],
  period: 'complete',
  items: ({ patient, today }) =>
    patient.medications.filter((item) => isRepeat(item) && (endOf(item) ?? '9999-12-31') > today),
  sortedBy: startOf,
  cells: (item) => [
    textCell(typeOf(item)),
    dateCell(startOf(item)),
    textCell(item.item),
    textCell(item.dosage),
    textCell(item.quantity),
    dateCell(lastIssued(item)),
    textCell(issueCount(item)),
    count(item.maxIssues),
    dateCell(item.reviewDate),
    information(item),
  ],
  banners: (shown, { practice }) =>
    practice.reviewsByDiary && shown.some((item) => item.reviewDate !== undefined) ? [reviewBanner] : [],
})

/** Repeat courses that a clinician ended, however long ago. */
export const discontinuedRepeatMedication = plain({
  title: 'Discontinued Repeat Medication',
  id: 'med-tab-dis-rep',
  columns: [
    'Type',
    'Last Issued Date',
    'Medication Item',
    'Dosage Instruction',
    'Quantity',
    'Discontinued Date',
    'Discontinuation Reason',
    'Additional Information',
  ],
  period: 'complete',
  items: ({ patient, today }) =>
    patient.medications.filter((item) => isRepeat(item) && item.ended?.by === 'clinician' && item.ended.date <= today),
  sortedBy: lastIssued,
  cells: (item) => [
    textCell(typeOf(item)),
    dateCell(lastIssued(item)),
    textCell(item.item),
    textCell(item.dosage),
    textCell(item.quantity),
    dateCell(item.ended?.date),
    textCell(item.ended?.reason),
    information(item),
  ],
  banners: () => [discontinuedBanner],
})

/** With a start and an end: overlap. Repeat without end: begun by then. Acute without end: begun inside. No start: entered inside. */
export function medicationInPeriod(item: Medication, range: DayRange): boolean {
  const start = startOf(item)
  if (start === undefined) return within(item.recordedDate, range)
  const end = endOf(item)
  if (end !== undefined) return overlaps(start, end, range)
  return isRepeat(item) ? range.last === undefined || start <= range.last : within(start, range)
}

interface Line {
  readonly item: string
  readonly day: Day | undefined
  readonly confidential: boolean
  readonly cells: () => readonly Cell[]
}

/** Items from A to Z, each under a row with its name, its lines with the latest first. */
function grouped(lines: readonly Line[]): Selection {
  const groups = new Map<string, Line[]>()
  for (const line of lines) {
    if (line.confidential) continue
    const group = groups.get(line.item)
    if (group) group.push(line)
    else groups.set(line.item, [line])
  }
  const order = new Intl.Collator('en-GB', { sensitivity: 'base', numeric: true })
  const rows: TableRow[] = []
  for (const [item, members] of [...groups].toSorted(([a], [b]) => order.compare(a, b))) {
    rows.push({ group: item })
    for (const line of latestFirst(members, ({ day }) => day)) rows.push({ cells: line.cells() })
  }
  return { rows, excluded: lines.some((line) => line.confidential), banners: [] }
}

export const allMedication: TableDefinition = {
  title: 'All Medication',
  id: 'med-tab-all-sum',
  section: 'MED',
  columns: [
    'Type',
    'Start Date',
    'Medication Item',
    'Dosage Instruction',
    'Quantity',
    'Last Issued Date',
    'Number of Prescriptions Issued',
    'Discontinuation Details',
    'Additional Information',
  ],
  period: 'filters',
  select: ({ patient, range }) =>
    grouped(
      patient.medications
        .filter((item) => range === undefined || medicationInPeriod(item, range))
        .map((item) => ({
          item: item.item,
          day: startOf(item),
          confidential: item.confidential === true,
          cells: () => [
            textCell(typeOf(item)),
            dateCell(startOf(item)),
            textCell(item.item),
            textCell(item.dosage),
            textCell(item.quantity),
            dateCell(lastIssued(item)),
            textCell(issueCount(item)),
            textCell(discontinuation(item)),
            information(item),
          ],
        })),
    ),
}

function issueCells(item: Medication, issue: Issue): readonly Cell[] {
  return [
    textCell(typeOf(item)),
    dateCell(issue.date),
    textCell(item.item),
    textCell(issue.dosage ?? item.dosage),
    textCell(issue.quantity ?? item.quantity),
    count(issue.daysDuration ?? item.daysDuration),
    information({ ...item, information: issue.information }),
  ]
}

/** The issues of this practice; with a period, those made in it. */
export const allMedicationIssues: TableDefinition = {
  title: 'All Medication Issues',
  id: 'med-tab-all-iss',
  section: 'MED',
  columns: [
    'Type',
    'Issue Date',
    'Medication Item',
    'Dosage Instruction',
    'Quantity',
    'Days Duration',
    'Additional Information',
  ],
  period: 'filters',
  select: ({ patient, range }) =>
    grouped(
      patient.medications.filter(hasOwnIssues).flatMap((item) =>
        item.issues
          .filter((issue) => range === undefined || within(issue.date, range))
          .map((issue) => ({
            item: item.item,
            day: issue.date,
            confidential: item.confidential === true,
            cells: () => issueCells(item, issue),
          })),
      ),
    ),
}
