import { readFile } from 'node:fs/promises'
import { systemClock } from '../clock.ts'
import { folderLock } from './folder-lock.ts'
import { openTrust } from './open.ts'
import { quiet } from './testing.ts'

/** Another process at the same folder, as the command `openspine cert` is: for tests. */
const [directory = '', task = '', name = ''] = process.argv.slice(2)

if (task === 'hang') {
  const lock = await folderLock(directory)
  await lock.hold(() => {
    process.send?.('holding')
    setInterval(() => undefined, 1_000)
    return new Promise(() => undefined)
  })
}
const trust = await openTrust({
  directory,
  environment: 'test',
  clock: systemClock,
  log: quiet,
  authorityKeys: 'ec',
  keyType: 'ec',
})
if (task === 'issue') for (let round = 0; round < 3; round++) await trust.issue({ fqdn: name })
if (task === 'revoke') await trust.revoke(name)
const at = Date.now()
process.stdout.write(JSON.stringify({ root: await readFile(trust.files.root, 'utf8'), at }))
await trust.close()
