import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform, within } from '@openspine/platform/testing'
import { gateway, gatewayConfig } from './service.ts'

forEachStore((open) => {
  test('keys are made, seen by other processes, revoked, and never stored', async (t) => {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00Z')
    const platform = await testPlatform({ store, clock, profile: 'strict' })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const config = gatewayConfig.parse({})
    const make = async () => {
      const service = gateway({ platform: { ...platform, metrics: makeMetrics() }, config })
      await store.migrate('gateway', service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      return service.contract
    }
    const first = await make()
    const second = await make()
    const reason = (by: typeof first, apikey: string | undefined, api = 'x') => {
      const admission = by.admit({ api, apikey })
      return admission.admitted ? 'admitted' : `${admission.refusal.status} ${admission.refusal.reason}`
    }

    assert.equal(reason(first, undefined), '401 key-missing')
    assert.equal(reason(first, 'nonsense'), '401 key-unknown')
    const { application, key } = await first.create('Ward App', 'tester')
    assert.match(key.secret, /^[A-Za-z0-9]{32}$/)
    assert.equal(reason(first, key.secret), 'admitted')
    await within(1_500, 'the key in the other process', () => second.applications().length === 1)
    assert.equal(reason(second, key.secret), 'admitted')
    assert.equal(reason(first, `${key.secret}x`), '401 key-unknown')

    const next = await second.newKey(application.id, 'application', 'tester')
    const status = await second.newKey(application.id, 'status', 'tester')
    assert.equal(reason(second, status.secret), '401 key-unknown', 'a status key opens status pages alone')
    assert.equal(await second.revokeKey(key.id, 'tester'), true)
    assert.equal(reason(second, key.secret), '401 key-revoked')
    await within(1_500, 'the revocation in the other process', () => reason(first, key.secret) === '401 key-revoked')
    assert.equal(reason(first, next.secret), 'admitted')
    assert.equal(await first.revokeKey(key.id, 'tester'), false)
    assert.equal(await first.revokeKey('no such key', 'tester'), false)

    const third = await make()
    assert.equal(reason(third, next.secret), 'admitted', 'keys outlive the process')
    assert.deepEqual(third.applications(), second.applications())
    const { rows } = await store.pool.query('select * from gateway.api_key')
    const audited = await platform.audit.find({ event: 'gateway.key.created', limit: 10 })
    for (const { secret } of [key, next, status]) {
      assert.ok(!JSON.stringify([rows, audited, third.applications()]).includes(secret))
    }
    assert.equal(audited.length, 2)

    await assert.rejects(first.create('  ', 'tester'), { code: 'GATEWAY_NAME' })
    await assert.rejects(first.newKey(key.id, 'application', 'tester'), { code: 'GATEWAY_NO_APPLICATION' })
    await assert.rejects(first.newKey('x', 'application', 'tester'), { code: 'GATEWAY_NO_APPLICATION' })
    const tight = gateway({
      platform: { ...platform, metrics: makeMetrics() },
      config: gatewayConfig.parse({ maxApplications: 1 }),
    })
    await assert.rejects(tight.contract.create('Another', 'tester'), { code: 'GATEWAY_FULL' })
  })
})

forEachStore((open) => {
  test('limits hold over processes that share a store, and outlive a restart', async (t) => {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00Z')
    const platform = await testPlatform({ store, clock, profile: 'strict' })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const config = gatewayConfig.parse({ spikePerSecond: 0, quotaPerMinute: 0, apiQuotaPerMinute: 30, rateShareMs: 10 })
    const make = async () => {
      const service = gateway({ platform: { ...platform, metrics: makeMetrics() }, config })
      await store.migrate('gateway', service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      return service
    }
    const [one, two] = [await make(), await make()]
    const { application, key } = await one.contract.create('Busy', 'tester')
    const quota = { limit: 10, interval: 1, timeunit: 'hour' } as const
    await one.contract.change(application.id, { rates: { quota } }, 'tester')
    await within(1_500, 'the limit elsewhere', () => two.contract.client(key.secret) !== undefined)
    const ask = (by: typeof one, api = 'sds') => {
      const admission = by.contract.admit({ api, apikey: key.secret })
      return admission.admitted ? 'admitted' : admission.refusal.reason
    }
    const made = async (number: number) =>
      within(1_500, `${number} told`, async () => {
        const { rows } = await store.pool.query(
          "select made from gateway.rate_count where who like '% sds' and who not like 'api %'",
        )
        return Number(rows[0]?.made) === number
      })
    for (let n = 0; n < 6; n++) assert.equal(ask(one), 'admitted')
    await made(6)
    assert.equal(ask(two), 'admitted')
    await made(7)
    // The store has told the sum; whoever asked has yet to read the answer.
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (let n = 0; n < 3; n++) assert.equal(ask(two), 'admitted')
    assert.equal(ask(two), 'quota')
    await made(10)
    await two.stop?.(100)
    const three = await make()
    await within(1_500, 'what was counted before', () => ask(three) === 'quota')

    // Of an API as a whole, whoever asks.
    await one.contract.change(application.id, { rates: null }, 'tester')
    const api = Array.from({ length: 31 }, () => ask(one, 'pds'))
    assert.deepEqual([api.filter((each) => each === 'admitted').length, api.at(-1)], [30, 'api-quota'])
    for (const rates of [
      { quota: { ...quota, interval: 0 } },
      { quota: { ...quota, limit: 1.5 } },
      { spikeArrest: '10' },
      { spikeArrest: '0ps' },
    ])
      await assert.rejects(one.contract.change(application.id, { rates }, 'tester'), { code: 'GATEWAY_FACT' })
  })
})

test('rates: a spike is arrested, a quota lasts a minute, each API counts for itself', async (t) => {
  const clock = manualClock('2026-11-25T12:00:00Z')
  const platform = await testPlatform({ clock })
  t.after(() => platform.close())
  const service = gateway({ platform, config: gatewayConfig.parse({ spikePerSecond: 3, quotaPerMinute: 5 }) })
  await platform.store.migrate('gateway', service.migrations ?? {})
  const { application, key } = await service.contract.create('Busy', 'tester')
  const ask = (api = 'sds') => {
    const admission = service.contract.admit({ api, apikey: key.secret })
    return admission.admitted ? undefined : admission.refusal
  }
  assert.deepEqual([ask(), ask(), ask()], [undefined, undefined, undefined])
  const spike = ask()
  assert.equal(spike?.status, 429)
  assert.equal(spike?.headers['retry-after'], '1')
  const [issue] = JSON.parse(spike?.body ?? '').issue
  assert.deepEqual(issue.details.coding[0], {
    system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode',
    version: '1',
    code: 'TOO_MANY_REQUESTS',
    display: 'Too many requests',
  })
  assert.match(issue.diagnostics, /^Your application, Busy, has created a spike in traffic/)
  assert.equal(ask('pds'), undefined, 'another API')
  clock.advance(1_000)
  assert.deepEqual([ask(), ask()], [undefined, undefined])
  const quota = ask()
  assert.equal(quota?.reason, 'quota')
  assert.equal(quota?.headers['retry-after'], '59')
  assert.match(quota?.body ?? '', /exceeded its quota of 5 requests every 1 minute/)
  clock.advance(59_000)
  assert.equal(ask(), undefined)
  assert.equal(application.keys.length, 1)
})
