import type { HealthReport } from '@openspine/platform/service'
import type { FhirOutcome } from '@openspine/standards/fhir'
import type { FastifyPluginAsync } from 'fastify'
import type { RoleProfile } from '../access-control/contract.ts'
import type { AccessModeName, ApiAccess } from './access.ts'
import type { AccessTokens, ClientKeys, Clients, Grant, Product, Subscription } from './clients.ts'
import type { ApiPermissions, RequestDecision } from './permission.ts'
import type { Rates } from './rates.ts'

export { type AccessModeName, type ApiAccess, workerGrants } from './access.ts'
export {
  type Admitted,
  admission,
  type Caller,
  callerKey,
  type Presented,
  type RequestKey,
  repeatMs,
  roleIn,
} from './admission.ts'
export type * from './clients.ts'
export { messageId } from './message-id.ts'
export type { ApiNeed, ApiPermissions, RequestDecision } from './permission.ts'
export type { Quota } from './rates.ts'
export { withoutToken, withoutTokenSettings } from './without-token.ts'

/** What a key opens: the APIs of an application, or the status page of an API. */
export type KeyKind = 'application' | 'status'

/** A key as it is known here: never the key itself, of which only a digest is kept. */
export interface ApiKey {
  readonly id: string
  readonly kind: KeyKind
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly revokedAt?: number
  /** Whether a client secret belongs to it: it is kept as a digest, and can be replaced. */
  readonly hasSecret?: boolean
}

/** Own limits of an application, in place of those of the configuration (§9.6). 0: any number. */
export type ApplicationRates = Partial<Rates>

/** What an application is registered with, beside its name: §10 of the identity specification. */
export interface ApplicationFacts {
  readonly displayName?: string
  /** Compared as an exact string. */
  readonly callbackUrl?: string
  readonly publicKeys?: ClientKeys
  readonly asid?: string
  /** Origins of its pages, beside that of the callback: `https://ward.example`. */
  readonly origins?: readonly string[]
  /** Name of its owner. */
  readonly owner?: string
  /** `apim-app-flow-vars`: settings that single APIs read, such as `{"pds":{"app-restricted":{"update":true}}}`. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly rates?: ApplicationRates
}

/** Whose an application is: a company, or a single developer (§2.3 #4b). */
export interface Owner {
  readonly name: string
  readonly kind: 'company' | 'developer'
  /** Applications of an inactive owner are refused. */
  readonly status: 'active' | 'inactive'
}

/** When something that an application proves itself with was used: to the hour. */
export interface KeyUse {
  /** `key` and `secret` by the id of the key, a public key by its kid. */
  readonly kind: 'key' | 'secret' | 'kid'
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly firstUsedAt: number
  readonly lastUsedAt: number
}

/** A refusal as the owner of the application is shown it: without numbers of patients, without secrets. */
export interface KeptRefusal {
  /** Message id: `openspine explain` finds it too. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** API and path, or endpoint of the authorisation server. */
  readonly where: string
  readonly status: number
  /** Name of the check that failed. */
  readonly check: string
  /** What the answer said. */
  readonly says: string
  /** In plain words: what was wrong, and what to mend. */
  readonly explanation: string
  readonly requestId?: string
}

/** A change of some facts: a member that is null is taken away, one that is absent stays. */
export type ApplicationChange = { readonly [Name in keyof ApplicationFacts]?: ApplicationFacts[Name] | null }

/** A registered application: whoever calls the APIs of the platform is one. */
export interface Application extends ApplicationFacts {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly status: 'approved' | 'revoked'
  readonly keys: readonly ApiKey[]
  readonly subscriptions: readonly Subscription[]
}

/** A key that was just made. `secret` is the key, which is the client id; `clientSecret` goes with it. Both are told this once. */
export interface IssuedKey extends ApiKey {
  readonly secret: string
  /** Absent for a key of the status kind. */
  readonly clientSecret?: string
}

/** Who an admitted request is from; without members where nothing is asked for and none is known. */
export interface ApiCaller {
  readonly application?: string
  readonly name?: string
  /** Id of the key, never the key. */
  readonly key?: string
  /** How it may act, where the API distinguishes. */
  readonly mode?: AccessModeName
  /** What its access token stands for. */
  readonly grant?: Grant
  readonly asid?: string
  readonly settings?: Readonly<Record<string, unknown>>
  /** Role profile id that the request acts in (§9.5). */
  readonly role?: string
  /** Role profiles of the user at the time of the call, where the API asks for them and they can be known. */
  readonly roles?: readonly RoleProfile[]
  /** What role-based access control said of the request, where it was asked. */
  readonly permission?: RequestDecision
}

/** Why a request does not reach its API, and what the wire says. */
export interface Refusal {
  /** Id of this refusal: it stands in the audit, and `openspine explain` finds it. */
  readonly id: string
  /** Stable word for audit and metrics. */
  readonly reason: string
  /** Name of the check that failed. */
  readonly check: string
  /** In plain words, for the audit: what to do. */
  readonly explanation: string
  readonly status: number
  readonly contentType: string
  /** JSON text. */
  readonly body: string
  /** What it says in the plain form, whatever the form of the body is. */
  readonly text: string
  /** The same as values, for an API that renders FHIR itself. */
  readonly outcome: FhirOutcome
  readonly headers: Readonly<Record<string, string>>
}

export type Admission =
  | { readonly admitted: true; readonly caller: ApiCaller }
  | { readonly admitted: false; readonly caller: ApiCaller; readonly refusal: Refusal }

/** An API of the platform. */
export interface Api {
  /** Name in audit and metrics, what rates count by, and what products open. */
  readonly name: string
  readonly version: string
  /** Path on the door `api`: begins with a slash and does not end with one. */
  readonly basePath: string
  /** Who may call it, least privilege first: of those that fit, the last one counts (§9.2). */
  readonly access: readonly ApiAccess[]
  /** Its name in scopes, where that differs. */
  readonly scopeName?: string
  /**
   * How refusals look (§9.3): the plain gateway fault; a FHIR outcome; or, as the SDS FHIR API has it (directory
   * specification §7.5), an outcome whose display is the fault's text.
   */
  readonly faults: 'plain' | 'fhir' | 'fhir-display'
  /**
   * Whether the gateway looks at X-Request-ID and finds the role of a user-restricted request (§9.5). `told`: the API
   * does so itself, in its own words, and is told the roles that the user has.
   */
  readonly roles?: boolean | 'told'
  /**
   * What user-restricted operations ask of the role. Without `roles` nothing is asked; where they are `told`, the API
   * refuses itself what `ApiCaller.permission` says is refused.
   */
  readonly permissions?: ApiPermissions
  health(): Promise<HealthReport>
}

/** The headers by which a request is judged. */
export interface Credentials {
  readonly authorization?: string | undefined
  readonly apikey?: string | undefined
  readonly requestId?: string | undefined
  /** NHSD-Session-URID. */
  readonly role?: string | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, where the routes stand behind the gateway. */
    apiCaller: ApiCaller
  }
}

