import { isUtf8 } from 'node:buffer'
import {
  constants,
  createHash,
  createPublicKey,
  type JsonWebKey,
  type JsonWebKeyInput,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { nestedTooDeep } from '../jwt/jwt.ts'

/**
 * Signed JSON Web Tokens (RFC 7515, 7517, 7518, 7519, 7638, 8725) in the compact form. Its own reader, apart from
 * that of unsecured tokens (`jwt`): nothing here accepts a token because of what the token says of itself. The caller
 * names the algorithms and brings the keys; `jku`, `jwk`, `x5u` and `x5c` of a header are never looked at.
 */

/** Longest signed token that is read, in characters. */
export const longestSignedToken = 32_768
/** Longest key set that is read, in octets (identity specification §2.6). */
export const longestKeySet = 64 * 1024
const mostKeys = 100
/** Of RFC 7518 §6.2.2 and §6.3.2. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth']
const longestKid = 1_000
/** Beyond it one verification costs more than a caller should be able to ask for. */
const largestRsaBits = 8_192

type Json = Readonly<Record<string, unknown>>

export interface SignedToken {
  readonly header: Json
  readonly claims: Json
  /** The octets that the signature is of. */
  readonly signed: Buffer
  /** Empty in an unsecured token. */
  readonly signature: Buffer
}

export type SignedReading =
  | { readonly ok: true; readonly token: SignedToken }
  /** `fault` is a sentence for people; it repeats nothing of the token. */
  | { readonly ok: false; readonly fault: string }

interface Algorithm {
  readonly hash: string
  readonly keyType: 'rsa' | 'ec' | 'ed25519'
  readonly pss?: true
  readonly curve?: string
}

const algorithms = {
  RS256: { hash: 'sha256', keyType: 'rsa' },
  RS384: { hash: 'sha384', keyType: 'rsa' },
  RS512: { hash: 'sha512', keyType: 'rsa' },
  PS256: { hash: 'sha256', keyType: 'rsa', pss: true },
  PS384: { hash: 'sha384', keyType: 'rsa', pss: true },
  PS512: { hash: 'sha512', keyType: 'rsa', pss: true },
  ES256: { hash: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  ES384: { hash: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  ES512: { hash: 'sha512', keyType: 'ec', curve: 'secp521r1' },
  EdDSA: { hash: '', keyType: 'ed25519' },
} as const satisfies Readonly<Record<string, Algorithm>>

/** Signature algorithms that exist here: all with a public key. `none` and the HMACs do not. */
export type SignatureAlgorithm = keyof typeof algorithms

/** Octets of base64url without padding; undefined when it is anything else, or not in its one canonical spelling. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

function part(text: string, name: string): Json | string {
  const bytes = text === '' ? undefined : decode(text)
  if (bytes === undefined) return `The ${name} is not base64url without padding.`
  if (!isUtf8(bytes)) return `The ${name} is not UTF-8.`
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    return `The ${name} is not JSON.`
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `The ${name} is not a JSON object.`
  return nestedTooDeep(value) ? `The ${name} is nested too deep.` : (value as Json)
}

/**
 * Takes a compact token apart, without a judgement on it. An unsecured one (`alg` none, empty signature) is taken
 * apart as well, so that the caller's check of `alg` can name it. Never throws.
 */
export function readSignedToken(text: string): SignedReading {
  if (text.length > longestSignedToken)
    return { ok: false, fault: `The token is longer than ${longestSignedToken} characters.` }
  const parts = text.split('.', 4)
  if (parts.length !== 3) return { ok: false, fault: 'The token does not have three parts: header.claims.signature.' }
  const [first = '', second = '', third = ''] = parts
  const header = part(first, 'header of the token')
  if (typeof header === 'string') return { ok: false, fault: header }
  // RFC 7515 §4.1.11: what is critical and not understood makes the token invalid, and no extension is understood.
  if (header['crit'] !== undefined) return { ok: false, fault: 'The header demands an extension (crit).' }
  const claims = part(second, 'payload of the token')
  if (typeof claims === 'string') return { ok: false, fault: claims }
  const signature = decode(third)
  if (signature === undefined) return { ok: false, fault: 'The signature of the token is not base64url.' }
  return { ok: true, token: { header, claims, signed: Buffer.from(`${first}.${second}`), signature } }
}

/**
 * Whether the token is signed by this key with one of the algorithms that the caller allows. The key must be of the
 * algorithm's kind, whatever the header says.
 */
export function verifies(
  { header, signed, signature }: SignedToken,
  key: KeyObject,
  allowed: readonly SignatureAlgorithm[],
): boolean {
  const name = allowed.find((each) => each === header['alg'])
  if (name === undefined || key.type !== 'public' || signature.length === 0) return false
  const algorithm: Algorithm = algorithms[name]
  if (!fits(key, algorithm)) return false
  try {
    // The key alone where that is enough: wrapped in an object, Node asks first what else it might be, which shows in a profile.
    const input =
      algorithm.keyType === 'rsa' && !('pss' in algorithm && algorithm.pss) ? key : { key, ...parameters(algorithm) }
    return verify(algorithm.hash || null, signed, input, signature)
  } catch {
    return false
  }
}

const fits = (key: KeyObject, { keyType, curve }: Algorithm) =>
  key.asymmetricKeyType === keyType && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)

const parameters = ({ keyType, pss }: Algorithm) => ({
  // JOSE writes the two numbers one behind the other, not as DER.
  ...(keyType === 'ec' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
  ...(pss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}),
})

/**
 * Signs claims: header `{"alg","typ":"JWT"}` and what is given besides.
 *
 * @example
 * signToken({ iss: 'abc', sub: 'abc', aud, jti, exp }, { key, algorithm: 'RS512', header: { kid: 'test-1' } })
 */
export function signToken(
  claims: Json,
  by: { readonly key: KeyObject; readonly algorithm: SignatureAlgorithm; readonly header?: Json },
): string {
  const algorithm: Algorithm = algorithms[by.algorithm]
  if (by.key.type !== 'private' || !fits(by.key, algorithm))
    throw new TypeError(`the key is no private key for ${by.algorithm}`)
  const signed = [{ alg: by.algorithm, typ: 'JWT', ...by.header }, claims]
    .map((each) => Buffer.from(JSON.stringify(each)).toString('base64url'))
    .join('.')
  const signature = sign(algorithm.hash || null, Buffer.from(signed), { key: by.key, ...parameters(algorithm) })
  return `${signed}.${signature.toString('base64url')}`
}

/** One key of a set, ready for use. */
export interface PublicKey {
  readonly kid: string | undefined
  /** What the set says that the key is for. */
  readonly alg?: string
  readonly key: KeyObject
}

export type KeySetReading =
  | {
      readonly ok: true
      readonly keys: readonly PublicKey[]
      /** Keys that are not used, each with the reason in a sentence. */
      readonly unused: readonly { readonly kid: string | undefined; readonly reason: string }[]
    }
  | { readonly ok: false; readonly fault: string }

/** Reads a JSON Web Key Set. Keys that cannot verify a signature here are listed as unused. Never throws. */
export function readKeySet(text: string): KeySetReading {
  if (Buffer.byteLength(text) > longestKeySet)
    return { ok: false, fault: `The key set is longer than ${longestKeySet} octets.` }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, fault: 'The key set is not JSON.' }
  }
  const members = typeof value === 'object' && value !== null ? Reflect.get(value, 'keys') : undefined
  if (!Array.isArray(members)) return { ok: false, fault: 'The key set has no member "keys" that is a list.' }
  if (members.length > mostKeys) return { ok: false, fault: `The key set holds more than ${mostKeys} keys.` }
  const keys: PublicKey[] = []
  const unused: { kid: string | undefined; reason: string }[] = []
  for (const member of members as readonly unknown[]) {
    const jwk = (typeof member === 'object' && member !== null ? member : {}) as Json
    const kid = typeof jwk['kid'] === 'string' && jwk['kid'].length <= longestKid ? jwk['kid'] : undefined
    const key = publicKey(jwk)
    if (typeof key === 'string') unused.push({ kid, reason: key })
    else keys.push({ kid, ...(typeof jwk['alg'] === 'string' ? { alg: jwk['alg'] } : {}), key })
  }
  return { ok: true, keys, unused }
}

