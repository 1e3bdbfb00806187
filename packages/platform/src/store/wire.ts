import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { SpineError } from '@openspine/standards/error'
import type { Logger } from '../log.ts'
import type { EngineReport, EngineSettings, Traffic } from './engine.ts'

/** How long a close may take before the engine is ended all the same. */
const closeMs = 10_000
const longestPauseMs = 5_000

/** The connection to the engine that `pg` sees as a socket. */
export class Wire extends Duplex {
  readonly id: number
  readonly #post: (id: number, bytes: Uint8Array | null) => void
  #left = false

  constructor(id: number, post: (id: number, bytes: Uint8Array | null) => void) {
    super({ allowHalfOpen: false })
    this.id = id
    this.#post = post
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'))
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    // A copy of its own: posting a view of `Buffer`'s pool would copy the whole pool.
    this.#post(this.id, new Uint8Array(chunk))
    done()
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], done: () => void): void {
    const bytes = new Uint8Array(chunks.reduce((sum, { chunk }) => sum + chunk.length, 0))
    let at = 0
    for (const { chunk } of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    this.#post(this.id, bytes)
    done()
  }

  override _final(done: () => void): void {
    this.#leave()
    this.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#leave()
    done(error)
  }

  #leave(): void {
    if (this.#left) return
    this.#left = true
    this.#post(this.id, null)
  }
}

function broken(reason: string, again: boolean): SpineError {
  return new SpineError('STORE_ENGINE_FAILED', undefined, {
    detail: reason,
    explanation: again
      ? 'The embedded store failed and is being opened again. Whether the last change was kept is unknown; everything acknowledged is safe.'
      : 'The store in memory failed, and what it held is lost.',
  })
}

function closed(reason: string): SpineError {
  return new SpineError('STORE_CLOSED', undefined, { detail: reason, explanation: 'The store is closed.' })
}

const explanations = {
  STORE_VERSION:
    'The files of the embedded store belong to another version. Open them with that version and move the data.',
  STORE_NOT_DURABLE:
    'The embedded store cannot make sure that data reaches the disk, and so was not opened. Check the disk.',
  STORE_NOT_OPENED:
    'The embedded store could not be opened; look at the reason in the log, at the disk and at the rights of its folder.',
} as const

/**
 * The embedded engine as this process sees it: a worker, and the wires into it. When the engine
 * fails, every wire fails at once, and a fresh engine opens the same files.
 */
export class Engine {
  readonly #settings: EngineSettings
  readonly #log: Logger
  readonly #wires = new Map<number, Wire>()
  #worker: Worker | undefined
  #ready = false
  /** Why there will be no connection any more. */
  #over: SpineError | undefined
  #closed: Promise<void> | undefined
  #outbox: (number | Uint8Array | null)[] = []
  #flushing = false
  #lastId = 0
  #failures = 0
  #retry: NodeJS.Timeout | undefined

  private constructor(settings: EngineSettings, log: Logger) {
    this.#settings = settings
    this.#log = log
  }

  static async open(settings: EngineSettings, log: Logger): Promise<Engine> {
    const engine = new Engine(settings, log)
    await engine.#start()
    return engine
  }

  /** A new connection; `foreign` when the bytes come from another process. */
  connect(foreign = false): Wire {
    this.#lastId += 1
    const id = foreign ? -this.#lastId : this.#lastId
    const wire = new Wire(id, (from, bytes) => {
      if (bytes === null) this.#wires.delete(from)
      this.#send(from, bytes)
    })
    this.#wires.set(id, wire)
    if (this.#over !== undefined) wire.destroy(this.#over)
    return wire
  }

  /** Fails all wires, shuts the database down cleanly and ends the worker. */
  close(reason = 'closed by its owner'): Promise<void> {
    this.#closed ??= this.#close(reason)
    return this.#closed
  }

  async #close(reason: string): Promise<void> {
    this.#fail(closed(reason), true)
    clearTimeout(this.#retry)
    const worker = this.#worker
    if (!worker) return
    const over = Promise.withResolvers<unknown>()
    worker.once('exit', over.resolve)
    this.#flush()
    worker.postMessage('close')
    const late = setTimeout(() => over.resolve(worker.terminate()), closeMs)
    await over.promise
    clearTimeout(late)
  }

  #send(id: number, bytes: Uint8Array | null): void {
    this.#outbox.push(id, bytes)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (!this.#ready || this.#outbox.length === 0) return
    this.#worker?.postMessage(this.#outbox)
    this.#outbox = []
  }

  #fail(error: SpineError, forGood: boolean): void {
    if (forGood) this.#over ??= error
    const wires = [...this.#wires.values()]
    for (const wire of wires) wire.destroy(error)
    // What was not sent yet belongs to wires that are no more.
    if (!forGood) this.#outbox = []
  }

  #start(): Promise<void> {
    const file = import.meta.url.endsWith('.ts') ? './engine.ts' : './engine.js'
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: this.#settings,
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    this.#worker = worker
    // The engine's own words may hold data: they are not printed.
    worker.stdout.resume()
    worker.stderr.resume()

    return new Promise((resolve, reject) => {
      let ended = false
      const end = async (reason: string, code: keyof typeof explanations = 'STORE_NOT_OPENED') => {
        if (ended) return
        ended = true
        const opened = this.#ready
        this.#ready = false
        // The files belong to one engine at a time: the next starts when this one is gone.
        await worker.terminate()
        if (this.#worker === worker) this.#worker = undefined
        const again = this.#settings.dataDir !== undefined && (opened || this.#failures > 0)
        if (!this.#over) {
          this.#fail(broken(reason, again), !again)
          if (again) this.#reopen(reason)
          else if (opened) this.#log.fatal({ reason }, 'the store in memory failed; what it held is lost')
        }
        reject(new SpineError(code, undefined, { detail: reason, explanation: explanations[code] }))
      }
      worker.on('message', (report: EngineReport) => {
        if (ended) return
        if ('items' in report) this.#receive(report.items)
        else if ('ready' in report) {
          this.#ready = true
          this.#failures = 0
          this.#flush()
          resolve()
        } else void end(report.failed, report.code)
      })
      worker.on('error', (error) => void end(`the engine ended: ${error instanceof Error ? error.name : 'error'}`))
      worker.on('exit', (code) => void end(`the engine ended with ${code}`))
    })
  }

  #reopen(reason: string): void {
    this.#failures += 1
    const pause = this.#failures === 1 ? 0 : Math.min(100 * 2 ** this.#failures, longestPauseMs)
    this.#log.error({ reason, attempt: this.#failures, pause }, 'the embedded store failed; opening it again')
    this.#retry = setTimeout(() => {
      // A failure comes back here through `end`.
      this.#start().catch(() => {})
    }, pause)
  }

  #receive(items: Traffic): void {
    for (let index = 0; index < items.length; index += 2) {
      const bytes = items[index + 1]
      const wire = this.#wires.get(Number(items[index]))
      if (bytes instanceof Uint8Array) wire?.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
      else wire?.push(null)
    }
  }
}
