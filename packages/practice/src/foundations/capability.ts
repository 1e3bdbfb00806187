/** The CapabilityStatement that answers `GET metadata` on each base of the 1.x line (§8.1). */
import type { Resource } from '@openspine/standards/fhir'
import { product } from '../product.ts'
import type { PracticeRecord } from '../record/model.ts'
import { isFrom, type Service } from '../record/services.ts'
import { definition, systems } from '../stu3/systems.ts'

const operationDefinition = (name: string) => `https://fhir.nhs.uk/STU3/OperationDefinition/${name}`

interface Declared {
  readonly profiles: readonly string[]
  readonly resources: readonly object[]
  readonly operations: readonly { readonly name: string; readonly reference: string }[]
}

export function capabilityStatement(practice: PracticeRecord, service: Service): Resource {
  const { profiles, resources, operations } = declared(service)
  const statement = {
    resourceType: 'CapabilityStatement',
    version: service.specificationVersion,
    name: 'GP Connect',
    status: 'active',
    date: product.released,
    publisher: practice.name,
    description: `This server implements the GP Connect API version ${service.specificationVersion}`,
    kind: 'capability',
    software: { name: product.name, version: product.version, releaseDate: product.released },
    fhirVersion: '3.0.1',
    acceptUnknown: 'both',
    format: ['application/fhir+json', 'application/fhir+xml'],
    profile: profiles.map((reference) => ({ reference })),
    rest: [
      {
        mode: 'server',
        security: { cors: true },
        ...(resources.length > 0 ? { resource: resources } : {}),
        ...(operations.length > 0
          ? { operation: operations.map(({ name, reference }) => ({ name, definition: { reference } })) }
          : {}),
      },
    ],
  }
  return statement
}

function declared(service: Service): Declared {
  if (service.base === 'structured') return structured(service)
  if (service.base === 'documents') return documents()
  return foundations(service)
}

function foundations({ on, specificationVersion }: Service): Declared {
  const has = (capability: Service['on'][number]) => on.includes(capability)
  const healthcareServices = has('foundations') && isFrom(specificationVersion, '1.2.8')
  return {
    profiles: [
      ...['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location'].map(careConnect),
      ...(healthcareServices ? [careConnect('HealthcareService')] : []),
      definition('GPConnect-OperationOutcome-1'),
      ...(has('appointments')
        ? ['Appointment', 'Schedule', 'Slot'].map((name) => definition(`GPConnect-${name}-1`))
        : []),
      ...(has('structuredRecord')
        ? [
            ...['AllergyIntolerance', 'Medication', 'MedicationStatement', 'MedicationRequest', 'List'].map(
              careConnect,
            ),
            definition('GPConnect-StructuredRecord-Bundle-1'),
          ]
        : []),
    ],
    resources: [
      ...(has('foundations')
        ? [
            found('Patient', `NHS Number (i.e. ${systems.nhsNumber}|9999999999)`),
            found('Organization', `ODS Code (i.e. ${systems.odsOrganisation}|Y12345)`),
            found('Practitioner', `SDS User Id (i.e. ${systems.sdsUserId}|999999)`),
            { type: 'Location', interaction: interactions('read') },
          ]
        : []),
      ...(healthcareServices
        ? [found('HealthcareService', `DOS service ID (i.e. ${systems.dosServiceId}|999999)`)]
        : []),
      ...(has('appointments') ? [appointment, slot] : []),
    ],
    operations: [
      ...(has('foundations')
        ? [
            {
              name: 'gpc.registerpatient',
              reference: operationDefinition('GPConnect-RegisterPatient-Operation-1'),
            },
          ]
        : []),
      ...(has('structuredRecord') ? [getStructuredRecord(specificationVersion)] : []),
    ],
  }
}

const careConnect = (name: string) => definition(`CareConnect-GPC-${name}-1`)
const interactions = (...codes: readonly string[]) => codes.map((code) => ({ code }))

const found = (type: string, documentation: string) => ({
  type,
  interaction: interactions('read', 'search-type'),
  searchParam: [{ name: 'identifier', type: 'token', documentation }],
})

const appointment = {
  type: 'Appointment',
  interaction: interactions('read', 'create', 'update', 'search-type'),
  updateCreate: false,
  searchParam: [{ name: 'start', type: 'date' }],
}

