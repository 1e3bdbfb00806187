/** Writes long structured records in a thread of their own, so that whoever asks for anything else is not kept waiting. */
import { Worker } from 'node:worker_threads'
import type { WorkerAnswer, WorkerOrder } from './record-worker.ts'

export interface LongRecords {
  /** The octets of an order (`recordOrder`). Rejects when it cannot be written, or the thread has ended. */
  write(order: string): Promise<Uint8Array>
  stop(): Promise<void>
}

interface Waiting {
  resolve(octets: Uint8Array): void
  reject(error: Error): void
}

/** How long the thread waits for another record before it gives its memory back. */
const idleMs = 60_000

/** A thread and the orders that it has; they end with it. */
interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting>
  idle: NodeJS.Timeout | undefined
}

/** One thread, started with the first order; orders are taken one after the other. */
export function longRecords(): LongRecords {
  let thread: Thread | undefined
  let last = 0

  function started(): Thread {
    const file = import.meta.url.endsWith('.ts') ? './record-worker.ts' : './record-worker.js'
    const worker = new Worker(new URL(file, import.meta.url))
    const waiting = new Map<number, Waiting>()
    const made: Thread = { worker, waiting, idle: undefined }
    worker.on('message', (answer: WorkerAnswer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (waiting.size === 0) {
        worker.unref()
        made.idle = setTimeout(() => void end(made), idleMs).unref()
      }
      if ('octets' in answer) one?.resolve(answer.octets)
      else one?.reject(new Error(`a long record could not be written (${answer.fault})`))
    })
    // Out of memory, or broken: what it had is lost, and the next order starts another.
    const ended = (error: Error) => {
      if (thread === made) thread = undefined
      for (const one of waiting.values()) one.reject(error)
      waiting.clear()
    }
    worker.on('error', (error) => ended(new Error('the thread of long records failed', { cause: error })))
    worker.on('exit', () => ended(new Error('the thread of long records has ended')))
    return made
  }

  async function end(one: Thread): Promise<void> {
    if (thread === one) thread = undefined
    clearTimeout(one.idle)
    await one.worker.terminate()
  }

  return {
    write(order) {
      thread ??= started()
      const { worker, waiting, idle } = thread
      clearTimeout(idle)
      const id = ++last
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        worker.ref()
        worker.postMessage({ id, order } satisfies WorkerOrder)
      })
    },
    async stop() {
      if (thread !== undefined) await end(thread)
    },
  }
}
