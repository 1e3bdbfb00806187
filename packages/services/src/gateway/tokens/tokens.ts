import { createHash } from 'node:crypto'
import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { Sealing } from '@openspine/platform/sealing'
import type { Store } from '@openspine/platform/store'
import { SpineError } from '@openspine/standards/error'
import type { AccessTokens, Grant, IssuedToken, Lifetimes, TokenVerdict } from '../clients.ts'
import { apart, type Secrets, seal, unseal } from './seal.ts'
import { type FoundToken, type NewTokens, tokenStore, type Which } from './store.ts'

/** What every token here looks like: 256 random bits. Whatever looks otherwise is unknown without a question. */
const form = /^[A-Za-z0-9_-]{43}$/
const topic = 'gateway.tokens'
/** Tokens that one question to the store asks about; there is one such question at a time. */
const mostAtOnce = 500
/** Requests that may wait for such a question; those beyond are answered 503. */
const mostWaiting = 10_000
/** Expired rows stay so long, so that "expired" can be told from "unknown". */
const graceMs = 3_600_000
const cleanEveryMs = 600_000
const cleanedAtOnce = 10_000

/** SHA-256: tokens are random, so nothing is gained by a slow hash. */
export const tokenDigest = (token: string): string => createHash('sha256').update(token).digest('base64url')

interface Known {
  readonly family: string
  readonly grant: Grant
  readonly expiresAt: number
}

interface Asked {
  readonly digest: string
  answer(found: FoundToken | undefined, keep: boolean): void
  fail(error: unknown): void
}

/** Map that forgets its oldest members. */
function bounded<Value>(most: number) {
  const members = new Map<string, Value>()
  return {
    members,
    put(key: string, value: Value) {
      members.delete(key)
      members.set(key, value)
      if (members.size > most) members.delete(members.keys().next().value as string)
    },
  }
}

export interface TokenKeeper extends AccessTokens {
  start(): Promise<void>
  stop(): Promise<void>
  /** Why revocations may be seen late; undefined when they are not. */
  readonly fault: string | undefined
}

/**
 * Access tokens, kept in the store and remembered here. Memory holds tokens that were used; a revocation anywhere makes
 * every process forget. Unknown tokens are remembered too, and questions to the store are put together, one at a time:
 * a flood of invented tokens costs it no more than a trickle does.
 */
