import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform, within } from '@openspine/platform/testing'
import { accessControl } from './service.ts'

const files = (version: string, activity: string) => ({
  'version.json': JSON.stringify({ version, source: 'Invented for a test.' }),
  'job-roles.csv': 'code,name\nR8000,Clinical Practitioner Access Role\n',
  'baseline.csv': `activity,job role\n${activity},R8000\n`,
})

forEachStore((open) => {
  test('another version takes effect in every process, outlives them, and is named by decisions', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store, clock: manualClock('2026-11-25T12:00:00Z') })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const make = async () => {
      const service = accessControl({ platform: { ...platform, metrics: makeMetrics() } })
      await store.migrate(service.name, service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      return service.contract
    }
    const first = await make()
    const second = await make()
    const role = { jobRole: 'S8000:G8000:R8000' }
    assert.equal(first.version, 'published-2026-11-25')
    assert.deepEqual([first.isPermitted(role, 'B8029'), first.isPermitted(role, 'B0820')], [true, false])

    const imported = await first.import(files('local-1', 'B0825'), 'tester')
    assert.equal(imported.inUse, true)
    assert.deepEqual([first.isPermitted(role, 'B8029'), first.isPermitted(role, 'B0825')], [false, true])
    await within(1_500, 'the rules in the other process', () => second.version === 'local-1')
    const decision = second.decide({
      roles: [{ id: '1', ...role }],
      selectedRoleId: '1',
      need: { any: ['B0825'] },
    })
    assert.equal(decision.version, 'local-1')
    assert.equal(decision.allowed, true)

    // The very same again changes nothing; other rules of that version are refused, also of the one that is ours.
    await second.import(files('local-1', 'B0825'), 'tester')
    await assert.rejects(second.import(files('local-1', 'B0820'), 'tester'), { code: 'RBAC_VERSION_TAKEN' })
    await assert.rejects(second.import(files('published-2026-11-25', 'B0820'), 'tester'), {
      code: 'RBAC_VERSION_TAKEN',
    })
    await assert.rejects(second.use('local-2', 'tester'), { code: 'RBAC_VERSION_UNKNOWN' })
    await assert.rejects(second.import({}, 'tester'), { code: 'RBAC_RULES_INVALID' })
    assert.equal(second.isPermitted(role, 'B0825'), true)

    const third = await make()
    assert.equal(third.version, 'local-1', 'rules outlive the process')
    assert.deepEqual(
      (await third.versions()).map(({ version, inUse }) => [version, inUse]),
      [
        ['published-2026-11-25', false],
        ['local-1', true],
      ],
    )
    await third.use('published-2026-11-25', 'tester')
    assert.equal(third.isPermitted(role, 'B8029'), true)
    await within(1_500, 'the way back in the other process', () => first.version === 'published-2026-11-25')
    await first.use('local-1', 'tester')
    const audited = await platform.audit.find({ event: 'access-control.rules.imported', limit: 10 })
    assert.deepEqual(new Set(audited.map(({ facts }) => facts['version'])), new Set(['local-1']))
  })

  test('of two imports of one name at once, one set of rules stays', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const service = accessControl({ platform })
    await store.migrate(service.name, service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => service.contract.import(files('local-1', `B000${i}`), 'tester')),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    const [, kept] = await service.contract.versions()
    assert.equal(kept?.version, 'local-1')
  })
})
