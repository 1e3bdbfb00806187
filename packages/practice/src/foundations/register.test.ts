import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '@openspine/platform/clock'
import type { AnyResource } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { TracedPerson } from '../demographics.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { exampleAnswers, exampleId, now } from '../testing/example-answers.ts'
import { matchesOf, refusalOf } from '../testing/stu3-outcomes.ts'
import { stu3Request } from '../testing/stu3-requests.ts'
import { foundationsEndpoints } from './endpoints.ts'

type Json = Record<string, unknown>

/** Nobody at the practice has this number. */
const stranger = '9990100144'
const nhsNumberSystem = 'https://fhir.nhs.uk/Id/nhs-number'
const communicationUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-NHSCommunication-1'

const known: TracedPerson = {
  family: "O'Visiting",
  given: ['Petra'],
  birthDate: '1991-03-14',
  gender: 'female',
  deceased: false,
  sensitive: false,
  status: 'current',
}

const petra = (changes: Json = {}): Json => ({
  resourceType: 'Patient',
  meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1'] },
  identifier: [{ system: nhsNumberSystem, value: stranger }],
  name: [{ use: 'official', family: "O'Visiting", given: ['Petra', 'Jo'], prefix: ['Ms'] }],
  birthDate: '1991-03-14',
  ...changes,
})

const parameters = (...patients: Json[]): Json => ({
  resourceType: 'Parameters',
  parameter: patients.map((resource) => ({ name: 'registerPatient', resource })),
})

const request = (
  body: Json | string,
  more: { readonly contentType?: string; readonly scope?: string; readonly at?: number } = {},
) =>
  stu3Request({
    now: more.at ?? now,
    interaction: 'fhir:operation:gpc.registerpatient-1',
    method: 'POST',
    target: '/Patient/$gpc.registerpatient',
    scope: 'patient/*.write',
    body,
    ...more,
  })

/** What the demographics service says, where it is not what the request says. */
type Trace = Partial<TracedPerson> | 'unreachable' | 'unknown'

const withTrace = (traced: Trace = {}) =>
  exampleAnswers(
    {},
    {
      async demographics() {
        if (traced === 'unreachable') throw new Error('no connection')
        return traced === 'unknown' ? undefined : { ...known, ...traced }
      },
    },
  )

const phone = (use: string, value = '01632 960077'): Json => ({ system: 'phone', use, value })
const address = (use?: string): Json => ({ ...(use ? { use } : {}), line: ['5 Guest Lane'], city: 'Testham' })
const language = (...more: Json[]): Json => ({
  url: communicationUrl,
  extension: [
    {
      url: 'language',
      valueCodeableConcept: {
        coding: [
          {
            system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-HumanLanguage-1',
            code: 'de',
            display: 'German',
          },
        ],
      },
    },
    ...more,
  ],
})
const name = (changes: Json) => ({ use: 'official', family: "O'Visiting", given: ['Petra'], ...changes })

const badRequest = '400 BAD_REQUEST (invalid)'
const invalidResource = '422 INVALID_RESOURCE (invalid)'
const invalidNumber = '400 INVALID_NHS_NUMBER (value)'
const invalidDemographics = '400 INVALID_PATIENT_DEMOGRAPHICS (business-rule)'
const duplicate = '409 DUPLICATE_REJECTED (duplicate)'

interface Row {
  readonly check: string
  readonly refusal: string
  readonly what: string
  readonly body?: Json | string
  readonly traced?: Trace
}

const row = (check: string, refusal: string, what: string, body: Json | string = parameters(petra())): Row => ({
  check,
  refusal,
  what,
  body,
})
const patientRow = (check: string, refusal: string, what: string, changes: Json): Row =>
  row(check, refusal, what, parameters(petra(changes)))
const number = (value: string) => ({ identifier: [{ system: nhsNumberSystem, value }] })

