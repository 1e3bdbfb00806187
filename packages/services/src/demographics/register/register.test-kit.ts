import type { Store } from '@openspine/platform/store'
import { manualClock } from '@openspine/platform/testing'
import { changeStore } from '../changes/store.ts'
import { extensionUrl, type Json, type StoredPerson } from '../person.ts'
import { personStore } from '../store.ts'
import { allocatedRange, type NumberRange, numberSource } from './numbers.ts'
import { passingUrl } from './patient-checks.ts'
import type { RegisterParts } from './register.ts'
import { turns } from './turns.ts'

export const now = '2026-11-20T12:00:00Z'

/** What one process has of registering: another call is another process on the same store. */
export function registerParts(store: Store, range: NumberRange = allocatedRange): RegisterParts {
  const people = personStore(store)
  const changes = changeStore(store)
  return {
    people,
    changes,
    clock: manualClock(now),
    next: numberSource({ people, changes, range }),
    inTurn: turns<number>(),
    block: 10_000,
    kept: true,
  }
}

export const author = { mode: 'user-restricted', user: '555254242102' } as const

export const answer = (person: StoredPerson) => ({
  status: 201,
  body: person.document,
  headers: { etag: `W/"${person.version}"` },
  shown: person.nhsNumber,
})

export const authority: Json = {
  url: passingUrl.registeringAuthority,
  extension: [
    {
      url: 'registeringAuthorityType',
      valueCodeableConcept: {
        coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/UKCore-RegisteringAuthorityType', code: 'x' }],
      },
    },
    { url: 'organisationIdentifier', valueString: 'RGS' },
  ],
}

/** A body of POST /Patient; whatever is given replaces a member. */
export function newPatient(more: Json = {}): Json {
  return {
    resourceType: 'Patient',
    name: [
      { use: 'usual', period: { start: '1984-07-01' }, prefix: ['Ms'], given: ['Ottilie', 'Fern'], family: 'ToRemove' },
    ],
    gender: 'female',
    birthDate: '1984-07-01',
    address: [
      {
        use: 'home',
        period: { start: '2020-01-01' },
        line: ['', '31 Sample Street', '', 'Testham', ''],
        postalCode: 'ZZ99 3CZ',
      },
    ],
    extension: [authority],
    ...more,
  }
}

const observation = (code: string, more: Json): Json => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://snomed.info/sct', code }] },
  ...more,
})

const valueCode = (system: string, code: string): Json => ({ valueCodeableConcept: { coding: [{ system, code }] } })

const organisation = (value: string): Json => ({
  identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value }],
})

const childHealth = (text: string, value: string): Json => ({
  role: [{ coding: [{ system: 'http://snomed.info/sct', code: '788127005' }], text }],
  member: { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value } },
})

export interface BirthOptions {
  readonly baby?: Json
  readonly mother?: string
  readonly stillbirth?: string
}

/** A body of POST /Patient/$process-birth-details: a birth four days ago. */
export function birthBundle({ baby, mother = '9990548617', stillbirth = '1' }: BirthOptions = {}): Json {
  const number = [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: mother }]
  const resources: readonly Json[] = [
    {
      resourceType: 'Patient',
      name: [{ use: 'usual', period: { start: '2026-11-16' }, given: ['Isla'], family: 'ToRemove' }],
      gender: 'female',
      birthDate: '2026-11-16',
      _birthDate: {
        extension: [
          {
            url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime',
            valueDateTime: '2026-11-16T04:11:00+00:00',
          },
        ],
      },
      address: [
        {
          use: 'home',
          period: { start: '2026-11-16' },
          line: ['', '31 Sample Street', '', 'Testham', ''],
          postalCode: 'ZZ99 3CZ',
        },
      ],
      multipleBirthInteger: 1,
      extension: [
        authority,
        {
          url: extensionUrl.ethnicCategory,
          valueCodeableConcept: {
            coding: [
              {
                system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland',
                code: 'A',
                display: 'White - British',
              },
            ],
          },
        },
        {
          url: extensionUrl.birthPlace,
          valueAddress: { text: 'Testham Infirmary', city: 'Testham', district: 'Mockshire', country: '1' },
        },
      ],
      ...baby,
    },
    observation('364589006', { valueQuantity: { value: 3405, unit: 'grams', code: 'g' } }),
    observation('237364002', valueCode('urn:oid:2.16.840.1.113883.2.1.3.2.4.17.172', stillbirth)),
    observation('268477000', { valueQuantity: { value: 39, unit: 'weeks', code: 'wk' } }),
    observation('246435002', { valueInteger: 1 }),
    observation('66091009', valueCode('urn:oid:2.16.840.1.113883.2.1.3.2.4.17.171', 'N')),
    {
      resourceType: 'RelatedPerson',
      identifier: number,
      relationship: [
        {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode',
              code: 'GESTM',
              display: 'Gestational mother',
            },
          ],
        },
      ],
    },
    {
      resourceType: 'Patient',
      identifier: number,
      name: [{ use: 'usual', given: ['Brenna'], family: 'Testcase' }],
      birthDate: '1983-11-07',
    },
    { resourceType: 'Organization', ...organisation('A20047'), name: 'Example Practice' },
    {
      resourceType: 'Location',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-site-code', value: 'RR8G5' }],
      type: [{ coding: [{ system: 'urn:oid:2.16.840.1.113883.2.1.3.2.4.17.173', code: '0' }] }],
    },
    {
      resourceType: 'CareTeam',
      participant: [childHealth('Partner child health', 'RR801'), childHealth('Responsible child health', 'Y98765')],
    },
    { resourceType: 'Practitioner', name: [{ use: 'usual', given: ['Joan'], family: 'Attends' }] },
  ]
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map((resource) => ({
      request: { method: 'POST', url: resource['resourceType'] },
      resource,
    })),
  }
}