export function tokenKeeper(needs: {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly sealing: Sealing
  /** Tokens that memory holds, known and unknown each. */
  readonly remembered: number
}): TokenKeeper {
  const { store, clock, random, log } = needs
  const rows = tokenStore(store, needs.sealing)
  const known = bounded<Known>(needs.remembered)
  const unknown = bounded<true>(needs.remembered)
  const waiting: Asked[] = []
  let asking: Promise<void> | undefined
  /** Revocations up to this version were acted upon. */
  let seen = -1
  let turn: Promise<void> = Promise.resolve()
  let fault: string | undefined
  let stopListening: (() => void) | undefined
  let cleaning: NodeJS.Timeout | undefined

  /** Resolves when memory has forgotten whatever was revoked before the call. */
  const forget = (): Promise<void> => {
    const mine = turn.then(async () => {
      if (seen >= 0 && (await rows.version()) === seen) return
      const { version, families } = await rows.revokedSince(Math.max(seen, 0))
      const gone = new Set(families)
      if (gone.size > 0)
        for (const [digest, { family }] of known.members) if (gone.has(family)) known.members.delete(digest)
      seen = Math.max(seen, version)
    })
    turn = mine.catch(() => {})
    return mine
  }

  const askAll = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, mostAtOnce)
      try {
        const { version, found } = await rows.find([...new Set(batch.map(({ digest }) => digest))])
        for (const { digest, answer } of batch) {
          const token = found.get(digest)
          const value = token === undefined || token.revoked ? undefined : token
          if (value === undefined) unknown.put(digest, true)
          // An answer older than the revocations that were acted upon holds for its request, but is not kept.
          answer(value, version >= seen)
        }
      } catch (error) {
        for (const { fail } of batch) fail(error)
      }
    }
    asking = undefined
  }

  const ask = (digest: string, token: string): Promise<Known | undefined> =>
    new Promise((resolve, fail) => {
      if (waiting.length >= mostWaiting)
        return fail(
          new SpineError(
            'GATEWAY_BUSY',
            { status: 503 },
            { explanation: `${mostWaiting} requests wait for the store to say whether their access tokens are valid.` },
          ),
        )
      waiting.push({
        digest,
        fail,
        answer(found, keep) {
          if (found === undefined) return resolve(undefined)
          const { family, grant, expiresAt, sealed } = found
          try {
            const secrets = sealed === undefined ? {} : unseal(sealed, token)
            const whole: Known = { family, expiresAt, grant: { ...grant(), ...secrets } }
            if (keep) known.put(digest, whole)
            resolve(whole)
          } catch (error) {
            // This row alone was tampered with: the others that were asked for with it are sound.
            fail(error)
          }
        },
      })
      // After this turn, so that what comes together is asked together.
      asking ??= Promise.resolve().then(askAll)
    })

  const make = (now: number, lifetimes: Lifetimes, firstIssuedAt: number, secrets: Secrets | undefined) => {
    const sealed = (token: string) => (secrets === undefined ? {} : { sealed: seal(secrets, token, random) })
    const accessToken = random.bytes(32).toString('base64url')
    const refreshToken = lifetimes.refresh === undefined ? undefined : random.bytes(32).toString('base64url')
    const until = firstIssuedAt + (lifetimes.refreshValidity ?? Number.POSITIVE_INFINITY)
    const refreshExpiresAt = Math.max(now, Math.min(now + (lifetimes.refresh ?? 0), until))
    const accessExpiresAt = now + lifetimes.access
    const stored: NewTokens = {
      access: { digest: tokenDigest(accessToken), expiresAt: accessExpiresAt, ...sealed(accessToken) },
      ...(refreshToken === undefined
        ? {}
        : {
            refresh: { digest: tokenDigest(refreshToken), expiresAt: refreshExpiresAt, ...sealed(refreshToken) },
          }),
    }
    const issued: Omit<IssuedToken, 'refreshCount'> = {
      accessToken,
      issuedAt: now,
      accessExpiresAt,
      ...(refreshToken === undefined ? {} : { refreshToken, refreshExpiresAt }),
    }
    return { stored, issued }
  }

  const revoke = async (which: Which): Promise<number> => {
    const families = await rows.revoke(which)
    if (families > 0) store.announce(topic)
    await forget()
    return families
  }

  const clean = async () => {
    try {
      while ((await rows.clean(clock.now() - graceMs, cleanedAtOnce)) >= cleanedAtOnce);
    } catch (error) {
      log.error({ err: error }, 'expired access tokens could not be removed')
    }
  }

  return {
    get fault() {
      return fault
    },
    async issue(given, lifetimes) {
      const now = clock.now()
      const { grant, secrets } = apart(given)
      const { stored, issued } = make(now, lifetimes, now, secrets)
      await rows.insert({ id: random.uuid(), at: now, grant }, stored)
      return { ...issued, refreshCount: 0 }
    },
    async refresh(refreshToken, { key, lifetimes }) {
      if (!form.test(refreshToken)) return 'unknown'
      const now = clock.now()
      const made: { tokens?: ReturnType<typeof make> } = {}
      const refreshed = await rows.refresh(tokenDigest(refreshToken), {
        key,
        now,
        tokens({ firstIssuedAt, grant }, sealed) {
          const lives = typeof lifetimes === 'function' ? lifetimes(grant) : lifetimes
          if (firstIssuedAt + (lives.refreshValidity ?? Number.POSITIVE_INFINITY) <= now) return undefined
          const secrets = sealed === undefined ? undefined : unseal(sealed, refreshToken)
          made.tokens = make(now, lives, firstIssuedAt, secrets)
          return made.tokens.stored
        },
      })
      if (refreshed.state === 'refreshed') {
        if (made.tokens === undefined) throw new Error('a refresh without tokens')
        return { ...made.tokens.issued, refreshCount: refreshed.count }
      }
      if (refreshed.state === 'reused') await revoke({ family: refreshed.family })
      return refreshed.state
    },
    async verify(accessToken): Promise<TokenVerdict> {
      if (!form.test(accessToken)) return { state: 'unknown' }
      const digest = tokenDigest(accessToken)
      if (unknown.members.has(digest)) return { state: 'unknown' }
      const token = known.members.get(digest) ?? (await ask(digest, accessToken))
      if (token === undefined) return { state: 'unknown' }
      const { grant, expiresAt } = token
      return expiresAt <= clock.now() ? { state: 'expired' } : { state: 'valid', grant, expiresAt }
    },
    async revoke(accessToken) {
      if (!form.test(accessToken)) return false
      const { found } = await rows.find([tokenDigest(accessToken)])
      for (const { family, revoked } of found.values()) return !revoked && (await revoke({ family })) > 0
      return false
    },
    revokeSession: (provider, session) => revoke({ provider, session }),
    revokeApplication: (application) => revoke({ application }),
    async start() {
      await forget()
      stopListening = store.onAnnounced(topic, () => {
        forget().then(
          () => {
            fault = undefined
          },
          (error: unknown) => {
            fault = 'Revoked access tokens could not be read from the store: this process knows an older state.'
            log.error({ err: error }, fault)
          },
        )
      })
      cleaning = setInterval(() => void clean(), cleanEveryMs)
      cleaning.unref()
    },
    async stop() {
      stopListening?.()
      clearInterval(cleaning)
      await asking
      await turn
    },
  }
}
