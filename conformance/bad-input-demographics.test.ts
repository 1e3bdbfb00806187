/** PDS FHIR: every row of the error catalogue that this release can meet, as it stands on the wire. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { ask, header } from './raw-http.ts'
import { nhsNumber, outcomeOf, rowsOf } from './raw-request.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
/** Where nobody is let in without a token. */
let strict: Sandbox

before(async () => {
  ;[sandbox, strict] = await Promise.all([startSandbox(), startSandbox({ profile: 'strict' })])
})
after(() => Promise.all([sandbox?.stop(), strict?.stop()]))

const base = '/personal-demographics/FHIR/R4'
const codeSystem = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode'
const minimum = 'No searches were performed as the search criteria did not meet the minimum requirements'
const fuzzy = 'A fuzzy search was requested however the data given did not meet the fuzzy search criteria'

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
}

interface Told {
  readonly status: number
  readonly code: string
  readonly issue: string
  readonly display: string
  readonly severity?: string
  readonly diagnostics?: string
}

async function send(to: Sandbox, { method = 'GET', path, headers = {}, body }: Asked) {
  const requestId = randomUUID()
  const all = {
    Host: 'localhost',
    'X-Request-ID': requestId,
    ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
  const bytes = `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
  const answer = await ask(String(to.spine.urls['api']), { ca: to.material.ca }, bytes)
  return { answer, trace: all['X-Request-ID'] }
}

async function told(to: Sandbox, asked: Asked, expected: Told): Promise<void> {
  const { answer, trace } = await send(to, asked)
  const outcome = outcomeOf(answer)
  assert.deepEqual(
    { status: answer.status, ...outcome },
    { severity: 'error', diagnostics: undefined, system: codeSystem, ...expected },
  )
  assert.equal(header(answer, 'content-type'), 'application/fhir+json')
  assert.equal(header(answer, 'cache-control'), 'no-store')
  // Ids come back as they were sent, and only then.
  assert.equal(header(answer, 'x-request-id'), trace)
  if (trace !== undefined) {
    const rows = (await rowsOf(to, trace)).filter(({ event }) => event.startsWith('pds.'))
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.facts['status'], expected.status)
    assert.equal(rows[0]?.facts['code'], expected.code)
  }
}

const patient = (rest: string) => `${base}/Patient${rest}`
const invalidId: Told = { status: 400, code: 'INVALID_RESOURCE_ID', issue: 'value', display: 'Resource Id is invalid' }
const unsupportedService: Told = {
  status: 400,
  code: 'UNSUPPORTED_SERVICE',
  issue: 'processing',
  display: 'Unsupported Service',
}
const unsupported = (path: string): Told => ({
  status: 400,
  code: 'UNSUPPORTED_REQUEST',
  issue: 'value',
  display: 'The request is not one that is supported.',
  diagnostics: `Unsupported path - '${path}'`,
})
const missing = (diagnostics: string): Told => ({
  status: 400,
  code: 'MISSING_VALUE',
  issue: 'required',
  display: 'Required value is missing',
  diagnostics,
})
const invalid = (diagnostics: string): Told => ({
  status: 400,
  code: 'INVALID_VALUE',
  issue: 'value',
  display: 'Provided value is invalid',
  diagnostics,
})
const field = (value: string, name: string) => invalid(`Invalid value - '${value}' in field '${name}'`)
const additional = (names: string): Told => ({
  status: 400,
  code: 'ADDITIONAL_PROPERTIES',
  issue: 'invariant',
  display: 'Additional properties should not be included',
  diagnostics: `Invalid request with error - Additional properties are not allowed (${names} unexpected)`,
})
const searchData = (reason: string): Told => ({
  status: 400,
  code: 'INVALID_SEARCH_DATA',
  issue: 'value',
  display: 'Search data is invalid',
  diagnostics: `Invalid search data provided - '${reason}'`,
})
const denied = (diagnostics: string): Told => ({
  status: 401,
  code: 'ACCESS_DENIED',
  issue: 'forbidden',
  display: 'Access Denied - Unauthorised',
  diagnostics,
})
const notFound: Told = {
  status: 404,
  code: 'RESOURCE_NOT_FOUND',
  issue: 'not-found',
  display: 'Resource not found',
  severity: 'information',
}
const noDob = missing("Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'")
const noRequestId = missing('Invalid request with error - X-Request-ID header must be supplied to access this resource')

describe('retrieve', () => {
  const cases: readonly [name: string, path: string, expected: Told][] = [
    ['a bad check digit', patient('/9990548608'), invalidId],
    ['nine digits', patient('/999054860'), invalidId],
    ['eleven digits', patient('/99905486090'), invalidId],
    ['letters', patient('/ABCDEFGHIJ'), invalidId],
    ['an encoded space in it', patient('/999%20054%208609'), invalidId],
    ['an encoded NUL behind it', patient('/9990548609%00'), invalidId],
    ['a broken escape', patient('/9990548609%zz'), invalidId],
    ['full-width digits', patient(`/${encodeURIComponent('９９９０５４８６０９')}`), invalidId],
    ['SQL', patient(`/${encodeURIComponent("9990548609' or '1'='1")}`), invalidId],
    ['a valid number that nobody has', patient('/9999999409'), notFound],
    [
      'a record that was marked as invalid',
      patient('/9990548889'),
      {
        status: 404,
        code: 'INVALIDATED_RESOURCE',
        issue: 'processing',
        display: 'Resource that has been marked as invalid was requested - invalid resources cannot be retrieved',
      },
    ],
    ['an unknown path', `${base}/HelloWorld`, unsupported('/HelloWorld')],
    ['the resource with an exclamation mark', patient('!'), unsupported('/Patient!')],
    ['the resource in lower case', `${base}/patient/${nhsNumber}`, unsupported(`/patient/${nhsNumber}`)],
    ['dot segments', patient(`/../Patient/${nhsNumber}`), unsupported(`/Patient/../Patient/${nhsNumber}`)],
    ['a doubled slash', `${base}//Patient/${nhsNumber}`, unsupported(`//Patient/${nhsNumber}`)],
    ['a slash at the end', patient(`/${nhsNumber}/`), unsupported(`/Patient/${nhsNumber}/`)],
    ['deeper than there is', patient(`/${nhsNumber}/Observation`), unsupported(`/Patient/${nhsNumber}/Observation`)],
    ['a poll that nobody waits for', `${base}/_poll/1`, notFound],
  ]
  for (const [name, path, expected] of cases) it(name, () => told(sandbox, { path }, expected))
})

