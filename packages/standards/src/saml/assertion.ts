/** A role profile of the person, as a role assertion tells it (§5). Lists of texts and of codes are not in the same order. */
export interface AssertedRole {
  /** uniqueIdentifier: the role profile id (URP). */
  readonly id: string
  /** nhsIdCode. */
  readonly odsCode: string
  /** o: name of the organisation. */
  readonly organisation?: string
  /** nhsJobRole, with its inner quotes: `"Clinical":"Clinical Provision":"Nurse Access Role"`. */
  readonly jobRole?: string
  /** nhsJobRoleCode: `S8000:G8000:R8001`. */
  readonly jobRoleCode?: string
  readonly areasOfWork: readonly string[]
  readonly areaOfWorkCodes: readonly string[]
  /** nhsBusinessFunctions: names of activities. */
  readonly activities: readonly string[]
  /** nhsBusinessFunctionsCodes. */
  readonly activityCodes: readonly string[]
  readonly workgroups: readonly string[]
  readonly workgroupCodes: readonly string[]
}

/** How the person signed on: the assertion within the subject's confirmation. */
export interface Authentication {
  readonly assertionId: string
  /** Milliseconds since the epoch, whole seconds. */
  readonly at: number
  readonly ticket: string
  /** Of the computer at which the person signed on. */
  readonly address?: string
}

/** What the Spine Security Broker says of a live session. Times are milliseconds since the epoch, in whole seconds. */
export interface RoleAssertion {
  readonly responseId: string
  /** Address to which the answer goes. */
  readonly recipient?: string
  readonly assertionId: string
  /** URL of the broker. */
  readonly issuer: string
  readonly issuedAt: number
  readonly notBefore: number
  readonly notOnOrAfter: number
  readonly authentication?: Authentication
  /** Of the header block. */
  readonly version: string
  /** cn: full name. */
  readonly name: string
  readonly uid: string
  /** nhsOcsPrCode. */
  readonly practitionerCode?: string
  /** ssbMode: training never reaches live data. Absent: the broker does not say. */
  readonly mode?: 'live' | 'training'
  /** ssbSessionRoleUid: id of the role profile that is active; it is one of `roles`. */
  readonly activeRoleId: string
  readonly roles: readonly AssertedRole[]
}
