import type { Random } from '@openspine/platform/clock'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Admission, Api, ApiCaller, Refusal } from '../contract.ts'
import { unknownFailure } from '../refusals.ts'

export interface BehindNeeds {
  readonly random: Random
  admit(request: { readonly api: string; readonly apikey: string | undefined }): Admission
  /** Whether the key opens status pages. */
  opensStatus(apikey: string): boolean
  /** Called for a request that did not reach its API; resolves when it may be answered. */
  refused(event: {
    readonly api: string
    readonly path: string
    readonly caller: ApiCaller
    readonly refusal: Refusal
    readonly address: string
  }): Promise<void>
}

const corsHeaders = {
  'access-control-allow-methods': 'GET, PUT, POST, PATCH, DELETE',
  'access-control-allow-headers': 'origin, x-requested-with, accept, content-type, if-match',
  'access-control-max-age': '3628800',
}

/** The layer of directory specification §7.5 before the routes of an API. Path and method of the API come after the key. */
export function apiBehind(api: Api, routes: FastifyPluginAsync, needs: BehindNeeds): FastifyPluginAsync {
  const build = { version: api.version, revision: '1', releaseId: api.version, commitId: '' }
  const open = new Set(['/_ping', '/_status', ...(api.open ?? [])])
  return async (root) => {
    await root.register(
      async (app) => {
        app.decorateRequest('apiCaller')
        app.setErrorHandler((error, request, reply) => {
          request.log.error({ err: error }, 'the gateway failed')
          return json(reply, 500, unknownFailure)
        })
        app.addHook('onRequest', async (request, reply) => {
          request.apiCaller = {}
          const origin = header(request, 'origin')
          if (origin !== undefined) reply.header('access-control-allow-origin', origin).header('vary', 'origin')
          if (isPreflight(request)) return reply.code(200).headers(corsHeaders).send()
          const path = pathOf(request, api.basePath)
          if (open.has(path)) return
          const admission = needs.admit({ api: api.name, apikey: header(request, 'apikey') })
          request.apiCaller = admission.caller
          if (admission.admitted) return
          const { refusal, caller } = admission
          await needs.refused({ api: api.name, path, caller, refusal, address: request.ip })
          return json(reply.headers(refusal.headers), refusal.status, refusal.body)
        })
        app.get('/_ping', { exposeHeadRoute: false }, async (_request, reply) =>
          reply.header('cache-control', 'no-store').send(build),
        )
        app.get('/_status', { exposeHeadRoute: false }, async (request, reply) => {
          reply.header('cache-control', 'no-store')
          const apikey = header(request, 'apikey')
          if (apikey === undefined || !needs.opensStatus(apikey))
            return reply.code(401).send({
              error: 'Access Denied',
              error_description: 'Invalid api key for _status monitoring endpoint',
              message_id: needs.random.uuid(),
            })
          return { ...(await statusOf(api, `https://${request.host}${api.basePath}/healthcheck/deep`, build)) }
        })
        await app.register(routes)
      },
      { prefix: api.basePath },
    )
  }
}

async function statusOf(api: Api, self: string, build: Readonly<Record<string, string>>) {
  const { status: health, note } = await api.health().catch(() => ({ status: 'fail' as const, note: 'No answer.' }))
  const status = health === 'fail' ? 'fail' : 'pass'
  const check = {
    status,
    timeout: 'false',
    responseCode: status === 'fail' ? 503 : 200,
    outcome: note ?? 'OK',
    links: { self },
  }
  return { status, ...build, checks: { 'healthcheckService:status': [check] } }
}

function isPreflight(request: FastifyRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    header(request, 'origin') !== undefined &&
    header(request, 'access-control-request-method') !== undefined
  )
}

/** As octets: to a text the framework would add a charset. */
const json = (reply: FastifyReply, status: number, body: string) =>
  reply
    .code(status)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(Buffer.from(body))

/** Path below the base, as it was sent. */
function pathOf({ originalUrl }: FastifyRequest, basePath: string): string {
  return (originalUrl.split('?', 1)[0] ?? '').slice(basePath.length)
}

function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value.join(', ') : value
  return text === undefined || text.trim() === '' ? undefined : text
}
