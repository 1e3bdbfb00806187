import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { sdsOutcomes } from '@openspine/services/directory'
import { accreditedSystem, put, samples, structured } from '@openspine/services/directory/testing'
import { openApi } from './openapi.ts'
import { base, interaction, manufacturer, organization, partyKey, startApi, type TestApi } from './sds-api.ts'

const described = openApi('../packages/services/src/directory/fhir/openapi.yaml', { closed: true })

const clock = manualClock('2026-11-25T12:00:00Z')
let sandbox: TestApi
let strict: TestApi

before(async () => {
  sandbox = await startApi({ platform: { clock }, directory: { staleSeconds: 3600 } })
  const { store, trust, audit } = sandbox.platform
  strict = await startApi({ platform: { profile: 'strict', store, trust, audit }, gateway: { spikePerSecond: 1 } })
  const twice = put(
    accreditedSystem({
      asid: '200000100909',
      odsCode: 'X26',
      partyKey: 'X26-850009',
      interactions: ['urn:nhs:names:services:twice:X'],
      more: { nhsAsClient: ['X26', 'A99968'] },
    }),
  )
  await sandbox.directory.contract.apply([...samples, twice], 'test')
})
after(async () => {
  await strict.close()
  await sandbox.close()
})

test('every documented path answers as documented, with every status that can be brought about', async () => {
  assert.equal(described.server, base)
  const [ods, ia, pk] = [organization('A99968'), interaction(structured), partyKey('A99968-850000')]
  const { application, key } = await strict.gateway.contract.create('App', 'test')
  const status = await strict.gateway.contract.newKey(application.id, 'status', 'test')
  const asked: Record<string, readonly (readonly [TestApi, string, Parameters<TestApi['ask']>[1]?])[]> = {
    '/Device': [
      [sandbox, `?${ods}&${ia}&${pk}&${manufacturer('YY001')}`],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'application/json' } }],
      [sandbox, `?${ods}`],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'text/html' } }],
      [sandbox, '', { method: 'DELETE' }],
      [sandbox, '/x'],
      [sandbox, `?${organization('X26')}&${interaction('urn:nhs:names:services:twice:X')}`],
      [strict, ''],
      [strict, '', { headers: { apikey: key.secret } }],
      [strict, '', { headers: { apikey: key.secret } }],
    ],
    '/Endpoint': [
      [sandbox, `?${ods}&${ia}`],
      [sandbox, `?${ia}&${pk}`],
      [sandbox, `?${ods}&${interaction('none')}`],
      [sandbox, '?x=1'],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'text/html' } }],
      [sandbox, '', { method: 'PUT' }],
      [sandbox, '/x'],
      [strict, ''],
    ],
    '/_ping': [[strict, '']],
    '/_status': [
      [strict, ''],
      [strict, '', { headers: { apikey: status.secret } }],
    ],
    '/healthcheck': [[strict, '']],
    '/healthcheck/deep': [[strict, '']],
  }
  assert.deepEqual(
    Object.keys(asked)
      .map((path) => `get ${path}`)
      .sort(),
    described.operations.toSorted(),
  )
  const seen = new Set<string>()
  for (const [path, requests] of Object.entries(asked))
    for (const [api, more, options] of requests) {
      const answer = await api.ask(base + path + more, options)
      described.holds(`get ${path}`, answer)
      seen.add(`${path} ${answer.status}`)
    }
  clock.advance(3_601_000)
  seen.add(`/Device ${(await sandbox.ask(`${base}/Device?${ods}&${ia}`)).status}`)
  for (const each of ['200', '400', '401', '404', '405', '406', '429', '500'])
    assert.ok(seen.has(`/Device ${each}`), each)
})

test('the documented parameters are those that are known, and the statuses those of the outcomes', () => {
  assert.deepEqual(described.parameters('get /Device', 'query'), [
    'organization',
    'identifier',
    'manufacturing-organization',
  ])
  assert.deepEqual(described.parameters('get /Endpoint', 'query'), ['organization', 'identifier'])
  assert.deepEqual(described.parameters('get /Device', 'header'), [
    'apikey',
    'X-Correlation-ID',
    'X-Request-ID',
    'Accept',
  ])
  const statuses = Object.values(sdsOutcomes).flatMap((each) =>
    typeof each === 'function' ? [] : [String(each.status)],
  )
  for (const path of ['/Device', '/Endpoint'])
    for (const status of statuses) assert.ok(described.statuses(`get ${path}`).includes(status), `${path} ${status}`)
})
