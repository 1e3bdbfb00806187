import { X509Certificate } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { readable, readIfThere, replaceFile, secret } from './safe-files.ts'

/** Where everything stands in the folder of our own PKI. */
export function ownPaths(directory: string) {
  return {
    root: join(directory, 'root.pem'),
    issuing: join(directory, 'issuing.pem'),
    bundle: join(directory, 'ca-bundle.pem'),
    crl: join(directory, 'crl.pem'),
    register: join(directory, 'register.jsonl'),
    rootKey: join(directory, 'private', 'root.key'),
    issuingKey: join(directory, 'private', 'issuing.key'),
    issued: (fqdn: string) => pairPaths(join(directory, 'issued', fqdn)),
    // An IPv6 address may be the name of a server; not every file system takes its colons.
    identity: (fqdn: string) => pairPaths(join(directory, 'identities', fqdn.replaceAll(':', '-'))),
  }
}

export type OwnPaths = ReturnType<typeof ownPaths>

export interface PairPaths {
  readonly folder: string
  readonly certificate: string
  readonly fullChain: string
  readonly key: string
}

function pairPaths(folder: string): PairPaths {
  return {
    folder,
    certificate: join(folder, 'certificate.pem'),
    fullChain: join(folder, 'full-chain.pem'),
    key: join(folder, 'key.pem'),
  }
}

export interface Pair {
  readonly certificate: string
  readonly chain: string
  readonly key?: string
}

/** Writes a leaf with its chain and key; the certificate last, for it tells that the others are there. */
export async function writePair(paths: PairPaths, pair: Pair): Promise<void> {
  await Promise.all([
    replaceFile(paths.fullChain, pair.certificate + pair.chain, readable),
    pair.key === undefined ? undefined : replaceFile(paths.key, pair.key, secret),
  ])
  await replaceFile(paths.certificate, pair.certificate, readable)
}

/** An earlier certificate of the same name, and its key, stay below its serial: they may still be in use. */
export async function setAside(paths: PairPaths): Promise<void> {
  const text = await readIfThere(paths.certificate)
  if (text === undefined) return
  const earlier = pairPaths(join(paths.folder, new X509Certificate(text).serialNumber))
  await mkdir(earlier.folder, { recursive: true })
  for (const part of ['key', 'fullChain', 'certificate'] as const) {
    await rename(paths[part], earlier[part]).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

/** Several PEM blocks of one text, each for itself: Node takes only the first CRL of a text. */
export function pemBlocks(text: string, label: string): readonly string[] {
  const blocks = text.match(new RegExp(`-----BEGIN ${label}-----[\\s\\S]+?-----END ${label}-----`, 'g')) ?? []
  return blocks.map((block) => `${block}\n`)
}
