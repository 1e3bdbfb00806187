import { createHash, timingSafeEqual } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'
import type { Application } from './contract.ts'
import type { StoredApplications, StoredKey } from './store.ts'

/** A new key: 192 random bits in 32 characters that need no quoting. */
export const newSecret = (random: Random): string => random.bytes(24).toString('base64url')

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Applications and keys in force, for look-ups by key. */
export interface KeyRing {
  readonly version: number
  readonly applications: ReadonlyMap<string, Application>
  /** The key, in force or revoked, and whose it is. */
  find(secret: string): { readonly key: StoredKey; readonly application: Application } | undefined
}

export function keyRing({ version, applications, keys }: StoredApplications): KeyRing {
  const byDigest = new Map(keys.map((key) => [key.digest, key]))
  const byId = new Map(
    applications.map((application): [string, Application] => [application.id, { ...application, keys: [] }]),
  )
  const keysOf = Map.groupBy(keys, ({ application }) => application)
  for (const [id, application] of byId) {
    const own = (keysOf.get(id) ?? []).map(({ digest: _digest, application: _application, ...shown }) => shown)
    byId.set(id, { ...application, keys: own })
  }
  return {
    version,
    applications: byId,
    find(secret) {
      // Sought by digest, so the time tells nothing about a key; compared once more without a shortcut.
      const digest = digestOf(secret)
      const key = byDigest.get(digest)
      if (key === undefined || !timingSafeEqual(Buffer.from(key.digest), Buffer.from(digest))) return undefined
      const application = byId.get(key.application)
      return application === undefined ? undefined : { key, application }
    },
  }
}
