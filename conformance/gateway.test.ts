import assert from 'node:assert/strict'
import { test } from 'node:test'
import { samples, structured } from '@openspine/services/directory/testing'
import { base, interaction, organization, startApi } from './sds-api.ts'

test('strict: no key, wrong key, revoked key, key; before path and method', async (t) => {
  const api = await startApi({ platform: { profile: 'strict' }, gateway: { spikePerSecond: 5 } })
  t.after(() => api.close())
  await api.directory.contract.apply(samples, 'test')
  const { application, key } = await api.gateway.contract.create('Ward App', 'test')
  const status = await api.gateway.contract.newKey(application.id, 'status', 'test')
  const path = `${base}/Endpoint?${organization('A99968')}&${interaction(structured)}`
  const ask = (apikey: string | undefined, at = path, method = 'GET') =>
    api.ask(at, { method, headers: apikey === undefined ? {} : { apikey } })
  const refused = (answer: Awaited<ReturnType<typeof ask>>, display: string) => {
    assert.equal(answer.status, 401)
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.deepEqual(answer.json(), {
      resourceType: 'OperationOutcome',
      issue: [
        {
          severity: 'error',
          code: 'forbidden',
          details: {
            coding: [
              {
                system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode',
                version: '1',
                code: 'ACCESS_DENIED',
                display,
              },
            ],
          },
        },
      ],
    })
  }
  refused(await ask(undefined), 'Failed to resolve API Key variable request.header.apikey')
  refused(await ask(''), 'Failed to resolve API Key variable request.header.apikey')
  refused(await ask('wrong'), 'Invalid ApiKey')
  refused(await ask(status.secret), 'Invalid ApiKey')
  refused(await ask(undefined, `${base}/nothing`), 'Failed to resolve API Key variable request.header.apikey')
  refused(await ask(undefined, path, 'POST'), 'Failed to resolve API Key variable request.header.apikey')
  refused(await ask(undefined, path, 'PROPFIND'), 'Failed to resolve API Key variable request.header.apikey')
  const answer = await ask(key.secret)
  assert.deepEqual([answer.status, answer.json().total], [200, 1])
  assert.equal((await ask(key.secret, `${base}/nothing`)).status, 404)

  assert.equal((await ask(undefined, `${base}/_ping`)).status, 200)
  assert.equal((await ask(undefined, `${base}/healthcheck`)).status, 200)
  assert.equal((await ask(undefined, `${base}/_status`)).status, 401)
  assert.equal((await ask(key.secret, `${base}/_status`)).status, 401)
  assert.equal((await ask(status.secret, `${base}/_status`)).status, 200)

  const burst = await Promise.all(Array.from({ length: 12 }, () => ask(key.secret)))
  const limited = burst.find((one) => one.status === 429)
  assert.equal(limited?.headers['content-type'], 'application/json')
  assert.equal(limited?.headers['retry-after'], '1')

  await api.gateway.contract.revokeKey(key.id, 'test')
  refused(await ask(key.secret), 'ApiKey not approved')

  await new Promise((resolve) => setTimeout(resolve, 50))
  const audited = (await api.platform.audit.find({ event: 'gateway.refused', limit: 100 })).flatMap(
    ({ facts }) => facts['operations'] as { reason: string; key?: string }[],
  )
  assert.ok(audited.some(({ reason, key: id }) => reason === 'key-revoked' && id === key.id))
  assert.ok(!JSON.stringify(audited).includes(key.secret))
  const looked = (await api.platform.audit.find({ event: 'directory.lookup', limit: 100 })).flatMap(
    ({ facts }) => facts['operations'] as { application?: string; key?: string }[],
  )
  assert.ok(looked.some((each) => each.application === application.id && each.key === key.id))
})
