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

/**
 * Reads the peer of a connection: once, when it is made. A resumed session brings the verdict of its
 * first handshake with it and never sees the CRL, so chain, dates and revocation are looked at here
 * again; and per request with `stillValid`.
 */
export function peerOf(
  socket: Pick<TLSSocket, 'authorized' | 'authorizationError' | 'getPeerX509Certificate'>,
  trust: TrustInForce,
  clock: Clock,
): Peer {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return { state: 'none' }
  const about = readCertificate(certificate)
  if (!socket.authorized) {
    return { state: 'invalid', reason: reasonOf(socket.authorizationError), ...about }
  }
  for (const authority of trust.material().ca) {
    const issuer = new X509Certificate(authority)
    if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) {
      const authoritySerial = issuer.serialNumber
      return peerNow({ state: 'valid', authority, authoritySerial, ...about }, trust, clock)
    }
  }
  return { state: 'invalid', reason: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', ...about }
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
