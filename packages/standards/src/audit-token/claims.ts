/** Claims read without trust in their shape: a token is written by a stranger. */
import { namingSystem } from '../nhs/nhs.ts'

export type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

/** The object under that name; an empty one where there is none. */
export function objectAt(parent: Json, member: string): Json {
  const value = parent[member]
  return isObject(value) ? value : {}
}

/** The objects of the list under that name. */
export function objectsAt(parent: Json, member: string): readonly Json[] {
  const value = parent[member]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** What stands at that path; undefined where there is nothing. */
export function lookAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, member) => (isObject(inner) ? inner[member] : undefined), value)
}

/** Whole seconds since the epoch; undefined for anything else. */
export function secondsAt(claims: Json, claim: string): number | undefined {
  const value = claims[claim]
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

/** Value of the first identifier of that system, when it has one. */
export function identifierOf(resource: Json, system: string): string | undefined {
  const value = objectsAt(resource, 'identifier').find((it) => it['system'] === system)?.['value']
  return isText(value) ? value : undefined
}

/** What a 0.x token is about: a patient's record, or an organisation's capabilities. */
export type RecordType = 'Patient' | 'Organization'

/** NHS number or ODS code that a 0.x token says is asked for. Later tokens do not say. */
export function requestedRecord(claims: Json, type: RecordType): string | undefined {
  const { nhsNumber, odsOrganisation } = namingSystem.dstu2
  return identifierOf(objectAt(claims, 'requested_record'), type === 'Patient' ? nhsNumber : odsOrganisation)
}

/** ODS code of the organisation that asks, in whichever variant. */
export function requestingOrganisation(claims: Json): string | undefined {
  const organisation = claims['requesting_organization']
  if (typeof organisation === 'string') {
    const prefix = `${namingSystem.fhirNhsUk.odsOrganisation}|`
    return organisation.startsWith(prefix) && organisation.length > prefix.length
      ? organisation.slice(prefix.length)
      : undefined
  }
  const resource = objectAt(claims, 'requesting_organization')
  return (
    identifierOf(resource, namingSystem.fhirNhsUk.odsOrganisation) ??
    identifierOf(resource, namingSystem.dstu2.odsOrganisation)
  )
}

/**
 * The claims that an audit keeps (§2.11), of every variant: who asked, where, with what, why and for whom. What the
 * token does not say is absent. The size is bounded only by that of the token.
 */
export function auditedClaims(claims: Json): Json {
  const device = objectAt(claims, 'requesting_device')
  const organisation = claims['requesting_organization']
  const practitioner = objectAt(claims, 'requesting_practitioner')
  const kept = {
    iss: claims['iss'],
    sub: claims['sub'],
    aud: claims['aud'],
    iat: claims['iat'],
    exp: claims['exp'],
    reasonForRequest: claims['reason_for_request'],
    scope: claims['requested_scope'] ?? claims['scope'],
    device: { identifier: device['identifier'], model: device['model'], version: device['version'] },
    organisation: isObject(organisation)
      ? { identifier: organisation['identifier'], name: organisation['name'] }
      : organisation,
    practitioner: {
      id: practitioner['id'],
      identifier: practitioner['identifier'],
      name: practitioner['name'],
      role: practitioner['practitionerRole'],
    },
    requestedRecord: objectAt(claims, 'requested_record')['identifier'],
    system: claims['requesting_system'],
    user: claims['requesting_user'],
    patient: claims['requesting_patient'],
  }
  return JSON.parse(JSON.stringify(kept))
}
