import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exampleAnswers, now } from '../testing/example-answers.ts'
import { refusalOf, resourceOf } from '../testing/stu3-outcomes.ts'
import { stu3Request, testAsids, testRoots } from '../testing/stu3-requests.ts'

type BaseName = keyof typeof testRoots
const names = {
  gpconnect: 'fhir:rest:read:metadata-1',
  structured: 'structured:fhir:rest:read:metadata-1',
  documents: 'documents:fhir:rest:read:metadata-1',
} as const

const metadata = (base: BaseName, interaction: string = names[base], accept = 'application/fhir+json') =>
  stu3Request({ now, base, interaction, target: '/metadata', scope: 'organization/*.read', accept })

const capabilities = ['foundations', 'appointments', 'structuredRecord', 'documents'] as const
const answersOf = (
  base: BaseName,
  specificationVersion: string,
  on: readonly (typeof capabilities)[number][] = capabilities,
) =>
  exampleAnswers({
    services: [{ base, asid: testAsids[base], serviceRoot: testRoots[base], specificationVersion, on: [...on] }],
  })

async function statementOf(
  base: BaseName,
  version: string,
  on = capabilities as readonly (typeof capabilities)[number][],
) {
  const answered = await answersOf(base, version, on)(metadata(base))
  assert.equal(answered.status, 200, answered.body)
  const statement = resourceOf(answered)
  const [rest] = statement['rest'] as {
    resource?: { type: string; interaction: { code: string }[]; searchInclude?: string[]; updateCreate?: boolean }[]
    operation?: { name: string; definition: { reference: string } }[]
  }[]
  return {
    statement,
    profiles: (statement['profile'] as { reference: string }[]).map(({ reference }) => reference),
    resources: Object.fromEntries(
      (rest?.resource ?? []).map((one) => [one.type, one.interaction.map(({ code }) => code).join(' ')]),
    ),
    slot: rest?.resource?.find(({ type }) => type === 'Slot'),
    operations: Object.fromEntries((rest?.operation ?? []).map((one) => [one.name, one.definition.reference])),
  }
}

const root = 'https://fhir.nhs.uk/STU3/StructureDefinition/'

