import { SpineError } from '@openspine/standards/error'
import { readKeySet } from '@openspine/standards/jose'

/** A public key of a set, as people are shown it. */
export interface ShownKey {
  readonly kid: string
  /** Length of the modulus. */
  readonly bits: number
  readonly alg: string
}

const unusable = (explanation: string) => new SpineError('GATEWAY_KEY_SET', {}, { explanation })

/**
 * The keys of a JSON Web Key Set that an application may sign with (§2.6): RSA of 2048 bits or more, each with a kid of
 * its own, for RS512. Throws SpineError `GATEWAY_KEY_SET`, which says what is wrong: a set that is registered has no key
 * that would be passed over.
 */
export function keysOfSet(text: string): readonly ShownKey[] {
  const reading = readKeySet(text)
  if (!reading.ok)
    throw unusable(`${reading.fault} A key set looks like {"keys":[{"kty":"RSA","n":"…","e":"AQAB","kid":"test-1"}]}.`)
  const [unused] = reading.unused
  if (unused !== undefined) throw unusable(`${nameOf(unused.kid)}: ${unused.reason}`)
  if (reading.keys.length === 0)
    throw unusable('The key set has no key in its member `keys`. A single key goes in such a list too.')
  const shown = reading.keys.map(({ kid, alg = 'RS512', key }): ShownKey => {
    if (kid === undefined || kid === '') throw unusable('A key has no kid.')
    if (key.asymmetricKeyType !== 'rsa') throw unusable(`The key ${kid} is not an RSA key.`)
    if (alg !== 'RS512') throw unusable(`The key ${kid} is for ${alg.slice(0, 20)}: assertions are signed with RS512.`)
    return { kid, bits: key.asymmetricKeyDetails?.modulusLength ?? 0, alg }
  })
  const kids = new Set(shown.map(({ kid }) => kid))
  if (kids.size < shown.length) throw unusable('Two keys of the set have the same kid.')
  return shown
}

const nameOf = (kid: string | undefined) => (kid === undefined ? 'A key without a kid' : `The key ${kid.slice(0, 100)}`)
