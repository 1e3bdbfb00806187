/** Allergies (§9.3): active ones as entries of the bundle, resolved ones inside their list alone. */
import type { Extension } from '@openspine/standards/fhir'
import type { Allergy } from '../record/model.ts'
import { type Area, flag, type IdentifiedResource, type ListContent } from './area.ts'
import type { Context } from './context.ts'
import { careConnect, concept, identifier, legible, profiled } from './elements.ts'
import type { Identified } from './identity.ts'

/** What is said of an end whose reason nobody recorded. */
const noInformation = 'No information available'

/** Of a reaction of which it is not known how it shows. */
const unknownManifestation = {
  coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'NI', display: 'NoInformation' }],
}

export const allergies: Area = {
  name: 'allergies',
  title: 'Allergies and adverse reactions',
  parameter: 'includeAllergies',
  since: '1.2',
  parts: [{ name: 'includeResolvedAllergies', type: 'boolean', required: true }],
  whole: { includeResolvedAllergies: true },
  build(query, context) {
    const { only } = query
    const rows = context
      .identified('allergies', context.patient.allergies, ({ details, startDate }) => [details, startDate])
      .filter(({ id }) => only === undefined || only.ids.has(id))
    const active = context.shareable(rows.filter(({ row }) => !isResolved(row, context)))
    const ended = context.shareable(rows.filter(({ row }) => isResolved(row, context)))
    const resolved = ended.shown.map((one) => allergyResource(one, context))
    const endedList: ListContent = {
      kind: 'endedAllergies',
      entries: resolved.map(({ id }) => `#${id}`),
      contained: resolved,
      withheld: ended.withheld,
    }
    const activeList: ListContent = {
      kind: 'allergies',
      entries: active.shown.map(({ id }) => `AllergyIntolerance/${id}`),
      withheld: active.withheld,
    }
    const secondary = (list: ListContent): ListContent => (only === undefined ? list : { ...list, within: only.within })
    const withEnded = only === undefined && flag(query, 'includeResolvedAllergies', false)
    // Linked resolved allergies stand in their own list too, where a reader looks for what has ended.
    const linkedEnded = only !== undefined && (resolved.length > 0 || ended.withheld)
    return {
      resources: active.shown.map((one) => allergyResource(one, context)),
      lists: [
        secondary(activeList),
        ...(withEnded || linkedEnded ? [endedList] : []),
        ...(only === undefined ? [] : [secondary(endedList)]),
      ],
      shown: [...active.shown, ...(withEnded || linkedEnded ? ended.shown : [])].map(({ id }) => id),
    }
  },
}

/** One that ends tomorrow is active today. */
function isResolved({ endDate }: Allergy, { today }: Context): boolean {
  return endDate !== undefined && endDate <= today
}

function allergyResource({ row, id }: Identified<Allergy>, context: Context): IdentifiedResource {
  const { codes, category, details, startDate, endDate, recordedDate, recordedBy, assertedBy, lifeThreatening } = row
  const { registrationDate, birthDate } = context.patient
  const resolved = isResolved(row, context)
  const reaction = reactionOf(row)
  const resource = {
    resourceType: 'AllergyIntolerance',
    id,
    meta: profiled('AllergyIntolerance'),
    ...(resolved ? { extension: [ended(row)] } : {}),
    identifier: identifier(id, context),
    clinicalStatus: resolved ? 'resolved' : 'active',
    verificationStatus: 'unconfirmed',
    category: [category],
    ...(lifeThreatening ? { criticality: 'high' } : {}),
    code: concept(codes, codes[0]?.display ?? details, category === 'medication' ? 'drugAllergy' : 'otherAllergy'),
    patient: context.subject,
    ...(startDate === undefined ? {} : { onsetDateTime: startDate }),
    // Mandatory; where nobody wrote it down, the earliest day that the record can tell of.
    assertedDate: recordedDate ?? startDate ?? registrationDate ?? endDate ?? birthDate,
    recorder: context.practitioner(recordedBy),
    ...(assertedBy === undefined ? {} : { asserter: context.practitioner(assertedBy) }),
    ...(codes.length === 0 ? {} : { note: [{ text: legible(details) }] }),
    ...(reaction === undefined ? {} : { reaction: [reaction] }),
  }
  return resource
}

function ended({ endDate, reasonEnded }: Allergy): Extension {
  return {
    url: careConnect('AllergyIntoleranceEnd'),
    extension: [
      { url: 'endDate', valueDateTime: endDate },
      { url: 'reasonEnded', valueString: reasonEnded ?? noInformation },
    ],
  }
}

/** Life-threatening ones are severe, whatever else is known of the reaction. */
function reactionOf({ reaction, lifeThreatening }: Allergy): object | undefined {
  if (reaction === undefined && !lifeThreatening) return undefined
  const { manifestation, severity, description, exposureRoute } = reaction ?? {}
  const degree = lifeThreatening ? 'severe' : severity
  return {
    manifestation: [manifestation === undefined ? unknownManifestation : { coding: [manifestation] }],
    ...(description === undefined ? {} : { description }),
    ...(degree === undefined ? {} : { severity: degree }),
    ...(exposureRoute === undefined ? {} : { exposureRoute: { coding: [exposureRoute] } }),
  }
}
