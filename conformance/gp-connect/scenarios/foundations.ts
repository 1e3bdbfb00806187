/** §8.1 and §8.2: capabilities, people and places. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { AnyResource } from '@openspine/standards/fhir'
import type { Answered } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { extra, hidden, servicesOfSecond } from '../people.ts'
import {
  enc,
  finding,
  nhsNumber,
  ods,
  organisation,
  patientById,
  reading,
  sdsUser,
  searchPatient,
  who,
} from '../requests.ts'
import { type Area, firstOf, hasProfile, isSearchset, type Scenario, type Story } from '../scenario.ts'
import { firstResource, type Json, objectsIn } from './foundations-reading.ts'

const structureDefinition = 'https://fhir.nhs.uk/STU3/StructureDefinition/'
const search = (number: string) => searchPatient(`?identifier=${enc(`${nhsNumber}|${number}`)}`)
const serviceId = 'https://fhir.nhs.uk/Id/uec-dos-service-id'

/** The part of a profile's URL that is not the same in all. */
const profilesOf = (resource: AnyResource): readonly string[] =>
  objectsIn(resource['profile']).map(({ reference }) => String(reference).replace(structureDefinition, ''))
const careConnect = (...names: readonly string[]) => names.map((name) => `CareConnect-GPC-${name}-1`)

interface Rest {
  readonly mode: string
  readonly security: { readonly cors: boolean }
  readonly resource?: readonly Json[]
  readonly operation?: readonly { readonly name: string; readonly definition: { readonly reference: string } }[]
}
const restOf = (resource: AnyResource): Rest => {
  const [rest, ...others] = resource['rest'] as Rest[]
  assert.ok(rest !== undefined && others.length === 0)
  return rest
}
const operations = (resource: AnyResource) =>
  Object.fromEntries((restOf(resource).operation ?? []).map(({ name, definition }) => [name, definition.reference]))
const definitionOf = 'https://fhir.nhs.uk/STU3/OperationDefinition/GPConnect-'

function isStatement(resource: AnyResource, version: string): void {
  assert.equal(resource.resourceType, 'CapabilityStatement')
  assert.deepEqual(
    ['version', 'name', 'status', 'kind', 'fhirVersion', 'acceptUnknown'].map((name) => resource[name]),
    [version, 'GP Connect', 'active', 'capability', '3.0.1', 'both'],
  )
  const software = resource['software'] as Json
  assert.ok(software['name'] && software['version'] && software['releaseDate'])
  assert.deepEqual([...(resource['format'] as string[])].sort(), ['application/fhir+json', 'application/fhir+xml'])
  const { mode, security } = restOf(resource)
  assert.deepEqual([mode, security.cors], ['server', true])
}

const ofEveryStatement = ['8.1-statement', '8.1-formats', '8.1-rest'] as const

