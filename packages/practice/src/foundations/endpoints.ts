/** Foundations: metadata, people and places, and the registration of a patient (§6, §8). */
import type { Check } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import type { Endpoint } from '../endpoint.ts'
import type { OutcomeName } from '../outcome.ts'
import type { Base } from '../record/services.ts'
import { found, type Sheet, type Surroundings } from '../sheet.ts'
import type { StoredPractice } from '../store.ts'
import {
  healthcareServiceResource,
  type IdentifiedResource,
  locationResource,
  organizationResource,
  parentOrganizationResource,
  patientResource,
  practitionerResource,
} from '../stu3/people.ts'
import { interaction, systems } from '../stu3/systems.ts'
import { capabilityStatement } from './capability.ts'
import { type IdentifierSheet, identifierChecks } from './identifier-checks.ts'
import { findable, findPatientOfPath } from './patients.ts'
import { registerChecks } from './register-checks.ts'
import { registerPatient } from './register-patient.ts'
import { searchsetOf } from './searchset.ts'

const versioned = { versioned: true } as const

interface ReadSheet extends Sheet {
  /** The resource that the path names. */
  resource?: IdentifiedResource
}

const idGiven: Check = {
  name: 'id given',
  clause: '8.2',
  outcome: 'BAD_REQUEST',
  explains: 'Write the id of the resource after its type: the path ends with a slash.',
  examine: ({ id }) => (id === '' ? 'The path has no id.' : undefined),
}

function versionAsked(outcome: OutcomeName): Check {
  return {
    name: 'version of the path is the current one',
    clause: '8.2',
    outcome,
    explains: 'Former versions are not kept: read the resource without a version.',
    examine: ({ versionId, resource }: ReadSheet) =>
      versionId === undefined || versionId === resource?.meta?.versionId ? undefined : 'There is no such version.',
  }
}

/** Reading one resource by its id, and its current version. */
function reads(parts: {
  readonly type: string
  readonly outcome: OutcomeName
  readonly scope: Endpoint['scope']
  readonly since?: string
  resourceOf(
    sheet: Sheet,
    held: StoredPractice,
    surroundings: Surroundings,
  ): IdentifiedResource | undefined | Promise<IdentifiedResource | undefined>
}): readonly Endpoint[] {
  const { type, outcome, scope, since, resourceOf } = parts
  const known: Check = {
    name: `${type} known`,
    clause: '8.2',
    outcome,
    explains: `Take the id from a search or a reference; ids are case-sensitive and belong to one practice.`,
    async examine(sheet: ReadSheet, surroundings) {
      const resource = await resourceOf(sheet, found(sheet, 'practice'), surroundings)
      if (resource === undefined) return `There is no ${type} with this id.`
      sheet.resource = resource
      return undefined
    },
  }
  return [`/${type}/{id}`, `/${type}/{id}/_history/{version}`].map((path) => ({
    action: `read${type}`,
    bases: ['gpconnect'],
    capability: 'foundations',
    verb: 'GET',
    path,
    interaction: interaction(`fhir:rest:read:${type.toLowerCase()}-1`),
    scope,
    ...(since === undefined ? {} : { since }),
    body: false,
    checks: [idGiven, switchedOn, known, versionAsked(outcome)],
    respond({ resource }: ReadSheet) {
      if (resource === undefined) throw new Error('the checks let a request through without its resource')
      return { status: 200, resource, headers: { etag: `W/"${resource.meta?.versionId}"` } }
    },
  }))
}

/** Searching one type by identifier. */
function search(parts: {
  readonly type: string
  readonly scope: Endpoint['scope']
  readonly system: string
  readonly optional?: boolean
  readonly since?: string
  readonly base?: Base
  readonly capability?: Endpoint['capability']
  matches(
    sheet: IdentifierSheet,
    held: StoredPractice,
    surroundings: Surroundings,
  ): readonly IdentifiedResource[] | Promise<readonly IdentifiedResource[]>
}): Endpoint {
  const {
    type,
    scope,
    system,
    optional = false,
    since,
    base = 'gpconnect',
    capability = 'foundations',
    matches,
  } = parts
  return {
    action: `search${type}`,
    bases: [base],
    capability,
    verb: 'GET',
    path: `/${type}`,
    interaction: interaction(`${base === 'documents' ? 'documents:' : ''}fhir:rest:search:${type.toLowerCase()}-1`),
    scope,
    ...(since === undefined ? {} : { since }),
    body: false,
    checks: [...identifierChecks(system, { optional }), switchedOn],
    async respond(sheet, answering) {
      const resources = await matches(sheet, found(sheet, 'practice'), answering)
      return { status: 200, resource: searchsetOf(resources) }
    },
  }
}

