/** How rows of other areas are referred to by consultations and problems (§9.5). */
import type { SwitchableArea } from '../../record/areas.ts'
import { type RowKind, rowsById } from '../../record/links.ts'
import { once } from '../context.ts'

/** What may stand where an item would: a reference, or why there is none. */
export type ItemReference = { readonly reference: string } | { readonly display: string }

/** The area of each kind of row, and what its items are called where they are left out. */
const kinds: Readonly<Record<RowKind, { readonly area: SwitchableArea; readonly title: string }>> = {
  encounters: { area: 'consultations', title: 'Consultation' },
  clinicalItems: { area: 'uncategorised', title: 'Uncategorised data' },
  adminItems: { area: 'uncategorised', title: 'Uncategorised data' },
  observations: { area: 'uncategorised', title: 'Uncategorised data' },
  allergies: { area: 'allergies', title: 'Allergies and adverse reactions' },
  immunisations: { area: 'immunisations', title: 'Immunisation' },
  referrals: { area: 'referrals', title: 'Referral' },
  problems: { area: 'problems', title: 'Problem' },
  medications: { area: 'medication', title: 'Medications and medical devices' },
  investigations: { area: 'investigations', title: 'Investigation' },
  diaryEntries: { area: 'diary', title: 'Diary entry' },
  documents: { area: 'documents', title: 'Document' },
}

/** How the items of a kind are called. */
export const titleOf = (kind: RowKind): string => kinds[kind].title

/** How the row with an id is referred to; undefined when there is none that may be shown. */
export const referencesTo = once((context): ((id: string) => ItemReference | undefined) => {
  const rows = rowsById(context.patient)
  const ended = new Set(
    context.patient.allergies.flatMap(({ id, endDate }) =>
      id !== undefined && endDate !== undefined && endDate <= context.today ? [id] : [],
    ),
  )
  return (id) => {
    const row = rows.get(id)
    if (row === undefined || context.shareable([{ row, id }]).withheld) return undefined
    const { area, title } = kinds[row.kind]
    if (context.disabled(area)) return { display: `${title} items have been disabled` }
    switch (row.kind) {
      case 'documents':
        return context.documents === undefined
          ? { display: `${title} items are not supported by the provider system` }
          : { reference: `DocumentReference/${id}` }
      case 'allergies':
        // A resolved allergy is found inside its own list alone.
        return { reference: ended.has(id) ? `#${id}` : `AllergyIntolerance/${id}` }
      case 'medications':
        // An item is the plan, or the order that was issued.
        return { reference: `MedicationRequest/${row.issue ? id : context.partOf(id, 'plan')}` }
      default:
        return { reference: `${types[row.kind]}/${id}` }
    }
  }
})

const types = {
  encounters: 'Encounter',
  clinicalItems: 'Observation',
  adminItems: 'Observation',
  observations: 'Observation',
  immunisations: 'Immunization',
  referrals: 'ReferralRequest',
  problems: 'Condition',
  investigations: 'DiagnosticReport',
  diaryEntries: 'ProcedureRequest',
} as const
