import type { Client } from '../../gateway/contract.ts'
import { type Check, invalidRequest, type Outcome, refusal } from './check.ts'

/** An application that names itself by its client id. */
export interface NamedClient {
  readonly clientId: string | undefined
  readonly environment: string
  /** API that one of its products must open; empty: any product. */
  readonly product: string
  client(): Client | undefined
  rate(): Outcome | undefined
  rated(): Outcome
}

/** A request to /authorize (§2.3). */
export interface AuthorizeRequest extends NamedClient {
  readonly redirectUri: string | undefined
  readonly state: string | undefined
  readonly responseType: string | undefined
}

/** A code or a refresh token that is redeemed (§2.7). */
export interface Redemption extends NamedClient {
  readonly secret: string | undefined
  secretFits(): boolean
  readonly redirectUri: string | undefined
  readonly code: string | undefined
  readonly refreshToken: string | undefined
}

const clause = (number: string) => `2.3 #${number}`
const accessDenied = (description: string) => refusal(401, 'access_denied', description)

/** Of everything that an application asks for. */
export const ownerActive: Check<Pick<NamedClient, 'client'>> = {
  name: 'owner active',
  clause: clause('4b'),
  outcome: (named) =>
    accessDenied(
      named.client()?.owner?.kind === 'developer'
        ? 'The developer who created the developer app that has the API key you are using has an inactive status'
        : 'The company associated with the developer app that has the API key you are using has an inactive status',
    ),
  explains: 'The company or developer whose application it is, is active.',
  examine(named) {
    const owner = named.client()?.owner
    return owner?.status === 'inactive'
      ? `The ${owner.kind} ${owner.name}, whose application this is, was made inactive by an operator.`
      : undefined
  },
}

function clientChecks(unknown: Outcome): readonly Check<NamedClient>[] {
  return [
    {
      name: 'client_id present',
      clause: clause('1'),
      outcome: invalidRequest('client_id is missing', 401),
      explains: 'client_id is there.',
      examine: ({ clientId }) =>
        clientId === undefined ? 'The request has no client_id, or an empty one.' : undefined,
    },
    {
      name: 'client_id known',
      clause: clause('2'),
      outcome: unknown,
      explains: 'client_id is the key of an application of this environment.',
      examine: (named) =>
        named.client() === undefined
          ? `No application of this environment (${named.environment}) has this client_id: a key belongs to one environment alone.`
          : undefined,
    },
    {
      name: 'application approved',
      clause: clause('3'),
      outcome: accessDenied('The developer app associated with the API key is not approved or revoked'),
      explains: 'Neither the application nor its key was revoked.',
      examine: (named) =>
        named.client()?.approved === true ? undefined : 'The application, or this key of it, was revoked.',
    },
    {
      name: 'subscribed',
      clause: clause('4'),
      outcome: accessDenied(
        'API Key supplied does not have access to this resource. Please check the API Key you are using belongs to an app which has sufficient access to access this resource.',
      ),
      explains: 'The application has an approved subscription.',
      examine(named) {
        const products = named.client()?.products ?? []
        const enough = products.some(({ apis }) => named.product === '' || apis.includes(named.product))
        if (enough) return undefined
        const wanted = named.product === '' ? 'to any product' : `to a product that opens ${named.product}`
        return `The application has no approved subscription ${wanted}.`
      },
    },
    ownerActive,
    {
      name: 'rate',
      clause: clause('5'),
      outcome: (named) => named.rated(),
      explains: 'The application does not ask more often than it may.',
      examine: (named) => (named.rate() === undefined ? undefined : 'The application asks more often than it may.'),
    },
  ]
}

const redirectUri: readonly Check<Pick<AuthorizeRequest, 'redirectUri' | 'client'>>[] = [
  {
    name: 'redirect_uri present',
    clause: clause('6'),
    outcome: invalidRequest('redirect_uri is missing'),
    explains: 'redirect_uri is there.',
    examine: (asked) => (asked.redirectUri === undefined ? 'The request has no redirect_uri.' : undefined),
  },
  {
    name: 'redirect_uri registered',
    clause: clause('7'),
    outcome: invalidRequest('redirect_uri is invalid'),
    explains: "redirect_uri is exactly the application's registered callback.",
    examine(asked) {
      const registered = asked.client()?.callbackUrl
      if (registered !== undefined && asked.redirectUri === registered) return undefined
      return registered === undefined
        ? 'The application has no callback URL: register one.'
        : 'redirect_uri is not the registered callback URL: they are compared character by character.'
    },
  },
]

const told = (error: string, description: string): Outcome => ({ status: 302, error, description, redirect: true })

/** §2.3, in order. */
export const authorizeChecks: readonly Check<AuthorizeRequest>[] = [
  ...clientChecks(invalidRequest('client_id is invalid', 401)),
  ...redirectUri,
  {
    name: 'state present',
    clause: clause('8'),
    outcome: told('invalid_request', 'state is missing'),
    explains: 'state is there.',
    examine: ({ state }) => (state === undefined ? 'The request has no state.' : undefined),
  },
  {
    name: 'response_type present',
    clause: clause('9'),
    outcome: told('invalid_request', 'response_type is missing'),
    explains: 'response_type is there.',
    examine: ({ responseType }) => (responseType === undefined ? 'The request has no response_type.' : undefined),
  },
  {
    name: 'response_type',
    clause: clause('10'),
    outcome: told('unsupported_response_type', 'response_type is invalid'),
    explains: 'response_type is code.',
    examine: ({ responseType }) => (responseType === 'code' ? undefined : 'response_type must be code.'),
  },
]

/** §2.4 step 2: the application once more, when the person comes back. */
export const returnChecks: readonly Check<NamedClient>[] = clientChecks(
  invalidRequest('client_id is invalid', 401),
).slice(1)

const wrong = refusal(401, 'invalid_client', 'client_id or client_secret is invalid')

const secretChecks: readonly Check<Pick<Redemption, 'secret' | 'secretFits'>>[] = [
  {
    name: 'client_secret present',
    clause: '2.7',
    outcome: invalidRequest('client_secret is missing', 401),
    explains: 'client_secret is there.',
    examine: ({ secret }) => (secret === undefined ? 'The form has no client_secret, or an empty one.' : undefined),
  },
  {
    name: 'client_secret',
    clause: '2.7',
    outcome: wrong,
    explains: 'client_secret is that of the key.',
    examine: (asked) => (asked.secretFits() ? undefined : "client_secret is not the secret of this application's key."),
  },
]

const authentication: readonly Check<Redemption>[] = [...clientChecks(wrong), ...secretChecks]

/** §2.7, authorization_code: up to the code itself. */
export const codeChecks: readonly Check<Redemption>[] = [
  ...authentication,
  ...redirectUri,
  {
    name: 'code present',
    clause: '2.7',
    outcome: invalidRequest('authorization_code is missing'),
    explains: 'code is there.',
    examine: ({ code }) => (code === undefined ? 'The form has no code.' : undefined),
  },
]

/** §2.7, refresh_token: up to the token itself. */
export const refreshChecks: readonly Check<Redemption>[] = [
  ...authentication,
  {
    name: 'refresh_token present',
    clause: '2.7',
    outcome: invalidRequest('refresh_token is missing'),
    explains: 'refresh_token is there.',
    examine: ({ refreshToken }) => (refreshToken === undefined ? 'The form has no refresh_token.' : undefined),
  },
]
