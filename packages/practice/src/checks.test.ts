import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { endpoints, headChecks, tokenChecks } from './checks.ts'
import { workedExamplePatients as people } from './sandbox/worked-example.ts'
import { exampleAnswers, now } from './testing/example-answers.ts'
import { claim, header, period, type Refusal, refusals, set, within } from './testing/refusals.ts'
import { careRecordParameters, careRecordRequest, metadataRequest, type TestRequest } from './testing/requests.ts'

const seconds = Math.floor(now / 1000)

async function outcomeOf(row: Refusal, request: TestRequest) {
  row.change?.(request)
  const answered = await exampleAnswers(row.practice)(request, row.peer ? { peer: row.peer } : {})
  const outcome = dstu2.read(answered.headers['content-type']?.includes('xml') ? 'xml' : 'json', answered.body)
  return { answered, outcome }
}

describe('checks', () => {
  for (const row of refusals)
    it(`${row.check}${row.case ? ` (${row.case})` : ''} → ${row.status} ${row.code}`, async () => {
      const request = careRecordRequest({ now, ...(row.nhsNumber ? { nhsNumber: row.nhsNumber } : {}) })
      const { answered, outcome } = await outcomeOf(row, request)
      assert.equal(answered.failed?.check, row.check)
      assert.equal(answered.status, row.status)
      assert.equal(answered.headers['cache-control'], 'no-store')
      const [issue] = outcome['issue'] as { severity: string; code: string; details: object; diagnostics: string }[]
      assert.equal(outcome.resourceType, 'OperationOutcome')
      assert.deepEqual(outcome.meta, {
        profile: ['http://fhir.nhs.net/StructureDefinition/gpconnect-operationoutcome-1'],
      })
      assert.equal(issue?.severity, 'error')
      assert.equal(issue?.code, row.issue)
      assert.ok(issue?.diagnostics)
      const { coding } = issue.details as { coding: { system: string; code: string; display: string }[] }
      assert.equal(coding.length, 1)
      assert.equal(coding[0]?.system, 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1')
      assert.equal(coding[0]?.code, row.code)
      assert.ok(coding[0]?.display)
      assert.deepEqual(dstu2.check(outcome), [])
    })

  it('are each failed by some row, and each has words and a clause', () => {
    const tried = new Set(refusals.map(({ check }) => check))
    const all = [
      ...headChecks,
      ...tokenChecks['gpconnect-0'],
      ...endpoints.filter(({ bases }) => bases.includes('html')).flatMap(({ checks }) => checks),
    ]
    assert.ok(all.length > 60)
    for (const { name, clause, explains } of all) {
      assert.ok(tried.has(name), `no row fails "${name}"`)
      assert.match(clause, /^\d+(\.\d+)?$/)
      assert.ok(explains.length > 20)
    }
  })

  it('come in the order of the specification: the first that fails is answered', async () => {
    const request = careRecordRequest({ now })
    Object.assign(request.headers, { 'Ssp-From': undefined, 'Content-Type': 'text/plain' })
    Object.assign(request.claims, { aud: 'wrong' })
    request.body = ''
    const failing = []
    const repairs: (() => void)[] = [
      () => header('Ssp-From', '200000100000')(request),
      () => header('Content-Type', 'application/json+fhir')(request),
      () => claim('aud', 'https://authorize.fhir.nhs.net/token')(request),
      () => set('body', () => JSON.stringify(careRecordParameters(people.everySection, 'ENC')))(request),
    ]
    for (const repair of [() => undefined, ...repairs]) {
      repair()
      failing.push((await exampleAnswers()(request)).failed?.check)
    }
    assert.deepEqual(failing, ['Ssp-From', 'Content-Type', 'token: aud', 'body present', undefined])
  })

  it('never tell why a record is not to be had', async () => {
    const bodies = new Set<string>()
    for (const nhsNumber of [
      '9990100144',
      people.sensitive,
      people.inactive,
      people.notVerified,
      people.deceasedLongAgo,
    ])
      bodies.add((await exampleAnswers()(careRecordRequest({ now, nhsNumber }))).body)
    assert.equal(bodies.size, 1)
  })

  it('hold for the metadata too', async () => {
    const answers = exampleAnswers()
    const wrongRecord = metadataRequest({ now })
    wrongRecord.claims['requested_record'] = careRecordRequest({ now }).claims['requested_record']
    assert.equal((await answers(wrongRecord)).failed?.check, 'token: requested_record type')
    const wrongScope = metadataRequest({ now })
    wrongScope.claims['requested_scope'] = 'patient/*.read'
    assert.equal((await answers(wrongScope)).failed?.check, 'scope')
    const posted = await answers({ ...metadataRequest({ now }), method: 'POST' })
    assert.equal(posted.status, 405)
    assert.equal(posted.headers['allow'], 'GET')
    const off = await exampleAnswers({ gpConnect: false })(metadataRequest({ now }))
    assert.equal(off.failed?.outcome, 'ACCESS_DENIED')
  })

  it('let pass what the specification tolerates', async () => {
    const answers = exampleAnswers()
    const tolerated: ((request: TestRequest) => void)[] = [
      (it) => void Object.assign(it.claims, { iat: seconds + 600, exp: seconds + 900 }),
      set('authorization', (it) => `bearer ${writeUnsecuredToken(it.claims)}`),
      set('target', (it) => it.target.replace('$', '%24')),
      set('target', (it) => `https://gp.example.test${it.target}`),
      set('target', (it) => it.target + '?_format=application/xml+fhir'),
      set('target', (it) => it.target + '?_format=application/xml%2Bfhir&x=1'),
      set('target', (it) => it.target + '?_format=application/json%20fhir'),
      header('Accept', '*/*'),
      header('Accept', undefined),
      header('Accept', 'application/xml+fhir;charset=utf-8'),
      header('Content-Type', 'application/json+fhir; charset=UTF-8'),
      within('requesting_practitioner', {
        identifier: [{ system: 'http://fhir.nhs.net/sds-user-id', value: 'UNK' }],
        practitionerRole: undefined,
      }),
      period({ start: '2014-02-03', end: '2016' }, 'ENC'),
      period({ end: '2014-02-03T10:00:00+01:00' }, 'PRB'),
      period({ start: '2016', end: '2016' }, 'MED'),
    ]
    for (const change of tolerated) {
      const request = careRecordRequest({ now })
      change(request)
      const answered = await answers(request)
      assert.equal(answered.status, 200, `${change}: ${answered.failed?.check}`)
    }
  })

  it('refuse a body beyond the limit', async () => {
    const answered = await exampleAnswers()(careRecordRequest({ now }), { tooLong: true })
    assert.equal(answered.status, 413)
    assert.equal(dstu2.fromJson(answered.body).resourceType, 'OperationOutcome')
  })

  it('answer refusals in XML where that is asked for, and in JSON whoever is not the proxy', async () => {
    const request = careRecordRequest({ now, nhsNumber: people.dissent })
    request.headers['Accept'] = 'application/xml+fhir'
    const refused = await exampleAnswers()(request)
    assert.equal(refused.headers['content-type'], 'application/xml+fhir;charset=utf-8')
    assert.equal(dstu2.fromXml(refused.body).resourceType, 'OperationOutcome')
    const stranger = await exampleAnswers()(request, { peer: { state: 'none' } })
    assert.equal(stranger.headers['content-type'], 'application/json+fhir;charset=utf-8')
  })
})
