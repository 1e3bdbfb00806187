import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore, manualClock, testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from '../service.ts'
import { entryStore } from '../store.ts'
import { accreditedSystem, gpPractice, put } from '../testing.ts'

const day = 86_400_000

forEachStore((open) => {
  test('what an organisation was is kept when it is deleted, with the deletion or not at all, and for 200 days', async (t) => {
    const store = await open()
    const clock = manualClock('2026-01-01T00:00:00Z')
    const platform = await testPlatform({ store, clock })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const service = directory({ platform, config: directoryConfig.parse({ port: 0 }) })
    await store.migrate('directory', service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const { contract } = service
    const kept = async (since = 0) =>
      (await entryStore(store).deletedOrganisations(since)).map(({ attributes, at }) => [
        attributes['nhsIDCode']?.[0],
        at,
      ])
    const system = accreditedSystem({
      asid: '200000000001',
      odsCode: 'A99901',
      partyKey: 'A99901-850000',
      interactions: ['urn:nhs:names:services:x:y'],
    })
    await contract.apply(
      [...['A99901', 'A99902', 'A99903'].map((code) => put(gpPractice(code, 'X'))), put(system)],
      'tester',
    )
    const gone = (odsCode: string) => ({
      kind: 'delete' as const,
      dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
    })

    await assert.rejects(contract.apply([gone('A99901'), gone('NOBODY')], 'tester'))
    assert.deepEqual(await kept(), [], 'a refused change deletes nothing')
    await contract.apply([gone('A99901'), { kind: 'delete', dn: system.dn }], 'tester')
    const first = clock.now()
    clock.advance(day)
    await contract.apply([gone('A99902')], 'tester')
    assert.deepEqual(await kept(), [
      ['A99901', first],
      ['A99902', first + day],
    ])
    assert.deepEqual(await kept(first + 1), [['A99902', first + day]])
    clock.advance(200 * day)
    await contract.apply([gone('A99903')], 'tester')
    assert.deepEqual(await kept(), [
      ['A99902', first + day],
      ['A99903', first + 201 * day],
    ])
  })
})
