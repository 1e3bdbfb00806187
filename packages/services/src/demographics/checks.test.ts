import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access } from './access.ts'
import {
  type Arrival,
  arrivalChecks,
  authorizationChecks,
  type Check,
  firstRefusal,
  operationOf,
  retrieveChecks,
  searchChecks,
} from './checks.ts'
import { searchParameters } from './criteria.ts'
import { outcomes, type PdsOutcome } from './outcomes.ts'
import { profileAccess } from './profile-access.ts'

/** One row for each check: a subject that fails it and none before it, and the outcome. */
function table<Subject>(checks: readonly Check<Subject>[], rows: readonly (readonly [string, Subject, PdsOutcome])[]) {
  for (const [name, subject, outcome] of rows) {
    const refused = firstRefusal(checks, subject)
    assert.equal(refused?.check.name, name)
    assert.deepEqual(refused?.outcome, outcome)
  }
  assert.deepEqual(
    new Set(rows.map(([name]) => name)),
    new Set(checks.map(({ name }) => name)),
    'every check has a row',
  )
  for (const { clause, explanation } of checks) assert.ok(clause.startsWith('§') && explanation.endsWith('.'))
}

const requestId = '60e0b220-8136-4ca5-ae46-1d97ef59d068'
const worker: Access = { mode: 'user-restricted', user: { id: '555254242102' } }
const app: Access = { mode: 'application-restricted', app: { id: 'app' } }
const privileged: Access = { mode: 'privileged-application-restricted', app: { id: 'app' } }
const patient: Access = {
  mode: 'patient',
  patient: { nhsNumber: '9990548609', level: 'P9', vectorOfTrust: 'P9.Cp.Cd' },
}

function arrival(method: string, path: string, more: Partial<Arrival> & { readonly query?: string } = {}): Arrival {
  const found = operationOf(method, path)
  return {
    method,
    path,
    operation: found?.operation ?? 'none',
    number: found?.id,
    parameters: searchParameters(more.query ?? ''),
    requestId,
    role: undefined,
    access: worker,
    asidRequired: false,
    ...more,
  }
}
const mine = '/Patient/9990548609'

/** A request as far as authentication looks at it. */
const asking = (authorization: string | undefined) => ({
  authorization,
  requestId: undefined,
  method: 'GET',
  path: '/Patient/9000000009',
  address: '127.0.0.1',
})

test('the form of the Authorization header, with its exact words', async () => {
  const rows = [
    ['Authorization is there', undefined, 'Missing Authorization header'],
    ['Authorization is not empty', '', 'Empty Authorization header'],
    ['Authorization is not empty', '  ', 'Empty Authorization header'],
    ['Authorization has a token', 'Bearer', 'Missing access token'],
    ['Authorization has a token', 'Bearer ', 'Missing access token'],
    ['Authorization is Bearer', 'Basic abc', "Invalid token type 'Basic', must be 'Bearer'"],
    ['Authorization is Bearer', 'bearer abc', "Invalid token type 'bearer', must be 'Bearer'"],
  ] as const
  table(
    authorizationChecks,
    rows.map(([name, header, words]) => [name, header, outcomes.accessDenied(words)]),
  )
  const strict = profileAccess('refused')
  for (const [, authorization, words] of [...rows, ['', 'Bearer abc', 'Invalid Access Token'] as const])
    await assert.rejects(strict(asking(authorization)), { outcome: outcomes.accessDenied(words) })
  const sandbox = profileAccess('user-restricted')
  assert.equal((await sandbox(asking(undefined))).mode, 'user-restricted')
  await assert.rejects(sandbox(asking('Bearer abc')), {
    outcome: outcomes.accessDenied('Invalid Access Token'),
  })
  await assert.rejects(sandbox(asking('')), { outcome: outcomes.accessDenied('Empty Authorization header') })
})

