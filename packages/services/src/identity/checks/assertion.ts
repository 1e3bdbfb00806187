import { type SignedReading, type SignedToken, verifies } from '@openspine/standards/jose'
import type { Client } from '../../gateway/contract.ts'
import { FetchFault } from '../keys/fetch.ts'
import type { KeyLookup } from '../keys/key-sets.ts'
import { type Check, invalidRequest, noScope, type Outcome, refusal } from './check.ts'
import { ownerActive } from './client.ts'

type Json = Readonly<Record<string, unknown>>

/** A client assertion on its way through the checks; what costs something is looked up when it is asked for. */
export interface Assertion {
  readonly type: string | undefined
  readonly grantType: string | undefined
  readonly text: string | undefined
  /** Undefined without `text`. */
  readonly reading: SignedReading | undefined
  /** Empty when the token cannot be read. */
  readonly header: Json
  readonly claims: Json
  readonly now: number
  /** The token URL that was called. */
  readonly audience: string
  readonly environment: string
  client(): Client | undefined
  /** The gateway's answer when the application asks too often; counts one request. */
  rate(): Outcome | undefined
  rated(): Outcome
  seen(): Promise<boolean>
  /** Keeps the jti, durably; false when it was there. */
  remember(): Promise<boolean>
  keys(): Promise<KeyLookup | FetchFault>
  scopes(): readonly string[]
}

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

const clause = (number: number) => `2.6 #${number}`
const claim = (name: string, text: string, status = 400) =>
  invalidRequest(`Invalid '${name}' claim in client_assertion JWT${text === '' ? '' : ` - ${text}`}`, status)
const missing = (name: string) => invalidRequest(`Missing '${name}' claim in client_assertion JWT`)

/** As JavaScript counts it: absent, null, empty, 0 and false. */
export const absent = (value: unknown): boolean => !value

const secondsAhead = (at: number, now: number) => Math.round(at - now / 1000)

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 200) ?? 'nothing'

const jtiKept = 'jti not used meanwhile'
const jtiOnce = invalidRequest("Non-unique 'jti' claim in client_assertion JWT")

