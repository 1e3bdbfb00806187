import { readFileSync } from 'node:fs'
import { type Platform, type Service, storeHealth } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { type Demographics, knownAs } from '../demographics/contract.ts'
import type { Directory } from '../directory/contract.ts'
import type { VisitorsConfig } from './config.ts'
import { basicStatuses, categories, type StatusChange, statusSources, type Visitors } from './contract.ts'
import { visitorsFace } from './fhir/face.ts'
import { migrations } from './migrations.ts'
import { findStatus } from './search.ts'
import { statusStore } from './store.ts'

export { arrivalChecks, searchChecks, type VisitorsCheck, visitorsInteractions } from './checks.ts'
export { type VisitorsConfig, visitorsConfig } from './config.ts'
export * from './contract.ts'
export { nothingRecorded, visitorsOutcomes } from './outcomes.ts'

/** Visitors & Migrants: whether an overseas visitor or migrant is charged for hospital care (§25). */
export function visitors(needs: {
  readonly platform: Platform
  readonly config: VisitorsConfig
  readonly directory: Pick<Directory, 'snapshot'>
  readonly demographics: Pick<Demographics, 'find' | 'mergedInto'>
}): Service<Visitors> {
  const { platform, config, directory, demographics } = needs
  const { store, clock, random, log, metrics, audit } = platform
  const rows = statusStore(store)
  const requests = metrics.counter(
    'openspine_visitors_requests_total',
    'Visitors & Migrants requests by operation and outcome',
    ['operation', 'status', 'code'],
  )
  const seconds = metrics.histogram(
    'openspine_visitors_request_seconds',
    'Visitors & Migrants requests: time to the answer',
    ['operation'],
  )

  /** Somebody whom demographics does not know has one number. */
  const numbersOf = async (nhsNumber: string): Promise<readonly string[]> =>
    (await knownAs(demographics, nhsNumber))?.numbers ?? [nhsNumber]

  const contract: Visitors = {
    status: async (nhsNumber) => rows.current(await numbersOf(nhsNumber)),
    history: async (nhsNumber) => rows.all(await numbersOf(nhsNumber)),
    async record(changes, by) {
      let added = 0
      for await (const change of changes) {
        checkChange(change)
        if (!(await rows.add(change, { id: random.uuid(), at: clock.now(), by }))) continue
        added++
        const { nhsNumber, basic, category, source, effectiveAt } = change
        const facts = { by, nhsNumber, basic, category, source, effectiveAt }
        await audit.append({ event: 'visitors.recorded', at: clock.now(), facts })
      }
      return added
    },
    count: () => rows.people(),
  }

  const health = storeHealth(store)

  return {
    name: 'visitors',
    contract,
    migrations,
    routes: {
      spine: visitorsFace({
        ...config,
        version,
        clock,
        random,
        log,
        directory,
        find: (nhsNumber) => findStatus({ demographics, status: rows.current }, nhsNumber),
        async settled({ at, trace, ...facts }) {
          const { operation, status, code = '' } = facts
          requests.inc({ operation, status: String(status), code })
          const told = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
          await audit.append({ event: 'visitors.request', at, ...(trace === undefined ? {} : { trace }), facts: told })
          seconds.observe({ operation }, (clock.now() - at) / 1000)
        },
      }),
    },
    health,
  }
}

function checkChange({ nhsNumber, basic, category, source, effectiveAt }: StatusChange): void {
  const problem = !/^\d{10}$/.test(nhsNumber)
    ? 'the NHS number is not ten digits'
    : !basicStatuses.includes(basic)
      ? `the basic status is not one of ${basicStatuses.join(', ')}`
      : !Object.hasOwn(categories, category)
        ? `the category is not one of ${Object.keys(categories).join(', ')}`
        : !statusSources.includes(source)
          ? `the source is not one of ${statusSources.join(', ')}`
          : Number.isSafeInteger(effectiveAt) && effectiveAt > 0 && effectiveAt % 1000 === 0
            ? undefined
            : 'the time from which it holds is not a whole second since 1970'
  if (problem === undefined) return
  throw new SpineError(
    'VISITORS_STATUS_INVALID',
    { status: 400 },
    { explanation: `This status cannot be kept: ${problem}.` },
  )
}

/** Of this package, read where it is installed: sources and compiled files lie equally deep. */
const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
