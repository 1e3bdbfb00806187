import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { directChecks, gatewayChecks, gatewayHeadChecks, queryChecks } from '../checks.ts'
import { gatewayOutcomes, spineOutcomes } from '../outcomes.ts'
import {
  type Asked,
  asids,
  bases,
  certificate,
  directHeaders,
  type Headers,
  numbers,
  query,
  roleId,
  sent,
  startAdjustments,
} from '../testing.ts'

let service: Awaited<ReturnType<typeof startAdjustments>>
before(async () => {
  service = await startAdjustments()
})
after(() => service.close())
/** Each test begins with people of whom nothing is recorded. */
beforeEach(async () => {
  await service.platform.store.pool.query(
    'truncate adjustments.item, adjustments.item_version, adjustments.patient, adjustments.request',
  )
})

const fhir = { 'content-type': 'application/fhir+json' }
const one = numbers.one
const headers = (more: Headers = {}): Headers => ({
  'x-request-id': randomUUID(),
  'nhsd-session-urid': roleId,
  ...more,
})
const at = (path: string) => `${bases.gateway}${path}`
const ask = (asked: Asked) => service.ask({ ...asked, headers: headers(asked.headers) })
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
const json = (answer: { text: string }): any => JSON.parse(answer.text)
const create = (path: string, body: object) => ask({ method: 'POST', url: at(path), headers: fhir, body })
const change = (path: string, id: string, version: number, body: object) =>
  ask({ method: 'PUT', url: at(`${path}/${id}`), headers: { ...fhir, 'if-match': `W/"${version}"` }, body })
const read = (path: string, nhsNumber: string) =>
  ask({ url: at(`${path}?${query(nhsNumber, path === '/List' ? 'code' : 'category')}`) })
const total = async (path: string, nhsNumber: string): Promise<number> => json(await read(path, nhsNumber)).total

test('a consent is made once, read, and taken away with everything', async () => {
  assert.equal(await total('/Consent', numbers.one), 0)
  const made = await create('/Consent', sent.consent(numbers.one))
  assert.equal(made.status, 201, made.text)
  const consent = json(made)
  assert.match(consent.id, /^9990548609\.[0-9a-f-]{36}$/)
  assert.match(String(made.headers['location']), new RegExp(`/Consent/${consent.id}/_history/1$`))
  assert.deepEqual([made.headers['etag'], consent.meta.versionId], ['W/"1"', '1'])
  assert.equal(made.headers['last-modified'], 'Thu, 26 Nov 2026 12:00:00 GMT')
  const [provenance] = consent.contained
  const { agent, target, recorded } = provenance
  assert.deepEqual([target[0].reference, recorded], [`Consent/${consent.id}`, '2026-11-26T12:00:00+00:00'])
  assert.equal(agent[0].whoReference.display, 'Fairweather Imogen')
  assert.equal(agent[0].onBehalfOfReference.display, 'TESTHAM SURGERY (A20047)')
  assert.equal(agent[0].role[0].coding[0].code, 'R8001')
  const link = consent.extension.at(-1).extension[0]
  assert.deepEqual([link.url, link.valueReference.reference], ['Created', `#${provenance.id}`])
  assert.deepEqual(stu3.check(consent), [])

  const again = await create('/Consent', sent.consent(numbers.one))
  assert.equal(again.status, 422)
  const [issue] = json(again).issue
  assert.deepEqual(
    [issue.code, issue.details.coding[0].code, issue.diagnostics],
    ['duplicate', 'DUPLICATE_REJECTED', 'The patient already has an active consent'],
  )

  assert.equal((await create('/Flag', sent.flag(numbers.one))).status, 201)
  const found = await read('/Consent', numbers.one)
  const bundle = json(found)
  assert.deepEqual(
    [bundle.type, bundle.total, bundle.entry[0].resource.id, found.headers['etag']],
    ['searchset', 1, consent.id, 'W/"1"'],
  )
  assert.deepEqual(stu3.check(bundle), [])

  const bare = await change('/Consent', consent.id, 1, sent.consent(numbers.one, { status: 'inactive' }))
  assert.equal(bare.status, 422, 'a removal needs its reason')
  // The published example has another id in the body than in the path.
  const body = sent.consent(numbers.one, {
    id: 'another',
    status: 'inactive',
    extension: [sent.removal('PatientDissent')],
  })
  const removed = await change('/Consent', consent.id, 1, body)
  assert.deepEqual([removed.status, json(removed).meta.versionId, json(removed).status], [200, '2', 'inactive'])
  for (const path of ['/Consent', '/Flag']) assert.equal(await total(path, numbers.one), 0)
  assert.equal((await change('/Consent', consent.id, 2, body)).status, 422, 'what was removed is not taken up again')
  assert.equal((await create('/Consent', sent.consent(numbers.one))).status, 201)
})

