import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'
import type { Grant } from '../clients.ts'

/** What of a grant is itself a credential, or proves who somebody is. */
export type Secrets = Pick<Grant, 'idToken' | 'externalAccessToken'>

const nonceOctets = 12
const tagOctets = 16

const keyOf = (token: string) => Buffer.from(hkdfSync('sha256', token, '', 'openspine gateway grant', 32))

/**
 * Secrets as the store keeps them: readable with the token alone, of which the store has only a digest. Each token seals
 * its own copy. AES-256-GCM under a key derived from the token.
 */
export function seal(secrets: Secrets, token: string, random: Random): string {
  const nonce = random.bytes(nonceOctets)
  const cipher = createCipheriv('aes-256-gcm', keyOf(token), nonce)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(secrets), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** Throws when it was sealed with another token, or was changed. */
export function unseal(sealed: string, token: string): Secrets {
  const octets = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(token), octets.subarray(0, nonceOctets))
  decipher.setAuthTag(octets.subarray(nonceOctets, nonceOctets + tagOctets))
  const text = Buffer.concat([decipher.update(octets.subarray(nonceOctets + tagOctets)), decipher.final()])
  return JSON.parse(text.toString('utf8'))
}

/** A grant without its secrets, and those apart where it has any. */
export function apart(grant: Grant): { readonly grant: Grant; readonly secrets: Secrets | undefined } {
  const { idToken, externalAccessToken, ...rest } = grant
  if (idToken === undefined && externalAccessToken === undefined) return { grant, secrets: undefined }
  return {
    grant: rest,
    secrets: {
      ...(idToken === undefined ? {} : { idToken }),
      ...(externalAccessToken === undefined ? {} : { externalAccessToken }),
    },
  }
}
