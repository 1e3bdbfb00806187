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

interface Held {
  readonly authorization: string
  readonly token: KnownToken
}

/** Of each of the two generations. A consumer that makes a token for every request fills them again and again. */
const mostTokens = 2_048
const mostCharacters = 4 << 20

/**
 * Reads Authorization headers, and remembers what it has read, because a consumer may use a token for five minutes:
 * two generations, bounded in number and size, the older thrown away when the newer is full. What is remembered is
 * what the header says, never that it was good: whether it is in time is asked for every request.
 */
export function tokenReader(limit = mostTokens): (authorization: string) => KnownToken {
  let young = new Map<number, Held>()
  let old = new Map<number, Held>()
  let characters = 0
  const remember = (key: number, held: Held) => {
    if (young.size >= limit || characters > mostCharacters) {
      old = young
      young = new Map()
      characters = 0
    }
    young.set(key, held)
    characters += held.authorization.length
  }
  return (authorization) => {
    const key = sampled(authorization)
    let held = young.get(key)
    if (held?.authorization === authorization) return held.token
    held = old.get(key)
    if (held?.authorization === authorization) {
      remember(key, held)
      return held.token
    }
    const token = known(authorization)
    remember(key, { authorization, token })
    return token
  }
}

function known(authorization: string): KnownToken {
  const reading = readClaims(authorization)
  if (!reading.ok) return reading
  const { iat, exp } = reading.claims
  return { ok: true, json: JSON.stringify(reading.facts), iat, exp }
}

/**
 * A number from every third character: to hash the whole of a long text costs a quarter of reading the token. The
 * text itself is always compared. Three is prime to the four characters of a base64 group, so no bit escapes for good.
 */
function sampled(text: string): number {
  let sum = text.length
  for (let i = text.length - 1; i >= 0; i -= 3) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0
  return sum
}
