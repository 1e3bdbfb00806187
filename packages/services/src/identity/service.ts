import { rootCertificates } from 'node:tls'
import type { Platform, Service } from '@openspine/platform/service'
import { type AccessTokens, type Clients, type Gateway, messageId } from '../gateway/contract.ts'
import { about, type Parts } from './call.ts'
import type { IdentityConfig } from './config.ts'
import type { Identity } from './contract.ts'
import { explainRefusal, likelyIn, refusalEvent } from './explain.ts'
import { identityRoutes } from './http/routes.ts'
import { type Fetch, guardedFetch } from './keys/fetch.ts'
import { keySets } from './keys/key-sets.ts'
import { migrations } from './migrations.ts'
import { configuredProvider, type Provider } from './providers.ts'
import { userinfoClaims } from './session.ts'
import { singleUse } from './store.ts'

export { applicationScope, assertionChecks } from './checks/assertion.ts'
export { authorizeChecks, codeChecks, refreshChecks } from './checks/client.ts'
export { logoutChecks } from './checks/logout.ts'
export { subjectChecks } from './checks/subject-token.ts'
export { type IdentityConfig, identityConfig, providerConfig } from './config.ts'
export { explainRefusal, likelyCauses } from './explain.ts'
export type { Provider } from './providers.ts'

const longestAnswer = 64 * 1024
const sweepMs = 60_000

/** The platform's authorisation server: who gets an access token, and why not. */
export function identity(needs: {
  readonly platform: Platform
  readonly config: IdentityConfig
  readonly clients: Clients & AccessTokens
  /** Name of this environment's host: where clients reach the platform unless `identity.origins` says so. */
  readonly publicHost: string
  /** Identity providers besides those of the configuration. */
  readonly providers?: readonly Provider[]
  /** The gateway's 429 for a client that asks too often; counts the request. Without it nobody does. */
  rate?(clientId: string): { readonly body: string; readonly headers: Readonly<Record<string, string>> } | undefined
  /** Whether this key opens /_status. Without it: every key in the profile sandbox, none in strict. */
  opensStatus?(apikey: string): boolean
  /** Told what an application used and what it was refused: for its owner. */
  readonly activity?: Pick<Gateway, 'used' | 'noteRefusal'>
  /** Whether pages of this origin are answered a preflight. Without it: any. */
  opensOrigin?(origin: string): boolean
  /** How key sets are fetched from where clients say. */
  readonly fetch?: Fetch
  /** How the configured identity providers are asked. */
  readonly ask?: Fetch
}): Service<Identity> {
  const { platform, config, clients } = needs
  const { clock, random, store, log, audit, metrics } = platform
  const sandbox = platform.profile === 'sandbox'
  const providers = [...config.providers.map(configuredProvider), ...(needs.providers ?? [])]
  const bounds = { timeoutMs: config.fetchSeconds * 1000, maxBytes: longestAnswer, plain: sandbox }
  // The public web's issuers, and the environment's own: a provider may stand behind a door of this house.
  const ca = () => [...rootCertificates, ...platform.trust.material().ca]
  const fetch = needs.fetch ?? guardedFetch({ ...bounds, allow: config.fetchAllow, ca })
  // Whoever configures a provider says where it is: that may be next door.
  const hosts = providers
    .flatMap((each) => [each.tokenUrl, each.jwksUrl, each.userinfoUrl ?? each.tokenUrl])
    .map((url) => new URL(url).host)
  const ask = needs.ask ?? needs.fetch ?? guardedFetch({ ...bounds, allow: [...config.fetchAllow, ...hosts], ca })
  const providerUrls = new Set(providers.map(({ jwksUrl }) => jwksUrl))
  const once = singleUse(store)
  const parts: Parts = {
    config,
    environment: platform.environment,
    clock,
    random,
    clients,
    once,
    keys: keySets({
      fetch: (request) => (providerUrls.has(request.url) ? ask(request) : fetch(request)),
      clock,
      refetch: config.compat === 'hardened',
    }),
    fetch: ask,
    providers,
    rate(clientId) {
      const worded = needs.rate?.(clientId)
      return worded && { status: 429, error: 'rate', description: 'Too many requests', worded }
    },
  }
  const results = metrics.counter('openspine_identity_requests_total', 'Requests to the authorisation server', [
    'endpoint',
    'result',
  ])
  let sweeper: NodeJS.Timeout | undefined
  let sweeping: Promise<unknown> = Promise.resolve()
  const sweep = () => {
    sweeping = once.sweep(clock.now()).catch((error: unknown) => log.error({ err: error }, 'expired rows stay'))
  }

  const contract: Identity = {
    userInfo: (grant) => userinfoClaims(parts, grant),
    async refusal(messageId) {
      const [found] = await audit.find({ trace: messageId, event: refusalEvent, limit: 1 })
      return found && explainRefusal(found)
    },
  }

  const routes = identityRoutes({
    parts,
    sandbox,
    publicHost: needs.publicHost,
    version: '0.1.0',
    opensStatus: needs.opensStatus ?? (() => sandbox),
    opensOrigin: needs.opensOrigin ?? (() => true),
    newMessageId: () => messageId(platform),
    async refused({ messageId, endpoint, call, refused }) {
      const { check, clause, outcome, cause, client } = refused
      const { status, error, description } = outcome
      results.inc({ endpoint, result: `${status}` })
      const facts = {
        endpoint: `${call.base}/${endpoint}`,
        check,
        clause,
        status,
        error,
        description,
        cause,
        address: call.address,
        ...(client === undefined ? {} : { ...about(client), name: client.name }),
      }
      await audit.append({ event: refusalEvent, at: call.now, trace: messageId, facts })
      if (client !== undefined)
        needs.activity?.noteRefusal(client.application, {
          id: messageId,
          at: call.now,
          where: facts.endpoint,
          status,
          check,
          says: description,
          explanation: [cause, ...likelyIn(check)].join(' '),
        })
    },
    async granted({ name, facts }, call) {
      results.inc({ endpoint: name, result: 'granted' })
      const { application, kid, key } = facts
      if (typeof application === 'string')
        for (const [kind, used] of [
          ['kid', kid],
          ['key', key],
        ] as const)
          if (typeof used === 'string') needs.activity?.used({ application, kind, name: used.slice(0, 256) })
      await audit.append({ event: name, at: call.now, facts: { base: call.base, address: call.address, ...facts } })
    },
  })

  return {
    name: 'identity',
    contract,
    migrations,
    routes: { api: routes },
    async start() {
      sweep()
      sweeper = setInterval(sweep, sweepMs).unref()
      if (providers.length === 0)
        log.info('no identity provider is configured: applications get tokens for themselves, people cannot sign in')
    },
    async stop() {
      clearInterval(sweeper)
      await sweeping
    },
  }
}
