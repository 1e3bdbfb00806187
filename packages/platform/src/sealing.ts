import { createCipheriv, createDecipheriv, createHash, createSecretKey, hkdfSync, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SpineError } from '@openspine/standards/error'
import type { Random } from './clock.ts'

/**
 * What lies in the store and must be of no use to whoever reads the store alone (a dump, a replica, a backup): private
 * keys, and what is known of people by their grants. AES-256-GCM; the key is not in the store.
 */
export interface Sealing {
  /** `purpose` says what it is and whose: what was sealed for one is not opened for another. */
  seal(text: string, purpose: string): string
  /** Text that was never sealed is answered as it is. SpineError `STORE_SEALED` when it was sealed with another key. */
  open(sealed: string, purpose: string): string
  isSealed(text: string): boolean
}

const mark = 'sealed:1:'
const [nonceOctets, tagOctets] = [12, 16]

/** Seals with a secret: 256 random bits, or a setting that is as hard to guess. */
export function sealingWith(secret: string, random: Pick<Random, 'bytes'>): Sealing {
  // A key object: of bytes, Node asks at each use what else they might be.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'openspine store sealing', 32)))
  return {
    seal(text, purpose) {
      const nonce = random.bytes(nonceOctets)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose))
      const octets = [cipher.update(text, 'utf8'), cipher.final()]
      return mark + Buffer.concat([nonce, ...octets, cipher.getAuthTag()]).toString('base64')
    },
    open(sealed, purpose) {
      if (!sealed.startsWith(mark)) return sealed
      const octets = Buffer.from(sealed.slice(mark.length), 'base64')
      const end = octets.length - tagOctets
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, octets.subarray(0, nonceOctets), {
          authTagLength: tagOctets,
        })
        decipher.setAAD(Buffer.from(purpose)).setAuthTag(octets.subarray(end))
        return Buffer.concat([decipher.update(octets.subarray(nonceOctets, end)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SpineError(
          'STORE_SEALED',
          { purpose: createHash('sha256').update(purpose).digest('hex').slice(0, 16) },
          {
            cause,
            explanation:
              'The store holds what was sealed with another key. All processes of an environment need the same one: the setting sealingKey, or the file sealing.key of the data folder in which it was first started.',
          },
        )
      }
    },
    isSealed: (text) => text.startsWith(mark),
  }
}

/** The sealing of an environment: by its setting, or by a key of its data folder, made once (mode 0600). */
export function openSealing(about: {
  readonly secret: string
  readonly folder: string
  readonly random: Pick<Random, 'bytes'>
}): Sealing {
  return sealingWith(about.secret === '' ? keyIn(about.folder) : about.secret, about.random)
}

function keyIn(folder: string): string {
  const file = join(folder, 'sealing.key')
  const kept = readIfThere(file)
  if (kept !== undefined) return kept
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true })
  try {
    // Whole, and only where there is none: of several processes one is first, and its key counts.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readFileSync(file, 'utf8')
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
