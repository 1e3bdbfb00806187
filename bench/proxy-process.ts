/**
 * Our proxy as a process of its own for the benchmark: real trust, real audit (the journal, with an embedded
 * store behind it), every check on, and a directory of five thousand systems in memory.
 */
import { join } from 'node:path'
import { openAudit } from '@openspine/platform/audit'
import { systemClock, systemRandom } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Platform } from '@openspine/platform/service'
import { openStore } from '@openspine/platform/store'
import { openTrust } from '@openspine/platform/trust'
import type { AccreditedSystem, DirectorySnapshot, MessageHandlingSystem } from '@openspine/services/directory/contract'
import { proxy, proxyConfig } from '@openspine/services/proxy'
import { cipher } from './nginx.ts'

const [folder = '', port = '0', endpoint = ''] = process.argv.slice(2)
const log = makeLog({ level: 'warn', environment: 'bench' })
const trust = await openTrust({ directory: join(folder, 'trust'), environment: 'bench', clock: systemClock, log })
const url = process.env['BENCH_DATABASE_URL']
const store = await openStore({
  ...(url ? { databaseUrl: url } : { memory: true }),
  log,
  clock: systemClock,
} as Parameters<typeof openStore>[0])
const metrics = makeMetrics()
const audit = await openAudit({
  store,
  clock: systemClock,
  random: systemRandom,
  log,
  metrics,
  journalDir: join(folder, 'audit'),
})

const interaction = 'urn:nhs:names:services:gpconnect:fhir:rest:search:patient-1'
const systems = new Map<string, AccreditedSystem>()
const handlers = new Map<string, MessageHandlingSystem[]>()
for (let number = 1; number <= 5000; number++) {
  const asid = String(200_000_000_000 + number)
  const odsCode = number === 1 ? 'X26' : number === 2 ? 'A20047' : `Z${number}`
  const partyKey = `${odsCode}-${100_000 + number}`
  const fqdn = number === 1 ? 'consumer.example.test' : `s${number}.example.test`
  systems.set(asid, {
    asid,
    odsCode,
    partyKey,
    interactions: new Set([interaction, ...Array.from({ length: 20 }, (_, i) => `${interaction}:${i}`)]),
    fqdns: new Set([fqdn]),
  })
  const value = number === 2 ? endpoint : `https://${fqdn}/${odsCode}/STU3/1/gpconnect`
  handlers.set(`${partyKey} ${interaction}`, [
    { cpaId: `S${number}`, odsCode, partyKey, interaction, endpoints: [value], fqdn },
  ])
}
const snapshot: DirectorySnapshot = {
  version: 1,
  accreditedSystem: (asid) => systems.get(asid),
  accreditedSystems: () => [...systems.values()],
  messageHandlingSystems: (wanted) => handlers.get(`${wanted.partyKey} ${wanted.interaction}`) ?? [],
  holdsService: (uniqueIdentifier) => systems.has(uniqueIdentifier),
  acceptsOrganisation: () => true,
  knowsInteraction: (wanted) => wanted === interaction,
  organisation: () => undefined,
}
const agreement = { id: 'a1', from: 'X26', to: 'A20047', interaction }
const agreements = new Map([[`X26 A20047 ${interaction}`, agreement]])
const platform = {
  environment: 'bench',
  profile: 'sandbox',
  dataDir: folder,
  clock: systemClock,
  random: systemRandom,
  log,
  metrics,
  store,
  trust,
  audit,
} as unknown as Platform
const service = proxy({
  platform,
  config: proxyConfig.parse({
    port: Number(port),
    tls13: false,
    ciphers: cipher,
    hosts: ['gp.example.test=127.0.0.1'],
  }),
  directory: { snapshot: () => snapshot },
  agreements: { permitting: (call) => agreements.get(`${call.fromOdsCode} ${call.toOdsCode} ${call.interaction}`) },
})
await service.start?.()
for (const listener of service.listeners ?? []) await listener.listen()
process.stdout.write('ready\n')
process.once('SIGTERM', () => {
  void (async () => {
    for (const listener of service.listeners ?? []) await listener.close(200)
    await service.stop?.(200)
    process.exit(0)
  })()
})
