/** The worker: PGlite behind the multiplexer. Everything that touches the engine happens in this thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { ClusterError, type ClusterProblem, openCluster, openMemoryCluster } from './cluster.ts'
import { DiskProbe } from './durable.ts'
import { startup } from './frames.ts'
import { EngineBroken, Multiplexer } from './multiplexer.ts'
import { rawProtocol } from './raw-protocol.ts'

/** Structured-cloneable: given to the worker when it starts. */
export interface EngineSettings {
  /** The database's files; absent for a database in memory. */
  readonly dataDir?: string
  /** Memory of a `DiskProbe`. */
  readonly probe?: SharedArrayBuffer
  /** See `Session.idleTransactionMs`. */
  readonly idleTransactionMs: number
}

/** Pairs of client and bytes; null instead of bytes: its connection is over. */
export type Traffic = readonly (number | Uint8Array | null)[]

/** Worker to owner. */
export type EngineReport =
  | { readonly items: Traffic }
  | { readonly ready: true }
  | { readonly failed: string; readonly code?: ClusterProblem }

const guardMs = 250
/** Answers are not kept back longer than this while others' statements run. */
const flushMs = 2

async function main(settings: EngineSettings, port: NonNullable<typeof parentPort>): Promise<void> {
  const report = (news: EngineReport) => port.postMessage(news)
  const cluster =
    settings.dataDir === undefined
      ? await openMemoryCluster()
      : await openCluster(settings.dataDir, new DiskProbe(settings.probe))
  const { db } = cluster
  const run = rawProtocol(db)

  let broken = false
  let outbox: (number | Uint8Array | null)[] = []
  let flushed = 0
  const flush = () => {
    flushed = performance.now()
    if (outbox.length === 0) return
    report({ items: outbox })
    outbox = []
  }
  const execute = (bytes: Uint8Array) => {
    let answer: Uint8Array
    try {
      answer = run(bytes)
    } catch (error) {
      // Its message may hold data, its stack the engine's whole source: only the kind is told.
      throw new EngineBroken(error instanceof Error ? error.name : 'error', { cause: error })
    }
    if (cluster.failed) throw new EngineBroken('the disk could not be flushed')
    return answer
  }
  const multiplexer = new Multiplexer({
    hello: execute(startup()),
    execute,
    send(client, bytes) {
      outbox.push(client, bytes)
      if (performance.now() - flushed > flushMs) flush()
    },
    end: (client) => outbox.push(client, null),
    now: () => performance.now(),
    idleTransactionMs: settings.idleTransactionMs,
  })

  /** Answers that came before the failure stand; after it the engine is not asked again. */
  const guarded = (work: () => void) => {
    if (broken) return
    try {
      work()
      flush()
    } catch (error) {
      broken = true
      flush()
      report({ failed: error instanceof EngineBroken ? error.message : 'the multiplexer failed' })
    }
  }
  const guard = setInterval(() => guarded(() => multiplexer.guard()), guardMs)

  port.on('message', (items: 'close' | Traffic) => {
    if (items === 'close') {
      clearInterval(guard)
      if (broken) process.exit(0)
      broken = true
      void db.close().finally(() => process.exit(0))
      return
    }
    guarded(() => {
      flushed = performance.now()
      for (let index = 0; index < items.length; index += 2) {
        const client = Number(items[index])
        const bytes = items[index + 1]
        if (bytes instanceof Uint8Array) multiplexer.receive(client, bytes)
        else multiplexer.leave(client)
      }
      multiplexer.run()
    })
  })
  report({ ready: true })
}

if (parentPort) {
  const port = parentPort
  try {
    await main(workerData, port)
  } catch (error) {
    const failed = error instanceof Error ? `${error.name}: ${error.message.slice(0, 300)}` : 'not an error'
    const news: EngineReport = error instanceof ClusterError ? { failed: error.message, code: error.code } : { failed }
    port.postMessage(news)
  }
}
