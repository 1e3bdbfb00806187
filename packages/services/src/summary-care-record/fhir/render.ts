/** What the wire shows. */
import { type BundleEntry, bundle, type Resource } from '@openspine/standards/fhir'
import { asJson, defined, items, type Json } from '@openspine/standards/fhir/untrusted'
import { namingSystem } from '@openspine/standards/nhs'
import { subjectParameter, summaryParameter, summaryType } from '../checks.ts'
import type { Found } from '../operations.ts'
import type { ScrOutcome } from '../outcomes.ts'
import { permissionSystem } from '../permission.ts'

const nhsNumberSystem = namingSystem.fhirNhsUk.nhsNumber
const generalPracticeSummary = { coding: [{ ...summaryType, display: 'General Practice Summary' }] }

/** Ids of an answer, and the base of its URLs. */
export interface Rendering {
  readonly base: string
  newId(): string
}

/** What a search answers: the latest summary with the permission to view, and the patient; nothing where there is none. */
export function latestSummary({ nhsNumber, permission, latest }: Found, { base, newId }: Rendering): Resource {
  if (latest === undefined) return bundle({ id: newId(), type: 'searchset', entries: [] })
  const [id, patient] = [newId(), newId()]
  const reference = {
    resourceType: 'DocumentReference',
    id,
    masterIdentifier: { system: 'https://fhir.nhs.uk/Id/nhsSCRUUID', value: latest.id },
    status: 'current',
    type: generalPracticeSummary,
    subject: { reference: `Patient/${patient}` },
    securityLabel: [{ coding: [{ system: permissionSystem, code: permission }] }],
    content: [
      {
        attachment: {
          url: `${base}/Bundle?${summaryParameter}=${latest.id}&${subjectParameter}=${nhsNumberSystem}|${nhsNumber}`,
        },
      },
    ],
    context: { event: [generalPracticeSummary] },
  } as Resource
  const subject = {
    resourceType: 'Patient',
    id: patient,
    identifier: [{ system: nhsNumberSystem, value: nhsNumber }],
  } as Resource
  return bundle({
    id: newId(),
    type: 'searchset',
    total: 1,
    entries: [
      { fullUrl: `${base}/DocumentReference/${id}`, resource: reference, search: { mode: 'match' } },
      // As published: the id alone.
      { fullUrl: patient, resource: subject },
    ],
  })
}

/** The document as it is shown: as it was uploaded, as a searchset, about the number that the patient has now. */
export function summaryDocument(document: Resource, nhsNumber: string, { base, newId }: Rendering): Resource {
  const { id, identifier, timestamp, entry } = document as Resource & Json
  const entries = items(entry).map((each): BundleEntry => {
    const resource = asJson(each['resource'])
    const shown = resource['resourceType'] === 'Patient' ? withNumber(resource, nhsNumber) : resource
    const { resourceType, id: own } = shown
    const fullUrl = typeof own === 'string' ? `${base}/${resourceType}/${own}` : each['fullUrl']
    return { ...(typeof fullUrl === 'string' ? { fullUrl } : {}), resource: shown as unknown as Resource }
  })
  return defined({
    resourceType: 'Bundle',
    id: typeof id === 'string' ? id : newId(),
    identifier,
    type: 'searchset',
    timestamp,
    total: entries.length,
    entry: entries,
  }) as Resource
}

const withNumber = (patient: Json, nhsNumber: string): Json => ({
  ...patient,
  identifier: items(patient['identifier']).map((each) =>
    each['system'] === nhsNumberSystem ? { ...each, value: nhsNumber } : each,
  ),
})

/** Of a summary that is not the latest, or not there. */
export const noDocument = ({ newId }: Rendering): Resource => bundle({ id: newId(), type: 'searchset', entries: [] })

export const outcomeOf = ({ issue, text, coding, diagnostics }: ScrOutcome): Resource =>
  ({
    resourceType: 'OperationOutcome',
    issue: [
      defined({
        severity: 'error',
        code: issue,
        details: defined({ coding: coding && [coding], text }),
        diagnostics,
      }),
    ],
  }) as Resource
