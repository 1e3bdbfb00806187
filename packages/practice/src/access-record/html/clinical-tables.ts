/** The tables of every section but Medications (§7.3). */
import { wordsOfTopics } from '../../record/consultation-words.ts'
import { overlaps, within } from '../../record/dates.ts'
import type { Problem } from '../../record/model.ts'
import { dateCell, textCell } from './markup.ts'
import { listing, type View } from './table-definition.ts'

export const administrativeItems = listing({
  title: 'Administrative Items',
  id: 'adm-tab',
  section: 'ADM',
  columns: ['Date', 'Entry', 'Details'],
  period: 'filters',
  items: ({ patient }) => patient.adminItems,
  inPeriod: (item, range) => within(item.date, range),
  sortedBy: (item) => item.date,
  cells: (item) => [dateCell(item.date), textCell(item.entry), textCell(item.details)],
})

export const currentAllergies = listing({
  title: 'Current Allergies and Adverse Reactions',
  id: 'all-tab-curr',
  section: 'ALL',
  columns: ['Start Date', 'Details'],
  period: 'none',
  items: ({ patient, today }) => patient.allergies.filter((item) => item.endDate === undefined || item.endDate > today),
  sortedBy: (item) => item.startDate,
  cells: (item) => [dateCell(item.startDate), textCell(item.details)],
})

export const historicalAllergies = listing({
  title: 'Historical Allergies and Adverse Reactions',
  id: 'all-tab-hist',
  section: 'ALL',
  columns: ['Start Date', 'End Date', 'Details'],
  period: 'none',
  items: ({ patient, today }) =>
    patient.allergies.filter((item) => item.endDate !== undefined && item.endDate <= today),
  sortedBy: (item) => item.endDate,
  cells: (item) => [dateCell(item.startDate), dateCell(item.endDate), textCell(item.details)],
})

export const clinicalItems = listing({
  title: 'Clinical Items',
  id: 'cli-tab',
  section: 'CLI',
  columns: ['Date', 'Entry', 'Details'],
  period: 'filters',
  items: ({ patient }) => patient.clinicalItems,
  inPeriod: (item, range) => within(item.date, range),
  sortedBy: (item) => item.date,
  cells: (item) => [dateCell(item.date), textCell(item.entry), textCell(item.details)],
})

const encounterTable = {
  id: 'enc-tab',
  section: 'ENC',
  columns: ['Date', 'Title', 'Details'],
  items({ patient }: View) {
    const wordsOf = wordsOfTopics(patient)
    return patient.encounters.map((encounter) => {
      const { details = '' } = encounter
      return details.trim() === '' ? { ...encounter, details: wordsOf(encounter) } : encounter
    })
  },
  sortedBy: (item: View['patient']['encounters'][number]) => item.date,
  cells: (item: View['patient']['encounters'][number]) => [
    dateCell(item.date),
    textCell(item.title),
    textCell(item.details),
  ],
} as const

export const encounters = listing({
  ...encounterTable,
  title: 'Encounters',
  period: 'filters',
  inPeriod: (item, range) => within(item.date, range),
})

/** In the summary alone. */
export const lastEncounters = listing({ ...encounterTable, title: 'Last 3 Encounters', period: 'none', first: 3 })

export const immunisations = listing({
  title: 'Immunisations',
  id: 'imm-tab',
  section: 'IMM',
  columns: ['Date', 'Vaccination', 'Part', 'Contents', 'Details'],
  period: 'none',
  // The table has no column that would tell what was not given from what was.
  items: ({ patient }) => patient.immunisations.filter(({ notGiven }) => !notGiven),
  sortedBy: (item) => item.date,
  cells: (item) => [
    dateCell(item.date),
    textCell(item.vaccination),
    textCell(item.part),
    textCell(item.contents),
    textCell(item.details),
  ],
})

export const observations = listing({
  title: 'Observations',
  id: 'obs-tab',
  section: 'OBS',
  columns: ['Date', 'Entry', 'Value', 'Range', 'Details'],
  period: 'filters',
  items: ({ patient }) => patient.observations,
  inPeriod: (item, range) => within(item.date, range),
  sortedBy: (item) => item.date,
  cells: (item) => [
    dateCell(item.date),
    textCell(item.entry),
    textCell(item.value),
    textCell(item.range),
    textCell(item.details),
  ],
})

