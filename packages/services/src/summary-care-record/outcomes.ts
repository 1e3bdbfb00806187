import { SpineError } from '@openspine/standards/error'
import type { Refusal } from '../gateway/contract.ts'

/** How an answer of the wire says no: status, code of the issue, and the words of `details.text` (§26). */
export interface ScrOutcome {
  readonly status: number
  /** Code of the FHIR issue-type value set. */
  readonly issue: string
  readonly text: string
  readonly diagnostics?: string
  /** Of what the API platform says. */
  readonly coding?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Status and issue code of each kind of refusal; the words are those of the check. */
export const scrOutcomes = {
  value: { status: 400, issue: 'value' },
  applicationRestricted: { status: 401, issue: 'forbidden' },
  accessControl: { status: 403, issue: 'forbidden' },
  notFound: { status: 404, issue: 'not-found' },
  method: { status: 405, issue: 'not-supported' },
  notAcceptable: { status: 406, issue: 'not-supported' },
  tooLarge: { status: 413, issue: 'too-long' },
  mediaType: { status: 415, issue: 'not-supported' },
  internal: { status: 500, issue: 'unknown' },
  unavailable: { status: 503, issue: 'transient' },
} as const
export type ScrOutcomeName = keyof typeof scrOutcomes

/** The patient has opted out, or nobody may be told of them: one answer, word for word, so that it does not tell which. */
export const accessControlText =
  'Code: 420, Display: Business condition related to access control  which prevents the action being performed by PSIS;Code: 30418, Display: [PSIS-30418] - ACF does not permit access to resource'
/** To applications by themselves, about what a user does (§26). */
export const applicationRestrictedText = 'Application-restricted access is not available on this POST request'
export const applicationRestrictedDiagnostics =
  'Your app has insufficient permissions to use this method. Please contact support.'
export const unavailableText = 'Code: 502, Display: Service Not Available'

/** Ends a request; `check` names what failed, for the audit, and `because` says it in plain words where the text does not. */
export function refuse(
  name: ScrOutcomeName,
  text: string,
  check: string,
  more: { readonly because?: string; readonly diagnostics?: string; readonly headers?: ScrOutcome['headers'] } = {},
): SpineError<ScrOutcome> {
  const { because, diagnostics, headers } = more
  const outcome = { ...scrOutcomes[name], text, ...(diagnostics && { diagnostics }), ...(headers && { headers }) }
  return new SpineError(`SCR_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`, outcome, {
    detail: check,
    explanation: because ?? text,
  })
}

/** What the API platform says, in the form of this API. */
export function platformOutcome({ status, outcome, text, headers }: Refusal): ScrOutcome {
  const issue = status === 401 || status === 403 ? 'forbidden' : status === 429 ? 'throttled' : outcome.issue
  return { status, issue, text, coding: outcome.coding, headers }
}
