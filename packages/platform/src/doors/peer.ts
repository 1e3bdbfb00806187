import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import type { Trust } from '../trust/trust.ts'

/** What a certificate says about its bearer. Believe it only when the peer's state is `valid`. */
export interface PeerCertificate {
  /** Subject CN in lower case; empty when there is none, or several. */
  readonly fqdn: string
  /** CN and every dNSName, in lower case. */
  readonly names: readonly string[]
  /** Upper-case hexadecimal. */
  readonly serial: string
  /** Issuer's distinguished name, `C=GB, O=…, CN=…`. */
  readonly issuer: string
  readonly notBefore: number
  readonly notAfter: number
}

/**
 * Who is at the other end of a mutual TLS connection. `reason` of an invalid one is the code of
 * OpenSSL (`CERT_REVOKED`, `CERT_HAS_EXPIRED`, `SELF_SIGNED_CERT_IN_CHAIN`, …).
 * For the secure proxy: `none` is its 496, `invalid` its 495.
 */
export type Peer =
  | { readonly state: 'none' }
  | ({ readonly state: 'invalid'; readonly reason: string } & PeerCertificate)
  | ({
      readonly state: 'valid'
      /** PEM of the authority that issued it, which must stay among those in force, and that authority's serial. */
      readonly authority: string
      readonly authoritySerial: string
    } & PeerCertificate)

type TrustInForce = Pick<Trust, 'material' | 'revoked'>

type Connected = Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>

/** What follows from the bytes of a certificate alone. */
interface KnownCertificate {
  readonly about: PeerCertificate
  /** Distinguished name of its bearer, `C=GB, O=…, CN=…`. */
  readonly subject: string
  /** Who signed it, of those that were in force then. */
  issuer: { readonly authority: string; readonly authoritySerial: string } | undefined
}

/**
 * Certificates that have been read, by their SHA-256. To take one apart and to verify its signature takes longer than
 * a resumed handshake. Nothing that may change is remembered: dates, revocation and whether the authority is still in
 * force are asked each time.
 */
const known = new Map<string, KnownCertificate>()
const mostKnown = 2_000

/**
 * Reads the peer of a connection: once, when it is made. A resumed session brings the verdict of its
 * first handshake with it and never sees the CRL, so chain, dates and revocation are looked at here
 * again; and per request with `stillValid`.
 */
export function peerOf(socket: Connected, trust: TrustInForce, clock: Clock): Peer {
  return peerAndSubject(socket, trust, clock).peer
}

/** The same, with the distinguished name of its certificate (`C=GB, O=…, CN=…`); empty when there is none. */
export function peerAndSubject(
  socket: Connected,
  trust: TrustInForce,
  clock: Clock,
): { readonly peer: Peer; readonly subject: string } {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return { peer: { state: 'none' }, subject: '' }
  const found = knownCertificate(certificate)
  const { about, subject } = found
  if (!socket.authorized)
    return { peer: { state: 'invalid', reason: reasonOf(socket.authorizationError), ...about }, subject }
  const { ca } = trust.material()
  if (found.issuer === undefined || !ca.includes(found.issuer.authority)) found.issuer = issuerOf(certificate, ca)
  const peer: Peer =
    found.issuer === undefined
      ? { state: 'invalid', reason: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ...about }
      : peerNow({ state: 'valid', ...found.issuer, ...about }, trust, clock)
  return { peer, subject }
}

function knownCertificate(certificate: X509Certificate): KnownCertificate {
  const { fingerprint256 } = certificate
  const there = known.get(fingerprint256)
  if (there !== undefined) return there
  if (known.size >= mostKnown) known.clear()
  const subject = (certificate.subject ?? '').replaceAll('\n', ', ')
  const found = { about: readCertificate(certificate), subject, issuer: undefined }
  known.set(fingerprint256, found)
  return found
}

function issuerOf(certificate: X509Certificate, ca: readonly string[]): KnownCertificate['issuer'] {
  for (const authority of ca) {
    const issuer = new X509Certificate(authority)
    if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))
      return { authority, authoritySerial: issuer.serialNumber }
  }
  return undefined
}

/** The same peer as it stands at this moment: two set look-ups and two comparisons. An invalid peer stays so. */
export function peerNow(peer: Peer, trust: TrustInForce, clock: Clock): Peer {
  if (peer.state !== 'valid') return peer
  const now = clock.now()
  let reason: string
  if (trust.revoked(peer.serial) || trust.revoked(peer.authoritySerial)) reason = 'CERT_REVOKED'
  else if (now >= peer.notAfter) reason = 'CERT_HAS_EXPIRED'
  else if (now < peer.notBefore) reason = 'CERT_NOT_YET_VALID'
  else if (!trust.material().ca.includes(peer.authority)) reason = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
  else return peer
  const { fqdn, names, serial, issuer, notBefore, notAfter } = peer
  return { state: 'invalid', reason, fqdn, names, serial, issuer, notBefore, notAfter }
}

/** Whether the peer may still be served: to be asked for every request. */
export function stillValid(peer: Peer, trust: TrustInForce, clock: Clock): boolean {
  return peerNow(peer, trust, clock).state === 'valid'
}

function readCertificate(certificate: X509Certificate): PeerCertificate {
  const commonNames = [...certificate.subject.matchAll(/^CN=(.*)$/gm)].map((match) => match[1] ?? '')
  const fqdn = commonNames.length === 1 ? (commonNames[0] ?? '').toLowerCase() : ''
  const alternatives = dnsNames(certificate.subjectAltName ?? '').map((name) => name.toLowerCase())
  return {
    fqdn,
    names: [...new Set(fqdn === '' ? alternatives : [fqdn, ...alternatives])],
    serial: certificate.serialNumber,
    issuer: certificate.issuer.replaceAll('\n', ', '),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  }
}

/** Node puts names with odd characters in quotes: they are passed over whole, for a quoted text may contain anything. */
function dnsNames(text: string): string[] {
  const found: string[] = []
  for (const [, kind, value] of text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/g)) {
    if (kind === 'DNS' && value !== undefined && /^[A-Za-z0-9.*-]+$/.test(value)) found.push(value)
  }
  return found
}

function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.message
  return 'CERT_REJECTED'
}
