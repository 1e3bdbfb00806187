import 'reflect-metadata'
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { KeyPair } from './keys.ts'
import { reasonNumber } from './reasons.ts'

/**
 * How certificates and CRLs are made; loaded only when one has to be, for the library costs a restart
 * a fifth of a second. Shapes: directory specification §13.1 and §13.2.
 */

const day = 86_400_000
/** Clocks of other machines may lag behind ours. */
const skew = 5 * 60_000
const rootDays = 20 * 365
const issuingDays = 10 * 365

export interface AuthorityKey {
  readonly certificate: x509.X509Certificate
  readonly key: webcrypto.CryptoKey
}

export interface LeafRequest {
  readonly serial: string
  readonly fqdn: string
  readonly names: readonly string[]
  readonly publicKey: KeyObject
  readonly notBefore: number
  readonly notAfter: number
  readonly environment: string
  readonly crlUrl?: string
  readonly caIssuersUrl?: string
  readonly ocspUrl?: string
}

function algorithmOf(key: KeyObject) {
  return key.asymmetricKeyType === 'ec'
    ? { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
}

function importPrivate(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithmOf(key), false, [
    'sign',
  ])
}

function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), algorithmOf(key), true, [
    'verify',
  ])
}

/** RDNs in the order of the encoding: country or organisation first, common name last. */
function subject(...parts: readonly (readonly [string, string])[]): x509.JsonName {
  return parts.map(([type, value]) => ({ [type]: [value] }))
}

export async function loadAuthority(certificate: string, key: KeyObject): Promise<AuthorityKey> {
  return { certificate: new x509.X509Certificate(certificate), key: await importPrivate(key) }
}

/** Root and issuing CA of a new environment. */
export async function makeAuthority(about: {
  readonly environment: string
  readonly now: number
  readonly root: KeyPair
  readonly issuing: KeyPair
  readonly serials: readonly [string, string]
}): Promise<{ readonly root: AuthorityKey; readonly issuing: AuthorityKey }> {
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
  const notBefore = new Date(about.now - skew)
  const [rootPublic, rootPrivate, issuingPublic, issuingPrivate] = await Promise.all([
    importPublic(about.root.publicKey),
    importPrivate(about.root.privateKey),
    importPublic(about.issuing.publicKey),
    importPrivate(about.issuing.privateKey),
  ])
  const named = (name: string) => subject(['C', 'GB'], ['O', about.environment], ['OU', 'CA'], ['CN', name])
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: about.serials[0],
    name: named('OpenSpine Root Authority'),
    notBefore,
    notAfter: new Date(about.now + rootDays * day),
    keys: { publicKey: rootPublic, privateKey: rootPrivate },
    signingAlgorithm: algorithmOf(about.root.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(rootPublic),
    ],
  })
  const issuing = await x509.X509CertificateGenerator.create({
    serialNumber: about.serials[1],
    subject: named('OpenSpine Issuing Authority'),
    issuer: root.subjectName,
    notBefore,
    notAfter: new Date(about.now + issuingDays * day),
    publicKey: issuingPublic,
    signingKey: rootPrivate,
    signingAlgorithm: algorithmOf(about.root.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages, true),
      await x509.SubjectKeyIdentifierExtension.create(issuingPublic),
      await x509.AuthorityKeyIdentifierExtension.create(rootPublic),
    ],
  })
  return { root: { certificate: root, key: rootPrivate }, issuing: { certificate: issuing, key: issuingPrivate } }
}

function signingAlgorithm(key: webcrypto.CryptoKey) {
  return { name: key.algorithm.name, hash: 'SHA-256' }
}

/** An endpoint's certificate, PEM: client and server at once, for an MHS is both. */
export async function signLeaf(issuing: AuthorityKey, leaf: LeafRequest): Promise<string> {
  const { KeyUsageFlags: usage } = x509
  const rsa = leaf.publicKey.asymmetricKeyType === 'rsa'
  const spki = leaf.publicKey.export({ type: 'spki', format: 'der' })
  const publicKey = new x509.PublicKey(spki)
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    // An EC key cannot encipher a key (RFC 5480 §3).
    new x509.KeyUsagesExtension(usage.digitalSignature | (rsa ? usage.keyEncipherment : 0), true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(
      leaf.names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
    ),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    await x509.AuthorityKeyIdentifierExtension.create(issuing.certificate.publicKey),
  ]
  if (leaf.crlUrl !== undefined) extensions.push(new x509.CRLDistributionPointsExtension([leaf.crlUrl]))
  const access = {
    ...(leaf.ocspUrl === undefined ? {} : { ocsp: leaf.ocspUrl }),
    ...(leaf.caIssuersUrl === undefined ? {} : { caIssuers: leaf.caIssuersUrl }),
  }
  if (Object.keys(access).length > 0) extensions.push(new x509.AuthorityInfoAccessExtension(access))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: leaf.serial,
    subject: subject(['O', leaf.environment], ['OU', 'Devices'], ['CN', leaf.fqdn]),
    issuer: issuing.certificate.subjectName,
    notBefore: new Date(leaf.notBefore),
    notAfter: new Date(leaf.notAfter),
    publicKey,
    signingKey: issuing.key,
    signingAlgorithm: signingAlgorithm(issuing.key),
    extensions,
  })
  return pem('CERTIFICATE', certificate.rawData)
}