const capabilities: readonly Scenario[] = [
  {
    base: 'gpconnect',
    interaction: 'fhir:rest:read:metadata-1',
    path: '/metadata',
    scope: organisation,
    shows: [...ofEveryStatement, '8.1-profiles-foundations', '8.1-operations-foundations', '8.1-resources-foundations'],
    name: 'the capabilities of Foundations and Appointments',
    status: 200,
    holds({ resource }) {
      isStatement(resource, '1.2.8')
      const profiles = profilesOf(resource)
      for (const profile of [
        ...careConnect('Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location'),
        ...['OperationOutcome', 'Appointment', 'Schedule', 'Slot'].map((name) => `GPConnect-${name}-1`),
        ...careConnect('AllergyIntolerance', 'Medication', 'MedicationStatement', 'MedicationRequest', 'List'),
        'GPConnect-StructuredRecord-Bundle-1',
      ])
        assert.ok(profiles.includes(profile), `${profile} is missing`)
      const { ['gpc.getstructuredrecord']: structured, ['gpc.registerpatient']: register } = operations(resource)
      assert.equal(structured, `${definitionOf}GetStructuredRecord-Operation-1/_history/1.12`)
      assert.ok(register)
      const interactions = Object.fromEntries(
        (restOf(resource).resource ?? []).map(({ type, interaction }) => [
          type,
          objectsIn(interaction).map(({ code }) => code),
        ]),
      )
      for (const type of ['Patient', 'Organization', 'Practitioner'])
        assert.deepEqual(interactions[type], ['read', 'search-type'])
      assert.deepEqual(interactions['Location'], ['read'])
      assert.deepEqual(interactions['Appointment'], ['read', 'create', 'update', 'search-type'])
      assert.deepEqual(interactions['Slot'], ['search-type'])
      const slot = restOf(resource).resource?.find(({ type }) => type === 'Slot')
      for (const include of [
        'Slot:schedule',
        'Schedule:actor:Practitioner',
        'Schedule:actor:Location',
        'Location:managingOrganization',
      ])
        assert.ok(((slot?.['searchInclude'] ?? []) as string[]).includes(include), include)
    },
  },
  {
    base: 'structured',
    interaction: 'structured:fhir:rest:read:metadata-1',
    path: '/metadata',
    scope: organisation,
    shows: [...ofEveryStatement, '8.1-profiles-structured', '8.1-operations-structured'],
    name: 'the capabilities of structured records',
    status: 200,
    holds({ resource }) {
      isStatement(resource, '1.6.2')
      const profiles = profilesOf(resource)
      for (const [name, version] of [
        ['Patient', '1.8'],
        ['Organization', '1.4'],
        ['Practitioner', '1.2'],
        ['PractitionerRole', '1.2'],
        ['AllergyIntolerance', '1.7'],
        ['Medication', '1.2'],
        ['MedicationStatement', '1.7'],
        ['MedicationRequest', '1.6'],
        ['List', '1.7'],
        ['Immunization', '1.5'],
        ['ProblemHeader-Condition', '1.7'],
        ['Encounter', '1.5'],
        ['Observation', '1.7'],
        ['DiagnosticReport', '1.3'],
        ['Specimen', '1.3'],
        ['ProcedureRequest', '1.3'],
        ['ReferralRequest', '1.2'],
        ['DocumentReference', '1.3'],
      ])
        assert.ok(profiles.includes(`CareConnect-GPC-${name}-1/_history/${version}`), `${name} ${version}`)
      for (const profile of [
        'GPConnect-StructuredRecord-Bundle-1/_history/1.3',
        'GPConnect-OperationOutcome-1/_history/1.2',
        'https://fhir.hl7.org.uk/STU3/StructureDefinition/CareConnect-HealthcareService-1/_history/1.0',
      ])
        assert.ok(profiles.includes(profile), profile)
      assert.deepEqual(operations(resource), {
        'gpc.getstructuredrecord': `${definitionOf}GetStructuredRecord-Operation-1/_history/1.16`,
        'gpc.migratestructuredrecord': `${definitionOf}MigrateStructuredRecord-Operation-1/_history/1.1`,
      })
    },
  },
  {
    base: 'documents',
    interaction: 'documents:fhir:rest:read:metadata-1',
    path: '/metadata',
    scope: organisation,
    shows: ofEveryStatement,
    name: 'the capabilities of documents',
    status: 200,
    holds: ({ resource }) => isStatement(resource, '1.6.2'),
  },
]

const extensionsOf = (resource: Json): readonly Json[] => objectsIn(resource['extension'])
const partsOf = (extension: Json | undefined): Readonly<Record<string, Json>> =>
  Object.fromEntries(extensionsOf(extension ?? {}).map((part) => [String(part['url']), part]))
const codingOf = (concept: unknown): Json => objectsIn((concept as Json)['coding'])[0] ?? {}
const lacks = (resource: Json, ...names: readonly string[]): void => {
  for (const name of names) assert.equal(resource[name], undefined, name)
}

