import { constants, createHash, X509Certificate } from 'node:crypto'
import type { Server, TlsOptions } from 'node:tls'
import type { Logger } from '../log.ts'
import type { IssuedCertificate, Trust } from '../trust/trust.ts'
import { spineTls } from '../trust/trust.ts'

/**
 * `none`: no client certificate is asked for. `report`: asked for, and the application answers for a
 * missing or bad one (495, 496). `refuse`: without a good one there is no connection.
 */
export type Mutual = 'none' | 'report' | 'refuse'

export interface ServerTlsOptions {
  readonly mutual: Mutual
  /** `TLSv1.2` where a conformity profile pins it. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** 48 octets; the same in every process behind one name, or sessions do not resume between them. */
  readonly ticketKeys?: Buffer
}

/** Sessions may be resumed for so long. Revocation is looked at per request all the same. */
const sessionSeconds = 300
const handshakeMs = 10_000

/** Options of a TLS or HTTPS server under §13.3: certificate, ciphers, client CAs and CRLs in force now. */
export function serverTls(
  trust: Pick<Trust, 'material'>,
  identity: Pick<IssuedCertificate, 'fqdn' | 'certificate' | 'chain'> & { readonly key: string },
  options: ServerTlsOptions,
): TlsOptions {
  const { mutual } = options
  const { ca, crl } = trust.material()
  return {
    ...spineTls,
    ...(options.maxVersion === undefined ? {} : { maxVersion: options.maxVersion }),
    // Renegotiation could change the peer in the middle of a connection.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    cert: identity.certificate + withoutRoot(identity.chain),
    key: identity.key,
    handshakeTimeout: handshakeMs,
    sessionTimeout: sessionSeconds,
    // A session made without a client certificate must not be taken up where one is asked for.
    sessionIdContext: createHash('sha256').update(`${identity.fqdn} ${mutual}`).digest('hex').slice(0, 32),
    ...(options.ticketKeys === undefined ? {} : { ticketKeys: options.ticketKeys }),
    ...(mutual === 'none'
      ? {}
      : { ca: [...ca], crl: [...crl], requestCert: true, rejectUnauthorized: mutual === 'refuse' }),
  }
}

/** Whoever verifies us has the root already. */
function withoutRoot(chain: string): string {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? []
  return blocks
    .filter((block) => {
      const { subject, issuer } = new X509Certificate(block)
      return subject !== issuer
    })
    .join('')
}

/**
 * Keeps a listening server's certificate, client CAs and CRLs as they are in `trust`, without a
 * restart: new connections meet the new ones. Answers how to stop.
 */
export function followTrust(
  server: Pick<Server, 'setSecureContext'>,
  trust: Pick<Trust, 'material' | 'identity' | 'onChange'>,
  identity: { readonly fqdn: string; readonly names?: readonly string[] },
  options: ServerTlsOptions,
  log: Logger,
): () => void {
  let stopped = false
  let turn: Promise<void> = Promise.resolve()
  async function takeOver() {
    if (stopped) return
    try {
      const current = await trust.identity(identity.fqdn, identity.names)
      if (!stopped) server.setSecureContext(serverTls(trust, current, options))
    } catch (error) {
      log.error({ err: error, fqdn: identity.fqdn }, 'the door keeps its earlier certificate and CRL')
    }
  }
  const forget = trust.onChange(() => {
    turn = turn.then(takeOver)
  })
  return () => {
    stopped = true
    forget()
  }
}