/** A CRL, PEM under the label `X509 CRL`: the only one that Node reads. */
export async function signCrl(
  ca: AuthorityKey,
  crl: {
    readonly number: number
    readonly thisUpdate: number
    readonly nextUpdate: number
    readonly entries: readonly { readonly serial: string; readonly at: number; readonly reason?: string }[]
  },
): Promise<string> {
  const made = await x509.X509CrlGenerator.create({
    issuer: ca.certificate.subjectName,
    thisUpdate: new Date(crl.thisUpdate - skew),
    nextUpdate: new Date(crl.nextUpdate),
    signingKey: ca.key,
    signingAlgorithm: signingAlgorithm(ca.key),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
      new x509.Extension('2.5.29.20', false, integer(crl.number)),
    ],
    entries: crl.entries.map(({ serial, at, reason }) => {
      const known = reasonNumber(reason)
      return {
        serialNumber: serial,
        revocationDate: new Date(at),
        ...(known === undefined ? {} : { reason: known }),
      }
    }),
  })
  return pem('X509 CRL', made.rawData)
}

export interface ReadCrl {
  readonly issuer: string
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** CRL number (RFC 5280 §5.2.3), decimal; absent where the CRL has none. */
  readonly number?: string
  readonly serials: readonly string[]
}

/** Reads CRLs (PEM) of these authorities (PEM); a CRL that none of them has signed is an error. */
export async function readCrls(crls: readonly string[], authorities: readonly string[]): Promise<readonly ReadCrl[]> {
  const signers = authorities.map((text) => new x509.X509Certificate(text))
  return Promise.all(
    crls.map(async (text) => {
      const crl = new x509.X509Crl(text)
      const tries = signers.map((signer) => crl.verify({ publicKey: signer.publicKey }).catch(() => false))
      if (!(await Promise.all(tries)).includes(true)) {
        throw new Error(`no authority given has signed the CRL of ${crl.issuer}`)
      }
      const number = crl.extensions.find(({ type }) => type === '2.5.29.20')?.value
      return {
        issuer: crl.issuer,
        ...(number === undefined ? {} : { number: decimal(number) }),
        thisUpdate: crl.thisUpdate.getTime(),
        nextUpdate: crl.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY,
        // Without the sign octet of DER, as Node and openssl print serials.
        serials: crl.entries.map(({ serialNumber }) => serialNumber.toUpperCase().replace(/^(00)+(?=..)/, '')),
      }
    }),
  )
}

export interface ReadRequest {
  /** Attributes of the subject that carry text, by name or object identifier, in order. */
  readonly subject: readonly { readonly attribute: string; readonly value: string }[]
  readonly publicKey: KeyObject
  readonly digest: string
  signatureHolds(): Promise<boolean>
}

/** Reads a PKCS#10 signing request; throws whatever the reader throws. */
export function readRequest(text: string): ReadRequest {
  const request = new x509.Pkcs10CertificateRequest(text)
  return {
    subject: request.subjectName
      .toJSON()
      .flatMap((rdn) =>
        Object.entries(rdn).flatMap(([attribute, values]) => values.map((value) => ({ attribute, value }))),
      )
      .filter(({ value }) => value.trim() !== ''),
    publicKey: createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' }),
    digest: request.signatureAlgorithm.hash?.name ?? '',
    signatureHolds: () => request.verify().catch(() => false),
  }
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** DER of a positive INTEGER. */
function integer(value: number): Buffer {
  let hex = value.toString(16)
  if (hex.length % 2 === 1) hex = `0${hex}`
  if (Number.parseInt(hex.slice(0, 2), 16) > 0x7f) hex = `00${hex}`
  const bytes = Buffer.from(hex, 'hex')
  return Buffer.concat([Buffer.from([0x02, bytes.length]), bytes])
}

/** The value of a positive INTEGER (DER), decimal: a CRL number has up to twenty octets. */
function decimal(der: ArrayBuffer): string {
  return BigInt(`0x${Buffer.from(der).subarray(2).toString('hex') || '0'}`).toString()
}
