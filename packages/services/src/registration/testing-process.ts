import { writeSync } from 'node:fs'
import { systemClock } from '@openspine/platform/clock'
import { openStore } from '@openspine/platform/store'
import { silentLog } from '@openspine/platform/testing'
import { addProduct, register, startRegistration } from './testing.ts'

/**
 * A process that registers systems, and says each when it is acknowledged: for the test that kills it. Arguments: the
 * store, the folder of audit and certificates, how many, how many at once.
 */
const [storeOptions = '{}', dataDir = '', count = '0', hands = '1'] = process.argv.slice(2)

const store = await openStore({ ...JSON.parse(storeOptions), log: silentLog(), clock: systemClock, poolSize: 8 })
const house = await startRegistration({
  platform: { store, dataDir },
  directorySettings: { organisations: 'never', changeLogSize: 1_000_000 },
})
const { contract } = house
const product = await addProduct(contract, { kinds: ['CMA'], messages: ['access-record-html'] })
const fqdn = 'hosted.supplier.example'
let next = 0

async function work(): Promise<void> {
  while (next < Number(count)) {
    const odsCode = `T${String(next++).padStart(6, '0')}`
    const url = `https://${fqdn}/${odsCode}/DSTU2/1`
    const { asid, partyKey, id } = await register(contract, {
      kind: 'CMA',
      odsCode,
      productId: product.id,
      fqdn,
      urls: [{ url }],
    })
    // A write that has returned is with the reader, whatever becomes of this process.
    writeSync(1, `${JSON.stringify({ id, odsCode, asid, partyKey })}\n`)
  }
}
await Promise.all(Array.from({ length: Number(hands) }, work))
writeSync(1, 'done\n')
await house.close()
await store.close()
