import type { TokenScope } from '@openspine/standards/audit-token'
import { SpineError } from '@openspine/standards/error'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { namingSystem } from '@openspine/standards/nhs'
import type { ClientSettings, Practitioner } from './settings.ts'

/** What the token says that is not in the settings. */
export interface TokenSubject {
  readonly practitioner: Practitioner
  /** Which line of GP Connect: `dstu2` for 0.x (the default), `stu3` for 1.x. */
  readonly generation?: 'dstu2' | 'stu3'
  /** Service root of the provider, as the directory has it; 1.x cannot do without. 0.x has one fixed audience. */
  readonly audience?: string
  /** 0.x, exactly one: the patient for a care record, the organisation for its capabilities. 1.x does not say. */
  readonly patient?: string
  readonly organisation?: string
  readonly scope: TokenScope
  /** 1.6: `R` asks for what is sensitive as well. */
  readonly confidentiality?: 'N' | 'R'
  /** `migration` from 1.6 on; default `directcare`. */
  readonly reason?: 'directcare' | 'migration'
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

type Own = Required<Pick<ClientSettings, 'organisation' | 'system'>>
type Claims = Readonly<Record<string, unknown>>

/** No smartcard, no role profile: the published tests accept this value. */
const unknown = 'UNK'
const lifeSeconds = 300

/** A naming system of the consumer's own. */
function ownSystem({ system }: Own, name: string): string {
  return `${system.url.replace(/\/$/, '')}/Id/${name}`
}

function times(issuedAt: number) {
  return { exp: issuedAt + lifeSeconds, iat: issuedAt }
}

/** 0.x. Source: GP Connect 0.7.4, "Cross organisation audit and provenance". */
function dstu2Claims(own: Own, subject: TokenSubject): Claims {
  const { organisation, system } = own
  const { practitioner } = subject
  const ids = namingSystem.dstu2
  return {
    iss: system.url,
    sub: practitioner.id,
    aud: 'https://authorize.fhir.nhs.net/token',
    ...times(subject.issuedAt),
    reason_for_request: 'directcare',
    requested_scope: subject.scope,
    requesting_device: {
      resourceType: 'Device',
      id: system.deviceId,
      identifier: [{ system: ownSystem(own, 'device'), value: system.deviceId }],
      model: system.model,
      version: system.version,
    },
    requesting_organization: {
      resourceType: 'Organization',
      id: organisation.odsCode,
      identifier: [{ system: ids.odsOrganisation, value: organisation.odsCode }],
      name: organisation.name,
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: practitioner.id,
      identifier: [
        { system: ids.sdsUserId, value: practitioner.sdsUserId ?? unknown },
        { system: ownSystem(own, 'local-user'), value: practitioner.id },
      ],
      name: {
        family: [practitioner.family],
        ...(practitioner.given === undefined ? {} : { given: [practitioner.given] }),
        ...(practitioner.prefix === undefined ? {} : { prefix: [practitioner.prefix] }),
      },
      practitionerRole: [
        {
          role: {
            coding: [
              { system: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1', code: practitioner.jobRole ?? unknown },
            ],
          },
        },
      ],
    },
    requested_record:
      subject.patient === undefined
        ? {
            resourceType: 'Organization',
            identifier: [{ system: ids.odsOrganisation, value: subject.organisation ?? organisation.odsCode }],
          }
        : { resourceType: 'Patient', identifier: [{ system: ids.nhsNumber, value: subject.patient }] },
  }
}

/** 1.x. Source: GP Connect 1.6, "Cross organisation audit and provenance". */
function stu3Claims(own: Own, subject: TokenSubject): Claims {
  const { organisation, system } = own
  const { practitioner, audience } = subject
  const ids = namingSystem.fhirNhsUk
  if (audience === undefined || audience === '')
    throw new SpineError(
      'CLIENT_SETTING_MISSING',
      { setting: 'audience' },
      { explanation: 'A token of GP Connect 1.x needs the service root of the provider as its audience.' },
    )
  return {
    iss: system.url,
    sub: practitioner.id,
    aud: audience.replace(/\/$/, ''),
    ...times(subject.issuedAt),
    reason_for_request: subject.reason ?? 'directcare',
    requested_scope:
      subject.confidentiality === undefined ? subject.scope : `${subject.scope} conf/${subject.confidentiality}`,
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: ownSystem(own, 'device'), value: system.deviceId }],
      model: system.model,
      version: system.version,
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: ids.odsOrganisation, value: organisation.odsCode }],
      name: organisation.name,
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: practitioner.id,
      identifier: [
        { system: ids.sdsUserId, value: practitioner.sdsUserId ?? unknown },
        { system: ids.sdsRoleProfileId, value: practitioner.sdsRoleProfileId ?? unknown },
        { system: ownSystem(own, 'local-user'), value: practitioner.id },
      ],
      name: [
        {
          family: practitioner.family,
          ...(practitioner.given === undefined ? {} : { given: [practitioner.given] }),
          ...(practitioner.prefix === undefined ? {} : { prefix: [practitioner.prefix] }),
        },
      ],
    },
  }
}

/**
 * The cross-organisation audit and provenance token of GP Connect, of either line: unsecured, five minutes, every
 * claim. One for each request.
 *
 * @throws SpineError CLIENT_SETTING_MISSING for 1.x without an audience
 * @example
 * gpConnectToken(own, { generation: 'stu3', audience: endpoint, practitioner, scope: 'patient/*.read', issuedAt })
 */
export function gpConnectToken(settings: Own, subject: TokenSubject): string {
  return writeUnsecuredToken(
    subject.generation === 'stu3' ? stu3Claims(settings, subject) : dstu2Claims(settings, subject),
  )
}

/** What the token of the Spine's other FHIR services says that is not in the settings. */
export interface SpineTokenSubject {
  /** Role profile id (URPID) of the user; without one the system asks for itself. */
  readonly roleProfileId?: string
  /** URL of the endpoint that is called. */
  readonly audience: string
  readonly scope: TokenScope
  readonly reason?: 'directcare' | 'secondaryuses' | 'patientaccess'
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

/**
 * The token of the Spine's other FHIR services, the record locator among them (which wants a user). Source: FHIR Spine
 * Core, "JSON Web Token".
 */
export function spineToken(
  settings: Required<Pick<ClientSettings, 'asid' | 'organisation' | 'system'>>,
  { roleProfileId, audience, scope, reason = 'directcare', issuedAt }: SpineTokenSubject,
): string {
  const ids = namingSystem.fhirNhsUk
  const system = `${ids.accreditedSystem}|${settings.asid}`
  const user = roleProfileId === undefined ? undefined : `${ids.sdsRoleProfileId}|${roleProfileId}`
  return writeUnsecuredToken({
    iss: settings.system.url,
    sub: user ?? system,
    aud: audience,
    ...times(issuedAt),
    reason_for_request: reason,
    scope,
    requesting_system: system,
    requesting_organization: `${ids.odsOrganisation}|${settings.organisation.odsCode}`,
    ...(user === undefined ? {} : { requesting_user: user }),
  })
}
