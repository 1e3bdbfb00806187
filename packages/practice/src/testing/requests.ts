/** Requests as a secure proxy passes them on: right in everything, until a test changes something. */
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { interactions } from '../dstu2/systems.ts'
import type { ReceivedRequest } from '../sheet.ts'

export const testAsid = '200000100001'
export const proxyFqdn = 'proxy.openspine.test'
export const traceId = '09a01679-2564-0fb4-5129-aecc81ea2706'

export type Claims = Record<string, unknown>

/** Claims as a consumer of 0.x sends them. */
export function tokenClaims(options: {
  readonly now: number
  readonly nhsNumber?: string
  readonly metadata?: boolean
}): Claims {
  const iat = Math.floor(options.now / 1000)
  return {
    iss: 'https://consumer.example.test/',
    sub: '1',
    aud: 'https://authorize.fhir.nhs.net/token',
    exp: iat + 300,
    iat,
    reason_for_request: 'directcare',
    requested_scope: options.metadata ? 'organization/*.read' : 'patient/*.read',
    requested_record: options.metadata
      ? {
          resourceType: 'Organization',
          identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'A20047' }],
        }
      : {
          resourceType: 'Patient',
          identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: options.nhsNumber ?? '9990548609' }],
        },
    requesting_device: {
      resourceType: 'Device',
      id: '1',
      identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
      model: 'Consumer',
      version: '5.3.0',
    },
    requesting_organization: {
      resourceType: 'Organization',
      id: '1',
      identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'X26' }],
      name: 'Invented Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: '1',
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

export interface TestRequest {
  method: string
  target: string
  headers: Record<string, string | undefined>
  claims: Claims
  /** In place of the claims: the whole value of Authorization. */
  authorization?: string
  body: string
}

export function careRecordParameters(
  nhsNumber: string,
  section: string,
  period?: { readonly start?: string; readonly end?: string },
) {
  return {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'patientNHSNumber',
        valueIdentifier: { system: 'http://fhir.nhs.net/Id/nhs-number', value: nhsNumber },
      },
      {
        name: 'recordSection',
        valueCodeableConcept: {
          coding: [{ system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1', code: section }],
        },
      },
      ...(period === undefined ? [] : [{ name: 'timePeriod', valuePeriod: period }]),
    ] as Record<string, unknown>[],
  }
}

export function careRecordRequest(options: {
  readonly now: number
  readonly nhsNumber?: string
  readonly section?: string
}): TestRequest {
  const { now, nhsNumber = '9990548609', section = 'SUM' } = options
  return {
    method: 'POST',
    target: '/A20047/DSTU2/1/Patient/$gpc.getcarerecord',
    headers: {
      'Ssp-TraceID': traceId,
      'Ssp-From': '200000100000',
      'Ssp-To': testAsid,
      'Ssp-InteractionID': interactions.getCareRecord,
      'Content-Type': 'application/json+fhir',
      Accept: 'application/json+fhir',
    },
    claims: tokenClaims({ now, nhsNumber }),
    body: JSON.stringify(careRecordParameters(nhsNumber, section)),
  }
}

export function metadataRequest(options: { readonly now: number }): TestRequest {
  return {
    method: 'GET',
    target: '/A20047/DSTU2/1/metadata',
    headers: {
      'Ssp-TraceID': traceId,
      'Ssp-From': '200000100000',
      'Ssp-To': testAsid,
      'Ssp-InteractionID': interactions.metadata,
      Accept: 'application/json+fhir',
    },
    claims: tokenClaims({ now: options.now, metadata: true }),
    body: '',
  }
}

/** The headers that go out, the token among them; those set to undefined left out. */
export function headersToSend({ headers, claims, authorization }: TestRequest): [string, string][] {
  const all = { ...headers, Authorization: authorization ?? `Bearer ${writeUnsecuredToken(claims)}` }
  return Object.entries('Authorization' in headers ? { ...all, Authorization: headers['Authorization'] } : all).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]),
  )
}

export const proxyPeer: ReceivedRequest['peer'] = {
  state: 'valid',
  fqdn: proxyFqdn,
  names: [proxyFqdn],
  serial: '0A',
  issuer: 'CN=Test CA',
  notBefore: 0,
  notAfter: 8_640_000_000_000_000,
  authority: '',
  authoritySerial: '01',
}

export function received(request: TestRequest, at: number, peer = proxyPeer): ReceivedRequest {
  return {
    method: request.method,
    target: request.target,
    headers: new Map(headersToSend(request).map(([name, value]) => [name.toLowerCase(), value])),
    peer,
    at,
  }
}
