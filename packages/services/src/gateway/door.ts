import type { AccessControl } from '../access-control/contract.ts'
import { type ApiAccess, accessFor, accessOf, keysAlone } from './access.ts'
import {
  bearerOf,
  type DoorCheck,
  firstFault,
  headerChecks,
  type Knock,
  keyChecks,
  modeChecks,
  rateChecks,
  tokenChecks,
} from './checks.ts'
import type { Client, Grant, TokenVerdict } from './clients.ts'
import type { Admission, Api, ApiCaller, Application, Credentials, Refusal } from './contract.ts'
import { type Fault, faultBody, faults, rateFault } from './faults.ts'
import { decideRequest, type RequestDecision } from './permission.ts'
import { type Quota, quotaOf, type Rates, type RateVerdict, ratesFor } from './rates.ts'
import { likelyRole, roleFor, type UserInfo } from './roles.ts'

/** What the door stands on. */
export interface DoorNeeds {
  readonly compat: 'hardened' | 'national'
  /** Whether an API that keys alone open asks for a registered one. */
  readonly registered: boolean
  readonly rates: Rates
  /** Of one API as a whole. */
  readonly apiRates: Rates
  isDeclared(api: string): boolean
  clientOfKey(apikey: string): Client | undefined
  clientOf(keyId: string): Client | undefined
  application(id: string): Application | undefined
  verify(token: string): Promise<TokenVerdict>
  count(who: string, rates: Rates): RateVerdict
  messageId(): string
  readonly userInfo: UserInfo
  readonly access: Pick<AccessControl, 'decide'> | undefined
  /** Told of every decision; resolves when the audit will have it. */
  decided(request: DecidedRequest): Promise<void>
  /** Told of the key that an admitted request proved itself with. */
  used(application: string, key: string): void
}

/** A request about which role-based access control was asked, and what it said. */
export interface DecidedRequest {
  readonly api: string
  readonly method: string
  readonly path: string
  readonly requestId: string | undefined
  readonly caller: ApiCaller
  readonly role: string | undefined
  readonly permission: RequestDecision
}

/** Named where there is no quota. */
const anyNumber: Quota = { limit: 0, interval: 1, timeunit: 'minute' }

interface Request {
  readonly method: string
  /** Below the base. */
  readonly path: string
  /** That will serve it. */
  readonly route?: string | undefined
  readonly credentials: Credentials
}

export interface Door {
  /** For an API that keys alone open; nothing has to be waited for. */
  byKey(api: Api, access: readonly ApiAccess[], apikey: string | undefined): Admission
  judge(api: Api, request: Request): Promise<Admission>
}

