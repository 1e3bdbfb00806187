/** §9.1: what is asked of a structured record, and what is refused. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { Answered } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { extra, servicesOfSecond } from '../people.ts'
import { about, allergies, day, type Part, sdsUser, structured, who } from '../requests.ts'
import { type Area, firstOf, issuesOf, ofType, type Scenario } from '../scenario.ts'

const period = (start?: string, end?: string) => ({
  valuePeriod: { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) },
})
const asks = (name: string, ...part: readonly Part[]): Part => (part.length === 0 ? { name } : { name, part })
const part = (name: string, value: object): Part => ({ name, ...value })
const from = (valueDate: string) => asks('includeMedication', part('medicationSearchFromDate', { valueDate }))
const until = (valueDate: string) => asks('includeDiaryEntries', part('diaryEntriesSearchDate', { valueDate }))

/** Areas that are searched by a period of their own. */
const periods = [
  ['includeConsultations', 'consultationSearchPeriod'],
  ['includeUncategorisedData', 'uncategorisedDataSearchPeriod'],
  ['includeInvestigations', 'investigationSearchPeriod'],
  ['includeReferrals', 'referralSearchPeriod'],
] as const

type Row = readonly [shows: ObligationId, name: string, parameters: readonly Part[], status: number, code: string]
const invalid = (shows: ObligationId, name: string, ...parameters: readonly Part[]): Row => [
  shows,
  name,
  [about(who), ...parameters],
  422,
  'INVALID_PARAMETER',
]

/** Parts that may stand beside neither consultations nor problems. */
const forbidden: readonly Part[] = [
  from(day(-400)),
  asks('includeUncategorisedData', part('uncategorisedDataSearchPeriod', period('2014-01-01'))),
  asks('includeReferrals', part('referralSearchPeriod', period('2014-01-01'))),
  until(day(30)),
  asks('includeImmunisations', part('includeNotGiven', { valueBoolean: true })),
  asks('includeImmunisations', part('includeStatus', { valueBoolean: false })),
]
const firstPart = ({ part: parts }: Part) => (parts as readonly Part[])[0]?.name