const rows: readonly Row[] = [
  row('body present', badRequest, 'no body', ' '),
  row('body readable', badRequest, 'not JSON', '{"resourceType":'),
  row('body is Parameters', invalidResource, 'another resource', { resourceType: 'Bundle', type: 'collection' }),
  row('body is Parameters', invalidResource, 'the Patient alone', petra()),
  row('body is a resource', invalidResource, 'an unknown resource', parameters(petra({ resourceType: 'Invalid' }))),
  patientRow('body is a resource', invalidResource, 'an unknown element', { favouriteColour: 'red' }),
  row('parameter registerPatient', '422 INVALID_PARAMETER (invalid)', 'no parameter', { resourceType: 'Parameters' }),
  row('parameter registerPatient', '422 INVALID_PARAMETER (invalid)', 'another name', {
    resourceType: 'Parameters',
    parameter: [{ name: 'registerpatient', resource: petra() }],
  }),
  row('parameter registerPatient alone', badRequest, 'given twice', parameters(petra(), petra())),
  row('registerPatient is a Patient', invalidResource, 'a value', {
    resourceType: 'Parameters',
    parameter: [{ name: 'registerPatient', valueString: 'Petra' }],
  }),
  row('registerPatient is a Patient', invalidResource, 'an Organization', {
    resourceType: 'Parameters',
    parameter: [{ name: 'registerPatient', resource: { resourceType: 'Organization', name: 'Petra' } }],
  }),
  ...Object.entries({
    active: true,
    multipleBirthBoolean: true,
    generalPractitioner: [{ display: 'Somebody' }],
    contact: [{ name: { family: 'Somebody' } }],
    managingOrganization: { display: 'Somewhere' },
    maritalStatus: { text: 'Married' },
    animal: { species: { text: 'Human' } },
    communication: [{ language: { text: 'en' } }],
    photo: [{ title: 'Portrait' }],
    deceasedBoolean: false,
    link: [{ other: { display: 'Somebody' }, type: 'refer' }],
    _birthDate: { extension: [{ url: 'urn:x', valueString: 'x' }] },
  }).map(([element, value]) => patientRow('elements allowed', invalidResource, element, { [element]: value })),
  patientRow('extensions allowed', invalidResource, 'RegistrationDetails', {
    extension: [
      {
        url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-RegistrationDetails-1',
        extension: [{ url: 'registrationPeriod', valuePeriod: { start: '2026-01-01' } }],
      },
    ],
  }),
  patientRow('one NHSCommunication', invalidResource, 'two', { extension: [language(), language()] }),
  patientRow('one NHSCommunication', invalidResource, 'no language', {
    extension: [{ url: communicationUrl, extension: [{ url: 'interpreterRequired', valueBoolean: true }] }],
  }),
  patientRow('one NHSCommunication', invalidResource, 'another part', {
    extension: [language({ url: 'preferred', valueBoolean: true })],
  }),
  patientRow('identifiers with systems', badRequest, 'one without', {
    identifier: [{ system: nhsNumberSystem, value: stranger }, { value: 'x' }],
  }),
  row(
    'NHS number of the patient',
    invalidNumber,
    'no identifier',
    parameters(Object.fromEntries(Object.entries(petra()).filter(([key]) => key !== 'identifier'))),
  ),
  ...['34555##4', 'hello', '999999999', '9990100145', '99901001440', '999 010 0144'].map((value) =>
    patientRow('NHS number of the patient', invalidNumber, value, number(value)),
  ),
  patientRow('NHS number of the patient', invalidNumber, 'two', {
    identifier: [...number(stranger).identifier, ...number(people.noData).identifier],
  }),
  row(
    'birth date',
    badRequest,
    'none',
    parameters(Object.fromEntries(Object.entries(petra()).filter(([key]) => key !== 'birthDate'))),
  ),
  patientRow('birth date', badRequest, 'a part', { birthDate: '1991-03' }),
  patientRow('one official name', badRequest, 'no official one', { name: [name({ use: 'anonymous' })] }),
  row(
    'one official name',
    badRequest,
    'no name',
    parameters(Object.fromEntries(Object.entries(petra()).filter(([key]) => key !== 'name'))),
  ),
  patientRow('one official name', badRequest, 'two', { name: [name({}), name({ family: 'Other' })] }),
  patientRow('family name and given name', badRequest, 'no family', { name: [{ use: 'official', given: ['Petra'] }] }),
  patientRow('family name and given name', badRequest, 'no given', { name: [{ use: 'official', family: 'Visiting' }] }),
  ...[['temp', 'temp'], ['home', 'home'], ['work'], ['old'], ['']].map((uses) =>
    patientRow('addresses', invalidResource, uses.join(' and '), { address: uses.map(address) }),
  ),
  ...['home', 'work', 'mobile', 'temp'].map((use) =>
    patientRow('telecom', badRequest, `two phones for ${use}`, { telecom: [phone(use), phone(use)] }),
  ),
  patientRow('telecom', badRequest, 'two emails', {
    telecom: ['home', 'work'].map((use) => ({ system: 'email', use, value: 'petra@example.test' })),
  }),
  patientRow('telecom', badRequest, 'former phone', { telecom: [phone('old')] }),
  patientRow('telecom', badRequest, 'a fax', { telecom: [{ ...phone('home'), system: 'fax' }] }),
  patientRow('telecom', badRequest, 'no value', { telecom: [{ system: 'phone', use: 'home' }] }),
  patientRow('values that can be kept', invalidResource, 'a gender of our own', { gender: 'femme' }),
  patientRow('values that can be kept', invalidResource, 'a line break', {
    address: [{ ...address('home'), city: 'Test\nham' }],
  }),
  {
    check: 'demographics service reached',
    refusal: '500 INTERNAL_SERVER_ERROR (processing)',
    what: 'unreachable',
    traced: 'unreachable',
  },
  { check: 'known to the demographics service', refusal: invalidDemographics, what: 'not known', traced: 'unknown' },
  ...(['superseded', 'invalidated'] as const).map((status) => ({
    check: 'NHS number current',
    refusal: invalidNumber,
    what: status,
    // Whoever has the number now is somebody else.
    traced: { status, family: 'Other' },
  })),
  { check: 'patient living', refusal: invalidDemographics, what: 'dead', traced: { deceased: true, family: 'Other' } },
  {
    check: 'patient without sensitivity flag',
    refusal: invalidDemographics,
    what: 'flagged',
    traced: { sensitive: true, family: 'Other' },
  },
  { check: 'family name as traced', refusal: badRequest, what: 'other', traced: { family: 'Visitor' } },
  { check: 'birth date as traced', refusal: invalidDemographics, what: 'other', traced: { birthDate: '1990-04-14' } },
  { check: 'birth date as traced', refusal: invalidDemographics, what: 'unknown', traced: { birthDate: '1991' } },
  patientRow('patient living', invalidDemographics, 'dead by our own record', number(people.deceasedLongAgo)),
  patientRow('patient without sensitivity flag', invalidDemographics, 'our own flag', number(people.sensitive)),
  patientRow('not registered yet', duplicate, 'regular', number(people.noData)),
]

