import { namingSystem } from '@openspine/standards/nhs'
import type { PersonRecord } from './contract.ts'
import { extensionUrl, type Json } from './person.ts'
import { insuranceCard, neverTold, oneMerged, wholeFamily } from './worked-families.ts'

/**
 * The invented people of the worked examples: one for every rule that a reader or a test may want to see.
 * Their numbers are never made by {@link syntheticPeople}.
 */
export function workedPeople(): PersonRecord[] {
  return [...ordinary(), ...lookAlikes(), ...withPast(), ...withheldPeople(), ...merged()]
}

const since = { start: '2020-01-01' }
const testham = home('ZZ99 3CZ', '1 Test Way', '', '', 'Testham')

function usual(family: string, given: readonly string[], more: Json = {}): Json {
  return { use: 'usual', period: since, given, family, ...more }
}

function home(postalCode: string, ...line: readonly string[]): Json {
  return { use: 'home', period: since, line: line.filter(Boolean), postalCode }
}

function phone(value: string, use = 'mobile'): Json {
  return { system: 'phone', use, period: since, value }
}

function email(value: string): Json {
  return { system: 'email', use: 'home', period: since, value }
}

function registeredAt(odsCode: string): Json[] {
  return [
    {
      type: 'Organization',
      identifier: { system: namingSystem.fhirNhsUk.odsOrganisation, value: odsCode, period: since },
    },
  ]
}

const pharmacy = (url: string, value: string): Json => ({
  url,
  valueReference: { identifier: { system: namingSystem.fhirNhsUk.odsOrganisation, value } },
})

const coded = (system: string, code: string, display: string): Json => ({
  coding: [{ system, version: '1.0.0', code, display }],
})

const birthPlace: Json = {
  url: extensionUrl.birthPlace,
  valueAddress: { city: 'Testham', district: 'Mockshire', country: '1' },
}

function died(status: '1' | '2', on: string): Json {
  return {
    url: extensionUrl.deathNotification,
    extension: [
      {
        url: 'deathNotificationStatus',
        valueCodeableConcept: coded(
          'https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus',
          status,
          status === '2'
            ? 'Formal - death notice received from Registrar of Deaths'
            : 'Informal - death notice received via an update from a local NHS Organisation such as GP or Trust',
        ),
      },
      { url: 'systemEffectiveDate', valueDateTime: `${on}T00:00:00+00:00` },
    ],
  }
}

