import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import type { Random } from '@openspine/platform/clock'

/** What a secret is found by in the store. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

const keyOf = (secret: string) => Buffer.from(hkdfSync('sha256', secret, '', 'openspine identity sealed', 32))

/** A value that only who knows the secret can read again: it may lie beside the secret's digest. */
export function seal(secret: string, value: unknown, random: Random): string {
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), nonce)
  const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')
}

/** Throws when the secret is another, or the text was changed. */
export function unseal<Value>(secret: string, sealed: string): Value {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(bytes.subarray(12, 28))
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')) as Value
}
