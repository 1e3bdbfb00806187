import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { access, mkdir, readFile } from 'node:fs/promises'
import { SpineError } from '@openspine/standards/error'
import type { CertificateStatus } from '@openspine/standards/ocsp'
import { systemRandom } from '../clock.ts'
import type { HealthReport } from '../service.ts'
import type { AuthorityKey } from './authority.ts'
import { lookOften, makeChanges } from './changes.ts'
import { alternativeNames, endpointName, serverName } from './endpoint-name.ts'
import { type Expiry, endingSoon, endpointHealth, expiryHealth } from './expiry.ts'
import { folderLock } from './folder-lock.ts'
import { keepIdentities } from './identities.ts'
import { keyPem, makeKeyPair, readKey } from './keys.ts'
import { ocspResponder } from './ocsp.ts'
import type { OpenTrust, TrustOptions } from './open.ts'
import { createAuthority, crlIsDue, newSerial, publishCrl } from './own-authority.ts'
import { ownPaths, pemBlocks, setAside, writePair } from './own-files.ts'
import { guardKeys } from './private-keys.ts'
import { reasonNumber, revocationReason } from './reasons.ts'
import { openRegister } from './register.ts'
import { checkRequest } from './request-checks.ts'
import { readIfThere } from './safe-files.ts'
import type { CertificateRecord, IssuedCertificate } from './trust.ts'

const day = 86_400_000
const skew = 5 * 60_000
/** Directory specification §13.2: one to three years; shorter for tests. */
const longestLife = 3 * 366

