import type { FastifyPluginAsync } from 'fastify'

/** Longest address: what a door takes in a head, less the rest of it. */
const longest = 12 * 1024

/**
 * `GET /mock-jwks/{base64url of a JSON Web Key Set}` answers that set (§2.10), so that a test registers a key by an address
 * alone. It is what the caller wrote, as data, and nothing is kept.
 */
export const mockJwks: FastifyPluginAsync = async (app) => {
  app.get('/mock-jwks/*', { exposeHeadRoute: false }, async (request, reply) => {
    const text = (request.params as { readonly '*': string })['*']
    const octets = Buffer.from(text, 'base64url')
    reply.headers({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    const whole = text.length <= longest && octets.toString('base64url') === text.replace(/=+$/, '')
    if (whole && isKeySet(octets.toString('utf8'))) return reply.send(octets)
    const description = 'The path must end with the base64url of a JSON Web Key Set: {"keys":[…]}'
    return reply
      .code(400)
      .send(Buffer.from(JSON.stringify({ error: 'invalid_request', error_description: description })))
  })
}

function isKeySet(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && Array.isArray(Reflect.get(value, 'keys'))
  } catch {
    return false
  }
}
