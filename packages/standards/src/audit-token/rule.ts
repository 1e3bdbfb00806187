/** What a rule of the audit token is, and the rules that every variant has. */
import { isText, type Json, type RecordType, secondsAt } from './claims.ts'

/**
 * Which tokens there are: GP Connect 0.5 to 0.7 (DSTU2), 1.2 to 1.5 (STU3), 1.6 (adds record migration), the other
 * FHIR services of the Spine, the National Record Locator, which is stricter than these, and Visitors & Migrants.
 */
export const tokenVariants = ['gpconnect-0', 'gpconnect-1.2', 'gpconnect-1.6', 'spine-core', 'nrl', 'visitors'] as const
export type TokenVariant = (typeof tokenVariants)[number]

/** What a rule is asked about. */
export interface TokenSubject {
  readonly header: Json
  readonly claims: Json
  /** Whether the third part has something in it. */
  readonly signed: boolean
  /** Seconds since the epoch. */
  readonly now: number
  /** 0.x alone: the record that the request is about. Absent: either will do. */
  readonly recordType?: RecordType
  /** Strict switch of 1.x: the service root that `aud` must be. Absent: any text will do, as in the published tests. */
  readonly expectedAudience?: string
  /** GP Connect: how far in the future `iat` may lie. Absent: without limit. The reference provider allows 600. */
  readonly longestAheadSeconds?: number
  /** 1.6: an interaction of record migration, for which a practitioner need not be named. */
  readonly migrate?: boolean
}

export interface TokenRule {
  /** `token: aud present`. */
  readonly name: string
  /** The claim that it is about; `header` and `signature` for the other two parts. */
  readonly claim: string
  /** Where what it judges stands below the claims; for showing what was found. */
  readonly at: readonly string[]
  /** Clause of the reference. */
  readonly clause: string
  /** BAD_REQUEST is 400, INVALID_RESOURCE is 422. */
  readonly outcome: 'BAD_REQUEST' | 'INVALID_RESOURCE'
  /** What is wrong when it fails. Holds no value of the token. */
  readonly explains: string
  /** What the sender has to do. */
  readonly remedy: string
  /**
   * One fault fails one rule: where what a rule builds on is missing, it passes, because the rule that asks for it
   * comes before. The first rule that fails is thus the answer, and all that fail are what is wrong.
   */
  passes(subject: TokenSubject): boolean
  /** The place and kind of a fault, where the rule knows more than that there is one. */
  detail?(subject: TokenSubject): string | undefined
}

export const lifeSeconds = 300

type Words = Pick<TokenRule, 'explains' | 'remedy' | 'passes'> & Partial<Pick<TokenRule, 'at' | 'outcome' | 'detail'>>

/** Makes the rules of one clause. */
export function rulesOf(clause: string): (claim: string, what: string, words: Words) => TokenRule {
  return (claim, what, words) => ({
    name: `token: ${what}`,
    claim,
    at: [claim],
    clause,
    outcome: 'BAD_REQUEST',
    ...words,
  })
}

export type RuleMaker = ReturnType<typeof rulesOf>

export function textClaim(rule: RuleMaker, claim: string, remedy: string): TokenRule {
  return rule(claim, `${claim} present`, {
    explains: `The claim ${claim} is missing.`,
    remedy,
    passes: ({ claims }) => isText(claims[claim]),
  })
}

export function secondsClaim(rule: RuleMaker, claim: string, remedy: string): TokenRule {
  return rule(claim, `${claim} present`, {
    explains: `The claim ${claim} is missing or not a whole number of seconds.`,
    remedy,
    passes: ({ claims }) => secondsAt(claims, claim) !== undefined,
  })
}

/** The unsecured envelope (§3.1). */
export function envelopeRules(rule: RuleMaker): readonly TokenRule[] {
  return [
    rule('header', 'header', {
      explains: 'The header of the token is not exactly {"alg":"none","typ":"JWT"}.',
      remedy: 'Make an unsecured token: alg is none, typ is JWT, and there is nothing else in the header.',
      passes: ({ header }) => Object.keys(header).length === 2 && header['alg'] === 'none' && header['typ'] === 'JWT',
    }),
    rule('signature', 'unsigned', {
      explains: 'The third part of the token is not empty.',
      remedy: 'Do not sign the token: it ends with its second dot.',
      passes: ({ signed }) => !signed,
    }),
  ]
}

/** Expired when `exp` has come, in every variant. */
export function expiryRule(rule: RuleMaker): TokenRule {
  return rule('exp', 'expiry', {
    explains: 'The token has expired (claim exp). A token serves for one request and lives five minutes.',
    remedy: 'Make a new token for every request, just before it is sent, and keep the clock of the sender right.',
    passes({ claims, now }) {
      const exp = secondsAt(claims, 'exp')
      return exp === undefined || exp > now
    },
  })
}

/** How many seconds the token lives; undefined where it does not say. */
export function lifeOf(claims: Json): number | undefined {
  const iat = secondsAt(claims, 'iat')
  const exp = secondsAt(claims, 'exp')
  return iat === undefined || exp === undefined ? undefined : exp - iat
}
