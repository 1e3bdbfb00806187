import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { SpineError } from '@openspine/standards/error'

export type KeyKind = 'rsa-2048' | 'rsa-4096' | 'ec'

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const generate = promisify(generateKeyPair)

/** Generated on the thread pool: several asked for at once are made side by side. */
export function makeKeyPair(kind: KeyKind): Promise<KeyPair> {
  if (kind === 'ec') return generate('ec', { namedCurve: 'P-256' })
  return generate('rsa', { modulusLength: kind === 'rsa-4096' ? 4096 : 2048 })
}

/** PKCS#8 PEM; encrypted (PBES2, AES-256) when there is a passphrase. */
export function keyPem(key: KeyObject, passphrase?: string): string {
  const pem =
    passphrase === undefined
      ? key.export({ type: 'pkcs8', format: 'pem' })
      : key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
  return pem.toString()
}

export function readKey(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (cause) {
    throw new SpineError(
      'TRUST_KEY_LOCKED',
      { status: 500 },
      {
        cause,
        detail: 'a private key of the authority cannot be read',
        explanation:
          'The private key of the certificate authority cannot be opened: is its passphrase configured, and right?',
      },
    )
  }
}