const refused: readonly Row[] = [
  ['9.1-no-patient', 'without a patient', [allergies], 422, 'INVALID_PARAMETER'],
  [
    '9.1-no-patient',
    'with patientNHSNumber misspelt',
    [{ ...about(who), name: 'patientNhsNumber' }, allergies],
    422,
    'INVALID_PARAMETER',
  ],
  ['9.1-only-unknown', 'with unknown parameters alone', [asks('includeWeather')], 422, 'INVALID_PARAMETER'],
  ['9.1-nhs-number', 'with an invalid NHS number', [about('9990548600'), allergies], 400, 'INVALID_NHS_NUMBER'],
  [
    '9.1-identifier-system',
    'with another identifier system',
    [about(who, sdsUser), allergies],
    400,
    'INVALID_IDENTIFIER_SYSTEM',
  ],
  [
    '9.1-identifier-system',
    'without an identifier system',
    [{ name: 'patientNHSNumber', valueIdentifier: { value: who } }, allergies],
    400,
    'INVALID_IDENTIFIER_SYSTEM',
  ],
  invalid('9.1-resolved-missing', 'for allergies without saying which', asks('includeAllergies')),
  invalid(
    '9.1-resolved-missing',
    'for allergies with words for a boolean',
    asks('includeAllergies', part('includeResolvedAllergies', { valueString: 'yes' })),
  ),
  invalid(
    '9.1-no-value',
    'for allergies with a part without value',
    asks('includeAllergies', { name: 'includeResolvedAllergies' }),
  ),
  invalid(
    '9.1-no-value',
    'for medication with a part without value',
    asks('includeMedication', { name: 'medicationSearchFromDate' }),
  ),
  invalid('9.1-no-value', 'for problems with a part without value', asks('includeProblems', { name: 'filterStatus' })),
  invalid('9.1-partial-date', 'from a month', from('2020-01')),
  invalid('9.1-partial-date', 'from a year', from('2020')),
  invalid('9.1-partial-date', 'for the diary until a month', until(day(40).slice(0, 7))),
  invalid('9.1-beyond', 'from a day to come', from(day(2))),
  invalid('9.1-beyond', 'for the diary until a day that has passed', until(day(-2))),
  ...periods.flatMap(([area, name]) => [
    invalid('9.1-partial-date', `for ${area} from a month`, asks(area, part(name, period('2014-02')))),
    invalid('9.1-partial-date', `for ${area} until a year`, asks(area, part(name, period('2014-02-01', '2016')))),
    invalid('9.1-time', `for ${area} from an hour`, asks(area, part(name, period('2014-02-01T10:00:00Z')))),
    invalid(
      '9.1-time',
      `for ${area} until an hour with an offset`,
      asks(area, part(name, period(undefined, '2014-02-01T10:00:00+01:00'))),
    ),
    invalid('9.1-beyond', `for ${area} from a day to come`, asks(area, part(name, period(day(2))))),
    invalid('9.1-beyond', `for ${area} until a day to come`, asks(area, part(name, period('2014-01-01', day(2))))),
    invalid(
      '9.1-period-order',
      `for ${area} of a period that ends first`,
      asks(area, part(name, period('2016-01-01', '2014-01-01'))),
    ),
  ]),
  [
    '9.1-exclusive',
    'for consultations of a period and of a number',
    [
      about(who),
      asks(
        'includeConsultations',
        part('consultationSearchPeriod', period('2014-01-01')),
        part('includeNumberOfMostRecent', { valuePositiveInt: 3 }),
      ),
    ],
    422,
    'INVALID_RESOURCE',
  ],
  invalid(
    '9.1-filters',
    'for problems of an unknown status',
    asks('includeProblems', part('filterStatus', { valueCode: 'gone' })),
  ),
  invalid(
    '9.1-filters',
    'for problems of an unknown significance',
    asks('includeProblems', part('filterSignificance', { valueCode: 'middle' })),
  ),
  ...forbidden.map((one) =>
    invalid(
      '9.1-forbidden-consultations',
      `for consultations and ${firstPart(one)}`,
      asks('includeConsultations'),
      one,
    ),
  ),
  ...[part('filterStatus', { valueCode: 'active' }), part('filterSignificance', { valueCode: 'major' })].map((filter) =>
    invalid(
      '9.1-forbidden-consultations',
      `for consultations and ${filter.name}`,
      asks('includeConsultations'),
      asks('includeProblems', filter),
    ),
  ),
  ...forbidden.map((one) =>
    invalid('9.1-forbidden-problems', `for problems and ${firstPart(one)}`, asks('includeProblems'), one),
  ),
  ...(
    [
      ['9.1-unknown-patient', extra.nobody, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-deceased', people.deceasedRecently, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-inactive', people.inactive, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-sensitive', people.sensitive, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-not-regular', extra.temporary, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-not-regular', people.registeredElsewhere, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-not-verified', people.notVerified, 404, 'PATIENT_NOT_FOUND'],
      ['9.1-dissent', people.dissent, 403, 'NO_PATIENT_CONSENT'],
      ['9.1-dissent', people.organisationDissent, 403, 'NO_ORGANISATION_CONSENT'],
    ] as const
  ).map(([shows, number, status, code]): Row => [shows, `of ${number}`, [about(number), allergies], status, code]),
  [
    '9.1-before-warnings',
    'of an unknown patient with an unknown parameter',
    [about(extra.nobody), asks('includeWeather')],
    404,
    'PATIENT_NOT_FOUND',
  ],
]

