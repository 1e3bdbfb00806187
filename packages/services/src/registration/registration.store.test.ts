import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore, testPlatform } from '@openspine/platform/testing'
import type { Directory } from '../directory/contract.ts'
import { registration, registrationConfig } from './service.ts'

const call = {
  fromAsid: '200000100000',
  fromOdsCode: 'X26',
  toAsid: '200000100001',
  toOdsCode: 'A20047',
  interaction: 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1',
}
/** Agreements ask the directory nothing. */
const none = {} as Directory
const prefix = 'urn:nhs:names:services:gpconnect:*'

forEachStore((open) => {
  test('agreements permit by ODS code, by ASID and by prefix, and outlive the process', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const config = registrationConfig.parse({})
    const first = registration({ platform, config, directory: none })
    await store.migrate('registration', first.migrations ?? {})
    await first.start?.()
    const second = registration({ platform, config, directory: none })
    await second.start?.()
    t.after(async () => {
      await first.stop?.(100)
      await second.stop?.(100)
    })

    assert.equal(first.contract.agreements.permitting(call), undefined)
    const agreed = await first.contract.agreements.agree({ from: 'X26', to: 'A20047', interaction: prefix }, 'tester')
    assert.deepEqual(first.contract.agreements.permitting(call), agreed)
    assert.equal(first.contract.agreements.permitting({ ...call, toOdsCode: 'B82617' }), undefined)
    assert.equal(
      first.contract.agreements.permitting({ ...call, interaction: 'urn:nhs:names:services:pds:X' }),
      undefined,
    )
    const again = await first.contract.agreements.agree({ from: 'X26', to: 'A20047', interaction: prefix }, 'tester')
    assert.deepEqual(again, agreed, 'the same agreement is not made twice')

    await new Promise<void>((resolve, reject) => {
      const until = Date.now() + 2000
      const look = () => {
        if (second.contract.agreements.permitting(call) !== undefined) resolve()
        else if (Date.now() > until) reject(new Error('the other service never saw the agreement'))
        else setTimeout(look, 5)
      }
      look()
    })

    const exact = await first.contract.agreements.agree(
      { from: '200000100000', to: '200000100001', interaction: call.interaction },
      'tester',
    )
    assert.equal(await first.contract.agreements.withdraw(agreed.id, 'tester'), true)
    assert.deepEqual(first.contract.agreements.permitting(call), exact)
    assert.equal(await first.contract.agreements.withdraw(agreed.id, 'tester'), false)
    assert.equal(await first.contract.agreements.withdraw('no such id', 'tester'), false)

    const third = registration({ platform, config, directory: none })
    await third.start?.()
    t.after(() => third.stop?.(100))
    assert.deepEqual(third.contract.agreements.list(), [exact])

    const audited = await platform.audit.find({ event: 'registration.agreement.withdrawn', limit: 10 })
    assert.equal(audited.length, 1)
    assert.equal(audited[0]?.facts['by'], 'tester')
  })

  test('refuses what is no agreement', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const service = registration({ platform, config: registrationConfig.parse({ maxAgreements: 1 }), directory: none })
    await store.migrate('registration', service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const good = { from: 'X26', to: 'A20047', interaction: prefix }
    for (const [change, code] of [
      [{ from: '' }, 'REGISTRATION_SIDE'],
      [{ from: 'X 26' }, 'REGISTRATION_SIDE'],
      [{ to: '12345678901' }, 'REGISTRATION_SIDE'],
      [{ interaction: '*' }, 'REGISTRATION_INTERACTION'],
      [{ interaction: 'urn:nhs:*:x' }, 'REGISTRATION_INTERACTION'],
      [{ interaction: 'gpconnect' }, 'REGISTRATION_INTERACTION'],
    ] as const) {
      await assert.rejects(service.contract.agreements.agree({ ...good, ...change }, 'tester'), { code })
    }
    await service.contract.agreements.agree(good, 'tester')
    await assert.rejects(service.contract.agreements.agree({ ...good, to: 'B82617' }, 'tester'), {
      code: 'REGISTRATION_FULL',
    })
    assert.equal((await service.health?.())?.status, 'pass')
  })

  test('several at once: all or none, once, and for the state that they were worked out for', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const service = registration({ platform, config: registrationConfig.parse({ maxAgreements: 3 }), directory: none })
    await store.migrate('registration', service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const { agreements: contract } = service.contract
    const agreement = (to: string) => ({ from: 'X26', to, interaction: prefix })
    const sides = () => contract.list().map(({ to }) => to)

    const first = await contract.change({ agree: ['A1', 'A2'].map(agreement), withdraw: [] }, 'tester')
    assert.equal(first.version, contract.version())
    const again = await contract.change({ agree: [' A1 ', 'A2'].map(agreement), withdraw: [] }, 'tester')
    assert.equal(again.version, first.version, 'what is in force is no change')
    const broken = { agree: ['A3', 'no code'].map(agreement), withdraw: contract.list().map(({ id }) => id) }
    assert.throws(() => contract.check(broken), {
      code: 'REGISTRATION_SIDE',
      outcome: { change: 1, ...agreement('no code') },
    })
    await assert.rejects(contract.change(broken, 'tester'), { code: 'REGISTRATION_SIDE' })
    const many = { agree: ['A3', 'A4'].map(agreement), withdraw: [] }
    assert.throws(() => contract.check(many), { code: 'REGISTRATION_FULL' })
    await assert.rejects(contract.change(many, 'tester'), { code: 'REGISTRATION_FULL' })
    assert.deepEqual(sides(), ['A1', 'A2'])

    const withdraw = contract.list().map(({ id }) => id)
    contract.check({ ...many, withdraw })
    const ifVersion = contract.version()
    await contract.change({ ...many, withdraw }, 'tester', { ifVersion })
    assert.deepEqual(sides(), ['A3', 'A4'])
    await assert.rejects(contract.change({ agree: [], withdraw }, 'tester', { ifVersion }), {
      code: 'REGISTRATION_VERSION',
      outcome: { version: ifVersion + 1, expected: ifVersion },
    })
    const audited = await platform.audit.find({ event: 'registration.agreement.agreed', limit: 10 })
    assert.deepEqual(audited.map(({ facts }) => facts['to']).sort(), ['A1', 'A2', 'A3', 'A4'])
  })
})
