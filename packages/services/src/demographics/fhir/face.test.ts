import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { r4 } from '@openspine/standards/fhir/r4'
import { fastify, type InjectOptions } from 'fastify'
import type { Access } from '../access.ts'
import { demographics, demographicsConfig, outcomes, type PdsOutcome, refuse } from '../service.ts'
import { pdsBase as base, isOutcome, openPds, type TestPds } from '../testing.ts'

const publicUrl = 'https://sandbox.example/personal-demographics/FHIR/R4'
let pds: TestPds
let platform: TestPds['platform']

before(async () => {
  pds = await openPds({ config: { publicUrl, statusApiKey: 'k3y' } })
  platform = pds.platform
})
after(() => pds.close())

const requestId = '60E0B220-8136-4CA5-AE46-1D97EF59D068'
const posted = { 'x-request-id': requestId, 'content-type': 'application/fhir+json' }
const ask: TestPds['ask'] = (url, options = {}) => pds.ask(url, { headers: { 'x-request-id': requestId }, ...options })

describe('retrieve', () => {
  test('a current record: the stored text, its version, the ids that were sent', async () => {
    const answer = await ask('/Patient/9990548609', {
      headers: {
        'x-request-id': requestId,
        'x-correlation-id': '11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA',
        origin: 'https://a.example',
      },
    })
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.headers['content-type'], 'application/fhir+json')
    assert.equal(answer.headers.etag, 'W/"2"')
    assert.equal(answer.headers['x-request-id'], requestId)
    assert.equal(answer.headers['x-correlation-id'], '11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA')
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example')
    const body = answer.json()
    assert.equal(body.id, '9990548609')
    assert.equal(body.meta.versionId, '2')
    assert.equal(body.name[0].family, 'Testcase')
    assert.equal((await ask('/Patient/9990548609')).headers['x-correlation-id'], undefined)
  })

  test('a superseded number answers the record that was retained, at the end of the chain', async () => {
    for (const number of ['9990548854', '9990548862', '9990548870']) {
      const answer = await ask(`/Patient/${number}`)
      assert.equal(answer.statusCode, 200)
      assert.equal(answer.json().id, '9990548870')
      assert.equal(answer.headers.etag, 'W/"6"')
    }
  })

  test('unknown, invalidated and impossible numbers', async () => {
    await isOutcome(await ask('/Patient/9990549001'), outcomes.notFound)
    await isOutcome(await ask('/Patient/9990548889'), outcomes.invalidated)
    await isOutcome(await ask('/Patient/9990548608'), outcomes.invalidResourceId)
    await isOutcome(await ask('/Patient/999%20054%208609'), outcomes.invalidResourceId)
  })

  test('a restricted record is masked, except for privileged apps', async () => {
    assert.equal((await ask('/Patient/9990548838')).json().address, undefined)
    const privileged: Access = { mode: 'privileged-application-restricted', app: { id: 'a' } }
    assert.ok((await ask('/Patient/9990548838', { as: privileged })).json().address)
  })

  test('a patient reads the own record, also under a superseded number', async () => {
    const own = (nhsNumber: string): Access => ({
      mode: 'patient',
      patient: { nhsNumber, level: 'P9', vectorOfTrust: 'P9.Cm' },
    })
    assert.equal((await ask('/Patient/9990548609', { as: own('9990548609') })).statusCode, 200)
    assert.equal((await ask('/Patient/9990548854', { as: own('9990548854') })).json().id, '9990548870')
    await isOutcome(await ask('/Patient/9990548617', { as: own('9990548609') }), outcomes.patientCannot)
  })
})

