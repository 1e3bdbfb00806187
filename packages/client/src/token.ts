import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { namingSystem } from '@openspine/standards/nhs'
import type { ClientSettings, Practitioner } from './settings.ts'

const ids = namingSystem.dstu2

/** What the token says that is not in the settings. */
export interface TokenSubject {
  readonly practitioner: Practitioner
  /** Exactly one: the patient for a care record, the organisation for its capabilities. */
  readonly patient?: string
  readonly organisation?: string
  readonly scope: 'patient/*.read' | 'organization/*.read'
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

/**
 * The cross-organisation audit and provenance token of GP Connect 0.x: unsecured, five minutes, every
 * claim. One for each request. Source: GP Connect 0.7.4, "Cross organisation audit and provenance".
 */
export function gpConnectToken(
  settings: Required<Pick<ClientSettings, 'organisation' | 'system'>>,
  subject: TokenSubject,
): string {
  const { organisation, system } = settings
  const { practitioner } = subject
  return writeUnsecuredToken({
    iss: system.url,
    sub: practitioner.id,
    aud: 'https://authorize.fhir.nhs.net/token',
    exp: subject.issuedAt + 300,
    iat: subject.issuedAt,
    reason_for_request: 'directcare',
    requested_scope: subject.scope,
    requesting_device: {
      resourceType: 'Device',
      id: system.deviceId,
      identifier: [{ system: `${system.url.replace(/\/$/, '')}/Id/device`, value: system.deviceId }],
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
        { system: ids.sdsUserId, value: practitioner.sdsUserId ?? 'UNK' },
        { system: `${system.url.replace(/\/$/, '')}/Id/local-user`, value: practitioner.id },
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
              { system: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1', code: practitioner.jobRole ?? 'UNK' },
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
  })
}
