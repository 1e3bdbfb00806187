import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SpineError } from '@openspine/standards/error'
import { writeOcspFailure } from '@openspine/standards/ocsp'
import type { ReadCrl } from './authority.ts'
import { lookOften, makeChanges } from './changes.ts'
import { serverName } from './endpoint-name.ts'
import { type Expiry, expiryHealth } from './expiry.ts'
import type { Identity } from './identities.ts'
import type { OpenTrust, TrustFiles, TrustOptions } from './open.ts'
import { pemBlocks } from './own-files.ts'
import { replaceFile } from './safe-files.ts'

interface Loaded {
  readonly fingerprint: string
  readonly roots: readonly string[]
  readonly issuing: readonly string[]
  readonly ca: readonly string[]
  readonly crl: readonly string[]
  readonly revoked: ReadonlySet<string>
  readonly lists: readonly ReadCrl[]
  readonly identities: ReadonlyMap<string, Identity>
}

/** A PKI that somebody else runs: anchors, CRLs and identities are theirs; nothing is issued here. */
export async function openExternalTrust(
  options: TrustOptions & { readonly trustFiles: TrustFiles },
): Promise<OpenTrust> {
  const { trustFiles: files, clock, log } = options
  const crlFiles = typeof files.crl === 'string' ? [files.crl] : files.crl
  const bundle = join(options.directory, 'ca-bundle.pem')
  const changes = makeChanges(log)
  await mkdir(options.directory, { recursive: true })

  async function load(earlier: Loaded | undefined): Promise<Loaded> {
    const identityFiles = Object.entries(files.identities ?? {})
    const [root, issuing, crls, pairs] = await Promise.all([
      readFile(files.root, 'utf8'),
      files.issuing === undefined ? '' : readFile(files.issuing, 'utf8'),
      Promise.all(crlFiles.map((path) => readFile(path, 'utf8'))),
      Promise.all(
        identityFiles.map(async ([fqdn, pair]) => ({
          fqdn,
          pair,
          certificate: await readFile(pair.certificate, 'utf8'),
          key: await readFile(pair.key, 'utf8'),
        })),
      ),
    ])
    const fingerprint = JSON.stringify([root, issuing, crls, pairs])
    if (fingerprint === earlier?.fingerprint) return earlier
    const anchors = { roots: pemBlocks(root, 'CERTIFICATE'), issuing: pemBlocks(issuing, 'CERTIFICATE') }
    const crl = crls.flatMap((text) =>
      pemBlocks(text.replaceAll(' CRL-----', ' CRL-----').replace(/(BEGIN|END) CRL/g, '$1 X509 CRL'), 'X509 CRL'),
    )
    if (anchors.roots.length === 0 || crl.length === 0) {
      throw new Error(`${anchors.roots.length} trust anchors and ${crl.length} CRLs: at least one of each is needed`)
    }
    const ca = [...anchors.issuing, ...anchors.roots]
    const { readCrls } = await import('./authority.ts')
    const lists = await readCrls(crl, ca)
    const revoked = new Set(lists.flatMap(({ serials }) => serials))
    const identities = new Map(pairs.map((given) => [given.fqdn, readIdentity(given)]))
    await replaceFile(bundle, ca.join(''))
    return { fingerprint, ...anchors, ca, crl, revoked, lists, identities }
  }

  let loaded = await load(undefined).catch((cause: unknown) => {
    throw new SpineError(
      'TRUST_FILES_UNREADABLE',
      { status: 500 },
      {
        cause,
        detail: String(cause),
        explanation:
          'The certificate, key or CRL files of the external PKI cannot be used. See the log for which, and why.',
      },
    )
  })

  const noAuthority = async (): Promise<never> => {
    throw new SpineError(
      'TRUST_NO_CA',
      { status: 409 },
      { explanation: 'Certificates of this environment are issued and revoked by an external PKI: ask there.' },
    )
  }

  const everyFile = [
    files.root,
    ...(files.issuing === undefined ? [] : [files.issuing]),
    ...crlFiles,
    ...Object.values(files.identities ?? {}).flatMap(({ certificate, key }) => [certificate, key]),
  ]
  const looking = lookOften(
    everyFile.map((path) => dirname(path)),
    async () => {
      const now = await load(loaded)
      if (now === loaded) return
      loaded = now
      changes.fire()
    },
    log,
  )

  function expiries(): readonly Expiry[] {
    const remedy = 'Get a new one from the external PKI and put it into its file.'
    const certificates = [
      ...loaded.roots,
      ...loaded.issuing,
      ...[...loaded.identities.values()].map(({ certificate }) => certificate),
    ]
    const found = certificates.map((text): Expiry => {
      const { subject, validFrom, validTo } = new X509Certificate(text)
      const what = `The certificate ${subject.replaceAll('\n', ', ')}`
      return { what, from: Date.parse(validFrom), until: Date.parse(validTo), remedy }
    })
    for (const { issuer, thisUpdate, nextUpdate } of loaded.lists) {
      if (nextUpdate !== Number.POSITIVE_INFINITY) {
        found.push({ what: `The CRL of ${issuer}`, from: thisUpdate, until: nextUpdate, remedy })
      }
    }
    return found
  }

  return {
    files: { root: files.root, issuing: files.issuing ?? files.root, bundle, crl: crlFiles[0] ?? '' },
    material: () => ({ ca: loaded.ca, crl: loaded.crl, revision: changes.revision }),
    onChange: changes.listen,
    revoked: (serial) => loaded.revoked.has(serial.toUpperCase()),
    issue: noAuthority,
    signRequest: noAuthority,
    revoke: noAuthority,
    list: () => [],
    crls: async () => loaded.lists,
    publishCrls: noAuthority,
    ocsp: async () => ({ der: writeOcspFailure('unauthorized') }),
    staple: async () => undefined,
    async identity(fqdn) {
      return loaded.identities.get(serverName(fqdn)) ?? loaded.identities.get('*') ?? noAuthority()
    },
    health: () => expiryHealth(expiries(), clock.now()),
    expiries,
    refresh: looking.now,
    close: looking.stop,
  }
}

function readIdentity(given: {
  readonly fqdn: string
  readonly pair: { readonly certificate: string; readonly key: string }
  readonly certificate: string
  readonly key: string
}): Identity {
  const [leaf, ...chain] = pemBlocks(given.certificate, 'CERTIFICATE')
  if (leaf === undefined) throw new Error(`no certificate in ${given.pair.certificate}`)
  const read = new X509Certificate(leaf)
  if (!read.checkPrivateKey(createPrivateKey(given.key))) {
    throw new Error(`the key ${given.pair.key} does not belong to the certificate ${given.pair.certificate}`)
  }
  const fqdn = /^CN=(.*)$/m.exec(read.subject)?.[1] ?? given.fqdn
  return {
    serial: read.serialNumber,
    fqdn,
    names: [...(read.subjectAltName ?? '').matchAll(/(?:^|, )DNS:([A-Za-z0-9.*-]+)(?=,|$)/g)].map(
      (match) => match[1] ?? '',
    ),
    notBefore: Date.parse(read.validFrom),
    notAfter: Date.parse(read.validTo),
    certificate: leaf,
    chain: chain.join(''),
    key: given.key,
    files: { certificate: given.pair.certificate, fullChain: given.pair.certificate, key: given.pair.key },
  }
}
