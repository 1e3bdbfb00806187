import { type SignedReading, type SignedToken, verifies } from '@openspine/standards/jose'
import { FetchFault } from '../keys/fetch.ts'
import type { KeyLookup } from '../keys/key-sets.ts'
import type { Provider } from '../providers.ts'
import { absent, toldKeys } from './assertion.ts'
import { type Check, invalidRequest, noScope, type Outcome, refusal, unknownError } from './check.ts'

type Json = Readonly<Record<string, unknown>>

/** An ID token that is offered for exchange (§2.7). */
export interface SubjectToken {
  readonly text: string | undefined
  readonly reading: SignedReading | undefined
  readonly header: Json
  readonly claims: Json
  readonly now: number
  /** Providers of this base path. */
  readonly issuers: readonly string[]
  provider(): Provider | undefined
  keys(): Promise<KeyLookup | FetchFault>
  scopes(): readonly string[]
  /** The token within the token, when somebody acts for the patient. */
  readonly acting: ActingToken | undefined
}

export interface ActingToken {
  readonly reading: SignedReading
  readonly header: Json
  readonly claims: Json
  provider(): Provider | undefined
  keys(): Promise<KeyLookup | FetchFault>
}

/** What an identity provider may sign with. */
export const providerAlgorithms = ['RS256', 'RS512'] as const

const clause = '2.7 token exchange'
const subject = (text: string, status = 400) => invalidRequest(`${text} in subject_token JWT`, status)
const unreachable: Outcome = unknownError()
const badSignature = refusal(401, 'public_key error', 'JWT signature verification failed')

const typed = ({ typ }: Json) => typeof typ === 'string' && typ.toUpperCase() === 'JWT'

export const subjectChecks: readonly Check<SubjectToken>[] = [
  {
    name: 'subject token present',
    clause,
    outcome: invalidRequest('Missing subject_token'),
    explains: 'subject_token is there.',
    examine: ({ text }) => (text === undefined ? 'The form has no subject_token, or an empty one.' : undefined),
  },
  {
    name: 'subject token readable',
    clause,
    outcome: invalidRequest('Malformed JWT in subject_token'),
    explains: 'The subject token is a JWT.',
    examine: ({ reading }) => (reading?.ok === false ? reading.fault : undefined),
  },
  {
    name: 'kid of the subject token',
    clause,
    outcome: subject("Missing 'kid' header"),
    explains: 'Its header names the key.',
    examine: ({ header }) => (absent(header['kid']) ? 'The header of the ID token has no kid.' : undefined),
  },
  {
    name: 'typ of the subject token',
    clause,
    outcome: invalidRequest("Invalid 'typ' header in subject_token JWT - must be 'JWT'"),
    explains: 'Its typ is JWT.',
    examine: ({ header }) =>
      typed(header) ? undefined : 'The header of the ID token must say typ JWT: some identity servers leave it out.',
  },
  {
    name: 'alg of the subject token',
    clause,
    outcome: subject("Missing 'alg' header"),
    explains: 'Its header names the algorithm.',
    examine: ({ header }) => (absent(header['alg']) ? 'The header of the ID token has no alg.' : undefined),
  },
  {
    name: 'exp of the subject token present',
    clause,
    outcome: subject("Missing 'exp' claim"),
    explains: 'It has exp.',
    examine: ({ claims }) => (absent(claims['exp']) ? 'The ID token has no exp.' : undefined),
  },
  {
    name: 'exp of the subject token a number',
    clause,
    outcome: invalidRequest("Invalid 'exp' claim in subject_token JWT - must be an integer"),
    explains: 'exp is a number.',
    examine: ({ claims }) => (typeof claims['exp'] === 'number' ? undefined : 'exp of the ID token is not a number.'),
  },
  {
    name: 'subject token not expired',
    clause,
    outcome: invalidRequest("Invalid 'exp' claim in subject_token JWT - JWT has expired"),
    explains: 'exp is not in the past.',
    examine({ claims, now }) {
      const exp = claims['exp'] as number
      if (exp * 1000 >= now) return undefined
      return `The ID token ended ${Math.round(now / 1000 - exp)} s ago: sign the person in again.`
    },
  },
  {
    name: 'iss of the subject token present',
    clause,
    outcome: subject("Missing 'iss' claim"),
    explains: 'It has iss.',
    examine: ({ claims }) => (absent(claims['iss']) ? 'The ID token has no iss.' : undefined),
  },
  {
    name: 'aud of the subject token present',
    clause,
    outcome: subject("Missing 'aud' claim", 401),
    explains: 'It has aud.',
    examine: ({ claims }) => (absent(claims['aud']) ? 'The ID token has no aud.' : undefined),
  },
  {
    name: 'issuer trusted',
    clause,
    outcome: subject("Missing or non-matching 'iss' claim"),
    explains: 'iss is exactly that of an identity provider of this platform.',
    examine: (token) =>
      token.provider() === undefined
        ? `The issuer must be one of ${token.issuers.join(', ') || 'none: no identity provider is configured here'}.`
        : undefined,
  },
  {
    name: "provider's keys obtainable",
    clause: '2.4 step 5',
    outcome: unreachable,
    explains: "The identity provider's key set can be had.",
    async examine(token) {
      const keys = await token.keys()
      return keys instanceof FetchFault ? `The identity provider's key set: ${keys.message}` : undefined
    },
  },
  {
    name: 'kid of the subject token known',
    clause,
    outcome: invalidRequest("Invalid 'kid' header in subject_token JWT - no matching public key", 401),
    explains: 'The provider has a key with this kid.',
    async examine(token) {
      const keys = await token.keys()
      return keys instanceof FetchFault || keys.found.length > 0 ? undefined : `Of the provider, ${toldKeys(keys)}`
    },
  },
  {
    name: 'signature of the subject token',
    clause,
    outcome: badSignature,
    explains: 'The provider signed it, with RS256 or RS512.',
    examine: (token) => signatureFault(token.reading, token.keys()),
  },
  ...actingChecks(),
  {
    name: 'scope for the person',
    clause,
    outcome: noScope,
    explains: "An approved product of the application has a scope of the person's level.",
    examine: (token) =>
      token.scopes().length > 0
        ? undefined
        : 'No approved subscription of the application is to a product that accepts people signed in at this level.',
  },
]