/** The search for a patient, which stands on the documents base too, under a name of its own. */
export function patientSearch(base: 'gpconnect' | 'documents'): Endpoint {
  return search({
    type: 'Patient',
    scope: 'patient/*.read',
    system: systems.nhsNumber,
    base,
    capability: base === 'documents' ? 'documents' : 'foundations',
    async matches(sheet, held, surroundings) {
      const stored = await surroundings.store.patient(held.practice.odsCode, found(sheet, 'nhsNumber'))
      const record = await findable(stored, held, surroundings)
      if (record === undefined) return []
      sheet.record = record
      return [patientResource(record, held, versioned)]
    },
  })
}

/** The practice, and the organisation that it belongs to. */
const organizationsOf = (held: StoredPractice): readonly IdentifiedResource[] => [
  organizationResource(held, versioned),
  ...[parentOrganizationResource(held, versioned)].filter((parent) => parent !== undefined),
]

const metadata = (base: Base, name: string, more: Pick<Endpoint, 'until'> = {}): Endpoint => ({
  action: 'metadata',
  bases: [base],
  capability: 'metadata',
  verb: 'GET',
  path: '/metadata',
  interaction: interaction(name),
  scope: 'organization/*.read',
  ...more,
  body: false,
  checks: [switchedOn],
  respond: (sheet) => ({
    status: 200,
    resource: capabilityStatement(found(sheet, 'practice').practice, found(sheet, 'service')),
  }),
})

export const foundationsEndpoints: readonly Endpoint[] = [
  metadata('gpconnect', 'fhir:rest:read:metadata-1'),
  metadata('structured', 'structured:fhir:rest:read:metadata-1'),
  // The one metadata interaction that there was before the capabilities had their own (§6).
  metadata('structured', 'fhir:rest:read:metadata-1', { until: '1.3' }),
  metadata('documents', 'documents:fhir:rest:read:metadata-1'),
  patientSearch('gpconnect'),
  patientSearch('documents'),
  ...reads({
    type: 'Patient',
    outcome: 'PATIENT_NOT_FOUND',
    scope: 'patient/*.read',
    async resourceOf(sheet, held, surroundings) {
      const record = await findPatientOfPath(sheet, surroundings)
      return record && patientResource(record, held, versioned)
    },
  }),
  search({
    type: 'Practitioner',
    scope: 'organization/*.read',
    system: systems.sdsUserId,
    matches: ({ identifier }, held) =>
      held.practice.practitioners
        .filter(({ sdsUserId }) => sdsUserId === identifier)
        .map((practitioner) => practitionerResource(practitioner, held, versioned)),
  }),
  ...reads({
    type: 'Practitioner',
    outcome: 'PRACTITIONER_NOT_FOUND',
    scope: 'organization/*.read',
    resourceOf(sheet, held) {
      const practitioner = held.practice.practitioners.find(({ id }) => id === sheet.id)
      return practitioner && practitionerResource(practitioner, held, versioned)
    },
  }),
  search({
    type: 'Organization',
    scope: 'organization/*.read',
    system: systems.odsOrganisation,
    matches: ({ identifier }, held) => organizationsOf(held).filter(({ id }) => id === identifier),
  }),
  ...reads({
    type: 'Organization',
    outcome: 'ORGANISATION_NOT_FOUND',
    scope: 'organization/*.read',
    resourceOf: (sheet, held) => organizationsOf(held).find(({ id }) => id === sheet.id),
  }),
  ...reads({
    type: 'Location',
    outcome: 'NO_RECORD_FOUND',
    scope: 'organization/*.read',
    resourceOf(sheet, held) {
      const location = held.practice.locations.find(({ id }) => id === sheet.id)
      return location && locationResource(location, held, versioned)
    },
  }),
  search({
    type: 'HealthcareService',
    scope: 'organization/*.read',
    system: systems.dosServiceId,
    optional: true,
    since: '1.2.8',
    matches: ({ identifier }, held) =>
      held.practice.healthcareServices
        .filter(({ dosServiceId }) => identifier === undefined || dosServiceId === identifier)
        .map((service) => healthcareServiceResource(service, held, versioned)),
  }),
  ...reads({
    type: 'HealthcareService',
    outcome: 'NO_RECORD_FOUND',
    scope: 'organization/*.read',
    since: '1.2.8',
    resourceOf(sheet, held) {
      const service = held.practice.healthcareServices.find(({ id }) => id === sheet.id)
      return service && healthcareServiceResource(service, held, versioned)
    },
  }),
  {
    action: 'registerPatient',
    bases: ['gpconnect'],
    capability: 'foundations',
    verb: 'POST',
    path: '/Patient/$gpc.registerpatient',
    interaction: interaction('fhir:operation:gpc.registerpatient-1'),
    scope: 'patient/*.write',
    body: true,
    checks: registerChecks,
    respond: registerPatient,
  },
]
