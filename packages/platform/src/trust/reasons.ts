import { SpineError } from '@openspine/standards/error'

/**
 * Reasons of a revocation (RFC 5280 §5.3.1) by their names and numbers there. `certificateHold` and
 * `removeFromCRL` are not among them: a revocation here is final. `aACompromise` is about attribute certificates.
 */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const

export type RevocationReason = keyof typeof revocationReasons

/** The reason by its name, in whatever case; SpineError `TRUST_REASON_INVALID`. */
export function revocationReason(given: string): RevocationReason {
  const names = Object.keys(revocationReasons) as RevocationReason[]
  const found = names.find((name) => name.toLowerCase() === given.toLowerCase())
  if (found !== undefined) return found
  const held = /^(certificateHold|removeFromCRL)$/i.test(given)
  throw new SpineError(
    'TRUST_REASON_INVALID',
    { status: 400 },
    {
      explanation: `${held ? 'A certificate cannot be held and released here: a revocation is final. ' : ''}The reason is one of ${names.join(', ')}.`,
    },
  )
}

/** The number for CRL and OCSP; none for `unspecified`, which RFC 5280 §5.3.1 asks to leave out. */
export function reasonNumber(reason: string | undefined): number | undefined {
  const number = reason === undefined ? undefined : (revocationReasons as Record<string, number>)[reason]
  return number === 0 ? undefined : number
}
