import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { PracticeFile } from '../record/model.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { exampleAnswers, now } from '../testing/example-answers.ts'
import type { TestRequest } from '../testing/requests.ts'
import {
  allergies,
  including,
  inside,
  type Json,
  medication,
  recordParameters,
  type StructuredOptions,
  structuredRequest,
} from '../testing/structured.ts'
import { stu3Request } from '../testing/stu3-requests.ts'
import type { Area } from './area.ts'
import { areas } from './areas.ts'
import { structuredEndpoints } from './endpoints.ts'
import { areaChecks } from './parameter-checks.ts'

interface Refusal extends StructuredOptions {
  readonly check: string
  readonly case?: string
  readonly status: number
  readonly code: string
  readonly issue: string
  readonly parameters?: readonly Json[]
  readonly settings?: Partial<PracticeFile['practices'][number]>
  change?(request: TestRequest): void
}

const invalidResource = { status: 422, code: 'INVALID_RESOURCE', issue: 'invalid' } as const
const invalidParameter = { status: 422, code: 'INVALID_PARAMETER', issue: 'invalid' } as const
const noPatient = { status: 404, code: 'PATIENT_NOT_FOUND', issue: 'not-found' } as const
const forbidden = { status: 403, issue: 'forbidden' } as const
const notAuthorised = { ...forbidden, code: 'NOT_AUTHORISED' } as const
const wrongSystem = { status: 400, code: 'INVALID_IDENTIFIER_SYSTEM', issue: 'value' } as const
const wrongNumber = { status: 400, code: 'INVALID_NHS_NUMBER', issue: 'value' } as const

const body = (text: string) => (request: TestRequest) => {
  request.body = text
}
const nhs = 'https://fhir.nhs.uk/Id/nhs-number'
/** The patient's parameter replaced. */
const patient = (...parameter: readonly Json[]) =>
  body(JSON.stringify({ resourceType: 'Parameters', parameter: [...parameter, allergies()] }))
const identifier = (system: string, value: string): Json => ({
  name: 'patientNHSNumber',
  valueIdentifier: { system, value },
})
const from = (value: Json): Json => medication({ name: 'medicationSearchFromDate', ...value })
const resolved = (value: Json): Json => including('includeAllergies', { name: 'includeResolvedAllergies', ...value })
const whole = (sensitive: boolean): Json =>
  including('includeFullRecord', { name: 'includeSensitiveInformation', valueBoolean: sensitive })

