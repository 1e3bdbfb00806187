import { type FhirOutcome, outcomeResource } from '@openspine/standards/fhir'
import type { Api } from './contract.ts'
import type { Quota, RateVerdict } from './rates.ts'

const system = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode'

/** What the gateway says when it does not let a request in, before it takes the form that an API has (§9.3). */
export interface Fault {
  /** Stable word for audit and metrics. */
  readonly reason: string
  /** `faultstring` and `errorcode` of the plain form. */
  readonly text: string
  readonly code: string
  readonly outcome: FhirOutcome
  readonly headers?: Readonly<Record<string, string>>
  /** Headers that the national gateway does not send. */
  readonly additions?: Readonly<Record<string, string>>
}

function outcomeOf(status: number, issue: string, code: string, display: string, diagnostics?: string): FhirOutcome {
  const coding = { system, version: '1', code, display }
  return { status, severity: 'error', issue, coding, ...(diagnostics === undefined ? {} : { diagnostics }) }
}

const denied = (diagnostics: string) =>
  outcomeOf(401, 'forbidden', 'ACCESS_DENIED', 'Access Denied - Unauthorised', diagnostics)

/** 401; `diagnostics` where the FHIR form says something else than the plain one. */
const unauthorised = (reason: string, text: string, code: string, diagnostics: string = text): Fault => ({
  reason,
  text,
  code,
  outcome: denied(diagnostics),
})

const unreadable = (reason: string, diagnostics: string) =>
  unauthorised(reason, 'Invalid access token', 'oauth.v2.InvalidAccessToken', diagnostics)

const roleFault = (status: 401 | 500, diagnostics: string): Fault => ({
  reason: 'role',
  text: diagnostics,
  code: 'user-role-service',
  outcome:
    status === 401 ? denied(diagnostics) : outcomeOf(500, 'unknown', 'UNKNOWN_ERROR', 'Unknown Error', diagnostics),
})

const keyManagement = (name: string) => `keymanagement.service.${name}`

/** The faults of §9.3 to §9.5. Texts are wire-exact. */
export const faults = {
  authorizationMissing: unreadable('token-missing', 'Missing Authorization header'),
  authorizationEmpty: unreadable('token-missing', 'Empty Authorization header'),
  tokenMissing: unreadable('token-missing', 'Missing access token'),
  tokenType: (scheme: string) => unreadable('token-type', `Invalid token type '${scheme}', must be 'Bearer'`),
  tokenUnknown: unauthorised('token-unknown', 'Invalid Access Token', keyManagement('invalid_access_token')),
  tokenExpired: unauthorised('token-expired', 'Access Token expired', keyManagement('access_token_expired')),
  tokenOfOtherProduct: unauthorised(
    'token-product',
    'Invalid API call as no apiproduct match found',
    keyManagement('InvalidAPICallAsNoApiProductMatchFound'),
  ),
  scopeMissing: (scopes: readonly string[]): Fault => {
    const text = `Required scope(s) : ${scopes.join(' ')}`
    return {
      reason: 'token-scope',
      text,
      code: 'steps.oauth.v2.InsufficientScope',
      outcome: outcomeOf(403, 'forbidden', 'ACCESS_DENIED', 'Access Denied - Unauthorised', text),
    }
  },
  keyMissing: unauthorised(
    'key-missing',
    'Failed to resolve API Key variable request.header.apikey',
    'steps.oauth.v2.FailedToResolveAPIKey',
  ),
  keyUnknown: unauthorised('key-unknown', 'Invalid ApiKey', 'oauth.v2.InvalidApiKey'),
  keyRevoked: unauthorised('key-revoked', 'ApiKey not approved', 'keymanagement.service.apikey-not-approved'),
  keyOfOtherProduct: unauthorised(
    'key-product',
    'Invalid ApiKey for given resource',
    'oauth.v2.InvalidApiKeyForGivenResource',
  ),
  requestId: (value: string): Fault => {
    const text = `Invalid value - '${value}' in header 'X-Request-ID'`
    return {
      reason: 'request-id',
      text,
      code: 'INVALID_VALUE',
      outcome: outcomeOf(400, 'value', 'INVALID_VALUE', 'Provided value is invalid', text),
    }
  },
  roles: {
    several: roleFault(401, 'multiple roles found in user info, please check NHSD-Session-URID'),
    none: roleFault(401, 'no userroles available, please check NHSD-Session-URID is valid'),
    selectedMalformed: roleFault(401, 'selected_roleid is misconfigured/invalid'),
    malformed: roleFault(401, 'nhsid_nrbac_roles is misconfigured/invalid'),
    notTheUsers: roleFault(401, 'NHSD-Session-URID is invalid'),
    selectedMissing: roleFault(401, 'selected_roleid is missing in your token'),
    noUserInfo: roleFault(500, 'unable to retrieve user info'),
  },
  /** No text of it is published for R4 (uncertain): code and display are those of §7.3. */
  notPermitted: (explanation: string): Fault => ({
    reason: 'not-permitted',
    text: explanation,
    code: 'access-control.NotPermitted',
    outcome: outcomeOf(
      403,
      'forbidden',
      'ACCESS_DENIED',
      'Access has been denied to process this request',
      explanation,
    ),
  }),
} as const