function ordinary(): PersonRecord[] {
  return [
    {
      nhsNumber: '9990548609',
      version: 2,
      patient: {
        name: [usual('Testcase', ['Arlo', 'Ben'], { prefix: ['Mr'], suffix: ['MBE'] })],
        gender: 'male',
        birthDate: '1980-02-29',
        multipleBirthInteger: 1,
        address: [testham],
        telecom: [phone('07700900001'), email('arlo.testcase@example.com')],
        contact: [
          {
            period: since,
            relationship: [
              {
                coding: [
                  {
                    system: 'http://terminology.hl7.org/CodeSystem/v2-0131',
                    code: 'C',
                    display: 'Emergency Contact',
                  },
                ],
              },
            ],
            telecom: [{ system: 'phone', value: '01632960001' }],
          },
        ],
        generalPractitioner: registeredAt('A20047'),
      },
      coverage: insuranceCard({
        number: '80756000020000000001',
        country: 'DEU',
        personalId: 'X123456789',
        institution: '109519005 - AOK',
        end: '2031-12-31',
      }),
    },
    {
      // Registered where the sandbox consumer has no agreement.
      nhsNumber: '9990548617',
      patient: {
        name: [usual('Testcase', ['Brenna'], { prefix: ['Ms'] })],
        gender: 'female',
        birthDate: '1983-11-07',
        address: [testham],
        generalPractitioner: registeredAt('B82617'),
      },
    },
    {
      // Every extension that a retrieve shows.
      nhsNumber: '9990548625',
      version: 7,
      patient: {
        name: [
          usual('Fullrecord', ['Philomena', 'Joy'], { prefix: ['Dr'] }),
          { use: 'nickname', period: since, given: ['Mena'], family: 'Fullrecord' },
        ],
        gender: 'female',
        birthDate: '1951-04-03',
        address: [
          home('ZZ99 4DA', '14 Example Road', 'Testham', 'Mockshire'),
          {
            use: 'temp',
            period: { start: '2020-06-01' },
            text: 'Second Home',
            line: ['2 Seaview', 'Sandton'],
            postalCode: 'ZZ99 8FF',
          },
          { use: 'billing', period: since, line: ['PO Box 12', 'Testham'], postalCode: 'ZZ99 1BX' },
        ],
        telecom: [phone('01632960625', 'home'), email('Mena@Example.com'), phone('0091 98765 43210')],
        generalPractitioner: registeredAt('A20047'),
        extension: [
          pharmacy(extensionUrl.nominatedPharmacy, 'FY123'),
          pharmacy(extensionUrl.dispensingDoctor, 'A20047'),
          pharmacy(extensionUrl.applianceSupplier, 'FY456'),
          {
            url: extensionUrl.communication,
            extension: [
              {
                url: 'language',
                valueCodeableConcept: coded('https://fhir.hl7.org.uk/CodeSystem/UKCore-HumanLanguage', 'cy', 'Welsh'),
              },
              { url: 'interpreterRequired', valueBoolean: true },
            ],
          },
          {
            url: extensionUrl.contactPreference,
            extension: [
              {
                url: 'PreferredWrittenCommunicationFormat',
                valueCodeableConcept: coded(
                  'https://fhir.hl7.org.uk/CodeSystem/UKCore-PreferredWrittenCommunicationFormat',
                  '11',
                  'Large print',
                ),
              },
              {
                url: 'PreferredContactMethod',
                valueCodeableConcept: coded(
                  'https://fhir.hl7.org.uk/CodeSystem/UKCore-PreferredContactMethod',
                  '1',
                  'Letter',
                ),
              },
            ],
          },
          birthPlace,
        ],
      },
      // Without the personal number a card is not shown.
      coverage: insuranceCard({
        number: '80250000010000000002',
        country: 'FRA',
        institution: '01071',
        end: '2030-06-30',
      }),
    },
    {
      nhsNumber: '9990548633',
      patient: { name: [usual('Bareminimum', ['Una'])], gender: 'unknown', birthDate: '2001-12-31' },
    },
    {
      nhsNumber: '9990548641',
      version: 4,
      patient: {
        name: [usual('Departed', ['Hector'])],
        gender: 'male',
        birthDate: '1929-08-19',
        deceasedDateTime: '2019-11-02',
        address: [home('ZZ99 2HD', '3 Quiet Close', 'Testham')],
        extension: [died('2', '2019-11-05')],
      },
    },
    {
      // Left the practice for a confidential reason; dissent recorded; a blank address line.
      nhsNumber: '9990548668',
      version: 3,
      patient: {
        name: [usual('Removed', ['Saskia'])],
        gender: 'female',
        birthDate: '1990-06-15',
        address: [
          { use: 'home', period: since, line: ['', '9 Barrack Row', '', 'Testham', ''], postalCode: 'ZZ99 7AF' },
        ],
        extension: [
          {
            url: extensionUrl.removal,
            extension: [
              {
                url: 'removalFromRegistrationCode',
                valueCodeableConcept: {
                  coding: [
                    {
                      system: 'https://fhir.nhs.uk/CodeSystem/PDS-RemovalReasonExitCode',
                      code: 'AFN',
                      display: 'Armed Forces (notified by Armed Forces)',
                    },
                  ],
                },
              },
              { url: 'effectiveTime', valuePeriod: { start: '2020-02-01T00:00:00+00:00' } },
            ],
          },
          {
            url: extensionUrl.consent,
            extension: [
              { url: 'consentType', valueCodeableConcept: { coding: [{ code: '4', display: 'ncrs' }] } },
              { url: 'consentValue', valueCodeableConcept: { coding: [{ code: '2', display: 'dissent' }] } },
            ],
          },
        ],
      },
    },
    {
      nhsNumber: '9990548676',
      patient: { name: [usual('Partialdate', ['Enid'])], gender: 'female', birthDate: '1932-05' },
    },
  ]
}

function alike(nhsNumber: string, family: string, given: string[], gender: string, birthDate: string, more: Json = {}) {
  return {
    nhsNumber,
    patient: {
      name: [usual(family, given)],
      gender,
      birthDate,
      address: [testham],
      generalPractitioner: registeredAt('A20047'),
      ...more,
    },
  }
}

function lookAlikes(): PersonRecord[] {
  return [
    {
      ...alike('9990548684', 'Twinning', ['Ruby', 'May'], 'female', '2011-05-17', { multipleBirthInteger: 1 }),
      related: wholeFamily,
    },
    {
      ...alike('9990548692', 'Twinning', ['Rosa', 'Ann'], 'female', '2011-05-17', { multipleBirthInteger: 2 }),
      related: oneMerged,
    },
    alike('9990548706', 'Mockley', ['Joan'], 'female', '1970-01-24'),
    alike('9990548714', 'Mockley', ['Jane'], 'female', '1970-01-24'),
    alike('9990548722', 'Mockley', ['John'], 'male', '1970-01-24'),
    alike('9990548730', 'Mockleigh', ['Jonathan'], 'male', '1970-01-24'),
    alike('9990548749', 'Attisón', ['Noël'], 'male', '1966-03-21', { address: [home('ZZ99 5AT', '5 Accent Row')] }),
    alike('9990548757', 'Attison', ['Noel'], 'male', '1966-03-21', { address: [home('ZZ99 6AT', '6 Plain Row')] }),
    alike('9990548765', 'Compound', ['John Paul', 'Luke'], 'male', '1988-08-08'),
    alike('9990548773', "O'Hyphen-Name", ['Anne-Marie', 'Jane'], 'female', '1977-07-07'),
    alike('9990548781', 'Smythe', ['Joseph', 'Matthew'], 'male', '1962-09-30'),
    alike('9990548803', 'Transposed', ['Justen'], 'male', '1994-02-11'),
  ]
}

