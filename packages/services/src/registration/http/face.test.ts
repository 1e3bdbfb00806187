import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '@openspine/platform/clock'
import { openStore } from '@openspine/platform/store'
import { silentLog } from '@openspine/platform/testing'
import { accreditedSystem, messageHandlingSystem, put } from '../../directory/testing.ts'
import { description } from './openapi.test-kit.ts'
import { lifePath, operationsOf } from './routes.ts'
import {
  additional,
  base,
  eprProduct,
  handler,
  message,
  readyProduct,
  served,
  service,
  startApi,
  system,
  type TestApi,
} from './testing.ts'

let api: TestApi

before(async () => {
  api = await startApi()
})
after(() => api?.close())

test('the description names every operation, and no other', () => {
  const { parties, life } = operationsOf({
    platform: api.directory.platform,
    config: { apiEnvironments: [] },
    registration: api.contract,
    directory: api.directory.service.contract,
  })
  const served = [
    ...parties.map(({ method, path }) => `${method} ${base}${path}`),
    ...life.map(({ method, path }) => `${method} ${lifePath}${path}`),
  ]
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual([...described].sort(), [...served].sort())
})

test('where a JSON text is broken is told as Python tells it', async () => {
  for (const [text, place] of [
    ['{"a" 1}', 'line 1 column 6 (char 5)'],
    ['{"a": 1,}', 'line 1 column 9 (char 8)'],
    ['{\n "a": tru}', 'line 2 column 7 (char 8)'],
    ['{"a": 1} x', 'line 1 column 10 (char 9)'],
    ['[1 2]', 'line 1 column 4 (char 3)'],
    ['{', 'line 1 column 2 (char 1)'],
    ['nul', 'line 1 column 1 (char 0)'],
    ['{"a": "\n"}', 'line 1 column 7 (char 6)'],
  ] as const) {
    const { json } = await api.call('POST', '/ProductTeam', text)
    assert.equal(json.errors[0].message, `Invalid JSON body was provided: ${place}`, text)
  }
})

test('version, content type, mirrored ids', async () => {
  const ids = { 'x-request-id': 'r-1', 'x-correlation-id': 'c-1' }
  const refused = await api.call('GET', '/Product', undefined, { ...ids, version: undefined })
  assert.equal(refused.status, 403)
  assert.equal(
    refused.body,
    '{"errors":[{"code":"ACCESS_DENIED","message":"Version header is missing: send version: 1"}]}',
  )
  assert.equal(refused.headers['x-request-id'], 'r-1')
  assert.equal(refused.headers['x-correlation-id'], 'c-1')
  for (const version of ['0', '-1', '1.0', 'not_a_number', '2', '1, 1']) {
    const { status, json } = await api.call('GET', '/Product', undefined, { version })
    assert.equal(status, 403)
    assert.deepEqual(json.errors, [{ code: 'ACCESS_DENIED', message: `Version not supported: ${version}` }])
  }
  const form = await api.call('POST', '/ProductTeam', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })
  assert.equal(form.json.errors[0].message, 'Content-Type must be application/json')
  const noType = await api.call('POST', '/ProductTeam', '{}', { 'content-type': undefined })
  assert.equal(noType.json.errors[0].code, 'MISSING_VALUE')
  const there = await api.call('PUT', '/Product', {})
  assert.equal(there.headers['allow'], 'GET')
  assert.deepEqual((await api.call('GET', '/_status')).json, { code: 'OK', message: 'Transaction successful' })
  const ping = await api.call('GET', '/_ping', undefined, { version: undefined })
  assert.deepEqual(Object.keys(ping.json), ['version', 'revision', 'releaseId', 'commitId'])
})

