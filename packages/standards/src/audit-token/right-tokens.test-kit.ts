/** Tokens that are right in everything, one for each variant, until a test changes something. */
import type { TokenSubject, TokenVariant } from './rule.ts'

export const now = 1_700_000_000
export const endpoint = 'https://gp.example.test/A20047/STU3/1/gpconnect'

export type Claims = Record<string, unknown>

const times = () => ({ exp: now + 300, iat: now })

function dstu2Claims(): Claims {
  return {
    iss: 'https://consumer.example.test/',
    sub: 'u-17',
    aud: 'https://authorize.fhir.nhs.net/token',
    ...times(),
    reason_for_request: 'directcare',
    requested_scope: 'patient/*.read',
    requested_record: {
      resourceType: 'Patient',
      identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548609' }],
    },
    requesting_device: {
      resourceType: 'Device',
      id: 'D-4',
      identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
      model: 'Consumer',
      version: '5.3.0',
    },
    requesting_organization: {
      resourceType: 'Organization',
      id: 'X26',
      identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'X26' }],
      name: 'Invented Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [
        { system: 'http://fhir.nhs.net/sds-user-id', value: '555000000901' },
        { system: 'https://consumer.example.test/Id/user', value: 'u-17' },
      ],
      name: { family: ['Fixture'], given: ['Claire'], prefix: ['Dr'] },
      practitionerRole: [
        { role: { coding: [{ system: 'http://fhir.nhs.net/ValueSet/sds-job-role-name-1', code: 'R0260' }] } },
      ],
    },
  }
}

function stu3Claims(): Claims {
  return {
    iss: 'https://consumer.example.test/',
    sub: 'u-17',
    aud: endpoint,
    ...times(),
    reason_for_request: 'directcare',
    requested_scope: 'patient/*.read',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
      model: 'Consumer',
      version: '5.3.0',
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
      name: 'Invented Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '555000000901' },
        { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000902' },
        { system: 'https://consumer.example.test/Id/user-guid', value: 'u-17' },
      ],
      name: [{ family: 'Fixture', given: ['Claire'], prefix: ['Dr'] }],
    },
  }
}

function spineClaims(): Claims {
  return {
    iss: 'https://consumer.example.test/',
    sub: 'https://fhir.nhs.uk/Id/sds-role-profile-id|555000000902',
    aud: 'https://provider.example.test/documents/1',
    ...times(),
    reason_for_request: 'directcare',
    scope: 'patient/*.read',
    requesting_system: 'https://fhir.nhs.uk/Id/accredited-system|200000100000',
    requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|X26',
    requesting_user: 'https://fhir.nhs.uk/Id/sds-role-profile-id|555000000902',
  }
}

function visitorsClaims(): Claims {
  const { requested_scope: _, requesting_practitioner: __, ...claims } = stu3Claims()
  return {
    ...claims,
    sub: '555000000902',
    aud: 'https://authorize.fhir.nhs.uk/token',
    requested_scopes: 'patient/Observation.read',
    requesting_practitioner: {
      resourceType: 'Practitioner',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000902' }],
    },
    requested_record: {
      resourceType: 'Patient',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' }],
    },
  }
}

export function rightClaims(variant: TokenVariant): Claims {
  if (variant === 'gpconnect-0') return dstu2Claims()
  if (variant === 'gpconnect-1.2') return stu3Claims()
  if (variant === 'gpconnect-1.6')
    return { ...stu3Claims(), reason_for_request: 'migration', requested_scope: 'patient/*.read conf/R' }
  if (variant === 'visitors') return visitorsClaims()
  return spineClaims()
}

export function rightSubject(variant: TokenVariant): TokenSubject & { claims: Claims } {
  return { header: { alg: 'none', typ: 'JWT' }, claims: rightClaims(variant), signed: false, now }
}
