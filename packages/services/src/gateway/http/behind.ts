import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Api, ApiCaller, Gateway } from '../contract.ts'
import { unknownFailure } from '../faults.ts'

export interface BehindNeeds {
  messageId(): string
  readonly judge: Gateway['judge']
  /** Whether the key opens status pages. */
  opensStatus(apikey: string): boolean
  readonly opensOrigin: Gateway['opensOrigin']
  /** Called for a request that did not reach its API; resolves when it may be answered. */
  readonly refused: Gateway['refused']
}

const corsHeaders = {
  'access-control-allow-methods': 'GET, PUT, POST, PATCH, DELETE',
  'access-control-allow-headers':
    'origin, x-requested-with, accept, content-type, if-match, nhsd-session-urid, authorization, x-correlation-id, x-request-id, nhsd-end-user-organisation-ods',
  'access-control-max-age': '3628800',
}

/** The SDS FHIR API lists fewer (directory specification §7.5). */
const corsOfDirectory = {
  ...corsHeaders,
  'access-control-allow-headers': 'origin, x-requested-with, accept, content-type, if-match',
}

/** What the platform tells an API of the caller (§9.1): whatever a caller sends under these names is taken away. */
const backEndHeaders = [
  'nhsd-request-id',
  'nhsd-correlation-id',
  'nhsd-identity-uuid',
  'nhsd-identity-idp',
  'nhsd-asid',
  'nhsd-nhslogin-user',
  'nhse-pds-custom-attributes',
  'nhse-pds-privileged-access',
] as const

/** The layer of identity specification §9 before the routes of an API. Path and method of the API come after the door. */
export function apiBehind(api: Api, routes: FastifyPluginAsync, needs: BehindNeeds): FastifyPluginAsync {
  const build = { version: api.version, revision: '1', releaseId: api.version, commitId: '' }
  const operational = new Set(['/_ping', '/_status'])
  const exposeHeadRoute = api.faults !== 'fhir-display'
  return async (root) => {
    await root.register(
      async (app) => {
        app.decorateRequest('apiCaller')
        app.setErrorHandler((error, request, reply) => {
          const id = needs.messageId()
          request.log.error({ err: error, messageId: id }, 'the gateway failed')
          const busy = typeof error === 'object' && error !== null && Reflect.get(error, 'code') === 'GATEWAY_BUSY'
          if (busy) reply.header('retry-after', '5')
          return json(reply, busy ? 503 : 500, 'application/json', unknownFailure(id, api.faults))
        })
        app.addHook('onRequest', async (request, reply) => {
          request.apiCaller = {}
          for (const name of backEndHeaders) delete request.headers[name]
          mirror(request, reply)
          const origin = header(request, 'origin')
          openTo(reply, origin, origin !== undefined && needs.opensOrigin(origin))
          if (isPreflight(request))
            return reply
              .code(200)
              .headers(api.faults === 'fhir-display' ? corsOfDirectory : corsHeaders)
              .send()
          const path = pathOf(request, api.basePath)
          if (operational.has(path)) return
          const requestId = header(request, 'x-request-id')
          const admission = await needs.judge({
            api,
            method: request.method,
            path,
            route: routeOf(request, api.basePath),
            credentials: {
              authorization: raw(request, 'authorization'),
              apikey: header(request, 'apikey'),
              requestId,
              role: header(request, 'nhsd-session-urid'),
            },
          })
          const { caller } = admission
          request.apiCaller = caller
          if (origin !== undefined && caller.application !== undefined)
            openTo(reply, origin, needs.opensOrigin(origin, caller.application))
          if (admission.admitted) {
            tellBackEnd(request, caller, needs.messageId)
            if (caller.role !== undefined) reply.header('nhsd-session-urid', caller.role)
            return
          }
          const { refusal } = admission
          await needs.refused({ api: api.name, path, caller, refusal, requestId, address: request.ip })
          return json(reply.headers(refusal.headers), refusal.status, refusal.contentType, refusal.body)
        })
        app.get('/_ping', { exposeHeadRoute }, async (_request, reply) =>
          reply.header('cache-control', 'no-store').send(build),
        )
        app.get('/_status', { exposeHeadRoute }, async (request, reply) => {
          reply.header('cache-control', 'no-store')
          const apikey = header(request, 'apikey')
          if (apikey === undefined || !needs.opensStatus(apikey))
            return reply.code(401).send({
              error: 'Access Denied',
              error_description: 'Invalid api key for _status monitoring endpoint',
              message_id: needs.messageId(),
            })
          return { ...(await statusOf(api, `https://${request.host}${api.basePath}/healthcheck/deep`, build)) }
        })
        await app.register(routes)
      },
      { prefix: api.basePath },
    )
  }
}

/** Set from what the platform knows, and only where it knows something. */
function tellBackEnd(request: FastifyRequest, caller: ApiCaller, messageId: () => string): void {
  const { grant, asid, role } = caller
  const { headers } = request
  if (grant === undefined) return
  const requestId = header(request, 'x-request-id')
  const correlationId = header(request, 'x-correlation-id')
  if (requestId !== undefined) {
    headers['nhsd-request-id'] = requestId
    headers['nhsd-correlation-id'] = `${requestId}.${correlationId ?? ''}.${messageId()}`
  }
  const { sub, iss, nhs_number: number } = grant.identity ?? {}
  if (typeof sub === 'string') headers['nhsd-identity-uuid'] = sub
  if (typeof iss === 'string') headers['nhsd-identity-idp'] = iss
  if (asid !== undefined) headers['nhsd-asid'] = asid
  if (grant.level === 'p9' && typeof number === 'string') headers['nhsd-nhslogin-user'] = `P9:${number}`
  // Outside user-restricted access a role means nothing.
  if (role === undefined) delete headers['nhsd-session-urid']
  else headers['nhsd-session-urid'] = role
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

/** Ids come back as they were sent, and only then. */
function mirror(request: FastifyRequest, reply: FastifyReply): void {
  for (const name of ['x-request-id', 'x-correlation-id']) {
    const value = header(request, name)
    if (value !== undefined) reply.header(name, value)
  }
}

/** The caller's origin is echoed where its pages may read the answer. */
function openTo(reply: FastifyReply, origin: string | undefined, opens: boolean): void {
  if (origin === undefined) return
  reply.header('vary', 'origin')
  if (opens) reply.header('access-control-allow-origin', origin)
  else reply.removeHeader('access-control-allow-origin')
}

function isPreflight(request: FastifyRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    header(request, 'origin') !== undefined &&
    header(request, 'access-control-request-method') !== undefined
  )
}

/** As octets: to a text the framework would add a charset. */
const json = (reply: FastifyReply, status: number, type: string, body: string) =>
  reply.code(status).header('content-type', type).header('cache-control', 'no-store').send(Buffer.from(body))

/** The route below the base, as it was declared; undefined where there is none, or one for whatever path. */
function routeOf({ routeOptions: { url } }: FastifyRequest, basePath: string): string | undefined {
  return url === undefined || url.includes('*') ? undefined : url.slice(basePath.length)
}

/** Path below the base, as it was sent. */
function pathOf({ originalUrl }: FastifyRequest, basePath: string): string {
  return (originalUrl.split('?', 1)[0] ?? '').slice(basePath.length)
}

/** A header that is empty counts as none. */
function header(request: FastifyRequest, name: string): string | undefined {
  const text = raw(request, name)
  return text === undefined || text.trim() === '' ? undefined : text
}

function raw({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
