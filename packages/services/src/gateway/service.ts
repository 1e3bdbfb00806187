import { AuditTrail } from '@openspine/platform/audit'
import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { isUuid } from '@openspine/standards/nhs'
import type { GatewayConfig } from './config.ts'
import type { Admission, ApiCaller, Application, Gateway, IssuedKey, KeyKind, Refusal } from './contract.ts'
import { apiBehind } from './http/behind.ts'
import { digestOf, type KeyRing, keyRing, newSecret } from './keys.ts'
import { migrations } from './migrations.ts'
import { rateCounter } from './rates.ts'
import { keyRefusal, rateRefusal } from './refusals.ts'
import { applicationStore, type StoredKey } from './store.ts'

export { type GatewayConfig, gatewayConfig } from './config.ts'

const topic = 'gateway'
/** Keys of one application, revoked ones included. */
const mostKeys = 100

interface Refused {
  readonly at: number
  readonly api: string
  readonly path: string
  readonly caller: ApiCaller
  readonly refusal: Refusal
  readonly address: string
}

/** The API platform's door: which application asks, and whether it may now. */
export function gateway(needs: { readonly platform: Platform; readonly config: GatewayConfig }): Service<Gateway> {
  const { platform, config } = needs
  const { store, clock, random, log, audit, metrics } = platform
  const registered = platform.profile === 'strict' || config.apikey === 'registered'
  const rows = applicationStore(store)
  const counted = rateCounter(config)
  const admissions = metrics.counter('openspine_gateway_requests_total', 'Requests to APIs by what the gateway said', [
    'api',
    'result',
  ])
  const trail = new AuditTrail<Refused>({
    audit,
    clock,
    log,
    event: 'gateway.refused',
    json: ({ at, api, path, caller, refusal, address }) =>
      JSON.stringify({
        at,
        api,
        path: path.slice(0, 256),
        reason: refusal.reason,
        status: refusal.status,
        address,
        ...caller,
      }),
    faultText: 'The audit of refused API requests cannot be written.',
  })
  let ring: KeyRing = keyRing({ version: 0, applications: [], keys: [] })
  let fault: string | undefined
  let stopListening: (() => void) | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** Resolves when memory shows everything that was committed before the call. */
  const refresh = (): Promise<void> => {
    const mine = turn.then(async () => {
      if ((await rows.version()) !== ring.version) ring = keyRing(await rows.all())
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
    const shown = { id: random.uuid(), kind, createdAt: clock.now() }
    return { stored: { ...shown, application, digest: digestOf(secret) }, issued: { ...shown, secret } }
  }

  function judge(api: string, apikey: string | undefined): Admission {
    const found = apikey === undefined ? undefined : ring.find(apikey)
    const usable = found !== undefined && found.key.revokedAt === undefined && found.key.kind === 'application'
    const caller: ApiCaller =
      found === undefined ? {} : { application: found.application.id, name: found.application.name, key: found.key.id }
    if (registered && !usable) {
      const reason =
        apikey === undefined ? 'key-missing' : found?.key.revokedAt === undefined ? 'key-unknown' : 'key-revoked'
      return { admitted: false, caller, refusal: keyRefusal(reason) }
    }
    const verdict = counted(`${caller.application ?? ''} ${api}`, clock.now())
    if (verdict.within) return { admitted: true, caller }
    return { admitted: false, caller, refusal: rateRefusal(verdict, caller, config) }
  }

  const contract: Gateway = {
    admit({ api, apikey }) {
      const admission = judge(api, apikey)
      admissions.inc({ api, result: admission.admitted ? 'admitted' : admission.refusal.reason })
      return admission
    },
    behind: (api, routes) =>
      apiBehind(api, routes, {
        random,
        admit: contract.admit,
        opensStatus(apikey) {
          if (!registered) return true
          const found = ring.find(apikey)
          return found?.key.kind === 'status' && found.key.revokedAt === undefined
        },
        async refused(event) {
          await trail.room()
          trail.add({ ...event, at: clock.now() })
        },
      }),
    applications: () => [...ring.applications.values()],
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
      if ((await rows.create({ id, name, createdAt }, stored, about)) === 'full') {
        const explanation = `${config.maxApplications} applications are registered: raise gateway.maxApplications.`
        throw new SpineError('GATEWAY_FULL', {}, { explanation })
      }
      await changed('gateway.application.created', { by, application: id, name, key: issued.id })
      return { application: ring.applications.get(id) as Application, key: issued }
    },
    async newKey(application, kind, by) {
      const wanted = application.toLowerCase()
      const { stored, issued } = freshKey(wanted, kind)
      const answer = isUuid(wanted)
        ? await rows.addKey(stored, { at: issued.createdAt, by, most: mostKeys })
        : 'unknown'
      if (answer === 'unknown')
        throw new SpineError(
          'GATEWAY_NO_APPLICATION',
          { application },
          { explanation: `There is no application ${application}. \`openspine app list\` shows them with their ids.` },
        )
      if (answer === 'full')
        throw new SpineError(
          'GATEWAY_FULL',
          { application },
          { explanation: `An application has at most ${mostKeys} keys, revoked ones included.` },
        )
      await changed('gateway.key.created', { by, application: wanted, kind, key: issued.id })
      return issued
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
    async start() {
      await refresh()
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
      await turn
      await trail.flush()
    },
    async health() {
      const note = fault ?? trail.fault
      return note === undefined ? { status: 'pass' } : { status: 'fail', note }
    },
  }
}
