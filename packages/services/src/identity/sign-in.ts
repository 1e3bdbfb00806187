import { readSignedToken, type SignedToken, verifies } from '@openspine/standards/jose'
import type { Client } from '../gateway/contract.ts'
import { about, type Call, clientLookups, isNational, type Parts, type Result, urlOf } from './call.ts'
import { toldKeys } from './checks/assertion.ts'
import {
  firstRefusal,
  invalidRequest,
  noScope,
  type Outcome,
  type Refused,
  refusal,
  unknownError,
} from './checks/check.ts'
import { type AuthorizeRequest, authorizeChecks, type NamedClient, returnChecks } from './checks/client.ts'
import { providerAlgorithms } from './checks/subject-token.ts'
import type { userGrant } from './grants.ts'
import type { Form } from './http/form.ts'
import { FetchFault } from './keys/fetch.ts'
import { type Provider, providerKeys, providerName, redeemAtProvider } from './providers.ts'
import { grantedScopes, levelOf, type Standing } from './scopes.ts'
import { digestOf, seal, unseal } from './sealed.ts'

/** What is kept, sealed under the new state, while the person is at the provider. */
interface StoredSignIn {
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  readonly base: Provider['base']
  readonly kind: Provider['kind']
  readonly nonce: string | undefined
}

/** What is kept, sealed under the code: the grant without its client, which is looked up when the code is redeemed. */
export type StoredCode = Omit<Parameters<typeof userGrant>[0], 'client'> & { readonly kind: Provider['kind'] }

/** How long the person may take at the provider. */
const signInMs = 600_000
const codeMs = 300_000
/** So long a used code is remembered: its second use then still ends what it gave. */
const usedCodeMs = 24 * 3_600_000

const refused = (check: string, clause: string, outcome: Outcome, cause: string, client?: Client): Refused => ({
  refused: true,
  check,
  clause,
  outcome,
  cause,
  client,
})

/** An address with parameters, percent-encoded: what it has already stays as it is. */
export function redirectTo(address: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const added = Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&')
  return `${address}${address.includes('?') ? '&' : '?'}${added}`
}

/** GET /authorize (§2.3): sends the person to the identity provider. */
export async function authorize(parts: Parts, call: Call, query: Form): Promise<Result> {
  const clientId = query.one('client_id')
  const asked: AuthorizeRequest = {
    ...clientLookups(parts, clientId),
    clientId,
    environment: parts.environment,
    product: parts.config.product,
    redirectUri: query.one('redirect_uri'),
    state: query.one('state'),
    responseType: query.one('response_type'),
  }
  const national = isNational(parts)
  if (query.repeats && !national)
    return refused(
      'parameters once',
      '2.6 notes',
      invalidRequest('Duplicate parameter in query'),
      'A parameter is there twice.',
    )
  const fault = await firstRefusal(authorizeChecks, asked, { national, client: asked.client })
  if (fault !== undefined) {
    if (!fault.outcome.redirect) return fault
    const { error, description } = fault.outcome
    const location = redirectTo(asked.redirectUri as string, {
      error,
      error_description: description,
      state: asked.state,
    })
    return { ...fault, outcome: { ...fault.outcome, worded: { body: '', headers: { location } } } }
  }
  const kind = query.one('scope') === 'nhs-login' ? 'nhs-login' : 'nhs-cis2'
  const provider = parts.providers.find((each) => each.kind === kind && each.base === call.base)
  if (provider === undefined)
    return refused(
      'identity provider',
      '2.3',
      unknownError(),
      `No identity provider of the kind ${kind} is configured under ${call.base} (identity.providers).`,
      asked.client(),
    )
  const state = parts.random.bytes(27).toString('base64url')
  const nonce = provider.nonce && !(national && kind === 'nhs-cis2') ? parts.random.uuid() : undefined
  const kept: StoredSignIn = {
    clientId: clientId as string,
    redirectUri: asked.redirectUri as string,
    state: asked.state as string,
    base: call.base,
    kind,
    nonce,
  }
  await parts.once.keepSignIn({
    digest: digestOf(state),
    sealed: seal(state, kept, parts.random),
    expiresAt: call.now + signInMs,
  })
  const location = redirectTo(provider.authorizeUrl, {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: urlOf(call, '/callback'),
    scope: kind === 'nhs-cis2' ? 'openid nationalrbacaccess' : 'openid profile',
    state,
    max_age: '300',
    acr_values: kind === 'nhs-cis2' ? (query.one('acr_values') ?? 'AAL3_ANY') : undefined,
    nonce,
  })
  return { status: 302, headers: { location } }
}

