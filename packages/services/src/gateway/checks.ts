import { isUuid } from '@openspine/standards/nhs'
import { type ApiAccess, accessOf, scopesOf } from './access.ts'
import type { Client, TokenVerdict } from './clients.ts'
import type { Api } from './contract.ts'
import { type Fault, faults } from './faults.ts'
import { inForce } from './keys.ts'

/** A request at the door, with everything that its checks look at. */
export interface Knock {
  readonly api: Api
  /** What the API asks for at this path. */
  readonly access: readonly ApiAccess[]
  readonly authorization: string | undefined
  readonly apikey: string | undefined
  readonly requestId: string | undefined
  /** What the token is; absent where the header has none. */
  readonly verdict: TokenVerdict | undefined
  /** Whose token or key it is; absent where it is nobody's. */
  readonly client: Client | undefined
  /** Counts the request; asked once, when every check before was passed. */
  rate(): Fault | undefined
}

/** One check of the door: what it is, where it is written, and what is said when it fails. */
export interface DoorCheck {
  readonly name: string
  /** Clause of the identity specification. */
  readonly clause: string
  /** In plain words, for whoever has to mend the request. */
  readonly explains: string
  /** Status and text, for the reference. */
  readonly says: string
  fault(knock: Knock): Fault | undefined
}

const words = (authorization: string | undefined) => (authorization ?? '').trim().split(/\s+/)

/** The token of a header that has one in the right form. */
export function bearerOf(authorization: string | undefined): string | undefined {
  const [scheme, ...rest] = words(authorization)
  return scheme === 'Bearer' && rest.length > 0 ? rest.join(' ') : undefined
}

const opens = (client: Client | undefined, api: Api, among?: readonly string[]) =>
  client?.products.some(({ name, apis }) => apis.includes(api.name) && (among?.includes(name) ?? true)) === true

/** Of a request with an access token, or that needs one. */
export const tokenChecks: readonly DoorCheck[] = [
  {
    name: 'Authorization is there',
    says: '401 Missing Authorization header',
    clause: '§9.3',
    explains: 'Send an access token: Authorization: Bearer {token}. The token endpoint gives it.',
    fault: ({ authorization }) => (authorization === undefined ? faults.authorizationMissing : undefined),
  },
  {
    name: 'Authorization is not empty',
    says: '401 Empty Authorization header',
    clause: '§9.3',
    explains: 'The Authorization header has no content. Send Authorization: Bearer {token}.',
    fault: ({ authorization }) => (words(authorization)[0] === '' ? faults.authorizationEmpty : undefined),
  },
  {
    name: 'Authorization has a token',
    says: '401 Missing access token',
    clause: '§9.3',
    explains: 'There is one word in the Authorization header: a scheme and a token are needed.',
    fault: ({ authorization }) => (words(authorization).length === 1 ? faults.tokenMissing : undefined),
  },
  {
    name: 'Authorization is Bearer',
    says: "401 Invalid token type '<scheme>', must be 'Bearer'",
    clause: '§9.3',
    explains: 'Only Bearer tokens are accepted; the scheme is written so.',
    fault({ authorization }) {
      const [scheme = ''] = words(authorization)
      return scheme === 'Bearer' ? undefined : faults.tokenType(scheme)
    },
  },
  {
    name: 'Token is known',
    says: '401 Invalid Access Token',
    clause: '§9.3',
    explains:
      'This environment did not issue the access token, or it was revoked. A token of another environment is not valid here.',
    fault: ({ verdict }) => (verdict?.state === 'unknown' || verdict === undefined ? faults.tokenUnknown : undefined),
  },
  {
    name: 'Token has not expired',
    says: '401 Access Token expired',
    clause: '§9.3',
    explains: 'The access token is too old. Ask for a new one, or use the refresh token.',
    fault: ({ verdict }) => (verdict?.state === 'expired' ? faults.tokenExpired : undefined),
  },
  {
    name: 'Application is approved',
    says: '401 Invalid Access Token',
    clause: '§9.3',
    explains:
      'The application, or the key with which the token was asked for, was revoked, or its owner is inactive; its tokens died with it.',
    fault: ({ client }) => (inForce(client) ? undefined : faults.tokenUnknown),
  },
  {
    name: 'Token is for this API',
    says: '401 Invalid API call as no apiproduct match found',
    clause: '§9.3',
    explains:
      'No product of the token opens this API. Subscribe the application to one (openspine app subscribe), have it approved, and ask for a new token.',
    fault: ({ verdict, client, api }) =>
      verdict?.state === 'valid' && opens(client, api, verdict.grant.products) ? undefined : faults.tokenOfOtherProduct,
  },
]

