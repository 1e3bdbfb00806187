/** Certificate material of one leg, PEM. */
export interface ClientTls {
  /** Trusted issuers. Node's own list when absent. */
  readonly ca?: string | readonly string[]
  /** Client certificate with its chain, and its key: for mutual TLS. */
  readonly cert?: string
  readonly key?: string
}

/** Who is asking: goes into every audit token. There is no default user, because the token must be true. */
export interface Practitioner {
  /** Id in the local system; becomes the token's `sub`. */
  readonly id: string
  readonly family: string
  readonly given?: string
  readonly prefix?: string
  /** Smartcard user id, or `UNK` where there is none. */
  readonly sdsUserId?: string
  readonly sdsRoleProfileId?: string
  /** SDS job role code, for example `R0260`. */
  readonly jobRole?: string
}

/**
 * Where the services are and who calls. Every address is a setting, so that the same client works against
 * any environment; only what is used has to be given.
 */
export interface ClientSettings {
  /** Base of the PDS FHIR API: `https://…/personal-demographics/FHIR/R4`. */
  readonly pdsUrl?: string
  /** The directory: `ldaps://host:port` (or `ldap://` where an environment has it). */
  readonly directoryUrl?: string
  /** The secure proxy: `https://host:port`, to which the provider's whole URL is appended. Empty: providers are called directly. */
  readonly proxyUrl?: string
  readonly tls?: ClientTls
  /** Bearer token for PDS, asked for before each request; absent in open sandboxes. */
  readonly accessToken?: () => string | Promise<string>
  /** Role profile id in which a signed-in worker asks PDS (`NHSD-Session-URID`); needed of those who have several. */
  readonly roleProfileId?: string
  /** The consumer's own accredited system id (`Ssp-From`). */
  readonly asid?: string
  /** The organisation on whose behalf the request is made. */
  readonly organisation?: {
    readonly odsCode: string
    readonly name: string
    /** Telephone number that a practice may ring about a booking. */
    readonly phone?: string
  }
  /** The consumer system itself: `iss` and `requesting_device` of the token. */
  readonly system?: {
    readonly url: string
    readonly deviceId: string
    readonly model: string
    readonly version: string
  }
  /** Which directory entry is asked first: GP Connect 1.2.3 and later ask for the endpoint first. */
  readonly lookupOrder?: 'endpoint-first' | 'system-first'
  /**
   * How long a session remembers what the directory said, in seconds: an endpoint and its system (60), and that there is
   * none (5, because it may be registered the next minute). 0 remembers nothing.
   */
  readonly lookupLife?: { readonly found?: number; readonly missing?: number }
  readonly timeoutMs?: number
  /** Repeats of a read after a transient error; at most 3 (the consumer rule of the secure proxy), default 3. */
  readonly retries?: number
  /** For tests. */
  readonly clock?: { now(): number }
  readonly uuid?: () => string
  readonly sleep?: (ms: number) => Promise<void>
}
