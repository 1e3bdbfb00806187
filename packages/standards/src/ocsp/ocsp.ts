import { SpineError } from '../error.ts'
import { BerReader, octetString, tags, tlv } from '../ldap/ber.ts'

/**
 * OCSP messages (RFC 6960, in the profile of RFC 5019): requests are read, responses written, nothing is
 * signed or hashed here. Every bound is on the safe side of what clients send.
 */

/** Largest request that is read, in octets, and most certificates that one may ask about. */
export const ocspLimits = { bytes: 8_192, certificates: 32, nonce: 32 } as const

/** OCSPResponseStatus (RFC 6960 §4.2.1) of the answers that carry no response. */
export const ocspFailures = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const
export type OcspFailure = keyof typeof ocspFailures

/** What went wrong, as the wire says it. */
export interface OcspOutcome {
  readonly status: OcspFailure
}

/** CertID (RFC 6960 §4.1.1). Hashes are raw octets; the serial is upper-case hexadecimal without the sign octet. */
export interface CertificateId {
  /** Node's name of the digest; absent when it is none that we know. */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly issuerNameHash: Buffer
  readonly issuerKeyHash: Buffer
  readonly serial: string
  /** The element as it was sent: a response repeats it octet by octet. */
  readonly der: Buffer
}

export interface OcspRequest {
  readonly certificates: readonly CertificateId[]
  /** 1 to 32 octets (RFC 8954 §2.1). */
  readonly nonce?: Buffer
}

export type CertificateStatus =
  | { readonly status: 'good' | 'unknown' }
  /** Milliseconds since the epoch; CRLReason as a number (RFC 5280 §5.3.1), absent for unspecified. */
  | { readonly status: 'revoked'; readonly at: number; readonly reason?: number }

export type SingleResponse = CertificateStatus & { readonly id: CertificateId }

const digests: Readonly<Record<string, NonNullable<CertificateId['digest']>>> = {
  '2b0e03021a': 'sha1',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
}
const digestOids = Object.fromEntries(Object.entries(digests).map(([oid, name]) => [name, Buffer.from(oid, 'hex')]))

const oid = 0x06
const bitString = 0x03
const generalizedTime = 0x18
/** id-pkix-ocsp-nonce and id-pkix-ocsp-basic. */
const nonceOid = Buffer.from('2b0601050507300102', 'hex')
const basicOid = Buffer.from('2b0601050507300101', 'hex')
const context = (number: number) => 0xa0 | number

function malformed(explanation: string, cause?: unknown): SpineError<OcspOutcome> {
  return new SpineError(
    'OCSP_REQUEST_MALFORMED',
    { status: 'malformedRequest' },
    { explanation, ...(cause === undefined ? {} : { cause }) },
  )
}

/**
 * Reads an OCSPRequest (DER). A signature on it is not looked at: the answer is the same for everyone.
 * SpineError `OCSP_REQUEST_MALFORMED`.
 */
export function readOcspRequest(bytes: Uint8Array): OcspRequest {
  if (bytes.length > ocspLimits.bytes) throw malformed(`The request is longer than ${ocspLimits.bytes} octets.`)
  try {
    return readRequest(new BerReader(bytes))
  } catch (error) {
    if (error instanceof SpineError && error.code === 'OCSP_REQUEST_MALFORMED') throw error
    throw malformed('The octets are no OCSP request.', error)
  }
}

function readRequest(reader: BerReader): OcspRequest {
  const whole = reader.enter(tags.sequence)
  const tbs = reader.enter(tags.sequence)
  if (reader.peek() === context(0)) {
    const version = reader.enter(context(0))
    if (reader.integer() !== 0) throw malformed('Only version 1 of OCSP is spoken here.')
    reader.leave(version)
  }
  if (reader.peek() === context(1)) reader.skip()
  const list = reader.enter(tags.sequence)
  const certificates: CertificateId[] = []
  while (!reader.done) {
    if (certificates.length === ocspLimits.certificates) {
      throw malformed(`One request asks about at most ${ocspLimits.certificates} certificates.`)
    }
    const one = reader.enter(tags.sequence)
    certificates.push(readCertificateId(reader))
    reader.leave(one)
  }
  if (certificates.length === 0) throw malformed('The request asks about no certificate.')
  reader.leave(list)
  const nonce = reader.peek() === context(2) ? readNonce(reader) : undefined
  if (!reader.done) throw malformed('Something stands in the request that does not belong there.')
  reader.leave(tbs)
  if (reader.peek() === context(0)) reader.skip()
  if (!reader.done) throw malformed('Something follows the request proper.')
  reader.leave(whole)
  if (!reader.done) throw malformed('Something follows the request.')
  return { certificates, ...(nonce === undefined ? {} : { nonce }) }
}

function readCertificateId(reader: BerReader): CertificateId {
  const begin = reader.position
  const id = reader.enter(tags.sequence)
  const algorithm = reader.enter(tags.sequence)
  const digest = digests[reader.octets(oid).toString('hex')]
  reader.leave(algorithm)
  const issuerNameHash = reader.octets()
  const issuerKeyHash = reader.octets()
  const number = reader.octets(tags.integer)
  if (number.length === 0 || number.length > 21) throw malformed('A serial number has 1 to 20 octets.')
  if (!reader.done) throw malformed('A certificate is named by four things.')
  const serial = number
    .toString('hex')
    .toUpperCase()
    .replace(/^(00)+(?=..)/, '')
  reader.leave(id)
  const der = reader.bytes.subarray(begin, reader.position)
  return { issuerNameHash, issuerKeyHash, serial, der, ...(digest === undefined ? {} : { digest }) }
}

