import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform } from '@openspine/platform/testing'
import { fastify } from 'fastify'
import type { Api, KeptRefusal } from '../contract.ts'
import { gateway, gatewayConfig } from '../service.ts'

const api: Api = {
  name: 'sample',
  version: '1',
  basePath: '/sample',
  faults: 'plain',
  access: [{ mode: 'key' }],
  health: async () => ({ status: 'pass' }),
}
const hour = 3_600_000

forEachStore((open) => {
  test('owners, last uses and refusals: durable, bounded, and shown to whoever has the secret', async (t) => {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00Z')
    const platform = await testPlatform({ store, clock, profile: 'strict' })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const make = async () => {
      const service = gateway({ platform: { ...platform, metrics: makeMetrics() }, config: gatewayConfig.parse({}) })
      await store.migrate('gateway', service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      service.contract.declare(api)
      const app = fastify()
      t.after(() => app.close())
      if (service.routes?.api) await app.register(service.routes.api)
      await app.register(
        service.contract.behind(api, async (routes) => void routes.get('/9990548609', async () => ({}))),
      )
      return { door: service.contract, app, stop: () => service.stop?.(100) }
    }
    const one = await make()
    const { application, key } = await one.door.create('Ward App', 'tester')
    const other = await one.door.create('Other App', 'tester')
    const call = (apikey: string) => one.app.inject({ url: '/sample/9990548609', headers: { apikey } })

    // Keys and secrets: once an hour.
    assert.deepEqual(await one.door.uses(application.id), [])
    assert.equal((await call(key.secret)).statusCode, 200)
    clock.advance(60_000)
    await call(key.secret)
    const first = Date.parse('2026-11-25T12:00:00Z')
    const used = { kind: 'key', name: key.id, firstUsedAt: first }
    assert.deepEqual(await one.door.uses(application.id), [{ ...used, lastUsedAt: first }])
    clock.advance(hour)
    await call(key.secret)
    assert.equal(one.door.secretFits(key.secret, String(key.clientSecret)), true)
    assert.equal(one.door.secretFits(key.secret, 'wrong'), false)
    const later = first + 60_000 + hour
    one.door.used({ application: application.id, kind: 'kid', name: 'test-1' })
    assert.deepEqual(await one.door.uses(application.id), [
      { ...used, lastUsedAt: later },
      { kind: 'kid', name: 'test-1', firstUsedAt: later, lastUsedAt: later },
      { kind: 'secret', name: key.id, firstUsedAt: later, lastUsedAt: later },
    ])
    assert.deepEqual(await one.door.uses(other.application.id), [])

    // Refusals: the door's, and those of others; no number of a patient.
    await one.door.decide(application.id, 'sample-test', 'revoked', 'tester')
    assert.equal((await call(key.secret)).statusCode, 401)
    const [kept] = await one.door.refusals(application.id)
    assert.deepEqual(
      [kept?.where, kept?.status, kept?.check, kept?.says],
      ['sample /…', 401, 'Key is for this API', 'Invalid ApiKey for given resource'],
    )
    assert.match(kept?.explanation ?? '', /openspine app subscribe/)
    const refusal = (n: number): KeptRefusal => ({
      id: `rrt-${String(n).padStart(3, '0')}`,
      at: clock.now() + n,
      where: '/oauth2/token',
      status: 400,
      check: 'check',
      says: 'Invalid 999 054 8609',
      explanation: `e ${'x'.repeat(5000)}`,
    })
    for (let n = 1; n <= 250; n++) one.door.noteRefusal(application.id, refusal(n))
    const all = await one.door.refusals(application.id)
    assert.deepEqual([all.length, all[0]?.id, all.at(-1)?.id], [100, 'rrt-250', 'rrt-151'])
    assert.deepEqual([all[0]?.says, all[0]?.explanation.length], ['Invalid …', 1024])
    for (let n = 251; n <= 260; n++) one.door.noteRefusal(application.id, refusal(n))
    assert.deepEqual((await one.door.refusals(application.id)).at(-1)?.id, 'rrt-161')
    assert.deepEqual(await one.door.refusals(other.application.id), [])
    assert.deepEqual(await one.door.refusals('no id'), [])

    // Another process, after this one has stopped.
    one.door.noteRefusal(application.id, refusal(300))
    await one.stop()
    const two = await make()
    assert.equal((await two.door.refusals(application.id))[0]?.id, 'rrt-300')
    assert.equal((await two.door.uses(application.id)).length, 3)

    // The owner's own look.
    const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const look = (path: string, authorization?: string) =>
      two.app.inject({ url: path, headers: authorization === undefined ? {} : { authorization } })
    const mine = basic(key.secret, String(key.clientSecret))
    const shown = (await look('/application', mine)).json()
    assert.deepEqual(
      [shown.id, shown.name, shown.keys[0].lastUsedAt],
      [application.id, 'Ward App', new Date(later).toISOString()],
    )
    const told = (await look('/application/refusals', mine)).json()
    assert.deepEqual([told.refusals.length, told.refusals[0].id], [100, 'rrt-300'])
    assert.ok(!JSON.stringify([shown, told]).includes(String(key.clientSecret)))
    for (const wrong of [
      undefined,
      'Basic',
      'Basic !!',
      'Bearer x',
      basic(key.secret, 'wrong'),
      basic(key.secret, String(other.key.clientSecret)),
      basic('', ''),
      `Basic ${Buffer.from('nocolon').toString('base64')}`,
    ]) {
      const answer = await look('/application/refusals', wrong)
      assert.deepEqual([answer.statusCode, answer.json().error], [401, 'invalid_client'], wrong)
    }
    assert.equal((await two.app.inject({ method: 'POST', url: '/application' })).statusCode, 405)

    // Owners.
    const { door } = two
    const company = { name: 'Invented Software Ltd', kind: 'company' } as const
    await assert.rejects(door.change(application.id, { owner: company.name }, 'tester'), { code: 'GATEWAY_FACT' })
    await assert.rejects(door.defineOwner({ ...company, name: ' ', status: 'active' }, 'tester'), {
      code: 'GATEWAY_OWNER',
    })
    await door.defineOwner({ ...company, status: 'active' }, 'tester')
    await door.change(application.id, { owner: company.name }, 'tester')
    await door.decide(application.id, 'sample-test', 'approved', 'tester')
    const reason = () => {
      const admission = door.admit({ api: 'sample', apikey: key.secret })
      return admission.admitted ? 'admitted' : admission.refusal.reason
    }
    assert.equal(reason(), 'admitted')
    await door.defineOwner({ ...company, status: 'inactive' }, 'tester')
    assert.deepEqual(door.client(key.secret)?.owner, { ...company, status: 'inactive' })
    assert.equal(reason(), 'key-revoked')
    assert.equal((await look('/application', mine)).statusCode, 401)
    assert.deepEqual((await make()).door.owners(), [{ ...company, status: 'inactive' }])
    await door.defineOwner({ ...company, status: 'active' }, 'tester')
    assert.equal(reason(), 'admitted')
    const audited = await platform.audit.find({ event: 'gateway.owner.defined', limit: 10 })
    assert.equal(audited.length, 3)
  })
})
