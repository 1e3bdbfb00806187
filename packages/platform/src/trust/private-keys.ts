import { chmod, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from '../log.ts'
import type { FolderLock } from './folder-lock.ts'
import { keyPem, readKey } from './keys.ts'
import type { OwnPaths } from './own-files.ts'
import { readIfThere, replaceFile, secret } from './safe-files.ts'

/**
 * Brings the authority's keys to what they must be whenever the folder is opened: readable by the owner
 * alone, and encrypted once there is a passphrase (they may date from before it). Says what it changed.
 */
export async function guardKeys(about: {
  readonly paths: OwnPaths
  readonly lock: FolderLock
  readonly log: Logger
  readonly passphrase?: string
}): Promise<void> {
  const { paths, lock, log, passphrase } = about
  await tighten(dirname(paths.rootKey), 0o700, log)
  for (const path of [paths.rootKey, paths.issuingKey]) {
    await tighten(path, secret, log)
    if (passphrase === undefined || !(await isPlain(path))) continue
    await lock.hold(async () => {
      const pem = await readIfThere(path)
      if (pem === undefined || pem.includes('ENCRYPTED')) return
      await replaceFile(path, keyPem(readKey(pem, undefined), passphrase), secret)
      log.warn({ path }, 'a key of the certificate authority was not encrypted, and now is')
    })
  }
}

async function isPlain(path: string): Promise<boolean> {
  return !((await readIfThere(path)) ?? 'ENCRYPTED').includes('ENCRYPTED')
}

async function tighten(path: string, mode: number, log: Logger): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || (found.mode & 0o077) === 0 || process.platform === 'win32') return
  await chmod(path, mode)
  log.warn({ path, mode: (found.mode & 0o777).toString(8) }, 'others could read this; now only its owner can')
}
