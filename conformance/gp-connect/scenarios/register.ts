/** §8.3: the registration of a patient. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { Answered, Asked } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { extra, family } from '../people.ts'
import { day, enc, nhsNumber, searchPatient } from '../requests.ts'
import { type Area, firstOf, isSearchset, type Scenario, type Story } from '../scenario.ts'
import { type Json, objectsIn } from './foundations-reading.ts'

const definition = (name: string) => `https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-${name}-1`
/** Known to demographics; only refused registrations are tried with it, so that it stays free. */
const somebody = extra.spare

export const person = (number: string, changes: Json = {}): Json => ({
  resourceType: 'Patient',
  meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1'] },
  identifier: [{ system: nhsNumber, value: number }],
  name: [{ use: 'official', family: family.stranger, given: ['Pat'] }],
  birthDate: '1991-03-14',
  ...changes,
})

export const registration = (...patients: readonly Json[]): Asked => ({
  base: 'gpconnect',
  interaction: 'fhir:operation:gpc.registerpatient-1',
  path: '/Patient/$gpc.registerpatient',
  scope: 'patient/*.write',
  body: {
    resourceType: 'Parameters',
    parameter: patients.map((resource) => ({ name: 'registerPatient', resource })),
  },
})

const language: Json = {
  url: definition('NHSCommunication'),
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
    { url: 'interpreterRequired', valueBoolean: true },
  ],
}
const address = (use: string): Json => ({ use, line: ['5 Guest Lane'], city: 'Testham', postalCode: 'ZZ99 9ZZ' })
const phone = (use: string): Json => ({ system: 'phone', use, value: `01632 96007${use.length}` })

type Row = readonly [shows: ObligationId, name: string, changes: Json, status: number, code: string]
const name = (changes: Json) => ({ name: [{ use: 'official', family: family.stranger, given: ['Pat'], ...changes }] })

const rows: readonly Row[] = [
  ['8.3-no-identifier', 'without an identifier', { identifier: undefined }, 400, 'INVALID_NHS_NUMBER'],
  [
    '8.3-nhs-number',
    'with an invalid NHS number',
    { identifier: [{ system: nhsNumber, value: '9990548600' }] },
    400,
    'INVALID_NHS_NUMBER',
  ],
  [
    '8.3-identifier-system',
    'with an identifier without system',
    { identifier: [{ value: somebody }] },
    400,
    'BAD_REQUEST',
  ],
  ['8.3-birth-date', 'without birthDate', { birthDate: undefined }, 400, 'BAD_REQUEST'],
  ['8.3-official-name', 'without a name', { name: undefined }, 400, 'BAD_REQUEST'],
  ['8.3-official-name', 'without an official name', name({ use: 'usual' }), 400, 'BAD_REQUEST'],
  ['8.3-family', 'without a family name', name({ family: undefined }), 400, 'BAD_REQUEST'],
  ['8.3-family-differs', 'with another family name', name({ family: 'Other' }), 400, 'BAD_REQUEST'],
  ['8.3-telecom', 'with a telecom without value', { telecom: [{ system: 'phone', use: 'home' }] }, 400, 'BAD_REQUEST'],
  [
    '8.3-telecom',
    'with a telecom without system',
    { telecom: [{ use: 'home', value: '01632 960077' }] },
    400,
    'BAD_REQUEST',
  ],
  ['8.3-telecom', 'with two telecoms of one use', { telecom: [phone('home'), phone('home')] }, 400, 'BAD_REQUEST'],
  [
    '8.3-addresses',
    'with two home addresses',
    { address: [address('home'), address('home')] },
    422,
    'INVALID_RESOURCE',
  ],
  [
    '8.3-addresses',
    'with two temporary addresses',
    { address: [address('temp'), address('temp')] },
    422,
    'INVALID_RESOURCE',
  ],
  ['8.3-addresses', 'with a work address', { address: [address('work')] }, 422, 'INVALID_RESOURCE'],
  ['8.3-addresses', 'with an old address', { address: [address('old')] }, 422, 'INVALID_RESOURCE'],
  ['8.3-communications', 'with two languages', { extension: [language, language] }, 422, 'INVALID_RESOURCE'],
  ...Object.entries({
    active: true,
    deceasedBoolean: false,
    maritalStatus: { text: 'Married' },
    multipleBirthBoolean: false,
    photo: [{ title: 'x' }],
    contact: [{ name: { use: 'official', family: 'Other' } }],
    animal: { species: { text: 'dog' } },
    communication: [{ language: { text: 'German' } }],
    generalPractitioner: [{ reference: 'Practitioner/gp-1' }],
    managingOrganization: { reference: 'Organization/A20047' },
    link: [{ other: { reference: 'Patient/1' }, type: 'seealso' }],
  }).map(([element, value]): Row => ['8.3-elements', `with ${element}`, { [element]: value }, 422, 'INVALID_RESOURCE']),
  [
    '8.3-elements',
    'with registration details',
    {
      extension: [
        {
          url: definition('RegistrationDetails'),
          extension: [{ url: 'registrationPeriod', valuePeriod: { start: day(0) } }],
        },
      ],
    },
    422,
    'INVALID_RESOURCE',
  ],
]

