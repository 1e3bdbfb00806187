import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { type Cbor, readCbor } from './cbor.ts'

export { type Cbor, readCbor } from './cbor.ts'

/** COSE algorithms of passkeys that are read here: EdDSA (Ed25519), ES256 (P-256), RS256. */
export const passkeyAlgorithms = [-8, -7, -257] as const

export type PasskeyAlgorithm = (typeof passkeyAlgorithms)[number]

/** A public key as the authenticator made it known. */
export interface PasskeyKey {
  readonly algorithm: PasskeyAlgorithm
  readonly jwk: Readonly<JsonWebKey>
}

/** What the browser says that it was asked (Web Authentication §5.8.1). */
export interface ClientData {
  /** `webauthn.create` or `webauthn.get`. */
  readonly type: string
  /** base64url */
  readonly challenge: string
  readonly origin: string
  /** Whether a page of another origin had this one in a frame. */
  readonly crossOrigin: boolean
}

/** What the authenticator says (§6.1). */
export interface AuthenticatorData {
  readonly rpIdHash: Uint8Array
  readonly userPresent: boolean
  readonly userVerified: boolean
  /** Whether the passkey may be copied to other devices, and whether it has been. */
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly counter: number
  /** Of a registration alone. */
  readonly credential?: { readonly aaguid: string; readonly id: Uint8Array; readonly key: PasskeyKey | undefined }
}

/** Longest client data that are read. */
const longestClientData = 4096

/** Undefined when they are no JSON object with these members. */
export function readClientData(bytes: Uint8Array): ClientData | undefined {
  if (bytes.length > longestClientData) return undefined
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  const { type, challenge, origin, crossOrigin } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof type !== 'string' || typeof challenge !== 'string' || typeof origin !== 'string') return undefined
  if (crossOrigin !== undefined && typeof crossOrigin !== 'boolean') return undefined
  return { type, challenge, origin, crossOrigin: crossOrigin === true }
}

const flag = (flags: number, bit: number) => (flags & (1 << bit)) !== 0

/** Undefined when they are not laid out as §6.1 says, to the last octet. */
export function readAuthenticatorData(bytes: Uint8Array): AuthenticatorData | undefined {
  if (bytes.length < 37) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint8(32)
  let at = 37
  let credential: AuthenticatorData['credential']
  if (flag(flags, 6)) {
    if (bytes.length < at + 18) return undefined
    const length = view.getUint16(at + 16)
    // §7.1: an id is 1023 octets at most.
    if (length === 0 || length > 1023 || bytes.length < at + 18 + length) return undefined
    const aaguid = Buffer.from(bytes.subarray(at, at + 16)).toString('hex')
    const id = bytes.slice(at + 18, at + 18 + length)
    const key = readCbor(bytes, at + 18 + length)
    if (key === undefined) return undefined
    credential = { aaguid, id, key: keyOf(key.value) }
    at = key.end
  }
  if (flag(flags, 7)) {
    const extensions = readCbor(bytes, at)
    if (!(extensions?.value instanceof Map)) return undefined
    at = extensions.end
  }
  if (at !== bytes.length) return undefined
  return {
    rpIdHash: bytes.slice(0, 32),
    userPresent: flag(flags, 0),
    userVerified: flag(flags, 2),
    backupEligible: flag(flags, 3),
    backedUp: flag(flags, 4),
    counter: view.getUint32(33),
    ...(credential === undefined ? {} : { credential }),
  }
}

/** What a registration gives (§6.5.4): the format of the attestation statement, which is not evaluated, and the authenticator's data. */
export function readAttestation(
  bytes: Uint8Array,
): { readonly format: string; readonly statementIsEmpty: boolean; readonly data: AuthenticatorData } | undefined {
  const read = readCbor(bytes)
  if (read === undefined || read.end !== bytes.length || !(read.value instanceof Map)) return undefined
  const format: unknown = read.value.get('fmt')
  const statement: unknown = read.value.get('attStmt')
  const authData: unknown = read.value.get('authData')
  if (typeof format !== 'string' || !(statement instanceof Map) || !(authData instanceof Uint8Array)) return undefined
  const data = readAuthenticatorData(authData)
  return data === undefined ? undefined : { format, statementIsEmpty: statement.size === 0, data }
}

/** A COSE key (RFC 9053) of the algorithms above; undefined for every other, and for one that is no point or too short. */
function keyOf(value: Cbor): PasskeyKey | undefined {
  if (!(value instanceof Map)) return undefined
  const map = value as ReadonlyMap<number | string, Cbor>
  const text = (label: number, octets?: number) => {
    const part = map.get(label)
    if (!(part instanceof Uint8Array) || (octets !== undefined && part.length !== octets)) return undefined
    return Buffer.from(part).toString('base64url')
  }
  const [kind, algorithm, curve] = [map.get(1), map.get(3), map.get(-1)]
  const x = text(-2, 32)
  const y = text(-3, 32)
  let jwk: JsonWebKey | undefined
  if (kind === 1 && algorithm === -8 && curve === 6 && x !== undefined) jwk = { kty: 'OKP', crv: 'Ed25519', x }
  else if (kind === 2 && algorithm === -7 && curve === 1 && x !== undefined && y !== undefined)
    jwk = { kty: 'EC', crv: 'P-256', x, y }
  else if (kind === 3 && algorithm === -257) {
    const [n, e] = [text(-1), text(-2)]
    if (n !== undefined && e !== undefined) jwk = { kty: 'RSA', n, e }
  }
  if (jwk === undefined) return undefined
  const key = imported(jwk)
  if (key === undefined || (jwk.kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048))
    return undefined
  return { algorithm: algorithm as PasskeyAlgorithm, jwk }
}

function imported(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Whether the key signed the authenticator's data and the digest of the client data (§7.2, steps 19 and 20). */
export function passkeySigned(
  { algorithm, jwk }: PasskeyKey,
  signature: Uint8Array,
  authenticatorData: Uint8Array,
  clientDataHash: Uint8Array,
): boolean {
  const key = imported(jwk)
  if (key === undefined) return false
  const signed = Buffer.concat([authenticatorData, clientDataHash])
  try {
    return verify(algorithm === -8 ? null : 'sha256', signed, key, signature)
  } catch {
    return false
  }
}