function readNonce(reader: BerReader): Buffer | undefined {
  let nonce: Buffer | undefined
  const tagged = reader.enter(context(2))
  const extensions = reader.enter(tags.sequence)
  while (!reader.done) {
    const extension = reader.enter(tags.sequence)
    const name = reader.octets(oid)
    const critical = reader.peek() === tags.boolean && reader.boolean()
    const value = reader.octets()
    reader.leave(extension)
    if (name.equals(nonceOid)) {
      if (nonce !== undefined) throw malformed('The nonce stands there twice.')
      nonce = new BerReader(value).octets()
      if (nonce.length === 0 || nonce.length > ocspLimits.nonce) {
        throw malformed(`A nonce has 1 to ${ocspLimits.nonce} octets (RFC 8954).`)
      }
    } else if (critical) throw malformed('A critical extension of the request is not known here.')
  }
  reader.leave(extensions)
  reader.leave(tagged)
  return nonce
}

/** The CertID by which RFC 5019 names a certificate, from its issuer's hashes: for stapling, and for clients. */
export function certificateId(about: {
  readonly digest: NonNullable<CertificateId['digest']>
  readonly issuerNameHash: Buffer
  readonly issuerKeyHash: Buffer
  readonly serial: string
}): CertificateId {
  const digits = about.serial.length % 2 === 1 ? `0${about.serial}` : about.serial
  const number = Buffer.from(Number.parseInt(digits.slice(0, 2), 16) > 0x7f ? `00${digits}` : digits, 'hex')
  const der = tlv(
    tags.sequence,
    tlv(tags.sequence, tlv(oid, digestOids[about.digest] as Buffer), tlv(tags.null)),
    octetString(about.issuerNameHash),
    octetString(about.issuerKeyHash),
    tlv(tags.integer, number),
  )
  return { ...about, der }
}

/** A request of ours. */
export function writeOcspRequest({ certificates, nonce }: OcspRequest): Buffer {
  const list = tlv(tags.sequence, ...certificates.map(({ der }) => tlv(tags.sequence, der)))
  const extensions = nonce === undefined ? [] : [tlv(context(2), nonceExtension(nonce))]
  return tlv(tags.sequence, tlv(tags.sequence, list, ...extensions))
}

function nonceExtension(nonce: Buffer): Buffer {
  return tlv(tags.sequence, tlv(tags.sequence, tlv(oid, nonceOid), octetString(octetString(nonce))))
}

/** ResponseData (RFC 6960 §4.2.1): what is signed. Times in milliseconds; the responder is named by the SHA-1 of its key. */
export function writeResponseData(about: {
  readonly responderKeyHash: Buffer
  readonly producedAt: number
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly responses: readonly SingleResponse[]
  readonly nonce?: Buffer
}): Buffer {
  const singles = about.responses.map((one) =>
    tlv(tags.sequence, one.id.der, statusOf(one), time(about.thisUpdate), tlv(context(0), time(about.nextUpdate))),
  )
  return tlv(
    tags.sequence,
    tlv(context(2), octetString(about.responderKeyHash)),
    time(about.producedAt),
    tlv(tags.sequence, ...singles),
    ...(about.nonce === undefined ? [] : [tlv(context(1), nonceExtension(about.nonce))]),
  )
}

function statusOf(status: CertificateStatus): Buffer {
  if (status.status !== 'revoked') return tlv(status.status === 'good' ? 0x80 : 0x82)
  const reason =
    status.reason === undefined ? [] : [tlv(context(0), tlv(tags.enumerated, Uint8Array.of(status.reason)))]
  return tlv(context(1), time(status.at), ...reason)
}

/** GeneralizedTime without fraction, as DER wants it. */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().slice(0, 19).replace(/[-T:]/g, '')
  return tlv(generalizedTime, Buffer.from(`${digits}Z`, 'latin1'))
}

const algorithms = {
  rsa: tlv(tags.sequence, tlv(oid, Buffer.from('2a864886f70d01010b', 'hex')), tlv(tags.null)),
  ec: tlv(tags.sequence, tlv(oid, Buffer.from('2a8648ce3d040302', 'hex'))),
} as const

/** A successful OCSPResponse around signed ResponseData; signatures are by SHA-256 with RSA or ECDSA. */
export function writeOcspResponse(responseData: Buffer, kind: keyof typeof algorithms, signature: Buffer): Buffer {
  const basic = tlv(
    tags.sequence,
    responseData,
    algorithms[kind],
    tlv(bitString, Buffer.concat([Buffer.of(0), signature])),
  )
  return tlv(
    tags.sequence,
    tlv(tags.enumerated, Uint8Array.of(0)),
    tlv(context(0), tlv(tags.sequence, tlv(oid, basicOid), octetString(basic))),
  )
}

/** An OCSPResponse that only says what is wrong. */
export function writeOcspFailure(failure: OcspFailure): Buffer {
  return tlv(tags.sequence, tlv(tags.enumerated, Uint8Array.of(ocspFailures[failure])))
}

/** Subject (DER of the Name) and public key (content of its BIT STRING) of a certificate: what CertIDs hash. */
export function subjectAndKey(certificate: Uint8Array): { readonly subject: Buffer; readonly key: Buffer } {
  const reader = new BerReader(certificate)
  reader.enter(tags.sequence)
  reader.enter(tags.sequence)
  if (reader.peek() === context(0)) reader.skip()
  for (let field = 0; field < 4; field++) reader.skip()
  const begin = reader.position
  reader.skip()
  const subject = reader.bytes.subarray(begin, reader.position)
  reader.enter(tags.sequence)
  reader.skip()
  return { subject, key: reader.octets(bitString).subarray(1) }
}
