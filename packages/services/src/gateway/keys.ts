import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'
import type { Client, Product } from './clients.ts'
import type { Application, Owner } from './contract.ts'
import { allProducts, subscriptionsOf } from './products.ts'
import type { StoredApplications, StoredKey } from './store.ts'

const alphanumerics = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** A new key or secret: 32 letters and digits (§10), of 190 random bits. */
export function newSecret(random: Random): string {
  let secret = ''
  while (secret.length < 32)
    // Octets from 248 up would favour the first letters.
    for (const octet of random.bytes(40)) if (octet < 248 && secret.length < 32) secret += alphanumerics[octet % 62]
  return secret
}

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

const nobody: ReadonlySet<string> = new Set()

/** Whether the platform serves it: neither it, nor its key, nor its owner was shut out. */
export const inForce = (client: Client | undefined): boolean =>
  client?.approved === true && client.owner?.status !== 'inactive'

/** Applications, keys, products and subscriptions in force, for look-ups by key. */
export interface KeyRing {
  readonly version: number
  readonly applications: ReadonlyMap<string, Application>
  readonly products: ReadonlyMap<string, Product>
  readonly owners: readonly Owner[]
  /** Applications in force whose pages are of an origin. */
  originsOf(origin: string): ReadonlySet<string>
  /** The key, in force or revoked, and whose it is. */
  find(secret: string): { readonly key: StoredKey; readonly application: Application } | undefined
  /** The client of this key, by the key or by its id. Keys of the status kind are no clients. */
  client(secret: string): Client | undefined
  clientOf(keyId: string): Client | undefined
  secretFits(secret: string, clientSecret: string): boolean
}

export function keyRing(stored: StoredApplications, defaults: readonly Product[]): KeyRing {
  const { version, keys } = stored
  const products = allProducts(defaults, stored.products)
  const owners = new Map(stored.owners.map((owner) => [owner.name, owner]))
  const byDigest = new Map(keys.map((key) => [key.digest, key]))
  const keysOf = Map.groupBy(keys, ({ application }) => application)
  const askedOf = Map.groupBy(stored.subscriptions, ({ application }) => application)
  const applications = new Map(
    stored.applications.map(({ facts, ...application }): [string, Application] => {
      const { id } = application
      const asked = (askedOf.get(id) ?? []).map(({ product, status }) => ({ product, status }))
      const own = (keysOf.get(id) ?? []).map(
        ({ digest: _digest, application: _application, secretDigest, ...shown }) => ({
          ...shown,
          ...(secretDigest === undefined ? {} : { hasSecret: true }),
        }),
      )
      return [id, { ...application, ...facts, keys: own, subscriptions: subscriptionsOf(asked, defaults, products) }]
    }),
  )
  const clients = new Map(
    keys.flatMap((key): [string, Client][] => {
      const application = applications.get(key.application)
      return application === undefined || key.kind !== 'application'
        ? []
        : [[key.id, clientFrom(key, application, { products, owners })]]
    }),
  )
  const origins = new Map<string, Set<string>>()
  for (const { id, status, owner, callbackUrl, origins: own = [] } of applications.values()) {
    if (status !== 'approved' || owners.get(owner ?? '')?.status === 'inactive') continue
    const callback = callbackUrl === undefined ? undefined : URL.parse(callbackUrl)?.origin
    for (const origin of callback === undefined ? own : [...own, callback])
      origins.set(origin, (origins.get(origin) ?? new Set()).add(id))
  }
  const keyOf = (secret: string): StoredKey | undefined => {
    // Sought by digest, so the time tells nothing about a key; compared once more without a shortcut.
    const digest = digestOf(secret)
    const key = byDigest.get(digest)
    return key !== undefined && same(key.digest, digest) ? key : undefined
  }
  return {
    version,
    applications,
    products,
    owners: stored.owners,
    originsOf: (origin) => origins.get(origin) ?? nobody,
    find(secret) {
      const key = keyOf(secret)
      const application = key && applications.get(key.application)
      return key === undefined || application === undefined ? undefined : { key, application }
    },
    client: (secret) => clients.get(keyOf(secret)?.id ?? ''),
    clientOf: (keyId) => clients.get(keyId),
    secretFits(secret, clientSecret) {
      const expected = keyOf(secret)?.secretDigest
      return expected !== undefined && same(expected, digestOf(clientSecret))
    },
  }
}

const same = (one: string, other: string) => timingSafeEqual(Buffer.from(one), Buffer.from(other))

function clientFrom(
  key: StoredKey,
  application: Application,
  {
    products,
    owners,
  }: { readonly products: ReadonlyMap<string, Product>; readonly owners: ReadonlyMap<string, Owner> },
): Client {
  const { subscriptions } = application
  const owner = owners.get(application.owner ?? '')
  return {
    application: application.id,
    name: application.displayName ?? application.name,
    key: key.id,
    approved: application.status === 'approved' && key.revokedAt === undefined,
    callbackUrl: application.callbackUrl,
    keys: application.publicKeys,
    asid: application.asid,
    ...(owner === undefined ? {} : { owner }),
    subscriptions,
    products: subscriptions.flatMap(({ product, status }) => {
      const named = status === 'approved' ? products.get(product) : undefined
      return named === undefined ? [] : [named]
    }),
  }
}
