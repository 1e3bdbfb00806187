import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyPluginAsync } from 'fastify'
import { errors } from 'oidc-provider'
import type { Issuer } from '../issuer.ts'
import { errorPage, type Page } from './html.ts'

/** Forms and requests of ours are small (§14). */
const mostOctets = 64 * 1024

export interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  /** Last part of the path where the route ends with one. */
  readonly part: string
}

export interface OwnRoute {
  readonly methods: readonly string[]
  /** Below the issuer's path; `/:part` at its end stands for one part. */
  readonly path: string
  handle(asked: Asked): Promise<void>
}

/**
 * Puts one provider on the door: the library behind its own paths, and our pages beside it. The library reads the
 * request itself, so nothing is parsed before it, and it finds its routes without the path of the issuer.
 */
export function issuerRoutes(issuer: () => Issuer, path: string, own: readonly OwnRoute[]): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    const { routes } = issuer().kind
    const library: readonly (readonly [path: string, ...methods: readonly string[]])[] = [
      ['/.well-known/openid-configuration', 'GET', 'OPTIONS'],
      [routes.authorization, 'GET'],
      [`${routes.authorization}/:part`, 'GET'],
      [routes.token, 'POST', 'OPTIONS'],
      [routes.userinfo, 'GET', 'POST', 'OPTIONS'],
      [routes.jwks, 'GET', 'OPTIONS'],
    ]
    for (const [route, ...method] of library) {
      app.route({
        method: [...method],
        url: `${path}${route}`,
        exposeHeadRoute: false,
        async handler(request, reply) {
          reply.hijack()
          const raw = request.raw as IncomingMessage & { originalUrl?: string }
          raw.originalUrl = raw.url ?? ''
          raw.url = raw.originalUrl.slice(path.length)
          await issuer().provider.callback()(raw, reply.raw)
        },
      })
    }
    for (const { methods, path: route, handle } of own) {
      app.route({
        method: [...methods],
        url: `${path}${route}`,
        exposeHeadRoute: false,
        async handler(request, reply) {
          reply.hijack()
          const { raw } = request
          const { pathname, searchParams } = new URL(raw.url ?? '/', 'https://localhost')
          const part = pathname.slice(pathname.lastIndexOf('/') + 1)
          try {
            await handle({ request: raw, response: reply.raw, query: searchParams, part })
          } catch (error) {
            answerError(reply.raw, error, (cause) => request.log.error({ err: cause }, 'a sign-in page failed'))
          }
        },
      })
    }
  }
}

function answerError(response: ServerResponse, error: unknown, failed: (error: unknown) => void) {
  if (response.headersSent) return void response.destroy()
  if (error instanceof errors.SessionNotFound)
    return sendPage(
      response,
      400,
      errorPage('session_not_found', 'This sign-in has expired or was begun in another browser'),
    )
  if (error instanceof errors.OIDCProviderError)
    return sendPage(response, error.statusCode, errorPage(error.error, error.error_description))
  failed(error)
  sendPage(response, 500, errorPage('server_error', undefined))
}

export function sendPage(response: ServerResponse, status: number, { headers, body }: Page): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(text)
}

export function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { location: to, 'content-length': 0, 'cache-control': 'no-store' })
  response.end()
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let octets = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    octets += chunk.length
    if (octets > mostOctets) throw new errors.InvalidRequest('request entity too large', 413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A form that this host's own page sent: one of another origin is refused. */
export async function formOf(request: IncomingMessage, origin: string): Promise<URLSearchParams> {
  const from = request.headers.origin
  // Ports are compared as URLs compare them; the page's own address was written without `:443`.
  if (from !== undefined && from !== new URL(origin).origin && from !== 'null')
    throw new errors.InvalidRequest('the form was sent by another site', 403)
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? ''))
    throw new errors.InvalidRequest('only application/x-www-form-urlencoded bodies are read here')
  return new URLSearchParams(await bodyOf(request))
}

/**
 * An authorisation request as a form (§4.1): asked again as a GET, because the cookie of the sign-on does not come with
 * a form of another site.
 */
export function authorizeByForm(issuer: () => Issuer): OwnRoute {
  return {
    methods: ['POST'],
    path: '/authorize',
    async handle({ request, response }) {
      if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? ''))
        throw new errors.InvalidRequest('only application/x-www-form-urlencoded bodies are read here')
      const asked = new URLSearchParams(await bodyOf(request))
      redirect(response, `${issuer().urlOf('/authorize')}?${asked}`)
    },
  }
}