test('every check between the token and the operation', () => {
  const p5: Access = { mode: 'patient', patient: { nhsNumber: '9990548609', level: 'P5', vectorOfTrust: 'P5.Cp.Cd' } }
  const weak: Access = { mode: 'patient', patient: { nhsNumber: '9990548609', level: 'P9', vectorOfTrust: 'P9.Cp' } }
  const untold: Access = { mode: 'patient', patient: { nhsNumber: '9990548609', level: 'P9' } }
  const twoRoles: Access = { mode: 'user-restricted', user: { id: 'u', roles: ['1', '2'] } }
  table(arrivalChecks, [
    ['Patient is proved well enough', arrival('GET', mine, { access: p5 }), outcomes.patientCannot],
    ['Patient is proved well enough', arrival('GET', mine, { access: weak }), outcomes.patientCannot],
    ['Patient is proved well enough', arrival('GET', '/Nowhere', { access: untold }), outcomes.patientCannot],
    ['Path is known', arrival('GET', '/HelloWorld'), outcomes.unsupportedPath('/HelloWorld')],
    ['Path is known', arrival('GET', '/Patient!', { requestId: '1' }), outcomes.unsupportedPath('/Patient!')],
    ['Path is known', arrival('GET', '/Patient/'), outcomes.unsupportedPath('/Patient/')],
    ['Path is known', arrival('GET', `${mine}/Observation`), outcomes.unsupportedPath(`${mine}/Observation`)],
    ['X-Request-ID is a UUID', arrival('GET', mine, { requestId: '1234' }), outcomes.requestIdInvalid('1234')],
    ['X-Request-ID is a UUID', arrival('GET', mine, { requestId: '', role: 'x' }), outcomes.requestIdInvalid('')],
    ["Role is one of the user's", arrival('GET', mine, { role: 'abc' }), outcomes.roleInvalid('abc')],
    ["Role is one of the user's", arrival('GET', mine, { role: '3', access: twoRoles }), outcomes.roleInvalid('3')],
    ["Role is one of the user's", arrival('GET', mine, { access: twoRoles }), outcomes.roleInvalid('')],
    ['App has an ASID', arrival('GET', mine, { access: app, asidRequired: true }), outcomes.asidMissing],
    [
      'Role may do this',
      arrival('GET', mine, { access: { ...twoRoles, denied: 'No B0820.' }, role: '1' }),
      outcomes.roleForbidden('No B0820.'),
    ],
    [
      'Patient does only what patients may',
      arrival('GET', '/Patient', { access: patient, requestId: undefined }),
      outcomes.patientCannot,
    ],
    [
      'Patient asks for the own record',
      arrival('GET', '/Patient/9990548617', { access: patient }),
      outcomes.patientCannot,
    ],
    // Another person with a bad check digit is refused before the number is judged.
    [
      'Patient asks for the own record',
      arrival('GET', '/Patient/9990548618', { access: patient }),
      outcomes.patientCannot,
    ],
    [
      'Mode may update',
      arrival('PATCH', mine, { access: app }),
      outcomes.methodForbidden('update', 'application-restricted'),
    ],
    [
      'Mode may update',
      arrival('PATCH', mine, { access: { ...privileged, app: { id: 'a', attributes: { applicationUpdate: true } } } }),
      outcomes.methodForbidden('update', 'privileged-application-restricted'),
    ],
    [
      'Mode may create',
      arrival('POST', '/Patient', { access: app }),
      outcomes.methodForbidden('create', 'application-restricted'),
    ],
    [
      'Mode may create',
      arrival('POST', '/Patient/$process-birth-details', { access: privileged }),
      outcomes.methodForbidden('create', 'privileged-application-restricted'),
    ],
    [
      'Mode may create',
      arrival('POST', '/Patient', { access: patient }),
      outcomes.methodForbidden('create', 'patient-access'),
    ],
    [
      'Patient asks for the own record',
      arrival('GET', '/Coverage', { access: patient, number: '9990548617' }),
      outcomes.patientCannot,
    ],
    ['Mode may use coverage', arrival('GET', '/Coverage'), outcomes.operationForbidden('GET', 'user-restricted')],
    [
      'Mode may use coverage',
      arrival('POST', '/Coverage', { access: app }),
      outcomes.operationForbidden('POST', 'application-restricted'),
    ],
    [
      'Mode may have so many results',
      arrival('GET', '/Patient', { access: app, query: '_max-results=2' }),
      outcomes.moreThanOneForbidden('application-restricted'),
    ],
    [
      'Mode may have so many results',
      arrival('GET', '/Patient', { access: privileged, query: '_max-results=50', requestId: undefined }),
      outcomes.moreThanOneForbidden('privileged-application-restricted'),
    ],
    ['X-Request-ID is there', arrival('GET', '/Patient/1', { requestId: undefined }), outcomes.requestIdMissing],
    ['Method is served on this path', arrival('PUT', mine), outcomes.unsupportedService],
    ['Method is served on this path', arrival('DELETE', '/Patient'), outcomes.unsupportedService],
  ])
})