test('teams and products: by id and by key, found, deleted and then gone', async () => {
  const { call } = api
  const key = '808a36db-a52a-4130-b71e-d9cbcbaed15b'
  const keys = [0, 1].map(() => ({ key_type: 'product_team_id', key_value: key }))
  const team = await call('POST', '/ProductTeam', { name: 'My Team', ods_code: 'B00001', keys })
  assert.equal(team.status, 201)
  const { id, created_on: createdOn, ...rest } = team.json
  assert.match(createdOn, /^\d{4}-\d\d-\d\dT[\d:.]{15}\+00:00$/)
  assert.deepEqual(rest, {
    name: 'My Team',
    ods_code: 'B00001',
    status: 'active',
    updated_on: null,
    deleted_on: null,
    keys: [{ key_type: 'product_team_id', key_value: key }],
  })
  for (const path of [id, key]) assert.deepEqual((await call('GET', `/ProductTeam/${path}`)).json, team.json)
  const product = await call('POST', `/ProductTeam/${key}/Product`, { name: 'My Product' })
  assert.equal(product.status, 201)
  assert.match(product.json.id, /^P\.[ACDEFGHJKLMNPRTUVWXY34679]{3}-[ACDEFGHJKLMNPRTUVWXY34679]{3}$/)
  assert.equal(product.json.cpm_product_team_id, id)
  assert.equal(product.json.product_team_id, key)
  assert.deepEqual((await call('GET', `/Product/${product.json.id}`)).json, product.json)
  const byTeam = await call('GET', `/Product?product_team_id=${key}`)
  const expected = {
    results: [
      {
        org_code: 'B00001',
        product_teams: [{ cpm_product_team_id: id, product_team_id: key, products: [product.json] }],
      },
    ],
  }
  assert.deepEqual(byTeam.json, expected)
  assert.deepEqual((await call('GET', '/Product?organisation_code=B00001')).json, expected)
  assert.deepEqual((await call('GET', '/Product?organisation_code=NOBODY')).json, { results: [] })
  const gone = await call('DELETE', `/ProductTeam/${key}/Product/${product.json.id}`)
  assert.deepEqual([gone.status, gone.json.code], [200, 'RESOURCE_DELETED'])
  assert.equal(gone.json.message, `${product.json.id} has been deleted.`)
  assert.equal((await call('GET', `/Product/${product.json.id}`)).status, 404)
  assert.equal((await call('DELETE', `/ProductTeam/${key}`)).json.message, `${id} has been deleted.`)
  assert.equal((await call('GET', `/ProductTeam/${id}`)).status, 404)
})

test('rivals: of several equal requests at once, one is granted', async () => {
  const { path } = await eprProduct(api)
  const racing = async (target: string, body: unknown) => {
    const all = await Promise.all([0, 1, 2, 3].map(() => api.call('POST', target, body)))
    return all.map(({ status, json }) => (status === 201 ? 201 : json.errors[0].message)).sort()
  }
  const second = (await racing(`${path}/DeviceReferenceData/MhsMessageSet`, message())).at(-1)
  assert.match(second, /^This product already has a 'Message Sets'/)
  assert.deepEqual(await racing(`${path}/Device/MessageHandlingSystem`, handler()), [
    201,
    ...Array(3).fill('There is already an existing MHS Device for this Product'),
  ])
})

test('empty sets say that there is nothing; a product is found by its party key', async () => {
  const { path, partyKey, product } = await eprProduct(api)
  const byKey = path.replace(product.id, partyKey)
  const none = await api.call('POST', `${byKey}/DeviceReferenceData/AccreditedSystemsAdditionalInteractions`)
  assert.equal(none.status, 201)
  assert.deepEqual(none.json.questionnaire_responses, {})
  const given = message({
    'Product Key': 'invented-key',
    'MHS IP Address': '192.0.2.9',
    'Reliability Configuration Retries': 2,
    'Reliability Configuration Retry Interval': 'PT1M',
  })
  const set = await api.call('POST', `${byKey}/DeviceReferenceData/MhsMessageSet`, given)
  assert.equal(set.status, 201, set.body)
  const [{ data }] = set.json.questionnaire_responses['spine_mhs_message_sets/1']
  assert.equal(data['Reliability Configuration Retries'], 2)
  assert.equal(data['Product Key'], 'invented-key')
  assert.equal((await api.call('POST', `${byKey}/Device/MessageHandlingSystem`, handler())).status, 201)
  const created = await api.call(
    'POST',
    `${byKey}/Device/AccreditedSystem`,
    system({ ACF: 'one', 'Category Bag': ['a', 'b'] }),
  )
  assert.equal(created.status, 201, created.body)
  const devices = await api.call('GET', `${path}/Device`)
  assert.deepEqual(
    devices.json.results.map(({ name }: { name: string }) => name.replace(/.* - /, '')),
    ['Message Handling System', 'Accredited System'],
  )
  const [exported] = [...api.directory.service.contract.exportLdif()]
    .join('')
    .split('\n\n')
    .filter((entry) => entry.includes(`dn: uniqueIdentifier=${partyKey}:`))
  assert.match(exported ?? '', /nhsProductKey: invented-key/)
  assert.match(exported ?? '', /nhsMhsIPAddress: 192\.0\.2\.9/)
  assert.match(exported ?? '', /nhsMHSServiceDescription: Invented Description/)
})

