import { readFileSync } from 'node:fs'
import { type Platform, type Service, storeHealth } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { asJson, extensionOf, text } from '@openspine/standards/fhir/untrusted'
import { type Demographics, knownAs } from '../demographics/contract.ts'
import type { Directory, People } from '../directory/contract.ts'
import { type Api, admission, type Gateway, messageId, withoutToken, workerGrants } from '../gateway/contract.ts'
import { authors } from './author.ts'
import { extensions, patientFlags } from './codes.ts'
import type { AdjustmentsConfig } from './config.ts'
import type { Adjustments, FlagSummary, KeptFlag } from './contract.ts'
import { type Author, changedAt, type Item, shown } from './item.ts'
import { migrations } from './migrations.ts'
import { patients } from './patients.ts'
import { patientFlagsFace } from './r4/face.ts'
import { topCodeOf } from './r4/render.ts'
import { noted } from './r4/resources.ts'
import { addFlags, removeFlags } from './r4/rules.ts'
import { itemStore, type Numbers } from './store.ts'
import { raFace, type Settled } from './stu3/face.ts'

export {
  type DirectCheck,
  directChecks,
  type GatewayCheck,
  gatewayChecks,
  gatewayHeadChecks,
  interactionNames,
  queryChecks,
  raInteractions,
  raOperations,
} from './checks.ts'
export { type AdjustmentsConfig, adjustmentsConfig } from './config.ts'
export type { Adjustments, FlagSummary, KeptFlag } from './contract.ts'
export { gatewayOutcomes, spineOutcomes } from './outcomes.ts'
export { flagOutcomes } from './r4/outcomes.ts'
export { flagResourceChecks } from './r4/resources.ts'
export {
  conditionChecks,
  consentChecks,
  flagChecks,
  impairmentChecks,
  type ResourceCheck,
} from './stu3/resources.ts'

/** So often what is no longer kept is forgotten. */
const pruneMs = 600_000

/**
 * Reasonable Adjustments in STU3, on the direct door and behind the gateway (§23), and Patient Flags in R4 (§24): one
 * store and one set of rules beneath three faces.
 */