const refusals: readonly Refusal[] = [
  { check: 'body present', ...invalidResource, change: body(' ') },
  { check: 'body readable', ...invalidResource, change: body('{"resourceType":') },
  { check: 'body readable', case: 'array', ...invalidResource, change: body('[]') },
  {
    check: 'body is a resource',
    ...invalidResource,
    change: body(JSON.stringify({ ...recordParameters(people.everySection), colour: 'red' })),
  },
  {
    check: 'body is a resource',
    case: 'text for a boolean',
    ...invalidResource,
    parameters: [resolved({ valueBoolean: 'true' })],
  },
  { check: 'body is Parameters', ...invalidResource, change: body('{"resourceType":"Patient","active":true}') },
  { check: 'parameters have names', ...invalidResource, parameters: [{ valueString: 'x' }] },
  {
    check: 'parameters have names',
    case: 'of a part',
    ...invalidResource,
    parameters: [{ name: 'includeMedication', part: [{ valueBoolean: true }] }],
  },
  { check: 'patientNHSNumber once', case: 'missing', ...invalidParameter, change: patient() },
  {
    check: 'patientNHSNumber once',
    case: 'only unknown parameters',
    ...invalidParameter,
    change: body('{"resourceType":"Parameters","parameter":[{"name":"includeWeather"}]}'),
  },
  {
    check: 'patientNHSNumber once',
    case: 'misspelt',
    ...invalidParameter,
    change: patient({ ...identifier(nhs, people.everySection), name: 'patientNhsNumber' }),
  },
  {
    check: 'patientNHSNumber once',
    case: 'twice',
    ...invalidParameter,
    parameters: [identifier(nhs, people.everySection)],
  },
  {
    check: 'patientNHSNumber type',
    ...invalidParameter,
    change: patient({ name: 'patientNHSNumber', valueString: people.everySection }),
  },
  { check: 'patientNHSNumber type', case: 'none', ...invalidParameter, change: patient({ name: 'patientNHSNumber' }) },
  {
    check: 'NHS number system',
    ...wrongSystem,
    change: patient(identifier('http://fhir.nhs.net/Id/nhs-number', people.everySection)),
  },
  { check: 'NHS number system', case: 'empty', ...wrongSystem, change: patient(identifier('', people.everySection)) },
  { check: 'NHS number', ...wrongNumber, nhsNumber: '9990548608' },
  { check: 'NHS number', case: 'empty', ...wrongNumber, nhsNumber: '' },
  { check: 'areas once', ...invalidParameter, parameters: [allergies(), allergies(false)] },
  {
    check: 'areas without values',
    ...invalidParameter,
    parameters: [{ name: 'includeAllergies', valueBoolean: true }],
  },
  {
    check: 'parts once',
    ...invalidParameter,
    parameters: [
      including(
        'includeAllergies',
        { name: 'includeResolvedAllergies', valueBoolean: true },
        { name: 'includeResolvedAllergies', valueBoolean: true },
      ),
    ],
  },
  { check: 'parts required', ...invalidParameter, parameters: [including('includeAllergies')] },
  {
    check: 'parts required',
    case: 'another part',
    ...invalidParameter,
    parameters: [including('includeAllergies', { name: 'includeResolved', valueBoolean: true })],
  },
  {
    check: 'parts required',
    case: 'in 1.2',
    ...invalidParameter,
    base: 'gpconnect',
    parameters: [including('includeAllergies')],
  },
  { check: 'part types', case: 'no value', ...invalidParameter, parameters: [resolved({})] },
  { check: 'part types', case: 'text', ...invalidParameter, parameters: [resolved({ valueString: 'true' })] },
  { check: 'part types', case: 'dateTime', ...invalidParameter, parameters: [from({ valueDateTime: '2018-01-01' })] },
  { check: 'part types', case: 'empty', ...invalidParameter, parameters: [from({ valueDate: '' })] },
  { check: 'dates whole', case: 'year', ...invalidParameter, parameters: [from({ valueDate: '2018' })] },
  { check: 'dates whole', case: 'month', ...invalidParameter, parameters: [from({ valueDate: '2018-05' })] },
  {
    check: 'dates whole',
    case: 'time',
    ...invalidParameter,
    parameters: [from({ valueDate: '2018-05-01T10:00:00Z' })],
  },
  { check: 'dates whole', case: 'offset', ...invalidParameter, parameters: [from({ valueDate: '2018-05-01+01:00' })] },
  { check: 'dates whole', case: 'no such day', ...invalidParameter, parameters: [from({ valueDate: '2018-02-30' })] },
  { check: 'dates within limits', ...invalidParameter, parameters: [from({ valueDate: '2026-11-21' })] },
  {
    check: 'GP Connect switched on',
    ...forbidden,
    code: 'ACCESS DENIED',
    settings: { gpConnect: false },
  },
  {
    check: 'GP Connect switched on',
    case: '1.2',
    ...forbidden,
    code: 'ACCESS_DENIED',
    base: 'gpconnect',
    settings: { gpConnect: false },
  },
  { check: 'patient known', ...noPatient, nhsNumber: '9990100144' },
  {
    check: 'patient known',
    case: 'before warnings',
    ...noPatient,
    nhsNumber: '9990100144',
    parameters: [including('includeWeather')],
  },
  { check: 'regular patient', ...noPatient, nhsNumber: people.registeredElsewhere },
  { check: 'NHS number verified', ...noPatient, nhsNumber: people.notVerified },
  { check: 'patient active', ...noPatient, nhsNumber: people.inactive },
  { check: 'patient not sensitive', ...noPatient, nhsNumber: people.sensitive },
  { check: 'patient alive', ...noPatient, nhsNumber: people.deceasedRecently },
  {
    check: 'organisation consent',
    ...forbidden,
    code: 'NO_ORGANISATION_CONSENT',
    nhsNumber: people.organisationDissent,
  },
  { check: 'patient consent', ...forbidden, code: 'NO_PATIENT_CONSENT', nhsNumber: people.dissent },

  { check: 'includeFullRecord once', ...invalidParameter, migrate: true },
  {
    check: 'includeFullRecord once',
    case: 'twice',
    ...invalidParameter,
    migrate: true,
    parameters: [whole(false), whole(false)],
  },
  {
    check: 'includeFullRecord once',
    case: 'value',
    ...invalidParameter,
    migrate: true,
    parameters: [{ name: 'includeFullRecord', valueBoolean: true }],
  },
  {
    check: 'includeSensitiveInformation',
    case: 'missing',
    ...invalidParameter,
    migrate: true,
    parameters: [including('includeFullRecord')],
  },
  {
    check: 'includeSensitiveInformation',
    case: 'text',
    ...invalidParameter,
    migrate: true,
    parameters: [including('includeFullRecord', { name: 'includeSensitiveInformation', valueString: 'true' })],
  },
  { check: 'scope for sensitive information', ...notAuthorised, migrate: true, parameters: [whole(true)] },
  { check: 'asked by the registered practice', ...notAuthorised, migrate: true, parameters: [whole(false)] },
  {
    check: 'patient known',
    case: 'moving',
    ...noPatient,
    migrate: true,
    nhsNumber: '9990100144',
    parameters: [whole(false)],
  },
  {
    check: 'patient not sensitive',
    case: 'moving',
    ...noPatient,
    migrate: true,
    nhsNumber: people.sensitive,
    parameters: [whole(false)],
  },
]

