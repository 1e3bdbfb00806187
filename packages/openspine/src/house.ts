import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openAudit } from '@openspine/platform/audit'
import { type Clock, systemClock, systemRandom } from '@openspine/platform/clock'
import { type Door, ocsp, openDoor, operational, pki, type ReservedPort } from '@openspine/platform/doors'
import { openJobs } from '@openspine/platform/jobs'
import { makeLog } from '@openspine/platform/log'
import { type Metrics, makeMetrics } from '@openspine/platform/metrics'
import { openSealing } from '@openspine/platform/sealing'
import type { HealthReport, Platform, Service } from '@openspine/platform/service'
import { type OpenStoreOptions, openStore, type Store } from '@openspine/platform/store'
import { type OpenTrust, openTrust, type TrustOptions, trustSettings } from '@openspine/platform/trust'
import { practice } from '@openspine/practice'
import { accessControl } from '@openspine/services/access-control'
import { adjustments } from '@openspine/services/adjustments'
import { demographics } from '@openspine/services/demographics'
import { directory } from '@openspine/services/directory'
import { peopleIn } from '@openspine/services/directory/contract'
import { gateway, roleSource } from '@openspine/services/gateway'
import { helloWorld } from '@openspine/services/hello-world'
import { identity } from '@openspine/services/identity'
import { proxy } from '@openspine/services/proxy'
import { registrars, registration } from '@openspine/services/registration'
import { patientsIn, signIn, workersIn } from '@openspine/services/sign-in'
import { smartcard } from '@openspine/services/smartcard'
import { summaryCareRecord } from '@openspine/services/summary-care-record'
import { visitors } from '@openspine/services/visitors'
import { SpineError } from '@openspine/standards/error'
import { platformParty } from './platform-party.ts'
import { tracesIn } from './practice-demographics.ts'
import type { Settings } from './settings.ts'

/** The platform of one environment in this process, and how to leave it. */
export interface OpenPlatform {
  readonly platform: Platform
  /** Health of the parts below the services, by name. */
  health(): Promise<Record<string, HealthReport>>
  close(): Promise<void>
}

/** Where the store of these settings is. */
export function storeOptions(
  settings: Settings,
  options: { readonly memory?: boolean; readonly attach?: boolean } = {},
): Pick<OpenStoreOptions, 'databaseUrl' | 'memory' | 'directory' | 'attach' | 'poolSize'> {
  const { databaseUrl, dataDir, storePoolSize: poolSize } = settings.values['']
  if (databaseUrl !== '') return { databaseUrl, poolSize }
  if (options.memory) return { memory: true, poolSize }
  return { directory: join(resolve(dataDir), 'store'), attach: options.attach === true, poolSize }
}

/** Where the certificates are, and what they are like. */
export function trustOptions(settings: Settings): Omit<TrustOptions, 'clock' | 'log'> {
  const { dataDir, environment, profile, pkiOpen, pkiPort, publicHost } = settings.values['']
  // A port that changes with every start is no address for a certificate that lives for years.
  const pkiUrl = pkiOpen && pkiPort !== 0 ? `http://${publicHost}:${pkiPort}` : undefined
  return {
    ...trustSettings(settings.values.trust, pkiUrl),
    directory: join(resolve(dataDir), 'trust'),
    environment,
    passphraseNeeded: profile === 'strict',
  }
}

/** Where the audit's journals are. */
export const auditFolder = (settings: Settings) => join(resolve(settings.values[''].dataDir), 'audit')

/**
 * Opens store, trust, audit and jobs. `attach` is for commands beside a running server: an embedded store
 * that another process holds is then reached through that process.
 */
