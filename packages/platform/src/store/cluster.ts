import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { type DiskProbe, DurableFS } from './durable.ts'
import { extensions } from './extensions.ts'
import { hasCluster, readTemplate, unpackTemplate, withoutSpareDatabases } from './template.ts'

/** Major version of the PostgreSQL inside the pinned PGlite. */
const postgresVersion = '18'

/** More shared buffers cost memory and gain nothing for this load. */
const buffers = ['-c', 'shared_buffers=16MB']

const durable = [
  ...PGlite.defaultStartParams.filter((flag) => flag !== '-F'),
  ...buffers,
  '-c',
  'fsync=on',
  '-c',
  'wal_sync_method=fsync',
]

export type ClusterProblem = 'STORE_VERSION' | 'STORE_NOT_DURABLE'

/** Why a cluster is not opened. */
export class ClusterError extends Error {
  readonly code: ClusterProblem

  constructor(code: ClusterProblem, message: string) {
    super(message)
    this.code = code
  }
}

export interface Cluster {
  readonly db: PGlite
  /** A flush to the disk has failed. */
  readonly failed: boolean
}

const extensionNames = Object.keys(extensions)

/** An empty cluster, made the slow way: two seconds instead of a tenth. */
export async function initialise(): Promise<Uint8Array> {
  const db = await PGlite.create({ extensions, initDbStartParams: ['--wal-segsize=1'] })
  for (const name of extensionNames) await db.exec(`create extension ${name} with schema public`)
  await db.exec('checkpoint')
  const archive = new Uint8Array(await (await db.dumpDataDir('none')).arrayBuffer())
  await db.close()
  return archive
}

async function emptyCluster(): Promise<Uint8Array> {
  return (await readTemplate(extensionNames)) ?? (await initialise())
}

/** A database in memory, from the same template as on the disk, but for what would only take room there. */
export async function openMemoryCluster(): Promise<Cluster> {
  const pieces = withoutSpareDatabases(await emptyCluster()) as Uint8Array<ArrayBuffer>[]
  const db = await PGlite.create({
    extensions,
    loadDataDir: new Blob(pieces),
    startParams: [...PGlite.defaultStartParams, ...buffers],
  })
  return { db, failed: false }
}

/** The cluster in that folder, which is made when it is missing; refuses one that cannot be durable. */
export async function openCluster(directory: string, probe: DiskProbe): Promise<Cluster> {
  if (!(await hasCluster(directory))) await unpackTemplate(await emptyCluster(), directory)
  const version = (await readFile(join(directory, 'PG_VERSION'), 'latin1')).trim()
  if (version !== postgresVersion)
    throw new ClusterError('STORE_VERSION', `the files are of PostgreSQL ${version}, the engine is ${postgresVersion}`)
  const before = probe.flushes
  const fs = new DurableFS(directory, probe)
  let db: PGlite
  try {
    db = await PGlite.create({ fs, extensions, startParams: durable })
  } catch (error) {
    if (fs.failed) throw new ClusterError('STORE_NOT_DURABLE', 'the disk could not be flushed')
    throw error
  }
  // Opening a cluster flushes its control file and log; none at all means that the hook is not used.
  if (probe.flushes === before) throw new ClusterError('STORE_NOT_DURABLE', 'the engine did not flush the disk')
  return {
    db,
    get failed() {
      return fs.failed
    },
  }
}
