/** A process that updates a person until it is killed: `crash-process.ts <store options> <how many>`. */
import { writeSync } from 'node:fs'
import { systemClock, systemRandom } from '@openspine/platform/clock'
import { openStore } from '@openspine/platform/store'
import { silentLog } from '@openspine/platform/testing'
import { changeStore } from './changes/store.ts'
import { updateThrough } from './crash-updates.ts'
import { personStore } from './store.ts'

const [options = '{}', count = '0'] = process.argv.slice(2)
const store = await openStore({ ...JSON.parse(options), log: silentLog(), clock: systemClock, poolSize: 4 })
const parts = { people: personStore(store), changes: changeStore(store), clock: systemClock, random: systemRandom }
let version = 1
for (let index = 0; index < Number(count); index++) {
  const answer = await updateThrough(parts, { index, version })
  version = Number(JSON.parse(answer.body).meta.versionId)
  writeSync(1, `${JSON.stringify({ index, version })}\n`)
}
writeSync(1, 'done\n')
