import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { link, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'

/** How often the holder touches its lock. */
const touchMs = 5_000
/** A lock from another machine is dead when it was not touched for this long. */
const staleMs = 30_000
const attempts = 5

const holder = z.object({
  pid: z.number().int(),
  /** Start time in clock ticks since boot: tells a process from a later one with the same number. */
  start: z.string(),
  boot: z.string(),
  /** Host name and process-number space: within one, process numbers mean something. */
  host: z.string(),
  /** Where others can reach the store meanwhile. */
  socket: z.string(),
  id: z.string(),
})

/** Who has the directory. */
export type Holder = z.infer<typeof holder>

export interface Lock {
  /** Resolves when someone else took the lock over, which happens to a process that was stopped for long. */
  readonly lost: Promise<void>
  release(): Promise<void>
}

export type LockOutcome =
  | { readonly lock: Lock }
  | {
      /** Undefined when it is just being taken. */
      readonly heldBy: Holder | undefined
      /**
       * Only when the holder is beyond our sight (another machine or container): when it last touched its
       * lock, in the file system's milliseconds. If that stands still, the holder is dead.
       */
      readonly touched?: number
    }

function textOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return otherwise
  }
}

function startOf(pid: number): string {
  // Field 22; the second, the command's name, is in brackets and may hold anything.
  const fields = textOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.split(' ')
  return fields?.[19] ?? ''
}

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function ourselves(socket: string): Holder {
  return {
    pid: process.pid,
    start: startOf(process.pid),
    boot: textOr('/proc/sys/kernel/random/boot_id', ''),
    host: `${hostname()} ${processSpace()}`,
    socket,
    id: randomUUID(),
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Whether the holder's process lives; `untouchedMs` decides where its process numbers mean nothing to us. */
export function isAlive(of: Holder, us: Holder, untouchedMs: number): boolean {
  if (of.host !== us.host) return untouchedMs < staleMs
  return of.boot === us.boot && exists(of.pid) && startOf(of.pid) === of.start
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return holder.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * The kernel's own lock on Linux: an abstract socket named by the directory's device and inode, which
 * vanishes with the process. Undefined where the name is taken. It is known per network namespace
 * only, hence the file beside it.
 */
async function kernelLock(directory: string): Promise<Server | 'none' | undefined> {
  if (process.platform !== 'linux') return 'none'
  const { dev, ino } = await stat(directory, { bigint: true })
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error) => (isCode(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)))
    server.listen({ path: `\0openspine-store-${dev}-${ino}`, exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

async function closeServer(server: Server | 'none'): Promise<void> {
  if (server !== 'none') await new Promise<void>((resolve) => server.close(() => resolve()))
}

/** Takes the directory for this process, or says who has it. Exactly one of any number of callers gets it. */
export async function takeLock(directory: string, socket: string, every = touchMs): Promise<LockOutcome> {
  const file = join(directory, 'lock')
  const kernel = await kernelLock(directory)
  const us = ourselves(socket)
  if (kernel === undefined) return { heldBy: await readLiveHolder(file, us) }
  try {
    const held = await takeFile(file, us)
    if (held === undefined) return { lock: hold(file, us, kernel, every) }
    await closeServer(kernel)
    return held
  } catch (error) {
    await closeServer(kernel)
    throw error
  }
}

/** The file of whoever has the kernel's lock, which may be about to be written over that of a dead process. */
async function readLiveHolder(file: string, us: Holder): Promise<Holder | undefined> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const other = await readHolder(file)
    if (other && isAlive(other, us, 0)) return other
    await wait(20)
  }
  return undefined
}

type Held = Exclude<LockOutcome, { readonly lock: Lock }>

/** Undefined when the file is ours now. */
async function takeFile(file: string, us: Holder): Promise<Held | undefined> {
  const own = `${file}.${us.id}`
  // Content first, then the name: nobody ever reads half a lock.
  await writeFile(own, JSON.stringify(us), { flag: 'wx', mode: 0o600 })
  try {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        await link(own, file)
        return undefined
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
      }
      const other = await judge(file, own, us)
      if (other) return other
    }
    throw new Error('the lock of the store changes hands all the time')
  } finally {
    await unlink(own)
  }
}

/** The live holder of the file; undefined when it is out of the way. */
async function judge(file: string, own: string, us: Holder): Promise<Held | undefined> {
  try {
    const [theirs, ours] = await Promise.all([stat(file), stat(own)])
    const other = await readHolder(file)
    // Both times are the file system's: clocks of two machines need not agree.
    if (other && isAlive(other, us, ours.mtimeMs - theirs.mtimeMs))
      return other.host === us.host ? { heldBy: other } : { heldBy: other, touched: theirs.mtimeMs }
    const aside = `${own}.stale`
    await rename(file, aside)
    const moved = await readHolder(aside)
    // Between judging and moving someone may have put a fresh lock there: give it back.
    if (moved && moved.id !== other?.id) {
      await link(aside, file).catch(() => {})
      await unlink(aside)
      return { heldBy: moved }
    }
    await unlink(aside)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
  return undefined
}

function hold(file: string, us: Holder, kernel: Server | 'none', every: number): Lock {
  const lost = Promise.withResolvers<void>()
  const touch = setInterval(async () => {
    const now = new Date()
    const holds = await readHolder(file)
    if (holds?.id === us.id) await utimes(file, now, now).catch(() => {})
    else {
      clearInterval(touch)
      lost.resolve()
    }
  }, every)
  touch.unref()
  return {
    lost: lost.promise,
    async release() {
      clearInterval(touch)
      if ((await readHolder(file))?.id === us.id) await unlink(file).catch(() => {})
      await closeServer(kernel)
    },
  }
}
