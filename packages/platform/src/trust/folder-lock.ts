import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, readlink, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SpineError } from '@openspine/standards/error'

/** One writer at a time to a folder, across processes. */
export interface FolderLock {
  hold<T>(work: () => Promise<T>): Promise<T>
}

const patienceMs = 30_000
/** A holder elsewhere (other machine or container) that has not touched its claim for so long has died. */
const silenceMs = 30_000
const touchMs = 5_000

/**
 * A lock made of claims: files with names of their own in `<folder>/.lock`. A process lays down its
 * claim and then looks: whoever sees no other living claim holds the lock, whoever sees one takes its
 * own back and tries again. Every claim has a unique name, so removing the claim of a dead process
 * can never remove a living one. The name tells who claims, therefore no claim is ever half written.
 */
export async function folderLock(folder: string): Promise<FolderLock> {
  const claims = join(folder, '.lock')
  await mkdir(claims, { recursive: true })
  const home = `${hostname().replace(/[^A-Za-z0-9.-]/g, '')}+${await pidNamespace()}`
  const started = await startOf(process.pid)
  let queue: Promise<unknown> = Promise.resolve()

  async function isDead(claim: string): Promise<boolean> {
    const [where, pid, start] = claim.split('~')
    if (where === home) {
      if (!isRunning(Number(pid))) return true
      const now = await startOf(Number(pid))
      return start !== '' && now !== '' && start !== now
    }
    try {
      return Date.now() - (await stat(join(claims, claim))).mtimeMs > silenceMs
    } catch {
      return true
    }
  }

  async function othersThan(own: string | undefined): Promise<boolean> {
    let living = false
    for (const claim of await readdir(claims)) {
      if (claim === own) continue
      if (await isDead(claim)) await rm(join(claims, claim), { force: true })
      else living = true
    }
    return living
  }

  async function take(): Promise<string> {
    const until = performance.now() + patienceMs
    for (let attempt = 0; performance.now() < until; attempt++) {
      if (!(await othersThan(undefined))) {
        const own = `${home}~${process.pid}~${started}~${randomBytes(8).toString('hex')}`
        await (await open(join(claims, own), 'wx', 0o600)).close()
        if (!(await othersThan(own))) return join(claims, own)
        await rm(join(claims, own), { force: true })
      }
      await pause(1 + Math.random() * Math.min(40, 4 + attempt))
    }
    throw new SpineError(
      'TRUST_FOLDER_BUSY',
      { status: 503 },
      {
        detail: `another process has held ${claims} for ${patienceMs} ms`,
        explanation:
          'Another process is writing to the certificate folder and does not finish. Stop it, then try again.',
      },
    )
  }

  async function hold<T>(work: () => Promise<T>): Promise<T> {
    const claim = await take()
    const touch = setInterval(() => {
      const now = new Date()
      utimes(claim, now, now).catch(() => undefined)
    }, touchMs)
    touch.unref()
    try {
      return await work()
    } finally {
      clearInterval(touch)
      await rm(claim, { force: true })
    }
  }

  return {
    hold(work) {
      const mine = queue.then(() => hold(work))
      queue = mine.catch(() => undefined)
      return mine
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A process number comes again after a restart; together with the time of its start it does not. Linux only. */
async function startOf(pid: number): Promise<string> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8')
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Containers may share a host name and not the numbering of their processes. */
async function pidNamespace(): Promise<string> {
  try {
    return (await readlink('/proc/self/ns/pid')).replace(/\D/g, '')
  } catch {
    return ''
  }
}
