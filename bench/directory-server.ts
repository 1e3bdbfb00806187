/**
 * Our side of the directory benchmark. `write FOLDER COUNT` registers the entries in an embedded store; `serve FOLDER`
 * opens that store as a fresh process does and serves it: the whole service with store, audit and LDAP face.
 */
import { join } from 'node:path'
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
const [, plain] = await Promise.all((service.listeners ?? []).map((listener) => listener.listen()))
tell({ pid: process.pid, port: plain?.port, loadMs })
createInterface({ input: process.stdin }).on('close', async () => {
  await Promise.all((service.listeners ?? []).map((listener) => listener.close(500)))
  await close()
  process.exit(0)
})