/** The environment's own PKI, in a folder that several processes may share. */
export async function openOwnTrust(options: TrustOptions): Promise<OpenTrust> {
  const { directory, environment, clock, log } = options
  const random = options.random ?? systemRandom
  const leafDays = options.leafDays ?? 730
  const keyKind = options.keyType === 'ec' ? 'ec' : 'rsa-2048'
  const paths = ownPaths(directory)
  const life = { issuing: (options.crlDays ?? 7) * day, root: (options.rootCrlDays ?? 90) * day }

  if (options.passphrase === undefined && options.passphraseNeeded) throw passphraseNeeded()
  await mkdir(directory, { recursive: true })
  const lock = await folderLock(directory)
  if ((await readIfThere(paths.root)) === undefined) {
    await lock.hold(() => createAuthority({ ...options, paths, random, life }))
  }
  const rootPem = await readFile(paths.root, 'utf8')
  const issuingPem = await readFile(paths.issuing, 'utf8')
  const chain = issuingPem + rootPem
  const ca = [issuingPem, rootPem]
  const root = new X509Certificate(rootPem)
  const issuing = new X509Certificate(issuingPem)
  if (!root.subject.split('\n').includes(`O=${environment}`)) {
    throw new SpineError(
      'TRUST_WRONG_ENVIRONMENT',
      { status: 500 },
      {
        detail: `root of ${directory}: ${root.subject}`,
        explanation: `The certificate folder belongs to another environment than "${environment}". Name the right folder or environment.`,
      },
    )
  }
  const hasRootKey = await access(paths.rootKey).then(
    () => true,
    () => false,
  )
  await guardKeys({ paths, lock, log, ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }) })
  const register = openRegister(paths.register)
  await register.refresh().catch((cause: unknown) => {
    throw cause instanceof SpineError
      ? cause
      : new SpineError(
          'TRUST_FOLDER_BROKEN',
          { status: 500 },
          {
            cause,
            explanation: 'The register of certificates (register.jsonl) cannot be read. Restore it from a backup.',
          },
        )
  })

  const changes = makeChanges(log)
  let crl: { readonly sha256: string; readonly blocks: readonly string[] } = { sha256: '', blocks: [] }
  const keys = new Map<string, Promise<KeyObject | undefined>>()
  let authority: { readonly root?: AuthorityKey; readonly issuing: AuthorityKey } | undefined

  function keyAt(path: string): Promise<KeyObject | undefined> {
    const known =
      keys.get(path) ??
      readIfThere(path).then((pem) => (pem === undefined ? undefined : readKey(pem, options.passphrase)))
    keys.set(path, known)
    // A key that is put back, or a passphrase that is put right, is found the next time.
    void known.then(
      (key) => key ?? keys.delete(path),
      () => keys.delete(path),
    )
    return known
  }

  async function signer() {
    if (authority === undefined) {
      const { loadAuthority } = await import('./authority.ts')
      const load = async (certificate: string, path: string) => {
        const key = await keyAt(path)
        if (key === undefined) throw keyMissing(path)
        return loadAuthority(certificate, key)
      }
      authority = {
        issuing: await load(issuingPem, paths.issuingKey),
        ...(hasRootKey ? { root: await load(rootPem, paths.rootKey) } : {}),
      }
    }
    return authority
  }

  /** Takes over `crl.pem` when it is the one that the register tells of. */
  async function readCrl(): Promise<boolean> {
    if (register.crl === undefined || register.crl.sha256 === crl.sha256) return false
    const text = (await readIfThere(paths.crl)) ?? ''
    const sha256 = createHash('sha256').update(text).digest('hex')
    if (sha256 !== register.crl.sha256) return false
    crl = { sha256, blocks: pemBlocks(text, 'X509 CRL') }
    return true
  }

  function crlWanting(): boolean {
    return (
      register.crlBehind || register.crl?.sha256 !== crl.sha256 || crlIsDue(register.crl, life, hasRootKey, clock.now())
    )
  }

  /** Under the lock. */
  async function bringCrlUpToDate(): Promise<boolean> {
    await register.refresh()
    let changed = await readCrl()
    if (crlWanting()) {
      await publishCrl({ register, paths, signer: await signer(), life, now: clock.now() })
      changed = (await readCrl()) || changed
    }
    return changed
  }

  async function bringUpToDate(): Promise<void> {
    const before = { revoked: register.revoked.size, sha256: crl.sha256 }
    await register.refresh()
    await readCrl()
    if (crlWanting()) await lock.hold(bringCrlUpToDate)
    const renewed = await identities.bringUpToDate()
    if (clock.now() - warnedAt >= day) warn()
    if (renewed || register.revoked.size !== before.revoked || crl.sha256 !== before.sha256) changes.fire()
  }

  async function sign(
    fqdn: string,
    names: readonly string[],
    span: { notBefore: number; notAfter: number },
    publicKey: Parameters<typeof keyPem>[0],
  ) {
    const [{ signLeaf }, { issuing: key }] = await Promise.all([import('./authority.ts'), signer()])
    const serial = newSerial(random)
    const certificate = await signLeaf(key, {
      ...span,
      serial,
      fqdn,
      names,
      publicKey,
      environment,
      ...(options.crlUrl === undefined ? {} : { crlUrl: options.crlUrl }),
      ...(options.caIssuersUrl === undefined ? {} : { caIssuersUrl: options.caIssuersUrl }),
      ...(options.ocspUrl === undefined ? {} : { ocspUrl: options.ocspUrl }),
    })
    return { serial, certificate, record: { serial, fqdn, names, ...span } satisfies CertificateRecord }
  }

  /** Whole seconds, as certificates have them; never beyond the issuing CA's own end. */
  function lifeOf(days: number, notBefore = clock.now() - skew) {
    if (!Number.isInteger(days) || days < 1 || days > longestLife) {
      throw new SpineError(
        'TRUST_LIFE_INVALID',
        { status: 400 },
        { explanation: `A certificate lives between 1 and ${longestLife} days.` },
      )
    }
    const from = Math.floor(notBefore / 1000) * 1000
    return { notBefore: from, notAfter: Math.min(from + days * day, Date.parse(issuing.validTo)) }
  }

  async function enter(
    use: 'endpoint' | 'request',
    leaf: { readonly certificate: string; readonly record: CertificateRecord },
    key: string | undefined,
  ): Promise<IssuedCertificate> {
    const files = paths.issued(leaf.record.fqdn)
    const pair = { certificate: leaf.certificate, chain, ...(key === undefined ? {} : { key }) }
    await lock.hold(async () => {
      await register.append({ type: 'issued', at: clock.now(), use, ...recordOf(leaf.record) })
      await setAside(files)
      await writePair(files, pair)
    })
    return {
      ...leaf.record,
      ...pair,
      files: {
        certificate: files.certificate,
        fullChain: files.fullChain,
        ...(key === undefined ? {} : { key: files.key }),
      },
    }
  }

  const identities = keepIdentities({
    register,
    lock,
    clock,
    paths,
    chain,
    isOurs: (certificate) => certificate.checkIssued(issuing),
    makeKeys: () => makeKeyPair(keyKind),
    sign: (fqdn, names, publicKey) => sign(fqdn, names, lifeOf(leafDays), publicKey),
  })

  const known = (serial: string, certificate: X509Certificate) => serial === certificate.serialNumber
  const responder = ocspResponder({
    issuers: [
      {
        certificate: issuingPem,
        key: () => keyAt(paths.issuingKey),
        status: (serial) => statusOf(register.records.get(serial)),
      },
      {
        certificate: rootPem,
        key: () => keyAt(paths.rootKey),
        status: (serial) => ({ status: known(serial, issuing) || known(serial, root) ? 'good' : 'unknown' }),
      },
    ],
    life: (options.ocspMinutes ?? 60) * 60_000,
    clock,
    log,
  })

  await readCrl()
  if (crlWanting()) await lock.hold(bringCrlUpToDate)
  let warnedAt = 0
  warn()
  const looking = lookOften([directory], bringUpToDate, log)

  /** At the start and once a day. */
  function warn() {
    warnedAt = clock.now()
    const { status, note } = health()
    if (status !== 'pass') log.warn({ note }, 'something of trust ends soon')
  }

  function health(): HealthReport {
    const own = expiryHealth(expiries(), clock.now())
    const issued = endpointHealth(endingSoon([...register.records.values()], clock.now(), 30, register.identities))
    if (issued === undefined) return own
    return {
      status: own.status === 'pass' ? 'warn' : own.status,
      note: own.note === undefined ? issued : `${own.note} ${issued}`,
    }
  }

  function expiries(): Expiry[] {
    const remedy = 'Keep this server running, or restart it, and look at its log.'
    const ca = 'Set up a new certificate folder and issue new certificates.'
    const found: Expiry[] = [
      { what: 'The root certificate', ...validity(root), remedy: ca },
      { what: 'The issuing certificate', ...validity(issuing), remedy: ca },
    ]
    if (register.crl !== undefined) {
      const { at, issuingNextUpdate, rootNextUpdate } = register.crl
      found.push(
        { what: "The issuing authority's CRL", from: at, until: issuingNextUpdate, remedy },
        {
          what: "The root's CRL",
          from: rootNextUpdate - life.root,
          until: rootNextUpdate,
          remedy: hasRootKey ? remedy : 'Put the key of the root back for a moment, so that a new CRL can be signed.',
        },
      )
    }
    for (const { fqdn, notBefore, notAfter } of identities.held()) {
      found.push({ what: `The certificate of ${fqdn}`, from: notBefore, until: notAfter, remedy })
    }
    return found
  }

  return {
    files: { root: paths.root, issuing: paths.issuing, bundle: paths.bundle, crl: paths.crl },
    material: () => ({ ca, crl: crl.blocks, revision: changes.revision }),
    onChange: changes.listen,
    revoked: (serial) => register.revoked.has(serial.toUpperCase()),
    async issue(request) {
      const fqdn = endpointName(request.fqdn)
      const span = lifeOf(request.days ?? leafDays, request.notBefore)
      const keys = await makeKeyPair(keyKind)
      const leaf = await sign(fqdn, alternativeNames(fqdn, request.names ?? []), span, keys.publicKey)
      return enter('endpoint', leaf, keyPem(keys.privateKey))
    },
    async signRequest(csr, { days, fqdn: expected } = {}) {
      const span = lifeOf(days ?? leafDays)
      const { readRequest } = await import('./authority.ts')
      const { fqdn, publicKey } = await checkRequest(csr, readRequest, {
        suffixes: options.fqdnSuffixes ?? [],
        ...(expected === undefined ? {} : { expected }),
      })
      return enter('request', await sign(fqdn, [fqdn], span, publicKey), undefined)
    },
    async revoke(serialOrFqdn, given) {
      const reason = given === undefined ? undefined : revocationReason(given)
      const revoked = await lock.hold(async () => {
        await register.refresh()
        const found = toRevoke(register.records, serialOrFqdn, clock.now())
        const serials = found.filter(({ revokedAt }) => revokedAt === undefined).map(({ serial }) => serial)
        if (serials.length > 0) {
          await register.append({
            type: 'revoked',
            at: clock.now(),
            serials,
            ...(reason === undefined ? {} : { reason }),
          })
        }
        await bringCrlUpToDate()
        return found.map((record) => register.records.get(record.serial) ?? record)
      })
      await identities.bringUpToDate()
      changes.fire()
      return revoked
    },
    list: () => [...register.records.values()],
    identity: (fqdn, names = []) => identities.get(serverName(fqdn), names),
    async crls() {
      const { readCrls } = await import('./authority.ts')
      return readCrls(crl.blocks, ca)
    },
    async publishCrls() {
      await lock.hold(async () => {
        await register.refresh()
        await publishCrl({ register, paths, signer: await signer(), life, now: clock.now(), rootToo: true })
        await readCrl()
      })
      changes.fire()
    },
    ocsp: responder.answer,
    staple: responder.staple,
    health,
    expiries,
    refresh: looking.now,
    close: looking.stop,
  }
}