export function isWholePatient(patient: Json): void {
  const [identifier, ...more] = objectsIn(patient['identifier'])
  assert.ok(identifier !== undefined && more.length === 0)
  assert.deepEqual([identifier['system'], identifier['value']], [nhsNumber, who])
  const [status] = extensionsOf(identifier)
  assert.equal(status?.['url'], `${structureDefinition}Extension-CareConnect-GPC-NHSNumberVerificationStatus-1`)
  assert.deepEqual(codingOf(status['valueCodeableConcept']), {
    system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1',
    code: '01',
    display: 'Number present and verified',
  })
  const official = objectsIn(patient['name']).filter(({ use }) => use === 'official')
  assert.deepEqual(
    official.map(({ family }) => family),
    ['Testcase'],
  )
  assert.deepEqual([patient['birthDate'], patient['gender']], ['1980-02-29', 'male'])
  assert.equal(objectsIn(patient['address']).length, 1)
  for (const telecom of objectsIn(patient['telecom']))
    assert.ok(telecom['system'] && telecom['value'] && telecom['use'])
  assert.deepEqual(patient['managingOrganization'], { reference: 'Organization/A20047' })
  assert.deepEqual(patient['generalPractitioner'], [{ reference: 'Practitioner/gp-1' }])

  const called = (name: string) => extensionsOf(patient).filter(({ url }) => url === `${structureDefinition}${name}`)
  const registration = partsOf(called('Extension-CareConnect-GPC-RegistrationDetails-1')[0])
  assert.ok(((registration['registrationPeriod']?.['valuePeriod'] ?? {}) as Json)['start'])
  assert.ok(codingOf(registration['registrationType']?.['valueCodeableConcept'])['code'])
  assert.deepEqual(registration['preferredBranchSurgery']?.['valueReference'], { reference: 'Location/site-2' })
  const communication = partsOf(called('Extension-CareConnect-GPC-NHSCommunication-1')[0])
  assert.equal(
    codingOf(communication['language']?.['valueCodeableConcept'])['system'],
    'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-HumanLanguage-1',
  )
  assert.deepEqual(
    [communication['preferred']?.['valueBoolean'], communication['interpreterRequired']?.['valueBoolean']],
    [true, false],
  )
  for (const part of ['modeOfCommunication', 'communicationProficiency'])
    assert.ok(codingOf(communication[part]?.['valueCodeableConcept'])['display'])

  const [contact] = objectsIn(patient['contact'])
  assert.deepEqual(contact?.['relationship'], [{ text: 'Partner' }])
  assert.ok((contact['name'] as Json)['use'])
  for (const telecom of objectsIn(contact['telecom'])) assert.ok(telecom['use'])

  lacks(
    patient,
    'photo',
    'link',
    'animal',
    'maritalStatus',
    'multipleBirthBoolean',
    'multipleBirthInteger',
    'deceasedBoolean',
  )
  assert.doesNotMatch(
    JSON.stringify(patient),
    /EthnicCategory|ReligiousAffiliation|ResidentialStatus|TreatmentCategory|birthPlace|CadavericDonor/i,
  )
}

const ofPatients = [
  '8.2-nhs-number',
  '8.2-patient-name',
  '8.2-patient-basics',
  '8.2-patient-organisation',
  '8.2-registration-details',
  '8.2-patient-communication',
  '8.2-patient-contact',
  '8.2-patient-not',
] as const

const telecomsAndAddress = ({ telecom, address }: Json): void => {
  for (const one of objectsIn(telecom)) assert.ok(one['system'] && one['value'] && one['use'])
  assert.ok(objectsIn(telecom).length > 0 && address !== undefined)
}

function isWholePractitioner({ resource }: Answered): void {
  const identifiers = objectsIn(resource['identifier'])
  const systems = identifiers.map(({ system }) => String(system).replace('https://fhir.nhs.uk/Id/', ''))
  assert.deepEqual(systems, [
    'sds-user-id',
    'sds-role-profile-id',
    'sds-role-profile-id',
    'https://fhir.hl7.org.uk/Id/gmp-number',
  ])
  const [name, ...more] = objectsIn(resource['name'])
  assert.ok(name?.['family'] === 'Mockingham' && more.length === 0)
  assert.equal(resource['gender'], 'female')
  assert.match(JSON.stringify(resource['extension']), /NHSCommunication-1/)
  lacks(resource, 'telecom', 'address', 'birthDate', 'photo', 'qualification')
}

function isWholeOrganization({ resource }: Answered): void {
  assert.deepEqual(resource['identifier'], [{ system: ods, value: 'A20047' }])
  assert.equal(resource['name'], 'Testham Surgery')
  telecomsAndAddress(resource)
  for (const { url } of extensionsOf(resource))
    assert.match(String(url), /Extension-CareConnect-GPC-MainLocation-1$|\/organization-period$/)
  lacks(resource, 'contact', 'endpoint')
}

