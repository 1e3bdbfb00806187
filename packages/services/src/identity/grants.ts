import type { Client, Grant, IssuedToken, Lifetimes } from '../gateway/contract.ts'
import type { Form } from './http/form.ts'
import { type Provider, providerName } from './providers.ts'
import { authorisationLevel, type Standing } from './scopes.ts'

const accessLifeMs = 600_000
const staffRefreshMs = 12 * 3_600_000
const loginRefreshMs = 3_600_000

/** Lives of §2.7; a form may shorten them, and nothing else. */
export function lifetimesOf(
  kind: 'app' | Provider['kind'],
  form: Form | undefined,
  settings: { readonly loginRefreshSeconds: number },
): Lifetimes {
  const access = shorter(accessLifeMs, form?.one('_access_token_expiry_ms'))
  if (kind === 'app') return { access }
  const refresh = shorter(kind === 'nhs-cis2' ? staffRefreshMs : loginRefreshMs, form?.one('_refresh_token_expiry_ms'))
  const validity = kind === 'nhs-cis2' ? staffRefreshMs : settings.loginRefreshSeconds * 1000
  return { access, refresh, refreshValidity: validity }
}

/** Lives of a refreshed token, by the provider of its sign-in. */
export const refreshedLifetimes =
  (form: Form, settings: { readonly loginRefreshSeconds: number }) =>
  ({ provider }: Pick<Grant, 'provider'>): Lifetimes => {
    const lives = lifetimesOf(provider.endsWith('nhs-login') ? 'nhs-login' : 'nhs-cis2', form, settings)
    const validity = shorter(lives.refreshValidity ?? 0, form.one('_refresh_tokens_validity_ms'))
    return { ...lives, refreshValidity: validity }
  }

function shorter(life: number, asked: string | undefined): number {
  if (asked === undefined || !/^\d{1,15}$/.test(asked)) return life
  const ms = Number(asked)
  return ms > 0 && ms < life ? ms : life
}

export function applicationGrant(client: Client, scopes: readonly string[]): Grant {
  return {
    application: client.application,
    key: client.key,
    products: client.products.map(({ name }) => name),
    scopes,
    type: 'app',
    grantType: 'client_credentials',
    level: 'level3',
    provider: 'apim',
  }
}

/** Claims of the ID token that the platform keeps (§2.8): those that later decisions rest on, and no names. */
const keptClaims = [
  'iss',
  'sub',
  'acr',
  'amr',
  'authentication_assurance_level',
  'id_assurance_level',
  'identity_proofing_level',
  'selected_roleid',
  'vot',
  'sid',
]

export function userGrant(about: {
  readonly client: Client
  readonly scopes: readonly string[]
  readonly provider: Pick<Provider, 'kind' | 'base'>
  readonly standing: Standing
  readonly grantType: 'authorization_code' | 'token_exchange'
  readonly claims: Readonly<Record<string, unknown>>
  readonly idToken: string
  readonly externalAccessToken?: string | undefined
  readonly actor?: string | undefined
}): Grant {
  const { client, scopes, provider, standing, grantType, claims, idToken, externalAccessToken, actor } = about
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  const user = text(provider.kind === 'nhs-cis2' ? (claims['uid'] ?? claims['sub']) : claims['nhs_number'])
  const session = grantType === 'authorization_code' ? text(claims['sid']) : undefined
  return {
    ...applicationGrant(client, scopes),
    type: 'user',
    grantType,
    level: authorisationLevel(standing),
    provider: providerName(provider),
    ...(user === undefined ? {} : { user }),
    identity: Object.fromEntries(keptClaims.flatMap((name) => (name in claims ? [[name, claims[name]]] : []))),
    idToken,
    ...(externalAccessToken === undefined ? {} : { externalAccessToken }),
    ...(session === undefined ? {} : { session }),
    ...(actor === undefined ? {} : { actor }),
  }
}

/** Seconds that remain at the moment of issue: one fewer than the whole life. Every number is a string. */
const remaining = (until: number, { issuedAt }: IssuedToken) =>
  String(Math.max(0, Math.floor((until - issuedAt - 1) / 1000)))

/** Success bodies of §2.6 and §2.7, members in their order. */
export const bodies = {
  clientCredentials: (token: IssuedToken) => ({
    access_token: token.accessToken,
    expires_in: remaining(token.accessExpiresAt, token),
    token_type: 'Bearer',
    issued_at: String(token.issuedAt),
  }),
  exchange: (token: IssuedToken) => ({
    access_token: token.accessToken,
    expires_in: remaining(token.accessExpiresAt, token),
    token_type: 'Bearer',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...refreshMembers(token),
  }),
  code: (token: IssuedToken) => ({
    access_token: token.accessToken,
    expires_in: remaining(token.accessExpiresAt, token),
    ...refreshMembers(token),
    token_type: 'Bearer',
  }),
}

const refreshMembers = (token: IssuedToken) =>
  token.refreshToken === undefined
    ? {}
    : {
        refresh_token: token.refreshToken,
        refresh_token_expires_in: remaining(token.refreshExpiresAt ?? token.issuedAt, token),
        refresh_count: String(token.refreshCount),
      }
