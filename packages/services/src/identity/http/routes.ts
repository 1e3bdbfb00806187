import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Answer, type Call, isNational, type Parts, type Result } from '../call.ts'
import { invalidRequest, type Outcome, type Refused, unknownError } from '../checks/check.ts'
import { basePaths } from '../providers.ts'
import { backchannelLogout, userinfo } from '../session.ts'
import { authorize, callback } from '../sign-in.ts'
import { providerStatus } from '../status.ts'
import { token } from '../token.ts'
import { readForm } from './form.ts'

export interface FaceNeeds {
  readonly parts: Parts
  readonly sandbox: boolean
  readonly publicHost: string
  readonly version: string
  opensStatus(apikey: string): boolean
  opensOrigin(origin: string): boolean
  newMessageId(): string
  /** Resolves when the audit has it. */
  refused(event: {
    readonly messageId: string
    readonly endpoint: string
    readonly call: Call
    readonly refused: Refused
  }): Promise<void>
  granted(event: NonNullable<Answer['event']>, call: Call): Promise<void>
}

/** §14: bodies of the OAuth endpoints. */
const longestBody = 64 * 1024
const formType = 'application/x-www-form-urlencoded'
const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' }
const preflight = {
  'access-control-allow-headers': 'origin, x-requested-with, accept, content-type, authorization',
  'access-control-max-age': '600',
  'access-control-allow-methods': 'GET, PUT, POST, DELETE',
}

/** The endpoints of §2.1 under each base path. */
export function identityRoutes(needs: FaceNeeds): FastifyPluginAsync {
  return async (root) => {
    const told = providerStatus(needs.parts)
    for (const base of basePaths) {
      await root.register(async (app) => {
        app.addHook('onRequest', async (request, reply) => {
          const origin = header(request, 'origin')
          if (request.method !== 'OPTIONS' || origin === undefined) return
          if (header(request, 'access-control-request-method') === undefined) return
          // Who asks is not known yet, and a preflight opens nothing: answers are opened to registered origins alone.
          if (needs.opensOrigin(origin)) reply.header('access-control-allow-origin', origin)
          return reply
            .code(200)
            .headers({ ...preflight, vary: 'origin' })
            .send()
        })
        app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
          const status = error.statusCode ?? 500
          const seen = status >= 400 && status < 500
          if (!seen) request.log.error({ err: error }, 'the authorisation server failed')
          const outcome =
            status === 413
              ? invalidRequest(`Request body is longer than ${longestBody} octets`, 413)
              : seen
                ? invalidRequest('The request cannot be read', status)
                : unknownError()
          const fault: Refused = {
            refused: true,
            check: seen ? 'request readable' : 'no fault of ours',
            clause: '2.2',
            outcome,
            cause: seen ? 'The request is too long or cannot be read.' : 'Something failed here: see the log.',
          }
          return send(request, reply, 'request', fault)
        })

        const callOf = (request: FastifyRequest): Call => ({
          base,
          origin: originOf(needs, request),
          now: needs.parts.clock.now(),
          address: request.ip,
        })

        async function send(request: FastifyRequest, reply: FastifyReply, endpoint: string, result: Result) {
          const call = callOf(request)
          reply.headers(noStore)
          if (result.refused === undefined) {
            if (result.event !== undefined) await needs.granted(result.event, call)
            reply.code(result.status).headers(result.headers ?? {})
            if (result.body === undefined) return reply.send()
            if (Buffer.isBuffer(result.body)) return reply.send(result.body)
            return json(reply, JSON.stringify(result.body))
          }
          const messageId = needs.newMessageId()
          await needs.refused({ messageId, endpoint, call, refused: result })
          const { outcome } = result
          reply.code(outcome.status).headers(outcome.worded?.headers ?? {})
          if (outcome.redirect) return reply.send()
          return json(reply, outcome.worded?.body ?? errorBody(outcome, result.cause, messageId))
        }

        const errorBody = ({ error, description }: Outcome, cause: string, messageId: string) =>
          JSON.stringify({
            error,
            error_description: description,
            message_id: messageId,
            // An addition for developers, where everybody may know everything.
            ...(needs.sandbox && !isNational(needs.parts) ? { hint: cause } : {}),
          })

        const notAllowed = (reply: FastifyReply, allow: string) => reply.code(405).header('allow', allow).send()
        const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
        const others = (...but: string[]) => methods.filter((method) => !but.includes(method))

        app.get(`${base}/authorize`, { exposeHeadRoute: false }, async (request, reply) =>
          send(request, reply, 'authorize', await authorize(needs.parts, callOf(request), queryOf(request))),
        )
        app.route({
          url: `${base}/authorize`,
          method: others('GET'),
          handler: (_request, reply) => notAllowed(reply, 'GET'),
        })

        app.post(`${base}/token`, { bodyLimit: longestBody }, async (request, reply) => {
          const type = request.headers['content-type']
          if (type !== formType)
            return send(request, reply, 'token', {
              refused: true,
              check: 'content type',
              clause: '2.5 #1',
              outcome: invalidRequest(`Content-Type header must be ${formType}`, 415),
              cause: `The Content-Type must be exactly ${formType}, without a charset: fetch adds one to URLSearchParams unless the header is set.`,
            })
          const form = formOf(request)
          const result = await token(needs.parts, callOf(request), form)
          const origin = header(request, 'origin')
          if (origin !== undefined && mayRead(needs.parts, origin, form.one('client_id')))
            reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' })
          return send(request, reply, 'token', result)
        })
        app.route({
          url: `${base}/token`,
          method: others('POST'),
          handler: (_request, reply) => notAllowed(reply, 'POST'),
        })

        app.get(`${base}/callback`, { exposeHeadRoute: false }, async (request, reply) =>
          send(request, reply, 'callback', await callback(needs.parts, callOf(request), queryOf(request))),
        )
        app.get(`${base}/userinfo`, { exposeHeadRoute: false }, async (request, reply) =>
          send(
            request,
            reply,
            'userinfo',
            await userinfo(needs.parts, callOf(request), header(request, 'authorization')),
          ),
        )
        app.post(`${base}/backchannel_logout`, { bodyLimit: longestBody }, async (request, reply) =>
          send(
            request,
            reply,
            'backchannel_logout',
            await backchannelLogout(needs.parts, callOf(request), formOf(request), needs.sandbox),
          ),
        )

        const build = { version: needs.version, revision: '1', releaseId: needs.version, commitId: '' }
        app.get(`${base}/_ping`, async (_request, reply) => json(reply.headers(noStore), JSON.stringify(build)))
        app.get(`${base}/_status`, async (request, reply) => {
          const apikey = header(request, 'apikey')
          if (apikey === undefined || !needs.opensStatus(apikey))
            return send(request, reply, '_status', {
              refused: true,
              check: 'monitoring key',
              clause: '2.9 _status',
              outcome: {
                status: 401,
                error: 'Access Denied',
                description: 'Invalid api key for _status monitoring endpoint',
              },
              cause: 'The header apikey is not a key of the status kind (openspine app new-key --status).',
            })
          const { status, checks } = await told(base)
          return json(reply.headers(noStore), JSON.stringify({ status, ...build, checks }))
        })

        const notFound = (request: FastifyRequest, reply: FastifyReply) =>
          send(request, reply, 'other', {
            refused: true,
            check: 'path and method',
            clause: '2.1',
            outcome: invalidRequest('Not Found', 404),
            cause: 'There is no such endpoint here, or not with this method.',
          })
        for (const path of ['/callback', '/userinfo'])
          app.route({ url: base + path, method: others('GET'), handler: notFound })
        app.route({ url: `${base}/backchannel_logout`, method: others('POST'), handler: notFound })
        for (const path of ['/_ping', '/_status'])
          app.route({ url: base + path, method: others('GET', 'HEAD'), handler: notFound })
        app.all(base, notFound)
        app.all(`${base}/*`, notFound)
      })
    }
  }
}

