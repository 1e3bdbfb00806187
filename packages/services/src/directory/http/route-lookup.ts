import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { SdsSettled } from '../fhir/face.ts'
import type { DeviceRecord, EndpointRecord, Lookups } from '../lookup.ts'

const requestIds = ['correlation-id', 'message-id', 'interaction-id', 'inbound-message-id'] as const

/** Members of an answer in their order; a list where the attribute has several values or none. */
type Flat = Readonly<Record<string, string | readonly string[]>>

const one = (value: string): string | readonly string[] => (value === '' ? [] : value)

function routing({ asid }: DeviceRecord, endpoint: EndpointRecord): Flat {
  return {
    nhsMhsFQDN: one(endpoint.fqdn),
    nhsMHSEndPoint: endpoint.addresses,
    nhsMHSPartyKey: one(endpoint.partyKey),
    nhsMhsCPAId: one(endpoint.cpaId),
    uniqueIdentifier: [asid],
  }
}

function reliability(_system: DeviceRecord, { reliability: stored }: EndpointRecord): Flat {
  const { nhsMHSActor: _actor, ...six } = stored
  return Object.fromEntries(Object.entries(six).map(([name, value]) => [name, one(value)]))
}

const parts: Readonly<Record<string, (system: DeviceRecord, endpoint: EndpointRecord) => Flat>> = {
  '/routing': routing,
  '/reliability': reliability,
  '/routing-reliability': (system, endpoint) => ({ ...routing(system, endpoint), ...reliability(system, endpoint) }),
}

/**
 * The "spine route lookup" of the old MHS adaptor (directory specification §8): the accredited system of an
 * organisation for an interaction, then its message handling system, as one flat object.
 */
export function routeLookup(needs: {
  readonly path: string
  readonly lookups: Lookups
  readonly clock: Clock
  readonly log: Logger
  settled(event: SdsSettled): Promise<void>
}): FastifyPluginAsync {
  const { lookups, clock, log } = needs
  return async (root) => {
    await root.register(
      async (app) => {
        app.get('/healthcheck', async (_request, reply) => reply.header('cache-control', 'no-store').send())
        for (const [path, part] of Object.entries(parts)) {
          app.get(path, async (request, reply) => {
            const at = clock.now()
            const began = performance.now()
            const query = new URLSearchParams(request.originalUrl.split('?')[1] ?? '')
            const odsCode = query.get('org-code')?.trim() ?? ''
            const interaction = query.get('service-id')?.trim() ?? ''
            let status = 200
            let body: object
            let diagnostics: string | undefined
            if (odsCode === '' || interaction === '') {
              status = 400
              diagnostics = 'Both org-code and service-id are required.'
              body = { error: diagnostics }
            } else {
              try {
                body = part(...route(odsCode, interaction, request))
              } catch (error) {
                status = 500
                diagnostics = error instanceof Error ? error.message : 'The look-up failed.'
                if (!(error instanceof NotRegistered)) log.error({ err: error }, 'a route could not be looked up')
                body = { error: error instanceof NotRegistered ? diagnostics : 'The directory cannot be asked.' }
              }
            }
            await needs.settled({
              at,
              ms: Math.round((performance.now() - began) * 1000) / 1000,
              method: 'GET',
              path,
              operation: path.slice(1),
              named: { odsCode, interaction },
              status,
              count: status === 200 ? 1 : undefined,
              diagnostics,
              correlationId: String(request.headers['correlation-id'] ?? '').slice(0, 128),
              address: request.ip,
              caller: {},
            })
            return send(reply, status, body)
          })
        }
      },
      { prefix: needs.path },
    )
  }

  function route(odsCode: string, interaction: string, request: FastifyRequest): [DeviceRecord, EndpointRecord] {
    const warn = (what: string, count: number) => {
      const ids = Object.fromEntries(
        requestIds.map((name) => [name, String(request.headers[name] ?? '').slice(0, 128)]),
      )
      if (count > 1) log.warn({ odsCode, interaction, count, ...ids }, `several ${what} match: the first is taken`)
    }
    const systems = lookups.devices({ odsCode, interaction })
    warn('accredited systems', systems.length)
    const [system] = systems
    if (system === undefined)
      throw new NotRegistered(`No accredited system of ${odsCode} is registered for ${interaction}.`)
    const endpoints = lookups.registered({ partyKey: system.partyKey, interaction })
    warn('message handling systems', endpoints.length)
    const [endpoint] = endpoints
    if (endpoint === undefined)
      throw new NotRegistered(`No message handling system under ${system.partyKey} is registered for ${interaction}.`)
    return [system, endpoint]
  }
}

/** Answered 500, as the old component does. */
class NotRegistered extends Error {}

const send = (reply: FastifyReply, status: number, body: object) =>
  reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(body)))
