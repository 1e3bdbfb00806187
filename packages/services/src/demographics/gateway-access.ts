import { isSpineError } from '@openspine/standards/error'
import {
  type Api,
  type ApiCaller,
  type ApiPermissions,
  type Gateway,
  type RequestDecision,
  workerGrants,
} from '../gateway/contract.ts'
import type { Access, AppAttributes, Authenticate } from './access.ts'
import { outcomes, refuse } from './outcomes.ts'

/** What PDS FHIR asks of a token (§5), as the gateway judges it. */
export function pdsApi({
  rbac,
  ...about
}: Pick<Api, 'version' | 'basePath' | 'health'> & Pick<ApiPermissions, 'rbac'>): Api {
  return {
    ...about,
    roles: 'told',
    // Identity specification §6.2; whoever makes a record amends what is known of the patient.
    permissions: {
      rbac,
      needs: [
        { methods: ['GET'], paths: /^\/Patient(\/|$)/, need: { any: ['B0820'] } },
        { methods: ['PATCH', 'POST'], paths: /^\/Patient(\/|$)/, need: { any: ['B0825'] } },
      ],
    },
    name: 'personal-demographics',
    scopeName: 'personal-demographics-service',
    faults: 'fhir',
    access: [
      { mode: 'application-restricted', grants: ['app:level3'] },
      { mode: 'user-restricted', grants: workerGrants },
      { mode: 'patient', grants: ['user-nhs-login:P9'] },
      {
        mode: 'privileged-application-restricted',
        grants: ['urn:nhsd:apim:app:level3:privileged-personal-demographics-service'],
      },
    ],
  }
}

/**
 * Who asks, out of an access token that the gateway verified. A request without an Authorization header goes to
 * `otherwise`, which knows what the profile makes of it.
 */
export function gatewayAccess(about: {
  readonly gateway: Pick<Gateway, 'judge' | 'refused'>
  readonly api: Api
  /** Absent: a token is always needed. */
  readonly otherwise?: Authenticate
}): Authenticate {
  const { gateway, api, otherwise } = about
  return async (request) => {
    const { authorization, requestId, role, method, path, address } = request
    if (authorization === undefined && otherwise !== undefined) return otherwise(request)
    const admission = await gateway
      .judge({ api, method, path, credentials: { authorization, requestId, role } })
      .catch((error: unknown) => {
        if (!isSpineError(error) || error.code !== 'GATEWAY_BUSY') throw error
        throw refuse(outcomes.serviceUnavailable, error.explanation)
      })
    const { caller } = admission
    if (admission.admitted) return accessOf(caller)
    const { refusal } = admission
    await gateway.refused({ api: api.name, path, address, caller, refusal, requestId })
    const { level } = caller.grant ?? {}
    // Proved too little for patient access: §5 has words of its own.
    const outcome =
      refusal.reason === 'token-scope' && (level === 'p0' || level === 'p5') ? outcomes.patientCannot : refusal.outcome
    throw refuse({ ...outcome, headers: refusal.headers }, refusal.explanation, refusal.check)
  }
}

function accessOf(caller: ApiCaller): Access {
  const { application, asid, mode, settings, grant, permission } = caller
  const attributes = attributesOf(settings)
  const app = {
    app: { id: application ?? '', ...(asid === undefined ? {} : { asid }), ...(attributes && { attributes }) },
  }
  switch (mode) {
    case 'user-restricted':
      return { mode, user: userOf(caller), ...deniedBy(permission), ...app }
    case 'patient': {
      const { nhs_number: number, vot } = grant?.identity ?? {}
      return {
        mode,
        patient: {
          nhsNumber: typeof number === 'string' ? number : (grant?.user ?? ''),
          level: (grant?.level ?? '').toUpperCase(),
          ...(typeof vot === 'string' ? { vectorOfTrust: vot } : {}),
        },
        ...app,
      }
    }
    case 'application-restricted':
    case 'privileged-application-restricted':
      return { mode, ...app }
    default:
      throw refuse(outcomes.accessDenied('Invalid Access Token'))
  }
}

/** Roles are those of the time of the call; absent where they cannot be known. */
function userOf({ grant, roles }: ApiCaller): NonNullable<Access['user']> {
  const selected = grant?.identity?.['selected_roleid']
  return {
    id: grant?.user ?? '',
    ...(roles === undefined ? {} : { roles: roles.map(({ id }) => id) }),
    // One that was taken away since is not selected any more.
    ...(typeof selected === 'string' && (roles?.some(({ id }) => id === selected) ?? true)
      ? { selectedRole: selected }
      : {}),
  }
}

const deniedBy = (permission: RequestDecision | undefined): Pick<Access, 'denied'> =>
  permission?.refused === true && !permission.decision.allowed ? { denied: permission.decision.explanation } : {}

/** The attributes of §16 in the settings of an application. */
function attributesOf(settings: ApiCaller['settings']): AppAttributes | undefined {
  if (settings === undefined) return undefined
  const valueAt = (...names: readonly string[]) =>
    names.reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      settings,
    )
  const at = (...names: readonly string[]) => valueAt(...names) === true
  return {
    emptyAddressLines: at('return-empty-address-lines'),
    confidentialRemovalReason: at('return-confidential-reason-for-removal'),
    recordSharingConsent: at('return-nhs-record-sharing-consent'),
    // No name of it is published; the pattern is that of the others.
    ethnicCategory: at('return-ethnic-category'),
    applicationUpdate: at('pds', 'app-restricted', 'update'),
    ...(valueAt('pds', 'source') === 'back-office' ? { source: 'back-office' } : {}),
  }
}
