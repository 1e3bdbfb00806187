import type { Api, Gateway, Refusal } from './contract.ts'

/** Who asks, as the door knows them. */
export interface Caller {
  readonly mode: 'user-restricted' | 'application-restricted'
  readonly application?: string
  /** Uid of the worker. */
  readonly user?: string
  /** Role profile id. */
  readonly role?: string
  readonly asid?: string
  readonly odsCode?: string
}

/** What of a request is judged. */
export interface Presented {
  readonly authorization: string | undefined
  readonly requestId: string | undefined
  /** NHSD-Session-URID as it was sent; an empty one is not the same as none. */
  readonly role: string | undefined
  readonly method: string
  readonly path: string
  readonly address: string
}

export type Admitted =
  | {
      readonly admitted: true
      readonly caller: Caller
      readonly roles: readonly string[] | undefined
      readonly selected: string | undefined
    }
  | { readonly admitted: false; readonly refusal: Refusal }

/** For an API that words its refusals itself: what its door asks of a token, as the gateway judges it. */
export function admission(needs: {
  readonly gateway: Pick<Gateway, 'judge' | 'refused'>
  readonly api: Api
  /** Who acts in a request without an Authorization header; absent: nobody, a token is always needed. */
  readonly anonymous?: Caller
}): (presented: Presented) => Promise<Admitted> {
  const { gateway, api, anonymous } = needs
  return async ({ authorization, requestId, role, method, path, address }) => {
    if (authorization === undefined && anonymous !== undefined)
      return { admitted: true, caller: anonymous, roles: undefined, selected: undefined }
    const judged = await gateway.judge({
      api,
      method,
      path,
      credentials: { authorization, requestId, role },
    })
    if (!judged.admitted) {
      const { caller, refusal } = judged
      await gateway.refused({ api: api.name, path, address, caller, refusal, requestId })
      return { admitted: false, refusal }
    }
    const { application, asid, grant, mode, settings, role: acting, roles } = judged.caller
    const selected = grant?.identity?.['selected_roleid']
    const ods = settings?.['ods']
    return {
      admitted: true,
      roles: roles?.map(({ id }) => id),
      selected: typeof selected === 'string' ? selected : undefined,
      caller: {
        mode: mode === 'application-restricted' ? mode : 'user-restricted',
        ...(application === undefined ? {} : { application }),
        ...(grant?.user === undefined ? {} : { user: grant.user }),
        ...(acting === undefined ? {} : { role: acting }),
        ...(asid === undefined ? {} : { asid }),
        ...(typeof ods === 'string' && ods !== '' ? { odsCode: ods } : {}),
      },
    }
  }
}

/**
 * The role that a request acts in: that of the header, which must be one of the user's; else the one chosen at sign-in;
 * else the only one. Undefined where it cannot be told.
 */
export function roleIn(
  header: string | undefined,
  { roles, selected }: { readonly roles: readonly string[] | undefined; readonly selected: string | undefined },
): string | undefined {
  if (header !== undefined)
    return /^[0-9]+$/.test(header) && (roles === undefined || roles.includes(header)) ? header : undefined
  if (selected !== undefined) return /^[0-9]+$/.test(selected) ? selected : undefined
  return roles?.length === 1 ? roles[0] : undefined
}

/** What makes two writes the same one: who asks, for what, and the X-Request-ID. */
export interface RequestKey {
  readonly caller: string
  readonly operation: string
  /** Lower case. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** So long a repeat of a write is answered as the first one was, and does nothing. */
export const repeatMs = 24 * 60 * 60 * 1000

/** App and user, so that nobody is told the answer of somebody else. */
export const callerKey = ({ application = '', user = '', role = '' }: Caller): string =>
  `${application} ${user} ${role}`