const unparsable: readonly Scenario[] = [
  ...(
    [
      ['half an object', '{"resourceType":"Parameters"'],
      ['words', 'hello'],
      ['nothing', ' '],
    ] as const
  ).map(
    ([name, words]): Scenario => ({
      ...structured(),
      words,
      shows: ['9.1-unparsable', '5.2-malformed'],
      name: `asks for a structured record with ${name}`,
      status: 422,
      code: 'INVALID_RESOURCE',
    }),
  ),
  {
    ...structured(),
    body: { resourceType: 'Patient', active: true },
    shows: ['9.1-unparsable'],
    name: 'asks for a structured record with a Patient',
    status: 422,
    code: 'INVALID_RESOURCE',
  },
  {
    ...structured(about(who)),
    spoiled: (words) =>
      words
        .replace('"parameter"', '"colour":"red","parameter"')
        .replace('<parameter', '<colour value="red"/><parameter'),
    shows: ['9.1-unparsable'],
    name: 'asks for a structured record with an unknown element',
    status: 422,
    code: 'INVALID_RESOURCE',
  },
  // An empty date is no date of FHIR at all, and in XML not even an element.
  {
    ...structured(about(who), from('2020-01-01')),
    spoiled: (words) => words.replace('"2020-01-01"', '""').replace('<valueDate value="2020-01-01"/>', ''),
    shows: ['9.1-partial-date'],
    name: 'asks for a structured record from an empty date',
    status: 422,
    code: 'INVALID_PARAMETER',
  },
  {
    ...structured(about(who), from('2020-01-01')),
    spoiled: (words) => words.replace('2020-01-01', '2020-01-01T10:00:00Z'),
    shows: ['9.1-time'],
    name: 'asks for a structured record from an hour',
    status: 422,
    code: 'INVALID_PARAMETER',
  },
]

/** What an area is found by: how many of a type, whatever else comes along. */
const answers = (
  shows: ObligationId,
  name: string,
  patient: string,
  parameter: Part,
  holds: (answered: Answered) => void,
): Scenario => ({
  ...structured(about(patient), parameter),
  shows: parameter['part'] === undefined ? [shows, '9.1-no-parts'] : [shows],
  name,
  status: 200,
  holds,
})

/** The words that the list of an area refers to, by what `label` makes of an item. */
export function itemsOf(
  answered: Answered,
  code: string,
): readonly (Readonly<Record<string, unknown>> & { id?: unknown })[] {
  const list = ofType(answered, 'List').find((one) => JSON.stringify(one['code']).includes(`"${code}"`))
  assert.ok(list, `the list ${code} is not there`)
  const entries = (list['entry'] ?? []) as { item: { reference: string } }[]
  return entries.map(({ item }) => {
    const [type = '', id] = item.reference.split('/')
    const resource = ofType(answered, type).find((one) => one.id === id)
    assert.ok(resource, `${item.reference} leads nowhere`)
    return resource
  })
}
const counts = (code: string, count: number) => (answered: Answered) =>
  assert.equal(itemsOf(answered, code).length, count)

const orders = (answered: Answered) => ofType(answered, 'MedicationRequest').filter(({ intent }) => intent === 'order')
const medicines = (answered: Answered): readonly string[] =>
  itemsOf(answered, '933361000000108')
    .map((statement) => {
      const [, id] = String((statement['medicationReference'] as { reference: string }).reference).split('/')
      const medication = ofType(answered, 'Medication').find((one) => one.id === id)
      return String((medication?.['code'] as { text?: string } | undefined)?.text)
    })
    .sort()

const pairs: readonly Part[] = [
  asks(
    'includeProblems',
    part('filterStatus', { valueCode: 'active' }),
    part('filterSignificance', { valueCode: 'major' }),
  ),
  asks(
    'includeProblems',
    part('filterStatus', { valueCode: 'inactive' }),
    part('filterSignificance', { valueCode: 'minor' }),
  ),
]