test('without consent nothing is recorded; a change needs the version that was read', async () => {
  for (const [path, body] of [
    ['/Flag', sent.flag(numbers.one)],
    ['/List', sent.list(numbers.one, [sent.condition(numbers.one, 'a')])],
  ] as const) {
    const answer = await create(path, body)
    assert.deepEqual([answer.status, json(answer).issue[0].details.coding[0].code], [403, 'NO_PATIENT_CONSENT'], path)
  }
  await create('/Consent', sent.consent(numbers.one))
  const { id } = json(await create('/Flag', sent.flag(numbers.one)))
  assert.equal(json(await create('/Flag', sent.flag(numbers.one))).meta.versionId, '1')
  assert.equal(await total('/Flag', numbers.one), 2)
  const other = { code: { coding: [{ system: 'https://snomed.info/sct', code: '1082681000000103' }] } }
  const changed = await change('/Flag', id, 1, sent.flag(numbers.one, other))
  assert.deepEqual([changed.status, changed.headers['etag']], [200, 'W/"2"'])
  assert.equal(json(changed).code.coding[0].code, '1082681000000103')
  const stale = await change('/Flag', id, 1, sent.flag(numbers.one))
  assert.deepEqual([stale.status, json(stale).issue[0].details.coding[0].code], [409, 'CONFLICT'])
  const elsewhere = await change('/Flag', id, 2, sent.flag(numbers.other))
  assert.deepEqual([elsewhere.status, json(elsewhere).issue[0].details.coding[0].code], [400, 'CONFLICTING_VALUES'])
  for (const absent of [`${numbers.one}.${randomUUID()}`, 'x', `${numbers.one}.x`])
    assert.equal((await change('/Flag', absent, 1, sent.flag(numbers.one))).status, 404, absent)
  const gone = await change(
    '/Flag',
    id,
    2,
    sent.flag(numbers.one, {
      status: 'inactive',
      extension: [...sent.flag(numbers.one).extension, sent.removal('Error')],
    }),
  )
  assert.equal(gone.status, 200, gone.text)
  assert.equal(await total('/Flag', numbers.one), 1)
})

test('a list carries impairments, which come and go; underlying conditions stand in a list of their own', async () => {
  await create('/Consent', sent.consent(numbers.one))
  const [a, b] = [sent.condition(numbers.one, 'cond-a'), sent.condition(numbers.one, 'cond-b')]
  const made = await create('/List', sent.list(numbers.one, [a, sent.provenance('cond-a')]))
  assert.equal(made.status, 201, made.text)
  const list = json(made)
  assert.deepEqual(
    list.contained.map((each: { id: string }) => each.id),
    ['cond-a', 'p-cond-a'],
  )
  assert.deepEqual(
    list.entry.map((each: { item: { reference: string } }) => each.item.reference),
    ['#cond-a', '#p-cond-a'],
  )
  assert.deepEqual(stu3.check(list), [])
  // Mode changes: what is not mentioned stays.
  const added = await change('/List', list.id, 1, sent.list(numbers.one, [b]))
  assert.equal(added.status, 200, added.text)
  const both = json(await read('/List', numbers.one)).entry[0].resource
  assert.deepEqual(
    both.contained
      .filter((each: { resourceType: string }) => each.resourceType === 'Condition')
      .map((each: { id: string }) => each.id),
    ['cond-a', 'cond-b'],
  )
  const away = { ...a, clinicalStatus: 'inactive', extension: [sent.removal('Error')] }
  const removed = await change('/List', list.id, 2, sent.list(numbers.one, [away]))
  const mirrored = json(removed).contained.find((each: { id: string }) => each.id === 'cond-a')
  assert.deepEqual(
    [removed.status, mirrored.clinicalStatus, mirrored.extension[0].url.endsWith('RemovalReason-1')],
    [200, 'inactive', true],
  )
  assert.equal(json(await read('/List', numbers.one)).entry[0].resource.contained.length, 1)
  const more = await create('/List', sent.list(numbers.one, [sent.condition(numbers.one, 'cond-c')]))
  assert.deepEqual([more.status, json(more).id, json(more).meta.versionId], [200, list.id, '4'])

  const snomed = { code: { coding: [{ system: 'http://snomed.info/sct', code: '73618009' }] } }
  const { id: _id, ...alone } = sent.condition(numbers.one, 'x', snomed)
  const condition = await create('/UnderlyingConditionList', alone)
  assert.deepEqual([condition.status, json(condition).resourceType], [201, 'List'], condition.text)
  for (const path of ['/UnderlyingConditionList', '/UnderlyingConditions', '/ThresholdCode'])
    assert.equal(await total(path, numbers.one), 1, path)
  const threshold = json(await read('/ThresholdCode', numbers.one)).entry[0].resource
  assert.deepEqual([threshold.resourceType, threshold.code.coding[0].code], ['Flag', '1326341000000105'])
})

