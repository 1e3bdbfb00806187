import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { oids, pagedResults, parseFilter, readPage } from '@openspine/standards/ldap'
import { directory, directoryConfig } from './service.ts'
import { plainClient } from './testing/wire.ts'
import { accreditedSystem, put, startDirectory, structured } from './testing.ts'

/** Names of everything, page by page. */
async function paged(port: number): Promise<string[]> {
  const client = await plainClient(port)
  const names: string[] = []
  let cookie: Uint8Array = Buffer.alloc(0)
  do {
    const answer = await client.ask(
      {
        op: 'search',
        base: 'o=nhs',
        scope: 2,
        derefAliases: 0,
        sizeLimit: 0,
        timeLimit: 0,
        typesOnly: false,
        filter: parseFilter('(&)'),
        attributes: ['1.1'],
      },
      [pagedResults({ size: 7, cookie }, true)],
    )
    assert.equal(answer.code, 0)
    names.push(...answer.entries.map(({ dn }) => dn))
    cookie = readPage(answer.controls.find(({ oid }) => oid === oids.pagedResults)?.value).cookie
  } while (cookie.length > 0)
  client.socket.destroy()
  return names
}

const systems = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    put(
      accreditedSystem({
        asid: String(from + i),
        odsCode: 'X26',
        partyKey: 'X26-850002',
        interactions: [structured],
      }),
    ),
  )

test('pages of the whole tree hold every entry once, in one order: that of changes and of a process that loads them', async (t) => {
  const running = await startDirectory({ plainPort: 0, organisations: 'never', changeLogSize: 100 })
  t.after(() => running.close())
  const { contract } = running.service
  const other = directory({
    platform: { ...running.platform, metrics: makeMetrics() },
    config: directoryConfig.parse({ port: 0, plainPort: 0, organisations: 'never', changeLogSize: 100 }),
  })
  await other.start?.()
  t.after(() => other.stop?.(100))
  const port = (await other.listeners?.[1]?.listen())?.port ?? 0
  t.after(() => other.listeners?.[1]?.close(100))
  for (const [step, changes] of [
    systems(200_000_000_000, 40),
    [
      { kind: 'delete', dn: 'uniqueIdentifier=200000000003,ou=Services,o=nhs' } as const,
      ...systems(200_000_001_000, 3),
    ],
    systems(200_000_002_000, 150),
    systems(200_000_002_000, 160),
  ].entries()) {
    const { version } = await contract.apply(changes, 'tester')
    while (other.contract.snapshot().version < version) await new Promise((resolve) => setTimeout(resolve, 5))
    const names = await paged(running.plainPort ?? 0)
    assert.equal(new Set(names).size, names.length, `no entry twice after step ${step}`)
    assert.deepEqual(await paged(port), names, `the same order elsewhere after step ${step}`)
    const fresh = directory({
      platform: { ...running.platform, metrics: makeMetrics() },
      config: directoryConfig.parse({ port: 0, plainPort: 0, changeLogSize: 100 }),
    })
    await fresh.start?.()
    const loaded = (await fresh.listeners?.[1]?.listen())?.port ?? 0
    assert.deepEqual(await paged(loaded), names, `and after a restart after step ${step}`)
    await fresh.listeners?.[1]?.close(100)
    await fresh.stop?.(100)
  }
})
