/** The two credential answers beside `/mock-jwks` (§2.10): what a test pack needs to know, for who has an API key. */
import type { Clock, Random } from '@openspine/platform/clock'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { IssuerName, MockKeys, RelyingParty } from './contract.ts'
import { digestOf } from './records.ts'
import type { SignInStore } from './store.ts'

interface Credentials {
  readonly client_id: string
  readonly client_secret: string
}

const clientId = 'mock-jwks'
/** The application of who sends no key, where everyone is answered. */
const everyone = 'everyone'

/**
 * `GET /mock-jwks/keycloak-client-credentials` answers a client of both mock realms as JSON, and
 * `GET /mock-jwks/status-endpoint-api-key` a key that opens status pages as text. Both are made once and kept.
 */
export function mockCredentials(needs: {
  readonly rows: SignInStore
  readonly keys: MockKeys
  readonly clock: Clock
  readonly random: Random
  readonly redirectUris: readonly string[]
  registerMock(party: RelyingParty): Promise<void>
}): FastifyPluginAsync {
  const { rows, keys, clock, random, redirectUris } = needs

  /** What was kept, or what is made now: of several at once one is first, and its value counts. */
  async function once(name: string, make: () => string): Promise<string> {
    const key = { issuer: 'mock', model: 'Credential', id: digestOf(name) }
    const found = await rows.find(key)
    if (found !== undefined) return String(found.payload['value'])
    await rows.insert({ ...key, payload: { value: make() } }, clock.now())
    return String((await rows.find(key))?.payload['value'])
  }

  async function client(issuer: IssuerName): Promise<Credentials> {
    const secret = await once(`client ${issuer}`, () => random.bytes(24).toString('base64url'))
    // Each time, so that redirects of the configuration count as they are now.
    await needs.registerMock({ issuer, clientId, name: 'Test pack', redirectUris, secret })
    return { client_id: clientId, client_secret: secret }
  }

  async function statusKey(application: string): Promise<string> {
    const id = digestOf(`status ${application}`)
    const key = { issuer: 'mock', model: 'Credential', id }
    const kept = (await rows.find(key))?.payload['value']
    if (typeof kept === 'string' && keys.opensStatus(kept)) return kept
    const value = application === everyone ? random.bytes(24).toString('base64url') : await keys.statusKey(application)
    await rows.put({ ...key, payload: { value } })
    return value
  }

  const answer = (reply: FastifyReply, contentType: string, text: string) =>
    reply
      .headers({ 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
      .send(Buffer.from(text))

  return async (app) => {
    const guarded = (path: string, send: (application: string, reply: FastifyReply) => Promise<unknown>) =>
      app.get(`/mock-jwks/${path}`, { exposeHeadRoute: false }, async (request, reply) => {
        const { apikey } = request.headers
        const admission = keys.admit(typeof apikey === 'string' ? apikey : undefined)
        if ('refusal' in admission) {
          const { status, headers, contentType, body } = admission.refusal
          return answer(reply.code(status).headers(headers), contentType, body)
        }
        return send(admission.application ?? everyone, reply)
      })
    guarded('keycloak-client-credentials', async (_application, reply) =>
      answer(
        reply,
        'application/json',
        JSON.stringify({ cis2: await client('cis2'), 'nhs-login': await client('nhs-login') }),
      ),
    )
    guarded('status-endpoint-api-key', async (application, reply) =>
      answer(reply, 'text/plain; charset=utf-8', await statusKey(application)),
    )
  }
}
