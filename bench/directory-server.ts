/** Our side of the directory benchmark: the whole service with store, audit and LDAP face; told what it did on stdout. */
import { createInterface } from 'node:readline'
import { testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from '@openspine/services/directory'
import type { DirectoryChange } from '@openspine/services/directory/contract'
import { benchEntries } from './directory-entries.ts'

const entries = Number(process.argv[2] ?? '100000')
const platform = await testPlatform()
const config = directoryConfig.parse({ port: 0, plainPort: 0 })
const writer = directory({ platform, config })
await platform.store.migrate('directory', writer.migrations ?? {})
await writer.start?.()
let changes: DirectoryChange[] = []
const writing = performance.now()
for (const entry of benchEntries(entries)) {
  changes.push({ kind: 'put', entry })
  if (changes.length === 10_000) {
    await writer.contract.apply(changes, 'bench')
    changes = []
  }
}
if (changes.length > 0) await writer.contract.apply(changes, 'bench')
const wrote = performance.now() - writing
await writer.stop?.(1000)

const { metrics: _, ...shared } = platform
const { makeMetrics } = await import('@openspine/platform/metrics')
const service = directory({ platform: { ...shared, metrics: makeMetrics() }, config })
const loading = performance.now()
await service.start?.()
const loaded = performance.now() - loading
const listening = await Promise.all((service.listeners ?? []).map((listener) => listener.listen()))
const client = await platform.trust.issue({ fqdn: 'bench.example.nhs.uk' })
process.stdout.write(
  `${JSON.stringify({
    pid: process.pid,
    port: listening[1]?.port,
    securePort: listening[0]?.port,
    writeMs: Math.round(wrote),
    loadMs: Math.round(loaded),
    ca: platform.trust.files.bundle,
    certificate: client.files.fullChain,
    key: client.files.key,
  })}\n`,
)
createInterface({ input: process.stdin }).on('close', async () => {
  await Promise.all((service.listeners ?? []).map((listener) => listener.close(500)))
  await service.stop?.(500)
  await platform.close()
  process.exit(0)
})
