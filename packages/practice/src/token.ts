/**
 * The cross-organisation audit token as GP Connect 0.x wants it (§3.1, §3.3). It is provenance, not
 * authentication: nothing is verified but that it says everything it must. The rules are data, in order;
 * each names the claim it is about, so that whoever is refused knows which.
 */
import { systems } from './dstu2/systems.ts'

type Json = Readonly<Record<string, unknown>>

/** What a rule is asked about. */
export interface TokenSubject {
  readonly header: Json
  readonly claims: Json
  readonly signed: boolean
  /** Seconds since the epoch. */
  readonly now: number
  /** The record that is asked for: a patient's for the care record, an organisation's for the metadata. */
  readonly recordType: 'Patient' | 'Organization'
  /** Names the first fault of structure of a DSTU2 resource: an unknown member, a value of the wrong type. */
  structureFault(resource: Json): string | undefined
}

export interface TokenRule {
  readonly name: string
  /** BAD_REQUEST is 400, INVALID_RESOURCE is 422. */
  readonly outcome: 'BAD_REQUEST' | 'INVALID_RESOURCE'
  readonly explains: string
  passes(subject: TokenSubject): boolean
}

/** The one audience of 0.x, whoever the provider is. */
export const tokenAudience = 'https://authorize.fhir.nhs.net/token'
const lifeSeconds = 300

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

function objectAt(parent: Json, member: string): Json {
  const value = parent[member]
  return isObject(value) ? value : {}
}

