/** Says everything that is wrong with a token, not only what a service would answer first. */
import { knownClaims, type TokenAdvice, tokenAdvice } from './advice.ts'
import { isText, type Json, lookAt } from './claims.ts'
import { openToken, type TokenFinding } from './envelope.ts'
import { gpConnectRules } from './gp-connect.ts'
import { interactionToken } from './interactions.ts'
import { lifeOf, type TokenRule, type TokenSubject, type TokenVariant } from './rule.ts'
import { scopeClaim, scopeFault, type TokenScope } from './scope.ts'
import { spineCoreRules } from './spine-core.ts'
import { detectVariant } from './variant.ts'
import { visitorsTokenRules } from './visitors.ts'

export interface LintOptions extends Pick<TokenSubject, 'now' | 'recordType' | 'expectedAudience' | 'migrate'> {
  /** Absent: that of the interaction, or the one that the claims speak for. */
  readonly variant?: TokenVariant
  /** Whole interaction id: says variant, scope and, in 0.x, the kind of record. */
  readonly interaction?: string
  readonly scope?: TokenScope
  /** Default 600, as the reference provider has it. */
  readonly longestAheadSeconds?: number
}

export interface TokenLint {
  /** Undefined where the claims cannot be read. */
  readonly variant: TokenVariant | undefined
  /** Why this variant: whole sentences. */
  readonly why: readonly string[]
  /** Errors and warnings, in the order in which a provider asks. */
  readonly findings: readonly TokenFinding[]
  /** No error among them. */
  readonly ok: boolean
  readonly header?: Json
  readonly claims?: Json
}

/** All rules, by variant. */
export const rulesByVariant: Readonly<Record<TokenVariant, readonly TokenRule[]>> = {
  ...gpConnectRules,
  ...spineCoreRules,
  visitors: visitorsTokenRules,
}

const longestShown = 160

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}

function time(seconds: unknown): string {
  const date = typeof seconds === 'number' ? new Date(seconds * 1000) : undefined
  return date === undefined || Number.isNaN(date.getTime())
    ? shown(seconds)
    : `${seconds} (${date.toISOString().replace('.000', '')})`
}

function found(rule: TokenAdvice, subject: TokenSubject): string {
  const { claims, header } = subject
  if (rule.claim === 'header') return shown(header)
  // Never the signature itself: somebody may have put the token of another service in.
  if (rule.claim === 'signature') return 'a signature'
  if (rule.name === 'token: life') return `${lifeOf(claims)} seconds`
  const detail = rule.detail?.(subject)
  if (detail !== undefined) return detail
  return rule.claim === 'iat' || rule.claim === 'exp' ? time(claims[rule.claim]) : shown(lookAt(claims, rule.at))
}

function findingOf(level: TokenFinding['level'], rule: TokenAdvice, subject: TokenSubject): TokenFinding {
  const { claim, name, clause, explains, remedy } = rule
  return { claim, level, rule: name, clause, says: explains, found: found(rule, subject), remedy }
}

/** The published examples of 0.x print one claim's name wrongly (§3.3). */
const misprint: Readonly<Record<string, string>> = {
  requesting_record: 'requested_record',
  requested_organization: 'requesting_organization',
  requesting_organisation: 'requesting_organization',
  requesting_scope: 'requested_scope',
}

function clauseOf(variant: TokenVariant): string {
  if (variant === 'visitors') return '25'
  if (variant === 'gpconnect-0') return '3.3'
  return variant.startsWith('gpconnect') ? '3.2' : '3.4'
}

function strangers(variant: TokenVariant, claims: Json): readonly TokenFinding[] {
  const known = knownClaims(variant)
  return Object.keys(claims)
    .filter((claim) => !known.includes(claim))
    .slice(0, 20)
    .map((claim) => {
      const named = misprint[claim]
      const meant = variant === 'visitors' && /^request(ed|ing)_scope$/.test(claim) ? 'requested_scopes' : named
      return {
        claim: claim.slice(0, longestShown),
        level: 'warning',
        rule: 'token: claim known',
        clause: clauseOf(variant),
        says: 'The variant has no such claim.',
        found: shown(claims[claim]),
        remedy: meant === undefined ? 'Leave it out.' : `The name of the claim is ${meant}.`,
      }
    })
}