test('the searches show what was registered elsewhere, and no more what is suspended', async () => {
  const { call, contract } = api
  const interaction = 'urn:nhs:names:services:pds:QUPA_IN000008UK02'
  const about = { odsCode: 'A99968', partyKey: 'A99968-123456' }
  await api.directory.service.contract.apply(
    [
      put(
        messageHandlingSystem({
          cpaId: 'S1',
          ...about,
          service: 'urn:nhs:names:services:pds',
          interaction: 'QUPA_IN000008UK02',
          endpoint: 'https://old.supplier.example/in',
        }),
      ),
      put(accreditedSystem({ asid: '123456789012', ...about, interactions: [interaction], manufacturer: 'X26' })),
    ],
    'import',
  )
  const systems = `/searchSdsDevice?nhs_id_code=A99968&nhs_as_svc_ia=${interaction}`
  const [found, ...none] = (await call('GET', systems)).json
  assert.deepEqual([found.id, found.name, none], [null, 'A99968-123456/123456789012 - Accredited System', []])
  assert.equal(found.questionnaire_responses['spine_as/1'][0].data.ASID, '123456789012')
  assert.equal((await call('GET', `${systems}&nhs_mhs_manufacturer_org=X26`)).json.length, 1)
  assert.equal((await call('GET', `${systems}&nhs_mhs_manufacturer_org=X27`)).json.length, 0)
  const [handlerFound] = (await call('GET', `/searchSdsEndpoint?nhs_id_code=A99968&nhs_mhs_svc_ia=${interaction}`)).json
  assert.deepEqual(handlerFound.keys, [{ key_type: 'cpa_id', key_value: 'S1' }])
  assert.equal(handlerFound.questionnaire_responses['spine_mhs/1'][0].data.Address, 'https://old.supplier.example/in')

  const { path } = await readyProduct(api, { handler: true })
  const created = await call('POST', `${path}/Device/AccreditedSystem`, system({ 'ODS Code': 'B00002' }))
  const asid = created.json.keys[0].key_value
  const wanted = `/searchSdsDevice?nhs_id_code=B00002&nhs_as_svc_ia=${additional}`
  assert.deepEqual((await call('GET', wanted)).json[0].id, created.json.id)
  await contract.endpoints.suspend(created.json.id, 'bob')
  assert.deepEqual((await call('GET', wanted)).json, [])
  const suspended = await call('GET', `${path}/Device/${asid}`)
  assert.deepEqual([suspended.json.id, suspended.json.status], [created.json.id, 'inactive'])
  assert.notEqual(suspended.json.updated_on, null)
  await contract.endpoints.withdraw(created.json.id, 'bob')
  assert.equal((await call('GET', `${path}/Device/${asid}`)).status, 404)
})