describe('headers', () => {
  const path = patient(`/${nhsNumber}`)
  const role = (value: string) =>
    invalid(
      `Invalid value - '${value}' in header 'NHSD-Session-URID'. Refer to the guidance for this header in our API Specification https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir`,
    )
  it('no X-Request-ID', () => told(sandbox, { path, headers: { 'X-Request-ID': undefined } }, noRequestId))
  for (const value of [
    '1234',
    'null',
    '{60e0b220-8136-4ca5-ae46-1d97ef59d068}',
    '60e0b220-8136-4ca5-ae46-1d97ef59d06g',
  ])
    it(`X-Request-ID ${value}`, () =>
      told(
        sandbox,
        { path, headers: { 'X-Request-ID': value } },
        invalid(`Invalid value - '${value}' in header 'X-Request-ID'`),
      ))
  it('X-Request-ID is looked at after the path, and before the number', async () => {
    await told(
      sandbox,
      { path: `${base}/HelloWorld`, headers: { 'X-Request-ID': undefined } },
      unsupported('/HelloWorld'),
    )
    await told(sandbox, { path: patient('/1'), headers: { 'X-Request-ID': undefined } }, noRequestId)
  })
  for (const value of ['R8000', '1 2', '-1'])
    it(`NHSD-Session-URID ${value}`, () =>
      told(sandbox, { path, headers: { 'NHSD-Session-URID': value } }, role(value)))
})

