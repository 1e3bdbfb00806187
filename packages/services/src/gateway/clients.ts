import type { Owner } from './contract.ts'

/**
 * What the API platform knows of an application as an OAuth client, and the access tokens that it gives out. The
 * authorisation server (`identity`) decides who gets one; the gateway keeps them, because it is the gateway that every
 * request with one comes to. Clauses are those of the identity specification.
 */

/** How a client's public keys are found (§2.6): at its own URL, or held here. */
export type ClientKeys =
  | { readonly url: string }
  /** A JSON Web Key Set, as text. */
  | { readonly keySet: string }

/** One API in one environment, as applications subscribe to it (§10). */
export interface Product {
  /** `{api}-{environment}` and perhaps a pattern, such as `personal-demographics-sandbox`. */
  readonly name: string
  /** Names of the APIs (`Api.name`) that it opens. */
  readonly apis: readonly string[]
  /** Scopes of §2.8, such as `urn:nhsd:apim:app:level3:personal-demographics`. */
  readonly scopes: readonly string[]
  /** Whether a subscription counts at once, or waits for an operator. */
  readonly approval: 'auto' | 'manual'
}

export interface Subscription {
  readonly product: string
  readonly status: 'approved' | 'pending' | 'revoked'
}

/** An application as the authorisation server sees it, found by its client id (which is its API key). */
export interface Client {
  /** Id of the application, its name, and the id of the key that was shown. */
  readonly application: string
  readonly name: string
  readonly key: string
  /** False when the application, or this key, was revoked. */
  readonly approved: boolean
  /** Whose it is, where that was said. */
  readonly owner?: Owner | undefined
  /** The one registered callback, compared as an exact string. */
  readonly callbackUrl: string | undefined
  readonly keys: ClientKeys | undefined
  /** Accredited system that the application acts as. */
  readonly asid: string | undefined
  readonly subscriptions: readonly Subscription[]
  /** Products of approved subscriptions. */
  readonly products: readonly Product[]
}

export interface Clients {
  /** The client with this id, revoked or not; undefined when there never was one. From memory. */
  client(clientId: string): Client | undefined
  /** Compares in constant time. */
  secretFits(clientId: string, secret: string): boolean
}

export type AuthorisationLevel = 'level3' | 'aal1' | 'aal2' | 'aal3' | 'p0' | 'p5' | 'p9'

/** What is kept with an access token, and never shown to the application (§2.8). */
export interface Grant {
  readonly application: string
  /** Id of the client's key. */
  readonly key: string
  readonly products: readonly string[]
  readonly scopes: readonly string[]
  readonly type: 'app' | 'user'
  readonly grantType: 'client_credentials' | 'authorization_code' | 'token_exchange'
  readonly level: AuthorisationLevel
  /** `apim`, `nhs-cis2`, `nhs-login` and their `apim-mock-` forms. */
  readonly provider: string
  /** Uid of the worker, or NHS number of the patient. */
  readonly user?: string
  /** Claims of the ID token that the grant rests on. */
  readonly identity?: Readonly<Record<string, unknown>>
  /** The ID token itself, and the identity provider's access token (combined authorisation alone). */
  readonly idToken?: string
  readonly externalAccessToken?: string
  /** Session at the identity provider: back-channel logout revokes by it. */
  readonly session?: string
  /** NHS number of whoever acts for the patient (delegation). */
  readonly actor?: string
}

/** Lives in milliseconds. */
export interface Lifetimes {
  readonly access: number
  /** Absent: no refresh token. */
  readonly refresh?: number
  /** From the first issue on, no refresh token lives longer. */
  readonly refreshValidity?: number
}

export interface IssuedToken {
  readonly accessToken: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  readonly accessExpiresAt: number
  readonly refreshToken?: string
  readonly refreshExpiresAt?: number
  /** How often it was refreshed. */
  readonly refreshCount: number
}

export type TokenVerdict =
  | { readonly state: 'valid'; readonly grant: Grant; readonly expiresAt: number }
  | { readonly state: 'expired' | 'unknown' }

/** Access and refresh tokens: opaque, of 160 random bits or more, kept as digests alone. */
export interface AccessTokens {
  /** Resolves when the tokens are durable: every process will know them. */
  issue(grant: Grant, lifetimes: Lifetimes): Promise<IssuedToken>
  /**
   * Uses a refresh token, once: of several uses at once one succeeds. `reused` has revoked everything that came from
   * the first issue.
   */
  refresh(
    refreshToken: string,
    by: { readonly key: string; readonly lifetimes: Lifetimes | ((grant: Grant) => Lifetimes) },
  ): Promise<IssuedToken | 'unknown' | 'expired' | 'reused'>
  /** Mostly from memory; asks the store for a token that this process has not seen. */
  verify(accessToken: string): Promise<TokenVerdict>
  /** Revokes the token and all that came from the same first issue. False when it is unknown. */
  revoke(accessToken: string): Promise<boolean>
  /** Revokes all tokens of one session at an identity provider; how many there were. */
  revokeSession(provider: string, session: string): Promise<number>
  /** Revokes all tokens of an application; how many there were. */
  revokeApplication(application: string): Promise<number>
}
