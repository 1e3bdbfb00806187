import type { AuditRecord } from '@openspine/platform/audit'
import type { RefusalExplanation } from './contract.ts'

/** Event of the audit under which refusals stand. */
export const refusalEvent = 'identity.refused'

const clock =
  'The clock of the calling machine is wrong: compare `date -u` there with the header Date of any answer, and have NTP set it.'
const environment =
  'The key (client_id) is of another environment: each has its own applications and keys. Compare the host that is called with where the key was made.'
const cache =
  'The key pair was changed: a set at a URL is fetched again when it lacks a kid, at most once a minute; a set that was uploaded has to be uploaded again (openspine app keys).'
const product =
  'The application is not subscribed to the product of the API that it wants to call, or nobody has approved it yet (openspine app subscribe, openspine app approve).'
const once =
  'The same code, token or assertion was sent twice: by a retry, by two workers that share one, or by a page that was loaded again.'

/** What is usually behind a refusal by this check, most frequent first: for whoever has to mend the application. */
export const likelyCauses: Readonly<Record<string, readonly string[]>> = {
  'content type': [
    'The HTTP library adds `;charset=UTF-8` (fetch with URLSearchParams does): set the header Content-Type by hand.',
    'The form was sent as JSON: this endpoint reads forms alone.',
  ],
  'parameters once': ['A parameter stands in the template of the request and is added again by the library.'],
  'grant_type present': [
    'The body is empty or of another type than the Content-Type says, so that no parameter is seen.',
  ],
  'assertion type': ['The URN is misspelt, or was percent-encoded twice: look at the body as it is sent.'],
  'assertion present': [
    'The parameter is called client_assertion here; assertion is that of another grant (RFC 7523 §2.1).',
  ],
  'assertion readable': [
    'The token was cut off or wrapped: it has no line breaks, quotes or blanks.',
    'It was encoded in base64 and not in base64url, or is encrypted.',
  ],
  alg: ['The library signs with RS256 unless it is told RS512.'],
  'not expired': ['The assertion was made once and is used again: make one for each request.', clock],
  'kid present': [
    'The library puts no kid into the header unless it is told: it goes into the header, not the payload.',
  ],
  typ: ['The library leaves typ out, or writes another one such as at+jwt: it must be JWT.'],
  'exp a number': ['The date was formatted as text: exp is a number, of seconds since 1970.'],
  'exp near': ['exp is in milliseconds.', 'The assertion lives longer than five minutes.', clock],
  nbf: [clock, 'nbf is in milliseconds.'],
  iat: [clock, 'iat is in milliseconds.'],
  'iss and sub': ['The name of the application or an e-mail address stands in iss: both are the API key (client_id).'],
  'jti new': [once, 'jti is not random: the library counts from one again after each start.'],
  'client known': [environment, 'The id of the application or of the key was sent in place of the key itself.'],
  'client approved': ['The key was replaced: another key of the application is valid (openspine app list).'],
  'keys registered': [
    'The public key was never registered, or for another application (openspine app keys).',
    environment,
  ],
  'keys obtainable': [
    'The address is not reachable from here: behind a firewall, on a private network, or only by a name that is not known here.',
    'The server redirects to another host, wants a sign-in, or shows a web page: it has to answer 200 with JSON.',
    'Its certificate is of an authority that is not known here, or has ended.',
  ],
  'kid known': [
    'kid of the header and kid in the key set differ: they are compared letter by letter.',
    cache,
    environment,
  ],
  signature: [
    'The private key does not belong to the public key that is registered under this kid: compare their moduli (openssl rsa -noout -modulus).',
    'The header or payload was changed after it was signed: by a template, or by encoding it again.',
    cache,
  ],
  aud: [
    'aud is the token URL of another environment, or has http, another port, or a slash at its end.',
    'The platform is reached through a proxy that changes the host: then it needs the setting identity.origins.',
  ],
  scope: [product, 'The product is for people who sign in, and not for applications by themselves.'],
  rate: ['A token is asked for at each request: keep it until shortly before its end, ten minutes.'],
  'client_id known': [environment],
  'application approved': ['The key was replaced: another key of the application is valid (openspine app list).'],
  subscribed: [product],
  client_secret: [
    'The secret was replaced (openspine app new-secret), and the application still has the one before.',
    environment,
  ],
  'redirect_uri registered': [
    'The addresses differ in the scheme, the port, a slash at the end, or a query.',
    'The address is that of another installation of the application: an application has one.',
  ],
  code: [
    once,
    'More than five minutes passed between the sign-in and the redemption.',
    'The code is redeemed with another client_id or redirect_uri than it was asked for.',
  ],
  'refresh token': [
    once,
    'The refresh token before was kept: each refresh gives a new one, and the old one is dead.',
    'The person signed in too long ago: 12 hours by CIS2, one hour by NHS login.',
  ],
  state: ['The page was loaded again, or the person went back in the browser.', once],
  'subject token present': ['The access token or a code was sent in its place: subject_token is the ID token.'],
  'subject token readable': ['The access token was sent in place of the ID token, or the token was cut off.'],
  'typ of the subject token': [
    'The identity server leaves typ out of the header of ID tokens; some have a setting for it.',
  ],
  'subject token not expired': [
    'The ID token was kept since the sign-in: exchange it at once and then refresh.',
    clock,
  ],
  'issuer trusted': [
    'The ID token is of a provider of another environment: a mock, or the live one.',
    'iss is compared letter by letter: mind `:443` and a slash at the end.',
  ],
  'kid of the subject token known': [
    'The ID token is of another realm or environment of the provider, which signs with other keys.',
    'The provider changed its keys within the last minute: try again.',
  ],
  'signature of the subject token': [
    'The token was changed after it was signed, or is signed with another algorithm than RS256 and RS512.',
  ],
  'scope for the person': [
    product,
    "The product accepts another level: the person's is in authentication_assurance_level or identity_proofing_level, and a higher one does not include the lower.",
  ],
  "provider's keys obtainable": [
    'The identity provider is down, or not reachable from here: not a fault of the application.',
  ],
  'token of the provider': ['The identity provider is down, or refused the platform: not a fault of the application.'],
  'answer of the provider': ['The person gave up, or is not allowed to sign in.'],
  'access token': ['The token ended (ten minutes) or was revoked.', environment],
  'monitoring key': ['The key of an application was sent: a key of the status kind is another one.'],
  'path and method': ['The base path is missing or is there twice: it is /oauth2 or /oauth2-mock.'],
}

/** The same as sentences that go on from the cause. */
export const likelyIn = (check: string): readonly string[] =>
  (likelyCauses[check] ?? []).map((cause, at) => `${at === 0 ? 'Likely' : 'Or'}: ${cause}`)

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What a record of a refusal says to the people who run the application. */
export function explainRefusal(
  record: Pick<AuditRecord, 'event' | 'facts' | 'at'> & { readonly trace?: string },
): RefusalExplanation | undefined {
  const { facts, at, event, trace = '' } = record
  if (event !== refusalEvent) return undefined
  const check = text(facts['check'])
  const optional = (name: 'application' | 'name' | 'key') =>
    text(facts[name]) === '' ? {} : { [name]: text(facts[name]) }
  return {
    messageId: trace,
    at,
    endpoint: text(facts['endpoint']),
    check,
    clause: text(facts['clause']),
    status: Number(facts['status']),
    error: text(facts['error']),
    description: text(facts['description']),
    cause: text(facts['cause']),
    likely: likelyCauses[check] ?? [],
    ...optional('application'),
    ...optional('name'),
    ...optional('key'),
  }
}
