import { readFileSync } from 'node:fs'
import type { Platform } from '@openspine/platform/service'
import type { FastifyPluginAsync } from 'fastify'
import type { Directory } from '../../directory/contract.ts'
import type { RegistrationConfig } from '../config.ts'
import type { Registration } from '../contract.ts'
import { deviceOperations, environmentNames } from './device-operations.ts'
import { type Admit, registrationFace } from './face.ts'
import { lifeOperations } from './life-operations.ts'
import type { Operation } from './operation.ts'
import { searches } from './searches.ts'
import { teamOperations } from './teams.ts'

/** The face of OpenSpine's own: endpoints in every state, and sharing agreements. */
export const lifePath = '/registration/v1'

/** Of this package, read where it is installed: sources and compiled files lie equally deep. */
const version = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** Every operation, by the base path below which it stands. */
export function operationsOf(needs: {
  readonly platform: Pick<Platform, 'environment' | 'log'>
  readonly config: Pick<RegistrationConfig, 'apiEnvironments'>
  readonly registration: Registration
  readonly directory: Pick<Directory, 'snapshot'>
}): { readonly parties: readonly Operation[]; readonly life: readonly Operation[] } {
  const { registration, directory } = needs
  const { environment, log } = needs.platform
  const own = environmentNames.filter((name) => name === environment)
  const environments =
    needs.config.apiEnvironments.length > 0 ? needs.config.apiEnvironments : own.length > 0 ? own : ['dev']
  const found = searches({
    registration,
    environment: environments[0] ?? 'dev',
    snapshot: () => directory.snapshot(),
  })
  const status: Operation['run'] = async () => {
    // A store that does not answer is told: 503.
    await registration.products.find({ limit: 1 })
    return { status: 200, body: { code: 'OK', message: 'Transaction successful' } }
  }
  const build = { version, revision: '1', releaseId: version, commitId: '' }
  return {
    parties: [
      { method: 'GET', path: '/_ping', open: true, run: async () => ({ status: 200, body: build }) },
      { method: 'GET', path: '/_status', run: status },
      ...teamOperations(registration.products),
      ...deviceOperations({ registration, searches: found, environments, environment, log }),
    ],
    life: lifeOperations(registration),
  }
}

/** Both faces, for the door `api`. */
export function registrationRoutes(needs: {
  readonly platform: Platform
  readonly config: RegistrationConfig
  readonly registration: Registration
  readonly directory: Pick<Directory, 'snapshot'>
  readonly admit: Admit
}): FastifyPluginAsync {
  const { random, log } = needs.platform
  const { parties, life } = operationsOf(needs)
  const shared = { admit: needs.admit, random, log }
  return async (app) => {
    await app.register(registrationFace({ ...shared, basePath: needs.config.apiBasePath, operations: parties }))
    await app.register(registrationFace({ ...shared, basePath: lifePath, operations: life }))
  }
}
