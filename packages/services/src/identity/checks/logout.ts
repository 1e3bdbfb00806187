import { type SignedReading, type SignedToken, verifies } from '@openspine/standards/jose'
import { FetchFault } from '../keys/fetch.ts'
import type { KeyLookup } from '../keys/key-sets.ts'
import { toldKeys } from './assertion.ts'
import { type Check, invalidRequest, refusal } from './check.ts'
import { providerAlgorithms } from './subject-token.ts'

type Json = Readonly<Record<string, unknown>>

/** A logout token of the provider of staff sign-in (§2.9; OpenID Connect Back-Channel Logout §2.4). */
export interface LogoutToken {
  readonly reading: SignedReading
  readonly claims: Json
  readonly now: number
  readonly provider: { readonly issuer: string; readonly clientId: string } | undefined
  /** Whether the sender's address is one of the provider's. */
  readonly fromProvider: boolean
  keys(): Promise<KeyLookup | FetchFault>
}

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const clause = '2.9 backchannel_logout'
const unverified = refusal(400, 'bad_request', 'Unable to verify JWT')

export const logoutChecks: readonly Check<LogoutToken>[] = [
  {
    name: 'address of the provider',
    clause,
    outcome: refusal(403, 'access_denied', 'Access denied'),
    explains: 'The request comes from an address of the identity provider.',
    examine: ({ fromProvider }) =>
      fromProvider ? undefined : 'The address is not among those of the provider (logoutFrom).',
  },
  {
    name: 'logout token readable',
    clause,
    outcome: invalidRequest('Malformed JWT in logout_token'),
    explains: 'logout_token is a JWT.',
    examine: ({ reading }) => (reading.ok ? undefined : reading.fault),
  },
  {
    name: 'aud of the logout token',
    clause,
    outcome: invalidRequest('Missing/invalid aud claim in JWT'),
    explains: 'It is for this platform.',
    examine: ({ claims: { aud }, provider }) =>
      provider !== undefined && (aud === provider.clientId || (Array.isArray(aud) && aud.includes(provider.clientId)))
        ? undefined
        : 'aud is not the client id that the platform has at the provider.',
  },
  {
    name: 'iss of the logout token',
    clause,
    outcome: invalidRequest('Missing/invalid iss claim in JWT'),
    explains: 'It is of the provider.',
    examine: ({ claims: { iss }, provider }) =>
      iss === provider?.issuer ? undefined : 'iss is not exactly the issuer of the provider.',
  },
  {
    name: 'sid of the logout token',
    clause,
    outcome: invalidRequest('Missing sid claim in JWT'),
    explains: 'It names a session.',
    examine: ({ claims: { sid } }) => (typeof sid === 'string' && sid !== '' ? undefined : 'There is no sid.'),
  },
  {
    name: 'events of the logout token',
    clause,
    outcome: invalidRequest('Missing/invalid events claim in JWT'),
    explains: 'It says that it is a logout token.',
    examine: ({ claims: { events } }) =>
      typeof events === 'object' && events !== null && Object.hasOwn(events, logoutEvent)
        ? undefined
        : `events has no member ${logoutEvent}.`,
  },
  {
    name: 'no nonce',
    clause,
    outcome: invalidRequest('Prohibited nonce claim in JWT'),
    explains: 'It is no ID token.',
    examine: ({ claims }) => (claims['nonce'] === undefined ? undefined : 'A logout token has no nonce.'),
  },
  {
    name: "provider's keys obtainable",
    clause,
    outcome: refusal(501, 'not_implemented', 'Logout Failed'),
    explains: "The identity provider's key set can be had.",
    async examine(token) {
      const keys = await token.keys()
      return keys instanceof FetchFault ? `The identity provider's key set: ${keys.message}` : undefined
    },
  },
  {
    name: 'signature of the logout token',
    clause,
    outcome: unverified,
    explains: 'The provider signed it, with RS256 or RS512.',
    async examine({ reading, keys: look }) {
      const keys = await look()
      const { token } = reading as { readonly token: SignedToken }
      if (keys instanceof FetchFault || keys.found.some(({ key }) => verifies(token, key, providerAlgorithms)))
        return undefined
      return `It was not signed with a key of the provider; ${toldKeys(keys)}`
    },
  },
  {
    name: 'logout token not expired',
    clause,
    addition: true,
    outcome: unverified,
    explains: 'exp, where there is one, is not in the past.',
    examine: ({ claims: { exp }, now }) =>
      exp === undefined || (typeof exp === 'number' && exp * 1000 >= now - 10_000) ? undefined : 'It has ended.',
  },
]