/** The key, or why it is not used. */
function publicKey(jwk: Json): KeyObject | string {
  const { kty, crv, n, e, x, y, use, key_ops: operations } = jwk
  // Whoever can read the set could sign with it.
  if (privateMembers.some((name) => jwk[name] !== undefined))
    return 'It holds a private key: publish the public part alone, and replace the key.'
  if (use !== undefined && use !== 'sig') return 'It is not for signatures (use).'
  if (Array.isArray(operations) && !operations.includes('verify')) return 'It is not for verification (key_ops).'
  const wanted: JsonWebKey | undefined =
    kty === 'RSA' && typeof n === 'string' && typeof e === 'string'
      ? { kty, n, e }
      : kty === 'EC' && typeof crv === 'string' && typeof x === 'string' && typeof y === 'string'
        ? { kty, crv, x, y }
        : kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string'
          ? { kty, crv, x }
          : undefined
  if (wanted === undefined) return 'It is no public key of a known kind (RSA, EC or Ed25519), or lacks a member.'
  let key: KeyObject
  try {
    key = createPublicKey({ key: wanted, format: 'jwk' } as JsonWebKeyInput)
  } catch {
    return 'Its numbers make no key.'
  }
  if (kty !== 'RSA') return key
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < 2_048) return `Its ${modulusLength} bits are fewer than 2048.`
  if (modulusLength > largestRsaBits) return `Its ${modulusLength} bits are more than ${largestRsaBits}.`
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > 0xffff_ffffn)
    return 'Its exponent is unsound.'
  return key
}

/** The public part of a key as a member of a key set. */
export function publicJwk(key: KeyObject, about: { readonly kid: string; readonly alg: SignatureAlgorithm }): Json {
  const open = key.type === 'private' ? createPublicKey(key) : key
  return { ...open.export({ format: 'jwk' }), alg: about.alg, kid: about.kid, use: 'sig' }
}

/** SHA-256 thumbprint of a key (RFC 7638), base64url: a key id that says nothing and never repeats. */
export function thumbprint(key: KeyObject): string {
  const { kty, crv, e, n, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  // The members that the kind requires, in lexicographic order.
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}