const slot = {
  type: 'Slot',
  interaction: interactions('search-type'),
  searchInclude: [
    'Slot:schedule',
    'Schedule:actor:Practitioner',
    'Schedule:actor:Location',
    'Location:managingOrganization',
  ],
  searchParam: [
    { name: 'start', type: 'date' },
    { name: 'end', type: 'date' },
    { name: 'status', type: 'token' },
    { name: 'searchFilter', type: 'token' },
  ],
}

function getStructuredRecord(version: string) {
  const history = isFrom(version, '1.5') ? '1.16' : '1.12'
  return {
    name: 'gpc.getstructuredrecord',
    reference: operationDefinition(`GPConnect-GetStructuredRecord-Operation-1/_history/${history}`),
  }
}

/** Profiles of the structured base are named with their versions; those of 1.2.7 are what its tests ask for. */
function structured({ on, specificationVersion }: Service): Declared {
  const wide = isFrom(specificationVersion, '1.5')
  const switchedOn = on.includes('structuredRecord')
  const later = [
    'CareConnect-GPC-Immunization-1/_history/1.5',
    'CareConnect-GPC-ProblemHeader-Condition-1/_history/1.7',
    'CareConnect-GPC-Encounter-1/_history/1.5',
    'CareConnect-GPC-Observation-1/_history/1.7',
    'CareConnect-GPC-DiagnosticReport-1/_history/1.3',
    'CareConnect-GPC-Specimen-1/_history/1.3',
    'CareConnect-GPC-ProcedureRequest-1/_history/1.3',
    'CareConnect-GPC-ReferralRequest-1/_history/1.2',
    'CareConnect-GPC-DocumentReference-1/_history/1.3',
  ].map(definition)
  return {
    profiles: [
      ...[
        'CareConnect-GPC-Patient-1/_history/1.8',
        'CareConnect-GPC-Organization-1/_history/1.4',
        'CareConnect-GPC-Practitioner-1/_history/1.2',
        'CareConnect-GPC-PractitionerRole-1/_history/1.2',
        'CareConnect-GPC-AllergyIntolerance-1/_history/1.7',
        'CareConnect-GPC-Medication-1/_history/1.2',
        'CareConnect-GPC-MedicationStatement-1/_history/1.7',
        `CareConnect-GPC-MedicationRequest-1/_history/${wide ? '1.6' : '1.7'}`,
        `CareConnect-GPC-List-1/_history/${wide ? '1.7' : '1.2'}`,
        'GPConnect-StructuredRecord-Bundle-1/_history/1.3',
        'GPConnect-OperationOutcome-1/_history/1.2',
      ].map(definition),
      ...(wide
        ? [...later, 'https://fhir.hl7.org.uk/STU3/StructureDefinition/CareConnect-HealthcareService-1/_history/1.0']
        : []),
    ],
    resources: [],
    operations: switchedOn
      ? [
          getStructuredRecord(specificationVersion),
          ...(isFrom(specificationVersion, '1.6')
            ? [
                {
                  name: 'gpc.migratestructuredrecord',
                  reference: operationDefinition('GPConnect-MigrateStructuredRecord-Operation-1/_history/1.1'),
                },
              ]
            : []),
        ]
      : [],
  }
}

function documents(): Declared {
  return {
    profiles: [
      'CareConnect-GPC-Patient-1/_history/1.8',
      'CareConnect-GPC-Organization-1/_history/1.4',
      'CareConnect-GPC-Practitioner-1/_history/1.2',
      'CareConnect-GPC-PractitionerRole-1/_history/1.2',
      'GPConnect-OperationOutcome-1/_history/1.2',
      'CareConnect-GPC-DocumentReference-1/_history/1.2',
      'GPConnect-Searchset-Bundle-1/_history/1.3',
    ].map(definition),
    resources: [
      {
        type: 'Patient',
        interaction: interactions('search-type'),
        searchParam: [
          { name: 'identifier', type: 'token', documentation: `NHS Number (i.e. ${systems.nhsNumber}|9999999999)` },
        ],
      },
      { type: 'Binary', interaction: interactions('read') },
      {
        type: 'DocumentReference',
        interaction: interactions('search-type'),
        searchInclude: [
          'DocumentReference:subject:Patient',
          'DocumentReference:custodian:Organization',
          'DocumentReference:author:Organization',
          'DocumentReference:author:Practitioner',
        ],
        searchRevInclude: ['PractitionerRole:practitioner'],
        searchParam: [
          { name: 'created', type: 'date' },
          { name: 'author', type: 'token' },
          { name: 'description', type: 'string' },
        ],
      },
    ],
    operations: [],
  }
}
