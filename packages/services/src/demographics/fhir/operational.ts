import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'
import type { HealthReport } from '@openspine/platform/service'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

/** /_ping and /_status, which every API of the platform has: no token is asked for. */
export function operationalPaths(about: {
  readonly version: string
  readonly statusApiKey: string
  readonly random: Random
  health(): Promise<HealthReport>
}): FastifyPluginAsync {
  const build = { version: about.version, revision: '1', releaseId: about.version, commitId: '' }
  return async (app) => {
    app.get('/_ping', async (_request, reply) => reply.header('cache-control', 'no-store').send(build))
    app.get('/_status', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      if (about.statusApiKey !== '' && !sameKey(about.statusApiKey, request))
        return reply.code(401).send({
          error: 'Access Denied',
          error_description: 'Invalid api key for _status monitoring endpoint',
          message_id: about.random.uuid(),
        })
      const { status, note } = await about.health()
      return {
        status,
        ...build,
        checks: {
          store: {
            status,
            timeout: 'false',
            responseCode: status === 'fail' ? null : 200,
            ...(note !== undefined && { outcome: note }),
          },
        },
      }
    })
  }
}

function sameKey(expected: string, { headers }: FastifyRequest): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const given = headers['apikey']
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(expected))
}
