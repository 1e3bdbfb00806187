import type { Grant } from './clients.ts'
import { type Fault, faults } from './faults.ts'

/**
 * What the identity provider says of the user: claims of its userinfo answer. Undefined where it cannot be asked: for
 * tokens that were exchanged there is no access token of the provider's.
 */
export type UserInfo = (grant: Grant) => Promise<Readonly<Record<string, unknown>> | undefined>

/** The claims that came with the grant, as long as nothing newer can be asked for. */
export const claimsOfGrant: UserInfo = async ({ identity, grantType }) =>
  grantType === 'authorization_code' ? identity : undefined

const isRoleId = (value: unknown): value is string => typeof value === 'string' && /^[0-9]+$/.test(value)

/** Role profile ids of userinfo; undefined when they are malformed. */
export function roleIds(claims: Readonly<Record<string, unknown>> | undefined): readonly string[] | undefined {
  const roles = claims?.['nhsid_nrbac_roles'] ?? []
  if (!Array.isArray(roles)) return undefined
  const ids = roles.map((role: unknown) =>
    typeof role === 'object' && role !== null ? Reflect.get(role, 'person_roleid') : undefined,
  )
  return ids.every((id) => typeof id === 'string' && id !== '') ? (ids as string[]) : undefined
}

/**
 * The role that a request acts in (§9.5): the header's, which must be one of the user's; else the one that was selected
 * at sign-in; else the only one.
 */
export async function roleFor(
  grant: Grant,
  header: string | undefined,
  userInfo: UserInfo,
): Promise<{ readonly role: string } | { readonly fault: Fault }> {
  const { roles: of } = faults
  const combined = grant.grantType === 'authorization_code' && grant.provider.endsWith('nhs-cis2')
  if (header !== undefined) {
    if (grant.provider.endsWith('nhs-login')) return { fault: of.noUserInfo }
    // It cannot be compared with anything: whoever serves the request asks the user directory.
    if (!combined) return { role: header }
    const info = await userInfo(grant)
    if (info === undefined) return { fault: of.noUserInfo }
    const ids = roleIds(info)
    if (ids === undefined) return { fault: of.malformed }
    return ids.includes(header) ? { role: header } : { fault: of.notTheUsers }
  }
  const selected = grant.identity?.['selected_roleid']
  if (selected !== undefined) return isRoleId(selected) ? { role: selected } : { fault: of.selectedMalformed }
  if (!combined) return { fault: of.selectedMissing }
  const info = await userInfo(grant)
  if (info === undefined) return { fault: of.noUserInfo }
  const ids = roleIds(info)
  if (ids === undefined) return { fault: of.malformed }
  if (ids.length > 1) return { fault: of.several }
  return ids[0] === undefined ? { fault: of.none } : { role: ids[0] }
}
