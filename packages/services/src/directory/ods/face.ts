import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type OdsOutcome, outcomeOf, refuse } from './outcome.ts'

/** A request as a dialect sees it. */
export interface OdsRequest {
  /** Segments below the base path, decoded. */
  readonly path: readonly string[]
  /** In order, decoded; what cannot be decoded has U+FFFD in it. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly accept: string | undefined
  /** The base path as callers reach it, without a slash at the end. */
  readonly base: string
}

export interface OdsAnswer {
  readonly status: number
  /** Content-Type. */
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One language in which organisations are asked for. */
export interface Dialect {
  /** `ord`, `stu3`, `r4`: label of metrics. */
  readonly name: string
  readonly basePath: string
  answer(request: OdsRequest): Promise<OdsAnswer>
  /** Renders every refusal. */
  refuse(outcome: OdsOutcome, request: OdsRequest): OdsAnswer
}

export interface FaceNeeds {
  /** Origin and prefix by which callers reach the door; empty: what they put into Host. */
  readonly publicUrl: string
  /** Seconds that a caller must wait; 0: none. */
  readonly wait: (caller: string) => number
  readonly settled: (dialect: string, status: number) => void
}

/** Each is looked for in every candidate: nobody needs more. */
const mostParameters = 40

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Serves a dialect below its base path, and that alone: what it does not know it refuses in its own words. */
export function odsFace(dialect: Dialect, needs: FaceNeeds): FastifyPluginAsync {
  const { basePath } = dialect
  return async (root) => {
    await root.register(
      async (app) => {
        const handler = (request: FastifyRequest, reply: FastifyReply) => serve(dialect, needs, request, reply)
        app.setErrorHandler((error, request, reply) => {
          request.log.error({ err: error }, 'an ODS request failed')
          return send(reply, dialect.refuse(failed, requestOf(needs, basePath, request)))
        })
        for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
        // Methods that the router has no table for.
        app.setNotFoundHandler(handler)
      },
      { prefix: basePath },
    )
  }
}

const failed: OdsOutcome = { refusal: 'failed', text: 'Internal server error' }

async function serve(
  dialect: Dialect,
  needs: FaceNeeds,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = requestOf(needs, dialect.basePath, request)
  let answer: OdsAnswer
  try {
    const seconds = needs.wait(request.ip)
    if (seconds > 0) {
      reply.header('retry-after', String(seconds))
      throw refuse('rate', 'Too many requests')
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply.header('allow', 'GET, HEAD')
      throw refuse('method', 'Method not allowed')
    }
    if (asked.parameters.length > mostParameters) throw refuse('value', `More than ${mostParameters} parameters`)
    answer = await dialect.answer(asked)
  } catch (error) {
    const outcome = outcomeOf(error)
    if (outcome === undefined) request.log.error({ err: error }, 'an ODS request failed')
    answer = dialect.refuse(outcome ?? failed, asked)
  }
  needs.settled(dialect.name, answer.status)
  return send(reply, answer)
}

function requestOf(needs: FaceNeeds, basePath: string, request: FastifyRequest): OdsRequest {
  // As it was sent: the door mends what its router could not read.
  const url = request.originalUrl
  const question = url.indexOf('?')
  const path = (question === -1 ? url : url.slice(0, question)).slice(basePath.length)
  return {
    path: path.split('/').filter(Boolean).map(decoded),
    parameters: [...new URLSearchParams(question === -1 ? '' : url.slice(question + 1))],
    accept: request.headers.accept,
    base: `${needs.publicUrl === '' ? `https://${request.host}` : needs.publicUrl}${basePath}`,
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function send(reply: FastifyReply, { status, type, body, headers }: OdsAnswer): FastifyReply {
  if (headers !== undefined) reply.headers(headers)
  // As bytes: the framework would add a charset to the media type of a string.
  return reply.code(status).header('content-type', type).send(Buffer.from(body))
}

/** The absolute address of the same search with other values of some parameters; undefined takes one away. */
export function withParameters(
  { base, path, parameters }: OdsRequest,
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const search = new URLSearchParams()
  for (const [name, value] of parameters) if (!Object.hasOwn(changes, name)) search.append(name, value)
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) search.append(name, value)
  const query = search.toString()
  return `${base}/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
}
