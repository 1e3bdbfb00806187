import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstRefusal } from '../checks.ts'
import type { PdsOutcome } from '../outcomes.ts'
import { extensionUrl, type Json } from '../person.ts'
import { createChecks, newRecordChecks } from './patient-checks.ts'
import { authority, newPatient } from './register.test-kit.ts'

const today = '2026-11-20'
const body = (value: Json) => ({ value, prefix: '', today })
const refusal = (value: Json): PdsOutcome | undefined => firstRefusal(createChecks, body(value))?.outcome
const said = (outcome: PdsOutcome | undefined) => outcome && [outcome.coding.code, outcome.diagnostics]

const name = (more: Json): Json[] => [{ use: 'usual', family: 'ToRemove', ...more }]
const home = (more: Json): Json[] => [
  { use: 'home', period: { start: '2020-01-01' }, line: ['1 A Street', '', '', 'B'], postalCode: 'ZZ99 3CZ', ...more },
]
const addressKey = (...extension: Json[]): Json => ({
  url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-AddressKey',
  ...(extension.length > 0 && { extension }),
})
const telecom = (more: Json): Json => ({ system: 'phone', use: 'mobile', value: '07700900001', ...more })
const without = (member: string): Json => {
  const { [member]: _, ...rest } = newPatient()
  return rest
}
const language = (code: string): Json => ({
  url: extensionUrl.communication,
  extension: [{ url: 'language', valueCodeableConcept: { coding: [{ code }] } }],
})
const six = ['One', 'Two', 'Three', 'Four', 'Five', 'Six']

const rows: readonly (readonly [value: Json, code: string, diagnostics: string])[] = [
  // What is missing, one at a time, in the order of §12.
  [{ bananas: 'in pyjamas' }, 'MISSING_VALUE', "Missing value - 'name'"],
  [{ name: { family: 'Smith' } }, 'MISSING_VALUE', "Missing value - 'address'"],
  [{ name: { family: 'Smith' }, address: [{ line: ['1'] }] }, 'MISSING_VALUE', "Missing value - 'gender'"],
  [
    { name: { family: 'Smith' }, address: [{ line: ['1'] }], gender: 'male' },
    'MISSING_VALUE',
    "Missing value - 'birthDate'",
  ],
  [
    { name: { family: 'Smith' }, address: [{ line: ['1'] }], gender: 'male', birthDate: '2000-01-01' },
    'MISSING_VALUE',
    "Missing value - 'address/0/period'",
  ],
  [without('extension'), 'MISSING_VALUE', "Missing value - 'extension'"],
  [newPatient({ name: null }), 'MISSING_VALUE', "Missing value - 'name'"],
  // What is too much.
  [
    newPatient({ pets: 1 }),
    'ADDITIONAL_PROPERTIES',
    "Invalid request with error - Additional properties are not allowed ('pets' was unexpected)",
  ],
  [
    newPatient({ pets: 1, deceasedDateTime: '2020-01-01' }),
    'ADDITIONAL_PROPERTIES',
    "Invalid request with error - Additional properties are not allowed ('pets', 'deceasedDateTime' were unexpected)",
  ],
  // Values.
  [newPatient({ resourceType: 'Person' }), 'INVALID_VALUE', "Invalid value - 'Person' in field 'resourceType'"],
  [newPatient({ name: { family: 'Smith' } }), 'INVALID_VALUE', "Invalid value - '{'family': 'Smith'}' in field 'name'"],
  [newPatient({ name: [] }), 'TOO_FEW_VALUES_SUBMITTED', "Too few values submitted - [] in field 'name'"],
  [
    newPatient({ name: [...name({}), ...name({})] }),
    'TOO_MANY_VALUES_SUBMITTED',
    "Too many values submitted - [{'use': 'usual', 'family': 'ToRemove'}, {'use': 'usual', 'family': 'ToRemove'}] in field 'name'",
  ],
  [newPatient({ name: name({ use: undefined }) }), 'MISSING_VALUE', "Missing value - 'name/0/use'"],
  [
    newPatient({ name: name({ use: 'nickname' }) }),
    'INVALID_VALUE',
    "Invalid value - 'nickname' in field 'name/0/use'",
  ],
  [
    newPatient({ name: name({ given: 'not an array' }) }),
    'INVALID_VALUE',
    "Invalid value - 'not an array' in field 'name/0/given'",
  ],
  [
    newPatient({ name: name({ given: six }) }),
    'TOO_MANY_VALUES_SUBMITTED',
    "Too many values submitted - ['One', 'Two', 'Three', 'Four', 'Five', 'Six'] in field 'name/0/given'",
  ],
  [newPatient({ gender: 'other' }), 'INVALID_VALUE', "Invalid value - 'other' in field 'gender'"],
  [newPatient({ birthDate: 'not-a-date' }), 'INVALID_VALUE', "Invalid value - 'not-a-date' in field 'birthDate'"],
  [newPatient({ birthDate: '2026-11-21' }), 'INVALID_VALUE', "Invalid value - '2026-11-21' in field 'birthDate'"],
  [newPatient({ address: 'here' }), 'INVALID_VALUE', "Invalid value - 'here' in field 'address'"],
  [newPatient({ address: [] }), 'TOO_FEW_VALUES_SUBMITTED', "Too few values submitted - [] in field 'address'"],
  [newPatient({ address: ['not', 'an'] }), 'INVALID_VALUE', "Invalid value - 'not' in field 'address/0'"],
  [
    newPatient({ address: [['another', 'array']] }),
    'INVALID_VALUE',
    "Invalid value - '['another', 'array']' in field 'address/0'",
  ],
  [newPatient({ address: home({ use: 'work' }) }), 'INVALID_VALUE', "Invalid value - 'work' in field 'address/0/use'"],
  [
    newPatient({ address: home({ extension: [addressKey()] }) }),
    'MISSING_VALUE',
    "Missing value - 'address/0/extension/0/extension'",
  ],
  [
    newPatient({ telecom: [telecom({ use: 'boat' })] }),
    'INVALID_VALUE',
    "Invalid value - 'boat' in field 'telecom/0/use'",
  ],
  [
    newPatient({ extension: [authority, { url: 'https://nowhere.example' }] }),
    'INVALID_VALUE',
    "Invalid value - 'https://nowhere.example' in field 'extension/1/url'",
  ],
  [newPatient({ extension: [authority, {}] }), 'MISSING_VALUE', "Missing value - 'extension/1/url'"],
  [
    newPatient({ extension: [language('fr')] }),
    'TOO_FEW_VALUES_SUBMITTED',
    "Too few values submitted - [{'url': 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSCommunication', 'extension': [{'url': 'language', 'valueCodeableConcept': {'coding': [{'code': 'fr'}]}}]}] in field 'extension'",
  ],
  [
    newPatient({ extension: [{ ...authority, extension: undefined }] }),
    'MISSING_VALUE',
    "Missing value - 'extension/0/extension'",
  ],
  [
    newPatient({
      extension: [
        {
          ...authority,
          extension: [
            { url: 'registeringAuthorityType', valueCodeableConcept: { coding: [{ code: 'y' }] } },
            { url: 'organisationIdentifier', valueString: 'RGS' },
          ],
        },
      ],
    }),
    'INVALID_VALUE',
    "Invalid value - 'y' in field 'extension/0/extension/0/valueCodeableConcept/coding/0/code'",
  ],
  [
    newPatient({
      extension: [
        {
          ...authority,
          extension: [
            { url: 'registeringAuthorityType', valueCodeableConcept: { coding: [{ code: 'x' }] } },
            { url: 'organisationIdentifier', valueString: 'R' },
          ],
        },
      ],
    }),
    'INVALID_VALUE',
    "Invalid value - 'R' in field 'extension/0/extension/1/valueString'",
  ],
  [
    newPatient({ extension: [authority, language('en')] }),
    'INVALID_VALUE',
    "Invalid value - 'en' in field 'extension/1/extension/0/valueCodeableConcept/coding/0/code'",
  ],
]

