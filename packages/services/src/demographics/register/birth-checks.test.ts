import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstRefusal } from '../checks.ts'
import { outcomes } from '../outcomes.ts'
import { extensionUrl, items, type Json } from '../person.ts'
import { babyOf, birthChecks, newBirthChecks } from './birth-checks.ts'
import { birthBundle } from './register.test-kit.ts'

const today = '2026-11-20'
const body = (value: Json) => ({ value, prefix: '', today })

/** The bundle with one value put at a path, or taken away. */
function put(path: string, value: unknown): Json {
  const bundle = JSON.parse(JSON.stringify(birthBundle())) as Record<string, unknown>
  const steps = path.split('/')
  const last = steps.pop() as string
  let at: Record<string, unknown> = bundle
  for (const step of steps) at = at[step] as Record<string, unknown>
  if (value === undefined) delete at[last]
  else at[last] = value
  return bundle
}
const entry = (index: number, path: string) => `entry/${index}/resource/${path}`
const missing = (index: number, path: string): readonly [string, unknown, string] => [
  entry(index, path),
  undefined,
  `Missing value - '${entry(index, path)}'`,
]
const wrong = (index: number, path: string, value: unknown): readonly [string, unknown, string] => [
  entry(index, path),
  value,
  `Invalid value - '${value}' in field '${entry(index, path)}'`,
]

test('every entry is looked into, and faults have their full paths', () => {
  const rows: readonly (readonly [path: string, value: unknown, diagnostics: string])[] = [
    ['resourceType', 'Patient', "Invalid value - 'Patient' in field 'resourceType'"],
    ['type', 'batch', "Invalid value - 'batch' in field 'type'"],
    ['entry', undefined, "Missing value - 'entry'"],
    ['entry', 'x', "Invalid value - 'x' in field 'entry'"],
    [entry(9, 'resourceType'), 'Patient', `Invalid value - 'Patient' in field '${entry(9, 'resourceType')}'`],
    ['entry/3/request/method', 'PUT', "Invalid value - 'PUT' in field 'entry/3/request/method'"],
    missing(0, 'name'),
    missing(0, 'address'),
    missing(0, 'gender'),
    missing(0, 'birthDate'),
    missing(0, 'name/0/use'),
    missing(0, 'address/0/period'),
    [entry(0, 'address'), ['another'], "Invalid value - 'another' in field 'entry/0/resource/address/0'"],
    [entry(0, 'name/0/given'), 'not an array', `Invalid value - 'not an array' in field '${entry(0, 'name/0/given')}'`],
    wrong(0, 'name/0/given', 'O`Brien'),
    wrong(0, 'multipleBirthInteger', 100),
    // These two are named by their short paths.
    [entry(0, 'gender'), 'other', "Invalid value - 'other' in field 'gender'"],
    [entry(0, 'birthDate'), 'not-a-date', "Invalid value - 'not-a-date' in field 'birthDate'"],
    [
      entry(0, 'identifier'),
      [],
      "Invalid request with error - Additional properties are not allowed ('identifier' was unexpected)",
    ],
    missing(1, 'valueQuantity/value'),
    wrong(1, 'valueQuantity/value', 35552),
    wrong(1, 'code/coding/0/code', '1'),
    missing(2, 'valueCodeableConcept/coding/0/code'),
    wrong(2, 'valueCodeableConcept/coding/0/code', '5'),
    wrong(2, 'valueCodeableConcept/coding/0/system', 'urn:oid:1'),
    missing(3, 'valueQuantity/value'),
    wrong(3, 'valueQuantity/value', 100),
    missing(4, 'valueInteger'),
    wrong(4, 'valueInteger', 0),
    missing(5, 'valueCodeableConcept/coding/0/code'),
    wrong(5, 'valueCodeableConcept/coding/0/code', 'X'),
    missing(6, 'identifier/0/value'),
    wrong(6, 'identifier/0/value', '9990548608'),
    wrong(6, 'relationship/0/coding/0/code', 'FTH'),
    missing(7, 'identifier/0/value'),
    wrong(7, 'identifier/0/value', '123'),
    wrong(7, 'identifier/0/value', '9990548609'),
    missing(7, 'name/0/family'),
    missing(7, 'birthDate'),
    wrong(7, 'birthDate', '1983'),
    missing(8, 'identifier/0/value'),
    wrong(8, 'identifier/0/value', '!'),
    missing(9, 'identifier/0/value'),
    missing(9, 'type'),
    missing(10, 'participant'),
    missing(10, 'participant/1/member/identifier/value'),
    wrong(10, 'participant/0/role/0/coding/0/code', '1'),
    missing(11, 'name'),
  ]
  for (const [path, value, diagnostics] of rows)
    assert.equal(firstRefusal(birthChecks, body(put(path, value)))?.outcome.diagnostics, diagnostics, path)
  assert.equal(firstRefusal(birthChecks, body(birthBundle())), undefined)
})

