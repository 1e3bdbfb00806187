import { isUtf8 } from 'node:buffer'

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
      readonly header: Json
      readonly claims: Json
      readonly signed: boolean
    }
  /** `fault` is a sentence for people. */
  | { readonly ok: false; readonly fault: string }

type Json = Readonly<Record<string, unknown>>

/**
 * Bytes of base64url without padding; undefined when it is anything else. Node's decoder passes over what it
 * does not know and takes the other alphabet as well, so that what it skipped shows in the length.
 */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  const whole = text.length > 0 && bytes.length === Math.floor((text.length * 3) / 4) && text.length % 4 !== 1
  return whole && !text.includes('+') && !text.includes('/') && !text.includes('=') ? bytes : undefined
}

function part(text: string, name: string): Json | string {
  const bytes = decode(text)
  if (bytes === undefined) return `The token's ${name} is not base64url without padding.`
  if (!isUtf8(bytes)) return `The token's ${name} is not UTF-8.`
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return `The token's ${name} is not JSON.`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `The token's ${name} is not a JSON object.`
  if (nestedTooDeep(value)) return `The token's ${name} is nested more than ${deepest} deep.`
  return value as Json
}

/** Deeper than any token is read: whoever walks such a value needs a bound of their own. */
export function nestedTooDeep(value: unknown): boolean {
  return deeperThan(value, deepest)
}

/** Asked of the parsed value (the parser itself does not recurse), so that nothing behind it walks without a bound. */
function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (const inner of value) if (deeperThan(inner, levels - 1)) return true
    return false
  }
  // Of the ways to visit members, this one makes no list of them; parsed JSON inherits none.
  for (const name in value) if (deeperThan((value as Json)[name], levels - 1)) return true
  return false
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
  // All but every token has this header: it is not parsed again for each request.
  const header = first === unsecuredHeader ? unsecured : part(first, 'header')
  if (typeof header === 'string') return { ok: false, fault: header }
  const claims = part(second, 'claims')
  if (typeof claims === 'string') return { ok: false, fault: claims }
  if (third !== '' && decode(third) === undefined)
    return { ok: false, fault: "The token's signature is not base64url." }
  return { ok: true, header, claims, signed: third !== '' }
}

/** Reads the value of an Authorization header: `Bearer`, one space, the token. The scheme's case does not matter (RFC 9110 §11.1). */
export function readBearer(authorization: string): TokenReading {
  let from = 7
  while (authorization[from] === ' ') from++
  const token = authorization.slice(from)
  if (!/^bearer $/i.test(authorization.slice(0, 7)) || token === '' || token.includes(' ') || token.includes('\t'))
    return { ok: false, fault: 'The Authorization header is not "Bearer" followed by one token.' }
  return readToken(token)
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

const unsecured: Json = Object.freeze({ alg: 'none', typ: 'JWT' })
const unsecuredHeader = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
