import type { ReadBundle } from './bundle.ts'
import { conceptText, first, type Json, list, object, present, text } from './json.ts'

/** Areas of a structured record, by the SNOMED code of their list (§9.2). */
export const recordAreas = {
  '886921000000105': 'allergies',
  '1103671000000101': 'endedAllergies',
  '933361000000108': 'medication',
  '1149501000000101': 'consultations',
  '717711000000103': 'problems',
  '1102181000000102': 'immunisations',
  '826501000000100': 'uncategorised',
  '887191000000108': 'investigations',
  '792931000000107': 'referrals',
  '714311000000108': 'diary',
} as const

export type RecordArea = (typeof recordAreas)[keyof typeof recordAreas]

/** Lists that order the inside of one consultation: consultation, topic, heading. They are no area. */
const insideConsultation = new Set(['325851000000107', '25851000000105', '24781000000107'])

export interface RecordList {
  /** Absent for a secondary list ("Consultations - medications contained in consultations"). */
  readonly area?: RecordArea
  readonly code: string
  readonly title: string
  /** `confidential-items`, `data-in-transit`, `data-awaiting-filing`, or what comes later. What is listed is then not all there is. */
  readonly warnings: readonly string[]
  /** Texts to show unchanged: those of the warnings, and others. */
  readonly notes: readonly string[]
  /** Why there is nothing in it. */
  readonly emptyReason?: string
  readonly items: readonly RecordItem[]
  /** The List resource. */
  readonly resource: Json
}

export interface RecordItem {
  readonly reference?: string
  /** Stands where the resource may not be shown, for example "Consultations items have been disabled". */
  readonly display?: string
  readonly resource?: Json
}

/** The lists of a bundle in its order, their references resolved; ended allergies are contained in their list. */
export function recordLists(bundle: ReadBundle): readonly RecordList[] {
  return bundle.ofType('List').flatMap((resource) => {
    const coding = first(object(resource['code'])['coding'])
    const code = text(coding['code']) ?? ''
    if (insideConsultation.has(code)) return []
    const area = Object.hasOwn(recordAreas, code) ? recordAreas[code as keyof typeof recordAreas] : undefined
    return [
      present({
        area,
        code,
        title: text(resource['title']) ?? text(coding['display']) ?? code,
        warnings: list(resource['extension'])
          .map(object)
          .filter(({ url }) => text(url)?.includes('ListWarningCode') === true)
          .flatMap(({ valueCode }) => text(valueCode) ?? []),
        notes: list(resource['note']).flatMap((note) => text(object(note)['text']) ?? []),
        emptyReason: resource['emptyReason'] === undefined ? undefined : conceptText(resource['emptyReason']),
        items: list(resource['entry']).map((entry) => {
          const item = object(object(entry)['item'])
          const reference = text(item['reference'])
          return present({ reference, display: text(item['display']), resource: bundle.resolve(reference, resource) })
        }),
        resource,
      }),
    ]
  })
}
