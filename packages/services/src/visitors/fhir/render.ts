import { bundle, type FhirOutcome, outcomeResource, type Resource } from '@openspine/standards/fhir'
import { observationCode } from '../checks.ts'
import { categories, type RecordedStatus } from '../contract.ts'

const profile = 'https://fhir.nhs.uk/StructureDefinition/'
const componentSystem = 'https://fhir.nhs.uk/spine-vm-observation-component-1'
const basicDisplays = { Y: 'Chargeable', N: 'Not chargeable', U: 'Unknown' } as const

const component = (code: string, display: string, value: { system: string; code: string; display: string }) => ({
  code: { coding: [{ system: componentSystem, code, display }] },
  valueCodeableConcept: { coding: [value] },
})

/** With the offset of UTC, as the published examples have it. */
const dateTime = (at: number) => `${new Date(at).toISOString().slice(0, 19)}+00:00`

/** The Observation of §25. `nhsNumber` is that of the retained record. */
export function observation(status: RecordedStatus, nhsNumber: string) {
  const { id, version, effectiveAt, basic, category } = status
  return {
    resourceType: 'Observation',
    id,
    meta: { versionId: String(version), profile: [`${profile}spine-vm-observation-1`] },
    status: 'final',
    code: { coding: [{ ...observationCode, display: 'Visitors and Migrants status observation' }] },
    subject: { reference: `Patient/${nhsNumber}` },
    effectiveDateTime: dateTime(effectiveAt),
    component: [
      component('BASIC_CHARGEABLE_STATUS', 'Basic Chargeable Status', {
        system: 'https://fhir.nhs.uk/spine-chargeable-status-1',
        code: basic,
        display: basicDisplays[basic],
      }),
      component('CATEGORY_CHARGEABLE_STATUS', 'Category Chargeable Status', {
        system: 'https://fhir.nhs.uk/spine-category-status-1',
        code: category,
        display: categories[category],
      }),
    ],
  } satisfies Resource & Record<string, unknown>
}

/** The searchset that every answer to a search is: with exactly one entry. */
export function answerBundle(resource: Resource, about: { readonly id: string; readonly base: string }) {
  const { resourceType, id } = resource
  const found = resourceType === 'Observation'
  return bundle({
    id: about.id,
    type: 'searchset',
    total: found ? 1 : 0,
    entries: [
      {
        ...(found ? { fullUrl: `${about.base}/Observation/${id}` } : {}),
        resource,
        search: { mode: found ? 'match' : 'outcome' },
      },
    ],
  })
}

export const outcomeEntry = (outcome: FhirOutcome, id: string): Resource =>
  outcomeResource(outcome, { id, profile: `${profile}spine-operationoutcome-1` })

/** What GET metadata answers. */
export function conformance(about: { readonly date: string; readonly version: string; readonly base: string }) {
  return {
    resourceType: 'Conformance',
    url: `${about.base}/metadata`,
    version: about.version,
    name: 'Visitors and Migrants',
    status: 'active',
    publisher: 'OpenSpine',
    date: about.date,
    description: 'Chargeable status of overseas visitors and migrants, by NHS number.',
    kind: 'instance',
    software: { name: 'OpenSpine', version: about.version },
    fhirVersion: '1.0.2',
    acceptUnknown: 'no',
    format: ['application/json+fhir', 'application/xml+fhir'],
    rest: [
      {
        mode: 'server',
        resource: [
          {
            type: 'Observation',
            profile: { reference: `${profile}spine-vm-observation-1` },
            interaction: [{ code: 'search-type' }],
            searchParam: [
              { name: 'subject', type: 'reference', target: ['Patient'], chain: ['identifier'] },
              { name: 'code', type: 'token' },
            ],
          },
        ],
      },
    ],
  } satisfies Resource & Record<string, unknown>
}
