import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AnyResource, Resource } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readPracticeFile } from '../record/file.ts'
import type { PatientRecord, PracticeRecord } from '../record/model.ts'
import { workedExample, workedExamplePatients } from '../sandbox/worked-example.ts'
import {
  healthcareServiceResource,
  locationResource,
  organizationResource,
  parentOrganizationResource,
  patientResource,
  practitionerResource,
  practitionerRoleId,
  practitionerRoleResource,
} from './people.ts'

const [read] = readPracticeFile(workedExample({ asid: '200000100001', today: '2026-11-20' })).practices
assert.ok(read)
const { patients, ...practice } = read
const held = { practice: practice as PracticeRecord, version: 3 }
const versioned = { versioned: true }

const patientOf = (nhsNumber: string, changes: Partial<PatientRecord> = {}) => {
  const patient = patients.find((one) => one.nhsNumber === nhsNumber)
  assert.ok(patient)
  return patientResource({ patient: { ...patient, ...changes }, id: 'p-1', version: 2 }, held, versioned) as AnyResource
}

/** What the profiles of the 1.x line do not have (§8.2). */
const mustNot: Readonly<Record<string, readonly string[]>> = {
  Patient: ['photo', 'link', 'animal', 'maritalStatus', 'multipleBirthBoolean', 'multipleBirthInteger'].concat([
    'deceasedBoolean',
    'text',
  ]),
  Practitioner: ['telecom', 'address', 'birthDate', 'photo', 'qualification', 'text'],
  Organization: ['contact', 'endpoint', 'text'],
  Location: ['endpoint', 'position', 'text'],
}

function sound(resource: Resource | undefined): AnyResource {
  assert.ok(resource)
  assert.deepEqual(stu3.check(resource), [])
  for (const format of ['json', 'xml'] as const) {
    const again = stu3.read(format, stu3.write(format, resource))
    assert.deepEqual(JSON.parse(stu3.write('json', again)), JSON.parse(stu3.write('json', resource)))
  }
  for (const name of mustNot[resource.resourceType] ?? []) assert.equal(name in resource, false, name)
  assert.equal(resource.meta?.profile?.length, 1)
  return resource as AnyResource
}

const extensionsOf = (resource: AnyResource, name: string) =>
  ((resource['extension'] ?? []) as { url: string; extension: { url: string }[] }[]).filter(
    ({ url }) => url === `https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-${name}-1`,
  )

