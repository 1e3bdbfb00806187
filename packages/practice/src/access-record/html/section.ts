/** One section of the access record as an XHTML division (§7.4, §7.5). */
import { type Day, type DayRange, displayDay, monthsBefore } from '../../record/dates.ts'
import type { PatientRecord, PracticeRecord } from '../../record/model.ts'
import { type SectionCode, sections } from '../../record/sections.ts'
import * as clinical from './clinical-tables.ts'
import { editionOf } from './editions.ts'
import { banner, division, heading, type Markup, narrative, notice, table } from './markup.ts'
import type { TableDefinition, View } from './table-definition.ts'

export interface SectionRequest {
  readonly practice: PracticeRecord
  readonly patient: PatientRecord
  readonly section: SectionCode
  /** What the consumer asked for; undefined: nothing. Never given for ALL, IMM and SUM. */
  readonly period: DayRange | undefined
  /** Today in the United Kingdom. */
  readonly today: Day
  /** Whether a period with one bound has its date in quotation marks: acceptance tests do, the page does not. */
  readonly quoteSingleDates: boolean
}

/** The content of `Composition.section.text.div`: one line, well-formed, whatever the record holds. */
export function renderSection(request: SectionRequest): string {
  const { practice, patient, section } = request
  const edition = editionOf(practice.specificationVersion)
  const tables = edition.tables[section].filter(
    (it) => it !== clinical.emergencyCodes || (practice.emergencyCodes.on && edition.emergencyCodes),
  )
  const own = practice.sections[section]?.contentBanner
  const parts: Markup[] = [heading(edition.heading, sections[section].title)]
  if (patient.inTransit && patient.registrationDate !== undefined) {
    const since = displayDay(patient.registrationDate)
    parts.push(
      banner(
        'gptransfer-banner',
        `Patient record transfer from previous GP practice not yet complete; information recorded before ${since} may be missing`,
      ),
    )
  }
  if (own !== undefined) parts.push(banner('content-banner', own))
  const [only] = tables
  if (section !== 'SUM' && tables.length === 1 && only !== undefined) parts.push(...tableParts(only, request))
  else for (const it of tables) parts.push(division([heading(2, it.title), ...tableParts(it, request)]))
  return edition.finish(narrative(parts))
}

function tableParts(definition: TableDefinition, request: SectionRequest): Markup[] {
  const { practice, patient, section, period, today } = request
  const { title, id, columns } = definition
  const settings = practice.sections[definition.section]
  const parts: Markup[] = []
  // Under its own section the banner already stands below the title; it is never said twice.
  if (settings?.contentBanner !== undefined && definition.section !== section)
    parts.push(banner('content-banner', settings.contentBanner))
  if (definition === clinical.emergencyCodes && practice.emergencyCodes.banner !== undefined)
    parts.push(banner('content-banner', practice.emergencyCodes.banner))

  if (settings?.availability === 'not-supported')
    return [...parts, notice(`'${title}' data is not supported by this system.`)]
  if (settings?.availability === 'not-retrievable')
    return [...parts, notice(`This system does not support retrieval of '${title}' data.`, elsewhere)]
  if (patient.deniedSections.includes(definition.section))
    return [...parts, notice(`Access is denied to '${title}' data for this patient.`, elsewhere)]

  const supportsPeriod = sections[section].period
  const months = settings?.defaultPeriodMonths
  const byDefault =
    supportsPeriod && period === undefined && months !== undefined && definition.period === 'filters'
      ? { first: monthsBefore(today, months) }
      : undefined
  const view: View = { practice, patient, today, range: supportsPeriod ? (period ?? byDefault) : undefined }
  const { rows, excluded, banners } = definition.select(view)

  for (const words of banners) parts.push(banner('content-banner', words))
  if (supportsPeriod)
    parts.push(banner('date-banner', dateWords(definition, period, byDefault, request.quoteSingleDates)))
  if (excluded)
    parts.push(banner('exclusion-banner', 'Items excluded due to confidentiality and/or patient preferences'))
  parts.push(rows.length === 0 ? notice(`No '${title}' data is recorded for this patient.`) : table(id, columns, rows))
  return parts
}

const elsewhere = 'This data may still exist in the source system.'

function dateWords(
  definition: TableDefinition,
  period: DayRange | undefined,
  byDefault: { readonly first: Day } | undefined,
  quoted: boolean,
): string {
  if (byDefault !== undefined) return `All data items from ${displayDay(byDefault.first)}`
  if (period === undefined) return 'All relevant items'
  if (definition.period === 'complete') return 'Date filter not applied'
  const shown = (day: Day): string => (quoted ? `'${displayDay(day)}'` : displayDay(day))
  if (period.first !== undefined && period.last !== undefined)
    return `For the period '${displayDay(period.first)}' to '${displayDay(period.last)}'`
  if (period.first !== undefined) return `Data items from ${shown(period.first)}`
  return period.last === undefined ? 'All relevant items' : `Data items until ${shown(period.last)}`
}
