/**
 * The one error family. A `code` is stable and documented; the `outcome` is what the wire may say in
 * its own dialect (rendered in one place per dialect); `detail` is for the log alone; `explanation`
 * tells, in plain words, whoever has to fix it what went wrong and what to do.
 *
 * Match on `code`, never on the class: two copies of a package may be loaded.
 *
 * @example
 * throw new SpineError('PDS_RESOURCE_NOT_FOUND', { status: 404 }, { explanation: 'No person has this NHS number.' })
 */
export class SpineError<Outcome = unknown> extends Error {
  override readonly name = 'SpineError'
  readonly code: string
  readonly outcome: Outcome
  readonly detail: string | undefined
  readonly explanation: string | undefined

  constructor(
    code: string,
    outcome: Outcome,
    about: { readonly detail?: string; readonly explanation?: string; readonly cause?: unknown } = {},
  ) {
    super(about.explanation ?? about.detail ?? code, about.cause === undefined ? undefined : { cause: about.cause })
    this.code = code
    this.outcome = outcome
    this.detail = about.detail
    this.explanation = about.explanation
  }
}

/** True for any error of the family, whichever copy of the package made it. */
export function isSpineError(error: unknown): error is SpineError {
  return error instanceof Error && error.name === 'SpineError' && 'code' in error && 'outcome' in error
}
