import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { manualClock, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { r4 } from '@openspine/standards/fhir/r4'
import { type FastifyInstance, fastify, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import type { Directory } from '../directory/contract.ts'
import type { Access } from './access.ts'
import type { DemographicsConfig } from './config.ts'
import type { Demographics } from './contract.ts'
import { describedAs } from './fhir/openapi.test-kit.ts'
import { demographics, demographicsConfig, type PdsOutcome, workedPeople } from './service.ts'
import { validPeer } from './worked.test-kit.ts'

/** PDS FHIR over the worked people, without a socket: what tests of its operations ask. */
export interface TestPds {
  readonly platform: TestPlatform
  readonly clock: ReturnType<typeof manualClock>
  readonly contract: Demographics
  /** A message to the door `spine`, where a directory was given: path, text, and headers such as SOAPAction. */
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>
  /** A request below the base path, whose answer is held against `openapi.yaml`: as a healthcare worker, unless `as` says who, with an X-Request-ID of its own unless headers are given. */
  ask(
    url: string,
    options?: Omit<InjectOptions, 'url'> & { readonly as?: Access | Error },
  ): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

export const pdsBase = '/personal-demographics/FHIR/R4'

/** Opens PDS FHIR, on an embedded store that ends with the test unless another is given. The clock stands at 12:00 on 20 November 2026. */
export async function openPds(
  about: {
    readonly config?: Partial<DemographicsConfig>
    readonly profile?: 'sandbox' | 'strict'
    /** Instead of one of its own; stays the caller's to close. */
    readonly store?: Store
    /** What the faces over SOAP know of systems; without it they are not served. The certificate is {@link validPeer}. */
    readonly directory?: ReturnType<Directory['snapshot']>
    /** Of PDS alone, not of the platform: where ids have to be known. */
    readonly random?: Random
  } = {},
): Promise<TestPds> {
  const clock = manualClock('2026-11-20T12:00:00.123Z')
  const platform: TestPlatform = {
    ...(await testPlatform({ clock, ...(about.store && { store: about.store }) })),
    ...(about.profile && { profile: about.profile }),
    ...(about.random && { random: about.random }),
  }
  let caller: Access | Error | undefined
  const service = demographics({
    platform,
    config: { ...demographicsConfig.parse({}), ...about.config },
    ...(about.directory && { directory: { snapshot: () => about.directory as ReturnType<Directory['snapshot']> } }),
    async authenticate() {
      if (caller instanceof Error) throw caller
      return caller ?? { mode: 'user-restricted', user: { id: '555254242102' } }
    },
  })
  await platform.store.migrate(service.name, service.migrations ?? {})
  await service.contract.load(workedPeople())
  const app: FastifyInstance = fastify()
  assert.ok(service.routes?.api)
  await app.register(service.routes.api)
  const spine: FastifyInstance = fastify()
  spine.decorateRequest('peer', { getter: () => validPeer })
  if (service.routes.spine) await spine.register(service.routes.spine)
  return {
    platform,
    clock,
    contract: service.contract,
    async post(path, body, headers = {}) {
      return spine.inject({
        method: 'POST',
        url: path,
        headers: { 'content-type': 'text/xml', ...headers },
        payload: body,
      })
    },
    async ask(url, { as, ...options } = {}) {
      caller = as
      const answer = await app.inject({ url: pdsBase + url, headers: { 'x-request-id': randomUUID() }, ...options })
      const { statusCode: status, headers, body } = answer
      // Explanations are for developers, and no part of the published description.
      if (!url.includes('_explain'))
        describedAs({ method: options.method ?? 'GET', path: url }, { status, headers, body })
      return answer
    },
    async close() {
      await app.close()
      await spine.close()
      await platform.close()
    },
  }
}

/** Asserts that the answer is exactly this outcome, with status and media type. */
export function isOutcome(answer: LightMyRequestResponse, outcome: PdsOutcome): void {
  assert.deepEqual(answer.json(), {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: outcome.severity,
        code: outcome.issue,
        details: { coding: [outcome.coding] },
        ...(outcome.diagnostics === undefined ? {} : { diagnostics: outcome.diagnostics }),
      },
    ],
  })
  assert.equal(answer.statusCode, outcome.status)
  assert.equal(answer.headers['content-type'], 'application/fhir+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.deepEqual(r4.check(answer.json()), [])
}