describe('related people', () => {
  const bundleOf = async (number: string, as?: Access) => {
    const answer = await ask(`/Patient/${number}/RelatedPerson`, as ? { as } : {})
    assert.equal(answer.statusCode, 200, answer.body)
    assert.deepEqual(r4.check(answer.json()), [])
    return answer.json()
  }
  const numberOf = (entry: { resource: { patient: { identifier: { value: string } } } }) =>
    entry.resource.patient.identifier.value

  test('a bundle as in §11: by number where it is known, else by details', async () => {
    const bundle = await bundleOf('9990548684')
    assert.deepEqual(Object.keys(bundle), ['resourceType', 'type', 'timestamp', 'total', 'entry'])
    const [mother, carer, guardian] = bundle.entry
    assert.equal(bundle.total, 3)
    assert.equal(mother.fullUrl, `${publicUrl}/Patient/9990548684/RelatedPerson/8F1A2B01`)
    assert.deepEqual([mother, carer, guardian].map(numberOf), ['9990548617', '9990548684', '9990548838'])
    assert.equal(mother.resource.name, undefined)
    assert.equal(mother.resource.identifier, undefined)
    assert.deepEqual(carer.resource.address[0].line, ['12 Example Road', 'Testham'])
    assert.equal(carer.resource.telecom.length, 1)
    assert.equal(guardian.resource.name[0].family, 'Restricted')
    for (const member of ['address', 'telecom']) assert.ok(!(member in guardian.resource), member)
  })

  test('nobody, or the patient is restricted: total 0 and no entry', async () => {
    const privileged: Access = { mode: 'privileged-application-restricted', app: { id: 'a' } }
    for (const bundle of [
      await bundleOf('9990548633'),
      await bundleOf('9990548838'),
      await bundleOf('9990548838', privileged),
    ]) {
      assert.equal(bundle.total, 0)
      assert.ok(!('entry' in bundle))
    }
  })

  test('merged numbers, on both sides, are those that were retained', async () => {
    assert.deepEqual((await bundleOf('9990548692')).entry.map(numberOf), ['9990548870'])
    assert.equal((await bundleOf('9990548854')).total, 0)
  })

  test('unknown, invalidated and impossible numbers are as in a retrieve; a patient asks for the own', async () => {
    await isOutcome(await ask('/Patient/9990549001/RelatedPerson'), outcomes.notFound)
    await isOutcome(await ask('/Patient/9990548889/RelatedPerson'), outcomes.invalidated)
    await isOutcome(await ask('/Patient/9990548608/RelatedPerson'), outcomes.invalidResourceId)
    const own: Access = {
      mode: 'patient',
      patient: { nhsNumber: '9990548684', level: 'P9', vectorOfTrust: 'P9.Cm' },
    }
    assert.equal((await bundleOf('9990548684', own)).total, 3)
    await isOutcome(await ask('/Patient/9990548692/RelatedPerson', { as: own }), outcomes.patientCannot)
  })
})