test('$removerarecord takes everything away at once, for the version of the consent', async () => {
  const remove = (body: object, version = 1) =>
    ask({ method: 'POST', url: at('/$removerarecord'), headers: { ...fhir, 'if-match': `W/"${version}"` }, body })
  assert.equal((await remove(sent.removeRecord(numbers.one))).status, 404)
  await create('/Consent', sent.consent(numbers.one))
  await create('/Flag', sent.flag(numbers.one))
  await create('/List', sent.list(numbers.one, [sent.condition(numbers.one, 'a')]))
  assert.equal((await remove(sent.removeRecord(numbers.one), 2)).status, 409)
  const answer = await remove(sent.removeRecord(numbers.one))
  assert.equal(answer.status, 200, answer.text)
  const { issue, meta } = json(answer)
  assert.deepEqual(
    [issue[0], meta.profile],
    [
      { severity: 'information', code: 'informational', details: { text: 'OK' } },
      ['https://fhir.nhs.uk/STU3/StructureDefinition/Spine-OperationOutcome-1'],
    ],
  )
  for (const path of ['/Consent', '/Flag', '/List', '/ThresholdCode'])
    assert.equal(await total(path, numbers.one), 0, path)
  for (const [body, code] of [
    [{ resourceType: 'Parameters' }, 'INVALID_ELEMENT'],
    [sent.removeRecord('9990548600'), 'INVALID_NHS_NUMBER'],
    [sent.consent(numbers.one), 'INVALID_RESOURCE'],
  ] as const)
    assert.equal(json(await remove(body)).issue[0].details.coding[0].code, code)
})