const guidance =
  'Please see: https://digital.nhs.uk/developer/guides-and-documentation/reference-guide#rate-limits for more details.'

/** 429: §9.6. `Retry-After` and the `RateLimit` headers are additions that help. */
export function rateFault(
  {
    limit,
    of,
    retryAfterSeconds,
    allowed,
    seconds,
  }: RateVerdict & { readonly within: false; readonly of: 'app' | 'api' },
  name: string,
  quota: Quota,
): Fault {
  const text =
    of === 'api'
      ? `This API is currently receiving a high volume of requests and is being rate limited. ${guidance}`
      : limit === 'quota'
        ? `Your application, ${name}, has exceeded its quota of ${quota.limit} requests every ${quota.interval} ${quota.timeunit}(s) and is being rate limited. ${guidance}`
        : `Your application, ${name}, has created a spike in traffic and is being rate limited. Please reduce the frequency of your requests. ${guidance}`
  return {
    reason: of === 'api' ? `api-${limit}` : limit,
    text,
    code: limit === 'quota' ? 'policies.ratelimit.QuotaViolation' : 'policies.ratelimit.SpikeArrestViolation',
    outcome: outcomeOf(429, 'value', 'TOO_MANY_REQUESTS', 'Too many requests', text),
    additions: {
      'retry-after': String(retryAfterSeconds),
      'ratelimit-policy': `"${limit}";q=${allowed};w=${seconds}`,
      ratelimit: `"${limit}";r=0;t=${retryAfterSeconds}`,
    },
  }
}

/** A fault in the form that the API has: media type and body. */
export function faultBody(fault: Fault, form: Api['faults']): string {
  const { outcome } = fault
  if (form === 'plain') return JSON.stringify({ fault: { faultstring: fault.text, detail: { errorcode: fault.code } } })
  if (form === 'fhir-display' && outcome.coding.code === 'ACCESS_DENIED') {
    const { diagnostics: _diagnostics, ...rest } = outcome
    return JSON.stringify(outcomeResource({ ...rest, coding: { ...outcome.coding, display: fault.text } }))
  }
  return JSON.stringify(outcomeResource(outcome))
}

/** What the gateway says when something in it fails (§9.4). */
export const unknownFailure = (messageId: string, form: Api['faults']): string =>
  form === 'plain'
    ? JSON.stringify({
        fault: {
          faultstring: `An unknown error occurred processing this request. (Message ID: ${messageId})`,
          detail: { errorcode: 'unknown_error' },
        },
      })
    : JSON.stringify(
        outcomeResource(
          form === 'fhir-display'
            ? outcomeOf(500, 'unknown', 'UNKNOWN_ERROR', 'Unknown Error')
            : outcomeOf(
                500,
                'unknown',
                'UNKNOWN_ERROR',
                'Unknown Error',
                `An unknown error occurred processing this request. Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support. (Message ID: ${messageId})`,
              ),
        ),
      )
