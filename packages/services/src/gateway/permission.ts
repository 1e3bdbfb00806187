import type { AccessControl, AccessDecision, Need, RoleProfile } from '../access-control/contract.ts'
import type { Grant } from './clients.ts'

/** What an operation of an API asks of a signed-in worker's role (§6.2). */
export interface ApiNeed {
  readonly methods: readonly string[]
  /** Paths below the base for which it holds; absent: every path. */
  readonly paths?: RegExp
  readonly need: Need
}

/**
 * National role-based access control of an API. `off`: nobody is asked. `record`: every decision is in the audit, and
 * the answer is the same whatever it was. `enforce`: what is not permitted is refused.
 */
export interface ApiPermissions {
  readonly rbac: 'off' | 'record' | 'enforce'
  /** The first that fits counts; what none mentions needs nothing. */
  readonly needs: readonly ApiNeed[]
}

/** A decision about one request. */
export interface RequestDecision {
  readonly decision: AccessDecision
  readonly need: Need
  /** Whether the request may not go on because of it. */
  readonly refused: boolean
}

/** Asks the rules; undefined where the API, or this operation, asks nothing. */
export function decideRequest(
  permissions: ApiPermissions | undefined,
  access: Pick<AccessControl, 'decide'> | undefined,
  request: {
    readonly method: string
    /** The route, where the request has one. */
    readonly path: string
    readonly grant: Grant
    readonly roles: readonly RoleProfile[]
    readonly role: string | undefined
  },
): RequestDecision | undefined {
  if (permissions === undefined || permissions.rbac === 'off' || access === undefined) return undefined
  const { path, grant, roles, role } = request
  // Who may not read may not learn either whether there is something to read.
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const found = permissions.needs.find(
    ({ methods, paths }) => methods.includes(method) && (paths === undefined || paths.test(path)),
  )
  if (found === undefined) return undefined
  const level = /^aal([123])$/.exec(grant.level)?.[1]
  const decision = access.decide({
    roles,
    selectedRoleId: role,
    need: found.need,
    ...(level === undefined ? {} : { level: Number(level) }),
  })
  return { decision, need: found.need, refused: permissions.rbac === 'enforce' && !decision.allowed }
}
