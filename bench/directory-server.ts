/**
 * Our side of the directory benchmark. `write FOLDER COUNT` registers the entries in an embedded store; `serve FOLDER`
 * opens that store as a fresh process does and serves it: the whole service with store, audit and LDAP face. A line
 * `change N` on its input writes N entries anew, and tells how long the event loop was held up meanwhile.
 */
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { openStore } from '@openspine/platform/store'
import { testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from '@openspine/services/directory'
import type { DirectoryChange } from '@openspine/services/directory/contract'
import { benchEntries } from './directory-entries.ts'

const [task = '', folder = '', count = '0'] = process.argv.slice(2)
const log = makeLog({ level: 'warn', environment: 'bench' })
const store = await openStore({ directory: join(folder, 'store'), log, clock: systemClock })
const platform = await testPlatform({ store, log })
const service = directory({ platform, config: directoryConfig.parse({ port: 0, plainPort: 0 }) })
await store.migrate('directory', service.migrations ?? {})
const tell = (facts: Readonly<Record<string, unknown>>) => process.stdout.write(`${JSON.stringify(facts)}\n`)
const close = async () => {
  await service.stop?.(1000)
  await platform.close()
  await store.close()
}

const started = performance.now()
await service.start?.()
if (task === 'write') {
  let changes: DirectoryChange[] = []
  for (const entry of benchEntries(Number(count))) {
    changes.push({ kind: 'put', entry })
    if (changes.length < 10_000) continue
    await service.contract.apply(changes, 'bench')
    changes = []
  }
  if (changes.length > 0) await service.contract.apply(changes, 'bench')
  await close()
  tell({ writeMs: Math.round(performance.now() - started) })
  process.exit(0)
}
const loadMs = Math.round(performance.now() - started)
const [secure, plain] = await Promise.all((service.listeners ?? []).map((listener) => listener.listen()))
const client = await platform.trust.issue({ fqdn: 'bench.example.nhs.uk' })
const peer = await platform.trust.issue({ fqdn: 'localhost', names: ['localhost', '127.0.0.1'] })
tell({
  pid: process.pid,
  port: plain?.port,
  securePort: secure?.port,
  loadMs,
  /** Since the process began. */
  readyMs: Math.round(performance.now()),
  ca: platform.trust.files.bundle,
  client: client.files,
  peer: peer.files,
})

async function change(entries: number): Promise<void> {
  const changes: DirectoryChange[] = []
  for (const { dn, attributes } of benchEntries(entries)) {
    changes.push({ kind: 'put', entry: { dn, attributes: { ...attributes, nhsProductVersion: ['1.1'] } } })
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const began = performance.now()
  await service.contract.apply(changes, 'bench')
  const applyMs = Math.round(performance.now() - began)
  delay.disable()
  tell({ applyMs, longestGapMs: Math.round(delay.max / 1e6) })
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    void change(Number(line.split(' ')[1]))
  })
  .on('close', async () => {
    await Promise.all((service.listeners ?? []).map((listener) => listener.close(500)))
    await close()
    process.exit(0)
  })