describe('people and places of the 1.x line (§8.2)', () => {
  it('writes every patient and place of the worked example as resources of STU3 within the profiles', () => {
    for (const { nhsNumber } of patients) sound(patientOf(nhsNumber))
    for (const practitioner of held.practice.practitioners) {
      sound(practitionerResource(practitioner, held, versioned))
      sound(practitionerRoleResource(practitioner, held, versioned))
    }
    for (const location of held.practice.locations) sound(locationResource(location, held, versioned))
    for (const service of held.practice.healthcareServices) sound(healthcareServiceResource(service, held, versioned))
    sound(organizationResource(held, versioned))
    sound(parentOrganizationResource(held, versioned))
  })

  it('writes a patient with all that the profile demands', () => {
    const patient = patientOf(workedExamplePatients.everySection, {
      temporaryAddress: { lines: ['5 Guest Lane'], city: 'Testham' },
      registration: { type: 'temporary', period: { start: '2026-11-01', end: '2027-02-01' } },
    })
    const { extension, contact, ...rest } = sound(patient)
    assert.deepEqual(rest, {
      resourceType: 'Patient',
      id: 'p-1',
      meta: { versionId: '2', profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1'] },
      identifier: [
        {
          extension: [
            {
              url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-NHSNumberVerificationStatus-1',
              valueCodeableConcept: {
                coding: [
                  {
                    system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1',
                    code: '01',
                    display: 'Number present and verified',
                  },
                ],
              },
            },
          ],
          system: 'https://fhir.nhs.uk/Id/nhs-number',
          value: '9990548609',
        },
      ],
      active: true,
      name: [
        { use: 'official', text: 'Mr Arlo Ben Testcase', family: 'Testcase', given: ['Arlo', 'Ben'], prefix: ['Mr'] },
      ],
      telecom: [{ system: 'phone', value: '01632 960012', use: 'home' }],
      gender: 'male',
      birthDate: '1980-02-29',
      address: [
        { use: 'home', line: ['12 Invented Row'], city: 'Testham', postalCode: 'ZZ99 3CZ' },
        { use: 'temp', line: ['5 Guest Lane'], city: 'Testham' },
      ],
      generalPractitioner: [{ reference: 'Practitioner/gp-1' }],
      managingOrganization: { reference: 'Organization/A20047' },
    })
    assert.ok(extension)
    assert.deepEqual(
      extensionsOf(patient, 'RegistrationDetails').map((one) => one.extension),
      [
        [
          { url: 'registrationPeriod', valuePeriod: { start: '2026-11-01', end: '2027-02-01' } },
          {
            url: 'registrationType',
            valueCodeableConcept: {
              coding: [
                {
                  system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-RegistrationType-1',
                  code: 'T',
                  display: 'Temporary',
                },
              ],
            },
          },
          { url: 'preferredBranchSurgery', valueReference: { reference: 'Location/site-2' } },
        ],
      ],
    )
    assert.deepEqual(
      extensionsOf(patient, 'NHSCommunication').map((one) => one.extension.map(({ url }) => url)),
      [['language', 'preferred', 'modeOfCommunication', 'communicationProficiency', 'interpreterRequired']],
    )
    assert.deepEqual(contact, [
      {
        relationship: [{ text: 'Partner' }],
        name: { use: 'official', text: 'Sami Testcase', family: 'Testcase', given: ['Sami'] },
        telecom: [{ system: 'phone', value: '07700 900012', use: 'mobile' }],
      },
    ])
  })

  it('has a patient registered as regular since the day of registration when nothing else is said', () => {
    const [details] = extensionsOf(patientOf(workedExamplePatients.noData), 'RegistrationDetails')
    assert.deepEqual(details?.extension[0], { url: 'registrationPeriod', valuePeriod: { start: '2010-01-11' } })
    assert.match(JSON.stringify(details?.extension[1]), /"code":"R","display":"Regular"/)
  })

  it('says of a number that was not traced that it was not', () => {
    assert.match(JSON.stringify(patientOf(workedExamplePatients.notVerified)), /"code":"02"/)
  })

  it('writes no versionId where resources stand in a structured record', () => {
    const [practitioner] = held.practice.practitioners
    assert.ok(practitioner)
    const { meta } = practitionerResource(practitioner, held, { versioned: false })
    assert.deepEqual(meta, { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Practitioner-1'] })
  })

  it('identifies a practitioner by user, roles and GMP number, and nothing else', () => {
    const [practitioner] = held.practice.practitioners
    assert.ok(practitioner)
    const { identifier } = practitionerResource(practitioner, held, versioned) as unknown as AnyResource
    assert.deepEqual(identifier, [
      { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '555000000101' },
      { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000111' },
      { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000121' },
      { system: 'https://fhir.hl7.org.uk/Id/gmp-number', value: 'G9990101' },
    ])
  })

  it('makes an id for the role of a practitioner whose own id is as long as an id may be', () => {
    const [practitioner] = held.practice.practitioners
    assert.ok(practitioner)
    assert.equal(practitionerRoleId({ ...practitioner, id: 'x'.repeat(64) }).length, 64)
  })

  it('points from practice and places at what can be read', () => {
    const organization = organizationResource(held, versioned) as unknown as AnyResource
    assert.match(JSON.stringify(organization), /MainLocation-1","valueReference":\{"reference":"Location\/site-1"/)
    assert.deepEqual(organization['partOf'], { reference: 'Organization/Z9X' })
    assert.equal(parentOrganizationResource(held, versioned)?.id, 'Z9X')
    const branch = held.practice.locations[1]
    assert.ok(branch)
    const location = locationResource(branch, held, versioned) as unknown as AnyResource
    assert.deepEqual(location['partOf'], { reference: 'Location/site-1' })
    assert.deepEqual(location['managingOrganization'], { reference: 'Organization/A20047' })
  })
})
