/**
 * Unsecured JSON Web Tokens (RFC 7519 §6) as the Spine's cross-organisation audit and provenance token
 * uses them: `base64url(header).base64url(claims).` with an empty third part. The token says who asks and
 * why; it proves nothing, so nothing here verifies a signature. Its reader is bounded and never throws.
 */

/** Longest token that is read, in characters. Real ones are about two thousand. */
export const longestToken = 16_384
const deepest = 16

export type TokenReading =
  | {
      readonly ok: true
      readonly header: Readonly<Record<string, unknown>>
      readonly claims: Readonly<Record<string, unknown>>
      readonly signed: boolean
    }
  /** `fault` is a sentence for people. */
  | { readonly ok: false; readonly fault: string }

const base64url = /^[A-Za-z0-9_-]+$/

function part(text: string, name: string): Readonly<Record<string, unknown>> | string {
  if (!base64url.test(text) || text.length % 4 === 1) return `The token's ${name} is not base64url without padding.`
  let json: string
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64url'))
  } catch {
    return `The token's ${name} is not UTF-8.`
  }
  if (nesting(json) > deepest) return `The token's ${name} is nested more than ${deepest} deep.`
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return `The token's ${name} is not JSON.`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `The token's ${name} is not a JSON object.`
  return value as Readonly<Record<string, unknown>>
}

/** How deep brackets nest, strings left out: asked before JSON.parse, which has no limit of its own. */
function nesting(json: string): number {
  let depth = 0
  let most = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) most = Math.max(most, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return most
}

/**
 * Reads a compact token. A signed one is read as well (`signed` is true): whether that is acceptable is
 * the caller's rule.
 */
export function readToken(token: string): TokenReading {
  if (token.length > longestToken) return { ok: false, fault: `The token is longer than ${longestToken} characters.` }
  const parts = token.split('.')
  if (parts.length !== 3)
    return { ok: false, fault: 'The token does not have three parts: header.claims. with a dot at its end.' }
  const [first = '', second = '', third = ''] = parts
  const header = part(first, 'header')
  if (typeof header === 'string') return { ok: false, fault: header }
  const claims = part(second, 'claims')
  if (typeof claims === 'string') return { ok: false, fault: claims }
  if (third !== '' && !base64url.test(third)) return { ok: false, fault: "The token's signature is not base64url." }
  return { ok: true, header, claims, signed: third !== '' }
}

/** Reads the value of an Authorization header: `Bearer`, one space, the token. The scheme's case does not matter (RFC 9110 §11.1). */
export function readBearer(authorization: string): TokenReading {
  const match = /^bearer +(\S+)$/i.exec(authorization)
  if (!match?.[1]) return { ok: false, fault: 'The Authorization header is not "Bearer" followed by one token.' }
  return readToken(match[1])
}

/**
 * Writes an unsecured token: header exactly `{"alg":"none","typ":"JWT"}`, claims in the order given.
 *
 * @example
 * writeUnsecuredToken({ iss: 'https://consumer.example/', iat: 1700000000, exp: 1700000300 })
 */
export function writeUnsecuredToken(claims: Readonly<Record<string, unknown>>): string {
  return `${unsecuredHeader}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
}

const unsecuredHeader = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
