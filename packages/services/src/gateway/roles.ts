import type { Clock } from '@openspine/platform/clock'
import type { RoleProfile } from '../access-control/contract.ts'
import { type People, roleProfile } from '../directory/contract.ts'
import type { Grant } from './clients.ts'
import { type Fault, faults } from './faults.ts'

/** Roles of a signed-in worker at the time of the call; `malformed` where a provider tells something that is none. */
export type UserRoles = readonly RoleProfile[] | 'malformed'

/** Undefined where nobody can be asked: a token that was exchanged brings no access token of the provider's. */
export type UserInfo = (grant: Grant) => Promise<UserRoles | undefined>

/** Signed-in workers whose roles another provider told. */
const mostHeld = 10_000

type Claims = Readonly<Record<string, unknown>>

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

/** `nhsid_nrbac_roles` of userinfo (§3.3) as role profiles. */
export function rolesOfClaims(claims: Claims | undefined): UserRoles {
  const roles = claims?.['nhsid_nrbac_roles'] ?? []
  if (!Array.isArray(roles)) return 'malformed'
  const profiles: RoleProfile[] = []
  for (const role of roles as readonly unknown[]) {
    if (typeof role !== 'object' || role === null) return 'malformed'
    const { person_roleid: id, org_code: odsCode, role_code: jobRole, ...lists } = role as Claims
    if (typeof id !== 'string' || id === '') return 'malformed'
    profiles.push({
      id,
      ...(typeof odsCode === 'string' ? { odsCode } : {}),
      jobRole: typeof jobRole === 'string' ? jobRole : '',
      areasOfWork: texts(lists['aow_codes']),
      activities: texts(lists['activity_codes']),
      workgroups: texts(lists['workgroups_codes']),
    })
  }
  return profiles
}

/** Where nothing newer can be asked: what came with the grant. */
export const rolesOfGrant: UserInfo = async ({ identity, grantType }) =>
  grantType === 'authorization_code' ? rolesOfClaims(identity) : undefined

/** Role profiles of somebody whom the directory knows; undefined when it does not. */
function rolesInDirectory(people: People, uid: string | undefined): UserRoles | undefined {
  return people.person(uid ?? '')?.roles.map(roleProfile)
}

/**
 * The roles of a worker at the time of the call (§9.5). Who signed in at the environment's own provider is looked up
 * where that provider looks: in the directory's People branch. Another provider is asked for its userinfo. After an
 * exchange of tokens there is no one to ask, and the directory counts where it knows the person.
 */
export function roleSource(from: {
  readonly people: People
  /** Issuer whose people are those of the directory. */
  readonly ownIssuer: string
  /** Claims of the provider's userinfo; undefined where it cannot be had. */
  ask(grant: Grant): Promise<Claims | undefined>
  readonly clock: Clock
  /** How long an answer of another provider holds: requests that come together ask once. */
  readonly seconds: number
}): UserInfo {
  const asked = briefly(from)
  return async (grant) => {
    const { user, grantType, provider, identity } = grant
    if (!provider.endsWith('nhs-cis2')) return undefined
    if (grantType === 'token_exchange') return rolesInDirectory(from.people, user)
    if (identity?.['iss'] === from.ownIssuer) return rolesInDirectory(from.people, user) ?? []
    const claims = await asked(grant)
    return claims && rolesOfClaims(claims)
  }
}

/** Answers held for a while, by the provider's token; what could not be had is asked for again. */
function briefly(from: Pick<Parameters<typeof roleSource>[0], 'ask' | 'clock' | 'seconds'>) {
  const held = new Map<string, { readonly until: number; readonly claims: Promise<Claims | undefined> }>()
  return (grant: Grant): Promise<Claims | undefined> => {
    const { externalAccessToken: token } = grant
    if (token === undefined) return from.ask(grant)
    const now = from.clock.now()
    const known = held.get(token)
    if (known !== undefined && known.until > now) return known.claims
    const claims = from.ask(grant)
    held.delete(token)
    held.set(token, { until: now + from.seconds * 1000, claims })
    if (held.size > mostHeld) held.delete(held.keys().next().value as string)
    const forget = () => {
      if (held.get(token)?.claims === claims) held.delete(token)
    }
    claims.then((found) => found ?? forget(), forget)
    return claims
  }
}

const isRoleId = (value: unknown): value is string => typeof value === 'string' && /^[0-9]+$/.test(value)

/**
 * The role that a request acts in (§9.5): the header's, which must be one of the user's; else the one that was selected
 * at sign-in; else the only one. `compare`: what the national service passes on unseen is compared as well, as far as
 * the roles are known (the header after an exchange of tokens, the selected role).
 */
export function roleFor(
  grant: Grant,
  header: string | undefined,
  { held, compare }: { readonly held: UserRoles | undefined; readonly compare: boolean },
): { readonly role: string } | { readonly fault: Fault } {
  const { roles: of } = faults
  const combined = grant.grantType === 'authorization_code' && grant.provider.endsWith('nhs-cis2')
  const ids = held === 'malformed' ? undefined : held?.map(({ id }) => id)
  const contradicted = (role: string) => compare && ids !== undefined && !ids.includes(role)
  if (header !== undefined) {
    if (grant.provider.endsWith('nhs-login')) return { fault: of.noUserInfo }
    if (!combined) return contradicted(header) ? { fault: of.notTheUsers } : { role: header }
    if (held === undefined) return { fault: of.noUserInfo }
    if (ids === undefined) return { fault: of.malformed }
    return ids.includes(header) ? { role: header } : { fault: of.notTheUsers }
  }
  const selected = grant.identity?.['selected_roleid']
  if (selected !== undefined)
    return isRoleId(selected) && !contradicted(selected) ? { role: selected } : { fault: of.selectedMalformed }
  if (!combined) return { fault: of.selectedMissing }
  if (held === undefined) return { fault: of.noUserInfo }
  if (ids === undefined) return { fault: of.malformed }
  if (ids.length > 1) return { fault: of.several }
  return ids[0] === undefined ? { fault: of.none } : { role: ids[0] }
}

/**
 * The same for an API that judges the role itself: the role that it will find, or none where it will refuse, or where
 * the user has none.
 */
export function likelyRole(
  grant: Grant,
  header: string | undefined,
  roles: readonly RoleProfile[] | undefined,
): string | undefined {
  const has = (role: string) => roles?.some(({ id }) => id === role) ?? true
  if (header !== undefined) return has(header) ? header : undefined
  const selected = grant.identity?.['selected_roleid']
  if (isRoleId(selected) && has(selected)) return selected
  return roles?.length === 1 ? roles[0]?.id : undefined
}