test('what each mode may do passes', () => {
  const updating: Access = { mode: 'application-restricted', app: { id: 'a', attributes: { applicationUpdate: true } } }
  for (const allowed of [
    arrival('GET', mine, { role: '555', access: { mode: 'user-restricted', user: { id: 'u', roles: ['555', '6'] } } }),
    arrival('GET', mine, { access: app, role: 'ignored here' }),
    arrival('GET', mine, { access: patient, requestId: requestId.toUpperCase() }),
    arrival('GET', `${mine}/RelatedPerson`, { access: patient }),
    arrival('PATCH', mine, { access: patient }),
    arrival('PATCH', mine, { access: updating }),
    arrival('PATCH', mine),
    arrival('POST', '/Patient'),
    arrival('GET', '/Patient', { query: '_max-results=50' }),
    arrival('GET', '/Patient', { access: app, query: 'family=x&_max-results=1' }),
    arrival('GET', '/Coverage', { access: patient, number: '9990548609' }),
    arrival('GET', '/Coverage', { access: patient, number: undefined }),
    arrival('POST', '/Coverage', { access: patient }),
    arrival('GET', mine, {
      asidRequired: true,
      access: { mode: 'application-restricted', app: { id: 'a', asid: '1' } },
    }),
  ])
    assert.equal(firstRefusal(arrivalChecks, allowed)?.check.name, undefined, `${allowed.method} ${allowed.path}`)
})

test('the NHS number of a retrieve', () => {
  table(
    retrieveChecks,
    ['9990548608', '999054860', '99905486099', '999 054 8609', '９990548609', 'abc', '$process-birth-details'].map(
      (number) => ['NHS number is valid', { number }, outcomes.invalidResourceId] as const,
    ),
  )
  assert.equal(firstRefusal(retrieveChecks, { number: '9990548609' }), undefined)
})