/** Of a request with an API key, or that needs one. */
export const keyChecks: readonly DoorCheck[] = [
  {
    name: 'Key is there',
    says: '401 Failed to resolve API Key variable request.header.apikey',
    clause: '§9.3',
    explains: 'Send the key of a registered application in the header apikey.',
    fault: ({ apikey }) => (apikey === undefined ? faults.keyMissing : undefined),
  },
  {
    name: 'Key is known',
    says: '401 Invalid ApiKey',
    clause: '§9.3',
    explains: 'This environment has no such key, or it opens status pages alone. openspine app list shows ids of keys.',
    fault: ({ client }) => (client === undefined ? faults.keyUnknown : undefined),
  },
  {
    name: 'Key is approved',
    says: '401 ApiKey not approved',
    clause: '§9.3',
    explains:
      'The key, or its application, was revoked, or its owner is inactive. openspine app new-key makes another key, openspine app owner shows the owners.',
    fault: ({ client }) => (inForce(client) ? undefined : faults.keyRevoked),
  },
  {
    name: 'Key is for this API',
    says: '401 Invalid ApiKey for given resource',
    clause: '§9.3',
    explains: 'No approved subscription of the application opens this API: openspine app subscribe, and approve.',
    fault: ({ client, api }) => (opens(client, api) ? undefined : faults.keyOfOtherProduct),
  },
]

/** Of every request. */
export const rateChecks: readonly DoorCheck[] = [
  {
    name: 'Application and API are within their limits',
    says: '429 Too many requests',
    clause: '§9.6',
    explains:
      'The application asks too often, or all together ask too much of the API. Wait as long as Retry-After says, or have its limits raised.',
    fault: ({ rate }) => rate(),
  },
]

/** After the limits (§9.2), of a request with a token. */
export const modeChecks: readonly DoorCheck[] = [
  {
    name: 'Token has a scope of this API',
    says: '403 Required scope(s) : <scopes>',
    clause: '§9.2, §2.8',
    explains:
      'The way in which this token was got is not one that the API accepts here: another sign-in, or another level of it, is needed.',
    fault: ({ verdict, access, api }) =>
      verdict?.state === 'valid' && accessOf(access, api, verdict.grant) !== undefined
        ? undefined
        : faults.scopeMissing(access.flatMap((each) => scopesOf(each, api))),
  },
]

/** Of FHIR APIs whose requests the gateway itself looks at. */
export const headerChecks: readonly DoorCheck[] = [
  {
    name: 'X-Request-ID is a UUID',
    says: "400 Invalid value - '<value>' in header 'X-Request-ID'",
    clause: '§9.1',
    explains: 'X-Request-ID must be a UUID, of any version and case.',
    fault: ({ requestId }) => (requestId === undefined || isUuid(requestId) ? undefined : faults.requestId(requestId)),
  },
]

export function firstFault(
  checks: readonly DoorCheck[],
  knock: Knock,
): { readonly check: DoorCheck; readonly fault: Fault } | undefined {
  for (const check of checks) {
    const fault = check.fault(knock)
    if (fault !== undefined) return { check, fault }
  }
  return undefined
}