test('sensitive, merged and unknown people', async () => {
  const code = async (asked: Promise<{ status: number; text: string }>) => {
    const answer = await asked
    return [answer.status, json(answer).issue?.[0].details.coding[0].code]
  }
  assert.deepEqual(await code(read('/Flag', numbers.veryRestricted)), [403, 'PATIENT_SENSITIVE'])
  assert.deepEqual(await code(create('/Consent', sent.consent(numbers.veryRestricted))), [403, 'PATIENT_SENSITIVE'])
  for (const absent of [numbers.absent, numbers.invalidated])
    assert.deepEqual(await code(read('/Flag', absent)), [404, 'PATIENT_NOT_FOUND'])
  assert.deepEqual(await code(create('/Consent', sent.consent(numbers.merged))), [422, 'INVALID_REQUEST_STATE'])
  await create('/Consent', sent.consent(numbers.one))
  assert.equal(await total('/Consent', numbers.merged), 1)
  // Nobody learns where a restricted person is cared for: neither from us nor from what a client sent.
  const hidden = [
    await create('/Consent', sent.consent(numbers.restricted)),
    await create('/Flag', sent.flag(numbers.restricted)),
    await create(
      '/List',
      sent.list(numbers.restricted, [sent.condition(numbers.restricted, 'a'), sent.provenance('a')]),
    ),
    await read('/Consent', numbers.restricted),
    await read('/List', numbers.restricted),
  ]
  for (const answer of hidden) {
    assert.ok(answer.status < 300, answer.text)
    assert.doesNotMatch(answer.text, /A20047|TESTHAM|Provenance"|Fairweather|Practitioner/)
    assert.deepEqual(stu3.check(json(answer)), [])
  }
})

test('respond-async is answered at once, and what came of it is kept', async () => {
  const promised = await ask({
    method: 'POST',
    url: at('/Consent'),
    headers: { ...fhir, prefer: 'respond-async' },
    body: sent.consent(numbers.one),
  })
  assert.deepEqual([promised.status, promised.text], [202, ''])
  const url = String(promised.headers['content-location'])
  assert.match(url, /^\/reasonable-adjustment-flag\/FHIR\/STU3\/_poll\/[0-9a-f-]{36}$/)
  const kept = await ask({ url })
  assert.deepEqual([kept.status, json(kept).resourceType, kept.headers['etag']], [201, 'Consent', 'W/"1"'])
  assert.equal((await ask({ url: at(`/_poll/${randomUUID()}`) })).status, 404)
  const minimal = await ask({
    method: 'POST',
    url: at('/Flag'),
    headers: { ...fhir, prefer: 'return=minimal' },
    body: sent.flag(numbers.one),
  })
  assert.deepEqual([minimal.status, minimal.text], [201, ''])
})

test('the same request again changes nothing and is answered the same; another caller is told nothing', async () => {
  const twice = async (asked: Asked) => {
    const id = randomUUID()
    const send = (more: Headers = {}) => ask({ ...asked, headers: { ...asked.headers, 'x-request-id': id, ...more } })
    const [first, again] = [await send(), await send({ 'x-request-id': id.toUpperCase() })]
    assert.deepEqual(
      [again.status, again.text, again.headers['etag'], again.headers['location']],
      [first.status, first.text, first.headers['etag'], first.headers['location']],
    )
    return { first, send }
  }
  const { first } = await twice({ method: 'POST', url: at('/Consent'), headers: fhir, body: sent.consent(one) })
  assert.equal(first.status, 201)
  const flag = await twice({ method: 'POST', url: at('/Flag'), headers: fhir, body: sent.flag(one) })
  assert.equal(await total('/Flag', one), 1)
  const bearer = await service.token('reasonable-adjustment-flag', { asid: asids.consumer })
  assert.equal((await flag.send({ authorization: `Bearer ${bearer}` })).status, 201)
  assert.equal(await total('/Flag', one), 2)
  const { id } = json(flag.first)
  await twice({
    method: 'PUT',
    url: at(`/Flag/${id}`),
    headers: { ...fhir, 'if-match': 'W/"1"' },
    body: sent.flag(one),
  })
  await twice({
    method: 'POST',
    url: at('/$removerarecord'),
    headers: { ...fhir, 'if-match': 'W/"1"' },
    body: sent.removeRecord(one),
  })
  service.clock.advance(24 * 60 * 60 * 1000)
  assert.equal((await flag.send()).status, 403, 'after a day it is a request of its own')
})

/** Name of the check → requests that fail it, at the gateway. */
const refusedByGateway: Readonly<Record<string, readonly Asked[]>> = {
  Path: [
    { url: at('/test') },
    { url: at('') },
    { method: 'DELETE', url: at('/Flag/x') },
    { method: 'PUT', url: at('/ThresholdCode/x') },
  ],
  Query: [
    { url: at('/Consent?patient=test&category=test') },
    { url: at('/List?patient=test&status=test&code=') },
    { url: at('/Flag') },
  ],
  'If-Match': [
    { method: 'PUT', url: at('/Flag/1'), headers: { 'if-match': undefined } },
    { method: 'PUT', url: at('/List/1'), headers: { 'if-match': '', 'x-request-id': 'test' } },
    { method: 'POST', url: at('/$removerarecord'), headers: { ...fhir, 'if-match': '' }, body: 'x' },
    { method: 'PUT', url: at('/Flag/1'), headers: { 'if-match': '1' } },
  ],
  'X-Request-ID': [
    { url: at(`/Consent?${query(numbers.one)}`), headers: { 'x-request-id': undefined } },
    { url: at(`/Consent?${query(numbers.one)}`), headers: { 'x-request-id': 'not-GUID' } },
  ],
  'NHSD-Session-URID': ['', 'This is not a valid nhsd-session-urid', '0123456789'].map((role) => ({
    url: at(`/Consent?${query(numbers.one)}`),
    headers: { 'nhsd-session-urid': role },
  })),
  'Content-Type': [
    { method: 'POST', url: at('/Consent'), headers: { 'content-type': 'application/json' }, body: {} },
    { method: 'POST', url: at('/Consent'), body: 'x', headers: { 'content-type': 'text/plain' } },
  ],
  Payload: [{ method: 'POST', url: at('/Consent'), headers: fhir }],
}

test('the gateway refuses in its own words, in the order of the national one', async () => {
  const bearer = await service.token('reasonable-adjustment-flag', { asid: asids.consumer })
  const checks = [...gatewayHeadChecks, ...gatewayChecks]
  for (const { name, outcome } of checks)
    for (const asked of refusedByGateway[name] ?? []) {
      const answer = await ask({ ...asked, headers: { authorization: `Bearer ${bearer}`, ...asked.headers } })
      const { status, ...expected } = gatewayOutcomes[outcome]
      assert.equal(answer.status, status, `${name}: ${asked.url} ${answer.text}`)
      const [issue] = json(answer).issue
      assert.deepEqual(
        [issue.code, issue.details.coding[0], issue.diagnostics],
        [expected.issue, expected.coding, expected.diagnostics],
        `${name}: ${asked.url}`,
      )
    }
  assert.deepEqual(
    checks.map(({ name }) => name).filter((name) => refusedByGateway[name] === undefined),
    ['ASID of the application', 'ODS code of the application'],
  )
  // An unknown path needs no token; the query is asked for before it.
  assert.equal((await service.ask({ url: at('/test') })).status, 404)
})

test('applications without ASID or organisation, and tokens that are none', async () => {
  const url = at(`/Consent?${query(numbers.one)}`)
  const said = async (authorization: string) => {
    const answer = await ask({ url, headers: { authorization } })
    return [answer.status, json(answer).issue[0].diagnostics]
  }
  const [status, diagnostics] = await said(`Bearer ${await service.token('reasonable-adjustment-flag')}`)
  assert.equal(status, 500)
  assert.match(
    String(diagnostics),
    /^An internal server error occurred\. Missing ASID\. Contact us .* quoting Message ID rrt-/,
  )
  const [without, ods] = await said(
    `Bearer ${await service.token('reasonable-adjustment-flag', { asid: '200000109999' })}`,
  )
  assert.equal(without, 500)
  assert.match(String(ods), /Missing ODS/)
  const known = await service.token('reasonable-adjustment-flag', { asid: '200000109999', settings: { ods: 'X26' } })
  assert.equal((await ask({ url, headers: { authorization: `Bearer ${known}` } })).status, 200)
  const expired = 'Access token is invalid or expired'
  for (const authorization of ['Bearer abc', '', 'Basic x'])
    assert.deepEqual(await said(authorization), [401, expired], authorization)
  const [issue] = json(await ask({ url, headers: { authorization: 'Bearer abc' } })).issue
  assert.deepEqual([issue.code, issue.details.coding[0].code], ['forbidden', 'ACCESS DENIED'])
  const other = await service.token('patient-flags', { asid: asids.consumer })
  assert.deepEqual(await said(`Bearer ${other}`), [401, expired])
})

const direct = (interaction: string, scope: string, claims: Readonly<Record<string, unknown>> = {}) =>
  directHeaders(interaction, scope, Math.floor(service.clock.now() / 1000), claims)
const readFlag = (more: Headers = {}, claims: Readonly<Record<string, unknown>> = {}): Asked => ({
  url: `${bases.direct}/Flag?${query(numbers.one)}`,
  headers: { ...direct('Flag.read', 'user/Flag.read', claims), ...more },
})

test('the direct door: same resources over mutual TLS, in JSON and XML', async () => {
  const made = await service.ask({
    method: 'POST',
    url: `${bases.direct}/Consent`,
    headers: { ...direct('Consent.write', 'user/Consent.write'), 'content-type': 'application/fhir+xml' },
    body: stu3.toXml(sent.consent(numbers.one)),
  })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers['content-type'], 'application/fhir+xml;charset=utf-8')
  assert.equal(stu3.fromXml(made.text).resourceType, 'Consent')
  // Older registrations name the interaction otherwise; the gateway shows what was made here.
  const old = await service.ask(readFlag({ interactionid: 'urn:nhs:names:services:raflags:RaflagsFlagRead01' }))
  assert.deepEqual([old.status, json(old).total], [200, 0])
  assert.equal(await total('/Consent', numbers.one), 1)
  const metadata = await service.ask({ url: `${bases.direct}/metadata` })
  assert.deepEqual([metadata.status, json(metadata).fhirVersion, stu3.check(json(metadata))], [200, '3.0.1', []])
})

