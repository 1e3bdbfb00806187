import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access } from './access.ts'
import { firstRefusal } from './checks.ts'
import { countryName } from './countries.ts'
import {
  cardOf,
  coverageBodyChecks,
  coverageChecks,
  coverageNumber,
  coverageOwnerChecks,
  coverageRequestChecks,
} from './coverage.ts'
import { searchParameters } from './criteria.ts'
import { outcomes } from './outcomes.ts'
import { type Json, storedPerson } from './person.ts'
import { insuranceCard } from './worked-families.ts'

const own = '9990548609'

/** The card that is posted, with one value put at a path, or taken away. */
function card(path?: string, value?: unknown): Json {
  const posted = JSON.parse(
    JSON.stringify({
      ...insuranceCard({
        number: 'DE1234567890121234',
        country: 'DEU',
        personalId: '1029384756',
        institution: "01071 - CPAM de l'ARDECH",
        end: '2030-12-31',
      }),
      subscriber: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: own } },
    }),
  ) as Record<string, unknown>
  if (path === undefined) return posted
  const steps = path.split('/')
  const last = steps.pop() as string
  let at = posted
  for (const step of steps) at = at[step] as Record<string, unknown>
  if (value === undefined) delete at[last]
  else at[last] = value
  return posted
}

const refusal = (value: Json) =>
  firstRefusal(coverageBodyChecks, { value, prefix: '', today: '2026-11-20' })?.outcome.diagnostics

test('the query is the one parameter with the bare number', () => {
  const number = (query: string) => coverageNumber(searchParameters(query))
  assert.equal(number(`subscriber:identifier=${own}`), own)
  assert.equal(number(`subscriber%3Aidentifier=${own}`), own)
  for (const query of [
    '',
    `beneficiary:identifier=${own}`,
    `subscriber:identifier=${own}&year=2003`,
    `subscriber:identifier=https://fhir.nhs.uk/Id/nhs-number|${own}`,
    'subscriber:identifier=',
    `subscriber:identifier=${own}&subscriber:identifier=${own}`,
  ])
    assert.equal(number(query), undefined, query)
  assert.deepEqual(firstRefusal(coverageChecks, { number: undefined })?.outcome, outcomes.coverageSearch)
  assert.deepEqual(firstRefusal(coverageChecks, { number: '9990548608' })?.outcome, outcomes.invalidResourceId)
  assert.equal(firstRefusal(coverageChecks, { number: own }), undefined)
})

test('If-Match and Content-Type of a write, and whose card it is', () => {
  const json = 'application/json'
  assert.deepEqual(
    firstRefusal(coverageRequestChecks, { ifMatch: undefined, contentType: undefined })?.outcome,
    outcomes.ifMatchMissing,
  )
  for (const contentType of [undefined, 'text/plain', 'application/json-patch+json'])
    assert.deepEqual(
      firstRefusal(coverageRequestChecks, { ifMatch: 'W/"2"', contentType })?.outcome,
      outcomes.unsupportedService,
    )
  for (const contentType of [json, 'application/fhir+json; charset=utf-8'])
    assert.equal(firstRefusal(coverageRequestChecks, { ifMatch: 'W/"2"', contentType }), undefined)
  const access: Access = { mode: 'patient', patient: { nhsNumber: own, level: 'P9', vectorOfTrust: 'P9.Cm' } }
  const other = { value: card('subscriber/identifier/value', '9990548617'), access }
  assert.deepEqual(firstRefusal(coverageOwnerChecks, other)?.outcome, outcomes.patientCannot)
  assert.equal(firstRefusal(coverageOwnerChecks, { value: card(), access }), undefined)
})

test('every value of a card, with its exact path', () => {
  assert.equal(refusal(card()), undefined)
  for (const path of [
    'identifier',
    'identifier/0/value',
    'identifier/0/assigner',
    'identifier/0/assigner/identifier/value',
    'status',
    'subscriber',
    'subscriber/identifier/value',
    'beneficiary',
    'beneficiary/identifier/value',
    'payor',
    'payor/0/identifier',
    'payor/0/identifier/value',
    'period',
    'period/end',
  ])
    assert.equal(refusal(card(path)), `Missing value - '${path}'`)
  const wrong: readonly (readonly [path: string, value: unknown])[] = [
    ['resourceType', 'Patient'],
    ['status', 'cancelled'],
    ['type/coding/0/code', 'OTHER'],
    ['identifier/0/value', 'x'.repeat(26)],
    ['identifier/0/value', 'DE_1'],
    ['identifier/0/value', ' '],
    ['identifier/0/assigner/identifier/system', 'urn:x'],
    ['identifier/0/assigner/identifier/value', 'DE'],
    ['identifier/0/assigner/identifier/value', 'deu'],
    ['beneficiary/identifier/value', 'x'.repeat(26)],
    ['payor/0/identifier/value', ''],
    ['payor/0/identifier/value', 'x'.repeat(31)],
    ['period/end', '2026-13-15'],
    ['period/end', '1860-12-15'],
    ['period/end', '2176-11-20'],
    ['period/end', '2030'],
  ]
  for (const [path, value] of wrong)
    assert.equal(refusal(card(path, value)), `Invalid value - '${value}' in field '${path}'`)
  assert.equal(refusal(card('period/end', '1876-11-21')), undefined)
  assert.equal(
    refusal(card('payor', [{ identifier: { value: 'DE1' } }, { identifier: { value: 'FR1' } }])),
    "Too many values submitted - [{'identifier': {'value': 'DE1'}}, {'identifier': {'value': 'FR1'}}] in field 'payor'",
  )
  assert.equal(refusal(card('payor', [])), "Too few values submitted - [] in field 'payor'")
  assert.equal(refusal(card('identifier', 'x')), "Invalid value - 'x' in field 'identifier'")
})

test('a card is shown with the country, unless it has no personal number', () => {
  const shown = cardOf(storedPerson({ nhsNumber: own, patient: {}, coverage: card() }))
  assert.deepEqual(shown?.['identifier'], [
    {
      value: 'DE1234567890121234',
      assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: 'DEU' }, display: 'Germany' },
    },
  ])
  assert.equal(cardOf(storedPerson({ nhsNumber: own, patient: {}, coverage: card('beneficiary') })), undefined)
  assert.equal(cardOf(storedPerson({ nhsNumber: own, patient: {}, hidden: { coverage: card() } })), undefined)
  assert.deepEqual(['ESP', 'GBR', 'XYZ'].map(countryName), ['Spain', 'United Kingdom', undefined])
})

test('every check says what is asked, and where it is written', () => {
  for (const { clause, explanation } of coverageBodyChecks)
    assert.ok(clause.startsWith('§') && explanation.endsWith('.'), explanation)
})
