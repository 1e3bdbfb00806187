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

/** One thread, started with the first order; orders are taken one after the other. */
export function longRecords(): LongRecords {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | undefined
  let last = 0

  function started(): Worker {
    if (thread !== undefined) return thread
    const file = import.meta.url.endsWith('.ts') ? './record-worker.ts' : './record-worker.js'
    const made = new Worker(new URL(file, import.meta.url))
    made.on('message', (answer: WorkerAnswer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (waiting.size === 0) made.unref()
      if ('octets' in answer) one?.resolve(answer.octets)
      else one?.reject(new Error(`a long record could not be written (${answer.fault})`))
    })
    // Out of memory, or broken: what it had is lost, and the next order starts another.
    const ended = (error: Error) => {
      if (thread === made) thread = undefined
      for (const one of waiting.values()) one.reject(error)
      waiting.clear()
    }
    made.on('error', (error) => ended(new Error('the thread of long records failed', { cause: error })))
    made.on('exit', () => ended(new Error('the thread of long records has ended')))
    thread = made
    return made
  }

  return {
    write(order) {
      const id = ++last
      const to = started()
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        to.ref()
        to.postMessage({ id, order } satisfies WorkerOrder)
      })
    },
    async stop() {
      await thread?.terminate()
    },
  }
}
