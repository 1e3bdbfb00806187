import { outcomeResource } from '@openspine/standards/fhir'
import type { ApiCaller, Refusal } from './contract.ts'
import type { Rates, RateVerdict } from './rates.ts'

const system = 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode'

/** The fault texts of the gateway that stands before the national APIs. */
const faults = {
  'key-missing': 'Failed to resolve API Key variable request.header.apikey',
  'key-unknown': 'Invalid ApiKey',
  'key-revoked': 'ApiKey not approved',
} as const

/** 401: directory specification §7.5; the display is the fault's text. */
export function keyRefusal(reason: keyof typeof faults): Refusal {
  return {
    reason,
    status: 401,
    headers: {},
    body: outcome({ issue: 'forbidden', code: 'ACCESS_DENIED', display: faults[reason] }),
  }
}

const guidance =
  'Please see: https://digital.nhs.uk/developer/guides-and-documentation/reference-guide#rate-limits for more details.'

/** 429: identity specification §9.6. `Retry-After` and the `RateLimit` headers are additions that help. */
export function rateRefusal(
  { limit, retryAfterSeconds }: RateVerdict & { readonly within: false },
  caller: ApiCaller,
  { quotaPerMinute, spikePerSecond }: Rates,
): Refusal {
  const name = caller.name ?? 'unregistered'
  const [allowed, seconds] = limit === 'quota' ? [quotaPerMinute, 60] : [spikePerSecond, 1]
  const diagnostics =
    limit === 'quota'
      ? `Your application, ${name}, has exceeded its quota of ${quotaPerMinute} requests every 1 minute(s) and is being rate limited. ${guidance}`
      : `Your application, ${name}, has created a spike in traffic and is being rate limited. Please reduce the frequency of your requests. ${guidance}`
  return {
    reason: limit,
    status: 429,
    headers: {
      'retry-after': String(retryAfterSeconds),
      'ratelimit-policy': `"${limit}";q=${allowed};w=${seconds}`,
      ratelimit: `"${limit}";r=0;t=${retryAfterSeconds}`,
    },
    body: outcome({ issue: 'value', code: 'TOO_MANY_REQUESTS', display: 'Too many requests', diagnostics }),
  }
}

/** What the gateway says when something in it fails (§7.5, "other gateway failure"). */
export const unknownFailure = outcome({ issue: 'unknown', code: 'UNKNOWN_ERROR', display: 'Unknown Error' })

function outcome(parts: {
  readonly issue: string
  readonly code: string
  readonly display: string
  readonly diagnostics?: string
}): string {
  const { issue, code, display, diagnostics } = parts
  const coding = { system, version: '1', code, display }
  const about = diagnostics === undefined ? {} : { diagnostics }
  return JSON.stringify(outcomeResource({ status: 0, severity: 'error', issue, coding, ...about }))
}