export async function openPlatform(
  settings: Settings,
  options: { readonly memory?: boolean; readonly attach?: boolean } = {},
): Promise<OpenPlatform> {
  const spine = settings.values['']
  const dataDir = resolve(spine.dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const clock = systemClock
  const random = systemRandom
  const log = makeLog({ level: spine.logLevel, environment: spine.environment })
  const metrics = makeMetrics()
  const opened: { close(): Promise<void> | void }[] = []
  const close = async () => {
    for (const part of opened.splice(0).reverse()) await part.close()
  }
  const keep = <Part extends { close(): Promise<void> | void }>(part: Part): Part => {
    opened.push(part)
    return part
  }
  try {
    const [store, trust] = await Promise.all([
      openStore({
        log,
        clock,
        ...storeOptions(settings, options),
      }).then(keep),
      openTrust({ ...trustOptions(settings), clock, log }).then(keep),
    ])
    const audit = keep(
      await openAudit({
        store,
        clock,
        random,
        log,
        metrics,
        journalDir: auditFolder(settings),
        durability: spine.auditDurability,
      }),
    )
    const jobs = keep(await openJobs({ store, clock, random, log, metrics }))
    watchExpiry(trust, metrics, clock)
    const sealing = openSealing({ secret: spine.sealingKey, folder: dataDir, random })
    const { environment, profile } = spine
    const platform = { environment, profile, dataDir, clock, random, log, metrics, store, trust, audit, jobs, sealing }
    return { platform, health: async () => ({ store: await storeHealth(store), trust: trust.health() }), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Every service, wired: the list of the house. */
export function makeServices(platform: Platform, settings: Settings) {
  const { values } = settings
  const theAccessControl = accessControl({ platform })
  const theGateway = gateway({
    platform,
    config: values.gateway,
    userInfo: (grant) => rolesOf(grant),
    access: theAccessControl.contract,
  })
  const theDirectory = directory({ platform, config: values.directory, gateway: theGateway.contract })
  const people = peopleIn(theDirectory.contract, platform.clock)
  const theRegistration = registration({
    platform,
    config: values.registration,
    directory: theDirectory.contract,
    admit: registrars({
      gateway: theGateway.contract,
      applications: values.registration.apiApplications,
      profile: platform.profile,
    }),
  })
  const theDemographics = demographics({
    platform,
    config: values.demographics,
    gateway: theGateway.contract,
    directory: theDirectory.contract,
  })
  const { publicHost, apiPort } = values['']
  const origin = `https://${publicHost}:${apiPort}`
  const party = platformParty({ origin, folder: join(platform.dataDir, 'identity') })
  const theSignIn = signIn({
    platform,
    config: values.signIn,
    workers: workersIn(people),
    patients: patientsIn(theDemographics.contract, values.signIn.offeredPatients),
    origin,
    relyingParties: party.relyingParties,
    mockParties: party.mockParties,
    mockKeys: {
      admit(apikey) {
        const admission = theGateway.contract.admit({ api: 'mock-jwks', apikey })
        if (!admission.admitted) return { refusal: admission.refusal }
        const { application } = admission.caller
        return application === undefined ? {} : { application }
      },
      statusKey: async (application) => (await theGateway.contract.newKey(application, 'status', 'mock-jwks')).secret,
      opensStatus: theGateway.contract.opensStatus,
    },
  })
  const theIdentity = identity({
    platform,
    config: values.identity,
    clients: theGateway.contract,
    // Whoever configures providers means those alone; and where the house's own do not answer, nothing vouches for
    // what is signed in their name.
    providers:
      values.identity.providers.length === 0 && theSignIn.contract.answers ? party.providers(theSignIn.contract) : [],
    publicHost,
    opensStatus: theGateway.contract.opensStatus,
    activity: theGateway.contract,
    opensOrigin: theGateway.contract.opensOrigin,
    rate(apikey) {
      const admission = theGateway.contract.admit({ api: 'oauth2', apikey })
      return admission.admitted || admission.refusal.status !== 429 ? undefined : admission.refusal
    },
  })
  const rolesOf = roleSource({
    people,
    ownIssuer: theSignIn.contract.issuers.cis2.issuer,
    ask: theIdentity.contract.userInfo,
    clock: platform.clock,
    seconds: values.gateway.userInfoSeconds,
  })
  const theProxy = proxy({
    platform,
    config: values.proxy,
    directory: theDirectory.contract,
    agreements: theRegistration.contract.agreements,
  })
  const theSmartcard = smartcard({
    platform,
    config: values.smartcard,
    people,
    access: theAccessControl.contract,
    issuer: origin,
  })
  const theAdjustments = adjustments({
    platform,
    config: values.adjustments,
    directory: theDirectory.contract,
    demographics: theDemographics.contract,
    gateway: theGateway.contract,
    people,
  })
  const theVisitors = visitors({
    platform,
    config: values.visitors,
    directory: theDirectory.contract,
    demographics: theDemographics.contract,
  })
  const theSummaryCareRecord = summaryCareRecord({
    platform,
    config: values.summaryCareRecord,
    directory: theDirectory.contract,
    demographics: theDemographics.contract,
    gateway: theGateway.contract,
  })
  const thePractice = practice({
    platform,
    config: values.practice,
    demographics: tracesIn(theDemographics.contract),
  })
  return {
    gateway: theGateway,
    directory: theDirectory,
    registration: theRegistration,
    demographics: theDemographics,
    adjustments: theAdjustments,
    visitors: theVisitors,
    summaryCareRecord: theSummaryCareRecord,
    helloWorld: helloWorld({ gateway: theGateway.contract }),
    identity: theIdentity,
    proxy: theProxy,
    practice: thePractice,
    signIn: theSignIn,
    accessControl: theAccessControl,
    smartcard: theSmartcard,
  }
}

export type Services = ReturnType<typeof makeServices>

export interface RunningHouse {
  /** Where each door answers: `api`, `spine`, and the listeners by name. */
  readonly urls: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Starts the services in order and opens their doors; stops everything again when one cannot start.
 * With `only`, the others keep their contracts in this process but open no door and work no job.
 */
export async function runHouse(
  base: OpenPlatform,
  services: Services,
  settings: Settings,
  options: { readonly only?: readonly string[]; readonly apiPort?: ReservedPort } = {},
): Promise<RunningHouse> {
  const { platform } = base
  const spine = settings.values['']
  const list: readonly Service[] = Object.values(services)
  const unknown = options.only?.filter((name) => !list.some((service) => service.name === name)) ?? []
  if (unknown.length > 0) {
    throw new SpineError(
      'SERVICE_UNKNOWN',
      { unknown },
      {
        explanation: `There is no service ${unknown.join(', ')}. There are: ${list.map(({ name }) => name).join(', ')}.`,
      },
    )
  }
  const open = options.only ? list.filter((service) => options.only?.includes(service.name)) : list
  const deadlineMs = spine.stopSeconds * 1000
  const undo: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        platform.log.error({ err: error }, 'a part did not stop cleanly')
      }
    }
  }
  try {
    for (const service of list) if (service.migrations) await platform.store.migrate(service.name, service.migrations)
    for (const service of list) {
      await service.start?.()
      undo.push(async () => service.stop?.(deadlineMs))
    }
    for (const service of open) {
      for (const handler of service.jobs ?? []) {
        const worker = platform.jobs.work(handler)
        undo.push(() => worker.stop())
      }
    }
    const urls: Record<string, string> = {}
    const closers: (() => Promise<void>)[] = []
    // Doors close together: each finishes what is in flight while the others do the same.
    undo.push(async () => void (await Promise.all(closers.map((closeOne) => closeOne()))))
    for (const service of open) {
      for (const listener of service.listeners ?? []) {
        urls[listener.name] = (await listener.listen()).url
        closers.push(() => listener.close(deadlineMs))
      }
    }
    const ports = { api: spine.apiPort, spine: spine.spinePort, pki: spine.pkiPort }
    for (const name of ['api', 'spine', 'pki'] as const) {
      const routes = name === 'pki' ? [] : open.flatMap((service) => service.routes?.[name] ?? [])
      if (name === 'pki' ? !spine.pkiOpen || options.only : options.only && routes.length === 0) continue
      const door: Door = await openDoor({
        name,
        host: spine.host,
        port: ports[name],
        ...(name === 'api' && options.apiPort !== undefined ? { reserved: options.apiPort } : {}),
        plain: name === 'pki',
        frontEnds: spine.trustedFrontEnds,
        trust: platform.trust,
        identity: { fqdn: spine.publicHost },
        mutual: name === 'spine' ? 'report' : 'none',
        log: platform.log,
        metrics: platform.metrics,
        clock: platform.clock,
        random: platform.random,
        routes: [
          operational({
            checks: () => healthOf(base, open),
            clock: platform.clock,
            // What is behind the door is told where metrics are: not to everybody in the profile strict.
            details: name === 'api' && spine.metricsOpen,
            ...(name === 'api' && spine.metricsOpen ? { metrics: platform.metrics } : {}),
          }),
          ...(name === 'spine' ? [] : [pki(platform.trust)]),
          ...(name === 'pki' ? [ocsp(platform.trust, platform.clock)] : []),
          ...routes,
        ],
      })
      urls[name] = door.url
      closers.push(() => door.close(deadlineMs))
    }
    if (urls['api'] === undefined) options.apiPort?.release()
    return { urls, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Seconds until each thing ends on which this process stands; read whenever the metrics are. */
function watchExpiry(trust: OpenTrust, metrics: Metrics, clock: Clock): void {
  const name = 'openspine_trust_expiry_seconds'
  const gauge = metrics.gauge(name, 'Seconds until a certificate or CRL in use ends; negative after it.', ['what'])
  const fill = () => {
    gauge.reset()
    for (const { what, until } of trust.expiries()) gauge.set({ what }, (until - clock.now()) / 1000)
  }
  Object.assign(gauge, { collect: fill })
}

async function storeHealth(store: Store): Promise<HealthReport> {
  try {
    await store.pool.query('select 1')
    return { status: 'pass', note: store.kind }
  } catch {
    return { status: 'fail', note: 'The store does not answer.' }
  }
}

async function healthOf(open: OpenPlatform, services: readonly Service[]): Promise<Record<string, HealthReport>> {
  const reports = await Promise.all(
    services.map(async (service): Promise<[string, HealthReport]> => {
      try {
        return [service.name, (await service.health?.()) ?? { status: 'pass' }]
      } catch {
        return [service.name, { status: 'fail', note: 'The health check itself failed: see the log.' }]
      }
    }),
  )
  return { ...(await open.health()), ...Object.fromEntries(reports) }
}
