import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Clock, Random } from '@openspine/platform/clock'
import { type SignedReading, signToken } from '@openspine/standards/jose'
import type { ProviderConfig } from './config.ts'
import { type Fetch, FetchFault } from './keys/fetch.ts'
import type { KeyLookup, KeySets } from './keys/key-sets.ts'

export const basePaths = ['/oauth2', '/oauth2-mock'] as const
export type BasePath = (typeof basePaths)[number]

/** An identity provider that the platform sends people to and takes ID tokens of. */
export interface Provider extends Omit<ProviderConfig, 'keyFile' | 'keyId'> {
  /** Signs the platform's assertions, where there is no secret. */
  readonly key?: KeyObject | undefined
  readonly keyId?: string | undefined
}

/** How a grant names its provider (§2.8). */
export const providerName = ({ kind, base }: Pick<Provider, 'kind' | 'base'>): string =>
  base === '/oauth2' ? kind : `apim-mock-${kind}`

/** A provider of the configuration, with its key read. */
export function configuredProvider({ keyFile, ...provider }: ProviderConfig): Provider {
  return { ...provider, ...(keyFile === undefined ? {} : { key: createPrivateKey(readFileSync(keyFile)) }) }
}

/** §2.4 step 5. */
const keysLifeMs = 86_400_000
const longestAnswer = 64 * 1024
const assertionLifeSeconds = 300

/** The key set of a provider, as far as this key id goes. */
export async function providerKeys(
  keys: KeySets,
  provider: Provider | undefined,
  kid: unknown,
): Promise<KeyLookup | FetchFault> {
  try {
    return await keys.at(provider?.jwksUrl ?? '', typeof kid === 'string' ? kid : '', keysLifeMs)
  } catch (error) {
    if (error instanceof FetchFault) return error
    throw error
  }
}

export const headerOf = (reading: SignedReading | undefined) => (reading?.ok ? reading.token.header : {})
export const claimsOf = (reading: SignedReading | undefined) => (reading?.ok ? reading.token.claims : {})

/** Redeems the provider's code (§2.4 step 3). Throws `FetchFault` when there is no ID token. */
export async function redeemAtProvider(
  provider: Provider,
  request: { readonly code: string; readonly redirectUri: string },
  needs: { readonly fetch: Fetch; readonly clock: Clock; readonly random: Random },
): Promise<{ readonly idToken: string; readonly accessToken: string | undefined }> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: request.code,
    redirect_uri: request.redirectUri,
    client_id: provider.clientId,
  })
  if (provider.secret !== undefined) form.set('client_secret', provider.secret)
  else if (provider.key !== undefined) {
    const now = Math.floor(needs.clock.now() / 1000)
    const claims = {
      iss: provider.clientId,
      sub: provider.clientId,
      aud: provider.tokenUrl,
      jti: needs.random.uuid(),
      iat: now,
      exp: now + assertionLifeSeconds,
    }
    const header = provider.keyId === undefined ? {} : { kid: provider.keyId }
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    form.set('client_assertion', signToken(claims, { key: provider.key, algorithm: 'RS512', header }))
  }
  const { status, body } = await needs.fetch({
    url: provider.tokenUrl,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
  })
  if (status !== 200) throw new FetchFault(`The identity provider's token endpoint answered with status ${status}.`)
  const answer = body.length > longestAnswer ? undefined : parsed(body)
  const idToken = answer?.['id_token']
  const accessToken = answer?.['access_token']
  if (typeof idToken !== 'string') throw new FetchFault("The identity provider's token answer has no id_token.")
  return { idToken, accessToken: typeof accessToken === 'string' ? accessToken : undefined }
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
