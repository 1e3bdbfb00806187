/**
 * Identifiers of the national services: NHS number, ODS code, ASID, party key, CPA id, interaction id,
 * and the naming systems under which they travel. Pure checks; nothing is looked up.
 */

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Ten digits whose last is the modulus-11 check digit. */
export type NhsNumber = Branded<'NhsNumber'>
/** Organisation or site code of the Organisation Data Service. */
export type OdsCode = Branded<'OdsCode'>
/** Accredited system id: one system deployed at one organisation. */
export type Asid = Branded<'Asid'>
/** `<ODS code>-<digits>`: one message handling system. */
export type PartyKey = Branded<'PartyKey'>
/** `<service name>:<interaction>`, for example `urn:nhs:names:services:pds:QUPA_IN000008UK02`. */
export type InteractionId = Branded<'InteractionId'>

/**
 * The check digit for nine digits (weights 10 to 2, eleven minus the remainder of eleven, eleven becomes
 * zero); undefined where it would be ten, because such a number is never issued.
 *
 * @example
 * nhsNumberCheckDigit('999054860') // 9
 */
export function nhsNumberCheckDigit(nineDigits: string): number | undefined {
  let sum = 0
  for (let i = 0; i < 9; i++) sum += (nineDigits.charCodeAt(i) - 48) * (10 - i)
  const digit = 11 - (sum % 11)
  return digit === 11 ? 0 : digit === 10 ? undefined : digit
}

/** Exactly ten digits with a right check digit. White space is not tolerated on the wire. */
export function isNhsNumber(value: unknown): value is NhsNumber {
  return typeof value === 'string' && /^\d{10}$/.test(value) && nhsNumberCheckDigit(value) === value.charCodeAt(9) - 48
}

/** `9990548609` → `999 054 8609`, as people read it. */
export function formatNhsNumber(nhsNumber: string): string {
  return `${nhsNumber.slice(0, 3)} ${nhsNumber.slice(3, 6)} ${nhsNumber.slice(6)}`
}

/** One to nine letters and digits; written in upper case in practice, and compared so by the services. */
export function isOdsCode(value: unknown): value is OdsCode {
  return typeof value === 'string' && /^[A-Za-z0-9]{1,9}$/.test(value)
}

/** Twelve decimal digits; leading zeros count. */
export function isAsid(value: unknown): value is Asid {
  return typeof value === 'string' && /^\d{12}$/.test(value)
}

/** As imported records have them: five to nine digits after the ODS code (new ones have six). */
export function isPartyKey(value: unknown): value is PartyKey {
  return typeof value === 'string' && /^[A-Za-z0-9]{1,9}-\d{5,9}$/.test(value)
}

/**
 * Contract (CPA) id: opaque. Letters, digits, `-`, `:` and `_`; and the dot, because the newest scheme is
 * `<party key>:<interaction id>` and interactions such as `gpc.getcarerecord` hold one.
 */
export function isCpaId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9\-:_.]{1,255}$/.test(value)
}

/** A service-interaction id under `urn:nhs:names:services:`: lower-case prefix, service, and at least one part more. */
export function isInteractionId(value: unknown): value is InteractionId {
  return (
    typeof value === 'string' &&
    value.length <= 255 &&
    /^urn:nhs:names:services:[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.$*-]+)+$/.test(value)
  )
}

/** An ebXML signal, which systems register beside their interactions (directory specification §12). */
export function isEbxmlSignal(value: unknown): boolean {
  return (
    typeof value === 'string' && /^urn:oasis:names:tc:ebxml-msg:service:(Acknowledgment|MessageError|Ping)$/.test(value)
  )
}

/** Splits into the service name (nhsMHsSN) and the interaction (nhsMHsIN, which may hold colons). */
export function splitInteractionId(
  interaction: string,
): { readonly service: string; readonly interaction: string } | undefined {
  const match = /^(urn:nhs:names:services:[^:]+):(.+)$/.exec(interaction)
  return match?.[1] && match[2] ? { service: match[1], interaction: match[2] } : undefined
}

/** Any UUID, whatever its version and case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(value)
}

/** FHIR naming systems: `dstu2` for GP Connect 0.x, `fhirNhsUk` for everything later. */
export const namingSystem = {
  dstu2: {
    nhsNumber: 'http://fhir.nhs.net/Id/nhs-number',
    odsOrganisation: 'http://fhir.nhs.net/Id/ods-organization-code',
    odsSite: 'http://fhir.nhs.net/Id/ods-site-code',
    sdsUserId: 'http://fhir.nhs.net/sds-user-id',
    sdsRoleProfileId: 'http://fhir.nhs.net/Id/sds-role-profile-id',
  },
  fhirNhsUk: {
    nhsNumber: 'https://fhir.nhs.uk/Id/nhs-number',
    odsOrganisation: 'https://fhir.nhs.uk/Id/ods-organization-code',
    odsSite: 'https://fhir.nhs.uk/Id/ods-site-code',
    sdsUserId: 'https://fhir.nhs.uk/Id/sds-user-id',
    sdsRoleProfileId: 'https://fhir.nhs.uk/Id/sds-role-profile-id',
    accreditedSystem: 'https://fhir.nhs.uk/Id/accredited-system',
    serviceInteractionId: 'https://fhir.nhs.uk/Id/nhsServiceInteractionId',
    partyKey: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey',
    asid: 'https://fhir.nhs.uk/Id/nhsSpineASID',
    fqdn: 'https://fhir.nhs.uk/Id/nhsMhsFQDN',
    cpaId: 'https://fhir.nhs.uk/Id/nhsMhsCPAId',
  },
} as const
