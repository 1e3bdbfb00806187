/** §7.1 and §7.2: what is asked of Access Record HTML, and what is refused. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { ObligationId } from '../obligations.ts'
import { extra } from '../people.ts'
import { careRecord, who } from '../requests.ts'
import { type Area, firstOf, issuesOf, type Scenario } from '../scenario.ts'

interface Parameter {
  readonly name: string
  readonly [member: string]: unknown
}
const nhsSystem = 'http://fhir.nhs.net/Id/nhs-number'
const sectionSystem = 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1'
const about = (value: string, system = nhsSystem): Parameter => ({
  name: 'patientNHSNumber',
  valueIdentifier: { ...(system === '' ? {} : { system }), ...(value === '' ? {} : { value }) },
})
const section = (code: string, system = sectionSystem): Parameter => ({
  name: 'recordSection',
  valueCodeableConcept: {
    coding: [{ ...(system === '' ? {} : { system }), ...(code === '' ? { display: 'Encounters' } : { code }) }],
  },
})
const period = (valuePeriod: object): Parameter => ({ name: 'timePeriod', valuePeriod })
const asked = (...parameter: readonly Parameter[]) => ({
  ...careRecord('ENC'),
  body: { resourceType: 'Parameters', parameter },
})
const [right, encounters] = [about(who), section('ENC')]

type Row = readonly [shows: ObligationId, name: string, parameters: readonly Parameter[], status: number, code: string]

const refused: readonly Row[] = [
  ['7.2-missing', 'without parameters', [], 400, 'BAD_REQUEST'],
  ['7.2-missing', 'without a patient', [encounters], 400, 'BAD_REQUEST'],
  ['7.2-missing', 'without a section', [right], 400, 'BAD_REQUEST'],
  ['7.2-twice', 'the patient twice', [right, right, encounters], 400, 'BAD_REQUEST'],
  ['7.2-twice', 'the section twice', [right, encounters, encounters], 400, 'BAD_REQUEST'],
  [
    '7.2-twice',
    'the period twice',
    [right, encounters, period({ start: '2014' }), period({ start: '2014' })],
    400,
    'BAD_REQUEST',
  ],
  ['7.2-type', 'the patient as text', [{ name: 'patientNHSNumber', valueString: who }, encounters], 400, 'BAD_REQUEST'],
  ['7.2-type', 'the section as text', [right, { name: 'recordSection', valueString: 'ENC' }], 400, 'BAD_REQUEST'],
  [
    '7.2-type',
    'the period as a date',
    [right, encounters, { name: 'timePeriod', valueDate: '2014-01-01' }],
    400,
    'BAD_REQUEST',
  ],
  [
    '7.2-unknown',
    'another parameter',
    [right, encounters, { name: 'other', valueString: 'x' }],
    422,
    'INVALID_PARAMETER',
  ],
  ['7.2-nhs-number', 'an invalid NHS number', [about('9990548600'), encounters], 400, 'INVALID_NHS_NUMBER'],
  ['7.2-nhs-number', 'no NHS number', [about(''), encounters], 400, 'INVALID_NHS_NUMBER'],
  [
    '7.2-identifier-system',
    'another identifier system',
    [about(who, `${nhsSystem}s`), encounters],
    400,
    'INVALID_IDENTIFIER_SYSTEM',
  ],
  ['7.2-identifier-system', 'no identifier system', [about(who, ''), encounters], 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['7.2-section', 'an unknown section', [right, section('ZZZ')], 422, 'INVALID_PARAMETER'],
  ['7.2-section', 'a section in lower case', [right, section('enc')], 422, 'INVALID_PARAMETER'],
  ['7.2-section', 'no section code', [right, section('')], 422, 'INVALID_PARAMETER'],
  ['7.3-withdrawn', 'the section INV', [right, section('INV')], 422, 'INVALID_PARAMETER'],
  ['7.3-withdrawn', 'the section PAT', [right, section('PAT')], 422, 'INVALID_PARAMETER'],
  ['7.2-section-system-empty', 'no section system', [right, section('ENC', '')], 422, 'INVALID_PARAMETER'],
  ['7.2-section-system', 'another section system', [right, section('ENC', `${sectionSystem}1`)], 400, 'BAD_REQUEST'],
  ...['ALL', 'IMM', 'SUM'].map(
    (code): Row => [
      '7.2-period-not-allowed',
      `a period for ${code}`,
      [right, section(code), period({ start: '2014-01-01', end: '2016' })],
      400,
      'BAD_REQUEST',
    ],
  ),
  [
    '7.2-period-order',
    'a period that ends first',
    [right, encounters, period({ start: '2016-02', end: '2014' })],
    422,
    'INVALID_PARAMETER',
  ],
  [
    '7.2-period-zone',
    'a time without zone',
    [right, encounters, period({ start: '2014-01-01T10:00:00' })],
    422,
    'INVALID_PARAMETER',
  ],
  [
    '7.2-period-date-time',
    'a bound that is no date',
    [right, encounters, period({ start: '2014-13' })],
    422,
    'INVALID_PARAMETER',
  ],
  [
    '7.2-period-date-time',
    'a bound that is no day',
    [right, encounters, period({ end: '2015-02-29' })],
    422,
    'INVALID_PARAMETER',
  ],
]

const patients: readonly (readonly [ObligationId, string, number, string])[] = [
  ['7.2-unknown-patient', extra.nobody, 404, 'PATIENT_NOT_FOUND'],
  ['7.2-sensitive', people.sensitive, 404, 'PATIENT_NOT_FOUND'],
  ['7.2-not-verified', people.notVerified, 404, 'PATIENT_NOT_FOUND'],
  ['7.2-deceased', people.deceasedLongAgo, 404, 'PATIENT_NOT_FOUND'],
  ['7.2-inactive', people.inactive, 404, 'PATIENT_NOT_FOUND'],
  ['7.2-patient-dissent', people.dissent, 403, 'NO_PATIENT_CONSENT'],
  ['7.2-organisation-dissent', people.organisationDissent, 403, 'NO_ORGANISATION_CONSENT'],
  ['7.2-nominated', people.registeredElsewhere, 403, 'NON_AUTHORITATIVE'],
]

const words: readonly (readonly [ObligationId, string, string])[] = [
  ['7.2-empty', 'an empty body', ''],
  ['7.2-unreadable', 'a body of words', 'hello'],
  ['7.2-unreadable', 'half a JSON object', '{"resourceType":'],
  ['7.2-unreadable', 'half an XML element', '<Parameters xmlns="http://hl7.org/fhir">'],
]

export const htmlRequests: Area = {
  scenarios: [
    ...refused.map(
      ([shows, name, parameters, status, code]): Scenario => ({
        ...asked(...parameters),
        shows: shows === '7.2-missing' ? [shows, '5.1-diagnostics'] : [shows],
        name: `asks with ${name}`,
        status,
        code,
        ...(shows === '7.2-missing'
          ? {
              holds: ({ resource }) =>
                assert.match(issuesOf(resource)[0]?.diagnostics ?? '', /patientNHSNumber|recordSection/),
            }
          : {}),
      }),
    ),
    ...patients.map(
      ([shows, patient, status, code]): Scenario => ({
        ...careRecord('ENC', patient),
        shows: [shows],
        name: `asks for the record of ${patient}`,
        status,
        code,
      }),
    ),
    ...words.map(
      ([shows, name, text]): Scenario => ({
        ...careRecord('ENC'),
        words: text,
        shows: shows === '7.2-unreadable' ? [shows, '5.2-malformed'] : [shows],
        name: `sends ${name}`,
        status: 400,
        code: 'BAD_REQUEST',
      }),
    ),
    {
      ...careRecord('ENC'),
      words: '{"resourceType":"Parameters","parameter":[]}'.replace('[]', '[{"name":"timePeriod","valuePeriod":{}}]'),
      written: 'json',
      shows: ['7.2-missing'],
      name: 'sends an empty period alone',
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      ...asked(right, encounters, period({ id: 'p' })),
      shows: ['7.2-period-empty'],
      name: 'asks with a period without bounds',
      status: 422,
      code: 'INVALID_PARAMETER',
    },
    {
      ...careRecord('ENC'),
      body: { resourceType: 'Patient', active: true },
      shows: ['7.2-resource'],
      name: 'sends another resource',
      status: 422,
      code: 'INVALID_RESOURCE',
    },
    {
      ...careRecord('ENC', people.everySection),
      ...{ claims: aboutAnother },
      shows: ['7.2-token-record'],
      name: 'asks with a token about somebody else',
      status: 400,
      code: 'BAD_REQUEST',
    },
    ...(['json', 'xml'] as const).map(
      (written): Scenario => ({
        ...careRecord('ENC'),
        written,
        shows: [`7.1-${written}`],
        name: `asks in ${written}`,
        status: 200,
      }),
    ),
    ...(
      [
        [['7.1-partial-dates'], { start: '2014-02', end: '2016' }],
        [['7.1-one-bound'], { start: '2014-02-03' }],
        [['7.1-one-bound', '7.1-partial-dates'], { end: '2016' }],
        [['7.1-partial-dates'], { start: '2014-02-03T10:00:00+00:00', end: '2016-02' }],
      ] as const
    ).map(
      ([shows, bounds]): Scenario => ({
        ...careRecord('ENC', who, bounds),
        shows,
        name: `asks for ${JSON.stringify(bounds)}`,
        status: 200,
      }),
    ),
    {
      ...careRecord('ENC', people.deceasedRecently),
      shows: ['7.2-deceased-lately'],
      name: 'asks for the record of somebody who died lately',
      status: 200,
      holds: (answered) => assert.match(String(firstOf(answered, 'Patient')['deceasedDateTime']), /^\d{4}-\d\d-\d\d/),
    },
    {
      ...careRecord('ENC'),
      settings: { accessRecordHtml: false },
      shows: [],
      name: 'asks where the capability is switched off',
      status: 403,
      code: 'ACCESS_DENIED',
    },
    {
      ...careRecord('ENC'),
      settings: { shareRecords: false },
      shows: ['7.2-organisation-dissent'],
      name: 'asks where the practice shares nothing',
      status: 403,
      code: 'NO_ORGANISATION_CONSENT',
    },
  ],
  stories: [],
}

function aboutAnother(claims: Record<string, unknown>): unknown {
  const { requested_record, ...others } = claims
  return {
    ...others,
    requested_record: { ...(requested_record as object), identifier: [{ system: nhsSystem, value: '9990548617' }] },
  }
}
