/** Uncategorised data (§9.5): Observations of every entry that belongs to no other area, and of consultations' words. */
import type { CodeableConcept } from '@openspine/standards/fhir'
import type { Observed } from '../../record/clinical.ts'
import { within } from '../../record/dates.ts'
import { systems } from '../../stu3/systems.ts'
import { type Area, rangeOf as daysOf, type IdentifiedResource } from '../area.ts'
import { type Context, once } from '../context.ts'
import { concept } from '../elements.ts'
import type { Identified } from '../identity.ts'
import { titleOf } from './references.ts'
import {
  commentNote,
  consultationsByItem,
  encountersOf,
  heading,
  instantOf,
  listed,
  made,
  quantityOf,
  rangeOf,
  words,
} from './writing.ts'

/** An entry, or words of a consultation that stand for themselves. */
type Uncategorised = Observed & { readonly narrative?: { readonly encounter: string } }

/** Id of the n-th words of a consultation; those of one without topics are the only ones. */
export function narrativeId(context: Context, encounterId: string, ...place: readonly (string | number)[]): string {
  return context.partOf(encounterId, 'narrative', ...place.map(String))
}

/** The words of consultations, which are comment notes. */
function narratives(context: Context): readonly Identified<Uncategorised>[] {
  return encountersOf(context).flatMap(({ row, id }) => {
    const { date, start, confidential, recordedDate, recordedBy, practitioner, topics, details } = row
    const note = (text: string, ...place: readonly (string | number)[]): Identified<Uncategorised> => ({
      id: narrativeId(context, id, ...place),
      row: {
        date,
        moment: start,
        entry: '',
        details: text,
        codes: [],
        components: [],
        members: [],
        confidential,
        recordedDate,
        recordedBy,
        performer: practitioner,
        narrative: { encounter: id },
      },
    })
    if (topics.length === 0) return details === undefined || details.trim() === '' ? [] : [note(details)]
    return topics.flatMap((topic, i) => [
      ...topic.items.flatMap((item, k) => ('text' in item ? [note(item.text, i, k)] : [])),
      ...topic.headings.flatMap((heading, j) =>
        heading.items.flatMap((item, k) => ('text' in item ? [note(item.text, i, j, k)] : [])),
      ),
    ])
  })
}

const rowsOf = once((context): readonly Identified<Uncategorised>[] => {
  const { clinicalItems, adminItems, observations } = context.patient
  const rows: readonly Uncategorised[] = [...observations, ...clinicalItems, ...adminItems]
  return [
    ...context.identified('uncategorised', rows, ({ date, entry, value, details }) => [date, entry, value, details]),
    ...narratives(context),
  ]
})

/** Of a reading in parts that has no code of its own. */
const bloodPressure: CodeableConcept = {
  coding: [{ system: systems.snomed, code: '75367002', display: 'Blood pressure' }],
}

function codeOf({ narrative, codes, entry, components }: Uncategorised): CodeableConcept {
  if (narrative !== undefined) return commentNote
  if (codes.length === 0 && components.length > 0) return { ...bloodPressure, text: entry }
  return concept(codes, entry, 'other')
}

/** Makes Observations, which know the headers they stand under; each is made once. */
const observationsOf = once((context) => {
  const kept = new Map<string, IdentifiedResource>()
  const encounterOf = consultationsByItem(context)
  const headers = new Map<string, string[]>()
  for (const { row, id } of rowsOf(context))
    for (const member of row.members) headers.set(member, [...(headers.get(member) ?? []), id])
  const observation = ({ row, id }: Identified<Uncategorised>): IdentifiedResource => {
    const { date, moment, quantity, value, referenceRange, range, interpretation, components, members } = row
    const related = (type: string) => (target: string) => ({ type, target: { reference: `Observation/${target}` } })
    return made({
      ...heading(context, 'Observation', id),
      status: 'final',
      code: codeOf(row),
      subject: context.subject,
      context: row.narrative === undefined ? encounterOf(id) : { reference: `Encounter/${row.narrative.encounter}` },
      effectiveDateTime: moment ?? date,
      issued: instantOf(row.recordedDate ?? moment ?? date),
      performer: [context.practitioner(row.performer ?? row.recordedBy)],
      ...(quantity === undefined ? { valueString: value } : { valueQuantity: quantityOf(quantity) }),
      interpretation: interpretation && words(interpretation),
      comment: row.details === '' ? undefined : row.details,
      referenceRange: rangeOf(referenceRange, range),
      related: [...members.map(related('has-member')), ...(headers.get(id) ?? []).map(related('derived-from'))],
      component: components.map((component) => ({
        code: concept(component.codes, component.entry, 'other'),
        valueQuantity: component.quantity && quantityOf(component.quantity),
        interpretation: component.interpretation && words(component.interpretation),
        referenceRange: rangeOf(component.referenceRange),
      })),
    })
  }
  return (row: Identified<Uncategorised>): IdentifiedResource => {
    const known = kept.get(row.id) ?? observation(row)
    kept.set(row.id, known)
    return known
  }
})

export const uncategorised: Area = {
  name: 'uncategorised',
  title: titleOf('observations'),
  parameter: 'includeUncategorisedData',
  since: '1.5',
  parts: [{ name: 'uncategorisedDataSearchPeriod', type: 'period', bound: 'untilToday' }],
  whole: {},
  build(query, context) {
    const rows = rowsOf(context)
    const days = daysOf(query, 'uncategorisedDataSearchPeriod')
    const observation = observationsOf(context)
    return listed(
      { kind: 'uncategorised', type: 'Observation' },
      query,
      context,
      rows,
      ({ date }) => within(date, days),
      (row) => [observation(row)],
    )
  },
}

/** Consent to and dissent from immunisation, as Observations. */
export function immunisationStatuses(context: Context): {
  readonly resources: readonly IdentifiedResource[]
  readonly shown: readonly string[]
  readonly withheld: boolean
} {
  const rows = rowsOf(context)
  const { shown, withheld } = context.shareable(rows.filter(({ row }) => row.immunisationStatus !== undefined))
  return { resources: shown.map(observationsOf(context)), shown: shown.map(({ id }) => id), withheld }
}
