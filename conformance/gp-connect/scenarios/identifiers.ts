/** §4.3: searches by identifier. */
import assert from 'node:assert/strict'
import type { Asked } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { enc, finding, nhsNumber, ods, reading, sdsUser, searchPatient, who } from '../requests.ts'
import { type Area, isSearchset, issuesOf, type Scenario } from '../scenario.ts'

const good = `identifier=${enc(`${nhsNumber}|${who}`)}`
const token = (system: string, value: string) => enc(`${system}|${value}`)

type Row = readonly [shows: ObligationId, query: string, status: number, code: string]

const ofPatients: readonly Row[] = [
  ['4.3-missing', '', 400, 'BAD_REQUEST'],
  ['4.3-missing', '?name=Testcase', 400, 'BAD_REQUEST'],
  ['4.3-case', `?Identifier=${token(nhsNumber, who)}`, 400, 'BAD_REQUEST'],
  ['4.3-twice', `?${good}&${good}`, 400, 'BAD_REQUEST'],
  ['4.3-twice', `?${good}&identifier=${token(nhsNumber, '9990548617')}`, 400, 'BAD_REQUEST'],
  ['4.3-no-bar', `?identifier=${who}`, 422, 'INVALID_PARAMETER'],
  ['4.3-no-bar', '?identifier=', 422, 'INVALID_PARAMETER'],
  ['4.3-no-system', `?identifier=${token('', who)}`, 422, 'INVALID_PARAMETER'],
  ['4.3-no-value', `?identifier=${token(nhsNumber, '')}`, 422, 'INVALID_PARAMETER'],
  ['4.3-two-bars', `?identifier=${token(nhsNumber, `${who}|1`)}`, 422, 'INVALID_PARAMETER'],
  ['4.3-system', `?identifier=${token('https://fhir.example/Id/unknown', who)}`, 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['4.3-system', `?identifier=${token('http://fhir.nhs.net/Id/nhs-number', who)}`, 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['4.3-system-of-another', `?identifier=${token(sdsUser, who)}`, 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['4.3-nhs-number', `?identifier=${token(nhsNumber, '9990548600')}`, 400, 'INVALID_NHS_NUMBER'],
  ['4.3-nhs-number', `?identifier=${token(nhsNumber, '999054860')}`, 400, 'INVALID_NHS_NUMBER'],
  ['4.3-nhs-number', `?identifier=${token(nhsNumber, '999054860X')}`, 400, 'INVALID_NHS_NUMBER'],
]

/** The same rules of the other two resources. */
const ofOthers: readonly (readonly [ObligationId, Asked, number, string])[] = [
  ['4.3-system-of-another', finding('Practitioner', token(ods, 'A20047')), 400, 'INVALID_IDENTIFIER_SYSTEM'],
  ['4.3-system-of-another', finding('Organization', token(sdsUser, '1')), 400, 'INVALID_IDENTIFIER_SYSTEM'],
  [
    '4.3-organization',
    finding('Organization', token('https://fhir.nhs.uk/Id/ods-site-code', 'A20047')),
    400,
    'INVALID_IDENTIFIER_SYSTEM',
  ],
  ['4.3-no-bar', finding('Practitioner', '555000000101'), 422, 'INVALID_PARAMETER'],
  ['4.3-no-value', finding('Organization', token(ods, '')), 422, 'INVALID_PARAMETER'],
  ['4.3-no-system', finding('Practitioner', token('', '555000000101')), 422, 'INVALID_PARAMETER'],
  ['4.3-missing', { ...finding('Practitioner', ''), path: '/Practitioner' }, 400, 'BAD_REQUEST'],
  ['4.3-missing', { ...finding('Organization', ''), path: '/Organization' }, 400, 'BAD_REQUEST'],
  [
    '4.3-twice',
    finding('Organization', `${token(ods, 'A20047')}&identifier=${token(ods, 'A20047')}`),
    400,
    'BAD_REQUEST',
  ],
  [
    '4.3-interaction',
    { ...finding('Organization', token(ods, 'A20047')), interaction: 'fhir:rest:search:practitioner-1' },
    400,
    'BAD_REQUEST',
  ],
  [
    '4.3-interaction',
    { ...searchPatient(`?${good}`), interaction: 'fhir:rest:search:organization-1' },
    400,
    'BAD_REQUEST',
  ],
]

/** Of these rows, the outcome says which parameter it is about. */
const named = new Set<ObligationId>(['4.3-missing', '4.3-no-bar', '4.3-no-value'])

const refused: readonly Scenario[] = [
  ...ofPatients.map(([shows, query, status, code]) => [shows, searchPatient(query), status, code] as const),
  ...ofOthers,
].map(
  ([shows, asked, status, code]): Scenario => ({
    ...asked,
    shows: named.has(shows) ? [shows, '5.1-diagnostics'] : [shows],
    name: `${decodeURIComponent(asked.path)} as ${asked.interaction}`,
    status,
    code,
    ...(named.has(shows)
      ? { holds: ({ resource }) => assert.match(issuesOf(resource)[0]?.diagnostics ?? '', /\bidentifier\b/) }
      : {}),
  }),
)

const found = (shows: ObligationId, asked: Asked, matches: number): Scenario => ({
  ...asked,
  shows: [shows],
  name: `${decodeURIComponent(asked.path)} finds ${matches}`,
  status: 200,
  holds: isSearchset(matches),
})

export const identifiers: Area = {
  scenarios: [
    ...refused,
    found('4.3-no-match', searchPatient(`?identifier=${token(nhsNumber, '9990100144')}`), 0),
    found('4.3-no-match', finding('Practitioner', token(sdsUser, '000000000000')), 0),
    found('4.3-no-match', finding('Organization', token(ods, 'Z99')), 0),
    found('4.3-patient', searchPatient(`?${good}`), 1),
    found('4.3-patient', searchPatient(`?identifier=${nhsNumber}|${who}`), 1),
    found('4.3-practitioner', finding('Practitioner', token(sdsUser, '555000000101')), 1),
    found('4.3-organization', finding('Organization', token(ods, 'A20047')), 1),
    found('4.3-format-around', searchPatient(`?_format=application/fhir%2Bjson&${good}`), 1),
    found('4.3-format-around', searchPatient(`?${good}&_format=application/fhir%2Bxml`), 1),
    {
      ...reading('Location', ''),
      shows: ['8.2-empty-id'],
      name: 'reads a location without an id',
      status: 400,
      code: 'BAD_REQUEST',
    },
  ],
  stories: [],
}
