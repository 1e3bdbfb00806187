import { SpineError } from '@openspine/standards/error'

/** A public key of a set, as people are shown it. */
export interface ShownKey {
  readonly kid: string
  /** Length of the modulus. */
  readonly bits: number
  readonly alg: string
}

const longest = 64 * 1024
const leastBits = 2048
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const unusable = (explanation: string) => new SpineError('GATEWAY_KEY_SET', {}, { explanation })

/**
 * The keys of a JSON Web Key Set that an application may sign with (§2.6): RSA of 2048 bits or more, each with a kid of
 * its own, for RS512. Throws SpineError `GATEWAY_KEY_SET`, which says what is wrong.
 */
export function keysOfSet(text: string): readonly ShownKey[] {
  if (text.length > longest) throw unusable(`The key set is longer than ${longest} characters.`)
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    throw unusable('The key set is not JSON. It looks like {"keys":[{"kty":"RSA","n":"…","e":"AQAB","kid":"test-1"}]}.')
  }
  const keys: unknown = typeof set === 'object' && set !== null ? Reflect.get(set, 'keys') : undefined
  if (!Array.isArray(keys) || keys.length === 0)
    throw unusable('The key set has no member `keys` with at least one key. A single key goes in such a list too.')
  const shown = keys.map(keyOf)
  const kids = new Set(shown.map(({ kid }) => kid))
  if (kids.size < shown.length) throw unusable('Two keys of the set have the same kid.')
  return shown
}

function keyOf(key: unknown): ShownKey {
  if (typeof key !== 'object' || key === null) throw unusable('The member `keys` has something else than objects.')
  const { kid, kty, n, e, alg = 'RS512', use = 'sig' } = key as Readonly<Record<string, unknown>>
  if (typeof kid !== 'string' || kid === '') throw unusable('A key has no kid.')
  const secret = privateMembers.find((name) => name in key)
  if (secret !== undefined)
    throw unusable(
      `The key ${kid} is a private key (member ${secret}). Register the public half alone, and make a new key.`,
    )
  if (kty !== 'RSA') throw unusable(`The key ${kid} is not an RSA key.`)
  if (typeof n !== 'string' || typeof e !== 'string' || !/^[\w-]+$/.test(n) || !/^[\w-]+$/.test(e))
    throw unusable(`The key ${kid} has no modulus n or exponent e in base64url.`)
  if (alg !== 'RS512')
    throw unusable(`The key ${kid} is for ${String(alg).slice(0, 20)}: assertions are signed with RS512.`)
  if (use !== 'sig') throw unusable(`The key ${kid} is not for signatures.`)
  const octets = Buffer.from(n, 'base64url')
  const first = octets.findIndex((octet) => octet !== 0)
  const bits = first === -1 ? 0 : (octets.length - first) * 8 - (Math.clz32(octets[first] as number) - 24)
  if (bits < leastBits) throw unusable(`The key ${kid} has ${bits} bits: ${leastBits} are needed, 4096 recommended.`)
  return { kid, bits, alg }
}