describe('search', () => {
  const found = async (query: string, as?: Access) => {
    const answer = await ask(`/Patient?${query}`, as ? { as } : {})
    assert.equal(answer.statusCode, 200, answer.body)
    assert.deepEqual(r4.check(answer.json()), [])
    return answer.json()
  }

  test('a bundle as in §9.4', async () => {
    const bundle = await found('family=Testcase&birthdate=1980-02-29')
    assert.deepEqual(Object.keys(bundle), ['resourceType', 'type', 'timestamp', 'total', 'entry'])
    assert.equal(bundle.timestamp, '2026-11-20T12:00:00+00:00')
    assert.equal(bundle.entry[0].fullUrl, `${publicUrl}/Patient/9990548609`)
    assert.deepEqual(bundle.entry[0].search, { score: 1 })
    assert.equal(bundle.entry[0].resource.contact, undefined)
  })

  test('nobody: total 0 and no entry', async () => {
    const bundle = await found('family=Nobody&birthdate=1980-02-29')
    assert.equal(bundle.total, 0)
    assert.ok(!('entry' in bundle))
  })

  test('best first, then by number; exact keeps what is 1; too many is an outcome', async () => {
    const numbers = async (query: string) =>
      (await found(query)).entry.map((entry: { resource: { id: string } }) => entry.resource.id)
    assert.deepEqual(await numbers('family=Attisón&birthdate=1966-03-21'), ['9990548749', '9990548757'])
    assert.deepEqual(await numbers('family=Attisón&birthdate=1966-03-21&_exact-match=true'), ['9990548749'])
    assert.deepEqual(await numbers('family=Mockley&birthdate=1970-01-24'), ['9990548706', '9990548714', '9990548722'])
    assert.deepEqual(await numbers('family=Mockley&birthdate=1970-01-24&_max-results=3'), [
      '9990548706',
      '9990548714',
      '9990548722',
    ])
    await isOutcome(await ask('/Patient?family=Mockley&birthdate=1970-01-24&_max-results=2'), outcomes.tooManyMatches)
  })

  test('who came by history or a temporary address is shown as they are now', async () => {
    const [entry] = (await found('family=Bloggson&birthdate=1974-10-12&_history=true')).entry
    assert.equal(entry.resource.name[0].family, 'Gardenia')
    const [byTemp] = (await found('family=Gardenia&birthdate=1974-10-12&address-postalcode=ZZ999TM')).entry
    assert.deepEqual(
      byTemp.resource.address.map((address: { use: string }) => address.use),
      ['home'],
    )
  })

  test('restricted people without places, merged people once, the invalid and very restricted never', async () => {
    const [restricted] = (await found('family=Restricted&birthdate=1985-05-25')).entry
    for (const member of ['address', 'telecom', 'contact', 'generalPractitioner'])
      assert.ok(!(member in restricted.resource))
    assert.equal((await found('family=Restricted&birthdate=1985-05-25&address-postalcode=ZZ992RR')).total, 0)
    assert.equal((await found('family=Veryrestricted&birthdate=1985-05-25')).total, 0)
    const merged = await found('family=Mergerson&birthdate=1999-09-09')
    assert.deepEqual([merged.total, merged.entry[0].resource.id], [1, '9990548870'])
    assert.equal((await found('family=Invalidated&birthdate=1999-09-09')).total, 0)
  })

  test('apps get one person or none', async () => {
    const single: Access = { mode: 'application-restricted', app: { id: 'a' } }
    assert.equal((await found('family=Testcase&birthdate=1980-02-29', single)).total, 1)
    assert.equal((await found('family=Testcase&birthdate=1980-02-29&_max-results=1', single)).total, 1)
    await isOutcome(await ask('/Patient?family=Mockley&birthdate=1970-01-24', { as: single }), outcomes.tooManyMatches)
    await isOutcome(
      await ask('/Patient?family=Mockley&birthdate=1970-01-24&_max-results=5', { as: single }),
      outcomes.moreThanOneForbidden('application-restricted'),
    )
  })

  test('version=1.1 traces in steps, for apps', async () => {
    const single: Access = { mode: 'application-restricted', app: { id: 'a' } }
    const accept = { 'x-request-id': requestId, accept: 'application/fhir+json; version=1.1' }
    const traced = async (query: string) => {
      const answer = await ask(`/Patient?${query}`, { as: single, headers: accept })
      assert.equal(answer.statusCode, 200, answer.body)
      return answer.json()
    }
    for (const query of [
      'family=Joseph&given=Smythe&birthdate=1962-09-30',
      'family=Smythe&given=Joseph&birthdate=1962-09-30&general-practitioner=X99999',
      'family=Smythe&given=Joseph&birthdate=1962-09-30&address-postalcode=LS11AA',
      'family=Smythe&given=Joseph&birthdate=1962-09-30&address-postalcode=ZZ993CZ&phone=01',
      'family=Transposed&given=Justin&birthdate=1994-02-11',
      'family=Gardenia&given=Primula&birthdate=1974-10-12',
    ])
      assert.equal((await traced(query)).total, 1, query)
    // Names that are only alike, or former, want a place or contact beside them.
    for (const [query = '', home] of [
      ['family=Smith&given=Joe&birthdate=1962-09-30', 'ZZ993CZ'],
      ['family=Bloggson&given=Primrose&birthdate=1974-10-12', 'ZZ999TM'],
      ['family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true', 'ZZ993CZ'],
    ]) {
      assert.equal((await traced(query)).total, 0, query)
      assert.equal((await traced(`${query}&address-postalcode=${home}`)).total, 1, query)
    }
    const variant = await traced('family=Attisón&given=Noël&birthdate=1966-03-21&address-postalcode=ZZ995AT')
    assert.deepEqual([variant.total, variant.entry[0].resource.id], [1, '9990548749'])
    for (const query of [
      'family=Smythe&given=Joseph&birthdate=1962-09-29',
      'family=Smythe&given=Joseph&birthdate=1962-09-30&email=a@b',
    ])
      assert.equal((await traced(query)).total, 0, query)
    assert.equal((await traced('family=Mockley&birthdate=1970-01-24')).resourceType, 'OperationOutcome')
    // A restricted person is found by no step of a search that asks by place or contact, right or wrong.
    const wilma = 'family=Restricted&given=Wilma&gender=female&birthdate=1985-05-25'
    assert.equal((await traced(wilma)).total, 1)
    for (const more of ['address-postalcode=ZZ992RR', 'address-postalcode=LS11AA', 'general-practitioner=A20047'])
      assert.equal((await traced(`${wilma}&${more}`)).total, 0, more)
    // A step that leaves the given name out finds no twin.
    assert.equal((await traced('family=Smythe&given=Zebedee&gender=male&birthdate=1962-09-30')).total, 0)
    assert.equal(
      (await ask('/Patient?family=Joseph&given=Smythe&birthdate=1962-09-30', { as: single })).json().total,
      0,
    )
  })
})