const areas: readonly Scenario[] = [
  answers('9.1-allergies', 'allergies with the resolved ones', who, allergies, counts('886921000000105', 2)),
  answers('9.1-medication', 'medication with issues', who, asks('includeMedication'), (answered) => {
    counts('933361000000108', 7)(answered)
    assert.ok(orders(answered).length > 0)
  }),
  answers(
    '9.1-medication',
    'medication without issues',
    who,
    asks('includeMedication', part('includePrescriptionIssues', { valueBoolean: false })),
    (answered) => {
      counts('933361000000108', 7)(answered)
      assert.equal(orders(answered).length, 0)
    },
  ),
  answers('9.1-medication-from', 'medication from a day', extra.medicated, from(day(-48)), (answered) => {
    const found = medicines(answered)
    assert.ok(!found.includes('Acute cancelled'), found.join())
    assert.ok(!found.includes('Repeat stopped long ago'))
    for (const item of ['Acute of yesterday', 'Repeat never issued', 'Repeat that ends later', 'Repeat dispense'])
      assert.ok(found.includes(item), `${item} is missing`)
  }),
  answers('9.1-medication-from', 'medication from its last day', extra.medicated, from(day(-49)), (answered) =>
    assert.ok(medicines(answered).includes('Acute cancelled')),
  ),
  answers(
    '9.1-acute-without-end',
    'medication from the first day of one without an end',
    extra.medicated,
    from(day(-366)),
    (answered) => assert.ok(medicines(answered).includes('Acute of 366 days ago')),
  ),
  answers('9.1-acute-without-end', 'medication from the day after', extra.medicated, from(day(-365)), (answered) => {
    assert.ok(!medicines(answered).includes('Acute of 366 days ago'))
    assert.ok(medicines(answered).includes('Repeat dispense'))
  }),
  answers('9.1-consultations', 'consultations', who, asks('includeConsultations'), counts('1149501000000101', 5)),
  answers(
    '9.1-consultations',
    'consultations of a period',
    who,
    asks('includeConsultations', part('consultationSearchPeriod', period('2019-01-01', '2019-12-31'))),
    counts('1149501000000101', 1),
  ),
  answers(
    '9.1-consultations',
    'the two most recent consultations',
    who,
    asks('includeConsultations', part('includeNumberOfMostRecent', { valuePositiveInt: 2 })),
    counts('1149501000000101', 2),
  ),
  answers('9.1-problems', 'problems', extra.varied, asks('includeProblems'), counts('717711000000103', 6)),
  answers(
    '9.1-problems',
    'active problems',
    extra.varied,
    asks('includeProblems', part('filterStatus', { valueCode: 'active' })),
    counts('717711000000103', 2),
  ),
  {
    ...structured(about(extra.varied), ...pairs),
    shows: ['9.1-problems'],
    name: 'problems of two pairs of filters',
    status: 200,
    holds: counts('717711000000103', 3),
  },
  answers('9.1-immunisations', 'immunisations', who, asks('includeImmunisations'), counts('1102181000000102', 2)),
  answers(
    '9.1-immunisations',
    'immunisations with those not given',
    who,
    asks('includeImmunisations', part('includeNotGiven', { valueBoolean: true })),
    (answered) => {
      counts('1102181000000102', 3)(answered)
      assert.equal(ofType(answered, 'Immunization').filter(({ notGiven }) => notGiven === true).length, 1)
    },
  ),
  answers(
    '9.1-immunisation-status',
    'immunisations with consents',
    extra.varied,
    asks('includeImmunisations'),
    (answered) => assert.equal(ofType(answered, 'Observation').length, 1),
  ),
  answers(
    '9.1-immunisation-status',
    'immunisations without consents',
    extra.varied,
    asks('includeImmunisations', part('includeStatus', { valueBoolean: false })),
    (answered) => assert.equal(ofType(answered, 'Observation').length, 0),
  ),
  answers(
    '9.1-uncategorised',
    'uncategorised data of a period',
    who,
    asks('includeUncategorisedData', part('uncategorisedDataSearchPeriod', period('2014-01-01', '2014-12-31'))),
    (answered) => {
      const items = itemsOf(answered, '826501000000100')
      assert.ok(items.length > 0)
      for (const item of items) assert.match(String(item['effectiveDateTime']), /^2014/)
    },
  ),
  answers(
    '9.1-investigations',
    'investigations of a period',
    who,
    asks('includeInvestigations', part('investigationSearchPeriod', period('2012-01-01', '2012-12-31'))),
    counts('887191000000108', 1),
  ),
  answers(
    '9.1-referrals',
    'referrals of a period',
    who,
    asks('includeReferrals', part('referralSearchPeriod', period(undefined, '2012-12-31'))),
    counts('792931000000107', 1),
  ),
  answers('9.1-diary', 'the diary until a day', who, until(day(50)), counts('714311000000108', 1)),
  answers('9.1-diary', 'the whole diary', who, asks('includeDiaryEntries'), counts('714311000000108', 2)),
  answers('9.1-undated', 'the diary until a day, with what has no date', extra.varied, until(day(20)), (answered) =>
    assert.deepEqual(
      itemsOf(answered, '714311000000108')
        .map(({ code }) => String((code as { text?: string }).text))
        .sort(),
      ['Some day', 'Soon'],
    ),
  ),
  {
    ...structured(about(who)),
    shows: ['9.1-demographics', '9.2-people'],
    name: 'the patient alone',
    status: 200,
    holds(answered) {
      assert.equal(ofType(answered, 'List').length, 0)
      for (const type of ['Patient', 'Organization', 'Practitioner', 'PractitionerRole']) firstOf(answered, type)
    },
  },
]

