import { readClaims } from './claims.ts'

/** What a token says, as far as checks and audit ask. */
export type KnownToken =
  | {
      readonly ok: true
      /** Its `TokenFacts` as JSON, for the record. */
      readonly json: string
      readonly iat: unknown
      readonly exp: unknown
    }
  | { readonly ok: false; readonly fault: string }

/** Of each of the two generations. A consumer that makes a token for every request fills them again and again. */
const mostTokens = 2_048
const mostCharacters = 4 << 20

/**
 * Reads Authorization headers, and remembers what it has read, because a consumer may use a token for five minutes:
 * two generations, bounded in number and size, the older thrown away when the newer is full. What is remembered is
 * what the header says, never that it was good: whether it is in time is asked for every request.
 */
export function tokenReader(limit = mostTokens): (authorization: string) => KnownToken {
  let young = new Map<string, KnownToken>()
  let old = new Map<string, KnownToken>()
  let characters = 0
  return (authorization) => {
    const there = young.get(authorization)
    if (there !== undefined) return there
    const token = old.get(authorization) ?? known(authorization)
    if (young.size >= limit || characters > mostCharacters) {
      old = young
      young = new Map()
      characters = 0
    }
    young.set(authorization, token)
    characters += authorization.length
    return token
  }
}

function known(authorization: string): KnownToken {
  const reading = readClaims(authorization)
  if (!reading.ok) return reading
  const { iat, exp } = reading.claims
  return { ok: true, json: JSON.stringify(reading.facts), iat, exp }
}