/** GET /callback (§2.4): the person is back; the application gets a code. */
export async function callback(parts: Parts, call: Call, query: Form): Promise<Result> {
  const invalidState = (cause: string) =>
    refused('state', '2.4 step 1', invalidRequest('Invalid state parameter.'), cause)
  const hardened = !isNational(parts)
  if (query.repeats && hardened)
    return refused(
      'parameters once',
      '2.6 notes',
      invalidRequest('Duplicate parameter in query'),
      'A parameter is there twice.',
    )
  const state = query.one('state')
  const sealed = state === undefined ? undefined : await parts.once.takeSignIn(digestOf(state), call.now)
  if (state === undefined || sealed === undefined)
    return invalidState('The state is unknown, used already, or older than ten minutes: begin at /authorize again.')
  const signIn = unseal<StoredSignIn>(state, sealed)
  if (signIn.base !== call.base) return invalidState(`The sign-in began under ${signIn.base}.`)
  const { redirectUri } = signIn
  const named: NamedClient = {
    ...clientLookups(parts, signIn.clientId),
    clientId: signIn.clientId,
    environment: parts.environment,
    product: parts.config.product,
  }
  const fault = await firstRefusal(returnChecks, named, { national: isNational(parts), client: named.client })
  if (fault !== undefined) return fault
  const client = named.client() as Client
  const error = query.one('error')
  if (error !== undefined) {
    const location = redirectTo(redirectUri, {
      error,
      error_description: query.one('error_description'),
      state: signIn.state,
    })
    const outcome = { ...refusal(302, error.slice(0, 100), 'The identity provider refused.'), redirect: true } as const
    const cause = 'The identity provider sent the person back with an error, which was passed on to the application.'
    return refused(
      'answer of the provider',
      '2.4',
      { ...outcome, worded: { body: '', headers: { location } } },
      cause,
      client,
    )
  }
  const provider = parts.providers.find((each) => each.kind === signIn.kind && each.base === call.base)
  const code = query.one('code')
  const iss = query.one('iss')
  // RFC 9207: what one provider answers is not sent to another.
  if (hardened && provider !== undefined && iss !== undefined && iss !== provider.issuer)
    return refused(
      'issuer of the answer',
      'RFC 9207',
      invalidRequest('Invalid iss parameter in authorization response'),
      'Another identity provider answered than the one that was asked.',
      client,
    )
  if (provider === undefined || code === undefined)
    return refused(
      'code of the provider',
      '2.4',
      invalidRequest('code is missing'),
      'The provider sent no code.',
      client,
    )

  let external: Awaited<ReturnType<typeof redeemAtProvider>>
  try {
    external = await redeemAtProvider(provider, { code, redirectUri: urlOf(call, '/callback') }, parts)
  } catch (failure) {
    if (!(failure instanceof FetchFault)) throw failure
    return refused('token of the provider', '2.4 step 3', unknownError(), failure.message, client)
  }
  const judged = await judgeIdToken(parts, call, provider, external.idToken, signIn.nonce)
  if ('refused' in judged) return { ...judged, client }
  const { claims } = judged
  const standing: Standing = { kind: provider.kind, level: levelOf(provider.kind, claims) }
  const scopes = grantedScopes(client.products, standing)
  if (scopes.length === 0)
    return refused(
      'scope for the person',
      '2.4 step 6',
      noScope,
      'No approved subscription of the application is to a product that accepts people signed in at this level.',
      client,
    )
  const issued = parts.random.bytes(27).toString('base64url')
  const kept: StoredCode = {
    kind: provider.kind,
    scopes,
    provider: { kind: provider.kind, base: provider.base },
    standing,
    grantType: 'authorization_code',
    claims,
    idToken: external.idToken,
    externalAccessToken: external.accessToken,
  }
  const { sid } = claims
  await parts.once.keepCode({
    digest: digestOf(issued),
    clientKey: client.key,
    redirectUri,
    session: typeof sid === 'string' ? sessionDigest(provider, sid) : undefined,
    sealed: seal(issued, kept, parts.random),
    expiresAt: call.now + codeMs,
    keptUntil: call.now + usedCodeMs,
  })
  return {
    status: 302,
    headers: { location: redirectTo(redirectUri, { code: issued, state: signIn.state }) },
    event: { name: 'identity.code.issued', facts: { ...about(client), provider: providerName(provider) } },
  }
}

export const sessionDigest = (provider: Pick<Provider, 'kind' | 'base'>, sid: string) =>
  digestOf(JSON.stringify([providerName(provider), sid]))

/** §2.4 steps 4 and 5. */
async function judgeIdToken(
  parts: Parts,
  call: Call,
  provider: Provider,
  idToken: string,
  nonce: string | undefined,
): Promise<Pick<SignedToken, 'claims'> | Refused> {
  const reading = readSignedToken(idToken)
  const step4 = (check: string, description: string, cause: string) =>
    refused(check, '2.4 step 4', invalidRequest(description), cause)
  if (!reading.ok) return step4('ID token readable', 'Malformed JWT in External ID token', reading.fault)
  const { header, claims } = reading.token
  const { aud, iss, exp } = claims
  if (aud !== provider.clientId && !(Array.isArray(aud) && aud.includes(provider.clientId)))
    return step4('aud of the ID token', "Invalid 'aud' claim in external ID token JWT", 'It is not for this platform.')
  if (iss !== provider.issuer)
    return step4('iss of the ID token', 'Invalid iss claim in external ID token JWT', `It must be ${provider.issuer}.`)
  const keys = await providerKeys(parts.keys, provider, header['kid'])
  if (keys instanceof FetchFault)
    return refused("provider's keys obtainable", '2.4 step 5', unknownError(), keys.message)
  if (keys.found.length === 0) {
    const outcome = invalidRequest("Invalid 'kid' header in external ID token JWT - no matching public key", 401)
    return refused('kid of the ID token', '2.4 step 5', outcome, `Of the provider, ${toldKeys(keys)}`)
  }
  if (!keys.found.some(({ key }) => verifies(reading.token, key, providerAlgorithms))) {
    const outcome = refusal(401, 'public_key error', 'JWT signature verification failed')
    return refused('signature of the ID token', '2.4 step 5', outcome, `It does not fit; ${toldKeys(keys)}`)
  }
  if (isNational(parts)) return { claims }
  if (typeof exp !== 'number' || exp * 1000 < call.now - 10_000) {
    const description = "Invalid 'exp' claim in external ID token JWT - JWT has expired"
    return refused(
      'exp of the ID token',
      'addition to 2.4',
      invalidRequest(description),
      'It has ended, or has no exp.',
    )
  }
  if (nonce !== undefined && claims['nonce'] !== nonce) {
    const description = "Invalid 'nonce' claim in external ID token JWT"
    return refused('nonce of the ID token', 'addition to 2.4', invalidRequest(description), 'It is of another sign-in.')
  }
  return { claims }
}
