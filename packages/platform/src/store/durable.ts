import { fsyncSync } from 'node:fs'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/**
 * Watches the disk from outside the worker: how often it was flushed, and, for tests of what happens
 * then, whether the next flushes shall fail. Two 32-bit integers in shared memory.
 */
export class DiskProbe {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  get flushes(): number {
    return Atomics.load(this.#cells, 0)
  }

  count(): void {
    Atomics.add(this.#cells, 0, 1)
  }

  get failing(): boolean {
    return Atomics.load(this.#cells, 1) !== 0
  }

  set failing(failing: boolean) {
    Atomics.store(this.#cells, 1, failing ? 1 : 0)
  }
}

/** EIO in Emscripten's numbering. */
const ioError = 29

interface OpenFile {
  readonly nfd?: number
}

/** The part of Emscripten's module that the hook needs; internal to PGlite, hence the checks. */
interface Hooked {
  readonly NODEFS?: {
    readonly stream_ops?: { open?: unknown; write?: unknown; fsync?: (file: OpenFile) => number }
  }
}

/**
 * Makes `fsync` of the engine reach the disk. PGlite's file system answers 0 and does nothing. Throws
 * when the place for the hook is not where this version of PGlite has it.
 */
export function hookFsync(module: Hooked, flush: (descriptor: number) => void): void {
  const operations = module.NODEFS?.stream_ops
  if (typeof operations?.open !== 'function' || typeof operations.write !== 'function')
    throw new Error('the engine has no place for fsync')
  operations.fsync = ({ nfd }) => {
    try {
      if (nfd === undefined) return ioError
      flush(nfd)
      return 0
    } catch {
      return ioError
    }
  }
}

type Init = Awaited<ReturnType<NodeFS['init']>>

/** PGlite's files with a real fsync, whose failure is remembered: after one, nothing may be acknowledged. */
export class DurableFS extends NodeFS {
  readonly #probe: DiskProbe
  #failed = false

  constructor(directory: string, probe: DiskProbe) {
    super(directory)
    this.#probe = probe
  }

  /** A flush has failed: the state of the disk is unknown from here on. */
  get failed(): boolean {
    return this.#failed
  }

  override async init(db: PGlite, options: Parameters<NodeFS['init']>[1]): Promise<Init> {
    const made = await super.init(db, options)
    const preRun = made.emscriptenOpts.preRun ?? []
    preRun.push((module) => {
      hookFsync(module as unknown as Hooked, (descriptor) => {
        this.#probe.count()
        try {
          if (this.#probe.failing) throw new Error('told to fail')
          fsyncSync(descriptor)
        } catch (error) {
          this.#failed = true
          throw error
        }
      })
    })
    return { ...made, emscriptenOpts: { ...made.emscriptenOpts, preRun } }
  }
}
