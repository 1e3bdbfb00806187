import { errors } from 'oidc-provider'
import { present } from './cis2.ts'
import type { ClientMetadata } from './client-metadata.ts'
import type { SignInConfig } from './config.ts'
import type { Patient, Patients } from './contract.ts'
import type { IssuerKind } from './issuer.ts'
import { vectorMet, vtrAsked } from './levels.ts'
import { digestOf } from './records.ts'
import type { SignInStore } from './store.ts'

/** Scope → claims (§4.2). */
const claims = {
  openid: ['sub'],
  profile: ['nhs_number', 'birthdate', 'family_name', 'identity_proofing_level'],
  basic_demographics: ['birthdate', 'family_name', 'identity_proofing_level'],
  profile_extended: ['given_name'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified', 'phone_number_pds_matched'],
  landline: [],
  gp_registration_details: ['gp_registration_details'],
  gp_integration_credentials: [],
  client_metadata: ['client_user_metadata'],
}

/** Parameters that OpenID Connect knows and NHS login does not support (§4.1). */
/** Not supported (§4.1), so passed over: the national platform itself sends max_age (§2.3). */
const passedOver = ['max_age', 'ui_locales', 'id_token_hint', 'login_hint', 'acr_values', 'response_mode']

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** A stable name of a patient that is not the NHS number. */
export const subjectOf = (nhsNumber: string) => {
  const digest = Buffer.from(digestOf(`nhs-login ${nhsNumber}`), 'base64url').toString('hex')
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => digest.slice(from, to))
    .join('-')
}

/** Whose subject it is, of those who have signed in. */
export const patientBySubject =
  ({ rows, patients }: { readonly rows: SignInStore; readonly patients: Patients }) =>
  async (subject: string): Promise<Patient | undefined> => {
    const record = await rows.find({ issuer: 'nhs-login', model: 'Account', id: digestOf(subject) })
    const nhsNumber = record?.payload['nhsNumber']
    return typeof nhsNumber === 'string' ? patients.find(nhsNumber) : undefined
  }

/** The provider for patients, as the interface specification of NHS login describes it (§4). */
export function nhsLogin(needs: {
  readonly config: SignInConfig
  readonly patients: Patients
  readonly rows: SignInStore
  readonly metadata: ClientMetadata
  readonly issuer: string
}): IssuerKind {
  const { config, patients, rows, metadata, issuer } = needs
  // Where the meaning of the vectors is told.
  const vtm = `${issuer}/trustmark/${new URL(issuer).host}`

  const patientOf = patientBySubject({ rows, patients })

  return {
    name: 'nhs-login',
    routes: {
      authorization: '/authorize',
      token: '/token',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
    },
    scopes: Object.keys(claims),
    claims,
    idTokenAlgorithms: ['RS512'],
    assertionAlgorithms: config.nhsLoginAssertions,
    secrets: false,
    extraParameters: ['vtr', 'asserted_login_identity', 'allow_registration', 'fido_auth_response'],
    loginRequired: 'sso_login_required',
    seconds: {
      code: 600,
      accessToken: 300,
      refreshToken: 30 * 86_400,
      idle: config.patientIdleMinutes * 60,
      absolute: config.patientHours * 3600,
    },
    passedOver,
    judge(parameters) {
      for (const name of ['state', 'nonce'])
        if (text(parameters[name]) === undefined)
          throw new errors.InvalidRequest(`missing required parameter '${name}'`)
      const scopes = (text(parameters['scope']) ?? '').split(' ')
      if (!scopes.includes('openid')) throw new errors.InvalidScope('openid scope must be requested', 'openid')
      if (scopes.includes('profile') && scopes.includes('basic_demographics'))
        throw new errors.InvalidScope('profile and basic_demographics exclude each other', 'basic_demographics')
      if (vtrAsked(text(parameters['vtr'])) === undefined) throw new errors.InvalidRequest("invalid 'vtr' parameter")
    },
    met: (parameters, signOn) => vectorMet(vtrAsked(text(parameters['vtr'])) ?? [], signOn),
    async account(subject, facts, clientId) {
      const patient = await patientOf(subject)
      if (patient === undefined) return undefined
      const kept = clientId === undefined ? undefined : await metadata.of(clientId, subject)
      const proofing = facts?.signOn.split('.')[0] ?? 'P0'
      const verified = proofing !== 'P0'
      const { nhsNumber, familyName, givenName, birthDate, email, phone, gpOdsCode } = patient
      return present({
        identity_proofing_level: proofing,
        birthdate: birthDate,
        ...(kept === undefined ? {} : { client_user_metadata: kept }),
        ...(email === undefined ? {} : { email, email_verified: true }),
        ...(phone === undefined
          ? {}
          : { phone_number: phone, phone_number_verified: true, phone_number_pds_matched: verified }),
        ...(verified
          ? {
              nhs_number: nhsNumber,
              family_name: familyName,
              given_name: givenName,
              ...(gpOdsCode === undefined ? {} : { gp_registration_details: { gp_ods_code: gpOdsCode } }),
            }
          : {}),
      })
    },
    idToken({ facts, authTime, nonce, scope }, account) {
      const scopes = scope.split(' ')
      const names = scopes.includes('profile') || scopes.includes('basic_demographics')
      return present({
        jti: crypto.randomUUID(),
        auth_time: authTime,
        nonce,
        vot: facts.acr,
        vtm,
        identity_proofing_level: account['identity_proofing_level'],
        ...(names ? { family_name: account['family_name'], birthdate: account['birthdate'] } : {}),
        ...(scopes.includes('profile') ? { nhs_number: account['nhs_number'] } : {}),
      })
    },
    accessToken({ clientId, facts, scope, jti }, account) {
      const number = text(account['nhs_number'])
      const shown = scope.split(' ').includes('profile') && number !== undefined
      return present({
        aud: clientId,
        jti,
        scope,
        vot: facts.acr,
        vtm,
        reason_for_request: 'patientaccess',
        ...(shown ? { nhs_number: number, requesting_patient: `http://fhir.nhs.net/Id/nhs-number|${number}` } : {}),
      })
    },
    answer(ctx) {
      const { oidc, body } = ctx
      if (typeof body !== 'object' || body === null || Buffer.isBuffer(body)) return
      const given = body as Record<string, unknown>
      if (oidc.route === 'token') {
        if (ctx.status === 200) {
          const { id_token, ...rest } = given
          const first = oidc.params?.['grant_type'] === 'authorization_code'
          ctx.body = { ...rest, token_type: 'bearer', ...(first ? { id_token } : {}) }
        } else if (ctx.status === 401) {
          // Every refusal of the token endpoint is a 400 (§4.3).
          ctx.status = 400
          ctx.body = given
          ctx.remove('www-authenticate')
        }
      } else if (oidc.route === 'userinfo' && ctx.status === 200)
        ctx.body = { iss: oidc.issuer, aud: oidc.client?.clientId, ...given }
    },
  }
}
