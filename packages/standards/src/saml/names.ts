/** Names of SAML 1.1 and of the attributes that the Spine Security Broker puts into a role assertion (§5). */

export const protocolNamespace = 'urn:oasis:names:tc:SAML:1.0:protocol'
export const assertionNamespace = 'urn:oasis:names:tc:SAML:1.0:assertion'
export const attributeNamespace = 'http://www.syntegra.com'

export const confirmationMethod = 'urn:com:sun:identity'
export const authenticationMethod = 'urn:com:sun:identity:ExtendedLoginModule'
/** Of the name identifier of a subject. */
export const nameQualifier = 'o=nhs'

/** Around the instant of issue: from three minutes before to one minute after it. */
export const conditionsBeforeMs = 180_000
export const conditionsAfterMs = 60_000

export const subjectName = (uid: string): string => `uid=${uid},ou=People,o=nhs`

/** Attributes that stand once, before the role profiles. */
export const personAttributes = [
  'ssbAssertionVersion',
  'cn',
  'uid',
  'nhsOcsPrCode',
  'ssbSessionRoleUid',
  'ssbMode',
] as const

/** Attributes of a role profile with one value, the one that begins each block first. */
export const roleAttributes = ['nhsIdCode', 'o', 'nhsJobRole', 'nhsJobRoleCode', 'uniqueIdentifier'] as const

/** Attributes of a role profile with any number of values. */
export const roleLists = [
  'nhsAreaOfWork',
  'nhsAreaOfWorkCodes',
  'nhsBusinessFunctions',
  'nhsBusinessFunctionsCodes',
  'nhsWorkGroups',
  'nhsWorkGroupsCodes',
] as const
