import { ticketIn } from '@openspine/standards/saml'
import type { FastifyPluginAsync } from 'fastify'
import type { Smartcards } from '../contract.ts'

const path = '/saml/RoleAssertion'
/** Beyond it nothing is a ticket. */
const longestQuery = 2048

/** The Spine Security Broker's door (§5): a ticket in, a role assertion or a failure out, both of SAML 1.1 and with 200. */
export function brokerFace(needs: Pick<Smartcards, 'roleAssertion'>): FastifyPluginAsync {
  return async (app) => {
    app.get(path, { exposeHeadRoute: false }, async (request, reply) => {
      const target = request.originalUrl
      const from = target.indexOf('?')
      const query = from < 0 ? '' : target.slice(from + 1)
      const ticket = query.length > longestQuery ? undefined : ticketIn(query)
      const { xml } = await needs.roleAssertion(ticket, request.ip)
      // As octets: to a text the framework would add a charset of its own spelling.
      return reply
        .code(200)
        .header('content-type', 'text/xml;charset=UTF-8')
        .header('cache-control', 'no-store')
        .send(Buffer.from(xml))
    })
    app.route({
      method: ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: path,
      handler: async (_request, reply) => reply.code(405).header('allow', 'GET').send(),
    })
  }
}
