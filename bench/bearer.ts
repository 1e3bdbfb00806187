/**
 * Access tokens at the gateway's door: requests that a process judges in a second of CPU, with tokens that it remembers
 * and with invented ones, all checks and rates included; the store is embedded and in memory. No wire: what a door costs
 * stands with `sds-fhir`. Run alone: `node bench/bearer.ts`.
 */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { testPlatform } from '@openspine/platform/testing'
import { gateway, gatewayConfig } from '@openspine/services/gateway'
import type { Api } from '@openspine/services/gateway/contract'

const tokens = 1_000
const requests = 200_000
const rounds = 3

const api: Api = {
  name: 'bench',
  version: '1',
  basePath: '/bench',
  faults: 'fhir',
  access: [
    { mode: 'application-restricted', grants: ['app:level3'] },
    { mode: 'user-restricted', grants: ['user-nhs-id:aal3', 'user-nhs-cis2:aal2', 'user-nhs-cis2:aal3'] },
    { mode: 'patient', grants: ['user-nhs-login:P9'] },
  ],
  health: async () => ({ status: 'pass' }),
}

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const platform = await testPlatform({ profile: 'strict' })
  const service = gateway({
    platform,
    config: gatewayConfig.parse({ spikePerSecond: 1_000_000, quotaPerMinute: 10_000_000 }),
  })
  const { contract } = service
  try {
    await platform.store.migrate(service.name, service.migrations ?? {})
    contract.declare(api)
    await service.start?.()
    const { application, key } = await contract.create('Bench', 'bench')
    await contract.decide(application.id, 'bench-test', 'approved', 'bench')
    const issued: string[] = []
    for (let n = 0; n < tokens; n++) {
      const { accessToken } = await contract.issue(
        {
          application: application.id,
          key: key.id,
          products: ['bench-test'],
          scopes: ['urn:nhsd:apim:app:level3:bench'],
          type: 'app',
          grantType: 'client_credentials',
          level: 'level3',
          provider: 'apim',
        },
        { access: 600_000 },
      )
      issued.push(accessToken)
    }
    const judged = async (token: string, admitted: boolean) => {
      const credentials = { authorization: `Bearer ${token}` }
      const admission = await contract.judge({ api, method: 'GET', path: '/Patient/1', credentials })
      if (admission.admitted !== admitted) throw new Error(`the door said ${admission.admitted}`)
    }
    for (const token of issued) await judged(token, true)
    const perCpuSecond = async (work: (n: number) => Promise<void>, count: number) => {
      const results: number[] = []
      for (let round = 0; round < rounds; round++) {
        const before = process.cpuUsage()
        for (let n = 0; n < count; n++) await work(n)
        const { user, system } = process.cpuUsage(before)
        results.push(Math.round((count * 1e6) / (user + system)))
      }
      return results.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number
    }
    const known = await perCpuSecond((n) => judged(issued[n % tokens] as string, true), requests)
    const malformed = await perCpuSecond(() => judged('nonsense', false), requests)
    const pool = Array.from({ length: 10_000 }, () => randomBytes(32).toString('base64url'))
    const began = process.cpuUsage()
    await Promise.all(pool.map((token) => judged(token, false)))
    const { user, system } = process.cpuUsage(began)
    const invented = Math.round((pool.length * 1e6) / (user + system))
    process.stdout.write(
      `judged per second of CPU: ${known} with remembered tokens, ${malformed} with malformed ones, ${invented} with invented ones (10 000 at once, the store's share included)\n`,
    )
    return { known, malformed, invented }
  } finally {
    await service.stop?.(1000)
    await platform.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run()