const known: readonly (readonly [ObligationId, string, number, string])[] = [
  ['8.3-superseded', extra.superseded, 400, 'INVALID_NHS_NUMBER'],
  ['8.3-superseded', extra.invalidated, 400, 'INVALID_NHS_NUMBER'],
  ['8.3-not-traced', extra.nobody, 400, 'INVALID_PATIENT_DEMOGRAPHICS'],
  ['8.3-deceased', extra.deceased, 400, 'INVALID_PATIENT_DEMOGRAPHICS'],
  ['8.3-sensitive', extra.sensitive, 400, 'INVALID_PATIENT_DEMOGRAPHICS'],
]

const bare = (body: Json): Asked => ({ ...registration(), body })
const refused: readonly Scenario[] = [
  ...rows.map(
    ([shows, what, changes, status, code]): Scenario => ({
      ...registration(person(somebody, changes)),
      shows: [shows],
      name: `registers ${what}`,
      status,
      code,
    }),
  ),
  ...known.map(
    ([shows, number, status, code]): Scenario => ({
      ...registration(person(number)),
      shows: [shows],
      name: `registers ${number}`,
      status,
      code,
    }),
  ),
  {
    ...registration(person(somebody), person(somebody)),
    shows: ['8.3-twice'],
    name: 'registers twice in one request',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...registration(person(somebody)),
    spoiled: (words) =>
      words
        .replace('"birthDate"', '"favouriteColour":"red","birthDate"')
        .replace('<birthDate', '<favouriteColour value="red"/><birthDate'),
    shows: ['8.3-embedded-resource'],
    name: 'registers with an unknown element',
    status: 422,
    code: 'INVALID_RESOURCE',
  },
  {
    ...bare(person(somebody)),
    shows: ['8.3-body-resource'],
    name: 'registers with a Patient as body',
    status: 422,
    code: 'INVALID_RESOURCE',
  },
  {
    ...bare({ resourceType: 'Bundle', type: 'collection' }),
    shows: ['8.3-body-resource'],
    name: 'registers with a Bundle as body',
    status: 422,
    code: 'INVALID_RESOURCE',
  },
  {
    ...registration(person(somebody)),
    words: '{"resourceType":"Parameters",<',
    shows: ['5.2-malformed'],
    name: 'registers with a body that cannot be read',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...registration(person(somebody)),
    scope: 'patient/*.read',
    shows: ['8.3-token'],
    name: 'registers with a token to read',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...registration(
      person(people.everySection, { ...name({ family: 'Testcase', given: ['Arlo'] }), birthDate: '1980-02-29' }),
    ),
    shows: ['8.3-duplicate'],
    name: 'registers a regular patient',
    status: 409,
    code: 'DUPLICATE_REJECTED',
  },
]

const search = (number: string) => searchPatient(`?identifier=${enc(`${nhsNumber}|${number}`)}`)

function isTemporary(answered: Answered): Json {
  assert.equal(answered.status, 200, answered.text.slice(0, 400))
  isSearchset(1)(answered)
  const patient = firstOf(answered, 'Patient')
  const details = objectsIn(patient['extension']).find(({ url }) => url === definition('RegistrationDetails'))
  const parts = Object.fromEntries(objectsIn(details?.['extension']).map((part) => [String(part['url']), part]))
  const { start, end } = (parts['registrationPeriod']?.['valuePeriod'] ?? {}) as { start?: string; end?: string }
  assert.ok(start && end && start <= end)
  assert.match(JSON.stringify(parts['registrationType']), /"code":"T"/)
  assert.deepEqual(patient['managingOrganization'], { reference: 'Organization/A20047' })
  return patient
}

const stories: readonly Story[] = [
  {
    generation: '1.x',
    shows: ['8.3-registers', '8.3-temporary', '8.3-duplicate', '8.3-optional', '4.1-searchset', '4.1-no-full-url'],
    name: 'registers a patient for a time, once, with all that may be said',
    async tell({ ask, refused, index }) {
      const number = extra.strangers[index] ?? ''
      const asked = registration(
        person(number, {
          gender: 'female',
          address: [address('home'), address('temp')],
          telecom: [
            ...['home', 'work', 'mobile', 'temp'].map(phone),
            { system: 'email', value: 'pat@mail.example', use: 'home' },
          ],
          extension: [language],
        }),
      )
      const patient = isTemporary(await ask(asked))
      assert.equal(objectsIn(patient['address']).length, 2)
      assert.equal(objectsIn(patient['telecom']).length, 5)
      assert.equal(patient['gender'], 'female')
      assert.match(JSON.stringify(patient['extension']), /"German"/)
      isSearchset(1)(await ask(search(number)))
      await refused(asked, 409, 'DUPLICATE_REJECTED')
    },
  },
  {
    generation: '1.x',
    shows: ['8.3-registers', '8.3-temporary'],
    name: 'registers a patient with the least that must be said',
    async tell({ ask, index }) {
      isTemporary(await ask(registration(person(extra.well[index] ?? ''))))
    },
  },
  {
    generation: '1.x',
    shows: ['8.3-reactivates', '8.3-temporary'],
    name: 'takes up an inactive patient again',
    async tell({ ask, index }) {
      const number = extra.returning[index] ?? ''
      isSearchset(0)(await ask(search(number)))
      isTemporary(await ask(registration(person(number, name({ family: family.returning })))))
      isSearchset(1)(await ask(search(number)))
    },
  },
]

export const register: Area = { scenarios: refused, stories }
