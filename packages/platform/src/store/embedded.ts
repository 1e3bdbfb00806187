import { chmod, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { SpineError } from '@openspine/standards/error'
import pg, { type PoolConfig } from 'pg'
import type { Logger } from '../log.ts'
import { type Announcer, makeAnnouncer, makeSharedAnnouncer } from './announce.ts'
import { announcementsDatabase, serveAttached, socketPath } from './attach.ts'
import type { DiskProbe } from './durable.ts'
import { loadByUnnest } from './load.ts'
import { type Holder, type Lock, takeLock } from './lock.ts'
import { keepMaintained } from './maintain.ts'
import { migrate } from './migrate.ts'
import { endPool, makeDatabase, makePool } from './pool.ts'
import type { Store } from './store.ts'
import { Engine } from './wire.ts'

/** How long a transaction may be idle while others wait. */
const idleTransactionMs = 5_000
/** How long to wait for a store that is just being opened or closed by another process. */
const attachMs = 15_000
const againMs = 100

export interface EmbeddedOptions {
  readonly directory: string
  readonly attach: boolean
  readonly poolSize: number
  readonly log: Logger
  readonly idleTransactionMs?: number
  readonly probe?: DiskProbe
}

const connection = { user: 'postgres', database: 'postgres', ssl: false } as const

function poolConfig(poolSize: number): PoolConfig {
  return { ...connection, max: poolSize, idleTimeoutMillis: 0, connectionTimeoutMillis: 30_000 }
}

function assemble(kind: Store['kind'], pool: pg.Pool, announcer: Announcer, close: () => Promise<void>): Store {
  const db = makeDatabase(pool)
  let closed: Promise<void> | undefined
  return {
    kind,
    db,
    pool,
    migrate: (service, migrations) => migrate(db, service, migrations),
    load: (into, rows) => loadByUnnest(pool, into, rows),
    announce: announcer.announce,
    onAnnounced: announcer.onAnnounced,
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** PGlite without files: for tests and demonstrations. */
export async function openMemory(options: {
  readonly poolSize: number
  readonly log: Logger
  readonly idleTransactionMs?: number
}): Promise<Store> {
  const { log } = options
  const engine = await Engine.open({ idleTransactionMs, ...given(options) }, log)
  const pool = makePool({ ...poolConfig(options.poolSize), stream: () => engine.connect() }, log)
  const announcer = makeAnnouncer(log)
  const rest = keepMaintained(pool, log)
  return assemble('memory', pool, announcer, async () => {
    await announcer.close()
    await rest()
    await endPool(pool)
    await engine.close()
  })
}

function given(options: { readonly idleTransactionMs?: number }): { readonly idleTransactionMs?: number } {
  return options.idleTransactionMs === undefined ? {} : { idleTransactionMs: options.idleTransactionMs }
}

/** PGlite below `directory`: opened here, or, with `attach`, reached through the process that has it open. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Store> {
  // Absolute: others find the socket by what the lock says, wherever they stand.
  const directory = resolve(options.directory)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const socket = await socketPath(directory)
  const deadline = performance.now() + attachMs
  let touched: number | undefined
  for (;;) {
    const outcome = await takeLock(directory, socket)
    if ('lock' in outcome) return openOwned({ ...options, directory }, outcome.lock, socket)
    const store = options.attach ? await openAttached(outcome.heldBy?.socket ?? socket, options) : undefined
    if (store) return store
    // A holder whose processes we cannot see is watched: a sign of life, or none for so long that it is dead.
    const watch = outcome.touched !== undefined && (touched === undefined || touched === outcome.touched)
    if (watch && touched === undefined)
      options.log.info(
        { holder: outcome.heldBy?.host },
        'the store has a lock from elsewhere; waiting for a sign of life',
      )
    touched ??= outcome.touched
    if (!watch && (!options.attach || performance.now() > deadline)) throw inUse(outcome.heldBy)
    await wait(againMs)
  }
}

function inUse(by: Holder | undefined): SpineError {
  const who = by ? `process ${by.pid} on ${by.host.split(' ', 1)[0]}` : 'another process'
  return new SpineError('STORE_IN_USE', undefined, {
    detail: who,
    explanation: `The store is in use by ${who}. Stop it first, or give both a PostgreSQL to share.`,
  })
}

async function openOwned(options: EmbeddedOptions, lock: Lock, socket: string): Promise<Store> {
  const { directory, log, probe } = options
  const undo: (() => Promise<void>)[] = [() => lock.release()]
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const settings = {
      dataDir: join(directory, 'cluster'),
      idleTransactionMs,
      ...given(options),
      ...(probe ? { probe: probe.memory } : {}),
    }
    const engine = await Engine.open(settings, log)
    undo.push(() => engine.close())
    let tell = (_topic: string) => {}
    const announcer = makeAnnouncer(log, (topic) => tell(topic))
    undo.push(() => announcer.close())
    try {
      const attached = await serveAttached({ path: socket, engine, announcer, log })
      tell = attached.tell
      undo.push(() => attached.close())
    } catch (error) {
      // Some file systems know no sockets. The store works without; other processes must wait for this one's end.
      log.warn({ err: error, socket }, 'other processes cannot reach the store while this one runs')
    }
    const pool = makePool({ ...poolConfig(options.poolSize), stream: () => engine.connect() }, log)
    const rest = keepMaintained(pool, log)
    undo.push(async () => {
      await rest()
      await endPool(pool)
    })
    void lock.lost.then(() => {
      log.fatal('another process has taken over the store; this one stops using it')
      return engine.close('another process has taken over the store')
    })
    return assemble('embedded', pool, announcer, close)
  } catch (error) {
    await close()
    throw error
  }
}

/** Undefined when nobody answers there. */
async function openAttached(socket: string, options: EmbeddedOptions): Promise<Store | undefined> {
  const { log } = options
  const where = { ...connection, host: dirname(socket), port: 5432 }
  const probe = new pg.Client({ ...where, connectionTimeoutMillis: 5_000 })
  probe.on('error', () => {})
  try {
    await probe.connect()
    await probe.end()
  } catch (error) {
    log.debug({ reason: error instanceof Error ? error.message : String(error) }, 'the store does not answer yet')
    return undefined
  }
  const pool = makePool({ ...poolConfig(options.poolSize), ...where }, log)
  const announcer = makeSharedAnnouncer({ ...where, database: announcementsDatabase }, log)
  return assemble('attached', pool, announcer, async () => {
    await announcer.close()
    await endPool(pool)
  })
}