function isWholeLocation({ resource }: Answered): void {
  assert.deepEqual(resource['identifier'], [{ system: 'https://fhir.nhs.uk/Id/ods-site-code', value: 'A20047' }])
  assert.ok(resource['name'])
  telecomsAndAddress(resource)
  assert.deepEqual(resource['managingOrganization'], { reference: 'Organization/A20047' })
  lacks(resource, 'endpoint', 'position')
}

const read = (
  shows: readonly ObligationId[],
  type: string,
  id: string,
  whole: (answered: Answered) => void = () => undefined,
): Scenario => ({
  ...reading(type, id),
  shows: [...shows, '4.1-etag', '4.1-version-id', '4.1-profile', '4.1-no-narrative'],
  name: `reads ${type} ${id}`,
  status: 200,
  holds(answered) {
    hasProfile(type, `CareConnect-GPC-${type}-1`)(answered)
    assert.ok(answered.resource.meta?.versionId)
    assert.equal(answered.resource['text'], undefined)
    whole(answered)
  },
})

const finds = (shows: readonly ObligationId[], type: string, query: string, id: string): Scenario => ({
  ...finding(type, query),
  shows: [...shows, '4.1-searchset', '4.1-no-full-url', '4.1-version-id'],
  name: `finds ${type} ${id}`,
  status: 200,
  holds(answered) {
    isSearchset(1)(answered)
    assert.equal(firstResource(answered).id, id)
    assert.ok(firstResource(answered).meta?.versionId)
  },
})

const places: readonly Scenario[] = [
  {
    ...search(who),
    shows: ['8.2-patient-search', ...ofPatients],
    name: 'finds a patient by NHS number',
    status: 200,
    holds(answered) {
      isSearchset(1)(answered)
      isWholePatient(firstOf(answered, 'Patient'))
    },
  },
  finds(['8.2-practitioner-search'], 'Practitioner', enc(`${sdsUser}|555000000101`), 'gp-1'),
  finds(['8.2-organization-search'], 'Organization', enc(`${ods}|A20047`), 'A20047'),
  finds(['8.2-service-search'], 'HealthcareService', enc(`${serviceId}|2000099902`), 'service-2'),
  {
    ...finding('HealthcareService', ''),
    path: '/HealthcareService',
    shows: ['8.2-service-search'],
    name: 'finds every HealthcareService',
    status: 200,
    holds: isSearchset(2),
  },
  read(
    ['8.2-practitioner-read', '8.2-practitioner-identifiers', '8.2-practitioner-name', '8.2-practitioner-not'],
    'Practitioner',
    'gp-1',
    isWholePractitioner,
  ),
  read(
    ['8.2-organization-read', '8.2-organization-content', '8.2-organization-not'],
    'Organization',
    'A20047',
    isWholeOrganization,
  ),
  read(['8.2-location-read', '8.2-location-content', '8.2-location-not'], 'Location', 'site-1', isWholeLocation),
  read(['8.2-service-read'], 'HealthcareService', 'service-1'),
]

const unknown: readonly Scenario[] = (
  [
    ['8.2-unknown-patient', 'Patient', 'PATIENT_NOT_FOUND'],
    ['8.2-unknown-practitioner', 'Practitioner', 'PRACTITIONER_NOT_FOUND'],
    ['8.2-unknown-organization', 'Organization', 'ORGANISATION_NOT_FOUND'],
    ['8.2-unknown-location', 'Location', 'NO_RECORD_FOUND'],
    ['8.2-unknown-service', 'HealthcareService', 'NO_RECORD_FOUND'],
  ] as const
).flatMap(([shows, type, code]) =>
  ['none', 'z.as.dd', '40-95-3', '1'.repeat(64), '1'.repeat(70)].map(
    (id): Scenario => ({
      ...reading(type, id),
      scope: type === 'Patient' ? 'patient/*.read' : organisation,
      shows: id === 'none' ? [shows] : [shows, '8.2-odd-ids'],
      name: `reads no ${type} ${id}`,
      status: 404,
      code,
    }),
  ),
)

const empty: readonly Scenario[] = ['Patient', 'Practitioner', 'Organization', 'Location'].map((type) => ({
  ...reading(type, ''),
  scope: type === 'Patient' ? 'patient/*.read' : organisation,
  shows: ['8.2-empty-id'],
  name: `reads a ${type} of no id`,
  status: 400,
  code: 'BAD_REQUEST',
}))

