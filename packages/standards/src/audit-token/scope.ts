/** What a token may ask for: the scope of one interaction (§3.2, §6). */
import { isText, type Json } from './claims.ts'
import type { TokenVariant } from './rule.ts'

export const tokenScopes = ['patient/*.read', 'patient/*.write', 'organization/*.read', 'organization/*.write'] as const
export type TokenScope = (typeof tokenScopes)[number]

/** Of Visitors & Migrants: the table of the specification has the first, its example the second. */
export const visitorsScopes = ['patient/Observation.read', 'patient/*.read'] as const

const confidentialities = ['conf/N', 'conf/R']

/** The claim that holds the scope. */
export function scopeClaim(variant: TokenVariant): 'requested_scope' | 'requested_scopes' | 'scope' {
  if (variant === 'visitors') return 'requested_scopes'
  return variant === 'spine-core' || variant === 'nrl' ? 'scope' : 'requested_scope'
}

/**
 * What is wrong with the scope, as a sentence: undefined when it is the one that is wanted (any known one where none is
 * wanted). 1.6 has a list, separated by single spaces, that holds it and at most one of `conf/N` and `conf/R`; the
 * others have the scope alone. A missing claim is a fault here as well.
 */
export function scopeFault(variant: TokenVariant, claims: Json, wanted?: TokenScope): string | undefined {
  const claim = scopeClaim(variant)
  const value = claims[claim]
  if (!isText(value)) return `The claim ${claim} is missing.`
  const words = variant === 'gpconnect-1.6' ? value.split(' ') : [value]
  const scopesThere: readonly string[] = variant === 'visitors' ? visitorsScopes : tokenScopes
  const known = (word: string) => scopesThere.includes(word)
  const scopes = words.filter((word) => !confidentialities.includes(word) || variant !== 'gpconnect-1.6')
  if (wanted !== undefined && !scopes.includes(wanted)) return `The claim ${claim} is not ${wanted}.`
  if (scopes.length === 0) return `The claim ${claim} has none of ${scopesThere.join(', ')}.`
  if (!scopes.every(known)) return `The claim ${claim} has a scope that is none of ${scopesThere.join(', ')}.`
  if (words.length - scopes.length > 1) return `The claim ${claim} has conf/N or conf/R more than once.`
  return undefined
}

/** Which confidentiality a 1.6 token asks for: `R` includes what is sensitive, `N` is what a token asks for by default. */
export function requestedConfidentiality(claims: Json): 'N' | 'R' {
  const value = claims['requested_scope']
  return isText(value) && value.split(' ').includes('conf/R') ? 'R' : 'N'
}
