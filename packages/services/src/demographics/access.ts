/** Access modes of §5, in the words that messages use; `patient` is what they call patient access. */
export type AccessMode = 'user-restricted' | 'application-restricted' | 'privileged-application-restricted' | 'patient'

/** Per-app settings that the gateway passes inward, never the client (§16). */
export interface AppAttributes {
  readonly emptyAddressLines?: boolean
  readonly confidentialRemovalReason?: boolean
  readonly recordSharingConsent?: boolean
  readonly ethnicCategory?: boolean
  /**
   * What the app writes for: primary care (absent), NHAIS, which may end registrations, or the back office, which may write
   * what others may not (§10.3).
   */
  readonly source?: 'nhais' | 'back-office'
  /** Whether PATCH is allowed in application-restricted mode. */
  readonly applicationUpdate?: boolean
}

/** Who asks, and what they may do: the seam between the API platform and demographics. */
export interface Access {
  readonly mode: AccessMode
  /** User-restricted: the worker, and the role profile ids they hold. `roles` is absent where the user directory was not asked. */
  readonly user?: {
    readonly id: string
    readonly roles?: readonly string[]
    /** The role chosen at sign-in: it counts where the request names none. */
    readonly selectedRole?: string
  }
  /** User-restricted: why the selected role may not do this, where the access rules are enforced. */
  readonly denied?: string
  /** Patient access: own number, identity proofing level and vector of trust. */
  readonly patient?: { readonly nhsNumber: string; readonly level: string; readonly vectorOfTrust?: string }
  readonly app?: { readonly id: string; readonly asid?: string; readonly attributes?: AppAttributes }
}

/** What tells who asks, and what the audit of a refusal needs. */
export interface Identified {
  readonly authorization: string | undefined
  readonly requestId: string | undefined
  /** NHSD-Session-URID. */
  readonly role?: string | undefined
  readonly method: string
  /** Below the base. */
  readonly path: string
  readonly address: string
}

/**
 * Decides who asks. Rejects with the exact 401 of §7 (`refuse(outcomes.accessDenied(…))`). The API platform's is
 * `gatewayAccess`; where there is none, `profileAccess` is used.
 */
export type Authenticate = (request: Identified) => Promise<Access>
