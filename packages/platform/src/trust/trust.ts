import type { SecureContextOptions } from 'node:tls'
import type { OcspAnswer } from './ocsp.ts'

export interface CertificateRecord {
  /** Upper-case hexadecimal, as `openssl x509 -serial` and Node print it. */
  readonly serial: string
  /** Subject CN: the endpoint's fully qualified domain name. */
  readonly fqdn: string
  readonly names: readonly string[]
  readonly notBefore: number
  readonly notAfter: number
  readonly revokedAt?: number
  readonly reason?: string
}

export interface IssuedCertificate extends CertificateRecord {
  /** PEM of the leaf alone. */
  readonly certificate: string
  /** PEM: issuing CA first, root after it. */
  readonly chain: string
  /** PEM (PKCS#8); absent when a signing request was signed. */
  readonly key?: string
  /** Where the three were written for `openssl` and `curl`; key file only when we made the key. */
  readonly files: { readonly certificate: string; readonly fullChain: string; readonly key?: string }
}

/** The environment's own PKI: root → issuing CA → leaves; CRLs of both levels; all re-read on change, without a restart. */
export interface Trust {
  /** PEM files that outsiders may read. `bundle` is issuing CA then root. */
  readonly files: { readonly root: string; readonly issuing: string; readonly bundle: string; readonly crl: string }
  /** Trust anchors and CRLs (one PEM each, as Node wants) in force now. `revision` grows with every change. */
  material(): { readonly ca: readonly string[]; readonly crl: readonly string[]; readonly revision: number }
  onChange(listener: () => void): () => void
  /** Whether a leaf of our issuing CA with this serial stands on the CRL in force. Cheap enough for every request. */
  revoked(serial: string): boolean
  issue(request: {
    readonly fqdn: string
    readonly names?: readonly string[]
    readonly days?: number
    readonly notBefore?: number
  }): Promise<IssuedCertificate>
  /** Signs a PKCS#10 PEM; SpineError when its signature, key size or subject is wrong (directory specification §13.2). */
  signRequest(csr: string, options?: { readonly days?: number; readonly fqdn?: string }): Promise<IssuedCertificate>
  /** By serial, or every live certificate of an FQDN; the reason by its name in RFC 5280. Publishes a new CRL before it returns. */
  revoke(serialOrFqdn: string, reason?: string): Promise<readonly CertificateRecord[]>
  list(): readonly CertificateRecord[]
  /**
   * Certificate and key under which this process serves or calls; issued on first use, kept in the data
   * folder, renewed before it ends. The answer changes after renewal: ask again on `onChange`.
   */
  identity(fqdn: string, names?: readonly string[]): Promise<IssuedCertificate & { readonly key: string }>
  /** Answers an OCSPRequest (DER; RFC 6960); what is wrong is said in the answer. `unauthorized` with somebody else's PKI. */
  ocsp(request: Uint8Array): Promise<OcspAnswer>
  /** The OCSP response (DER) that a TLS server of ours staples for its certificate; undefined with somebody else's PKI. */
  staple(serial: string): Promise<Buffer | undefined>
  close(): Promise<void>
}

/** Ciphers and versions of directory specification §13.3, to be merged with certificate, key, CA and CRL. */
export const spineTls = {
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-GCM-SHA384',
    'DHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-SHA384',
    'DHE-RSA-AES256-SHA256',
    'DHE-RSA-AES256-SHA',
    'ECDHE-RSA-AES256-SHA',
  ].join(':'),
  dhparam: 'auto',
} as const satisfies SecureContextOptions
