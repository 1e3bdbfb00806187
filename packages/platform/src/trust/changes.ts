import { type FSWatcher, watch } from 'node:fs'
import type { Logger } from '../log.ts'

/** Who wants to know of changes, and how often anything has changed. */
export interface Changes {
  readonly revision: number
  listen(listener: () => void): () => void
  fire(): void
}

export function makeChanges(log: Logger): Changes {
  const listeners = new Set<() => void>()
  let revision = 1
  return {
    get revision() {
      return revision
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    fire() {
      revision++
      for (const listener of [...listeners]) {
        try {
          listener()
        } catch (error) {
          log.error({ err: error }, 'a listener to changes of trust failed')
        }
      }
    },
  }
}

const pollMs = 500

/**
 * Calls `look` soon after anything changes in one of the folders, and twice a second all the same:
 * notifications do not cross every file system. One look at a time; keeps no process alive.
 */
export function lookOften(
  folders: readonly string[],
  look: () => Promise<void>,
  log: Logger,
): { now(): Promise<void>; stop(): Promise<void> } {
  const watchers: FSWatcher[] = []
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  let lastTrouble = ''

  async function run() {
    do {
      again = false
      try {
        await look()
        lastTrouble = ''
      } catch (error) {
        const trouble = String(error)
        // Said once, not twice a second.
        if (trouble !== lastTrouble) log.error({ err: error }, 'the files of trust cannot be brought up to date')
        lastTrouble = trouble
      }
    } while (again && !stopped)
    running = undefined
  }

  function turn(): Promise<void> {
    if (stopped) return Promise.resolve()
    if (running === undefined) running = run()
    else again = true
    return running
  }

  const poll = setInterval(() => void turn(), pollMs)
  poll.unref()
  for (const folder of new Set(folders)) {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || !name.startsWith('.')) void turn()
      })
      watcher.on('error', () => watcher.close())
      watchers.push(watcher)
    } catch {
      // No notifications here (limit reached, or a file system without): the poll suffices.
    }
  }
  return {
    now: turn,
    async stop() {
      stopped = true
      clearInterval(poll)
      for (const watcher of watchers) watcher.close()
      await running
    },
  }
}
