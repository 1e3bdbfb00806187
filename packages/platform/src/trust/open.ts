import type { Clock, Random } from '../clock.ts'
import type { Logger } from '../log.ts'
import type { HealthReport } from '../service.ts'
import type { ReadCrl } from './authority.ts'
import type { Expiry } from './expiry.ts'
import { openExternalTrust } from './external-trust.ts'
import type { KeyKind } from './keys.ts'
import { openOwnTrust } from './own-trust.ts'
import type { Trust } from './trust.ts'

export { trustConfig, trustSettings } from './config.ts'
export { endingSoon } from './expiry.ts'
export type { KeyKind } from './keys.ts'
export type { OcspAnswer } from './ocsp.ts'
export { revocationReasons } from './reasons.ts'
export { renewCertificate } from './renew.ts'
export { requestChecks } from './request-checks.ts'
export type { CertificateRecord, IssuedCertificate, Trust } from './trust.ts'
export { spineTls } from './trust.ts'

/** Files of a PKI that somebody else runs. They are read again whenever they change. */
export interface TrustFiles {
  /** PEM: one or more trust anchors. */
  readonly root: string
  /** PEM: the CAs between them and the endpoints; absent when the root issues itself. */
  readonly issuing?: string
  /** PEM: the CRL of every CA above, in one file or several. Without one of them every client is refused. */
  readonly crl: string | readonly string[]
  /** Certificate (PEM, its chain after it) and private key (PEM) by FQDN; `*` stands for every other name. */
  readonly identities?: Readonly<Record<string, { readonly certificate: string; readonly key: string }>>
}

export interface TrustOptions {
  /** Folder of certificates, keys, CRL and register; made when it is missing. */
  readonly directory: string
  /** Stands as organisation (O) in every certificate; a folder of another environment is refused. */
  readonly environment: string
  readonly clock: Clock
  readonly log: Logger
  readonly random?: Random
  /** Keys of leaves. RSA-2048 (default) serves the ECDHE-RSA and DHE-RSA suites of §13.3; `ec` is P-256. */
  readonly keyType?: 'rsa' | 'ec'
  /** Keys of root and issuing CA of a new environment. RSA-2048 by default: as in live, and made in a tenth of a second. */
  readonly authorityKeys?: KeyKind
  /** Encrypts the private keys of the authority (not those of leaves: curl and openssl read them). */
  readonly passphrase?: string
  /** Life of a leaf in days; 730 by default. */
  readonly leafDays?: number
  /** Life of the issuing CA's CRL in days (7), and of the root's (90). Re-issued at half of it. */
  readonly crlDays?: number
  readonly rootCrlDays?: number
  /** Suffixes under which the FQDN of a signing request must lie (`.nhs.uk` in live); none: any. */
  readonly fqdnSuffixes?: readonly string[]
  /** http URLs of CRL and issuing certificate that leaves point to; none by default. */
  readonly crlUrl?: string
  readonly caIssuersUrl?: string
  /** http URL of the OCSP responder that leaves point to; none by default. */
  readonly ocspUrl?: string
  /** Life of an OCSP answer in minutes; 60 by default. */
  readonly ocspMinutes?: number
  /** Refuses to open without a passphrase. */
  readonly passphraseNeeded?: boolean
  /** Uses the PKI of somebody else; then nothing is issued or revoked here. */
  readonly trustFiles?: TrustFiles
}

export interface OpenTrust extends Trust {
  /** Warns 30, 7 and 1 days before a certificate or CRL in use ends; fails when one has ended. */
  health(): HealthReport
  /** What this process stands on and when it ends, for metrics. */
  expiries(): readonly Expiry[]
  /** The CRLs in force: the issuing CA's, then the root's. */
  crls(): Promise<readonly ReadCrl[]>
  /** Signs new CRLs now, the root's too where its key is here. */
  publishCrls(): Promise<void>
  /** Looks at the files now instead of at the next turn (twice a second). */
  refresh(): Promise<void>
}

/**
 * Opens the environment's trust folder, making root and issuing CA when it is fresh. Any number of
 * processes may open and change the same folder; each sees the changes of the others within a second.
 * SpineError `TRUST_…` when the folder belongs to another environment or is damaged.
 *
 * @example
 * const trust = await openTrust({ directory: '.openspine/trust', environment: 'local', clock, log })
 * const { files } = await trust.issue({ fqdn: 'gp.example.test' })
 */
export function openTrust(options: TrustOptions): Promise<OpenTrust> {
  return options.trustFiles === undefined
    ? openOwnTrust(options)
    : openExternalTrust({ ...options, trustFiles: options.trustFiles })
}
