import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Client } from '../clients.ts'
import type { ApiKey, Application, Gateway, KeyUse, Refusal } from '../contract.ts'
import { keysOfSet, type ShownKey } from '../key-set.ts'

/** Where an application's owner looks at it. */
export const ownPath = '/application'

export interface OwnNeeds {
  /** The client whose id and secret these are, if it is served. */
  clientOf(clientId: string, secret: string): Client | undefined
  /** Counts the request; the refusal of an application that asks too often. */
  rate(clientId: string): Refusal | undefined
  application(id: string): Application | undefined
  messageId(): string
  readonly uses: Gateway['uses']
  readonly refusals: Gateway['refusals']
}

/**
 * What the platform knows of an application, for whoever has its client id and secret (HTTP Basic): an addition to the
 * national platform, whose owners look at pages. `GET /application`, `GET /application/refusals`.
 */
export function ownFace(needs: OwnNeeds): FastifyPluginAsync {
  return async (root) => {
    await root.register(
      async (app) => {
        const own = (path: string, answer: (application: Application) => Promise<unknown>) => {
          app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
            reply.header('cache-control', 'no-store')
            const [clientId, secret] = basic(request)
            const client = needs.clientOf(clientId, secret)
            const application = needs.application(client?.application ?? '')
            if (application === undefined) return unauthorised(reply, needs.messageId())
            const limited = needs.rate(clientId)
            if (limited !== undefined)
              return reply
                .code(limited.status)
                .headers({ ...limited.headers, 'content-type': limited.contentType })
                .send(Buffer.from(limited.body))
            return answer(application)
          })
          app.route({
            url: path,
            method: ['DELETE', 'HEAD', 'PATCH', 'POST', 'PUT'],
            handler: (_request, reply) => reply.code(405).header('allow', 'GET').send(),
          })
        }
        own('/', async (application) => shown(application, await needs.uses(application.id)))
        own('/refusals', async ({ id }) => ({
          refusals: (await needs.refusals(id)).map(({ at, ...refusal }) => ({ at: iso(at), ...refusal })),
        }))
      },
      { prefix: ownPath },
    )
  }
}

const iso = (at: number) => new Date(at).toISOString()

/** Client id and secret of `Authorization: Basic …`; empty where there are none. */
function basic({ headers }: FastifyRequest): readonly [string, string] {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? ['', ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

const unauthorised = (reply: FastifyReply, message_id: string) =>
  reply.code(401).header('www-authenticate', 'Basic realm="application", charset="UTF-8"').send({
    error: 'invalid_client',
    error_description: 'client_id or client_secret is invalid',
    message_id,
  })

interface Times {
  readonly firstUsedAt?: string
  readonly lastUsedAt?: string
}

/** An application as its owner is shown it: times in ISO 8601. */
export interface ShownApplication extends Omit<Application, 'publicKeys' | 'createdAt' | 'keys'> {
  readonly createdAt: string
  readonly keys: readonly (Omit<ApiKey, 'createdAt' | 'revokedAt'> &
    Times & { readonly createdAt: string; readonly revokedAt?: string; readonly secretLastUsedAt?: string })[]
  readonly publicKeys?:
    | readonly (ShownKey & Times)[]
    | { readonly url: string; readonly used: readonly ({ readonly kid: string } & Times)[] }
}

export function shown(
  { publicKeys, createdAt, keys, ...application }: Application,
  uses: readonly KeyUse[],
): ShownApplication {
  const used = (kind: KeyUse['kind'], name: string) => uses.find((use) => use.kind === kind && use.name === name)
  const times = (use: KeyUse | undefined): Times =>
    use === undefined ? {} : { firstUsedAt: iso(use.firstUsedAt), lastUsedAt: iso(use.lastUsedAt) }
  return {
    ...application,
    createdAt: iso(createdAt),
    keys: keys.map(({ createdAt: made, revokedAt, ...key }) => {
      const secret = used('secret', key.id)
      return {
        ...key,
        createdAt: iso(made),
        ...(revokedAt === undefined ? {} : { revokedAt: iso(revokedAt) }),
        ...times(used('key', key.id)),
        ...(secret === undefined ? {} : { secretLastUsedAt: iso(secret.lastUsedAt) }),
      }
    }),
    ...(publicKeys === undefined
      ? {}
      : 'url' in publicKeys
        ? {
            publicKeys: {
              url: publicKeys.url,
              used: uses.flatMap((use) => (use.kind === 'kid' ? [{ kid: use.name, ...times(use) }] : [])),
            },
          }
        : { publicKeys: keysOfSet(publicKeys.keySet).map((key) => ({ ...key, ...times(used('kid', key.kid)) })) }),
  }
}
