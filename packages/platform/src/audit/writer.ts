import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who writes a journal: enough to tell whether that process still lives. */
export interface Writer {
  readonly host: string
  /** Boot id and process-id namespace of the machine; only within the same one can a process id be judged. */
  readonly realm: string
  readonly pid: number
  /** Start time of the process in clock ticks since boot, so that a reused process id is not taken for the writer. */
  readonly started: string
}

/** After so long without a sign of life, a writer that we cannot look at (another container or machine) counts as dead. */
export const silentMs = 30_000
/** How often a writer gives a sign of life. */
export const heartbeatMs = 5_000

/** Last sign of life of a writer that has left its files to others, though its process may live on. */
export const abandonedAt = 0

export function thisWriter(): Writer {
  return { host: hostname(), realm: realm(), pid: process.pid, started: startOf(process.pid) ?? '' }
}

/** `lastSeen` and `now` in milliseconds since the epoch. */
export function isAlive(writer: Writer, lastSeen: number, now: number): boolean {
  if (lastSeen === abandonedAt) return false
  if (writer.realm !== realm()) return now - lastSeen < silentMs
  try {
    process.kill(writer.pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  const started = startOf(writer.pid)
  return started === undefined || started === writer.started
}

function realm(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname() // no /proc: another machine is told by its name
  }
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, the name, may hold spaces and brackets: count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