describe('checks of structured records', () => {
  for (const row of refusals)
    for (const format of ['application/fhir+json', 'application/fhir+xml'])
      it(`${row.check}${row.case ? ` (${row.case})` : ''} → ${row.status} ${row.code}, ${format}`, async () => {
        const request = structuredRequest(row.parameters ?? (row.migrate ? [] : [allergies()]), row)
        if (row.migrate) request.claims['reason_for_request'] = 'migration'
        request.headers['Accept'] = format
        row.change?.(request)
        const answered = await exampleAnswers(row.settings)(request)
        assert.equal(answered.failed?.check, row.check, answered.body)
        assert.equal(answered.status, row.status)
        assert.equal(answered.headers['content-type'], `${format};charset=utf-8`)
        assert.equal(answered.headers['cache-control'], 'no-store')
        const outcome = stu3.read(format.endsWith('xml') ? 'xml' : 'json', answered.body)
        assert.deepEqual(stu3.check(outcome), [])
        const [issue, ...others] = outcome['issue'] as Json[]
        assert.equal(others.length, 0)
        const coding = inside(issue, 'details', 'coding') as Json[]
        assert.deepEqual(
          [issue?.['severity'], issue?.['code'], coding.length, coding[0]?.['code']],
          ['error', row.issue, 1, row.code],
        )
        assert.equal(coding[0]?.['system'], 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1')
        assert.ok(coding[0]?.['display'] && issue?.['diagnostics'])
      })

  it('are each failed by some row, and each has words and a clause', () => {
    const tried = new Set([...refusals.map(({ check }) => check), ...ofLaterAreas])
    for (const { checks } of structuredEndpoints)
      for (const { name, clause, explains } of checks) {
        assert.ok(tried.has(name), `no row fails "${name}"`)
        assert.match(clause, /^\d+(\.\d+)?$/)
        assert.ok(explains.length > 20)
      }
  })

  it('answer 404 where the version of the service has no migration', async () => {
    const request = stu3Request({
      now,
      base: 'gpconnect',
      method: 'POST',
      interaction: 'fhir:operation:gpc.migratestructuredrecord-1',
      target: '/Patient/$gpc.migratestructuredrecord',
      body: recordParameters(people.everySection, whole(false)),
    })
    assert.equal((await exampleAnswers()(request)).status, 404)
  })

  it('let pass what the specification tolerates', async () => {
    const tolerated: readonly Json[][] = [
      [],
      [medication()],
      [from({ valueDate: '2026-11-20' })],
      [allergies(), medication({ name: 'includePrescriptionIssues', valueBoolean: false })],
    ]
    for (const parameters of tolerated)
      for (const base of ['gpconnect', 'structured'] as const)
        assert.equal((await exampleAnswers()(structuredRequest(parameters, { base }))).status, 200)
  })
})

/** Checks that only parts of later areas can fail; tried on areas made for it. */
const ofLaterAreas = [
  'part codes',
  'part numbers',
  'periods in order',
  'parts that exclude each other',
  'allowed together',
]

describe('checks of parts that later areas have', () => {
  const nothing = () => ({ resources: [], lists: [], shown: [] })
  const made: readonly Area[] = [
    {
      name: 'consultations',
      title: 'Consultations',
      parameter: 'includeVisits',
      since: '1.5',
      parts: [
        { name: 'period', type: 'period', bound: 'untilToday' },
        { name: 'count', type: 'positiveInt' },
      ],
      exclusive: [['period', 'count']],
      forbids: ['status', 'day'],
      whole: {},
      build: nothing,
    },
    {
      name: 'problems',
      title: 'Problems',
      parameter: 'includeTroubles',
      since: '1.5',
      repeats: true,
      parts: [
        { name: 'status', type: 'code', values: ['active', 'inactive'] },
        { name: 'day', type: 'date', bound: 'fromToday' },
      ],
      whole: {},
      build: nothing,
    },
  ]
  const checks = areaChecks(made)

  async function failed(...parameters: readonly Json[]): Promise<{ check: string; outcome: string } | undefined> {
    for (const { name, outcome, examine } of checks) {
      const sheet = {
        content: { kind: 'resource', resource: recordParameters(people.everySection, ...parameters) },
        service: { specificationVersion: '1.6.2' },
      }
      const diagnostics = await examine(sheet as never, { clock: { now: () => now } } as never)
      if (diagnostics !== undefined) return { check: name, outcome }
    }
    return undefined
  }
  const period = (start?: string, end?: string): Json =>
    including('includeVisits', {
      name: 'period',
      valuePeriod: { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) },
    })
  const parameter = (check: string) => ({ check, outcome: 'INVALID_PARAMETER' })

  it('refuse codes, numbers and periods that cannot be', async () => {
    const status = (valueCode: string) => including('includeTroubles', { name: 'status', valueCode })
    const count = (valuePositiveInt: unknown) => including('includeVisits', { name: 'count', valuePositiveInt })
    for (const code of ['Active', 'resolved']) assert.deepEqual(await failed(status(code)), parameter('part codes'))
    for (const number of [0, -1, 1.5]) assert.deepEqual(await failed(count(number)), parameter('part numbers'))
    assert.deepEqual(await failed(period('2020-01-02', '2020-01-01')), parameter('periods in order'))
    assert.deepEqual(await failed(period()), parameter('dates whole'))
    assert.deepEqual(await failed(period('2020-01', '2020-02-01')), parameter('dates whole'))
    assert.deepEqual(await failed(period(undefined, '2026-11-21')), parameter('dates within limits'))
    const day = (valueDate: string) => including('includeTroubles', { name: 'day', valueDate })
    assert.deepEqual(await failed(day('2026-11-19')), parameter('dates within limits'))
    for (const right of [
      status('active'),
      count(3),
      period('2020-01-01'),
      period(undefined, '2020-01-01'),
      day('2026-11-20'),
    ])
      assert.equal(await failed(right), undefined)
  })

  it('refuse parts that exclude each other, and forbidden combinations', async () => {
    const both = including(
      'includeVisits',
      { name: 'count', valuePositiveInt: 1 },
      {
        name: 'period',
        valuePeriod: { start: '2020-01-01' },
      },
    )
    assert.deepEqual(await failed(both), { check: 'parts that exclude each other', outcome: 'INVALID_RESOURCE' })
    const status = including('includeTroubles', { name: 'status', valueCode: 'active' })
    assert.deepEqual(await failed(including('includeVisits'), status), parameter('allowed together'))
    assert.equal(await failed(including('includeTroubles'), status), undefined)
  })
})

describe('areas', () => {
  it('have names and parameters of their own', () => {
    for (const key of ['name', 'parameter'] as const)
      assert.equal(new Set(areas.map((area) => area[key])).size, areas.length)
  })
})
