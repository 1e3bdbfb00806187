import type { Clock, Random } from '@openspine/platform/clock'
import type { AccessTokens, Client, Clients } from '../gateway/contract.ts'
import type { Outcome, Refused } from './checks/check.ts'
import type { IdentityConfig } from './config.ts'
import type { Fetch } from './keys/fetch.ts'
import type { KeySets } from './keys/key-sets.ts'
import type { BasePath, Provider } from './providers.ts'
import type { SingleUse } from './store.ts'

/** One request, apart from its parameters. */
export interface Call {
  readonly base: BasePath
  /** Scheme and host at which the client reached the platform. */
  readonly origin: string
  readonly now: number
  readonly address: string
}

/** The URL of an endpoint as the client knows it. */
export const urlOf = ({ origin, base }: Pick<Call, 'origin' | 'base'>, path: string) => `${origin}${base}${path}`

export interface Answer {
  readonly refused?: undefined
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON value; octets are sent as they are. */
  readonly body?: unknown
  /** Said in the audit. */
  readonly event?: { readonly name: string; readonly facts: Readonly<Record<string, unknown>> }
}

export type Result = Answer | Refused

/** What every operation of the service stands on. */
export interface Parts {
  readonly config: IdentityConfig
  readonly environment: string
  readonly clock: Clock
  readonly random: Random
  readonly clients: Clients & AccessTokens
  readonly once: SingleUse
  readonly keys: KeySets
  readonly fetch: Fetch
  readonly providers: readonly Provider[]
  /** The gateway's word for an application that asks too often; counts the request. */
  rate(clientId: string): Outcome | undefined
}

export const isNational = ({ config }: Parts) => config.compat === 'national'

/** Members of a client's checks that look things up once, when they are asked for. */
export function clientLookups({ clients, rate }: Parts, clientId: unknown) {
  const client = lazily((): Client | undefined => (typeof clientId === 'string' ? clients.client(clientId) : undefined))
  const limited = lazily(() => (typeof clientId === 'string' ? rate(clientId) : undefined))
  return {
    client,
    rate: limited,
    rated: (): Outcome => limited() ?? { status: 429, error: 'invalid_request', description: 'Too many requests' },
  }
}

export function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

export const about = ({ application, key }: Client) => ({ application, key })