describe('methods', () => {
  for (const [method, path, expected] of [
    ['PUT', patient(`/${nhsNumber}`), unsupportedService],
    ['DELETE', patient(`/${nhsNumber}`), unsupportedService],
    ['PUT', patient(''), unsupportedService],
    ['PUT', `${base}/HelloWorld`, unsupported('/HelloWorld')],
    ['DELETE', patient(`/${nhsNumber}/RelatedPerson`), unsupportedService],
    ['OPTIONS', patient(`/${nhsNumber}`), undefined],
  ] as const)
    it(`${method} ${path}`, async () => {
      if (expected !== undefined) {
        await told(sandbox, { method, path }, expected)
        return
      }
      const { answer } = await send(sandbox, { method, path })
      assert.equal(answer.status, 502)
      assert.deepEqual([outcomeOf(answer).code, outcomeOf(answer).display], ['UNKNOWN_ERROR', 'Unknown Error'])
    })

  for (const body of ['', '{', '{"patches":[]}', '['.repeat(100_000), 'x'.repeat(500_000)])
    it(`a patch that is none, of ${body.length} characters`, () =>
      told(
        sandbox,
        {
          method: 'PATCH',
          path: patient(`/${nhsNumber}`),
          body,
          headers: { 'Content-Type': 'application/json-patch+json', 'If-Match': 'W/"1"' },
        },
        {
          status: 400,
          code: 'INVALID_UPDATE',
          issue: 'structure',
          display: 'Update is invalid',
          diagnostics: 'Invalid update with error - No patches found',
        },
      ))

  const posted = { 'Content-Type': 'application/json' }
  for (const path of ['', '/$process-birth-details'])
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      '{"name":1,"name":2}',
      `{"name":${'['.repeat(200_000)}`,
      `{"name":[${'['.repeat(50_000)}${']'.repeat(50_001)}}`,
    ])
      it(`POST /Patient${path}: no resource, of ${body.length} characters`, () =>
        told(
          sandbox,
          { method: 'POST', path: patient(path), body, headers: posted },
          {
            status: 400,
            code: 'VALIDATION_ERROR',
            issue: 'value',
            display: 'Validation Error',
            diagnostics: 'Invalid request with error - body is not a JSON object',
          },
        ))

  it('a long value is not printed', () =>
    told(
      sandbox,
      {
        method: 'POST',
        path: patient(''),
        body: JSON.stringify({
          name: Array.from({ length: 20_000 }, () => ({})),
          address: [{ period: {} }],
          gender: 1,
          birthDate: 1,
          extension: [],
        }),
        headers: posted,
      },
      {
        status: 400,
        code: 'TOO_MANY_VALUES_SUBMITTED',
        issue: 'value',
        display: 'Too many values submitted',
        diagnostics: "Too many values submitted - <json too long to display> in field 'name'",
      },
    ))

  it('coverage is for the patient alone', () =>
    told(
      sandbox,
      { path: `${base}/Coverage?subscriber:identifier=${nhsNumber}` },
      {
        status: 403,
        code: 'ACCESS_DENIED',
        issue: 'forbidden',
        display: 'Cannot GET resource with user-restricted access token',
        diagnostics: 'Your app has insufficient permissions to use this operation. Please contact support.',
      },
    ))
})

describe('search', () => {
  const cases: readonly [query: string, expected: Told][] = [
    ['', unsupportedService],
    ['?', unsupportedService],
    ['?&=&', unsupportedService],
    ['?year=1980', additional("'year' was")],
    ['?model=1&manufacturer=2&year=3', additional("'model', 'manufacturer', 'year' were")],
    ['?family=Testcase&birthdate=nonsense&year=1980', additional("'year' was")],
    ['?Family=Testcase&birthdate=1980-02-29', additional("'Family' was")],
    ['?__proto__=x&birthdate=1980-02-29', additional("'__proto__' was")],
    ['?family=Testcase', noDob],
    ['?family=Testcase&birthdate=', field('', 'birthdate')],
    ['?birthdate=1980-02-30&family=Testcase', field('1980-02-30', 'birthdate')],
    ['?birthdate=19800229&family=Testcase', field('19800229', 'birthdate')],
    ['?birthdate=1980&family=Testcase', field('1980', 'birthdate')],
    ['?birthdate=lt1980-02-29&family=Testcase', field('lt1980-02-29', 'birthdate')],
    ['?birthdate=1980-02-29&death-date=x&family=Testcase', field('x', 'death-date')],
    ['?birthdate=y&death-date=x&family=Testcase', field('y', 'birthdate')],
    ['?birthdate=1980-02-29', searchData(minimum)],
    ['?birthdate=1980-02-29&given=Arlo', searchData(minimum)],
    ['?birthdate=1980-02-29&family=T*', searchData(minimum)],
    ['?birthdate=1980-02-29&family=*', searchData(minimum)],
    ['?birthdate=1980-02-29&family=Testcase&gender=elephant', field('elephant', 'gender')],
    ['?birthdate=1980-02-29&family=Testcase&_max-results=0', field('0', '_max-results')],
    ['?birthdate=1980-02-29&family=Testcase&_max-results=51', field('51', '_max-results')],
    ['?birthdate=1980-02-29&family=Testcase&_max-results=1e1', field('1e1', '_max-results')],
    ['?birthdate=1980-02-29&family=Testcase&_fuzzy-match=maybe', field('maybe', '_fuzzy-match')],
    [`?birthdate=1980-02-29&family=${'a'.repeat(36)}`, field('a'.repeat(36), 'family')],
    ['?birthdate=1980-02-29&family=Testcase&_fuzzy-match=true', searchData(fuzzy)],
    ['?birthdate=1980-02-29&family=Test*&given=Arlo&_fuzzy-match=true', searchData(fuzzy)],
  ]
  for (const [query, expected] of cases)
    it(query || '(nothing)', () => told(sandbox, { path: patient(query) }, expected))

  it('both names of the postcode', () =>
    told(
      sandbox,
      {
        path: patient(
          '?family=Testcase&birthdate=1980-02-29&address-postcode=ZZ99%203CZ&address-postalcode=ZZ99%203CZ',
        ),
      },
      searchData('Both address-postalcode and address-postcode were provided, only one is allowed'),
    ))

  it('more matches than asked for: 200 and no list', async () => {
    const { answer } = await send(sandbox, {
      path: patient('?family=Testcase&birthdate=ge1900-01-01&birthdate=le2026-01-01&_max-results=1'),
    })
    assert.equal(answer.status, 200)
    const { severity, issue, code, display } = outcomeOf(answer)
    assert.deepEqual(
      [severity, issue, code, display],
      ['information', 'multiple-matches', 'TOO_MANY_MATCHES', 'Too Many Matches'],
    )
  })

  for (const value of ["O'Brien", 'a%', '%_%', '\\', 'Ünïcödé', '<script>', '"', '; drop table person'])
    it(`nothing is found, and nothing breaks, for ${value}`, async () => {
      const query = `?family=${encodeURIComponent(value)}&birthdate=1980-02-29`
      const { answer } = await send(sandbox, { path: patient(query) })
      assert.equal(answer.status, 200)
      const bundle = JSON.parse(answer.body.toString()) as { total: number; entry?: unknown }
      assert.equal(bundle.total, 0)
      assert.equal(bundle.entry, undefined)
    })

  it('broken escapes, NULs and a thousand parameters are answered in FHIR', async () => {
    for (const query of [
      '?family=%zz&birthdate=1980-02-29',
      '?family=%00%00&birthdate=1980-02-29',
      `?${'given=a&'.repeat(1000)}birthdate=1980-02-29&family=Testcase`,
      '?family=%ff%fe&birthdate=1980-02-29',
    ]) {
      const { answer } = await send(sandbox, { path: patient(query) })
      assert.ok(answer.status === 200 || answer.status === 400, `${answer.status} for ${query.slice(0, 50)}`)
      assert.equal(header(answer, 'content-type'), 'application/fhir+json')
    }
  })
})

