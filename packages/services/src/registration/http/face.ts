import type { Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Answer, Asked, Operation } from './operation.ts'
import { invalid, notFound, quoted, type Refusal, refusalOf, refuse } from './refusal.ts'

/** Tells which application asks, or undefined when it may not: the gateway's part (API key, application-restricted token). */
export type Admit = (
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
) => Promise<string | undefined>

/** Octets of a body at most: a message set of a thousand interactions fits. */
const bodyLimit = 1 << 20

/**
 * Operations in the dialect of the registration API (directory specification §11), below one base path. One route takes
 * everything, because admission and version are judged before the path is.
 */
export function registrationFace(needs: {
  readonly basePath: string
  readonly operations: readonly Operation[]
  readonly admit: Admit
  readonly random: Random
  readonly log: Logger
}): FastifyPluginAsync {
  const table = needs.operations.map((operation) => ({ operation, template: operation.path.split('/') }))
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    mirror(request, reply)
    try {
      return send(reply, await answerTo(request, reply))
    } catch (error) {
      return refused(reply, refusalOf(error, needs))
    }
  }

  async function answerTo(request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
    const { path, query } = targetOf(request.originalUrl, needs.basePath)
    const fitting = table.flatMap(({ operation, template }) => {
      const values = matched(template, path)
      return values === undefined
        ? []
        : [{ operation, values, fixed: template.filter((each) => !isValue(each)).length }]
    })
    const method = request.method === 'HEAD' ? 'GET' : request.method
    // A segment that a template names is nearer than one that it leaves open.
    const [chosen] = fitting
      .filter(({ operation }) => operation.method === method)
      .toSorted((a, b) => b.fixed - a.fixed)
    if (chosen === undefined && fitting.length > 0) {
      const allowed = [...new Set(fitting.map(({ operation }) => operation.method))].join(', ')
      reply.header('allow', allowed)
      throw notFound(`Could not find an operation for key (${quoted(request.method, path)}): there is ${allowed}`)
    }
    if (chosen === undefined) throw notFound(`Could not find a resource for key (${quoted(path)})`)
    const { operation, values } = chosen
    const application = operation.open ? '' : await admitted(request)
    if (!operation.open) judgeVersion(header(request, 'version'))
    const asked: Asked = {
      path: values,
      query: parameters(query),
      contentType: header(request, 'content-type'),
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      application,
    }
    return operation.run(asked)
  }

  async function admitted(request: FastifyRequest): Promise<string> {
    const application = await needs.admit(request.headers)
    if (application !== undefined) return application
    const message = 'This API is for registered applications: send an Authorization header and an apikey that it knows.'
    throw refuse([{ code: 'ACCESS_DENIED', message }])
  }

  return async (root) => {
    await root.register(
      async (app) => {
        // Bodies are judged by the operation; here they are only bounded.
        app.removeAllContentTypeParsers()
        app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body))
        app.setErrorHandler((error, request, reply) => {
          mirror(request, reply)
          return refused(reply, refusalOf(error, needs))
        })
        for (const url of ['/', '/*']) {
          app.route({
            method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
            url,
            exposeHeadRoute: false,
            handler: serve,
          })
        }
        // Methods that the router has no table for.
        app.setNotFoundHandler(serve)
      },
      { prefix: needs.basePath },
    )
  }
}

/** The one version that there is. */
function judgeVersion(version: string | undefined): void {
  if (version === '1') return
  const message =
    version === undefined
      ? 'Version header is missing: send version: 1'
      : `Version not supported: ${version.slice(0, 100)}`
  throw refuse([{ code: 'ACCESS_DENIED', message }])
}

const isValue = (segment: string) => segment.startsWith('{')

function matched(template: readonly string[], path: string): Readonly<Record<string, string>> | undefined {
  const segments = path.split('/')
  if (segments.length !== template.length) return undefined
  const values: Record<string, string> = {}
  for (const [place, expected] of template.entries()) {
    const segment = segments[place] as string
    if (!isValue(expected)) {
      if (segment !== expected) return undefined
    } else if (segment === '') return undefined
    else values[expected.slice(1, -1)] = decoded(segment)
  }
  return values
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw invalid('The address of the request cannot be read.')
  }
}

function parameters(query: string): Readonly<Record<string, string | readonly string[]>> {
  const values = new Map<string, string[]>()
  for (const [name, value] of new URLSearchParams(query)) values.set(name, [...(values.get(name) ?? []), value])
  return Object.fromEntries([...values].map(([name, list]) => [name, list.length === 1 ? (list[0] as string) : list]))
}

function send(reply: FastifyReply, { status, body }: Answer): FastifyReply {
  // As bytes: the framework would add a charset to the media type of a string.
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .header('cache-control', 'no-store')
    .send(Buffer.from(JSON.stringify(body)))
}

const refused = (reply: FastifyReply, { status, errors }: Refusal) => send(reply, { status, body: { errors } })

/** Ids come back as they were sent. */
function mirror(request: FastifyRequest, reply: FastifyReply): void {
  for (const name of ['x-request-id', 'x-correlation-id']) {
    const value = header(request, name)
    if (value !== undefined) reply.header(name, value)
  }
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Path below the base as it was sent, and the query string. */
function targetOf(url: string, basePath: string): { readonly path: string; readonly query: string } {
  const question = url.indexOf('?')
  const path = question === -1 ? url : url.slice(0, question)
  return { path: path.slice(basePath.length), query: question === -1 ? '' : url.slice(question + 1) }
}
