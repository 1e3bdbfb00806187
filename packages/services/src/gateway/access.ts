import type { Grant } from './clients.ts'

/** How a caller acts (§9.2). `open`: nobody is asked for; `key`: whoever has a key. */
export type AccessModeName =
  | 'open'
  | 'key'
  | 'application-restricted'
  | 'user-restricted'
  | 'patient'
  | 'privileged-application-restricted'

/** One way to be let in. */
export interface ApiAccess {
  readonly mode: AccessModeName
  /**
   * Scopes that give it, without `urn:nhsd:apim:` and the API's name: `app:level3`, `user-nhs-cis2:aal3`,
   * `user-nhs-login:P9`. One that begins with `urn:` is taken whole. None for `open` and `key`.
   */
  readonly grants?: readonly string[]
  /** Paths below the base for which it holds; absent: every path. */
  readonly paths?: readonly string[]
}

/** What lets a worker in who has signed in strongly enough for any API about patients. */
export const workerGrants: readonly string[] = ['user-nhs-id:aal3', 'user-nhs-cis2:aal2', 'user-nhs-cis2:aal3']

interface Named {
  readonly name: string
  readonly scopeName?: string
  readonly access: readonly ApiAccess[]
}

/** The scopes of one way in, whole. */
export function scopesOf(access: ApiAccess, api: Pick<Named, 'name' | 'scopeName'>): readonly string[] {
  const suffix = api.scopeName ?? api.name
  return (access.grants ?? []).map((grant) => (grant.startsWith('urn:') ? grant : `urn:nhsd:apim:${grant}:${suffix}`))
}

/** The scopes that an API's own product gives: all but those of privileged access, which is never given unasked. */
export function ordinaryScopes(api: Named): readonly string[] {
  const ordinary = api.access.filter(({ mode }) => mode !== 'privileged-application-restricted')
  return [...new Set(ordinary.flatMap((access) => scopesOf(access, api)))]
}

/** The ways in that hold for a path. A path that none mentions is open: the API says itself that it is not there. */
export function accessFor(api: Named, path: string): readonly ApiAccess[] {
  const found = api.access.filter(({ paths }) => paths === undefined || paths.includes(path))
  return found.length === 0 ? [{ mode: 'open' }] : found
}

/** The way in that a token gives: the last that fits counts. Scopes are compared as literals (§2.8). */
export function accessOf(access: readonly ApiAccess[], api: Named, grant: Grant): ApiAccess | undefined {
  return access.findLast((each) => scopesOf(each, api).some((scope) => grant.scopes.includes(scope)))
}

/** Whether a key alone is what this API asks for, apart from what is open. */
export const keysAlone = (api: Named): boolean => api.access.every(({ mode }) => mode === 'open' || mode === 'key')
