import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { alternativeNames } from './endpoint-name.ts'
import type { FolderLock } from './folder-lock.ts'
import { type KeyPair, keyPem } from './keys.ts'
import { type OwnPaths, writePair } from './own-files.ts'
import type { Register } from './register.ts'
import { readIfThere } from './safe-files.ts'
import type { CertificateRecord, IssuedCertificate } from './trust.ts'

export type Identity = IssuedCertificate & { readonly key: string }

const day = 86_400_000

/**
 * The certificates under which this process serves and calls. They stand in the folder, so that
 * restarts and other processes use the same; they are made anew when they are revoked, near their
 * end, lack a name, or do not fit their key (a crash between the two files).
 */
export function keepIdentities(about: {
  readonly register: Register
  readonly lock: FolderLock
  readonly clock: Clock
  readonly paths: OwnPaths
  readonly chain: string
  isOurs(certificate: X509Certificate): boolean
  makeKeys(): Promise<KeyPair>
  sign(
    fqdn: string,
    names: readonly string[],
    publicKey: KeyObject,
  ): Promise<{ readonly certificate: string; readonly record: CertificateRecord }>
}) {
  const { register, lock, clock, paths, chain } = about
  const holding = new Map<string, Identity>()
  const making = new Map<string, Promise<Identity>>()

  function usable(identity: Identity, names: readonly string[]): boolean {
    if (register.revoked.has(identity.serial)) return false
    const renewal = identity.notAfter - Math.min(30 * day, (identity.notAfter - identity.notBefore) / 3)
    return clock.now() < renewal && names.every((name) => identity.names.includes(name))
  }

  function isNewest(identity: Identity): boolean {
    return register.identities.get(identity.fqdn) === identity.serial
  }

  async function load(fqdn: string): Promise<Identity | undefined> {
    const files = paths.identity(fqdn)
    const [certificate, key] = await Promise.all([readIfThere(files.certificate), readIfThere(files.key)])
    if (certificate === undefined || key === undefined) return undefined
    try {
      const read = new X509Certificate(certificate)
      const record = register.records.get(read.serialNumber)
      if (record === undefined || !about.isOurs(read) || !read.checkPrivateKey(createPrivateKey(key))) return undefined
      return { ...record, certificate, chain, key, files }
    } catch {
      return undefined
    }
  }

  async function make(fqdn: string, names: readonly string[]): Promise<Identity> {
    const found = await load(fqdn)
    if (found !== undefined && usable(found, names)) return found
    const keys = await about.makeKeys()
    return lock.hold(async () => {
      await register.refresh()
      const present = await load(fqdn)
      if (present !== undefined && usable(present, names)) return present
      // Processes that ask for different names under one FQDN agree on all of them.
      const all = [...new Set([...names, ...(present?.names ?? [])])]
      const { certificate, record } = await about.sign(fqdn, all, keys.publicKey)
      const key = keyPem(keys.privateKey)
      const files = paths.identity(fqdn)
      const { serial, notBefore, notAfter } = record
      await register.append({
        type: 'issued',
        at: clock.now(),
        use: 'identity',
        serial,
        fqdn,
        names: all,
        notBefore,
        notAfter,
      })
      await writePair(files, { certificate, chain, key })
      return { ...record, certificate, chain, key, files }
    })
  }

  async function get(fqdn: string, wanted: readonly string[]): Promise<Identity> {
    const names = alternativeNames(fqdn, wanted)
    for (;;) {
      const held = holding.get(fqdn)
      if (held !== undefined && usable(held, names) && isNewest(held)) return held
      const others = making.get(fqdn)
      if (others !== undefined) {
        await others.catch(() => undefined)
        continue
      }
      const mine = make(fqdn, [...new Set([...names, ...(held?.names ?? [])])])
      making.set(fqdn, mine)
      try {
        const made = await mine
        holding.set(fqdn, made)
        return made
      } finally {
        making.delete(fqdn)
      }
    }
  }

  return {
    get,
    held: () => [...holding.values()],
    /** Renews what must be renewed and takes over what another process has renewed; true when anything changed. */
    async bringUpToDate(): Promise<boolean> {
      let changed = false
      for (const held of [...holding.values()]) {
        if (usable(held, held.names) && isNewest(held)) continue
        const now = await get(held.fqdn, held.names)
        changed ||= now.serial !== held.serial
      }
      return changed
    },
  }
}