const shownOrNot: readonly Scenario[] = [
  ...(
    [
      ['8.2-not-shown', people.inactive, 0],
      ['8.2-not-shown', people.sensitive, 0],
      ['8.2-not-shown', people.deceasedRecently, 0],
      ['8.2-dissent-shown', people.dissent, 1],
      ['8.2-not-verified', people.notVerified, 0],
      ['8.2-not-verified', extra.traced, 0],
    ] as const
  ).map(
    ([shows, number, matches]): Scenario => ({
      ...search(number),
      shows: [shows],
      name: `finds ${matches === 0 ? 'nobody' : 'the patient'} for ${number}`,
      status: 200,
      holds: isSearchset(matches),
    }),
  ),
  {
    ...search(who),
    settings: { services: servicesOfSecond({ gpconnect: { on: [] } }) },
    shows: [],
    name: 'finds a patient where Foundations is switched off',
    status: 403,
    code: 'ACCESS_DENIED',
  },
]

const stories: readonly Story[] = [
  {
    generation: '1.x',
    shows: ['8.2-patient-read', '8.2-patient-gp', '8.2-vread', '4.1-etag', '4.1-profile', ...ofPatients],
    name: 'reads the patient that a search found, by version too',
    async tell({ ask, refused }) {
      const id = String(firstResource(await ask(search(who))).id)
      const found = await ask(patientById(id))
      assert.equal(found.status, 200)
      hasProfile('Patient', 'CareConnect-GPC-Patient-1')(found)
      isWholePatient(found.resource)
      const gp = await ask(reading('Practitioner', 'gp-1'))
      assert.equal(gp.status, 200)
      const { versionId } = found.resource.meta ?? {}
      const current = await ask(patientById(`${id}/_history/${versionId}`))
      assert.equal(current.status, 200)
      assert.deepEqual(current.resource, found.resource)
      await refused(patientById(`${id}/_history/999999`), 404, 'PATIENT_NOT_FOUND')
      const upper = id.toUpperCase() === id ? id.toLowerCase() : id.toUpperCase()
      if (upper !== id) await refused(patientById(upper), 404, 'PATIENT_NOT_FOUND')
    },
  },
  {
    generation: '1.x',
    shows: ['8.2-organization-part-of', '8.2-location-part-of'],
    name: 'follows what places are a part of',
    async tell({ ask }) {
      const partOf = async (type: string, id: string) => {
        const { resource } = await ask(reading(type, id))
        const [, target = ''] = String((resource['partOf'] as Json)['reference']).split('/')
        const parent = await ask(reading(type, target))
        assert.equal(parent.status, 200)
        assert.equal(parent.resource.resourceType, type)
      }
      await partOf('Organization', 'A20047')
      await partOf('Location', 'site-2')
    },
  },
  {
    generation: '1.x',
    shows: ['8.2-dissent-shown', '8.2-not-shown'],
    name: 'reads by id whom a search finds, and nobody else',
    async tell({ ask, refused, sandbox, index }) {
      const id = String(firstResource(await ask(search(people.dissent))).id)
      assert.equal((await ask(patientById(id))).status, 200)
      // The id of a patient whom nobody may find is known from when they could be.
      const load = (more: Parameters<typeof hidden>[1] = {}) =>
        sandbox.spine.contracts.practice.addPatients('A20047', [hidden(index, more)])
      await load()
      const known = String(firstResource(await ask(search(hidden(index).nhsNumber))).id)
      for (const more of [{ sensitive: true }, { active: false }, { deceasedDate: '2024-01-01' }]) {
        await load(more)
        await refused(patientById(known), 404, 'PATIENT_NOT_FOUND')
      }
      await load()
      assert.equal((await ask(patientById(known))).status, 200)
    },
  },
  {
    generation: '1.x',
    shows: ['8.2-verified-by-trace'],
    name: 'finds a patient whose number is verified by a trace',
    async tell({ ask, index }) {
      const found = await ask(search(extra.untraced[index] ?? ''))
      isSearchset(1)(found)
      assert.match(JSON.stringify(firstResource(found)['identifier']), /"code":"01"/)
    },
  },
]

export const foundations: Area = {
  scenarios: [...capabilities, ...places, ...unknown, ...empty, ...shownOrNot],
  stories,
}