describe('CapabilityStatement (§8.1)', () => {
  it('has the fixed parts on every base, in JSON and XML', async () => {
    for (const base of ['gpconnect', 'structured', 'documents'] as const)
      for (const accept of ['application/fhir+json', 'application/fhir+xml']) {
        const statement = resourceOf(await exampleAnswers()(metadata(base, names[base], accept)))
        assert.equal(statement.resourceType, 'CapabilityStatement')
        assert.equal(statement['version'], base === 'gpconnect' ? '1.2.8' : '1.6.2')
        const { name, status, kind, software, fhirVersion, acceptUnknown, format, rest } = statement
        assert.deepEqual(
          { name, status, kind, fhirVersion, acceptUnknown, format },
          {
            name: 'GP Connect',
            status: 'active',
            kind: 'capability',
            fhirVersion: '3.0.1',
            acceptUnknown: 'both',
            format: ['application/fhir+json', 'application/fhir+xml'],
          },
        )
        assert.deepEqual(Object.keys(software as object), ['name', 'version', 'releaseDate'])
        const [server] = rest as { mode: string; security: object }[]
        assert.deepEqual([server?.mode, server?.security], ['server', { cors: true }])
      }
  })

  it('of Foundations 1.2.7 is what the acceptance tests ask for', async () => {
    const { profiles, resources, slot, operations } = await statementOf('gpconnect', '1.2.7')
    assert.deepEqual(
      profiles.map((url) => url.replace(root, '')),
      [
        'CareConnect-GPC-Patient-1',
        'CareConnect-GPC-Organization-1',
        'CareConnect-GPC-Practitioner-1',
        'CareConnect-GPC-PractitionerRole-1',
        'CareConnect-GPC-Location-1',
        'GPConnect-OperationOutcome-1',
        'GPConnect-Appointment-1',
        'GPConnect-Schedule-1',
        'GPConnect-Slot-1',
        'CareConnect-GPC-AllergyIntolerance-1',
        'CareConnect-GPC-Medication-1',
        'CareConnect-GPC-MedicationStatement-1',
        'CareConnect-GPC-MedicationRequest-1',
        'CareConnect-GPC-List-1',
        'GPConnect-StructuredRecord-Bundle-1',
      ],
    )
    assert.deepEqual(resources, {
      Patient: 'read search-type',
      Organization: 'read search-type',
      Practitioner: 'read search-type',
      Location: 'read',
      Appointment: 'read create update search-type',
      Slot: 'search-type',
    })
    assert.deepEqual(slot?.searchInclude, [
      'Slot:schedule',
      'Schedule:actor:Practitioner',
      'Schedule:actor:Location',
      'Location:managingOrganization',
    ])
    assert.deepEqual(operations, {
      'gpc.registerpatient': 'https://fhir.nhs.uk/STU3/OperationDefinition/GPConnect-RegisterPatient-Operation-1',
      'gpc.getstructuredrecord':
        'https://fhir.nhs.uk/STU3/OperationDefinition/GPConnect-GetStructuredRecord-Operation-1/_history/1.12',
    })
  })

  it('says what is switched on, and HealthcareService from 1.2.8 on', async () => {
    const bare = await statementOf('gpconnect', '1.2.8', ['foundations'])
    assert.equal(bare.resources['HealthcareService'], 'read search-type')
    assert.equal(bare.resources['Slot'], undefined)
    assert.deepEqual(Object.keys(bare.operations), ['gpc.registerpatient'])
    assert.equal(
      bare.profiles.some((url) => /Appointment|Medication/.test(url)),
      false,
    )
    const none = await statementOf('gpconnect', '1.2.8', [])
    assert.deepEqual([none.resources, none.operations], [{}, {}])
  })

  it('of the structured base names versions of profiles, more of them and migration from 1.6 on', async () => {
    const former = await statementOf('structured', '1.2.7')
    const present = await statementOf('structured', '1.6.2')
    assert.equal(former.profiles.length, 11)
    assert.equal(present.profiles.length, 21)
    for (const url of present.profiles) assert.match(url, /\/_history\/\d\.\d+$/)
    assert.ok(former.profiles.includes(`${root}CareConnect-GPC-MedicationRequest-1/_history/1.7`))
    assert.ok(former.profiles.includes(`${root}CareConnect-GPC-List-1/_history/1.2`))
    assert.ok(present.profiles.includes(`${root}CareConnect-GPC-List-1/_history/1.7`))
    assert.deepEqual(Object.keys(former.operations), ['gpc.getstructuredrecord'])
    assert.match(former.operations['gpc.getstructuredrecord'] ?? '', /1\.12$/)
    assert.match(present.operations['gpc.getstructuredrecord'] ?? '', /1\.16$/)
    assert.match(
      present.operations['gpc.migratestructuredrecord'] ?? '',
      /GPConnect-MigrateStructuredRecord-Operation-1\/_history\/1\.1$/,
    )
    assert.deepEqual(present.resources, {})
  })

  it('is had from the structured base by the interaction of Foundations before 1.3, and not after', async () => {
    const request = metadata('structured', names.gpconnect)
    assert.equal((await answersOf('structured', '1.2.7')(request)).status, 200)
    assert.equal(refusalOf(await answersOf('structured', '1.6.2')(request)), '400 BAD_REQUEST (invalid)')
    assert.equal(
      refusalOf(await exampleAnswers()(metadata('gpconnect', names.structured))),
      '400 BAD_REQUEST (invalid)',
    )
  })

  it('is refused where GP Connect is switched off', async () => {
    assert.equal(
      refusalOf(await exampleAnswers({ gpConnect: false })(metadata('gpconnect'))),
      '403 ACCESS_DENIED (forbidden)',
    )
  })
})
