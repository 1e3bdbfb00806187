/** Requests of the 1.x line as a consumer makes them, correct in everything until a test changes something. */
import type { Base } from '../record/services.ts'
import { interaction, systems } from '../stu3/systems.ts'
import { type Claims, type TestRequest, traceId } from './requests.ts'

type Stu3Base = Exclude<Base, 'html'>

/** ASIDs of the three services that the worked example has of the 1.x line. */
export const testAsids = {
  gpconnect: '200000100011',
  structured: '200000100012',
  documents: '200000100013',
} as const satisfies Record<Stu3Base, string>

/** Paths of their service roots. */
export const testRoots = {
  gpconnect: '/A20047/STU3/1/gpconnect',
  structured: '/A20047/STU3/1/gpconnect/structured',
  documents: '/A20047/STU3/1/gpconnect/documents',
} as const satisfies Record<Stu3Base, string>

/** Claims as a consumer of 1.x sends them (§3.2). */
export function stu3Claims(options: {
  readonly now: number
  readonly scope: string
  readonly base?: Stu3Base
}): Claims {
  const iat = Math.floor(options.now / 1000)
  return {
    iss: 'https://consumer.example.test/',
    sub: 'u-17',
    aud: `https://gp.example.test${testRoots[options.base ?? 'gpconnect']}`,
    exp: iat + 300,
    iat,
    reason_for_request: 'directcare',
    requested_scope: options.scope,
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
      model: 'Consumer',
      version: '5.3.0',
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: systems.odsOrganisation, value: 'X26' }],
      name: 'Invented Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [
        { system: systems.sdsUserId, value: '555000000901' },
        { system: systems.sdsRoleProfileId, value: '555000000911' },
        { system: 'https://consumer.example.test/Id/user', value: '98ed1a6c' },
      ],
      name: [{ family: 'Fixture', given: ['Claire'], prefix: ['Dr'] }],
    },
  }
}

/**
 * One request at a base of the worked example.
 *
 * @example
 * stu3Request({ now, interaction: 'fhir:rest:read:patient-1', target: '/Patient/p-609' })
 */
export function stu3Request(options: {
  readonly now: number
  /** `gpconnect` when nothing else is said. */
  readonly base?: Stu3Base
  /** What follows `urn:nhs:names:services:gpconnect:`. */
  readonly interaction: string
  readonly method?: 'GET' | 'POST' | 'PUT'
  /** Below the service root, with the query. */
  readonly target: string
  /** `patient/*.read` when nothing else is said. */
  readonly scope?: string
  /** A resource, or the text of one. */
  readonly body?: object | string
  readonly contentType?: string
  readonly accept?: string
}): TestRequest {
  const { now, base = 'gpconnect', body, scope = 'patient/*.read' } = options
  return {
    method: options.method ?? 'GET',
    target: `${testRoots[base]}${options.target}`,
    headers: {
      'Ssp-TraceID': traceId,
      'Ssp-From': '200000100000',
      'Ssp-To': testAsids[base],
      'Ssp-InteractionID': interaction(options.interaction),
      'Content-Type': body === undefined ? undefined : (options.contentType ?? 'application/fhir+json'),
      Accept: options.accept ?? 'application/fhir+json',
    },
    claims: stu3Claims({ now, scope, base }),
    body: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body),
  }
}
