import type { HealthReport } from '@openspine/platform/service'
import type { FastifyPluginAsync } from 'fastify'

export type * from './clients.ts'

/** What a key opens: the APIs of an application, or the status page of an API. */
export type KeyKind = 'application' | 'status'

/** A key as it is known here: never the key itself, of which only a digest is kept. */
export interface ApiKey {
  readonly id: string
  readonly kind: KeyKind
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly revokedAt?: number
}

/** A registered application: whoever calls the APIs of the platform is one. */
export interface Application {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly keys: readonly ApiKey[]
}

/** A key that was just made. `secret` is told this once. */
export interface IssuedKey extends ApiKey {
  readonly secret: string
}

/** Who an admitted request is from; without members where a key is not asked for and none is known. */
export interface ApiCaller {
  readonly application?: string
  readonly name?: string
  /** Id of the key, never the key. */
  readonly key?: string
}

/** Why a request does not reach its API, and what the wire says. */
export interface Refusal {
  readonly reason: 'key-missing' | 'key-unknown' | 'key-revoked' | 'spike' | 'quota'
  readonly status: 401 | 429
  /** JSON text. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export type Admission =
  | { readonly admitted: true; readonly caller: ApiCaller }
  | { readonly admitted: false; readonly caller: ApiCaller; readonly refusal: Refusal }

/** An API of the platform. */
export interface Api {
  /** Name in audit and metrics, and what rates count by. */
  readonly name: string
  readonly version: string
  /** Path on the door `api`: begins with a slash and does not end with one. */
  readonly basePath: string
  /** Paths below it that need no key. */
  readonly open?: readonly string[]
  health(): Promise<HealthReport>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, where the routes stand behind the gateway. */
    apiCaller: ApiCaller
  }
}

/** The door of the API platform: applications and their keys, admission and rates. Answers come from memory; a committed change is seen within a second in every process. */
export interface Gateway {
  /** Judges one request and counts it. */
  admit(request: { readonly api: string; readonly apikey: string | undefined }): Admission
  /**
   * Puts the routes of an API (paths relative to its base) behind the gateway: `/_ping`, `/_status`, CORS preflight,
   * then admission, for every path below the base.
   */
  behind(api: Api, routes: FastifyPluginAsync): FastifyPluginAsync
  applications(): readonly Application[]
  /** SpineError `GATEWAY_NAME` or `GATEWAY_FULL`. */
  create(name: string, by: string): Promise<{ readonly application: Application; readonly key: IssuedKey }>
  /** SpineError `GATEWAY_NO_APPLICATION` or `GATEWAY_FULL`. */
  newKey(application: string, kind: KeyKind, by: string): Promise<IssuedKey>
  /** False when there is no such key, or it was revoked before. */
  revokeKey(key: string, by: string): Promise<boolean>
}
