import { SpineError } from '@openspine/standards/error'
import type { CertificateRecord, IssuedCertificate, Trust } from './trust.ts'

/**
 * A new certificate for the endpoint of an earlier one, with the same names; signed from a request where
 * there is one (then its names are the common name alone). The old one stays in force until its own end,
 * or is revoked as superseded. SpineError `TRUST_CERTIFICATE_UNKNOWN`, `TRUST_CERTIFICATE_REVOKED` and
 * those of issuing.
 */
export async function renewCertificate(
  trust: Pick<Trust, 'list' | 'issue' | 'signRequest' | 'revoke'>,
  serialOrFqdn: string,
  options: { readonly csr?: string; readonly days?: number; readonly revokeOld?: boolean } = {},
): Promise<{ readonly issued: IssuedCertificate; readonly old: CertificateRecord }> {
  const old = toRenew(trust.list(), serialOrFqdn)
  const { fqdn, names, serial } = old
  const days = options.days === undefined ? {} : { days: options.days }
  const issued =
    options.csr === undefined
      ? await trust.issue({ fqdn, names, ...days })
      : await trust.signRequest(options.csr, { fqdn, ...days })
  if (!options.revokeOld) return { issued, old }
  const [revoked = old] = await trust.revoke(serial, 'superseded')
  return { issued, old: revoked }
}

function toRenew(records: readonly CertificateRecord[], given: string): CertificateRecord {
  const [serial, fqdn] = [given.replaceAll(':', '').toUpperCase(), given.toLowerCase()]
  const named = records.filter((record) => record.serial === serial || record.fqdn === fqdn)
  // Revoked ones are passed over: their names may have passed to somebody else.
  const newest = named.filter(({ revokedAt }) => revokedAt === undefined).at(-1)
  if (newest !== undefined) return newest
  if (named.length > 0) {
    throw new SpineError(
      'TRUST_CERTIFICATE_REVOKED',
      { status: 409 },
      { explanation: 'The certificate is revoked and cannot be renewed. Issue a new one if its holder may have one.' },
    )
  }
  throw new SpineError(
    'TRUST_CERTIFICATE_UNKNOWN',
    { status: 404 },
    { explanation: 'This environment has issued no certificate of this serial number or name.' },
  )
}
