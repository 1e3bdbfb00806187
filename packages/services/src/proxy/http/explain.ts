import type { Audit } from '@openspine/platform/audit'
import { SpineError } from '@openspine/standards/error'
import type { FastifyPluginAsync } from 'fastify'
import type { ProxyConfig } from '../config.ts'
import { explainProxyRequest } from '../explain.ts'

/** Requests of one trace id that are told of; a sound consumer makes one. */
const mostTold = 100
/** As long as the audit keeps a trace. */
const longest = 200

/**
 * `GET /proxy/explain/{trace id}`: what became of the requests with this Ssp-TraceID, oldest first: every check with
 * its verdict, the directory entries used, and what stopped it. Tells the same as `openspine explain`, by the same rule.
 * Errors are RFC 9457 problems.
 */
export function explainFace(needs: {
  readonly audit: Pick<Audit, 'find'>
  readonly explain: ProxyConfig['explain']
}): FastifyPluginAsync {
  return async (app) => {
    app.get('/proxy/explain/:trace', async (request, reply) => {
      if (needs.explain === 'closed')
        throw new SpineError(
          'PROXY_EXPLAIN_CLOSED',
          { status: 403 },
          {
            explanation:
              'Explanations are not given over the network here. Ask whoever runs this environment: openspine explain tells them, and proxy.explain opens this address.',
          },
        )
      const { trace } = request.params as { trace: string }
      if (trace.length > longest)
        throw new SpineError(
          'PROXY_QUESTION',
          { status: 400 },
          { explanation: `A trace id has at most ${longest} characters.` },
        )
      const records = await needs.audit.find({ trace, event: 'proxy.request', limit: mostTold })
      if (records.length === 0)
        throw new SpineError(
          'PROXY_TRACE_UNKNOWN',
          { status: 404 },
          {
            explanation:
              'The audit holds no request with this Ssp-TraceID. Did it reach this proxy, and was it sound HTTP?',
          },
        )
      reply.header('cache-control', 'no-store')
      return { trace, requests: records.reverse().map(explainProxyRequest) }
    })
  }
}
