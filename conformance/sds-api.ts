import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { type Door, openDoor } from '@openspine/platform/doors'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Service } from '@openspine/platform/service'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from '@openspine/services/directory'
import type { Directory } from '@openspine/services/directory/contract'
import { gateway, gatewayConfig } from '@openspine/services/gateway'
import type { Gateway } from '@openspine/services/gateway/contract'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly octets: Buffer
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json(): any
}

/** Directory and gateway behind a real door. */
export interface TestApi {
  readonly platform: TestPlatform
  readonly directory: Service<Directory>
  readonly gateway: Service<Gateway>
  readonly door: Door
  readonly caFile: string
  /** `path` with the whole query, as it goes on the wire. */
  ask(
    path: string,
    options?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<Answer>
  close(): Promise<void>
}

export async function startApi(
  about: {
    readonly directory?: Readonly<Record<string, unknown>>
    readonly gateway?: Readonly<Record<string, unknown>>
    readonly platform?: Parameters<typeof testPlatform>[0]
  } = {},
): Promise<TestApi> {
  const platform = await testPlatform(about.platform)
  const theGateway = gateway({ platform, config: gatewayConfig.parse({ ...about.gateway }) })
  const theDirectory = directory({
    platform,
    config: directoryConfig.parse({ port: 0, ...about.directory }),
    gateway: theGateway.contract,
  })
  for (const service of [theGateway, theDirectory]) {
    await platform.store.migrate(service.name, service.migrations ?? {})
    await service.start?.()
  }
  const { log, clock, random, trust } = platform
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log,
    metrics: makeMetrics(),
    clock,
    random,
    routes: theDirectory.routes?.api === undefined ? [] : [theDirectory.routes.api],
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ca: readFileSync(trust.files.bundle) })
  return {
    platform,
    directory: theDirectory,
    gateway: theGateway,
    door,
    caFile: trust.files.bundle,
    ask: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const asking = request({ host: 'localhost', port: door.port, path, method, headers, agent }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const octets = Buffer.concat(chunks)
            const text = octets.toString()
            const { statusCode = 0, headers: sent } = response
            resolve({ status: statusCode, headers: sent, octets, text, json: () => JSON.parse(text) })
          })
        })
        asking.on('error', reject)
        asking.end(body)
      }),
    async close() {
      agent.destroy()
      await door.close(200)
      await theDirectory.stop?.(200)
      await theGateway.stop?.(200)
      await platform.close()
    },
  }
}

export const base = '/spine-directory/FHIR/R4'
export const organization = (code: string) => `organization=${token('ods-organization-code', code)}`
export const manufacturer = (code: string) => `manufacturing-organization=${token('ods-organization-code', code)}`
export const interaction = (id: string) => `identifier=${token('nhsServiceInteractionId', id)}`
export const partyKey = (key: string) => `identifier=${token('nhsMhsPartyKey', key)}`
const token = (system: string, value: string) => encodeURIComponent(`https://fhir.nhs.uk/Id/${system}|${value}`)
