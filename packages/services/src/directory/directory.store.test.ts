import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, testPlatform } from '@openspine/platform/testing'
import type { DirectoryChange } from './contract.ts'
import { directory, directoryConfig } from './service.ts'
import { accreditedSystem, put, samples, structured, visitors } from './testing.ts'

const metadataOnly = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1'
const system = (asid: string, odsCode = 'A99968', interactions: readonly string[] = [metadataOnly]) =>
  put(accreditedSystem({ asid, odsCode, partyKey: `${odsCode}-850000`, interactions }))

/** Resolves when `there` holds; fails after two seconds. */
async function eventually(there: () => boolean, what: string): Promise<void> {
  for (const until = Date.now() + 2000; !there(); ) {
    if (Date.now() > until) throw new Error(`never seen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

forEachStore((open) => {
  test('what is applied is seen, numbered, followed by others and outlives the process', async (t) => {
    const store = await open()
    const platforms = [await testPlatform({ store }), await testPlatform({ store })]
    t.after(async () => {
      for (const platform of platforms) await platform.close()
      await store.close()
    })
    const config = directoryConfig.parse({ port: 0, changeLogSize: 100 })
    const make = async (which: number) => {
      const platform = platforms[which]
      assert.ok(platform !== undefined)
      const service = directory({ platform: { ...platform, metrics: makeMetrics() }, config })
      await store.migrate('directory', service.migrations ?? {})
      await service.start?.()
      t.after(() => service.stop?.(100))
      return service.contract
    }
    const first = await make(0)
    const second = await make(1)
    const start = first.snapshot().version
    assert.equal(start, 6, 'the branches are the first changes')

    let told = 0
    second.onChange(() => told++)
    const { version } = await first.apply(samples, 'tester')
    assert.equal(version, start + samples.length)
    assert.equal(first.snapshot().version, version)
    await eventually(() => second.snapshot().version === version, 'the version in the other process')
    assert.ok(told > 0)

    for (const directoryHere of [first, second]) {
      const snapshot = directoryHere.snapshot()
      assert.deepEqual(snapshot.accreditedSystem('200000100101'), {
        asid: '200000100101',
        odsCode: 'A99968',
        partyKey: 'A99968-850000',
        interactions: new Set([structured, metadataOnly]),
        manufacturer: 'YY001',
        fqdns: new Set(['gp.example.thirdparty.nhs.uk']),
      })
      assert.equal(
        snapshot.accreditedSystem('0123456789abcdef0123'),
        undefined,
        'a message handling system has no ASID',
      )
      assert.deepEqual(
        snapshot.accreditedSystems({ interaction: structured }).map(({ asid }) => asid),
        ['200000100101', '200000100202'],
      )
      assert.deepEqual(
        snapshot.accreditedSystems({ odsCode: 'X26', interaction: structured }).map(({ asid }) => asid),
        ['200000100202'],
      )
      assert.equal(snapshot.accreditedSystems({}).length, 3)
      assert.deepEqual(
        snapshot
          .messageHandlingSystems({ partyKey: 'yes-0000806', interaction: visitors })
          .map(({ cpaId, endpoints }) => [cpaId, endpoints]),
        [['S20001A000182', ['https://msg.example.nhs.uk/visitors']]],
      )
      assert.equal(snapshot.knowsInteraction(visitors), true)
      assert.equal(snapshot.knowsInteraction('urn:nhs:names:services:nothing:here'), false)
    }

    const before = first.snapshot()
    await first.apply([{ kind: 'delete', dn: 'UniqueIdentifier=200000100202, ou=services,o=nhs' }], 'tester')
    await second.apply([system('200000100303', 'X26'), system('200000100202', 'X26')], 'tester')
    assert.equal(before.accreditedSystems({ odsCode: 'X26' }).length, 1, 'a snapshot stays as it was')
    await eventually(() => first.snapshot().version === version + 3, 'the changes of the other process')
    assert.deepEqual(
      first
        .snapshot()
        .accreditedSystems({ odsCode: 'X26' })
        .map(({ asid }) => asid),
      ['200000100303', '200000100202'],
      'what was removed and added again stands last',
    )

    assert.deepEqual(
      await first.apply([system('200000100303', 'X26')], 'tester'),
      { version: version + 3 },
      'no change, no number',
    )

    const third = await make(0)
    assert.deepEqual(third.snapshot().version, version + 3)
    assert.deepEqual(
      third
        .snapshot()
        .accreditedSystems({})
        .map(({ asid }) => asid),
      first
        .snapshot()
        .accreditedSystems({})
        .map(({ asid }) => asid),
    )
    const audited = await platforms[0]?.audit.find({ event: 'directory.change', limit: 10 })
    assert.ok((audited?.length ?? 0) >= 2)
  })

  test('all changes of a call or none, whoever writes at the same time', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const config = directoryConfig.parse({ port: 0, organisations: 'never' })
    const service = directory({ platform, config })
    await store.migrate('directory', service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const { contract } = service
    const start = contract.snapshot().version
    await assert.rejects(contract.apply([system('200000100001'), system('12')], 'tester'), {
      code: 'DIRECTORY_ASID',
      outcome: { change: 1, dn: 'uniqueIdentifier=12,ou=Services,o=nhs', attribute: 'uniqueIdentifier' },
    })
    assert.equal(contract.snapshot().version, start)
    assert.equal(contract.snapshot().accreditedSystem('200000100001'), undefined)

    const tree = contract.tree()
    assert.equal(tree.version, start)
    await assert.rejects(tree.check([system('200000100001'), system('12')]), { code: 'DIRECTORY_ASID' })
    const warnings = await tree.check([system('200000100001'), system('12')], { imported: true })
    assert.deepEqual(
      warnings.map(({ change, code }) => [change, code]),
      [[1, 'DIRECTORY_ASID']],
    )
    assert.equal(contract.snapshot().version, start, 'a check writes nothing')
    await assert.rejects(contract.apply([system('200000100001')], 'tester', { ifVersion: start - 1 }), {
      code: 'DIRECTORY_VERSION',
      outcome: { version: start, expected: start - 1 },
    })
    await contract.apply([system('200000100001')], 'tester', { ifVersion: start })
    assert.equal(tree.entry('uniqueIdentifier=200000100001,ou=Services,o=nhs'), undefined, 'a tree stays as it was')
    assert.deepEqual([...contract.tree().names()].at(-1), 'uniqueIdentifier=200000100001,ou=Services,o=nhs')
    await contract.apply([{ kind: 'delete', dn: 'uniqueIdentifier=200000100001,ou=Services,o=nhs' }], 'tester')

    const versions = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, i) => (await contract.apply([system(String(200_000_200_000 + i))], 'tester')).version,
      ),
    )
    assert.deepEqual(
      versions.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => start + 3 + i),
      'numbers without gaps',
    )
    const { rows } = await store.pool.query('select number from directory.change order by number')
    assert.deepEqual(
      rows.map(({ number }) => Number(number)),
      Array.from({ length: start + 22 }, (_, i) => i + 1),
    )
  })

  test('waiting calls are committed together, and a refused one refuses alone', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    let transactions = 0
    const db = new Proxy(store.db, {
      get(target, name) {
        if (name === 'transaction') transactions++
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const config = directoryConfig.parse({ port: 0, organisations: 'never' })
    const service = directory({ platform: { ...platform, store: { ...store, db } }, config })
    await store.migrate('directory', service.migrations ?? {})
    await service.start?.()
    t.after(() => service.stop?.(100))
    const { contract } = service
    const start = contract.snapshot().version
    const create = (asid: string, odsCode?: string): DirectoryChange => {
      const change = system(asid, odsCode)
      assert.equal(change.kind, 'put')
      return { kind: 'create', entry: change.entry }
    }
    transactions = 0
    const settled = await Promise.allSettled([
      contract.apply([create('200000100001')], 'tester'),
      contract.apply([create('200000100002'), create('200000100001', 'X26')], 'tester'),
      contract.apply([create('200000100003'), create('12')], 'tester'),
      contract.apply([create('200000100001')], 'tester'),
      contract.apply([create('200000100002', 'X26')], 'tester'),
      contract.apply([{ kind: 'delete', dn: 'uniqueIdentifier=200000100003,ou=Services,o=nhs' }], 'tester'),
      contract.apply(
        [{ kind: 'delete', dn: 'uniqueIdentifier=200000100003,ou=Services,o=nhs', ifThere: true }],
        'tester',
      ),
      contract.apply([system('200000100002', 'X27')], 'tester'),
    ])
    assert.deepEqual(
      settled.map((each) =>
        each.status === 'fulfilled' ? each.value.version - start : (each.reason as { code?: string }).code,
      ),
      [1, 'DIRECTORY_ENTRY_EXISTS', 'DIRECTORY_ASID', 1, 2, 'DIRECTORY_NO_SUCH_ENTRY', 2, 3],
    )
    assert.ok(transactions <= 2, `${transactions} transactions for eight calls`)
    const snapshot = contract.snapshot()
    assert.equal(snapshot.accreditedSystem('200000100002')?.odsCode, 'X27')
    assert.equal(snapshot.accreditedSystem('200000100001')?.odsCode, 'A99968')
    assert.equal(snapshot.accreditedSystem('200000100003'), undefined)
    const again = directory({ platform: { ...platform, metrics: makeMetrics() }, config })
    await again.start?.()
    t.after(() => again.stop?.(100))
    assert.deepEqual(
      again.contract
        .snapshot()
        .accreditedSystems({})
        .map(({ asid, odsCode }) => [asid, odsCode]),
      snapshot.accreditedSystems({}).map(({ asid, odsCode }) => [asid, odsCode]),
    )
    const { rows } = await store.pool.query('select number, kind from directory.change where number > $1 order by 1', [
      start,
    ])
    assert.deepEqual(
      rows.map(({ number, kind }) => [Number(number) - start, kind]),
      [
        [1, 'add'],
        [2, 'add'],
        [3, 'modify'],
      ],
    )
  })

  test('a process far behind reads the whole tree again, and the change log keeps its size', async (t) => {
    const store = await open()
    const platform = await testPlatform({ store })
    t.after(async () => {
      await platform.close()
      await store.close()
    })
    const config = directoryConfig.parse({ port: 0, organisations: 'never', changeLogSize: 100 })
    // Hears of nothing: as a process that was cut off.
    const deaf = directory({ platform: { ...platform, store: { ...store, onAnnounced: () => () => {} } }, config })
    await store.migrate('directory', deaf.migrations ?? {})
    await deaf.start?.()
    const writer = directory({ platform: { ...platform, metrics: makeMetrics() }, config })
    await writer.start?.()
    t.after(async () => {
      await deaf.stop?.(100)
      await writer.stop?.(100)
    })
    const many = Array.from({ length: 250 }, (_, i) => system(String(200_000_300_000 + i)))
    await writer.contract.apply(many, 'tester')
    assert.equal(deaf.contract.snapshot().version, 6)
    await deaf.contract.apply([system('200000400000')], 'tester')
    assert.equal(deaf.contract.snapshot().version, 257)
    assert.equal(deaf.contract.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 251)
    const { rows } = await store.pool.query('select min(number) as first, max(number) as last from directory.change')
    assert.deepEqual([Number(rows[0].first), Number(rows[0].last)], [158, 257])
  })
})