describe('Authorization', () => {
  const path = patient(`/${nhsNumber}`)
  const cases: readonly [header: string | undefined, expected: string][] = [
    [undefined, 'Missing Authorization header'],
    ['', 'Empty Authorization header'],
    ['Bearer', 'Missing access token'],
    ['Bearer ', 'Missing access token'],
    ['Basic abc', "Invalid token type 'Basic', must be 'Bearer'"],
    ['bearer abc', "Invalid token type 'bearer', must be 'Bearer'"],
    ['Bearer abc', 'Invalid Access Token'],
    [`Bearer ${'a'.repeat(8000)}`, 'Invalid Access Token'],
  ]
  for (const [value, expected] of cases)
    it(`strict: ${value?.slice(0, 40) ?? '(none)'}`, () =>
      told(strict, { path, headers: { Authorization: value } }, denied(expected)))
  for (const [value, expected] of cases.slice(1))
    it(`sandbox: ${value?.slice(0, 40)}`, () =>
      told(sandbox, { path, headers: { Authorization: value } }, denied(expected)))
  it('strict: the token comes before the path', () =>
    told(strict, { path: `${base}/HelloWorld` }, denied('Missing Authorization header')))
})

it('beside PDS: what no service serves is a problem, not a page', async () => {
  for (const path of [
    '/',
    '/personal-demographics',
    '/%2e%2e/etc/passwd',
    '/personal-demographics/FHIR/R5/Patient/1',
    '/%zz',
  ]) {
    const { answer } = await send(sandbox, { path })
    assert.ok(answer.status === 404 || answer.status === 400, String(answer.status))
    assert.equal(header(answer, 'content-type'), 'application/problem+json')
    assert.doesNotMatch(answer.body.toString(), /at .*\.(ts|js):\d+|node_modules|Fastify/)
  }
})

it('PDS serves, and both audits verify, after all that', async () => {
  const { answer, trace } = await send(sandbox, { path: patient(`/${nhsNumber}`) })
  assert.equal(answer.status, 200)
  assert.equal((await rowsOf(sandbox, String(trace))).length, 1)
  for (const one of [sandbox, strict]) assert.equal((await one.spine.platform.audit.verify()).ok, true)
})
