import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '@openspine/platform/clock'
import type { Sealing } from '@openspine/platform/sealing'
import type { IssuerName, ShownKey } from './contract.ts'
import type { Algorithm } from './jwt.ts'
import type { SignInStore, StoredKey } from './store.ts'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The signing keys of one provider as they stand now. */
export interface Keys {
  /** The newest one that signs. */
  active(algorithm: Algorithm): SigningKey
  /** Published ones, also those that sign soon or did lately (§13: published, active, retiring). */
  all(): readonly SigningKey[]
  set(): { readonly keys: readonly JsonWebKey[] }
}

interface Loaded extends SigningKey {
  readonly stored: StoredKey
}

/** A new key is seen by every process within a second; another two for slow ones. */
const soonMs = 3_000

/** Whose keys they are: no provider signs with another's. */
export type KeyOwner = IssuerName | 'mock-cis2' | 'mock-nhs-login'

/** Algorithms of each provider. */
const algorithmsOf: Readonly<Record<KeyOwner, readonly Algorithm[]>> = {
  cis2: ['RS256', 'RS512'],
  'nhs-login': ['RS512'],
  'mock-cis2': ['RS256'],
  'mock-nhs-login': ['RS512'],
}

export interface KeyRing {
  of(issuer: KeyOwner): Keys
  /** Makes what is missing or due, drops what is past, and shows what other processes made. */
  refresh(): Promise<void>
  /** Shows what other processes made; makes nothing. */
  reload(): Promise<void>
  /** Publishes successors at once; they sign after the notice, or as `soon` as every process publishes them. */
  rotate(soon: boolean): Promise<void>
  shown(): readonly ShownKey[]
}

const purposeOf = (kid: string) => `sign_in.signing_key ${kid}`

const newPair = promisify(generateKeyPair)

/** Keys live in the store, so that every process and the next start sign with the same; a kid is never given twice. */
export function keyRing(needs: {
  readonly rows: SignInStore
  readonly clock: Clock
  readonly sealing: Sealing
  readonly keyDays: number
  readonly noticeMs: number
}): KeyRing {
  const { rows, clock, sealing, keyDays, noticeMs } = needs
  let loaded: readonly Loaded[] = []

  const known = (issuer: string, algorithm: string) =>
    loaded.filter(({ stored }) => stored.issuer === issuer && stored.algorithm === algorithm)

  async function load() {
    const before = new Map(loaded.map((key) => [key.kid, key]))
    loaded = (await rows.keys()).map((stored) => {
      const old = before.get(stored.kid)
      if (old !== undefined) return old
      const privateKey = createPrivateKey(sealing.open(stored.pem, purposeOf(stored.kid)))
      const publicKey = createPublicKey(privateKey)
      return { kid: stored.kid, algorithm: stored.algorithm as Algorithm, privateKey, publicKey, stored }
    })
  }

  async function make(issuer: KeyOwner, algorithm: Algorithm, aheadMs = noticeMs) {
    const last = known(issuer, algorithm).at(-1)
    const { privateKey, publicKey } = await newPair('rsa', { modulusLength: 2048 })
    const now = clock.now()
    const { n, e } = publicKey.export({ format: 'jwk' })
    const kid = createHash('sha256')
      .update(JSON.stringify({ alg: algorithm, e, n }))
      .digest('base64url')
    await rows.addKey({
      issuer,
      algorithm,
      generation: (last?.stored.generation ?? 0) + 1,
      kid,
      pem: sealing.seal(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), purposeOf(kid)),
      publishedAt: now,
      // The first key has no predecessor whose set anybody could hold.
      activeAt: last === undefined ? now : now + aheadMs,
    })
  }

  async function everySet(work: (issuer: KeyOwner, algorithm: Algorithm) => Promise<void>) {
    const all = (Object.keys(algorithmsOf) as KeyOwner[]).flatMap((issuer) =>
      algorithmsOf[issuer].map((algorithm) => work(issuer, algorithm)),
    )
    await Promise.all(all)
  }

  return {
    of: (issuer) => {
      const mine = () => loaded.filter(({ stored }) => stored.issuer === issuer)
      return {
        active(algorithm) {
          const now = clock.now()
          const found = known(issuer, algorithm).findLast(({ stored }) => stored.activeAt <= now)
          if (found === undefined) throw new Error(`no signing key for ${issuer} ${algorithm}`)
          return found
        },
        all: mine,
        set: () => ({
          keys: mine().map(({ kid, algorithm, publicKey }) => {
            const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
            return { kty: 'RSA', kid, use: 'sig', alg: algorithm, n, e }
          }),
        }),
      }
    },
    async refresh() {
      await load()
      // Those that were made before keys were sealed.
      for (const { stored } of loaded)
        if (!sealing.isSealed(stored.pem))
          await rows.sealKey(stored.kid, sealing.seal(stored.pem, purposeOf(stored.kid)))
      await everySet(async (issuer, algorithm) => {
        const now = clock.now()
        const last = known(issuer, algorithm).at(-1)
        if (last === undefined || now >= last.stored.activeAt + keyDays * 86_400_000 - noticeMs)
          await make(issuer, algorithm)
      })
      await load()
      await everySet(async (issuer, algorithm) => {
        const now = clock.now()
        const keys = known(issuer, algorithm)
        // Gone once its successor has signed for longer than any token of the old one lives.
        for (const [at, key] of keys.entries()) {
          const next = keys[at + 1]
          if (next !== undefined && now > next.stored.activeAt + noticeMs) await rows.removeKey(key.kid)
        }
      })
      await load()
    },
    reload: load,
    async rotate(soon) {
      await load()
      await everySet((issuer, algorithm) => make(issuer, algorithm, soon ? soonMs : noticeMs))
      await load()
    },
    shown() {
      const now = clock.now()
      return loaded.map(({ stored: { issuer, algorithm, kid, publishedAt, activeAt } }) => {
        const active = known(issuer, algorithm).findLast(({ stored }) => stored.activeAt <= now)
        const state = activeAt > now ? 'published' : active?.kid === kid ? 'active' : 'retiring'
        return { issuer, algorithm, kid, state, publishedAt, activeAt }
      })
    },
  }
}