/** As 0.5 had it (§7.9). */
export const observationsWithoutRange = listing({
  title: 'Observations',
  id: '',
  section: 'OBS',
  columns: ['Date', 'Entry', 'Value', 'Details'],
  period: 'filters',
  items: ({ patient }) => patient.observations,
  inPeriod: (item, range) => within(item.date, range),
  sortedBy: (item) => item.date,
  cells: (item) => [dateCell(item.date), textCell(item.entry), textCell(item.value), textCell(item.details)],
})

export const referrals = listing({
  title: 'Referrals',
  id: 'ref-tab',
  section: 'REF',
  columns: ['Date', 'From', 'To', 'Priority', 'Details'],
  period: 'filters',
  items: ({ patient }) => patient.referrals,
  inPeriod: (item, range) => within(item.date, range),
  sortedBy: (item) => item.date,
  cells: (item) => [
    dateCell(item.date),
    textCell(item.from),
    textCell(item.to),
    textCell(item.priority),
    textCell(item.details),
  ],
})

export const activeProblems = listing({
  title: 'Active Problems and Issues',
  id: 'prb-tab-act',
  section: 'PRB',
  columns: ['Start Date', 'Entry', 'Significance', 'Details'],
  period: 'complete',
  items: ({ patient }) => patient.problems.filter((item) => item.status === 'active'),
  sortedBy: (item) => item.startDate,
  cells: (item) => [
    dateCell(item.startDate),
    textCell(item.entry),
    textCell(item.significance?.text),
    textCell(item.details),
  ],
})

/** Highest and middle significance are major; lowest or none is other (§7.6). */
function isMajor(item: Problem): boolean {
  return item.significance !== undefined && item.significance.level !== 'lowest'
}

const inactiveProblemTable = {
  section: 'PRB',
  columns: ['Start Date', 'End Date', 'Entry', 'Significance', 'Details'],
  period: 'filters',
  // A problem lasts: it belongs to a period that it touches.
  inPeriod: (item: Problem, range: NonNullable<View['range']>) => overlaps(item.startDate, item.endDate, range),
  sortedBy: (item: Problem) => item.endDate,
  cells: (item: Problem) => [
    dateCell(item.startDate),
    dateCell(item.endDate),
    textCell(item.entry),
    textCell(item.significance?.text),
    textCell(item.details),
  ],
} as const

export const majorInactiveProblems = listing({
  ...inactiveProblemTable,
  title: 'Major Inactive Problems and Issues',
  id: 'prb-tab-majinact',
  items: ({ patient }) => patient.problems.filter((item) => item.status === 'inactive' && isMajor(item)),
})

export const otherInactiveProblems = listing({
  ...inactiveProblemTable,
  title: 'Other Inactive Problems and Issues',
  id: 'prb-tab-othinact',
  items: ({ patient }) => patient.problems.filter((item) => item.status === 'inactive' && !isMajor(item)),
})

/** As 0.5 had it (§7.9). */
export const inactiveProblems = listing({
  ...inactiveProblemTable,
  title: 'Inactive Problems and Issues',
  id: '',
  items: ({ patient }) => patient.problems.filter((item) => item.status === 'inactive'),
})

/** In the summary alone, and only where the practice has switched it on: the latest entry of every group of its list. */
export const emergencyCodes = listing({
  title: 'Emergency Codes',
  id: 'cli-tab',
  section: 'CLI',
  columns: ['Date', 'Entry', 'Details', 'Location of further information'],
  period: 'none',
  items({ patient, practice }) {
    const groupOf = new Map(practice.emergencyCodes.codes.map(({ code, group }) => [code, group ?? `code ${code}`]))
    const latest = new Map<string, (typeof patient.emergencyCodes)[number]>()
    const confidential = []
    for (const item of patient.emergencyCodes) {
      const group = groupOf.get(item.code)
      if (group === undefined) continue
      if (item.confidential) confidential.push(item)
      else if (item.date > (latest.get(group)?.date ?? '')) latest.set(group, item)
    }
    return [...latest.values(), ...confidential]
  },
  sortedBy: (item) => item.date,
  cells: (item) => [dateCell(item.date), textCell(item.entry), textCell(item.details), textCell(item.location)],
})
