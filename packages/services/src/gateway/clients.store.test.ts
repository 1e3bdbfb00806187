import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform, within } from '@openspine/platform/testing'
import type { Api } from './contract.ts'
import { gateway, gatewayConfig, keysOfSet } from './service.ts'

const api: Api = {
  name: 'sample',
  version: '1',
  basePath: '/sample',
  faults: 'plain',
  access: [{ mode: 'application-restricted', grants: ['app:level3'] }],
  health: async () => ({ status: 'pass' }),
}
const keysOnly: Api = { ...api, name: 'directory', basePath: '/directory', access: [{ mode: 'key' }] }

const jwk = (bits: number, members: object = {}) => ({
  ...generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' }),
  kid: 'test-1',
  alg: 'RS512',
  use: 'sig',
  ...members,
})

forEachStore((open) => {
  test('what an application is as an OAuth client is durable, and known to every process', async (t) => {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00Z')
    const platform = await testPlatform({ store, clock, profile: 'strict' })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const make = async (profile: 'strict' | 'sandbox' = 'strict') => {
      const service = gateway({
        platform: { ...platform, profile, metrics: makeMetrics() },
        config: gatewayConfig.parse({}),
      })
      for (const each of [api, keysOnly]) service.contract.declare(each)
      await store.migrate('gateway', service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      return service.contract
    }
    const [first, second] = [await make(), await make()]
    const { application, key } = await first.create('Ward App', 'tester')
    const id = application.id
    const keySet = JSON.stringify({ keys: [jwk(2048)] })
    const facts = {
      displayName: 'Ward',
      callbackUrl: 'https://ward.example/callback',
      publicKeys: { keySet },
      asid: '200000100000',
    }
    await first.change(id, facts, 'tester')
    await within(1500, 'the facts elsewhere', () => second.client(key.secret)?.asid === '200000100000')
    const client = second.client(key.secret)
    assert.deepEqual(client, {
      application: id,
      name: 'Ward',
      key: key.id,
      approved: true,
      callbackUrl: 'https://ward.example/callback',
      keys: { keySet },
      asid: '200000100000',
      subscriptions: [{ product: 'directory-test', status: 'approved' }],
      products: [{ name: 'directory-test', apis: ['directory'], scopes: [], approval: 'auto' }],
    })
    assert.equal(second.client('nobody'), undefined)

    assert.equal(second.secretFits(key.secret, key.clientSecret ?? ''), true)
    assert.equal(second.secretFits(key.secret, key.secret), false)
    assert.equal(second.secretFits('nobody', key.clientSecret ?? ''), false)
    const secret = await first.newSecret(key.id, 'tester')
    assert.equal(first.secretFits(key.secret, key.clientSecret ?? ''), false)
    await within(1500, 'the secret elsewhere', () => second.secretFits(key.secret, secret))
    await assert.rejects(first.newSecret(id, 'tester'), { code: 'GATEWAY_NO_KEY' })

    assert.equal((await second.subscribe(id, 'sample-test', 'tester')).status, 'pending')
    assert.deepEqual(second.client(key.secret)?.products.length, 1)
    await second.decide(id, 'sample-test', 'approved', 'tester')
    assert.equal(
      (await second.subscribe(id, 'sample-test', 'tester')).status,
      'approved',
      'asking again changes nothing',
    )
    assert.deepEqual(second.client(key.secret)?.products.at(-1)?.name, 'directory-test')
    assert.ok(second.client(key.secret)?.products[0]?.scopes.includes('urn:nhsd:apim:app:level3:sample'))
    await second.decide(id, 'sample-test', 'revoked', 'tester')
    assert.equal((await second.subscribe(id, 'sample-test', 'tester')).status, 'pending', 'not by asking again')
    await assert.rejects(first.subscribe(id, 'nothing', 'tester'), { code: 'GATEWAY_NO_PRODUCT' })
    await assert.rejects(first.subscribe(key.id, 'sample-test', 'tester'), { code: 'GATEWAY_NO_APPLICATION' })
    const sandbox = await make('sandbox')
    const other = await sandbox.create('Other App', 'tester')
    assert.deepEqual(
      sandbox.client(other.key.secret)?.products.map(({ name }) => name),
      ['sample-test', 'directory-test'],
    )

    await first.defineProduct(
      { name: 'sample-test-special', apis: ['sample'], scopes: ['urn:nhsd:apim:app:level3:special'], approval: 'auto' },
      'tester',
    )
    await within(1500, 'the product elsewhere', () => second.products().some(({ name }) => name.endsWith('special')))
    assert.equal(second.client(key.secret)?.products.length, 1, 'a defined product is had by asking alone')
    assert.equal((await second.subscribe(id, 'sample-test-special', 'tester')).status, 'approved')
    for (const wrong of [{ name: 'A' }, { apis: ['nothing'] }, { apis: [] }, { scopes: ['openid'] }])
      await assert.rejects(
        first.defineProduct({ name: 'x', apis: ['sample'], scopes: [], approval: 'auto', ...wrong }, 'tester'),
        { code: 'GATEWAY_PRODUCT' },
      )

    assert.equal(await first.revokeApp(id, 'tester'), true)
    assert.equal(await first.revokeApp(id, 'tester'), false)
    await within(1500, 'the end elsewhere', () => second.client(key.secret)?.approved === false)
    const { rows } = await store.pool.query('select * from gateway.api_key')
    const audited = await Promise.all(
      ['gateway.secret.created', 'gateway.key.created', 'gateway.application.changed'].map((event) =>
        platform.audit.find({ event, limit: 10 }),
      ),
    )
    for (const told of [key.secret, key.clientSecret ?? '', secret])
      assert.ok(!JSON.stringify([rows, audited, first.applications()]).includes(told))
  })
})

test('facts that cannot be are refused, and say why', async (t) => {
  const platform = await testPlatform()
  t.after(() => platform.close())
  const service = gateway({ platform, config: gatewayConfig.parse({}) })
  await platform.store.migrate('gateway', service.migrations ?? {})
  const { contract } = service
  const { application } = await contract.create('App', 'tester')
  const wrong = [
    { callbackUrl: 'ward.example' },
    { callbackUrl: 'javascript:alert(1)' },
    { callbackUrl: 'https://ward.example/#here' },
    { callbackUrl: 'https://user:secret@ward.example/' },
    { asid: '1' },
    { displayName: '<b>' },
    { rates: { quotaPerMinute: -1 } },
    { settings: { long: 'x'.repeat(9000) } },
    { publicKeys: { url: 'jwks.json' } },
  ]
  for (const change of wrong)
    await assert.rejects(
      contract.change(application.id, change, 'tester'),
      { code: 'GATEWAY_FACT' },
      JSON.stringify(change),
    )
  const sets: readonly [string, RegExp][] = [
    ['nonsense', /not JSON/],
    ['{}', /no member "keys"/],
    [JSON.stringify({ keys: [] }), /no key in its member `keys`/],
    [JSON.stringify({ keys: [jwk(1024)] }), /The key test-1: Its 1024 bits are fewer than 2048/],
    [JSON.stringify({ keys: [jwk(2048, { kid: undefined })] }), /no kid/],
    [JSON.stringify({ keys: [jwk(2048, { d: 'AQAB' })] }), /private key/],
    [JSON.stringify({ keys: [jwk(2048, { p: 'AQAB' })] }), /private key/],
    [JSON.stringify({ keys: [jwk(2048, { kty: 'EC' })] }), /no public key of a known kind/],
    [
      JSON.stringify({ keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'e' }] }),
      /not an RSA/,
    ],
    [JSON.stringify({ keys: [jwk(2048, { kty: 'oct', k: 'AQAB' })] }), /no public key of a known kind/],
    [JSON.stringify({ keys: [jwk(2048, { alg: 'RS256' })] }), /RS512/],
    [JSON.stringify({ keys: [jwk(2048), jwk(2048)] }), /same kid/],
  ]
  for (const [keySet, why] of sets)
    await assert.rejects(contract.change(application.id, { publicKeys: { keySet } }, 'tester'), {
      code: 'GATEWAY_KEY_SET',
      message: why,
    })
  assert.deepEqual(keysOfSet(JSON.stringify({ keys: [jwk(3072)] })), [{ kid: 'test-1', bits: 3072, alg: 'RS512' }])
  await contract.change(application.id, { asid: '200000100000' }, 'tester')
  assert.equal((await contract.change(application.id, { asid: null }, 'tester')).asid, undefined)
})
