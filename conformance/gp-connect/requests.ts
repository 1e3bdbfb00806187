/** Right requests of GP Connect, for scenarios to send as they are or with something changed. */
import { workedExamplePatients as people } from '@openspine/practice'
import type { Asked } from './ask.ts'

export const nhsNumber = 'https://fhir.nhs.uk/Id/nhs-number'
export const ods = 'https://fhir.nhs.uk/Id/ods-organization-code'
export const sdsUser = 'https://fhir.nhs.uk/Id/sds-user-id'
export const enc = encodeURIComponent
export const organisation = 'organization/*.read'
export const who = people.everySection

export const searchPatient = (query: string): Asked => ({
  base: 'gpconnect',
  interaction: 'fhir:rest:search:patient-1',
  path: `/Patient${query}`,
})
export const patientById = (id: string): Asked => ({
  base: 'gpconnect',
  interaction: 'fhir:rest:read:patient-1',
  path: `/Patient/${id}`,
})
export const reading = (type: string, id: string): Asked => ({
  base: 'gpconnect',
  interaction: `fhir:rest:read:${type.toLowerCase()}-1`,
  path: `/${type}/${id}`,
  scope: organisation,
})
export const finding = (type: string, identifier: string): Asked => ({
  base: 'gpconnect',
  interaction: `fhir:rest:search:${type.toLowerCase()}-1`,
  path: `/${type}?identifier=${identifier}`,
  scope: organisation,
})

export interface Part {
  readonly name: string
  readonly [member: string]: unknown
}
export const about = (number: string, system = nhsNumber): Part => ({
  name: 'patientNHSNumber',
  valueIdentifier: { system, value: number },
})
export const structured = (...parameter: readonly Part[]): Asked => ({
  base: 'structured',
  interaction: 'fhir:operation:gpc.getstructuredrecord-1',
  path: '/Patient/$gpc.getstructuredrecord',
  body: { resourceType: 'Parameters', parameter },
})
export const allergies: Part = {
  name: 'includeAllergies',
  part: [{ name: 'includeResolvedAllergies', valueBoolean: true }],
}
export const everything: readonly Part[] = [
  allergies,
  { name: 'includeMedication' },
  { name: 'includeConsultations' },
  { name: 'includeProblems' },
  { name: 'includeImmunisations' },
  { name: 'includeUncategorisedData' },
  { name: 'includeInvestigations' },
  { name: 'includeReferrals' },
  { name: 'includeDiaryEntries' },
]
export const migration = (sensitive: boolean, scope: string): Asked => ({
  base: 'structured',
  interaction: 'fhir:operation:gpc.migratestructuredrecord-1',
  path: '/Patient/$gpc.migratestructuredrecord',
  body: {
    resourceType: 'Parameters',
    parameter: [
      about(who),
      { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: sensitive }] },
    ],
  },
  claims: (claims) => ({
    ...claims,
    requested_scope: scope,
    reason_for_request: 'migration',
    requesting_organization: {
      ...(claims['requesting_organization'] as object),
      identifier: [{ system: ods, value: 'A20047' }],
    },
  }),
})

export const careRecord = (section: string, patient: string = who, period?: object): Asked => ({
  base: 'html',
  interaction: 'fhir:operation:gpc.getcarerecord',
  path: '/Patient/$gpc.getcarerecord',
  patient,
  body: {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'patientNHSNumber',
        valueIdentifier: { system: 'http://fhir.nhs.net/Id/nhs-number', value: patient },
      },
      {
        name: 'recordSection',
        valueCodeableConcept: {
          coding: [{ system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1', code: section }],
        },
      },
      ...(period === undefined ? [] : [{ name: 'timePeriod', valuePeriod: period }]),
    ],
  },
})

export const metadataOf0x: Asked = {
  base: 'html',
  interaction: 'fhir:rest:read:metadata',
  path: '/metadata',
  scope: organisation,
}

export const day = (after: number) => new Date(Date.now() + after * 86_400_000).toISOString().slice(0, 10)
export const slots = (query: string): Asked => ({
  base: 'gpconnect',
  interaction: 'fhir:rest:search:slot-1',
  path: `/Slot?${query}`,
  scope: organisation,
})
export const free = `start=ge${day(1)}&end=le${day(7)}&status=free&_include=Slot:schedule`

export const documentIncludes = [
  '_include=DocumentReference:subject:Patient',
  '_include=DocumentReference:custodian:Organization',
  '_include=DocumentReference:author:Organization',
  '_include=DocumentReference:author:Practitioner',
  '_revinclude:recurse=PractitionerRole:practitioner',
].join('&')
