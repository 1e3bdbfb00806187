import { readFileSync } from 'node:fs'
import { type Platform, type Service, storeHealth } from '@openspine/platform/service'
import { type Demographics, knownAs } from '../demographics/contract.ts'
import type { Directory } from '../directory/contract.ts'
import { type Api, admission, type Gateway, messageId, withoutToken, workerGrants } from '../gateway/contract.ts'
import { scrPermissions } from './checks.ts'
import type { SummaryCareRecordConfig } from './config.ts'
import type { SummaryCareRecord } from './contract.ts'
import { type Settled, scrFace } from './fhir/face.ts'
import { migrations } from './migrations.ts'
import { type ScrNeeds, upload } from './operations.ts'
import { type Numbers, summaryStore } from './store.ts'
import { summaryIdOf } from './upload.ts'

export { alertChecks } from './alert.ts'
export { arrivalChecks, retrieveChecks, type ScrCheck, searchChecks } from './checks.ts'
export { type SummaryCareRecordConfig, summaryCareRecordConfig } from './config.ts'
export * from './contract.ts'
export { scrOutcomes } from './outcomes.ts'
export { permissionChecks } from './permission.ts'
export { uploadChecks } from './upload.ts'

/** So often what is no longer kept is forgotten. */
const pruneMs = 600_000

/** Summary Care Records: what a GP practice tells of its patients to whoever else cares for them (§26). */
export function summaryCareRecord(needs: {
  readonly platform: Platform
  readonly config: SummaryCareRecordConfig
  readonly directory: Pick<Directory, 'snapshot'>
  readonly demographics: Pick<Demographics, 'find' | 'mergedInto'>
  readonly gateway: Pick<Gateway, 'behind' | 'declare' | 'judge' | 'refused'>
}): Service<SummaryCareRecord> {
  const { platform, config, directory, demographics, gateway } = needs
  const { clock, random, log, metrics, audit, store } = platform
  const strict = platform.profile === 'strict'
  const rows = summaryStore(store)
  const requests = metrics.counter(
    'openspine_scr_requests_total',
    'Summary Care Record: requests by operation and outcome',
    ['operation', 'status', 'code'],
  )
  const seconds = metrics.histogram('openspine_scr_request_seconds', 'Summary Care Record: time to the answer', [
    'operation',
  ])
  const health = storeHealth(store)
  const api: Api = {
    name: 'summary-care-record',
    version,
    basePath: config.basePath,
    faults: 'fhir',
    roles: true,
    permissions: { rbac: config.rbac, needs: scrPermissions },
    access: [
      { mode: 'application-restricted', grants: ['app:level3'] },
      { mode: 'user-restricted', grants: workerGrants },
    ],
    health,
  }
  const cases: ScrNeeds = {
    store: rows,
    demographics,
    permissionUnset: config.permissionUnset,
    latestOnly: strict || config.replaces === 'latest',
    newId: () => random.uuid(),
  }

  async function settled({ at, trace, ...facts }: Settled): Promise<void> {
    const { operation, status, code = '' } = facts
    requests.inc({ operation, status: String(status), code })
    const told = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
    await audit.append({ event: 'scr.request', at, ...(trace === undefined ? {} : { trace }), facts: told })
    seconds.observe({ operation }, (clock.now() - at) / 1000)
  }

  /** Somebody whom demographics does not know has one number. */
  const numbersOf = async (nhsNumber: string): Promise<Numbers> =>
    (await knownAs(demographics, nhsNumber))?.numbers ?? [nhsNumber]

  const contract: SummaryCareRecord = {
    history: async (nhsNumber) => rows.history(await numbersOf(nhsNumber)),
    async document(nhsNumber, id) {
      const numbers = await numbersOf(nhsNumber)
      const asked = id?.toUpperCase() ?? (await rows.latest(numbers))?.id
      const content = asked === undefined ? undefined : await rows.content(numbers, asked)
      return content === undefined ? undefined : JSON.parse(content)
    },
    permissions: async (nhsNumber) => rows.permissions(await numbersOf(nhsNumber)),
    alerts: async ({ nhsNumber, ...asked }) =>
      rows.alerts({ ...asked, ...(nhsNumber === undefined ? {} : { numbers: await numbersOf(nhsNumber) }) }),
    async upload(document, by) {
      const { nhsNumber, touched } = await upload(cases, document, { by })
      await audit.append({ event: 'scr.uploaded', at: clock.now(), facts: { nhsNumber, touched, by } })
      return summaryIdOf(document)
    },
    count: () => rows.people(),
  }

  // The gateway's own paths, its CORS and its headers; who may come in is asked by the face, whose refusals have words of
  // their own. In the plain form the gateway leaves X-Request-ID to it as well.
  const routes = gateway.behind(
    { ...api, access: [{ mode: 'open' }] },
    scrFace({
      ...cases,
      ...config,
      clock,
      log,
      admit: admission({
        gateway,
        api: { ...api, faults: 'plain' },
        ...withoutToken(platform.profile, config),
      }),
      organisationOf: (asid) => directory.snapshot().accreditedSystem(asid)?.odsCode,
      settled,
      messageId: () => messageId({ clock, random }),
    }),
  )
  gateway.declare(api)

  let pruning: NodeJS.Timeout | undefined
  return {
    name: 'summary-care-record',
    contract,
    migrations,
    routes: { api: routes },
    async start() {
      await rows.prune(clock.now())
      pruning = setInterval(() => {
        rows
          .prune(clock.now())
          .catch((error: unknown) => log.warn({ err: error }, 'Summary Care Record: old requests were not forgotten'))
      }, pruneMs).unref()
    },
    async stop() {
      clearInterval(pruning)
    },
    health,
  }
}

/** Of this package, read where it is installed: sources and compiled files lie equally deep. */
const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
