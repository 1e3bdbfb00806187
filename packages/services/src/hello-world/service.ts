import type { Service } from '@openspine/platform/service'
import type { FastifyPluginAsync } from 'fastify'
import type { Api, Gateway } from '../gateway/contract.ts'

const greetings: ReadonlyMap<string, string> = new Map([
  ['/hello/world', 'Hello World!'],
  ['/hello/application', 'Hello Application!'],
  ['/hello/user', 'Hello User!'],
])

/** §9.9: one path for each way of being let in. */
const api: Api = {
  name: 'hello-world',
  version: '0.1.0',
  basePath: '/hello-world',
  faults: 'plain',
  access: [
    { mode: 'open', paths: ['/hello/world'] },
    { mode: 'key', paths: ['/hello/application'] },
    { mode: 'application-restricted', grants: ['app:level3'], paths: ['/hello/application'] },
    { mode: 'user-restricted', grants: ['user-nhs-id:aal3', 'user-nhs-cis2:aal3'], paths: ['/hello/user'] },
    {
      mode: 'patient',
      grants: ['user-nhs-login:P0', 'user-nhs-login:P5', 'user-nhs-login:P9'],
      paths: ['/hello/user'],
    },
  ],
  health: async () => ({ status: 'pass' }),
}

const routes: FastifyPluginAsync = async (app) => {
  for (const [path, message] of greetings) app.get(path, async () => ({ message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'not_found', message: 'Not Found' }))
}

/** The sample API of the platform: the first request of everyone who tries keys and tokens. */
export function helloWorld(needs: { readonly gateway: Pick<Gateway, 'behind'> }): Service<undefined> {
  return { name: 'hello-world', contract: undefined, routes: { api: needs.gateway.behind(api, routes) } }
}