export function adjustments(needs: {
  readonly platform: Platform
  readonly config: AdjustmentsConfig
  readonly directory: Pick<Directory, 'snapshot'>
  readonly demographics: Pick<Demographics, 'find' | 'mergedInto'>
  readonly gateway: Pick<Gateway, 'behind' | 'declare' | 'judge' | 'refused'>
  readonly people: People
}): Service<Adjustments> {
  const { platform, config, directory, gateway } = needs
  const { clock, random, log, metrics, audit, store } = platform
  const rows = itemStore(store)
  const { authorOf } = authors({ people: needs.people, directory })
  const requests = metrics.counter(
    'openspine_adjustments_requests_total',
    'Reasonable Adjustments and Patient Flags: requests by face, operation and outcome',
    ['face', 'operation', 'status', 'code'],
  )
  const seconds = metrics.histogram(
    'openspine_adjustments_request_seconds',
    'Reasonable Adjustments and Patient Flags: time to the answer',
    ['face', 'operation'],
  )
  const health = storeHealth(store)
  const raApi: Api = {
    name: 'reasonable-adjustment-flag',
    version,
    basePath: config.gatewayPath,
    faults: 'fhir',
    roles: 'told',
    access: [{ mode: 'user-restricted', grants: workerGrants }],
    health,
  }
  const flagsApi: Api = {
    name: 'patient-flags',
    version,
    basePath: config.patientFlagsPath,
    faults: 'fhir',
    roles: 'told',
    access: [
      { mode: 'application-restricted', grants: ['app:level3'] },
      { mode: 'user-restricted', grants: workerGrants },
    ],
    health,
  }
  async function settled({ at, trace, ...facts }: Settled): Promise<void> {
    const { face, operation, status, code = '' } = facts
    requests.inc({ face, operation, status: String(status), code })
    const told = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
    await audit.append({ event: 'adjustments.request', at, ...(trace === undefined ? {} : { trace }), facts: told })
    seconds.observe({ face, operation }, (clock.now() - at) / 1000)
  }

  const shared = {
    version,
    clock,
    random,
    log,
    store: rows,
    patients: patients(needs.demographics),
    authorOf,
    newId: () => random.uuid(),
    settled,
    messageId: () => messageId({ clock, random }),
    directory,
  }
  const { anonymous } = withoutToken(platform.profile, config)
  // A change is told of a role, as the wire asks for one.
  const unsigned = anonymous && { anonymous: { ...anonymous, role: '000000000000' } }
  const admitBy = (api: Api) => admission({ gateway, api, ...unsigned })

  /** The gateway's own paths, its CORS and its headers; who may come in is asked by the face, in its own order. */
  const open = (api: Api): Api => ({ ...api, access: [{ mode: 'open' }] })
  const throughGateway = gateway.behind(
    open(raApi),
    raFace({
      ...shared,
      door: 'gateway',
      basePath: config.gatewayPath,
      publicUrl: config.gatewayUrl,
      admit: admitBy(raApi),
    }),
  )
  const flags = gateway.behind(
    open(flagsApi),
    patientFlagsFace({
      ...shared,
      basePath: config.patientFlagsPath,
      publicUrl: config.patientFlagsUrl,
      admit: admitBy(flagsApi),
    }),
  )
  for (const api of [raApi, flagsApi]) gateway.declare(api)
  const direct = raFace({ ...shared, door: 'direct', basePath: config.directPath, publicUrl: config.directUrl })

  /** What is raised and read for others follows merges too; somebody whom demographics does not know has one number. */
  const numbersOf = async (nhsNumber: string): Promise<Numbers> => {
    if (!/^\d{10}$/.test(nhsNumber)) throw kept('the NHS number is not ten digits')
    return (await knownAs(needs.demographics, nhsNumber))?.numbers ?? [nhsNumber]
  }

  function authorFor({ odsCode, name }: { readonly odsCode: string; readonly name?: string }): Author {
    const organisation = directory.snapshot().organisation(odsCode)?.name
    return {
      at: clock.now(),
      odsCode,
      ...(name === undefined ? {} : { name }),
      ...(organisation === undefined ? {} : { organisation }),
    }
  }

  const contract: Adjustments = {
    async flags(nhsNumber) {
      return shown(await rows.all(await numbersOf(nhsNumber)))
        .filter(({ active }) => active)
        .flatMap(summary)
    },
    async raise({ nhsNumber: asked, code, notes, team }, by) {
      const { kind } = kindOf(code)
      const numbers = await numbersOf(asked)
      const [nhsNumber] = numbers
      const document = {
        ...(notes === undefined ? {} : { extension: noted(notes) }),
        ...(team === undefined ? {} : { team }),
      }
      const before = await rows.all(numbers)
      if (before.some((item) => item.active && item.kind === kind)) return false
      const making = { nhsNumber, by: authorFor(by), newId: shared.newId }
      await rows.change(numbers, addFlags(making, [{ kind, nhsNumber, document }]))
      await audit.append({ event: 'adjustments.raised', at: clock.now(), facts: { nhsNumber, code, by } })
      return true
    },
    async lower({ nhsNumber: asked, code, reason }, by) {
      const { kind } = kindOf(code)
      const numbers = await numbersOf(asked)
      const [nhsNumber] = numbers
      const before = await rows.all(numbers)
      if (!before.some((item) => item.active && item.kind === kind)) return false
      const making = { nhsNumber, by: authorFor(by), newId: shared.newId }
      await rows.change(numbers, removeFlags(making, [kind], { reason }))
      await audit.append({ event: 'adjustments.lowered', at: clock.now(), facts: { nhsNumber, code, reason, by } })
      return true
    },
  }

  let pruning: NodeJS.Timeout | undefined
  return {
    name: 'adjustments',
    contract,
    migrations,
    routes: {
      async api(app) {
        await app.register(throughGateway)
        await app.register(flags)
      },
      async spine(app) {
        await app.register(direct, { prefix: config.directPath })
      },
    },
    async start() {
      await rows.prune(clock.now())
      pruning = setInterval(() => {
        rows
          .prune(clock.now())
          .catch((error: unknown) => log.warn({ err: error }, 'adjustments: old answers were not forgotten'))
      }, pruneMs).unref()
    },
    async stop() {
      clearInterval(pruning)
    },
    health,
  }
}

const kept = (problem: string) =>
  new SpineError('ADJUSTMENTS_FLAG_INVALID', { status: 400 }, { explanation: `This flag cannot be kept: ${problem}.` })

function kindOf(code: KeptFlag) {
  const flag = patientFlags[code]
  if (flag === undefined || (flag.kind as string) === 'record')
    throw kept('there is no such flag to be kept for others')
  return flag
}

function summary(item: Item): FlagSummary[] {
  const code = topCodeOf(item)
  if (code === undefined) return []
  const notes = text(asJson(extensionOf(item.document, extensions.adjustmentNotes))['valueString'])
  const { nhsNumber, version: at } = item
  return [{ code, nhsNumber, version: at, since: changedAt(item), ...(notes === undefined ? {} : { notes }) }]
}

/** Of this package, read where it is installed: sources and compiled files lie equally deep. */
const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
