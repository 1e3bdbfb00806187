import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { SpineError } from '@openspine/standards/error'
import { type SignatureAlgorithm, signToken } from '@openspine/standards/jose'
import { type HttpAnswer, httpClient } from './http.ts'
import type { Json } from './json.ts'
import type { ClientTls } from './settings.ts'

/** Who an application is at the API platform (signed JWT authentication). */
export interface SignedJwtSettings {
  /** The whole token URL, `https://…/oauth2/token`: it is the audience as well, character by character. */
  readonly tokenUrl: string
  /** API key of the application. */
  readonly clientId: string
  /** Private RSA key whose public part is registered: PEM, or a key. */
  readonly key: string | KeyObject
  /** Key id in the registered key set. */
  readonly kid: string
  readonly tls?: ClientTls
  readonly timeoutSeconds?: number
  /** Milliseconds since the epoch; the system's clock when absent. */
  readonly now?: () => number
}

const algorithm: SignatureAlgorithm = 'RS512'
const assertionSeconds = 300
/** A token is replaced so long before its end that no request arrives with an ended one. */
const earlyMs = 30_000

/** A token that stands for a person. Times in milliseconds since the epoch; it is good a little less long. */
export interface UserToken {
  readonly accessToken: string
  readonly until: number
  readonly refreshToken?: string
  readonly refreshUntil?: number
}

/**
 * Gets application-restricted access tokens, one at a time, and gives the same until shortly before its end: fits
 * `accessToken` of the client's settings. Throws SpineError `CLIENT_REFUSED` with what the platform said.
 *
 * @example
 * createClient({ pdsUrl, accessToken: signedJwtToken({ tokenUrl, clientId, key, kid: 'test-1' }) })
 */
export function signedJwtToken(settings: SignedJwtSettings): () => Promise<string> {
  const { now = Date.now } = settings
  const ask = tokenEndpoint(settings)
  let held: { readonly token: string; readonly until: number } | undefined
  let asking: Promise<string> | undefined

  async function renew(): Promise<string> {
    const { token, until } = await ask({ grant_type: 'client_credentials' })
    held = { token, until: until - earlyMs }
    return token
  }

  return async () => {
    if (held !== undefined && now() < held.until) return held.token
    asking ??= renew().finally(() => {
      asking = undefined
    })
    return asking
  }
}

/**
 * Exchanges ID tokens for user-restricted access tokens (separate authentication and authorisation): of a person whom the
 * application itself signed in at an identity provider. Throws SpineError `CLIENT_REFUSED` with what the platform said.
 *
 * @example
 * const exchange = tokenExchange({ tokenUrl, clientId, key, kid: 'test-1' })
 * const { accessToken } = await exchange(idToken)
 */
export function tokenExchange(settings: SignedJwtSettings): (idToken: string) => Promise<UserToken> {
  const ask = tokenEndpoint(settings)
  return async (idToken) => {
    const { token, until, said, began } = await ask({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: idToken,
    })
    const refreshToken = said['refresh_token']
    return {
      accessToken: token,
      until,
      ...(typeof refreshToken === 'string'
        ? { refreshToken, refreshUntil: began + lifeMs(said['refresh_token_expires_in']) }
        : {}),
    }
  }
}

/** The platform writes numbers as texts; others write numbers. */
function lifeMs(seconds: unknown): number {
  const life = Number(seconds)
  return Number.isFinite(life) ? life * 1000 : 0
}

/** Asks the token endpoint with these fields and an assertion of the application. */
function tokenEndpoint(settings: SignedJwtSettings) {
  const { tokenUrl, clientId, kid, now = Date.now } = settings
  const key = typeof settings.key === 'string' ? createPrivateKey(settings.key) : settings.key
  const url = new URL(tokenUrl)
  const timeoutMs = (settings.timeoutSeconds ?? 30) * 1000
  return async (fields: Readonly<Record<string, string>>) => {
    const http = httpClient({ tls: settings.tls, timeoutMs, retries: 2, sleep: (ms) => wait(ms) })
    try {
      const began = now()
      const answer = await http.send(() => {
        const seconds = Math.floor(now() / 1000)
        const claims = {
          iss: clientId,
          sub: clientId,
          aud: tokenUrl,
          jti: randomUUID(),
          exp: seconds + assertionSeconds,
        }
        return {
          method: 'POST',
          origin: url.origin,
          path: url.pathname + url.search,
          // Bare: the platform refuses a charset.
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          body: new URLSearchParams({
            ...fields,
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: signToken(claims, { key, algorithm, header: { kid } }),
          }).toString(),
          // Each try has an assertion of its own, and a token too many does no harm.
          safe: true,
        }
      })
      const said = membersOf(answer)
      const token = said['access_token']
      if (answer.status !== 200 || typeof token !== 'string') throw refusedToken(tokenUrl, answer, said)
      return { token, said, began, until: began + lifeMs(said['expires_in']) }
    } finally {
      await http.close()
    }
  }
}

function membersOf({ body }: HttpAnswer): Json {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {}
  }
}

function refusedToken(tokenUrl: string, { status }: HttpAnswer, said: Json): SpineError {
  const text = (name: string) => (typeof said[name] === 'string' ? said[name] : undefined)
  const [error, description, messageId, hint] = ['error', 'error_description', 'message_id', 'hint'].map(text)
  const why = [error, description, hint].filter((part) => part !== undefined).join(' – ')
  const outcome = { status, traceId: messageId ?? '', code: error, diagnostics: description }
  const explanation = `${tokenUrl} gave no token: status ${status}${why === '' ? '' : `, ${why}`}.${messageId === undefined ? '' : ` Message id ${messageId}.`}`
  return new SpineError('CLIENT_REFUSED', outcome, { explanation })
}
