/** The worker: PGlite behind the multiplexer. Everything that touches the engine happens in this thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { startup } from './frames.ts'
import { Multiplexer } from './multiplexer.ts'

/** Structured-cloneable: given to the worker when it starts. */
export interface EngineSettings {
  /** The database's files; absent for a database in memory. */
  readonly dataDir?: string
  /** See `Session.idleTransactionMs`. */
  readonly idleTransactionMs: number
}

/** Worker to owner: pairs of client and bytes (null: its connection is over), or news of the engine itself. */
export type EngineReport =
  | { readonly items: readonly (number | Uint8Array | null)[] }
  | { readonly ready: true }
  | { readonly failed: string }

const guardMs = 500

async function main(settings: EngineSettings): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('engine.ts runs as a worker')
  const report = (news: EngineReport) => port.postMessage(news)

  const db = await PGlite.create({
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
  })
  const hello = Uint8Array.from(db.execProtocolRawSync(startup()))
  let outbox: (number | Uint8Array | null)[] = []
  const flush = () => {
    if (outbox.length === 0) return
    report({ items: outbox })
    outbox = []
  }
  const multiplexer = new Multiplexer({
    hello,
    execute: (bytes) => db.execProtocolRawSync(bytes),
    send: (client, bytes) => outbox.push(client, bytes),
    end: (client) => outbox.push(client, null),
    now: () => performance.now(),
    idleTransactionMs: settings.idleTransactionMs,
  })
  const guard = setInterval(() => {
    multiplexer.guard()
    flush()
  }, guardMs)

  port.on('message', (items: 'close' | readonly (number | Uint8Array | null)[]) => {
    if (items === 'close') {
      clearInterval(guard)
      void db.close().finally(() => process.exit(0))
      return
    }
    for (let index = 0; index < items.length; index += 2) {
      const client = Number(items[index])
      const bytes = items[index + 1]
      if (bytes instanceof Uint8Array) multiplexer.receive(client, bytes)
      else multiplexer.leave(client)
    }
    multiplexer.run()
    flush()
  })
  report({ ready: true })
}

await main(workerData)