describe('what is refused, in its order', () => {
  const refusals: readonly (readonly [string, string, InjectOptions & { as?: Access | Error }, PdsOutcome])[] = [
    ['GET', '/HelloWorld', {}, outcomes.unsupportedPath('/HelloWorld')],
    ['GET', '/Patient!', {}, outcomes.unsupportedPath('/Patient!')],
    ['GET', '', {}, outcomes.unsupportedPath('')],
    ['GET', '/', {}, outcomes.unsupportedPath('/')],
    ['GET', '/metadata', {}, outcomes.unsupportedPath('/metadata')],
    ['GET', '/Patient/9990548609', { headers: {} }, outcomes.requestIdMissing],
    ['GET', '/Patient/9990548609', { headers: { 'x-request-id': '1234' } }, outcomes.requestIdInvalid('1234')],
    ['GET', '/Patient', {}, outcomes.unsupportedService],
    ['GET', '/Patient?', {}, outcomes.unsupportedService],
    ['GET', '/Patient?family=Smith', {}, outcomes.birthdateMissing],
    ['GET', '/Patient?family=Smith&year=1', {}, outcomes.additionalProperties(['year'])],
    ['PUT', '/Patient/9990548609', { payload: '{}' }, outcomes.unsupportedService],
    ['DELETE', '/Patient/9990548609', {}, outcomes.unsupportedService],
    ['TRACE', '/Patient/9990548609', {}, outcomes.unsupportedService],
    ['PATCH', '/Patient/9990548609', { payload: '{"patches":[]}' }, outcomes.ifMatchMissing],
    ['POST', '/Patient', { payload: '<x/>' }, outcomes.unsupportedService],
    ['POST', '/Patient/$process-birth-details', { payload: '' }, outcomes.unsupportedService],
    ['POST', '/Patient', { payload: '[]', headers: posted }, outcomes.notReadable],
    ['POST', '/Patient', { payload: '{"name"', headers: posted }, outcomes.notReadable],
    ['POST', '/Patient', { payload: '{}', headers: posted }, outcomes.missingField('name')],
    [
      'POST',
      '/Patient/$process-birth-details',
      { payload: '{}', headers: posted },
      outcomes.missingField('resourceType'),
    ],
    ['GET', '/Coverage?subscriber:identifier=9990548609', {}, outcomes.operationForbidden('GET', 'user-restricted')],
    ['GET', `/_poll/${randomUUID()}`, {}, outcomes.notFound],
    ['OPTIONS', '/Patient/9990548609', {}, outcomes.noTarget],
  ]
  for (const [method, url, options, outcome] of refusals)
    test(`${method} ${url || '(base)'} ${JSON.stringify(options)}`, async () => {
      await isOutcome(await ask(url, { method: method as 'GET', ...options }), outcome)
    })

  test('the token comes before the path, and the id is mirrored all the same', async () => {
    const denied = refuse(outcomes.accessDenied('Access Token expired'))
    const answer = await ask('/HelloWorld', { as: denied, headers: { 'x-request-id': 'not a uuid' } })
    await isOutcome(answer, outcomes.accessDenied('Access Token expired'))
    assert.equal(answer.headers['x-request-id'], 'not a uuid')
  })

  test('a fault of ours tells a message id and nothing of its inside', async () => {
    const answer = await ask('/Patient/9990548609', { as: new Error('the password is hunter2') })
    assert.equal(answer.statusCode, 500)
    assert.match(answer.json().issue[0].diagnostics, /\(Message ID: [0-9a-f-]{36}\)$/)
    assert.ok(!answer.body.includes('hunter2'))
  })

  test('a body without end is refused in the same dialect', async () => {
    const answer = await ask('/Patient', { method: 'POST', payload: Buffer.alloc(2 << 20) })
    assert.equal(answer.statusCode, 413)
    assert.equal(answer.json().resourceType, 'OperationOutcome')
  })

  test('headers of the inside have no effect when a client sends them', async () => {
    const answer = await ask('/Patient/9990548838', {
      headers: { 'x-request-id': requestId, 'nhse-pds-privileged-access': 'true', 'nhse-pds-custom-attributes': '{}' },
    })
    assert.equal(answer.json().address, undefined)
    for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /^nhs[de]-/)
  })
})

