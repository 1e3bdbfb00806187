import type { ServerResponse } from 'node:http'
import { type ClientMetadata, metadataIn } from '../client-metadata.ts'
import type { Issuer } from '../issuer.ts'
import { bodyOf, type OwnRoute, sendJson } from './routes.ts'

const scope = 'client_metadata'

/**
 * `PATCH /userinfo` of NHS login (§4.2): an application changes what it keeps about the patient of its access token.
 * Faults of the token stand in `WWW-Authenticate`, others in the body, as for the other verbs.
 */
export function patchUserInfo(needs: {
  readonly issuer: () => Issuer
  readonly metadata: ClientMetadata
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>
}): OwnRoute {
  const { issuer, metadata, record } = needs
  return {
    methods: ['PATCH'],
    path: '/userinfo',
    async handle({ request, response }) {
      const { provider, kind } = issuer()
      const bearer = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
      const token = bearer === undefined ? undefined : await provider.AccessToken.find(bearer)
      const client = token?.clientId === undefined ? undefined : await provider.Client.find(token.clientId)
      if (token === undefined || client === undefined)
        return refuse(
          response,
          401,
          'invalid_token',
          bearer === undefined ? 'no access token provided' : 'invalid token',
        )
      if (!token.scopes.has(scope))
        return refuse(response, 403, 'insufficient_scope', 'access token missing scope', scope)
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
        return sendJson(response, 400, {
          error: 'invalid_request',
          error_description: 'only application/json bodies are read here',
        })
      const read = metadataIn(await bodyOf(request))
      if ('fault' in read) return sendJson(response, 400, { error: 'invalid_request', error_description: read.fault })
      await metadata.put(client.clientId, token.accountId, read.value)
      await record('sign_in.client_metadata.changed', { issuer: kind.name, client: client.clientId })
      response.writeHead(204, { 'cache-control': 'no-store', pragma: 'no-cache' })
      response.end()
    },
  }
}

function refuse(response: ServerResponse, status: number, error: string, description: string, missing?: string): void {
  const about = missing === undefined ? '' : `, scope="${missing}"`
  sendJson(
    response,
    status,
    { error, error_description: description },
    { 'www-authenticate': `Bearer error="${error}", error_description="${description}"${about}`, pragma: 'no-cache' },
  )
}