test('an entry or an extension that is missing', () => {
  const eleven = { ...birthBundle(), entry: items(birthBundle()['entry']).filter((_, index) => index !== 9) }
  assert.deepEqual(
    firstRefusal(birthChecks, body(eleven))?.outcome.diagnostics,
    "Too few values submitted - <json too long to display> in field 'entry'",
  )
  for (const index of [0, 1, 2]) {
    const baby = { extension: items(babyOf(birthBundle())['extension']).filter((_, at) => at !== index) }
    const outcome = firstRefusal(birthChecks, body(birthBundle({ baby })))?.outcome
    assert.equal(outcome?.coding.code, 'TOO_FEW_VALUES_SUBMITTED')
    assert.match(
      String(outcome?.diagnostics),
      /^Too few values submitted - .* in field 'entry\/0\/resource\/extension'$/,
    )
  }
})

test('a death at birth, and a birth that was long ago', () => {
  const death = (code: string): Json => ({
    url: extensionUrl.deathNotification,
    extension: [{ url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code }] } }],
  })
  const with_ = (code: string, deceasedDateTime?: string): Json => ({
    extension: [...items(babyOf(birthBundle())['extension']), death(code)],
    ...(deceasedDateTime === undefined ? {} : { deceasedDateTime }),
  })
  const at = '2026-11-16T04:11:00'
  const rows = [
    ['1', {}, undefined],
    ['1', with_('U'), undefined],
    ['1', with_('1', at), undefined],
    ['2', with_('2', at), undefined],
    ['4', with_('2', at), undefined],
    ['1', with_('2', at), outcomes.birthDeathInconsistent],
    ['2', {}, outcomes.birthDeathInconsistent],
    ['3', with_('1', at), outcomes.birthDeathInconsistent],
    ['3', with_('U'), outcomes.birthDeathInconsistent],
    ['2', with_('2'), outcomes.birthDeathInconsistent],
    ['1', { deceasedDateTime: at }, outcomes.birthDeathInconsistent],
    ['1', { birthDate: '2026-05-01' }, outcomes.birthTooLongAgo],
    ['1', { birthDate: '2026-06-01' }, undefined],
  ] as const
  for (const [stillbirth, baby, outcome] of rows) {
    const bundle = body(birthBundle({ stillbirth, baby }))
    assert.equal(firstRefusal(birthChecks, bundle)?.check.name, undefined)
    assert.deepEqual(firstRefusal(newBirthChecks, bundle)?.outcome, outcome, JSON.stringify([stillbirth, baby]))
  }
  assert.equal(
    firstRefusal(birthChecks, body(birthBundle({ baby: with_('9') })))?.outcome.diagnostics,
    "Invalid value - '9' in field 'entry/0/resource/extension/3/extension/0/valueCodeableConcept/coding/0/code'",
  )
})

test('the rules of a new record hold for a baby', () => {
  const ended = { name: [{ use: 'usual', family: 'X', period: { start: '2026-11-16', end: '2026-11-17' } }] }
  assert.deepEqual(
    firstRefusal(newBirthChecks, body(birthBundle({ baby: ended })))?.outcome,
    outcomes.invalidCreate('An end date can not be provided on usual name'),
  )
})
