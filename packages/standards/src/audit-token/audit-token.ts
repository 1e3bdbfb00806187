/**
 * The cross-organisation audit and provenance token (§3): who asks, where, with what and why. Its rules are data, one
 * list for each variant, in the order in which a provider asks; nothing here reads a clock or verifies a signature.
 */
import { rulesByVariant } from './lint.ts'
import type { TokenRule, TokenVariant } from './rule.ts'

export { auditedClaims, type RecordType, requestedRecord, requestingOrganisation } from './claims.ts'
export type { TokenFinding } from './envelope.ts'
export { fixedAudience } from './gp-connect.ts'
export { type InteractionToken, interactionToken } from './interactions.ts'
export { type LintOptions, lintToken, type TokenLint } from './lint.ts'
export { type TokenRule, type TokenSubject, type TokenVariant, tokenVariants } from './rule.ts'
export { requestedConfidentiality, scopeFault, type TokenScope, tokenScopes } from './scope.ts'
export {
  asidHeaderDiagnostics,
  asidHeaderOutcome,
  judgeSpineToken,
  type SpineApi,
  type SpineTokenCheck,
  type SpineTokenQuestion,
  type SpineTokenVerdict,
  spineTokenChecks,
  spineTokenOutcome,
} from './spine-diagnostics.ts'
export { type DetectedVariant, detectVariant } from './variant.ts'
export { visitorsAudience, visitorsRecord, visitorsTokenRules } from './visitors.ts'

/**
 * The rules of a variant, in order. The first that does not pass decides the answer; every one that does not is wrong.
 *
 * @example
 * const failed = tokenRules('gpconnect-1.2').find((rule) => !rule.passes({ ...reading, now }))
 * failed?.outcome // 'INVALID_RESOURCE'
 */
export function tokenRules(variant: TokenVariant): readonly TokenRule[] {
  return rulesByVariant[variant]
}
