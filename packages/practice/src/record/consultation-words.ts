/** Consultations in words, as a table shows them whose system wrote topics and no summary. */
import type { ConsultationItem, Encounter } from './clinical.ts'
import type { PatientRecord } from './model.ts'
import type { SectionCode } from './sections.ts'

interface Named {
  readonly words: string
  readonly confidential: boolean
  /** The section that shows the row itself. */
  readonly section?: SectionCode
}

/**
 * What a consultation says by its topics, a line for each topic or heading: its title, and the words and items under
 * it. Items that are kept back, and those of sections that are denied, are not named. The record is gone through once.
 */
export function wordsOfTopics(patient: PatientRecord): (encounter: Encounter) => string | undefined {
  let held: ReadonlyMap<string, Named> | undefined
  const shown = (item: ConsultationItem): readonly string[] => {
    if ('text' in item) return [item.text]
    held ??= namedRows(patient)
    const named = held.get(item.item)
    if (named === undefined || named.confidential) return []
    return named.section !== undefined && patient.deniedSections.includes(named.section) ? [] : [named.words]
  }
  const line = (title: string | undefined, items: readonly ConsultationItem[]): readonly string[] => {
    const words = items.flatMap(shown).join('; ')
    if (title === undefined) return words === '' ? [] : [words]
    return [words === '' ? title : `${title}: ${words}`]
  }
  return ({ topics }) => {
    const lines = topics.flatMap(({ title, headings, items }) => [
      ...line(title, items),
      ...headings.flatMap((heading) => line(heading.title, heading.items)),
    ])
    return lines.length === 0 ? undefined : lines.join('\n')
  }
}

function namedRows(patient: PatientRecord): ReadonlyMap<string, Named> {
  const rows = new Map<string, Named>()
  const add = <Row extends { readonly id?: string | undefined; readonly confidential?: boolean | undefined }>(
    all: readonly Row[],
    words: (row: Row) => string | undefined,
    section?: SectionCode,
  ): void => {
    for (const row of all) {
      const said = words(row)
      if (row.id === undefined || said === undefined || said === '') continue
      rows.set(row.id, {
        words: said,
        confidential: row.confidential ?? false,
        ...(section === undefined ? {} : { section }),
      })
    }
  }
  const entry = (row: { readonly entry: string }) => row.entry
  add(patient.clinicalItems, entry, 'CLI')
  add(patient.adminItems, entry, 'ADM')
  add(patient.observations, (row) => [row.entry, row.value].filter((part) => part !== undefined).join(' '), 'OBS')
  add(patient.allergies, ({ details }) => details, 'ALL')
  add(patient.immunisations, ({ vaccination }) => vaccination, 'IMM')
  add(patient.referrals, ({ to }) => to, 'REF')
  add(patient.problems, entry, 'PRB')
  for (const { issues, ...medication } of patient.medications) {
    const { item, confidential } = medication
    add([medication], () => item, 'MED')
    add(
      issues.map(({ id }) => ({ id, confidential })),
      () => item,
      'MED',
    )
  }
  add(patient.investigations, entry)
  add(patient.diaryEntries, entry)
  add(patient.documents, ({ description, type }) => description ?? type.text)
  return rows
}
