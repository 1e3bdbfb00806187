import { createHash, type KeyObject, sign, verify } from 'node:crypto'

/** Signed JSON Web Tokens of our own making: RS256 and RS512, and nothing else. */
export type Algorithm = 'RS256' | 'RS512'

const hashOf = { RS256: 'sha256', RS512: 'sha512' } as const

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Members of the header stand in the order `typ`, `kid`, `alg` (§3.4). */
export function signJwt(
  claims: Readonly<Record<string, unknown>>,
  key: { readonly kid: string; readonly algorithm: Algorithm; readonly privateKey: KeyObject },
  typ = 'JWT',
): string {
  const signed = `${encoded({ typ, kid: key.kid, alg: key.algorithm })}.${encoded(claims)}`
  return `${signed}.${sign(hashOf[key.algorithm], Buffer.from(signed), key.privateKey).toString('base64url')}`
}

/** Claims of a token that one of these keys signed; undefined for anything else. Says nothing of its dates. */
export function verifiedClaims(
  token: string,
  keys: readonly { readonly kid: string; readonly algorithm: Algorithm; readonly publicKey: KeyObject }[],
): Readonly<Record<string, unknown>> | undefined {
  const parts = token.split('.')
  if (parts.length !== 3 || token.length > 16_384 || !parts.every((part) => /^[\w-]+$/.test(part))) return undefined
  const [head = '', body = '', signature = ''] = parts
  const header = objectIn(head)
  const key = keys.find(({ kid, algorithm }) => kid === header?.['kid'] && algorithm === header['alg'])
  if (key === undefined) return undefined
  const signed = Buffer.from(`${head}.${body}`)
  return verify(hashOf[key.algorithm], signed, key.publicKey, Buffer.from(signature, 'base64url'))
    ? objectIn(body)
    : undefined
}

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** Left half of the digest, as `at_hash`, `c_hash` and `s_hash` want it (OpenID Connect Core §3.1.3.6). */
export function halfHash(value: string, algorithm: Algorithm): string {
  const digest = createHash(hashOf[algorithm]).update(value).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
