/**
 * The cross-organisation audit and provenance token (§3): who asks, where, with what and why. Its rules are data, one
 * list for each variant, in the order in which a provider asks; nothing here reads a clock or verifies a signature.
 */
import { gpConnectRules } from './gp-connect.ts'
import type { TokenRule, TokenVariant } from './rule.ts'
import { spineCoreRules } from './spine-core.ts'

export { auditedClaims, type RecordType, requestedRecord, requestingOrganisation } from './claims.ts'
export { fixedAudience } from './gp-connect.ts'
export { type TokenRule, type TokenSubject, type TokenVariant, tokenVariants } from './rule.ts'
export { requestedConfidentiality, scopeFault, type TokenScope, tokenScopes } from './scope.ts'

const rules: Readonly<Record<TokenVariant, readonly TokenRule[]>> = { ...gpConnectRules, ...spineCoreRules }

/**
 * The rules of a variant, in order. The first that does not pass decides the answer; every one that does not is wrong.
 *
 * @example
 * const failed = tokenRules('gpconnect-1.2').find((rule) => !rule.passes({ ...reading, now }))
 * failed?.outcome // 'INVALID_RESOURCE'
 */
export function tokenRules(variant: TokenVariant): readonly TokenRule[] {
  return rules[variant]
}
