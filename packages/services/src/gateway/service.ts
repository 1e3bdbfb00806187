import { AuditTrail } from '@openspine/platform/audit'
import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { isUuid } from '@openspine/standards/nhs'
import type { AccessControl } from '../access-control/contract.ts'
import { applicationActivity } from './activity/activity.ts'
import { sharedRates } from './activity/sharing.ts'
import type { Product, Subscription } from './clients.ts'
import type { GatewayConfig } from './config.ts'
import type { Api, ApiCaller, Application, Gateway, IssuedKey, KeyKind, Refusal } from './contract.ts'
import { type DecidedRequest, door } from './door.ts'
import { changedFacts, checkChange, checkOwner, checkProduct } from './facts.ts'
import { apiBehind } from './http/behind.ts'
import { ownFace } from './http/own.ts'
import { digestOf, inForce, type KeyRing, keyRing, newSecret } from './keys.ts'
import { messageId } from './message-id.ts'
import { migrations } from './migrations.ts'
import { defaultProducts } from './products.ts'
import { rolesOfGrant, type UserInfo } from './roles.ts'
import { applicationStore, type StoredApplications, type StoredKey } from './store.ts'
import { tokenKeeper } from './tokens/tokens.ts'

export { type DoorCheck, headerChecks, keyChecks, modeChecks, rateChecks, tokenChecks } from './checks.ts'
export { type GatewayConfig, gatewayConfig } from './config.ts'
export { permissionCheck, roleCheck } from './door.ts'
export { explainRefusal, type RefusalExplanation } from './explain.ts'
export { shown as shownApplication } from './http/own.ts'
export { keysOfSet, type ShownKey } from './key-set.ts'
export { timeOfMessage } from './message-id.ts'
export { roleSource, type UserInfo } from './roles.ts'

const topic = 'gateway'
/** Keys of one application, revoked ones included. */
const mostKeys = 100
const nothing: StoredApplications = {
  version: 0,
  applications: [],
  keys: [],
  subscriptions: [],
  products: [],
  owners: [],
}

interface Refused {
  readonly at: number
  readonly api: string
  readonly path: string
  readonly caller: ApiCaller
  readonly refusal: Refusal
  readonly address: string
  readonly requestId?: string | undefined
}

/** A request about which role-based access control was asked. */
interface Decided extends DecidedRequest {
  readonly at: number
}

/** No number of a patient. */
const withoutNumbers = (path: string) => path.slice(0, 256).replaceAll(/\d{9,}/g, '…')

const noApplication = (application: string) =>
  new SpineError(
    'GATEWAY_NO_APPLICATION',
    { application },
    { explanation: `There is no application ${application}. \`openspine app list\` shows them with their ids.` },
  )

/**
 * The API platform's door: which application asks, by which key or token, and whether it may now. `userInfo` tells the
 * roles of a signed-in worker; without it, they are those that came with the sign-in.
 */