test('endpoints through their states, and sharing agreements, over the API of our own', async () => {
  const { call, contract } = api
  const product = await contract.products.create({ manufacturer: 'X26', name: 'Provider', kinds: ['CMA'] }, 'ann')
  await contract.products.addSet(
    product.id,
    { use: 'messages', name: 'all', messages: [{ service, interaction: served }] },
    'ann',
  )
  const asked = {
    kind: 'CMA',
    ods_code: 'B00002',
    product_id: product.id,
    fqdn: 'own.supplier.example',
    urls: [{ url: 'https://own.supplier.example/in' }],
  }
  const v1 = '/registration/v1/endpoints'
  const draft = await call('POST', v1, { ...asked, by: 'ann', fqdn: 'other.supplier.example' })
  assert.deepEqual([draft.status, draft.json.state], [201, 'draft'])
  const one = `${v1}/${draft.json.id}`
  assert.equal((await call('PUT', one, { ...asked, by: 'ann' })).json.fqdn, 'own.supplier.example')
  const early = await call('POST', `${one}/approve`, { by: 'bob' })
  assert.deepEqual([early.status, early.json.errors[0].code], [409, 'CONFLICT'])
  const take = async (step: string, by: string, why?: string) => {
    const answer = await call('POST', `${one}/${step}`, { by, ...(why === undefined ? {} : { why }) })
    assert.equal(answer.status, 200, answer.body)
    return answer.json
  }
  await take('request', 'ann', 'the practice moves')
  const same = await call('POST', `${one}/approve-dns`, { by: 'ann' })
  assert.deepEqual([same.status, same.json.errors[0].code], [400, 'VALIDATION_ERROR'])
  await take('approve-dns', 'bob')
  const { asid, party_key: partyKey } = await take('approve', 'bob')
  assert.match(asid, /^\d{12}$/)
  const seen = () => api.directory.service.contract.snapshot().accreditedSystem(asid)?.partyKey
  assert.equal(seen(), partyKey)
  await take('suspend', 'bob')
  assert.equal(seen(), undefined)
  const late = await call('PUT', one, { ...asked, by: 'ann' })
  assert.equal(late.status, 409)
  assert.equal((await take('resume', 'bob')).asid, asid)
  const listed = await call('GET', `${v1}?state=approved&ods_code=B00002`)
  assert.deepEqual(
    listed.json.results.map(({ id }: { id: string }) => id),
    [draft.json.id],
  )
  await take('withdraw', 'ann')
  const shown = await call('GET', one)
  assert.deepEqual(
    shown.json.history.map(({ step }: { step: string }) => step),
    ['draft', 'draft', 'request', 'approve-dns', 'approve', 'suspend', 'resume', 'withdraw'],
  )
  assert.equal(shown.json.history[2].why, 'the practice moves')

  const sharing = '/registration/v1/agreements'
  const agreement = { from: 'A99968', to: 'B00001', interaction: additional }
  const agreed = await call('POST', sharing, { ...agreement, by: 'ann' })
  assert.equal(agreed.status, 201)
  assert.deepEqual((await call('GET', sharing)).json.results, [{ id: agreed.json.id, ...agreement }])
  assert.equal((await call('DELETE', `${sharing}/${agreed.json.id}?by=ann`)).status, 200)
  assert.deepEqual((await call('GET', sharing)).json.results, [])
})

test('strict refuses everybody where nobody knows applications', async (t) => {
  const strict = await startApi({ platform: { profile: 'strict' } })
  t.after(() => strict.close())
  for (const path of ['/Product', '/_status', '/registration/v1/agreements']) {
    const { status, json } = await strict.call('GET', path)
    assert.deepEqual([status, json.errors[0].code], [403, 'ACCESS_DENIED'])
  }
  assert.equal((await strict.call('GET', '/_ping')).status, 200)
})

test('an application that is known is recorded; faults of ours are told without their reason', async (t) => {
  const store = await openStore({ memory: true, log: silentLog(), clock: systemClock })
  const known = await startApi({
    platform: { profile: 'strict', store },
    async admit({ apikey }) {
      if (apikey === 'broken') throw new Error('a secret reason')
      return apikey === 'k3y' ? 'the application' : undefined
    },
  })
  t.after(() => known.close())
  const body = { name: 'x', ods_code: 'A99968' }
  assert.equal((await known.call('POST', '/ProductTeam', body)).status, 403)
  const { json } = await known.call('POST', '/ProductTeam', body, { apikey: 'k3y' })
  assert.equal((await known.contract.products.team(json.id))?.createdBy, 'the application')
  const fault = await known.call('GET', '/Product', undefined, { apikey: 'broken' })
  assert.equal(fault.status, 500)
  assert.match(fault.body, /"SERVICE_ERROR","message":"An internal fault\. The log has it under [0-9a-f-]{36}\."/)
  await store.close()
  for (const path of ['/ProductTeam/123', '/_status']) {
    const away = await known.call('GET', path, undefined, { apikey: 'k3y' })
    assert.equal(away.status, 503, away.body)
    assert.match(away.body, /"SERVICE_UNAVAILABLE","message":"The store does not answer/)
  }
})
