import {
  createPrivateKey,
  createPublicKey,
  hash as digest,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SpineError } from '@openspine/standards/error'
import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import { type CheckpointRow, insertCheckpoint, lastCheckpoint } from './store.ts'

/** How far a chain is attested: its record `seq` has `hash`. `seq` 0 announces a chain before its first record. */
export interface AttestedHead {
  readonly chain: string
  readonly seq: number
  readonly hash: string
  /** Nothing may follow: the writer has stopped, or has died and been taken over. */
  readonly closed?: true
}

/** What is signed, as JSON. */
export interface CheckpointBody {
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Chain of the writer that signed. */
  readonly writer: string
  /** Hash of the checkpoint before; the empty string for the first. */
  readonly previous: string
  /** Every open chain that the signer knows, and each chain once more when it is closed. */
  readonly heads: readonly AttestedHead[]
}

/** Trusted public keys by fingerprint. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>

export const privateKeyName = 'checkpoint-key.pem'
const publicKeySuffix = '.pub.pem'
const lastName = 'checkpoint.last'

/** SHA-256 of the public key (DER), first 16 hexadecimal digits. */
function fingerprint(key: KeyObject): string {
  return digest('sha256', key.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16)
}

export function trustedKeys(pem: string): TrustedKeys {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? []
  return new Map(blocks.map((block) => createPublicKey(block)).map((key) => [fingerprint(key), key]))
}

/** All public keys in the journal's folder: the own one, former ones, and those of other machines put there by hand. */
export function keysInFolder(folder: string): TrustedKeys {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(publicKeySuffix))
    return trustedKeys(names.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Map()
    throw error
  }
}

/** The signed content; otherwise why it is not to be believed. */
export function readCheckpoint(row: CheckpointRow, keys: TrustedKeys): CheckpointBody | string {
  const key = keys.get(row.key)
  if (!key) return `checkpoint ${row.seq} is signed by the key ${row.key}, which is not among the trusted keys`
  if (
    digest('sha256', row.body, 'hex') !== row.hash ||
    !verify(null, Buffer.from(row.body), key, Buffer.from(row.signature, 'base64'))
  )
    return `checkpoint ${row.seq} does not bear a valid signature of the key ${row.key}`
  const body = JSON.parse(row.body) as CheckpointBody
  return body.seq === row.seq ? body : `checkpoint ${row.seq} was signed as number ${body.seq}`
}

/** The newest checkpoint that this folder knows of: shows when the store has lost its newest ones. */
export function lastKnownCheckpoint(folder: string): { readonly seq: number; readonly hash: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, lastName), 'utf8')) as { seq: number; hash: string }
  } catch {
    return undefined
  }
}

/** Signs checkpoints with the key of this folder. */
export interface Notary {
  /** Chains that the newest trustworthy checkpoint calls open. */
  openHeads(): Promise<ReadonlyMap<string, AttestedHead>>
  /** Attests these heads, and every open head of the checkpoint before. */
  attest(heads: readonly AttestedHead[]): Promise<CheckpointRow>
}

export function makeNotary(options: {
  readonly store: Store
  readonly folder: string
  readonly writer: string
  readonly clock: Clock
}): Notary {
  const { store, folder, writer, clock } = options
  const { privateKey, id } = ownKey(folder)
  let queue: Promise<unknown> = Promise.resolve()

  const openIn = (last: CheckpointRow | undefined): Map<string, AttestedHead> => {
    const body = last && readCheckpoint(last, keysInFolder(folder))
    if (body === undefined || typeof body === 'string') return new Map() // verify tells; signing it on would launder it
    return new Map(body.heads.filter(({ closed }) => !closed).map((head) => [head.chain, head]))
  }

  const attest = async (heads: readonly AttestedHead[]): Promise<CheckpointRow> => {
    for (let attempt = 0; attempt < 100; attempt++) {
      const last = await lastCheckpoint(store)
      const all = openIn(last)
      for (const head of heads) if ((all.get(head.chain)?.seq ?? 0) <= head.seq) all.set(head.chain, head)
      const seq = (last?.seq ?? 0) + 1
      const body = JSON.stringify({
        seq,
        at: clock.now(),
        writer,
        previous: last?.hash ?? '',
        heads: [...all.values()],
      } satisfies CheckpointBody)
      const hash = digest('sha256', body, 'hex')
      const signature = sign(null, Buffer.from(body), privateKey).toString('base64')
      const row = { seq, body, hash, key: id, signature }
      if (await insertCheckpoint(store, row)) {
        remember(folder, row)
        return row
      }
    }
    throw new SpineError('AUDIT_CHECKPOINT_BUSY', undefined, { detail: 'other writers were always faster' })
  }

  return {
    openHeads: async () => openIn(await lastCheckpoint(store)),
    attest(heads) {
      const turn = queue.then(() => attest(heads))
      queue = turn.catch(() => {})
      return turn
    },
  }
}

function remember(folder: string, { seq, hash }: CheckpointRow): void {
  if ((lastKnownCheckpoint(folder)?.seq ?? 0) >= seq) return
  const draft = join(folder, `${lastName}.${process.pid}`)
  writeFileSync(draft, JSON.stringify({ seq, hash }), { mode: 0o600 })
  renameSync(draft, join(folder, lastName))
}

/** The folder's key; made when there is none, by exactly one of several processes. */
function ownKey(folder: string): { readonly privateKey: KeyObject; readonly id: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, privateKeyName)
  const draft = `${path}.${process.pid}`
  try {
    readFileSync(path)
  } catch {
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    try {
      linkSync(draft, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    } finally {
      rmSync(draft, { force: true })
    }
  }
  const privateKey = createPrivateKey(readFileSync(path))
  const publicKey = createPublicKey(privateKey)
  const id = fingerprint(publicKey)
  writeFileSync(join(folder, `checkpoint-${id}${publicKeySuffix}`), publicKey.export({ type: 'spki', format: 'pem' }), {
    mode: 0o644,
  })
  return { privateKey, id }
}