function keyMissing(path: string) {
  return new SpineError(
    'TRUST_KEY_MISSING',
    { status: 500 },
    {
      detail: `no key at ${path}`,
      explanation:
        'The private key of the issuing authority is not in its folder: nothing can be issued or revoked until it is put back.',
    },
  )
}

function passphraseNeeded() {
  return new SpineError(
    'TRUST_PASSPHRASE_NEEDED',
    { status: 500 },
    {
      explanation:
        'The profile strict keeps the keys of the certificate authority encrypted: set trust.passphrase (OPENSPINE_TRUST_PASSPHRASE).',
    },
  )
}

/** A serial that was never issued is unknown (RFC 6960 §2.2), not good. */
function statusOf(record: CertificateRecord | undefined): CertificateStatus {
  if (record === undefined) return { status: 'unknown' }
  if (record.revokedAt === undefined) return { status: 'good' }
  const reason = reasonNumber(record.reason)
  return { status: 'revoked', at: record.revokedAt, ...(reason === undefined ? {} : { reason }) }
}

function recordOf({ serial, fqdn, names, notBefore, notAfter }: CertificateRecord) {
  return { serial, fqdn, names, notBefore, notAfter }
}

function validity(certificate: X509Certificate) {
  return { from: Date.parse(certificate.validFrom), until: Date.parse(certificate.validTo) }
}

function toRevoke(records: ReadonlyMap<string, CertificateRecord>, given: string, now: number): CertificateRecord[] {
  const bySerial = records.get(given.replaceAll(':', '').toUpperCase())
  if (bySerial !== undefined) return [bySerial]
  const fqdn = given.toLowerCase()
  const live = [...records.values()].filter(
    (record) => record.fqdn === fqdn && record.revokedAt === undefined && record.notAfter > now,
  )
  if (live.length === 0) {
    throw new SpineError(
      'TRUST_CERTIFICATE_UNKNOWN',
      { status: 404 },
      { explanation: 'No certificate has this serial number, and no certificate in force bears this name.' },
    )
  }
  return live
}
