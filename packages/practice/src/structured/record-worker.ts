/** The thread in which long records are written (`long-records.ts` starts it). */
import { parentPort } from 'node:worker_threads'
import { writtenRecord } from './record-order.ts'

/** What is asked of this thread, and what it answers. */
export interface WorkerOrder {
  readonly id: number
  readonly order: string
}
export type WorkerAnswer = { readonly id: number } & (
  | { readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly fault: string }
)

parentPort?.on('message', ({ id, order }: WorkerOrder) => {
  try {
    const octets = writtenRecord(order)
    parentPort?.postMessage({ id, octets } satisfies WorkerAnswer, [octets.buffer])
  } catch (error) {
    // The name of the error alone: its words may hold what stands in the record.
    const fault = error instanceof Error ? error.name : 'unknown'
    parentPort?.postMessage({ id, fault } satisfies WorkerAnswer)
  }
})
