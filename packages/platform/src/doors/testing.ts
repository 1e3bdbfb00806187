import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { TestContext } from 'node:test'
import type { FastifyPluginAsync } from 'fastify'
import { systemClock, systemRandom } from '../clock.ts'
import { makeMetrics } from '../metrics.ts'
import { quiet } from '../trust/testing.ts'
import type { IssuedCertificate, Trust } from '../trust/trust.ts'
import { type Door, type DoorOptions, openDoor } from './door.ts'

/** Tells who asks, waits where it is told to, and fails where it is told to: for tests of doors. */
export const tellsWho: FastifyPluginAsync = async (app) => {
  app.get('/who', async (request) => request.peer)
}

export async function testDoor(
  t: TestContext,
  trust: Trust,
  options: Partial<DoorOptions> & Pick<DoorOptions, 'routes'>,
): Promise<Door> {
  const door = await openDoor({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log: quiet,
    metrics: makeMetrics(),
    clock: systemClock,
    random: systemRandom,
    ...options,
  })
  t.after(() => door.close(0))
  return door
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Asking {
  readonly agent?: Agent
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

export function agentFor(
  trust: Pick<Trust, 'material'>,
  client?: Pick<IssuedCertificate, 'certificate' | 'chain' | 'key'>,
  more: object = {},
): Agent {
  return new Agent({
    keepAlive: true,
    ca: [...trust.material().ca],
    ...(client === undefined ? {} : { cert: client.certificate + client.chain, key: client.key }),
    ...more,
  })
}

export function ask(url: string, { agent, method = 'GET', headers = {}, body }: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ...(agent === undefined ? {} : { agent }) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