function objectsAt(parent: Json, member: string): readonly Json[] {
  const value = parent[member]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Value of the first identifier of that system, when it has one. */
function identifierOf(resource: Json, system: string): string | undefined {
  const value = objectsAt(resource, 'identifier').find((it) => it['system'] === system)?.['value']
  return isText(value) ? value : undefined
}

function claimRule(
  name: string,
  explains: string,
  passes: TokenRule['passes'],
  outcome: TokenRule['outcome'] = 'BAD_REQUEST',
): TokenRule {
  return { name: `token: ${name}`, outcome, explains, passes }
}

function textClaim(claim: string): TokenRule {
  return claimRule(`${claim} present`, `The claim ${claim} is missing.`, ({ claims }) => isText(claims[claim]))
}

function secondsClaim(claim: string): TokenRule {
  return claimRule(
    `${claim} present`,
    `The claim ${claim} is missing or not a whole number of seconds.`,
    ({ claims }) => typeof claims[claim] === 'number' && Number.isSafeInteger(claims[claim]) && claims[claim] > 0,
  )
}

function resourceClaim(claim: string, type: (subject: TokenSubject) => string): TokenRule[] {
  return [
    claimRule(`${claim} present`, `The claim ${claim} is missing.`, ({ claims }) => isObject(claims[claim])),
    claimRule(
      `${claim} type`,
      `The claim ${claim} has the wrong resourceType.`,
      (subject) => objectAt(subject.claims, claim)['resourceType'] === type(subject),
    ),
    claimRule(
      `${claim} structure`,
      `The claim ${claim} has a member that its resource does not know, or a value of the wrong type.`,
      ({ claims, structureFault }) => structureFault(objectAt(claims, claim)) === undefined,
      'INVALID_RESOURCE',
    ),
  ]
}

export const tokenRules: readonly TokenRule[] = [
  claimRule('header', 'The header of the token is not exactly {"alg":"none","typ":"JWT"}.', ({ header }) => {
    const { alg, typ } = header
    return Object.keys(header).length === 2 && alg === 'none' && typ === 'JWT'
  }),
  claimRule('unsigned', 'The third part of the token is not empty.', ({ signed }) => !signed),
  textClaim('iss'),
  textClaim('sub'),
  textClaim('aud'),
  claimRule('aud', `The claim aud is not ${tokenAudience}.`, ({ claims }) => claims['aud'] === tokenAudience),
  secondsClaim('iat'),
  secondsClaim('exp'),
  claimRule(
    'life',
    `The claim exp is not exactly ${lifeSeconds} seconds after iat.`,
    ({ claims }) => Number(claims['exp']) - Number(claims['iat']) === lifeSeconds,
  ),
  claimRule(
    'expiry',
    'The token has expired (claim exp). A token serves for one request and lives five minutes.',
    ({ claims, now }) => Number(claims['exp']) > now,
  ),
  claimRule(
    'reason_for_request',
    'The claim reason_for_request is not directcare.',
    ({ claims }) => claims['reason_for_request'] === 'directcare',
  ),
  textClaim('requested_scope'),
  ...resourceClaim('requesting_device', () => 'Device'),
  claimRule(
    'requesting_device identifier',
    'The claim requesting_device has no identifier with system and value.',
    ({ claims }) =>
      objectsAt(objectAt(claims, 'requesting_device'), 'identifier').some(
        (it) => isText(it['system']) && isText(it['value']),
      ),
  ),
  claimRule('requesting_device product', 'The claim requesting_device has no model or no version.', ({ claims }) => {
    const device = objectAt(claims, 'requesting_device')
    return isText(device['model']) && isText(device['version'])
  }),
  ...resourceClaim('requesting_organization', () => 'Organization'),
  claimRule(
    'requesting_organization identifier',
    `The claim requesting_organization has no identifier of the system ${systems.odsOrganisation}.`,
    ({ claims }) => identifierOf(objectAt(claims, 'requesting_organization'), systems.odsOrganisation) !== undefined,
  ),
  claimRule('requesting_organization name', 'The claim requesting_organization has no name.', ({ claims }) =>
    isText(objectAt(claims, 'requesting_organization')['name']),
  ),
  ...resourceClaim('requesting_practitioner', () => 'Practitioner'),
  claimRule('requesting_practitioner id', 'The claim requesting_practitioner has no id.', ({ claims }) =>
    isText(objectAt(claims, 'requesting_practitioner')['id']),
  ),
  claimRule(
    'sub',
    'The claim sub is not the id of requesting_practitioner.',
    ({ claims }) => claims['sub'] === objectAt(claims, 'requesting_practitioner')['id'],
  ),
  claimRule(
    'requesting_practitioner identifier',
    `The claim requesting_practitioner has no identifier of the system ${systems.sdsUserId}.`,
    ({ claims }) => identifierOf(objectAt(claims, 'requesting_practitioner'), systems.sdsUserId) !== undefined,
  ),
  claimRule('requesting_practitioner name', 'The claim requesting_practitioner has no family name.', ({ claims }) => {
    const family = objectAt(objectAt(claims, 'requesting_practitioner'), 'name')['family']
    return Array.isArray(family) && family.some(isText)
  }),
  ...resourceClaim('requested_record', ({ recordType }) => recordType),
  claimRule(
    'requested_record identifier',
    'The claim requested_record does not name the record: a patient by NHS number, an organisation by ODS code.',
    ({ claims, recordType }) => requestedRecord(claims, recordType) !== undefined,
  ),
]

/** NHS number or ODS code that the token says is asked for. */
export function requestedRecord(claims: Json, type: TokenSubject['recordType']): string | undefined {
  return identifierOf(
    objectAt(claims, 'requested_record'),
    type === 'Patient' ? systems.nhsNumber : systems.odsOrganisation,
  )
}

/** The claims that the audit keeps (§2.11): who asked, where, with what, why and for whom. */
export function auditedClaims(claims: Json): Readonly<Record<string, unknown>> {
  const device = objectAt(claims, 'requesting_device')
  const organisation = objectAt(claims, 'requesting_organization')
  const practitioner = objectAt(claims, 'requesting_practitioner')
  const kept = {
    iss: claims['iss'],
    sub: claims['sub'],
    aud: claims['aud'],
    iat: claims['iat'],
    exp: claims['exp'],
    reasonForRequest: claims['reason_for_request'],
    scope: claims['requested_scope'],
    device: { identifier: device['identifier'], model: device['model'], version: device['version'] },
    organisation: { identifier: organisation['identifier'], name: organisation['name'] },
    practitioner: {
      id: practitioner['id'],
      identifier: practitioner['identifier'],
      name: practitioner['name'],
      role: practitioner['practitionerRole'],
    },
    requestedRecord: objectAt(claims, 'requested_record')['identifier'],
  }
  return JSON.parse(JSON.stringify(kept))
}