/** Of the token of whoever acts for the patient; all hold where nobody does. */
function actingChecks(): readonly Check<SubjectToken>[] {
  const of = (
    name: string,
    description: string,
    examine: (acting: ActingToken) => string | undefined | Promise<string | undefined>,
  ): Check<SubjectToken> => ({
    name: `act.sub: ${name}`,
    clause,
    outcome: invalidRequest(description),
    explains: `The token of who acts for the patient: ${name}.`,
    examine: ({ acting }) => (acting === undefined ? undefined : examine(acting)),
  })
  const present = (kind: 'header' | 'claim', name: string) =>
    of(`${name} present`, `Missing '${name}' ${kind} in act.sub JWT`, ({ header, claims }) =>
      absent((kind === 'header' ? header : claims)[name]) ? `The token in act.sub has no ${name}.` : undefined,
    )
  return [
    of('readable', 'Malformed JWT in act.sub', ({ reading }) => (reading.ok ? undefined : reading.fault)),
    present('header', 'kid'),
    of('typ', "Invalid 'typ' header in act.sub JWT - must be 'JWT'", ({ header }) =>
      typed(header) ? undefined : 'The token in act.sub must say typ JWT.',
    ),
    present('header', 'alg'),
    present('claim', 'exp'),
    of('exp a number', "Invalid 'exp' claim in act.sub JWT - must be an integer", ({ claims }) =>
      typeof claims['exp'] === 'number' ? undefined : 'exp of the token in act.sub is not a number.',
    ),
    present('claim', 'iss'),
    present('claim', 'aud'),
    present('claim', 'nhs_number'),
    {
      ...of('signature', '', async (acting) =>
        acting.provider() === undefined
          ? 'The token in act.sub is of no identity provider of this platform.'
          : signatureFault(acting.reading, acting.keys()),
      ),
      addition: true,
      outcome: badSignature,
    },
  ]
}

async function signatureFault(
  reading: SignedReading | undefined,
  looked: Promise<KeyLookup | FetchFault>,
): Promise<string | undefined> {
  const keys = await looked
  if (keys instanceof FetchFault) return `The identity provider's key set: ${keys.message}`
  const token = (reading as { readonly token: SignedToken }).token
  if (keys.found.some(({ key }) => verifies(token, key, providerAlgorithms))) return undefined
  return `The token was not signed by the identity provider's key with RS256 or RS512, or was changed; ${toldKeys(keys)}`
}