/** As octets: to a text the framework would add a charset. */
const json = (reply: FastifyReply, body: string) =>
  reply.header('content-type', 'application/json').send(Buffer.from(body))

const queryOf = (request: FastifyRequest) => {
  const from = request.originalUrl.indexOf('?')
  return readForm(from < 0 ? '' : request.originalUrl.slice(from + 1))
}

const formOf = ({ body }: FastifyRequest) => readForm(Buffer.isBuffer(body) ? body.toString('utf8') : '')

function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value.join(', ') : value
  return text === undefined || text.trim() === '' ? undefined : text
}

/**
 * Where the client reached the platform: of the configured origins the one that its host names, else the first. Without
 * any, what the request names; but outside the sandbox the name must be this environment's own, because the audience of
 * an assertion is compared with it, and one for another place must not be accepted because a request says so.
 */
function originOf({ parts, sandbox, publicHost }: FaceNeeds, request: FastifyRequest): string {
  const { origins } = parts.config
  const [first] = origins
  if (first !== undefined) return origins.find((origin) => URL.parse(origin)?.host === request.host) ?? first
  const own = request.hostname.toLowerCase() === publicHost.toLowerCase()
  return `${request.protocol}://${sandbox || own ? request.host : publicHost}`
}

/** Whether pages of this origin may read a code's answer: those of the application's own callback. */
function mayRead(parts: Parts, origin: string, clientId: string | undefined): boolean {
  if (isNational(parts)) return true
  const callbackUrl = clientId === undefined ? undefined : parts.clients.client(clientId)?.callbackUrl
  return callbackUrl !== undefined && URL.parse(callbackUrl)?.origin === origin
}