const otherQuery = (change: Readonly<Record<string, string>>): Asked => {
  const pairs = new URLSearchParams(query(numbers.one))
  for (const [name, value] of Object.entries(change)) pairs.set(name, value)
  return { ...readFlag(), url: `${bases.direct}/Flag?${pairs}` }
}
const category = 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-FlagCategory-1'

test('the direct door: every check fails with its outcome, and is on record', async () => {
  const refused: Readonly<Record<string, readonly Asked[]>> = {
    Certificate: [{ ...readFlag(), peer: { state: 'none' } }],
    Operation: [
      { ...readFlag(), url: `${bases.direct}/Patient` },
      { ...readFlag(), method: 'DELETE', url: `${bases.direct}/Flag/1` },
    ],
    fromASID: [readFlag({ fromasid: undefined })],
    toASID: [readFlag({ toasid: undefined })],
    TraceID: [readFlag({ traceid: undefined })],
    InteractionID: [
      readFlag({ interactionid: undefined }),
      readFlag({ interactionid: 'urn:nhs:names:services:raflags:Consent.read:1' }),
    ],
    'Sender and receiver': [
      readFlag({ fromasid: asids.stranger }),
      readFlag({ toasid: '200000109999' }),
      { ...readFlag(), peer: certificate('other.example') },
    ],
    Token: [
      readFlag({ authorization: undefined }),
      readFlag({ authorization: 'Bearer a.b' }),
      ...[
        'iss',
        'sub',
        'aud',
        'exp',
        'iat',
        'scope',
        'requesting_system',
        'requesting_user',
        'requesting_organization',
      ].map((claim) => readFlag({}, { [claim]: undefined })),
      readFlag({}, { scope: 'user/Flag.write' }),
      readFlag({}, { reason_for_request: 'secondaryuses' }),
      readFlag({}, { requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|NONE' }),
    ],
    'Media types': [readFlag({ accept: 'text/html' })],
    'If-Match': [
      {
        method: 'PUT',
        url: `${bases.direct}/Flag/${numbers.one}.${randomUUID()}`,
        headers: { ...direct('Flag.write', 'user/Flag.write'), ...fhir },
        body: sent.flag(numbers.one),
      },
    ],
    Query: [{ ...readFlag(), url: `${bases.direct}/Flag?patient=${numbers.one}` }],
    'NHS number': [
      otherQuery({ patient: '9990548600' }),
      otherQuery({ patient: `https://fhir.nhs.uk/Id/nhs-number|${numbers.one}` }),
    ],
    Status: [otherQuery({ status: 'inactive' })],
    'System of category or code': [otherQuery({ category: 'NRAF' }), otherQuery({ category: 'http://x|NRAF' })],
    'Category or code': [otherQuery({ category: `${category}|OTHER` })],
  }
  const checks = [...directChecks, ...queryChecks]
  assert.deepEqual(Object.keys(refused).sort(), checks.map(({ name }) => name).sort())
  for (const { name, outcome } of checks)
    for (const asked of refused[name] ?? []) {
      const answer = await service.ask(asked)
      const { status, issue: code, coding } = spineOutcomes[outcome]
      assert.equal(answer.status, status, `${name}: ${answer.text}`)
      const [issue] = json(answer).issue
      assert.deepEqual([issue.code, issue.details.coding[0]], [code, coding], name)
      assert.ok(issue.diagnostics.length > 8)
    }
  const [record] = await service.platform.audit.find({ event: 'adjustments.request', limit: 1 })
  assert.deepEqual([record?.facts['check'], record?.facts['face']], ['Category or code', 'direct'])
  const missing = json(await service.ask(readFlag({ fromasid: undefined }))).issue[0]
  assert.equal(missing.diagnostics, 'fromASID HTTP Header is missing')
})