export function gateway(needs: {
  readonly platform: Platform
  readonly config: GatewayConfig
  readonly userInfo?: UserInfo
  /** Asked for APIs that declare what their operations need of a role. */
  readonly access?: Pick<AccessControl, 'decide'>
}): Service<Gateway> {
  const { platform, config } = needs
  const { store, clock, random, log, audit, metrics, environment, profile } = platform
  const registered = profile === 'strict' || config.apikey === 'registered'
  const rows = applicationStore(store)
  const tokens = tokenKeeper({
    store,
    clock,
    random,
    log,
    sealing: platform.sealing,
    remembered: config.rememberedTokens,
  })
  const admissions = metrics.counter('openspine_gateway_requests_total', 'Requests to APIs by what the gateway said', [
    'api',
    'result',
  ])
  const activity = applicationActivity({ store, clock, log })
  const rates = sharedRates({ store, clock, log, everyMs: config.rateShareMs })
  const trail = new AuditTrail<Refused>({
    audit,
    clock,
    log,
    event: 'gateway.refused',
    json: ({ at, api, path, caller, refusal, address, requestId }) =>
      JSON.stringify({
        at,
        id: refusal.id,
        requestId: requestId?.slice(0, 128),
        api,
        path: withoutNumbers(path),
        reason: refusal.reason,
        check: refusal.check,
        explanation: refusal.explanation,
        says: (refusal.outcome.diagnostics ?? '').slice(0, 256),
        status: refusal.status,
        address,
        application: caller.application,
        name: caller.name,
        key: caller.key,
      }),
    faultText: 'The audit of refused API requests cannot be written.',
  })
  const decisions = new AuditTrail<Decided>({
    audit,
    clock,
    log,
    event: 'gateway.access',
    json: ({ at, api, method, path, requestId, caller, role, permission }) => {
      const { decision, need, refused } = permission
      return JSON.stringify({
        at,
        requestId: requestId?.slice(0, 128),
        api,
        method,
        path: withoutNumbers(path),
        application: caller.application,
        user: caller.grant?.user,
        role: role?.slice(0, 64),
        need,
        refused,
        // With the version of the rules.
        ...decision,
      })
    },
    faultText: 'The audit of access decisions cannot be written.',
  })
  async function decided(decision: Omit<Decided, 'at'>): Promise<void> {
    await decisions.room()
    decisions.add({ ...decision, at: clock.now() })
  }
  const apis = new Map<string, Api>()
  let stored = nothing
  let ring: KeyRing = keyRing(nothing, [])
  let fault: string | undefined
  let stopListening: (() => void) | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const remake = () => {
    ring = keyRing(stored, defaultProducts(apis.values(), { environment, profile }))
  }

  /** Resolves when memory shows everything that was committed before the call. */
  const refresh = (): Promise<void> => {
    const mine = turn.then(async () => {
      if ((await rows.version()) !== stored.version) {
        stored = await rows.all()
        remake()
      }
      fault = undefined
    })
    turn = mine.catch(() => {})
    return mine
  }

  const changed = async (event: string, facts: Readonly<Record<string, unknown>>) => {
    store.announce(topic)
    await refresh()
    await audit.append({ event, at: clock.now(), facts })
  }

  const freshKey = (application: string, kind: KeyKind): { readonly stored: StoredKey; readonly issued: IssuedKey } => {
    const secret = newSecret(random)
    const clientSecret = kind === 'application' ? newSecret(random) : undefined
    const shown = { id: random.uuid(), kind, createdAt: clock.now() }
    return {
      stored: {
        ...shown,
        application,
        digest: digestOf(secret),
        ...(clientSecret === undefined ? {} : { secretDigest: digestOf(clientSecret) }),
      },
      issued: { ...shown, secret, ...(clientSecret === undefined ? {} : { clientSecret }) },
    }
  }

  const productOf = (name: string): Product => {
    const product = ring.products.get(name)
    if (product !== undefined) return product
    const known = [...ring.products.keys()].join(', ')
    throw new SpineError(
      'GATEWAY_NO_PRODUCT',
      { product: name },
      { explanation: `There is no product ${name}. There are: ${known}.` },
    )
  }

  const subscribe = async (
    application: string,
    product: string,
    by: string,
    decide: (now: Subscription['status'] | undefined) => Subscription['status'],
  ): Promise<Subscription> => {
    await refresh()
    productOf(product)
    const id = application.toLowerCase()
    if (!isUuid(id)) throw noApplication(application)
    const status = await rows.subscribe(id, product, decide, { at: clock.now(), by })
    if (status === undefined) throw noApplication(application)
    await changed('gateway.subscription.changed', { by, application: id, product, status })
    return { product, status }
  }

  const theDoor = door({
    compat: config.compat,
    registered,
    rates: config,
    isDeclared: (api) => apis.has(api),
    clientOfKey: (apikey) => ring.client(apikey),
    clientOf: (keyId) => ring.clientOf(keyId),
    application: (id) => ring.applications.get(id),
    verify: tokens.verify,
    apiRates: { quotaPerMinute: config.apiQuotaPerMinute, spikePerSecond: config.apiSpikePerSecond },
    count: rates.count,
    messageId: () => messageId({ clock, random }),
    userInfo: needs.userInfo ?? rolesOfGrant,
    access: needs.access,
    decided,
    used: (application, name) => activity.used({ application, kind: 'key', name }),
  })

  const contract: Gateway = {
    client: (clientId) => ring.client(clientId),
    secretFits(clientId, secret) {
      const fits = ring.secretFits(clientId, secret)
      const client = fits ? ring.client(clientId) : undefined
      if (client !== undefined)
        for (const kind of ['key', 'secret'] as const)
          activity.used({ application: client.application, kind, name: client.key })
      return fits
    },
    issue: tokens.issue,
    refresh: tokens.refresh,
    async verify(accessToken) {
      const verdict = await tokens.verify(accessToken)
      // With its key or its application a token dies at once.
      return verdict.state === 'valid' && !inForce(ring.clientOf(verdict.grant.key)) ? { state: 'unknown' } : verdict
    },
    revoke: tokens.revoke,
    revokeSession: tokens.revokeSession,
    revokeApplication: tokens.revokeApplication,
    declare(api) {
      apis.set(api.name, api)
      remake()
    },
    admit({ api, apikey }) {
      const known = apis.get(api) ?? unknownApi(api)
      const admission = theDoor.byKey(known, known.access, apikey)
      admissions.inc({ api, result: admission.admitted ? 'admitted' : admission.refusal.reason })
      return admission
    },
    async judge({ api, ...request }) {
      const admission = await theDoor.judge(api, request)
      admissions.inc({ api: api.name, result: admission.admitted ? 'admitted' : admission.refusal.reason })
      return admission
    },
    behind(api, routes) {
      contract.declare(api)
      return apiBehind(api, routes, {
        messageId: () => messageId({ clock, random }),
        judge: contract.judge,
        opensStatus: contract.opensStatus,
        opensOrigin: contract.opensOrigin,
        refused: contract.refused,
      })
    },
    async refused(event) {
      await trail.room()
      const at = clock.now()
      trail.add({ ...event, at })
      const { caller, refusal, requestId } = event
      if (caller.application !== undefined)
        activity.refused(caller.application, {
          id: refusal.id,
          at,
          where: `${event.api} ${event.path}`,
          status: refusal.status,
          check: refusal.check,
          says: refusal.outcome.diagnostics ?? refusal.outcome.coding.display ?? '',
          explanation: refusal.explanation,
          ...(requestId === undefined ? {} : { requestId }),
        })
    },
    opensOrigin(origin, application) {
      if (config.origins === 'any') return true
      const whose = ring.originsOf(origin)
      return application === undefined ? whose.size > 0 : whose.has(application)
    },
    opensStatus(apikey) {
      if (!registered) return true
      const found = ring.find(apikey)
      return found?.key.kind === 'status' && found.key.revokedAt === undefined
    },
    applications: () => [...ring.applications.values()],
    products: () => [...ring.products.values()],
    async create(given, by) {
      const name = given.trim()
      if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u.test(name)) {
        const explanation =
          'The name of an application has 1 to 64 letters, digits, spaces, dots, hyphens and underscores.'
        throw new SpineError('GATEWAY_NAME', { name }, { explanation })
      }
      const { createdAt, id } = { createdAt: clock.now(), id: random.uuid() }
      const { stored, issued } = freshKey(id, 'application')
      const about = { at: createdAt, by, most: config.maxApplications }
      if ((await rows.create({ id, name }, stored, about)) === 'full') {
        const explanation = `${config.maxApplications} applications are registered: raise gateway.maxApplications.`
        throw new SpineError('GATEWAY_FULL', {}, { explanation })
      }
      await changed('gateway.application.created', { by, application: id, name, key: issued.id })
      return { application: ring.applications.get(id) as Application, key: issued }
    },
    async change(application, change, by) {
      await refresh()
      checkChange(change, ring.owners)
      const id = application.toLowerCase()
      if (!isUuid(id) || !(await rows.change(id, (facts) => changedFacts(facts, change))))
        throw noApplication(application)
      await changed('gateway.application.changed', { by, application: id, facts: Object.keys(change) })
      return ring.applications.get(id) as Application
    },
    async revokeApp(application, by) {
      const id = application.toLowerCase()
      if (!isUuid(id) || !(await rows.revokeApplication(id))) return false
      const families = await tokens.revokeApplication(id)
      await changed('gateway.application.revoked', { by, application: id, tokens: families })
      return true
    },
    async revokeTokens(application, by) {
      const families = await tokens.revokeApplication(application)
      await audit.append({ event: 'gateway.tokens.revoked', at: clock.now(), facts: { by, application, families } })
      return families
    },
    async newKey(application, kind, by) {
      const wanted = application.toLowerCase()
      const { stored, issued } = freshKey(wanted, kind)
      const answer = isUuid(wanted)
        ? await rows.addKey(stored, { at: issued.createdAt, by, most: mostKeys })
        : 'unknown'
      if (answer === 'unknown') throw noApplication(application)
      if (answer === 'full')
        throw new SpineError(
          'GATEWAY_FULL',
          { application },
          { explanation: `An application has at most ${mostKeys} keys, revoked ones included.` },
        )
      await changed('gateway.key.created', { by, application: wanted, kind, key: issued.id })
      return issued
    },
    async newSecret(key, by) {
      const secret = newSecret(random)
      if (!isUuid(key) || !(await rows.setSecret(key.toLowerCase(), digestOf(secret))))
        throw new SpineError(
          'GATEWAY_NO_KEY',
          { key },
          {
            explanation: `There is no valid key of an application with the id ${key}: \`openspine app list\` shows them.`,
          },
        )
      await changed('gateway.secret.created', { by, key })
      return secret
    },
    subscribe: (application, product, by) =>
      subscribe(application, product, by, (now) => {
        if (now === 'approved') return now
        // Whoever was turned away asks again, and an operator decides again.
        return now === undefined && productOf(product).approval === 'auto' ? 'approved' : 'pending'
      }),
    decide: (application, product, status, by) => subscribe(application, product, by, () => status),
    async defineOwner(owner, by) {
      checkOwner(owner)
      await rows.defineOwner(owner, { at: clock.now(), by })
      await changed('gateway.owner.defined', { by, ...owner })
    },
    owners: () => ring.owners,
    used: activity.used,
    noteRefusal: activity.refused,
    uses: async (application) => (isUuid(application) ? activity.uses(application.toLowerCase()) : []),
    refusals: async (application) => (isUuid(application) ? activity.refusals(application.toLowerCase()) : []),
    async defineProduct(product, by) {
      checkProduct(product, [...apis.keys()])
      await rows.define(product, { at: clock.now(), by })
      await changed('gateway.product.defined', { by, ...product })
    },
    async revokeKey(id, by) {
      if (!isUuid(id)) return false
      const revoked = await rows.revoke(id.toLowerCase(), { at: clock.now(), by })
      if (revoked === undefined) return false
      await changed('gateway.key.revoked', { by, application: revoked.application, key: revoked.id })
      return true
    },
  }

  return {
    name: 'gateway',
    contract,
    migrations,
    routes: {
      api: ownFace({
        clientOf(clientId, secret) {
          const client = contract.secretFits(clientId, secret) ? ring.client(clientId) : undefined
          return inForce(client) ? client : undefined
        },
        rate(apikey) {
          const admission = contract.admit({ api: 'application', apikey })
          return admission.admitted || admission.refusal.status !== 429 ? undefined : admission.refusal
        },
        application: (id) => ring.applications.get(id),
        messageId: () => messageId({ clock, random }),
        uses: activity.uses,
        refusals: activity.refusals,
      }),
    },
    async start() {
      await refresh()
      await tokens.start()
      rates.start()
      if (!registered) log.info('the APIs answer everyone, with any apikey or none (profile sandbox)')
      stopListening = store.onAnnounced(topic, () => {
        refresh().catch((error: unknown) => {
          fault = 'Applications and their keys could not be read from the store: this process knows an older state.'
          log.error({ err: error }, fault)
        })
      })
    },
    async stop() {
      stopListening?.()
      await tokens.stop()
      await turn
      await trail.flush()
      await decisions.flush()
      await activity.stop()
      await rates.stop()
    },
    async health() {
      const note = fault ?? tokens.fault ?? trail.fault ?? decisions.fault ?? activity.fault ?? rates.fault
      return note === undefined ? { status: 'pass' } : { status: 'fail', note }
    },
  }
}

/** An API that did not say what it asks for: a key, of whatever application. */
const unknownApi = (name: string): Api => ({
  name,
  version: '0.1.0',
  basePath: '',
  access: [{ mode: 'key' }],
  faults: 'fhir-display',
  health: async () => ({ status: 'pass' }),
})