describe('$gpc.registerpatient (§8.3)', () => {
  for (const { check, refusal, what, body = parameters(petra()), traced } of rows)
    it(`${check}: ${what} → ${refusal}`, async () => {
      const answered = await withTrace(traced)(request(body))
      assert.equal(answered.failed?.check, check, answered.body)
      assert.equal(refusalOf(answered), refusal)
    })

  it('has a row for every check', () => {
    const tried = new Set([...rows.map(({ check }) => check), 'GP Connect switched on'])
    const endpoint = foundationsEndpoints.find(({ action }) => action === 'registerPatient')
    for (const { name: check, explains } of endpoint?.checks ?? []) {
      assert.ok(tried.has(check), check)
      assert.ok(explains.length > 20)
    }
  })

  it('says plainly that nobody can be traced where the practice has no demographics service', async () => {
    const answered = await exampleAnswers()(request(parameters(petra())))
    assert.equal(refusalOf(answered), '500 INTERNAL_SERVER_ERROR (processing)')
    assert.match(answered.body, /no connection to the demographics service/)
  })

  it('needs the scope patient/*.write', async () => {
    for (const scope of ['patient/*.read', 'organization/*.read', 'organization/*.write'])
      assert.equal(refusalOf(await withTrace()(request(parameters(petra()), { scope }))), badRequest)
  })

  it('registers a temporary patient with everything that may be sent, and finds them from then on', async () => {
    const answers = withTrace()
    const body = parameters(
      petra({
        id: 'local-1',
        gender: 'female',
        identifier: [...number(stranger).identifier, { system: 'urn:generic', value: 'x' }],
        name: [{ use: 'nickname', family: 'Else', given: ['Pet'] }, ...(petra()['name'] as Json[])],
        address: [address('temp'), { ...address('home'), postalCode: 'ZZ99 3CZ' }],
        telecom: [
          ...['home', 'work', 'mobile', 'temp'].map((use) => phone(use)),
          { system: 'email', use: 'temp', value: 'petra@example.test' },
        ],
        extension: [language({ url: 'interpreterRequired', valueBoolean: true })],
      }),
    )
    const answered = await answers(request(body))
    const [patient, ...more] = matchesOf(answered)
    assert.deepEqual(more, [])
    assert.deepEqual(JSON.parse(answered.body).meta, {
      profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Searchset-Bundle-1'],
    })
    const { extension, identifier, name: names, address: addresses, telecom, ...rest } = patient as AnyResource
    assert.equal(rest['gender'], 'female')
    assert.equal(rest['birthDate'], '1991-03-14')
    assert.equal(rest['active'], true)
    assert.deepEqual(rest['managingOrganization'], { reference: 'Organization/A20047' })
    assert.deepEqual(names, [
      { use: 'official', text: "Ms Petra Jo O'Visiting", family: "O'Visiting", given: ['Petra', 'Jo'], prefix: ['Ms'] },
    ])
    assert.deepEqual(addresses, [
      { use: 'home', line: ['5 Guest Lane'], city: 'Testham', postalCode: 'ZZ99 3CZ' },
      { use: 'temp', line: ['5 Guest Lane'], city: 'Testham' },
    ])
    assert.deepEqual(
      (telecom as { use: string }[]).map(({ use }) => use),
      ['home', 'work', 'mobile', 'temp', 'temp'],
    )
    assert.match(JSON.stringify(identifier), /"code":"01"/)
    assert.match(JSON.stringify(extension), /"valuePeriod":\{"start":"2026-11-20","end":"2027-02-19"\}/)
    assert.match(JSON.stringify(extension), /"code":"T","display":"Temporary"/)
    assert.match(JSON.stringify(extension), /"code":"de","display":"German".*"interpreterRequired","valueBoolean":true/)

    const found = stu3Request({
      now,
      interaction: 'fhir:rest:search:patient-1',
      target: `/Patient?identifier=${nhsNumberSystem}%7C${stranger}`,
    })
    assert.deepEqual(matchesOf(await answers(found)), [patient])
    assert.equal(refusalOf(await answers(request(parameters(petra())))), duplicate)
  })

  it('takes the gender from the trace where none was sent', async () => {
    const [patient] = matchesOf(await withTrace()(request(parameters(petra()))))
    assert.equal(patient?.['gender'], 'female')
  })

  it('takes the request as XML and answers in it', async () => {
    const xml = stu3.toXml(parameters(petra()) as unknown as AnyResource)
    const sent = request(xml, { contentType: 'application/fhir+xml' })
    sent.headers['Accept'] = 'application/fhir+xml'
    const answered = await withTrace()(sent)
    assert.equal(answered.headers['content-type'], 'application/fhir+xml;charset=utf-8')
    assert.equal(matchesOf(answered).length, 1)
  })

  it('takes up an inactive patient again, as a temporary one, and keeps the record', async () => {
    const answers = withTrace({ family: 'Gonewell', given: ['Kofi'], birthDate: '1969-11-11' })
    const kofi = petra({
      ...number(people.inactive),
      name: [name({ family: 'Gonewell', given: ['Kofi'] })],
      birthDate: '1969-11-11',
      address: [address('temp')],
    })
    const answered = await answers(request(parameters(kofi)))
    const [patient] = matchesOf(answered)
    assert.equal(patient?.id, exampleId(people.inactive))
    assert.equal(patient?.meta?.versionId, '3')
    assert.deepEqual(
      ((patient?.['address'] ?? []) as { use: string }[]).map(({ use }) => use),
      ['home', 'temp'],
    )
    assert.equal(answered.sheet.record?.patient.encounters.length, 1)
    assert.deepEqual(answered.sheet.audited, { registered: exampleId(people.inactive), reactivated: true })
    assert.equal(refusalOf(await answers(request(parameters(kofi)))), duplicate)
  })

  it('ends with its period: the patient is not found any more, and may be registered again', async () => {
    const clock = manualClock(now)
    const answers = exampleAnswers({}, { clock, demographics: async () => known })
    const again = () => answers(request(parameters(petra()), { at: clock.now() }))
    const [registered] = matchesOf(await again())
    assert.ok(registered?.id)
    const seen = async () => {
      const at = { now: clock.now() }
      const found = await answers(
        stu3Request({
          ...at,
          interaction: 'fhir:rest:search:patient-1',
          target: `/Patient?identifier=${nhsNumberSystem}%7C${stranger}`,
        }),
      )
      const read = await answers(
        stu3Request({ ...at, interaction: 'fhir:rest:read:patient-1', target: `/Patient/${registered.id}` }),
      )
      return [matchesOf(found).length, read.status]
    }
    clock.advance(Date.parse('2027-02-19T20:00:00Z') - now)
    assert.deepEqual(await seen(), [1, 200])
    assert.equal(refusalOf(await again()), duplicate)
    clock.advance(Date.parse('2027-02-20T00:00:00Z') - clock.now())
    assert.deepEqual(await seen(), [0, 404])
    const [renewed] = matchesOf(await again())
    assert.equal(renewed?.id, registered.id)
    assert.match(JSON.stringify(renewed), /"valuePeriod":\{"start":"2027-02-20","end":"2027-05-22"\}/)
    assert.deepEqual(await seen(), [1, 200])
  })

  it('registers one of many requests that come at once', async () => {
    const answers = withTrace()
    const all = await Promise.all(Array.from({ length: 12 }, () => answers(request(parameters(petra())))))
    assert.deepEqual(all.map(({ status }) => status).sort(), [200, ...Array.from({ length: 11 }, () => 409)])
  })
})