/** The door of the API platform: applications and their keys, admission and rates. Answers come from memory; a committed change is seen within a second in every process. */
export interface Gateway extends Clients, AccessTokens {
  /** Makes an API known, with what it asks for; `behind` does so too. Again by the same name replaces it. */
  declare(api: Api): void
  /** Judges one request of an API that keys alone open, and counts it. An API that was not declared asks for a key. */
  admit(request: { readonly api: string; readonly apikey: string | undefined }): Admission
  /** Judges one request by all that its API asks for, and counts it. `path` is below the base. */
  judge(request: {
    readonly api: Api
    readonly method: string
    readonly path: string
    /** The route that will serve it, as the API declares it: what it asks for is judged by this, however the path is spelt. */
    readonly route?: string | undefined
    readonly credentials: Credentials
  }): Promise<Admission>
  /**
   * Puts the routes of an API (paths relative to its base) behind the gateway: `/_ping`, `/_status`, CORS preflight,
   * then admission, for every path below the base.
   */
  behind(api: Api, routes: FastifyPluginAsync): FastifyPluginAsync
  /** Keeps a refusal that an API answers itself. */
  refused(
    event: { readonly api: string; readonly path: string; readonly address: string } & RefusedRequest,
  ): Promise<void>
  /** Whether pages of this origin may read answers: of anybody, or those to one application (id). */
  opensOrigin(origin: string, application?: string): boolean
  /** Whether this key opens status pages (§9.8): one of the status kind, or any where everyone is answered. */
  opensStatus(apikey: string): boolean
  applications(): readonly Application[]
  /** Products of the APIs that were declared, and those that were defined. */
  products(): readonly Product[]
  /** SpineError `GATEWAY_NAME` or `GATEWAY_FULL`. */
  create(name: string, by: string): Promise<{ readonly application: Application; readonly key: IssuedKey }>
  /** SpineError `GATEWAY_NO_APPLICATION`, `GATEWAY_FACT`, `GATEWAY_KEY_SET`. */
  change(application: string, change: ApplicationChange, by: string): Promise<Application>
  /** Final: its keys stay known as not approved, and its tokens die. False when it was revoked before. */
  revokeApp(application: string, by: string): Promise<boolean>
  /** `revokeApplication`, with a record of who did it. How many sign-ins or grants there were. */
  revokeTokens(application: string, by: string): Promise<number>
  /** SpineError `GATEWAY_NO_APPLICATION` or `GATEWAY_FULL`. */
  newKey(application: string, kind: KeyKind, by: string): Promise<IssuedKey>
  /** A new client secret in place of the one before. SpineError `GATEWAY_NO_KEY`. */
  newSecret(key: string, by: string): Promise<string>
  /** False when there is no such key, or it was revoked before. */
  revokeKey(key: string, by: string): Promise<boolean>
  /** Asks for a product: approved at once, or pending. SpineError `GATEWAY_NO_APPLICATION`, `GATEWAY_NO_PRODUCT`. */
  subscribe(application: string, product: string, by: string): Promise<Subscription>
  /** Decides about it. */
  decide(application: string, product: string, status: 'approved' | 'revoked', by: string): Promise<Subscription>
  /** Adds an owner, or changes it: inactive, its applications are refused everywhere within a second. SpineError `GATEWAY_OWNER`. */
  defineOwner(owner: Owner, by: string): Promise<void>
  owners(): readonly Owner[]
  /** Notes that something was used; written within a second, at most once an hour for each. */
  used(use: { readonly application: string; readonly kind: KeyUse['kind']; readonly name: string }): void
  uses(application: string): Promise<readonly KeyUse[]>
  /** Keeps a refusal for the owner of the application: the newest hundred, written within a second. */
  noteRefusal(application: string, refusal: KeptRefusal): void
  /** Newest first. */
  refusals(application: string): Promise<readonly KeptRefusal[]>
  /** Adds a product, or changes it. SpineError `GATEWAY_PRODUCT`. */
  defineProduct(product: Product, by: string): Promise<void>
}

export interface RefusedRequest {
  readonly caller: ApiCaller
  readonly refusal: Refusal
  readonly requestId?: string | undefined
}