/** Diagnostics and texts of the warnings, which stand in one OperationOutcome. */
function warns(...expected: readonly (readonly [diagnostics: string, because: string])[]) {
  return (answered: Answered): void => {
    const [outcome, ...more] = ofType(answered, 'OperationOutcome')
    assert.ok(outcome !== undefined && more.length === 0)
    assert.deepEqual(outcome.meta?.profile, [
      'https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-OperationOutcome-1',
    ])
    assert.deepEqual(
      issuesOf(outcome),
      expected.map(([diagnostics, because]) => ({
        severity: 'warning',
        code: 'not-supported',
        details: {
          coding: [
            {
              system: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1',
              code: 'NOT_IMPLEMENTED',
              display: 'Not implemented',
            },
          ],
          text: `${diagnostics} ${because}`,
        },
        diagnostics,
      })),
    )
  }
}
const unrecognised = 'is an unrecognised parameter'
const disabled = 'has been disabled'

const warnings: readonly Scenario[] = [
  {
    ...structured(
      about(who),
      asks('includeWeather'),
      asks('includeTides', part('high', { valueBoolean: true })),
      allergies,
    ),
    shows: ['9.1-unknown', '9.1-unknown-part', '5.1-warnings', '5.2-NOT_IMPLEMENTED'],
    name: 'unknown parameters, with parts or without',
    status: 200,
    holds(answered) {
      warns(['includeWeather', unrecognised], ['includeTides', unrecognised])(answered)
      counts('886921000000105', 2)(answered)
    },
  },
  {
    ...structured(about(who), asks('includeMedication', part('withFood', { valueBoolean: true }))),
    shows: ['9.1-unknown-part'],
    name: 'an unknown part of a known parameter',
    status: 200,
    holds: warns(['includeMedication.withFood', unrecognised]),
  },
  {
    ...structured(about(who), asks('includeDiaryEntries'), allergies),
    settings: { disabledAreas: ['diary'] },
    shows: ['9.1-disabled'],
    name: 'an area that is switched off',
    status: 200,
    holds: warns(['includeDiaryEntries', disabled]),
  },
  {
    ...structured(about(who), asks('includeDiaryEntries'), allergies),
    settings: { services: servicesOfSecond({ structured: { specificationVersion: '1.2.7' } }) },
    shows: ['9.1-unknown', '9.2-bundle-no-id'],
    name: 'a parameter that came after 1.2, asked of 1.2',
    status: 200,
    holds(answered) {
      warns(['includeDiaryEntries', unrecognised])(answered)
      assert.equal(answered.resource.id, undefined)
    },
  },
  {
    ...structured(about(who), allergies),
    settings: { services: servicesOfSecond({ structured: { on: [] } }) },
    shows: ['9.1-off', '5.2-ACCESS-DENIED'],
    name: 'a structured record where the capability is switched off',
    status: 403,
    code: 'ACCESS DENIED',
  },
]

export const structuredRequests: Area = {
  scenarios: [
    ...refused.map(
      ([shows, name, parameters, status, code]): Scenario => ({
        ...structured(...parameters),
        shows: [shows],
        name: `asks for a structured record ${name}`,
        status,
        code,
      }),
    ),
    ...unparsable,
    ...areas,
    ...warnings,
  ],
  stories: [],
}
