import type { Client } from '../../gateway/contract.ts'

/** What the wire says (§2.2). */
export interface Outcome {
  readonly status: number
  readonly error: string
  readonly description: string
  /** Told to the application by a redirect, with its state, instead of by a body (§2.3 #8 to #10). */
  readonly redirect?: true
  /** An answer that another part of the platform has worded (rate limits, §9.6). */
  readonly worded?: { readonly body: string; readonly headers: Readonly<Record<string, string>> }
}

/** One check of an endpoint: what it is, where it is written, and what the wire says when it fails. */
export interface Check<Subject> {
  readonly name: string
  /** Clause of the identity specification. */
  readonly clause: string
  readonly outcome: Outcome | ((subject: Subject) => Outcome)
  /** What it asks, in plain words. */
  readonly explains: string
  /** Left out where the national behaviour is wanted (§2.11). */
  readonly addition?: true
  /**
   * Name of a later check that fails whenever this one does: this one is looked at where a check in between fails, whose
   * answer it comes before, and is otherwise left to the later one.
   */
  readonly settledBy?: string
  /** Undefined when it holds; otherwise why not, in plain words for whoever has to mend it: no secrets, no token. */
  examine(subject: Subject): string | undefined | Promise<string | undefined>
}

/** A request that got a refusal, and why. */
export interface Refused {
  readonly refused: true
  readonly check: string
  readonly clause: string
  readonly outcome: Outcome
  readonly cause: string
  /** Whose request it was, as far as that is known. */
  readonly client?: Client | undefined
}

export const refusal = (status: number, error: string, description: string): Outcome => ({ status, error, description })

export const invalidRequest = (description: string, status = 400): Outcome =>
  refusal(status, 'invalid_request', description)

/** The first check that fails. */
export async function firstRefusal<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
  about: { readonly national: boolean; readonly client?: () => Client | undefined },
): Promise<Refused | undefined> {
  const refusedBy = ({ name, clause, outcome }: Check<Subject>, cause: string): Refused => {
    const said = typeof outcome === 'function' ? outcome(subject) : outcome
    return { refused: true, check: name, clause, outcome: said, cause, client: about.client?.() }
  }
  let unsettled: readonly Check<Subject>[] = []
  for (const check of checks) {
    if (check.addition && about.national) continue
    if (check.settledBy !== undefined) {
      unsettled = [...unsettled, check]
      continue
    }
    const verdict = check.examine(subject)
    // Most checks ask nobody, and need not wait for a turn.
    const cause = typeof verdict === 'object' ? await verdict : verdict
    if (cause === undefined) {
      if (unsettled.length > 0) unsettled = unsettled.filter(({ settledBy }) => settledBy !== check.name)
      continue
    }
    for (const earlier of unsettled) {
      const before = await earlier.examine(subject)
      if (before !== undefined) return refusedBy(earlier, before)
    }
    return refusedBy(check, cause)
  }
  return undefined
}

/** The answer to whatever was not foreseen (§2.2). */
export const unknownError = (status = 500): Outcome =>
  refusal(
    status,
    'unknown_error',
    'An unknown error occurred processing this request. Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support quoting Message ID',
  )

/** §2.6 #23, §2.4 step 6. */
export const noScope = refusal(
  401,
  'unauthorized_client',
  'you have tried to request authorization but your application is not configured to use this authorization grant type',
)
