/** A role profile (URP): a person's role at one organisation, as the directory, CIS2 or a role assertion tells it (§6). */
export interface RoleProfile {
  /** Twelve digits (person_roleid, uniqueIdentifier). */
  readonly id: string
  readonly odsCode?: string
  /** `S8000:G8000:R8000`, or the R code alone. */
  readonly jobRole: string
  /** `P…:Q…:T…`, or the T code alone. */
  readonly areasOfWork?: readonly string[]
  /** Activities that were given explicitly, beside the baseline of the job role. */
  readonly activities?: readonly string[]
  readonly workgroups?: readonly string[]
}

/**
 * What is asked for: an activity (`B0380`), a job role (`R8000`, or the whole triple where the prefix counts), an area
 * of work (`T…`, or its whole triple), or a group of them. Anything else is an activity by its literal code.
 */
export type Requirement = string | RequirementGroup

/** All of `all`, and one of `any`. An empty `any` is met by nobody. */
export interface RequirementGroup {
  readonly all?: readonly Requirement[]
  readonly any?: readonly Requirement[]
}

/** A rule about one thing that may be done. */
export interface Need extends RequirementGroup {
  /** Authenticator assurance level that the sign-on must have at least. */
  readonly minimumLevel?: 1 | 2 | 3
  /** The role must be one at the acting organisation. */
  readonly sameOrganisation?: boolean
  /** Which data it is about: live unless said otherwise. A session in training mode never reaches live data. */
  readonly data?: 'live' | 'training'
}

export interface AccessQuestion {
  /** All roles of the person: only the selected one counts. */
  readonly roles: readonly RoleProfile[]
  readonly selectedRoleId: string | undefined
  /** The acting organisation. */
  readonly orgCode?: string
  readonly need: Need
  /** Assurance level of the sign-on; absent: none was shown. */
  readonly level?: number
  /** Of the session (`ssbMode` 1 is training); absent: live. */
  readonly mode?: 'live' | 'training'
}

export type DenyReason =
  | 'role-not-selected'
  | 'role-unknown'
  | 'role-ambiguous'
  | 'organisation-differs'
  | 'level-too-low'
  | 'training-mode'
  | 'not-permitted'

/** How an activity comes to a role. */
export interface ActivityGrant {
  readonly activity: string
  /** The activity that the role holds: the same one, or one that includes it. */
  readonly held: string
  /** Given to this role profile, or by the baseline of its job role or area of work. */
  readonly by: 'given' | 'baseline'
}

/** For the audit record: what was decided, why, and by which version of the rules. */
export type AccessDecision =
  | {
      readonly allowed: true
      readonly version: string
      readonly role: string
      readonly grants: readonly ActivityGrant[]
    }
  | {
      readonly allowed: false
      readonly version: string
      readonly role?: string
      readonly reason: DenyReason
      /** A sentence for people. */
      readonly explanation: string
      /** `not-permitted`: what the role does not have, of what would have been enough. */
      readonly missing?: readonly string[]
    }

export interface JobRole {
  /** R code. */
  readonly code: string
  readonly name: string
  /** One of the access roles that are given out nowadays (§6.1). */
  readonly accessRole: boolean
  /** Whole triples under which it was seen; there may be others. */
  readonly seenAs: readonly string[]
}

export interface AreaOfWork {
  readonly code: string
  readonly name: string
}

export interface Activity {
  readonly code: string
  /** Empty where no name is published. */
  readonly name: string
  /** `national`: the published name; `described`: our words for what services use it for. */
  readonly wording?: string
}

/** One version of the rules, as its files say. */
export interface RuleDocument {
  readonly version: string
  /** Where it comes from. */
  readonly source: string
  readonly jobRoles: readonly JobRole[]
  readonly areasOfWork: readonly AreaOfWork[]
  readonly activities: readonly Activity[]
  /** `activity` includes `includes`: who holds the first may do the second, and not the other way round. */
  readonly hierarchy: readonly { readonly activity: string; readonly includes: string; readonly inForce: boolean }[]
  /** Where both are named, the role needs both. A triple is compared whole, an R or T code with the last segment. */
  readonly baseline: readonly {
    readonly activity: string
    readonly jobRole?: string
    readonly areaOfWork?: string
  }[]
}

/** A version as lists show it. */
export interface RuleVersion {
  readonly version: string
  /** SHA-256 of its content, hexadecimal. */
  readonly digest: string
  readonly source: string
  readonly inUse: boolean
  /** Absent: it comes with the software. */
  readonly importedAt?: number
  readonly importedBy?: string
}

/** Why a job role may, or may not, do something. */
export interface AccessExplanation {
  readonly version: string
  readonly jobRole: string
  readonly jobRoleName?: string
  readonly activity: string
  readonly activityName?: string
  readonly allowed: boolean
  readonly grant?: ActivityGrant
  /** From what is held to what was asked, each including the next. */
  readonly path?: readonly string[]
  /** Every activity that would be enough, the one that was asked for first. */
  readonly enough: readonly string[]
  /** Activities that the job role has by the baseline. */
  readonly baseline: readonly string[]
  /** R codes that have it by the baseline. */
  readonly jobRolesWithIt: readonly string[]
  /** Published edges that are not in force and would make a difference. */
  readonly notInForce: readonly string[]
}

/** National role-based access control: which roles may do what, and a decision for each act. Answers come from memory. */
export interface AccessControl {
  readonly version: string
  rules(): RuleDocument
  /** Only the selected role counts, never the union of all. */
  decide(question: AccessQuestion): AccessDecision
  /** Whether this role profile has the activity, by the baseline or explicitly, closed over what activities include. */
  isPermitted(role: Omit<RoleProfile, 'id'>, activity: string): boolean
  explain(role: Omit<RoleProfile, 'id'>, activity: string): AccessExplanation
  versions(): Promise<readonly RuleVersion[]>
  /**
   * Checks, keeps and uses a version of the rules, given as its files by name. Every process uses it within a second.
   * SpineError `RBAC_RULES_INVALID` lists what is wrong; `RBAC_VERSION_TAKEN` where other rules bear its name.
   */
  import(files: Readonly<Record<string, string>>, by: string): Promise<RuleVersion>
  /** Uses a version that was imported before, or the one that comes with the software. SpineError `RBAC_VERSION_UNKNOWN`. */
  use(version: string, by: string): Promise<RuleVersion>
}