test('every check of a search, in order', () => {
  const minimum = 'family=Smith&birthdate=1980-01-01'
  const fuzzy = '_fuzzy-match=true&birthdate=1980-01-01'
  const rows: readonly (readonly [string, string, PdsOutcome])[] = [
    ['Search has parameters', '', outcomes.unsupportedService],
    ['Search has parameters', '&=', outcomes.unsupportedService],
    ['Parameters are known', 'year=1', outcomes.additionalProperties(['year'])],
    [
      'Parameters are known',
      'model=1&birthdate=x&manufacturer=2&year=3&year=4',
      outcomes.additionalProperties(['model', 'manufacturer', 'year']),
    ],
    ['birthdate is a day or a range', 'birthdate=1980&death-date=x', outcomes.invalidField('1980', 'birthdate')],
    ['birthdate is a day or a range', 'birthdate=gt1980-01-01', outcomes.invalidField('gt1980-01-01', 'birthdate')],
    ['birthdate is a day or a range', 'birthdate=1981-02-29', outcomes.invalidField('1981-02-29', 'birthdate')],
    [
      'birthdate is a day or a range',
      'birthdate=ge1980-01-01&birthdate=ge1981-01-01',
      outcomes.invalidField('ge1981-01-01', 'birthdate'),
    ],
    [
      'birthdate is a day or a range',
      'birthdate=ge1980-01-01&birthdate=le1981-01-01&birthdate=1980-06-01',
      outcomes.invalidField('1980-06-01', 'birthdate'),
    ],
    ['death-date is a day or a range', 'death-date=soon', outcomes.invalidField('soon', 'death-date')],
    ['birthdate is there', 'family=Smith', outcomes.birthdateMissing],
    ['birthdate is there', 'family=Smith&gender=alien', outcomes.birthdateMissing],
    ['Values are allowed', `${minimum}&gender=alien`, outcomes.invalidField('alien', 'gender')],
    ['Values are allowed', `${minimum}&_max-results=0`, outcomes.invalidField('0', '_max-results')],
    ['Values are allowed', `${minimum}&_max-results=51`, outcomes.invalidField('51', '_max-results')],
    ['Values are allowed', `${minimum}&_history=yes`, outcomes.invalidField('yes', '_history')],
    ['Values are allowed', `${minimum}&family=Jones`, outcomes.invalidField('Jones', 'family')],
    [
      'Values are allowed',
      `birthdate=1980-01-01&family=${'x'.repeat(36)}`,
      outcomes.invalidField('x'.repeat(36), 'family'),
    ],
    ['One postcode', `${minimum}&address-postcode=A&address-postalcode=A`, outcomes.twoPostcodes],
    ['Enough for a fuzzy search', `${fuzzy}&family=Smith`, outcomes.fuzzyNotMet],
    ['Enough for a fuzzy search', `${fuzzy}&family=Smith&gender=male`, outcomes.fuzzyNotMet],
    ['Enough for a fuzzy search', `${fuzzy}&given=Ann&address-postalcode=A`, outcomes.fuzzyNotMet],
    ['Enough for a fuzzy search', `${fuzzy}&gender=male&address-postalcode=A`, outcomes.fuzzyNotMet],
    ['Enough for a fuzzy search', `${fuzzy}&family=Smi*&given=Ann`, outcomes.fuzzyNotMet],
    ['Enough for a search', 'birthdate=1980-01-01', outcomes.minimumNotMet],
    ['Enough for a search', 'birthdate=1980-01-01&family=&given=Ann', outcomes.minimumNotMet],
    ['Enough for a search', 'birthdate=1980-01-01&family=S*', outcomes.minimumNotMet],
    ['Enough for a search', `${minimum}&given=*nn`, outcomes.minimumNotMet],
    ['Enough for a search', `${minimum}&address-postalcode=Z*`, outcomes.minimumNotMet],
  ]
  table(
    searchChecks,
    rows.map(([name, query, outcome]) => [name, searchParameters(query), outcome] as const),
  )
  for (const enough of [
    `${minimum}&=`,
    `${minimum}&given=Ann&given=Mary&_max-results=50&_history=TRUE`,
    'family=Sm*&birthdate=ge1980-01-01&birthdate=le1980-12-31',
    `${fuzzy}&family=Smith&given=Ann`,
    `${fuzzy}&family=Smith&gender=Male&address-postcode=ZZ99`,
    `${fuzzy}&given=Ann&gender=male&address-postalcode=ZZ99`,
  ])
    assert.equal(firstRefusal(searchChecks, searchParameters(enough)), undefined, enough)
})

test('pairs that cannot be decoded stay as they were sent', () => {
  assert.deepEqual(searchParameters('family=%zz&given=a+b&=&x'), [
    ['family', '%zz'],
    ['given', 'a b'],
    ['x', ''],
  ])
})
