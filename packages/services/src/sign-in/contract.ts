/**
 * What the identity providers need to know of people and of relying parties, and what others may ask of them. Clauses
 * are those of the identity specification.
 */

/** One role of a member of staff in one organisation (§3.3, nationalrbacaccess). Empty lists mean: none. */
export interface WorkerRole {
  /** 12 digits: unique identifier of the role profile. */
  readonly roleId: string
  /** 12 digits: unique identifier of the person in the organisation. */
  readonly orgPersonId: string
  readonly odsCode: string
  readonly organisation?: string
  /** With its inner quotes: `"Clinical":"Clinical Provision":"Nurse Access Role"`. */
  readonly roleName: string
  /** `S8000:G8000:R8001` */
  readonly roleCode?: string
  /** Parallel lists of names and codes, in the same order. */
  readonly activities: readonly string[]
  readonly activityCodes: readonly string[]
  readonly workgroups: readonly string[]
  readonly workgroupCodes: readonly string[]
  readonly areasOfWork: readonly string[]
  readonly areaOfWorkCodes: readonly string[]
}

/** A member of staff as the identity provider shows them. */
export interface Worker {
  /** 12 digits. */
  readonly uid: string
  readonly familyName: string
  readonly givenName?: string
  readonly middleNames?: string
  readonly initials?: string
  readonly title?: string
  readonly displayName?: string
  readonly email?: string
  /** Names of the scope professionalmemberships: `gmc_id`, `nmc_id`, … */
  readonly memberships?: Readonly<Record<string, string>>
  readonly roles: readonly WorkerRole[]
}

/** Where staff come from. */
export interface Workers {
  find(uid: string): Promise<Worker | undefined>
  /** Whose name, uid or organisation holds the text; everyone for an empty one; at most `limit`, in a stable order. */
  search(text: string, limit: number): Promise<readonly Worker[]>
}

/** A patient as the identity provider shows them. */
export interface Patient {
  readonly nhsNumber: string
  readonly familyName: string
  readonly givenName?: string
  /** YYYY-MM-DD */
  readonly birthDate: string
  readonly email?: string
  readonly phone?: string
  readonly gpOdsCode?: string
}

/** Where patients come from. */
export interface Patients {
  find(nhsNumber: string): Promise<Patient | undefined>
  /** Those whom the sign-in page offers. */
  offered(): Promise<readonly Patient[]>
}

export type IssuerName = 'cis2' | 'nhs-login'

/** An application (or the platform's authorisation server) that sends people here to sign in. */
export interface RelyingParty {
  readonly issuer: IssuerName
  /** `123456789012.apps.national` for CIS2; any text without spaces. */
  readonly clientId: string
  readonly name: string
  /** Compared as exact strings. */
  readonly redirectUris: readonly string[]
  /** CIS2 alone: shared secret, or `secretDigest` of it (hexadecimal SHA-256). */
  readonly secret?: string
  readonly secretDigest?: string
  /** Public keys of private_key_jwt: at a URL, or as a JSON Web Key Set. */
  readonly jwksUri?: string
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /** Algorithm of its assertions; any that the provider takes unless said. NHS login takes RS512 alone unless the configuration says more. */
  readonly assertionAlgorithm?: 'RS256' | 'RS512'
  /** Algorithm of its ID tokens; RS256 for CIS2, RS512 for NHS login unless said. */
  readonly idTokenAlgorithm?: 'RS256' | 'RS512'
  readonly backchannelLogoutUri?: string
  readonly postLogoutRedirectUris?: readonly string[]
  readonly refreshTokens?: boolean
}

/** Where each provider answers. */
export interface IssuerAddresses {
  readonly issuer: string
  readonly authorize: string
  readonly token: string
  readonly userinfo: string
  readonly jwks: string
}

/** One try to tell a relying party of the end of a sign-on (§3.5). */
export interface LogoutDelivery {
  readonly id: string
  readonly clientId: string
  readonly state: 'waiting' | 'delivered' | 'failed'
  readonly attempts: number
  readonly lastError?: string
}

/** A signing key as people are shown it (§13). */
export interface ShownKey {
  readonly issuer: string
  readonly algorithm: string
  readonly kid: string
  readonly state: 'published' | 'active' | 'retiring'
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
  readonly activeAt: number
}

/** What other services may ask of the identity providers. */
/** The API keys that open the credential answers of `/mock-jwks`, and the key that one of them gives out (§2.10). */
export interface MockKeys {
  /** The application of a key (absent where everyone is answered), or what the wire says to it. */
  admit(apikey: string | undefined):
    | { readonly application?: string }
    | {
        readonly refusal: {
          readonly status: number
          readonly contentType: string
          readonly body: string
          readonly headers: Readonly<Record<string, string>>
        }
      }
  /** A new key of that application that opens status pages. */
  statusKey(application: string): Promise<string>
  opensStatus(key: string): boolean
}

export interface SignIn {
  /** Whether they answer here at all: only then may anybody take their word for who somebody is. */
  readonly answers: boolean
  readonly issuers: Readonly<Record<IssuerName, IssuerAddresses>>
  /** Issuers of the Keycloak-shaped mocks (§2.10); their endpoints stand below as Keycloak has them. */
  readonly mocks: Readonly<Record<IssuerName, string>>
  /** Adds or replaces a client of a mock, which has a secret. SpineError `SIGN_IN_RELYING_PARTY`. */
  registerMock(party: RelyingParty): Promise<void>
  /** Adds or replaces a relying party, durably. SpineError `SIGN_IN_RELYING_PARTY`. */
  register(party: RelyingParty): Promise<void>
  /** Ends every sign-on of a person at one provider (card removed, operator); relying parties are told. How many there were. */
  end(issuer: IssuerName, subject: string): Promise<number>
  /** Newest first. */
  logouts(limit: number): Promise<readonly LogoutDelivery[]>
  /**
   * Publishes new signing keys now; they sign after the time that relying parties keep the old set, or with `soon` after a
   * few seconds: for keys that somebody else may have. Old ones stay published as long as anything that they signed lives.
   */
  rotateKeys(options?: { readonly soon?: boolean }): Promise<void>
  /** What is published now, oldest first. */
  signingKeys(): Promise<readonly ShownKey[]>
}
