import { errors } from 'oidc-provider'
import type { SignInConfig } from './config.ts'
import type { Worker, WorkerRole, Workers } from './contract.ts'
import type { IssuerKind } from './issuer.ts'
import { halfHash } from './jwt.ts'
import { acrAsked, acrMet, acrValues, authenticators } from './levels.ts'

/** Scope → claims (§3.3). */
const claims = {
  openid: ['sub'],
  profile: ['name', 'family_name', 'given_name', 'uid'],
  email: ['email'],
  nhsperson: [
    'nhsid_useruid',
    'title',
    'idassurancelevel',
    'initials',
    'middle_names',
    'display_name',
    'name',
    'family_name',
    'given_name',
  ],
  associatedorgs: ['nhsid_user_orgs'],
  nationalrbacaccess: ['nhsid_nrbac_roles', 'nhsid_useruid'],
  professionalmemberships: ['gmc_id', 'gmp_id', 'nmc_id', 'gphc_id', 'gdc_id', 'gdp_id', 'rcn_id', 'consultant_id'],
  organisationalmemberships: ['nhsid_org_memberships', 'nhsid_org_roles'],
  selectedrole: [],
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

export const asksForRole = (parameters: Readonly<Record<string, unknown>>) =>
  (text(parameters['scope']) ?? '').split(' ').includes('selectedrole')

/** The provider for staff, as CIS2 describes it (§3). */
export function cis2(needs: { readonly config: SignInConfig; readonly workers: Workers }): IssuerKind {
  const { config, workers } = needs
  return {
    name: 'cis2',
    routes: {
      authorization: '/authorize',
      token: '/access_token',
      userinfo: '/userinfo',
      jwks: '/connect/jwk_uri',
      endSession: '/connect/endSession',
    },
    scopes: Object.keys(claims),
    claims,
    acrValues: Object.keys(acrValues),
    idTokenAlgorithms: ['RS256', 'RS512'],
    assertionAlgorithms: ['RS256', 'RS512'],
    secrets: true,
    extraParameters: [],
    loginRequired: 'login_required',
    seconds: {
      code: 120,
      accessToken: 3599,
      refreshToken: config.staffHours * 3600,
      idle: config.staffIdleMinutes * 60,
      absolute: config.staffHours * 3600,
    },
    judge(parameters) {
      if (text(parameters['state']) === undefined) throw new errors.InvalidRequest("missing required parameter 'state'")
      const scopes = (text(parameters['scope']) ?? '').split(' ')
      if (!scopes.includes('openid')) throw new errors.InvalidScope('openid scope must be requested', 'openid')
      if (acrAsked(text(parameters['acr_values'])) === undefined)
        throw new errors.InvalidRequest('unsupported acr_values')
    },
    met(parameters, signOn) {
      // A role is chosen for one sign-on of one client: its choice is part of signing in.
      if (asksForRole(parameters) && parameters['signed in now'] !== true) return undefined
      return acrMet(acrAsked(text(parameters['acr_values'])) ?? [], signOn)
    },
    async account(subject) {
      const worker = await workers.find(subject)
      return worker === undefined ? undefined : workerClaims(worker)
    },
    idToken({ subject, clientId, facts, algorithm, authTime, nonce, accessToken, code, amr }) {
      const aal = authenticators.find(({ value }) => value === facts.signOn)?.aal ?? 1
      return present({
        at_hash: accessToken === undefined ? undefined : halfHash(accessToken, algorithm),
        auditTrackingId: crypto.randomUUID(),
        amr: [...amr],
        tokenName: 'id_token',
        sid: facts.sid,
        id_assurance_level: '3',
        idassurancelevel: '3',
        acr: facts.acr,
        azp: clientId,
        selected_roleid: facts.selectedRole,
        auth_time: authTime,
        authentication_assurance_level: String(aal),
        subname: subject,
        nonce,
        c_hash: code === undefined ? undefined : halfHash(code, algorithm),
        s_hash: facts.state === undefined ? undefined : halfHash(facts.state, algorithm),
        realm: config.cis2Realm,
        tokenType: 'JWTToken',
        'org.forgerock.openidconnect.ops': digestText(facts.sid),
      })
    },
    accessToken({ now, scope, jti, lifetime, facts }) {
      return present({
        cts: 'OAUTH2_STATELESS_GRANT',
        auditTrackingId: crypto.randomUUID(),
        tokenName: 'access_token',
        token_type: 'Bearer',
        authGrantId: digestText(facts.sid),
        nbf: now,
        grant_type: 'authorization_code',
        scope: scope.split(' '),
        realm: config.cis2Realm,
        expires_in: lifetime,
        jti,
      })
    },
    answer(ctx) {
      const { oidc, body } = ctx
      if (oidc.route === 'discovery')
        ctx.body = {
          ...(body as object),
          end_session_endpoint: `${oidc.issuer}/connect/endSession`,
          backchannel_logout_supported: true,
          backchannel_logout_session_supported: true,
        }
      const given = body as { error?: string } | undefined
      if (oidc.route === 'token' && ctx.status === 401 && given?.error === 'invalid_client') {
        // No more is said nationally; the log has the reason (§3.1).
        const assertion = oidc.params?.['client_assertion'] !== undefined
        const description = assertion ? 'JWT is not valid' : 'Client authentication failed'
        ctx.body = { error_description: description, error: 'invalid_client' }
      }
    },
  }
}

/** A value of the session that tells nothing of it. */
const digestText = (sid: string) => Buffer.from(sid).toString('base64url').slice(0, 27)

/** What is absent is left out: never null, never empty (§3.3). */
export function present(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(claims).filter(
      ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  )
}

export function workerClaims(worker: Worker): Readonly<Record<string, unknown>> {
  const { uid, familyName, givenName, middleNames, initials, title, displayName, email, memberships = {} } = worker
  const organisations = new Map(worker.roles.map((role) => [role.odsCode, role]))
  const name = [familyName.toUpperCase(), givenName, title].filter(Boolean).join(' ')
  return present({
    ...memberships,
    uid,
    nhsid_useruid: uid,
    name,
    family_name: familyName,
    given_name: givenName,
    middle_names: middleNames,
    initials,
    title,
    display_name: displayName ?? name,
    idassurancelevel: '3',
    email,
    nhsid_user_orgs: [...organisations.values()].map(({ organisation, odsCode }) =>
      present({ org_name: organisation, org_code: odsCode }),
    ),
    nhsid_nrbac_roles: worker.roles.map(roleClaims),
    nhsid_org_memberships: [...organisations.values()].map(membership),
    nhsid_org_roles: [...organisations.values()].map(membership),
  })
}

const membership = ({ orgPersonId, organisation, odsCode }: WorkerRole) =>
  present({ person_orgid: orgPersonId, org_name: organisation, org_code: odsCode })

const roleClaims = (role: WorkerRole) =>
  present({
    person_orgid: role.orgPersonId,
    person_roleid: role.roleId,
    org_code: role.odsCode,
    role_name: role.roleName,
    role_code: role.roleCode,
    activities: role.activities,
    activity_codes: role.activityCodes,
    workgroups: role.workgroups,
    workgroups_codes: role.workgroupCodes,
    aow: role.areasOfWork,
    aow_codes: role.areaOfWorkCodes,
  })
