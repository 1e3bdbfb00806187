/** Elements that the resources of several areas share (§9.5). */
import type { AnyResource, CodeableConcept, Extension, Reference } from '@openspine/standards/fhir'
import type { Day } from '../../record/dates.ts'
import { itemsOf } from '../../record/links.ts'
import type { CodedText, Party, Quantity, Range } from '../../record/structure.ts'
import { definition, systems } from '../../stu3/systems.ts'
import type { AreaQuery, AreaResult, IdentifiedResource } from '../area.ts'
import { type Context, once } from '../context.ts'
import { identifier, legible, profiled } from '../elements.ts'
import type { Identified } from '../identity.ts'
import type { ListKind } from '../lists.ts'

/** URL of an extension of the CareConnect profiles that HL7 UK publishes: problems and immunisations have these. */
export const careConnectHl7 = (name: string): string =>
  `https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-${name}-1`

export const commentNote: CodeableConcept = {
  coding: [{ system: systems.snomed, code: '37331000000100', display: 'Comment note' }],
}

/** A resource as it is written: what is undefined or empty is not there, and text is such as XML can carry. */
export function made(resource: AnyResource & { readonly id: string }): IdentifiedResource {
  return written(resource) as IdentifiedResource
}

function written(value: unknown): unknown {
  if (typeof value === 'string') return legible(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) {
      const kept = written(item)
      if (kept !== undefined) items.push(kept)
    }
    return items.length === 0 ? undefined : items
  }
  let result: Record<string, unknown> | undefined
  for (const name of Object.keys(value)) {
    const kept = written((value as Record<string, unknown>)[name])
    if (kept === undefined) continue
    result ??= {}
    result[name] = kept
  }
  return result
}

/** `id`, profile and identifier of a resource of a CareConnect GPC profile. */
export function heading(context: Context, resourceType: string, id: string, profile: string = resourceType) {
  return { resourceType, id, meta: profiled(profile), identifier: identifier(id, context) }
}

export function words({ text, codes }: CodedText): CodeableConcept {
  return { coding: codes, text }
}

export function quantityOf({ value, comparator, unit, ucum }: Quantity): object {
  return {
    value,
    comparator,
    unit,
    ...(ucum === undefined ? {} : { system: 'http://unitsofmeasure.org', code: ucum }),
  }
}

/** Bounds as quantities; what has an operator stands in `text`, because a bound has none. */
export function rangeOf(range: Range | undefined, text?: string): readonly object[] | undefined {
  if (range === undefined) return text === undefined ? undefined : [{ text }]
  const bound = (value: number | undefined) => (value === undefined ? undefined : { value, unit: range.unit })
  return [{ low: bound(range.low), high: bound(range.high), text: range.text ?? text }]
}

/** A day or a moment as the instant that some elements must have: a day is its first moment. */
export function instantOf(when: string): string {
  return when.length === 10 ? `${when}T00:00:00+00:00` : when
}

/** What is known beside the elements, as the field writes it: `Part: Booster`. */
export function notes(...texts: readonly (string | undefined | readonly [string, string | undefined])[]) {
  const lines = texts.flatMap((text) => {
    if (text === undefined || typeof text === 'string') return text === undefined || text === '' ? [] : [text]
    const [label, value] = text
    return value === undefined ? [] : [`${label}: ${value}`]
  })
  return lines.length === 0 ? undefined : [{ text: lines.join('\n') }]
}

/** Whom a row names, and the resource that has to be made for somebody from outside the practice. */
export function partyOf(
  party: Party,
  context: Context,
  ownerId: string,
): { readonly reference: Reference; readonly resources: readonly IdentifiedResource[] } {
  if ('practitioner' in party) return { reference: context.practitioner(party.practitioner), resources: [] }
  if ('service' in party) {
    const id = context.partOf(ownerId, 'service', party.service.name)
    const resource = made({
      resourceType: 'HealthcareService',
      id,
      meta: { profile: ['https://fhir.hl7.org.uk/STU3/StructureDefinition/CareConnect-HealthcareService-1'] },
      name: party.service.name,
    })
    return { reference: { reference: `HealthcareService/${id}` }, resources: [resource] }
  }
  const { odsCode, name } = party.organisation
  if (odsCode !== undefined && odsCode === context.held.practice.odsCode)
    return { reference: context.organization, resources: [] }
  const id = odsCode ?? context.partOf(ownerId, 'organisation', name)
  const resource = made({
    resourceType: 'Organization',
    id,
    meta: { profile: [definition('CareConnect-GPC-Organization-1')] },
    identifier: odsCode === undefined ? [] : [{ system: systems.odsOrganisation, value: odsCode }],
    name,
  })
  return { reference: { reference: `Organization/${id}` }, resources: [resource] }
}

/** Encounters of the record with their lasting ids. */
export const encountersOf = once((context) =>
  context.identified('consultations', context.patient.encounters, ({ date, title }) => [date, title]),
)

/** The consultation in which each item was recorded, as resources refer to it; the first that has it. */
export const consultationsByItem = once((context): ((itemId: string) => Reference | undefined) => {
  const found = new Map<string, Reference>()
  for (const { row, id } of encountersOf(context))
    for (const item of itemsOf(row)) if (!found.has(item)) found.set(item, { reference: `Encounter/${id}` })
  return (itemId) => found.get(itemId)
})

/** One simple extension. */
export const extension = (url: string, value: object): Extension => ({ url, ...value })

/** The part of an area whose list holds one entry for each row. */
export function listed<Row extends { readonly confidential?: boolean | undefined }>(
  { kind, type }: { readonly kind: ListKind; readonly type: string },
  query: AreaQuery,
  context: Context,
  rows: readonly Identified<Row>[],
  wanted: (row: Row) => boolean,
  resources: (row: Identified<Row>) => readonly IdentifiedResource[],
): AreaResult {
  const { only } = query
  const chosen = rows.filter(({ row, id }) => (only === undefined ? wanted(row) : only.ids.has(id)))
  const { shown, withheld } = context.shareable(chosen)
  return {
    resources: shown.flatMap(resources),
    lists: [
      {
        kind,
        ...(only === undefined ? {} : { within: only.within }),
        entries: shown.map(({ id }) => `${type}/${id}`),
        withheld,
      },
    ],
    shown: shown.map(({ id }) => id),
  }
}

/** The first of some dates that is known; the start of the registration where none is, for elements that must stand. */
export function firstKnown(context: Context, ...dates: readonly (string | undefined)[]): Day | undefined {
  return dates.find((date) => date !== undefined) ?? context.patient.registrationDate
}