test('preflight is answered without a token', async () => {
  const answer = await ask('/Patient/9990548609', {
    method: 'OPTIONS',
    as: refuse(outcomes.accessDenied('Missing Authorization header')),
    headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
  })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example')
  assert.equal(answer.headers['access-control-allow-methods'], 'GET, PUT, POST, PATCH, DELETE')
  assert.equal(answer.headers['access-control-max-age'], '3628800')
})

test('_ping is open, _status wants its key', async () => {
  const ping = await ask('/_ping', { headers: {}, as: new Error('nobody is asked') })
  assert.deepEqual(Object.keys(ping.json()), ['version', 'revision', 'releaseId', 'commitId'])
  assert.equal((await ask('/_ping', { method: 'HEAD', headers: {} })).statusCode, 200)
  assert.equal((await ask('/_status', { headers: {} })).statusCode, 401)
  assert.equal((await ask('/_status', { headers: { apikey: 'wrong' } })).json().error, 'Access Denied')
  const status = await ask('/_status', { headers: { apikey: 'k3y' } })
  assert.equal(status.json().status, 'pass')
})

test('every access is audited: who, mode, numbers, outcome; searches without their values', async () => {
  const trace = randomUUID()
  const headers = { 'x-request-id': trace, 'nhsd-session-urid': '555', 'nhsd-end-user-organisation-ods': 'X26' }
  await ask('/Patient/9990548854', { headers })
  await ask('/Patient?family=Testcase&birthdate=1980-02-29', { headers })
  await ask('/Patient/9990549001', { headers })
  await ask('/HelloWorld', { headers })
  const records = await platform.audit.find({ trace, limit: 10 })
  const facts = records.map(({ event, facts }) => ({ event, ...facts }) as Record<string, unknown>)
  const of = (holds: (fact: Record<string, unknown>) => boolean) => {
    const one = facts.find(holds)
    assert.ok(one)
    return one
  }
  const retrieved = of(({ asked }) => asked === '9990548854')
  assert.deepEqual(
    [retrieved['event'], retrieved['mode'], retrieved['user'], retrieved['role'], retrieved['organisation']],
    ['pds.retrieve', 'user-restricted', '555254242102', '555', 'X26'],
  )
  assert.deepEqual(retrieved['shown'], ['9990548870'])
  const searched = of(({ event }) => event === 'pds.search')
  assert.deepEqual(searched['shown'], ['9990548609'])
  assert.deepEqual(searched['parameters'], ['family', 'birthdate'])
  assert.ok(!JSON.stringify(searched).includes('Testcase'))
  const unknown = of(({ asked }) => asked === '9990549001')
  assert.deepEqual(
    [unknown['code'], unknown['status'], unknown['because']],
    ['RESOURCE_NOT_FOUND', 404, 'No person has this NHS number in this environment.'],
  )
  const refused = of(({ event }) => event === 'pds.none')
  assert.deepEqual([refused['code'], refused['check']], ['UNSUPPORTED_REQUEST', 'Path is known'])
})

test('what takes too long is answered 503 with Retry-After', async () => {
  const slow = fastify()
  const never = new Proxy(platform.store.pool, {
    get: (pool, key) => (key === 'query' ? () => new Promise(() => undefined) : Reflect.get(pool, key)),
  })
  const service = demographics({
    platform: { ...platform, metrics: makeMetrics(), store: { ...platform.store, pool: never } },
    config: demographicsConfig.parse({}),
  })
  assert.ok(service.routes?.api)
  await slow.register(service.routes.api)
  const answer = await slow.inject({
    url: `${base}/Patient/9990548609`,
    headers: { 'x-request-id': requestId, 'x-sync-wait': '0.25' },
  })
  await isOutcome(answer, outcomes.serviceUnavailable)
  assert.equal(answer.headers['retry-after'], '5')
  await slow.close()
})
