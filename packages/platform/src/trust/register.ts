import { open, stat } from 'node:fs/promises'
import { SpineError } from '@openspine/standards/error'
import type { CertificateRecord } from './trust.ts'

/**
 * The register of certificates: one JSON object a line, only ever appended. Revocations are in force
 * as soon as their line is on the disk; the CRL follows from it and is made again if a crash came
 * between. Times in milliseconds since the epoch.
 */
export type RegisterLine =
  | {
      readonly type: 'issued'
      readonly at: number
      readonly use: 'endpoint' | 'request' | 'identity'
      readonly serial: string
      readonly fqdn: string
      readonly names: readonly string[]
      readonly notBefore: number
      readonly notAfter: number
    }
  | { readonly type: 'revoked'; readonly at: number; readonly serials: readonly string[]; readonly reason?: string }
  | {
      readonly type: 'crl'
      readonly at: number
      readonly number: number
      readonly issuingNextUpdate: number
      readonly rootNextUpdate: number
      /** SHA-256 of `crl.pem`, hexadecimal. */
      readonly sha256: string
    }

export type CrlLine = Extract<RegisterLine, { type: 'crl' }>
export type IssuedLine = Extract<RegisterLine, { type: 'issued' }>

export interface Register {
  readonly records: ReadonlyMap<string, CertificateRecord>
  readonly revoked: ReadonlySet<string>
  /** The CRL last published; absent before the first. */
  readonly crl: CrlLine | undefined
  /** A revocation is newer than the last CRL. */
  readonly crlBehind: boolean
  /** Serial of the newest identity by FQDN. */
  readonly identities: ReadonlyMap<string, string>
  /** Reads what others have appended; true when anything was new. */
  refresh(): Promise<boolean>
  /** Appends durably. Only under the folder's lock. */
  append(line: RegisterLine): Promise<void>
}

export function openRegister(path: string): Register {
  const records = new Map<string, CertificateRecord>()
  const revoked = new Set<string>()
  const identities = new Map<string, string>()
  let crl: CrlLine | undefined
  let crlBehind = false
  /** Bytes understood so far: up to and with the last line feed. */
  let offset = 0
  let inode = 0n
  /** Reading and appending move `offset`: one at a time. */
  let turn: Promise<unknown> = Promise.resolve()

  function next<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work)
    turn = mine.catch(() => undefined)
    return mine
  }

  function apply(line: RegisterLine) {
    if (line.type === 'issued') {
      const { serial, fqdn, names, notBefore, notAfter } = line
      records.set(serial, { serial, fqdn, names, notBefore, notAfter })
      if (line.use === 'identity') identities.set(fqdn, serial)
    } else if (line.type === 'revoked') {
      crlBehind = true
      for (const serial of line.serials) {
        revoked.add(serial)
        const record = records.get(serial)
        if (record !== undefined) {
          const reason = line.reason === undefined ? {} : { reason: line.reason }
          records.set(serial, { ...record, revokedAt: line.at, ...reason })
        }
      }
    } else {
      crl = line
      crlBehind = false
    }
  }

  async function read(): Promise<boolean> {
    const now = await stat(path, { bigint: true })
    if (inode !== 0n && (now.ino !== inode || now.size < BigInt(offset))) {
      // Restored from a copy: what it no longer says is no longer so.
      records.clear()
      revoked.clear()
      identities.clear()
      crl = undefined
      crlBehind = false
      offset = 0
    }
    inode = now.ino
    if (now.size === BigInt(offset)) return false
    const file = await open(path, 'r')
    try {
      const fresh = Buffer.alloc(Number(now.size) - offset)
      const { bytesRead } = await file.read(fresh, 0, fresh.length, offset)
      const end = fresh.subarray(0, bytesRead).lastIndexOf(0x0a)
      if (end < 0) return false
      for (const text of fresh.subarray(0, end).toString('utf8').split('\n')) {
        if (text !== '') apply(parseLine(text))
      }
      offset += end + 1
      return true
    } finally {
      await file.close()
    }
  }

  return {
    records,
    revoked,
    identities,
    get crl() {
      return crl
    },
    get crlBehind() {
      return crlBehind
    },
    refresh: () => next(read),
    append: (line) =>
      next(async () => {
        await read()
        const text = `${JSON.stringify(line)}\n`
        const file = await open(path, 'r+')
        try {
          // A line that a crash cut short was never acknowledged: write over it.
          await file.truncate(offset)
          await file.write(text, offset)
          await file.sync()
        } finally {
          await file.close()
        }
        apply(line)
        offset += Buffer.byteLength(text)
      }),
  }
}

function parseLine(text: string): RegisterLine {
  try {
    const line: unknown = JSON.parse(text)
    if (typeof line === 'object' && line !== null && 'type' in line) return line as RegisterLine
  } catch {
    // Said below, with what to do about it.
  }
  throw new SpineError(
    'TRUST_FOLDER_BROKEN',
    { status: 500 },
    {
      detail: 'a line of the register is not JSON',
      explanation: 'The register of certificates (register.jsonl) is damaged. Restore it from a backup.',
    },
  )
}