test('the body of a new record: every fault in its place, with its exact words', () => {
  for (const [value, code, diagnostics] of rows)
    assert.deepEqual(said(refusal(value)), [code, diagnostics], JSON.stringify(value))
})

test('what may be sent passes', () => {
  for (const value of [
    newPatient(),
    newPatient({
      id: '9990548609',
      telecom: [telecom({}), telecom({ system: 'email', use: 'home', value: 'nothing' })],
    }),
    // Extensions of the older documentation, and those that are let pass without being kept.
    newPatient({
      extension: [
        { ...authority, url: 'https://fhir.nhs.uk/R4/StructureDefinition/Extension-UKCore-RegisteringAuthority' },
        language('fr'),
        { url: 'http://hl7.org/fhir/StructureDefinition/patient-cadavericDonor' },
        { url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BirthSex' },
      ],
    }),
    newPatient({ address: home({ line: ['', '', '', '', ''] }) }),
  ])
    assert.equal(firstRefusal(createChecks, body(value))?.check.name, undefined)
})

test('what the register says of the whole record', () => {
  const rows = [
    [
      { name: name({ period: { start: '2020-01-01', end: '2021-01-01' } }) },
      'An end date can not be provided on usual name',
    ],
    [
      { address: home({ line: ['1 Jasmine Court'], postalCode: 'DN19 7UD' }) },
      'address lines 1 and 4 or 2 and 4 must be completed as a minimum',
    ],
    [{ telecom: [telecom({ system: 'email', value: 'testemail' })] }, 'email format is invalid'],
  ] as const
  for (const [more, words] of rows)
    assert.deepEqual(said(firstRefusal(newRecordChecks, body(newPatient(more)))?.outcome), [
      'INVALID_CREATE',
      `Invalid patient create data provided - '${words}'`,
    ])
  assert.equal(firstRefusal(newRecordChecks, body(newPatient())), undefined)
})

test('every check says what is asked, and where it is written', () => {
  for (const { clause, explanation } of createChecks) assert.ok(clause.startsWith('§') && explanation.endsWith('.'))
})