function withPast(): PersonRecord[] {
  return [
    {
      nhsNumber: '9990548811',
      version: 5,
      patient: {
        name: [
          usual('Gardenia', ['Marigold', 'Ann'], { prefix: ['Mrs'] }),
          { use: 'nickname', period: since, given: ['Goldie'], family: 'Gardenia' },
        ],
        gender: 'female',
        birthDate: '1974-10-12',
        address: [
          home('ZZ99 3GA', '7 Bloom Street', 'Testham'),
          {
            use: 'temp',
            period: { start: '2021-01-01', end: '2021-03-01' },
            text: 'Convalescence Home',
            line: ['Rest House'],
            postalCode: 'ZZ99 9TM',
          },
        ],
        telecom: [phone('07700900811'), email('marigold@example.com')],
        generalPractitioner: registeredAt('A20047'),
      },
      history: {
        name: [
          {
            use: 'maiden',
            period: { start: '1974-10-12', end: '2001-06-02' },
            given: ['Primrose', 'Ann'],
            family: 'Bloggson',
          },
          { use: 'old', period: { start: '2001-06-02', end: '2008-01-01' }, given: ['Primula'], family: 'Gardenia' },
        ],
        gender: ['male'],
        birthDate: ['1974-12-10'],
        address: [
          {
            use: 'old',
            period: { start: '1990-01-01', end: '2001-06-02' },
            line: ['8 Old Lane'],
            postalCode: 'ZZ99 1LD',
          },
        ],
        telecom: [{ system: 'phone', use: 'home', value: '01632960811' }],
      },
      hidden: {
        name: [{ use: 'old', given: ['Secret'], family: 'Concealed' }],
        address: [{ use: 'old', line: ['1 Hidden Mews'], postalCode: 'ZZ99 0HH' }],
        coverage: insuranceCard({
          number: '80380000030000000003',
          country: 'ITA',
          personalId: 'H1DD3N',
          institution: '104',
          end: '2030-06-30',
        }),
      },
    },
  ]
}

function withheldPeople(): PersonRecord[] {
  const located = (family: string, given: string): Json => ({
    name: [usual(family, [given])],
    gender: 'female',
    birthDate: '1985-05-25',
    address: [home('ZZ99 2RR', '4 Safe House', 'Testham')],
    telecom: [phone('07700900838'), email('restricted@example.com')],
    contact: [{ period: since, telecom: [{ system: 'phone', value: '01632960838' }] }],
    generalPractitioner: registeredAt('A20047'),
    managingOrganization: {
      type: 'Organization',
      identifier: { system: namingSystem.fhirNhsUk.odsOrganisation, value: 'A20047' },
    },
    extension: [pharmacy(extensionUrl.nominatedPharmacy, 'FY123'), died('1', '2024-01-01'), birthPlace],
    deceasedDateTime: '2023-12-31',
  })
  return [
    {
      nhsNumber: '9990548838',
      version: 3,
      sensitivity: 'R',
      patient: located('Restricted', 'Wilma'),
      related: neverTold,
    },
    { nhsNumber: '9990548846', sensitivity: 'V', patient: located('Veryrestricted', 'Vera') },
  ]
}

/** A→B→C: two merges one after the other; and a record that was marked as invalid. */
function merged(): PersonRecord[] {
  const sona = (more: Json = {}): Json => ({
    name: [usual('Mergerson', ['Sona'])],
    gender: 'female',
    birthDate: '1999-09-09',
    address: [testham],
    ...more,
  })
  return [
    { nhsNumber: '9990548854', version: 2, status: 'superseded', supersededBy: '9990548862', patient: sona() },
    { nhsNumber: '9990548862', version: 3, status: 'superseded', supersededBy: '9990548870', patient: sona() },
    {
      nhsNumber: '9990548870',
      version: 6,
      patient: sona({ generalPractitioner: registeredAt('A20047') }),
    },
    {
      nhsNumber: '9990548889',
      version: 2,
      status: 'invalidated',
      patient: { name: [usual('Invalidated', ['Ivan'])], gender: 'male', birthDate: '1999-09-09' },
    },
  ]
}