/** Lets requests in or not, in the order of §9.2. */
export function door(needs: DoorNeeds): Door {
  const { compat } = needs
  const hardened = compat === 'hardened'

  function refusal(api: Api, check: Pick<DoorCheck, 'name' | 'explains'>, fault: Fault): Refusal {
    const id = needs.messageId()
    const challenge = fault.outcome.status === 401 && !keysAlone(api) ? { 'www-authenticate': challengeOf(fault) } : {}
    return {
      id,
      reason: fault.reason,
      check: check.name,
      explanation: check.explains,
      status: fault.outcome.status,
      contentType: api.faults === 'fhir' && hardened ? 'application/fhir+json' : 'application/json',
      body: faultBody(fault, api.faults),
      text: fault.text,
      outcome: fault.outcome,
      headers: {
        ...fault.headers,
        ...(hardened ? { ...challenge, ...fault.additions, 'openspine-message-id': id } : {}),
      },
    }
  }

  const refused = (api: Api, caller: ApiCaller, found: { readonly check: DoorCheck; readonly fault: Fault }) =>
    ({ admitted: false, caller, refusal: refusal(api, found.check, found.fault) }) as const

  /** Own limits of the application win; then come those of the API, whoever asks. */
  function rateOf(api: Api, client: Client | undefined): Fault | undefined {
    const application = client?.application ?? ''
    const rates = ratesFor(needs.rates, needs.application(application)?.rates)
    const verdict = needs.count(`${application} ${api.name}`, rates)
    const name = client?.name ?? 'unregistered'
    if (!verdict.within) return rateFault({ ...verdict, of: 'app' }, name, quotaOf(rates) ?? anyNumber)
    const whole = needs.count(`api ${api.name}`, needs.apiRates)
    return whole.within ? undefined : rateFault({ ...whole, of: 'api' }, name, anyNumber)
  }

  function callerOf(client: Client | undefined): ApiCaller {
    if (client === undefined) return {}
    const { application, name, key, asid } = client
    const settings = needs.application(application)?.settings
    return {
      application,
      name,
      key,
      ...(asid === undefined ? {} : { asid }),
      ...(settings === undefined ? {} : { settings }),
    }
  }

  function byKey(api: Api, access: readonly ApiAccess[], apikey: string | undefined): Admission {
    const client = apikey === undefined ? undefined : needs.clientOfKey(apikey)
    const caller = callerOf(client)
    const knock: Knock = {
      api,
      access,
      apikey,
      client,
      authorization: undefined,
      requestId: undefined,
      verdict: undefined,
      rate: () => rateOf(api, client),
    }
    const lenient = !needs.registered && keysAlone(api)
    const checks = needs.isDeclared(api.name) ? keyChecks : keyChecks.slice(0, -1)
    const found = (lenient ? undefined : firstFault(checks, knock)) ?? firstFault(rateChecks, knock)
    if (found) return refused(api, caller, found)
    if (client !== undefined) needs.used(client.application, client.key)
    return { admitted: true, caller: { ...caller, mode: 'key' } }
  }

  async function judge(api: Api, request: Request): Promise<Admission> {
    const { path, route = path, credentials } = request
    const { authorization, apikey, requestId } = credentials
    const access = accessFor(api, route)
    if (access.some(({ mode }) => mode === 'open')) return { admitted: true, caller: { mode: 'open' } }
    const tokens = access.some(({ grants }) => grants !== undefined)
    if (access.some(({ mode }) => mode === 'key') && !(tokens && authorization !== undefined))
      return byKey(api, access, apikey)

    const token = bearerOf(authorization)
    const verdict = token === undefined ? undefined : await needs.verify(token)
    const grant = verdict?.state === 'valid' ? verdict.grant : undefined
    const client = grant === undefined ? undefined : needs.clientOf(grant.key)
    const way = grant === undefined ? undefined : accessOf(access, api, grant)
    const caller: ApiCaller = {
      ...callerOf(client),
      ...(grant === undefined ? {} : { grant }),
      ...(way === undefined ? {} : { mode: way.mode }),
    }
    const knock: Knock = {
      api,
      access,
      authorization,
      apikey,
      requestId,
      verdict,
      client,
      rate: () => rateOf(api, client),
    }
    const found =
      firstFault(tokenChecks, knock) ??
      firstFault(rateChecks, knock) ??
      firstFault(modeChecks, knock) ??
      (api.faults === 'fhir' && api.roles === true ? firstFault(headerChecks, knock) : undefined)
    if (found) return refused(api, caller, found)
    if (client !== undefined) needs.used(client.application, client.key)
    return grant === undefined || way?.mode !== 'user-restricted' || !api.roles
      ? { admitted: true, caller }
      : inRole(api, request, caller, grant)
  }

  /** A worker's request: the role that it acts in, and whether that role may do so. */
  async function inRole(api: Api, request: Request, caller: ApiCaller, grant: Grant): Promise<Admission> {
    const { method, path, route = path, credentials } = request
    const { role: header, requestId } = credentials
    const held = await needs.userInfo(grant)
    const roles = held === 'malformed' ? [] : held
    const known: ApiCaller = { ...caller, ...(roles === undefined ? {} : { roles }) }
    const told = api.roles === 'told'
    const chosen = told
      ? { role: likelyRole(grant, header, roles) }
      : roleFor(grant, header, { held, compare: hardened })
    if ('fault' in chosen) return refused(api, known, { check: roleCheck, fault: chosen.fault })
    const { role } = chosen
    const acting: ApiCaller = { ...known, ...(role === undefined || told ? {} : { role }) }
    // Where an API refuses the role in its own words, there is nothing to decide.
    const permission =
      role === undefined && (roles?.length ?? 0) > 0
        ? undefined
        : decideRequest(api.permissions, needs.access, { method, path: route, grant, roles: roles ?? [], role })
    if (permission === undefined) return { admitted: true, caller: acting }
    await needs.decided({ api: api.name, method, path, requestId, caller: acting, role, permission })
    const { decision } = permission
    if (!told && permission.refused && !decision.allowed) {
      const explains = `${decision.explanation} Decided by the access rules ${decision.version}.`
      return refused(api, acting, {
        check: { ...permissionCheck, explains },
        fault: faults.notPermitted(decision.explanation),
      })
    }
    return { admitted: true, caller: { ...acting, permission } }
  }

  return { byKey, judge }
}

/** For the audit and the reference: what becomes of it is decided by `roleFor`. */
export const roleCheck: DoorCheck = {
  name: 'Role is one of the user’s',
  says: '401 NHSD-Session-URID is invalid',
  clause: '§9.5',
  explains:
    'The role is that of NHSD-Session-URID, else the one selected at sign-in, else the only one; it must be one of the user.',
  fault: () => undefined,
}

/** For the audit and the reference: what becomes of it is decided by the access rules. */
export const permissionCheck: DoorCheck = {
  name: 'Role may do this',
  says: '403 Access has been denied to process this request',
  clause: '§6.4',
  explains:
    'The selected role must have the activity that the operation asks for: openspine rbac explain says which would be enough.',
  fault: () => undefined,
}

/** RFC 6750 §3.1: nothing more than the realm for a request without a token. */
const challengeOf = ({ reason, text }: Fault) =>
  reason === 'token-missing'
    ? 'Bearer'
    : `Bearer error="invalid_token", error_description="${text.replaceAll(/["\\]|[^\x20-\x7e]/g, '')}"`
