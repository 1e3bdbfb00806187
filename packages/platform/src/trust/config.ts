import { z } from 'zod'
import type { TrustOptions } from './open.ts'

const file = (what: string) => z.string().default('').describe(what)

/** Section `trust` of the configuration. */
export const trustConfig = z.object({
  keyType: z
    .enum(['rsa', 'ec'])
    .default('rsa')
    .describe('Keys of issued certificates: RSA-2048, which the ECDHE-RSA and DHE-RSA suites need, or P-256.'),
  authorityKeys: z
    .enum(['rsa-2048', 'rsa-4096', 'ec'])
    .default('rsa-2048')
    .describe('Keys of root and issuing CA when an environment is made.'),
  passphrase: z
    .string()
    .default('')
    .describe("Encrypts the CA's private keys at rest; the same one is needed at every start.")
    .meta({ secret: true }),
  leafDays: z.int().min(1).max(1095).default(730).describe('Life of an issued certificate, in days.'),
  crlDays: z
    .int()
    .min(1)
    .max(90)
    .default(7)
    .describe("Life of the issuing CA's CRL, in days; re-issued at half of it."),
  fqdnSuffixes: z
    .array(z.string())
    .default([])
    .describe('Suffixes under which the FQDN of a signing request must lie; none: any.'),
  ocspMinutes: z
    .int()
    .min(2)
    .max(10_080)
    .default(60)
    .describe('Life of an OCSP answer, in minutes: so long may a client go on believing it.'),
  crlUrl: file(
    'http URL of the CRL distribution point in certificates; empty: /pki/issuing.crl at the door pki, where it is open on a fixed port; none: -.',
  ),
  caIssuersUrl: file(
    'http URL of the issuing certificate in certificates; empty: /pki/issuing.cer at the door pki; none: -.',
  ),
  ocspUrl: file('http URL of the OCSP responder in certificates; empty: /ocsp at the door pki; none: -.'),
  rootFile: file("PEM of somebody else's root: then that PKI is used, and nothing is issued or revoked here."),
  issuingFile: file('PEM of its issuing CAs.'),
  crlFile: file('PEM of the CRLs of every CA above.'),
  certificateFile: file(
    'PEM of the certificate with its chain under which every server and client of this process stands, with such a PKI.',
  ),
  keyFile: file('PEM of its private key.'),
})

/** The settings as `openTrust` takes them. */
export function trustSettings(
  config: z.infer<typeof trustConfig>,
  /** `http://host:port` of the door `pki`; absent: it has no address that a certificate could carry. */
  pkiUrl?: string,
): Partial<TrustOptions> {
  const {
    passphrase,
    crlUrl,
    caIssuersUrl,
    ocspUrl,
    rootFile,
    issuingFile,
    crlFile,
    certificateFile,
    keyFile,
    ...rest
  } = config
  const url = (name: 'crlUrl' | 'caIssuersUrl' | 'ocspUrl', given: string, path: string) => {
    const found = given === '' && pkiUrl !== undefined ? pkiUrl + path : given
    return found === '' || found === '-' ? {} : { [name]: found }
  }
  return {
    ...rest,
    ...(passphrase === '' ? {} : { passphrase }),
    ...url('crlUrl', crlUrl, '/pki/issuing.crl'),
    ...url('caIssuersUrl', caIssuersUrl, '/pki/issuing.cer'),
    ...url('ocspUrl', ocspUrl, '/ocsp'),
    ...(rootFile === ''
      ? {}
      : {
          trustFiles: {
            root: rootFile,
            crl: crlFile,
            ...(issuingFile === '' ? {} : { issuing: issuingFile }),
            ...(certificateFile === '' ? {} : { identities: { '*': { certificate: certificateFile, key: keyFile } } }),
          },
        }),
  }
}
