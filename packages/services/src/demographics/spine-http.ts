import type { Logger } from '@openspine/platform/log'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

/*
 * What the faces over SOAP have in common: bodies as bytes and bounded, the one media type, and faults of the framework in
 * the words of the dialect.
 */

/** Largest request: a query has some kilobytes. */
const bodyLimit = 1024 * 1024

/** A document and how it goes out. */
export interface SoapAnswer {
  readonly status: number
  readonly body: string
}

/** Routes that take SOAP. `unreadable` gives the answer where no request could be read: too long, cut off, or a fault of ours. */
export function soapRoutes(about: {
  readonly paths: readonly string[]
  readonly log: Logger
  serve(request: FastifyRequest, reply: FastifyReply): Promise<SoapAnswer>
  unreadable(status: number): SoapAnswer
}): FastifyPluginAsync {
  return async (root) => {
    await root.register(async (app) => {
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) => done(null, body))
      app.setErrorHandler((error, _request, reply) => {
        const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
        if (status >= 500) logFault(about.log, error)
        return send(reply, about.unreadable(status))
      })
      for (const path of about.paths)
        app.post(path, async (request, reply) => send(reply, await about.serve(request, reply)))
    })
  }
}

function send(reply: FastifyReply, { status, body }: SoapAnswer): FastifyReply {
  // Exactly this type, as bytes: a known client compares the whole value, and the framework would add a charset to text.
  return reply
    .code(status)
    .header('content-type', 'text/xml')
    .header('cache-control', 'no-store')
    .send(Buffer.from(body))
}

/** The bytes of a request; none where it had no body. */
export const bodyOf = ({ body }: FastifyRequest): Uint8Array => (Buffer.isBuffer(body) ? body : Buffer.alloc(0))

/** A header that may stand once. */
export const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Audit records stay small whatever is sent. */
export const brief = (value: string | undefined): string | undefined => value?.slice(0, 64)

/** Tells the log of a fault of ours, without the further members of a database error, which may quote rows. */
export function logFault(log: Logger, error: unknown): void {
  const err =
    error instanceof Error
      ? { type: error.name, message: error.message, stack: error.stack, ...('code' in error && { code: error.code }) }
      : { type: typeof error }
  log.error({ err }, 'PDS over SOAP: a request failed')
}
