import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SpineError } from '@openspine/standards/error'
import type { Clock, Random } from '../clock.ts'
import type { AuthorityKey } from './authority.ts'
import { type KeyKind, keyPem, makeKeyPair } from './keys.ts'
import { type OwnPaths, pemBlocks } from './own-files.ts'
import { type CrlLine, openRegister, type Register } from './register.ts'
import { readIfThere, replaceFile, secret } from './safe-files.ts'

export interface CrlLife {
  readonly issuing: number
  readonly root: number
}

/** Sixteen random octets, positive and of full length, so that every tool prints the same digits. */
export function newSerial(random: Random): string {
  const bytes = random.bytes(16)
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f)
  return bytes.toString('hex').toUpperCase()
}

/** Makes root, issuing CA and first CRLs, under the folder's lock. `root.pem` comes last: its presence says that all is there. */
export async function createAuthority(about: {
  readonly paths: OwnPaths
  readonly environment: string
  readonly clock: Clock
  readonly random: Random
  readonly life: CrlLife
  readonly authorityKeys?: KeyKind
  readonly passphrase?: string
}): Promise<void> {
  const { paths, random } = about
  if ((await readIfThere(paths.root)) !== undefined) return
  if ((await readIfThere(paths.register))?.includes('"issued"')) {
    throw new SpineError(
      'TRUST_FOLDER_BROKEN',
      { status: 500 },
      {
        detail: 'register.jsonl tells of certificates, but root.pem is missing',
        explanation:
          'The certificate of the root (root.pem) is gone, though certificates have been issued. Restore the folder from a backup.',
      },
    )
  }
  const kind = about.authorityKeys ?? 'rsa-2048'
  const [rootKeys, issuingKeys, { makeAuthority }] = await Promise.all([
    makeKeyPair(kind),
    makeKeyPair(kind),
    import('./authority.ts'),
  ])
  const now = about.clock.now()
  const made = await makeAuthority({
    environment: about.environment,
    now,
    root: rootKeys,
    issuing: issuingKeys,
    serials: [newSerial(random), newSerial(random)],
  })
  const rootPem = `${made.root.certificate.toString('pem')}\n`
  const issuingPem = `${made.issuing.certificate.toString('pem')}\n`
  await mkdir(dirname(paths.rootKey), { recursive: true, mode: 0o700 })
  await Promise.all([
    replaceFile(paths.rootKey, keyPem(rootKeys.privateKey, about.passphrase), secret),
    replaceFile(paths.issuingKey, keyPem(issuingKeys.privateKey, about.passphrase), secret),
    replaceFile(paths.issuing, issuingPem),
    replaceFile(paths.bundle, issuingPem + rootPem),
    replaceFile(paths.register, ''),
  ])
  const register = openRegister(paths.register)
  await register.refresh()
  await publishCrl({ register, paths, signer: made, life: about.life, now })
  await replaceFile(paths.root, rootPem)
}

/** Half of its life is gone. A root whose key is elsewhere cannot be helped: `health` says so. */
export function crlIsDue(crl: CrlLine | undefined, life: CrlLife, hasRootKey: boolean, now: number): boolean {
  if (crl === undefined) return true
  return crl.issuingNextUpdate - now < life.issuing / 2 || (hasRootKey && crl.rootNextUpdate - now < life.root / 2)
}

/** Signs and publishes CRLs from the register, under the folder's lock. The root's is signed only when it is due. */
export async function publishCrl(about: {
  readonly register: Register
  readonly paths: OwnPaths
  readonly signer: { readonly root?: AuthorityKey; readonly issuing: AuthorityKey }
  readonly life: CrlLife
  readonly now: number
  /** Signs the root's CRL even though the last one is not yet half spent. */
  readonly rootToo?: boolean
}): Promise<void> {
  const { register, paths, signer, life, now } = about
  const { signCrl } = await import('./authority.ts')
  const number = (register.crl?.number ?? 0) + 1
  const nextUpdate = wholeSeconds(now + life.issuing)
  // An entry may go once a CRL has been published after the certificate's own end (RFC 5280 §3.3): within
  // one life of a CRL there is always one.
  const entries = [...register.records.values()].flatMap(({ serial, revokedAt, reason, notAfter }) =>
    revokedAt === undefined || notAfter + life.issuing < now
      ? []
      : [{ serial, at: revokedAt, ...(reason === undefined ? {} : { reason }) }],
  )
  const issuing = await signCrl(signer.issuing, { number, thisUpdate: now, nextUpdate, entries })

  let rootNextUpdate = register.crl?.rootNextUpdate ?? 0
  let root = pemBlocks((await readIfThere(paths.crl)) ?? '', 'X509 CRL')[1]
  if (signer.root !== undefined && (about.rootToo || root === undefined || rootNextUpdate - now < life.root / 2)) {
    rootNextUpdate = wholeSeconds(now + life.root)
    root = await signCrl(signer.root, { number, thisUpdate: now, nextUpdate: rootNextUpdate, entries: [] })
  }
  if (root === undefined) {
    throw new SpineError(
      'TRUST_FOLDER_BROKEN',
      { status: 500 },
      { explanation: "The root's CRL is missing from crl.pem and the key of the root is not here to sign a new one." },
    )
  }
  await replaceFile(paths.crl, issuing + root)
  const sha256 = createHash('sha256')
    .update(await readFile(paths.crl))
    .digest('hex')
  await register.append({ type: 'crl', at: now, number, issuingNextUpdate: nextUpdate, rootNextUpdate, sha256 })
}

function wholeSeconds(at: number): number {
  return Math.floor(at / 1000) * 1000
}
