/** The three tables of Medications as 0.5 had them (§7.9), before the present ones came with 0.7.3. */
import { addDays } from '../../record/dates.ts'
import type { Medication } from '../../record/model.ts'
import { dateCell, textCell } from './markup.ts'
import {
  count,
  endOf,
  information,
  isRepeat,
  issueCount,
  lastIssued,
  medicationInPeriod,
  plain,
  scheduledEnd,
  startOf,
  typeOf,
} from './medication-tables.ts'

/** Whether the course is over on that day. */
function isPast(item: Medication, today: string): boolean {
  return (endOf(item) ?? '9999-12-31') <= today
}

/** Acute courses of the last twelve months that have not ended. */
export const currentMedicationIssues = plain({
  title: 'Current Medication Issues',
  id: '',
  columns: ['Start Date', 'Medication Item', 'Type', 'Scheduled End', 'Days Duration', 'Details'],
  period: 'complete',
  items: ({ patient, today }) =>
    patient.medications.filter(
      (item) => !isRepeat(item) && !isPast(item, today) && (startOf(item) ?? item.recordedDate) > addDays(today, -365),
    ),
  sortedBy: startOf,
  cells: (item) => [
    dateCell(startOf(item)),
    textCell(item.item),
    textCell(typeOf(item)),
    dateCell(scheduledEnd(item)?.day),
    count(item.daysDuration),
    information(item, [item.dosage]),
  ],
})

export const currentRepeatMedications = plain({
  title: 'Current Repeat Medications',
  id: '',
  columns: ['Last Issued', 'Medication Item', 'Start Date', 'Review Date', 'Number Issued', 'Max Issues', 'Details'],
  period: 'complete',
  items: ({ patient, today }) => patient.medications.filter((item) => isRepeat(item) && !isPast(item, today)),
  sortedBy: lastIssued,
  cells: (item) => [
    dateCell(lastIssued(item)),
    textCell(item.item),
    dateCell(startOf(item)),
    dateCell(item.reviewDate),
    textCell(issueCount(item)),
    count(item.maxIssues),
    information(item, [item.dosage]),
  ],
})

/** Whatever the two tables before it do not show. */
export const pastMedications = plain({
  title: 'Past Medications',
  id: '',
  columns: [
    'Start Date',
    'Medication Item',
    'Type',
    'Last Issued',
    'Review Date',
    'Number Issued',
    'Max Issues',
    'Details',
  ],
  period: 'filters',
  items: ({ patient, today, range }) =>
    patient.medications.filter(
      (item) =>
        (isPast(item, today) || (!isRepeat(item) && (startOf(item) ?? item.recordedDate) <= addDays(today, -365))) &&
        (range === undefined || medicationInPeriod(item, range)),
    ),
  sortedBy: startOf,
  cells: (item) => [
    dateCell(startOf(item)),
    textCell(item.item),
    textCell(typeOf(item)),
    dateCell(lastIssued(item)),
    dateCell(item.reviewDate),
    textCell(issueCount(item)),
    count(item.maxIssues),
    information(item, [item.dosage]),
  ],
})
