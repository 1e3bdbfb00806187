import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** An authenticator without a device: for tests of what a relying party refuses. */

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()

const octets = (value: number, length: number) => {
  const bytes = Buffer.alloc(length)
  bytes.writeUIntBE(value, 0, length)
  return bytes
}

const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
const byteString = (bytes: Uint8Array) => Buffer.concat([Buffer.from([0x59]), octets(bytes.length, 2), bytes])

/** What a test spoils. */
export interface Spoilt {
  readonly type?: string
  readonly challenge?: string
  readonly origin?: string
  readonly crossOrigin?: boolean
  readonly rpId?: string
  readonly flags?: number
  readonly counter?: number
  readonly userHandle?: string
  readonly statement?: boolean
  readonly rawId?: string
  readonly signature?: Uint8Array
}

/** User present and verified. */
const good = 0b0000_0101
const attested = 0b0100_0000

export function softAuthenticator(about: { readonly rpId: string; readonly origin: string }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const id = sha256(x)
  let counter = 0

  const clientData = (type: string, options: Readonly<Record<string, unknown>>, spoilt: Spoilt) =>
    Buffer.from(
      JSON.stringify({
        type: spoilt.type ?? type,
        challenge: spoilt.challenge ?? options['challenge'],
        origin: spoilt.origin ?? about.origin,
        crossOrigin: spoilt.crossOrigin ?? false,
      }),
    )
  const data = (flags: number, spoilt: Spoilt, ...rest: readonly Uint8Array[]) => {
    counter = spoilt.counter ?? counter + 1
    return Buffer.concat([sha256(spoilt.rpId ?? about.rpId), Buffer.from([flags]), octets(counter, 4), ...rest])
  }
  const encoded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

  return {
    id: encoded(id),
    /** RegistrationResponseJSON for PublicKeyCredentialCreationOptionsJSON. */
    create(options: Readonly<Record<string, unknown>>, spoilt: Spoilt = {}): string {
      const key = Buffer.concat([
        Buffer.from('a5010203262001', 'hex'),
        Buffer.from([0x21]),
        byteString(Buffer.from(x, 'base64url')),
        Buffer.from([0x22]),
        byteString(Buffer.from(y, 'base64url')),
      ])
      const authData = data((spoilt.flags ?? good) | attested, spoilt, Buffer.alloc(16), octets(id.length, 2), id, key)
      const statement = spoilt.statement
        ? Buffer.concat([Buffer.from([0xa1]), text('x'), text('y')])
        : Buffer.from([0xa0])
      const attestationObject = Buffer.concat([
        Buffer.from([0xa3]),
        text('fmt'),
        text('none'),
        text('attStmt'),
        statement,
        text('authData'),
        byteString(authData),
      ])
      return JSON.stringify({
        id: encoded(id),
        rawId: spoilt.rawId ?? encoded(id),
        type: 'public-key',
        response: {
          clientDataJSON: encoded(clientData('webauthn.create', options, spoilt)),
          attestationObject: encoded(attestationObject),
          transports: ['internal'],
        },
        clientExtensionResults: {},
      })
    },
    /** AuthenticationResponseJSON for PublicKeyCredentialRequestOptionsJSON. */
    get(options: Readonly<Record<string, unknown>>, spoilt: Spoilt = {}): string {
      const client = clientData('webauthn.get', options, spoilt)
      const authenticatorData = data(spoilt.flags ?? good, spoilt)
      const signature =
        spoilt.signature ?? sign('sha256', Buffer.concat([authenticatorData, sha256(client)]), privateKey)
      return JSON.stringify({
        id: encoded(id),
        rawId: spoilt.rawId ?? encoded(id),
        type: 'public-key',
        response: {
          clientDataJSON: encoded(client),
          authenticatorData: encoded(authenticatorData),
          signature: encoded(signature),
          ...(spoilt.userHandle === undefined ? {} : { userHandle: spoilt.userHandle }),
        },
        clientExtensionResults: {},
      })
    },
  }
}
