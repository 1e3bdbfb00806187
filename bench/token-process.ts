/**
 * One token endpoint, a process of its own: ours with everything that stands behind it (gateway, store, audit, the door), or
 * a bare `oidc-provider` with its own memory adapter. Answers `cpu` with what the process has used.
 */
import { createPublicKey } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@openspine/platform/clock'
import { openDoor } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import { openStore } from '@openspine/platform/store'
import { testPlatform } from '@openspine/platform/testing'
import { gateway, gatewayConfig } from '@openspine/services/gateway'
import { identity, identityConfig } from '@openspine/services/identity'
import { publicJwk } from '@openspine/standards/jose'
import { Provider } from 'oidc-provider'

export interface Serving {
  readonly url: string
  readonly clientId: string
}

/** What the process is started with. */
export interface Wanted {
  readonly kind: 'openspine' | 'oidc-provider'
  /** Where the store is: a PostgreSQL, or a folder for the embedded one. */
  readonly databaseUrl?: string
  readonly folder: string
  readonly publicKey: string
  readonly kid: string
  /** PEM of the server: both have the same. */
  readonly tls: { readonly key: string; readonly cert: string }
  readonly trust: string
}

const wanted = JSON.parse(process.argv[2] ?? '') as Wanted
const jwk = publicJwk(createPublicKey(wanted.publicKey), { kid: wanted.kid, alg: 'RS512' })

async function ours({ databaseUrl, folder }: Wanted): Promise<Serving> {
  const log = makeLog({ level: 'warn', environment: 'bench' })
  const { openTrust } = await import('@openspine/platform/trust')
  const store = await openStore({
    log,
    clock: systemClock,
    ...(databaseUrl === undefined ? { directory: folder } : { databaseUrl, poolSize: 8 }),
  })
  const trust = await openTrust({ directory: wanted.trust, environment: 'bench', clock: systemClock, log })
  const platform = await testPlatform({ store, log, trust, profile: 'strict', environment: 'bench' })
  const theGateway = gateway({
    platform,
    config: gatewayConfig.parse({ spikePerSecond: 1_000_000, quotaPerMinute: 10_000_000 }),
  })
  const theIdentity = identity({
    platform,
    config: identityConfig.parse({}),
    clients: theGateway.contract,
    publicHost: 'localhost',
    rate(apikey) {
      const admission = theGateway.contract.admit({ api: 'oauth2', apikey })
      return admission.admitted || admission.refusal.status !== 429 ? undefined : admission.refusal
    },
  })
  for (const service of [theGateway, theIdentity]) {
    await store.migrate(service.name, service.migrations ?? {})
    await service.start?.()
  }
  const { contract } = theGateway
  contract.declare({
    name: 'bench',
    version: '1',
    basePath: '/bench',
    faults: 'plain',
    access: [{ mode: 'application-restricted', grants: ['app:level3'] }],
    health: async () => ({ status: 'pass' }),
  })
  const { application, key } = await contract.create('Bench', 'bench')
  await contract.change(application.id, { publicKeys: { keySet: JSON.stringify({ keys: [jwk] }) } }, 'bench')
  for (const { name } of contract.products()) await contract.decide(application.id, name, 'approved', 'bench')
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log,
    metrics: platform.metrics,
    clock: systemClock,
    random: platform.random,
    routes: theIdentity.routes?.api ? [theIdentity.routes.api] : [],
  })
  return { url: `https://localhost:${door.port}/oauth2/token`, clientId: key.secret }
}

async function bare({ tls }: Wanted): Promise<Serving> {
  const server = createServer({ ...tls, minVersion: 'TLSv1.2' })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`
  const clientId = 'bench'
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'RS512',
        jwks: { keys: [jwk] },
      },
    ],
    enabledJWA: { clientAuthSigningAlgValues: ['RS512'] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  } as ConstructorParameters<typeof Provider>[1])
  server.on('request', provider.callback())
  return { url: `${issuer}/token`, clientId }
}

process.on('message', (asked) => {
  if (asked === 'cpu') process.send?.(process.cpuUsage())
})
process.on('disconnect', () => process.exit(0))
process.send?.(await (wanted.kind === 'openspine' ? ours : bare)(wanted))