function chosen(
  claims: Json,
  { variant, interaction }: LintOptions,
): { readonly variant: TokenVariant; readonly why: readonly string[] } {
  const detected = detectVariant(claims)
  if (variant !== undefined)
    return {
      variant,
      why: [
        'It was asked for.',
        ...(detected.variant === variant || (variant === 'nrl' && detected.variant === 'spine-core')
          ? []
          : [`The claims look like ${detected.variant}: ${detected.why.join(' ')}`]),
      ],
    }
  const wanted = interaction === undefined ? undefined : interactionToken(interaction)
  if (wanted === undefined) return detected
  const [usual = detected.variant] = wanted.variants
  const own = wanted.variants.includes(detected.variant) ? detected.variant : usual
  return { variant: own, why: [`The interaction ${interaction} wants it.`] }
}

function recordTypeOf(claims: Json, options: LintOptions): TokenSubject['recordType'] {
  const byInteraction =
    options.interaction === undefined ? undefined : interactionToken(options.interaction)?.recordType
  const scope = claims['requested_scope']
  return (
    options.recordType ??
    byInteraction ??
    (scope === 'patient/*.read' ? 'Patient' : scope === 'organization/*.read' ? 'Organization' : undefined)
  )
}

/**
 * Reads a token as somebody holds it (alone, behind `Bearer`, or as a whole header line) and names every fault of its
 * envelope and of its claims, with what was found and what to do.
 *
 * @example
 * const { ok, findings } = lintToken(text, { now: Math.floor(Date.now() / 1000) })
 */
export function lintToken(text: string, options: LintOptions): TokenLint {
  const { header, claims, signed, findings: envelope } = openToken(text)
  if (claims === undefined)
    return { variant: options.variant, why: [], findings: envelope, ok: false, ...(header && { header }) }
  const { variant, why } = chosen(claims, options)
  const wanted = options.interaction === undefined ? undefined : interactionToken(options.interaction)
  const recordType = recordTypeOf(claims, options)
  const subject: TokenSubject = {
    header: header ?? {},
    claims,
    signed,
    now: options.now,
    longestAheadSeconds: options.longestAheadSeconds ?? 600,
    migrate: options.migrate ?? wanted?.migrate ?? claims['reason_for_request'] === 'migration',
    ...(recordType === undefined ? {} : { recordType }),
    ...(options.expectedAudience === undefined ? {} : { expectedAudience: options.expectedAudience }),
  }
  const failed = rulesByVariant[variant].filter((rule) => !rule.passes(subject) && (rule.claim !== 'header' || header))
  const errors = failed.map((rule) => findingOf('error', rule, subject))
  const wrong = new Set(failed.map(({ name }) => name))
  const claim = scopeClaim(variant)
  const scope = isText(claims[claim]) ? scopeFault(variant, claims, options.scope ?? wanted?.scope) : undefined
  if (scope !== undefined && !wrong.has('token: scope'))
    errors.push({
      claim,
      level: 'error',
      rule: 'scope',
      clause: '6',
      says: scope,
      found: shown(claims[claim]),
      remedy: `Send ${options.scope ?? wanted?.scope ?? 'the scope of the interaction'}, exactly so.`,
    })
  const refused = new Set(errors.map((it) => it.claim))
  const advice = tokenAdvice[variant]
    // Whoever has to mend a claim is not told about its finer points as well.
    .filter((rule) => !refused.has(rule.claim) && !rule.passes(subject))
    .map((rule) => findingOf('warning', rule, subject))
  const findings = [...envelope, ...errors, ...advice, ...strangers(variant, claims)]
  return {
    variant,
    why,
    findings,
    ok: !findings.some(({ level }) => level === 'error'),
    ...(header && { header }),
    claims,
  }
}