/** §2.6 #1 to #22, in order; `grantType` (#2) is checked for token exchange alone. */
export const assertionChecks: readonly (Check<Assertion> & { readonly only?: 'exchange' })[] = [
  {
    name: 'assertion type',
    clause: clause(1),
    outcome: invalidRequest(
      "Missing or invalid client_assertion_type - must be 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'",
    ),
    explains: 'client_assertion_type is the URN of a JWT bearer.',
    examine: ({ type }) => (type === assertionType ? undefined : `client_assertion_type is ${shown(type)}.`),
  },
  {
    name: 'grant type of the exchange',
    only: 'exchange',
    clause: clause(2),
    outcome: invalidRequest('grant_type is invalid'),
    explains: 'An ID token is exchanged with the grant type of token exchange.',
    examine: ({ grantType }) =>
      grantType === exchangeGrant ? undefined : `With subject_token_type, grant_type must be ${exchangeGrant}.`,
  },
  {
    name: 'assertion present',
    clause: clause(3),
    outcome: invalidRequest('Missing client_assertion'),
    explains: 'client_assertion is there.',
    examine: ({ text }) => (text === undefined ? 'The form has no client_assertion, or an empty one.' : undefined),
  },
  {
    name: 'assertion readable',
    clause: clause(4),
    outcome: invalidRequest('Malformed JWT in client_assertion'),
    explains: 'The assertion is a JWT: three parts, base64url of JSON.',
    examine: ({ reading }) => (reading?.ok === false ? reading.fault : undefined),
  },
  {
    name: 'alg',
    clause: clause(5),
    outcome: invalidRequest(
      "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'",
    ),
    explains: 'The assertion is signed with RS512.',
    examine: ({ header }) => (header['alg'] === 'RS512' ? undefined : `The header says alg ${shown(header['alg'])}.`),
  },
  {
    name: 'not expired',
    clause: clause(6),
    outcome: claim('exp', 'JWT has expired'),
    explains: 'exp is not in the past.',
    examine({ claims: { exp }, now }) {
      if (absent(exp) || typeof exp !== 'number' || exp * 1000 >= now) return undefined
      return `exp is ${-secondsAhead(exp, now)} s before this server's clock: make each assertion just before it is sent, with exp in seconds, and check the clock of the machine.`
    },
  },
  {
    name: 'kid present',
    clause: clause(7),
    outcome: invalidRequest("Missing 'kid' header in client_assertion JWT"),
    explains: 'The header names the key.',
    examine: ({ header }) =>
      absent(header['kid']) ? 'The header has no kid: put the key id of the registered public key there.' : undefined,
  },
  {
    name: 'typ',
    clause: clause(8),
    outcome: invalidRequest("Invalid 'typ' header in client_assertion JWT - must be 'JWT'"),
    explains: 'typ is JWT, in any case.',
    examine: ({ header: { typ } }) =>
      typeof typ === 'string' && typ.toUpperCase() === 'JWT' ? undefined : `The header says typ ${shown(typ)}.`,
  },
  {
    name: 'exp present',
    clause: clause(9),
    outcome: missing('exp'),
    explains: 'exp is there.',
    examine: ({ claims }) => (absent(claims['exp']) ? 'The payload has no exp, or 0.' : undefined),
  },
  {
    name: 'exp a number',
    clause: clause(10),
    outcome: claim('exp', 'must be an integer'),
    explains: 'exp is a number.',
    examine: ({ claims: { exp } }) =>
      typeof exp === 'number' ? undefined : `exp is ${shown(exp)}: it must be a JSON number, of seconds since 1970.`,
  },
  {
    name: 'iss and sub',
    clause: clause(11),
    outcome: invalidRequest("Missing or non-matching 'iss'/'sub' claims in client_assertion JWT"),
    explains: 'iss and sub are there and the same.',
    examine: ({ claims: { iss, sub } }) =>
      absent(iss) || absent(sub) || iss !== sub
        ? "iss and sub must both be the application's API key (client_id)."
        : undefined,
  },
  {
    name: 'jti present',
    clause: clause(12),
    outcome: missing('jti'),
    explains: 'jti is there.',
    examine: ({ claims }) => (absent(claims['jti']) ? 'The payload has no jti.' : undefined),
  },
  {
    name: 'jti a string',
    clause: clause(13),
    outcome: claim('jti', 'must be a unique string value such as a GUID'),
    explains: 'jti is a string.',
    examine: ({ claims: { jti } }) => (typeof jti === 'string' ? undefined : 'jti is not a string.'),
  },
  {
    name: 'jti new',
    clause: clause(14),
    // A store that is asked once, by the insert, has half the work of one that is asked before as well.
    settledBy: jtiKept,
    outcome: jtiOnce,
    explains: 'No token was given for this jti of this client before.',
    examine: async (assertion) =>
      (await assertion.seen())
        ? 'This assertion, or one with the same jti, was used before: make a new one.'
        : undefined,
  },
  {
    name: 'exp near',
    clause: clause(15),
    outcome: claim('exp', 'more than 5 minutes in future'),
    explains: 'exp is at most five minutes ahead, and ten seconds for the difference of clocks.',
    examine({ claims: { exp }, now }) {
      if ((exp as number) * 1000 <= now + 310_000) return undefined
      return `exp is ${secondsAhead(exp as number, now)} s after this server's clock; 300 are allowed. Is it in seconds, not milliseconds?`
    },
  },
  {
    name: 'nbf',
    clause: '2.6 notes',
    addition: true,
    outcome: claim('nbf', 'JWT is not yet valid'),
    explains: 'nbf, where there is one, is not in the future.',
    examine({ claims: { nbf }, now }) {
      if (nbf === undefined || (typeof nbf === 'number' && nbf * 1000 <= now + 10_000)) return undefined
      return typeof nbf === 'number'
        ? `nbf is ${secondsAhead(nbf, now)} s after this server's clock.`
        : 'nbf is not a number.'
    },
  },
  {
    name: 'iat',
    clause: '2.6 notes',
    addition: true,
    outcome: claim('iat', 'JWT was issued in the future'),
    explains: 'iat, where there is one, is at most a minute in the future.',
    examine({ claims: { iat }, now }) {
      if (iat === undefined || (typeof iat === 'number' && iat * 1000 <= now + 60_000)) return undefined
      return typeof iat === 'number'
        ? `iat is ${secondsAhead(iat, now)} s after this server's clock.`
        : 'iat is not a number.'
    },
  },
  {
    name: 'client known',
    clause: clause(16),
    outcome: invalidRequest("Invalid 'iss'/'sub' claims in client_assertion JWT", 401),
    explains: 'iss is the key of an application of this environment.',
    examine: (assertion) =>
      assertion.client() === undefined
        ? `No application of this environment (${assertion.environment}) has this client_id: a key belongs to one environment alone.`
        : undefined,
  },
  {
    name: 'client approved',
    clause: '2.3 #3',
    outcome: refusal(401, 'access_denied', 'The developer app associated with the API key is not approved or revoked'),
    explains: 'Neither the application nor its key was revoked.',
    examine: (assertion) =>
      assertion.client()?.approved === false ? 'The application, or this key of it, was revoked.' : undefined,
  },
  ownerActive,
  {
    name: 'rate',
    clause: clause(17),
    outcome: (assertion) => assertion.rated(),
    explains: 'The application does not ask more often than it may.',
    examine: (assertion) =>
      assertion.rate() === undefined ? undefined : 'The application asks more often than it may.',
  },
  {
    name: 'keys registered',
    clause: clause(18),
    outcome: refusal(
      403,
      'public_key error',
      'You need to register a public key to use this authentication method - please contact support to configure',
    ),
    explains: 'The application has a key set or the URL of one.',
    examine: (assertion) =>
      assertion.client()?.keys === undefined
        ? 'The application has neither a key set nor the URL of one: register its public key.'
        : undefined,
  },
  {
    name: 'keys obtainable',
    clause: clause(19),
    outcome: refusal(403, 'public_key error', "The JWKS endpoint, for your client_assertion can't be reached"),
    explains: 'The key set can be had.',
    async examine(assertion) {
      const keys = await assertion.keys()
      return keys instanceof FetchFault ? keys.message : undefined
    },
  },
  {
    name: 'kid known',
    clause: clause(20),
    outcome: invalidRequest("Invalid 'kid' header in client_assertion JWT - no matching public key", 401),
    explains: 'The key set has a key with the kid of the header.',
    async examine(assertion) {
      const keys = await assertion.keys()
      if (keys instanceof FetchFault || keys.found.length > 0) return undefined
      return `The kid is ${shown(assertion.header['kid'])}; ${toldKeys(keys)}`
    },
  },
  {
    name: 'signature',
    clause: clause(21),
    outcome: refusal(401, 'public_key error', 'JWT signature verification failed'),
    explains: 'The signature is that of the key.',
    async examine(assertion) {
      const keys = await assertion.keys()
      const token = (assertion.reading as { readonly token: SignedToken }).token
      if (keys instanceof FetchFault || keys.found.some(({ key }) => verifies(token, key, ['RS512']))) return undefined
      return `The assertion was not signed with the private key that belongs to this kid, or was changed after that; ${toldKeys(keys)}`
    },
  },
  {
    name: 'aud',
    clause: clause(22),
    outcome: invalidRequest("Missing or invalid 'aud' claim in client_assertion JWT", 401),
    explains: 'aud is the URL that was called, as an exact string, or a list with it.',
    examine: ({ claims: { aud }, audience }) =>
      aud === audience || (Array.isArray(aud) && aud.includes(audience))
        ? undefined
        : `aud must be exactly ${audience} here, and is ${shown(aud)}: mind http and https, the host, the port and a slash at the end.`,
  },
  {
    name: jtiKept,
    clause: clause(14),
    outcome: jtiOnce,
    explains: 'Of several requests with one jti at the same moment one succeeds.',
    examine: async (assertion) =>
      (await assertion.remember()) ? undefined : 'An assertion with the same jti was used at the same moment.',
  },
]

/** §2.6 #23: for client credentials alone. */
export const applicationScope: Check<Assertion> = {
  name: 'scope',
  clause: clause(23),
  outcome: noScope,
  explains: 'An approved product of the application has a scope of application-restricted access.',
  examine: (assertion) =>
    assertion.scopes().length > 0
      ? undefined
      : 'No approved subscription of the application is to a product with a scope urn:nhsd:apim:app:level3:….',
}

export function toldKeys({ kids, fetchedAt, remarks }: KeyLookup): string {
  const where = fetchedAt === undefined ? 'the registered key set' : `the key set fetched at ${iso(fetchedAt)}`
  const told = kids.slice(0, 10).map((kid) => JSON.stringify(kid.slice(0, 100)))
  return [`${where} has ${told.length === 0 ? 'no usable key' : told.join(', ')}.`, ...remarks.slice(0, 5)].join(' ')
}

const iso = (at: number) => new Date(at).toISOString()
