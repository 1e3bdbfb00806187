import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

/** The PGlite whose cluster stands in the template; the package is pinned to it exactly. */
export const engineVersion = '0.5.16'

/** File name of the template for these extensions: an empty cluster, shut down cleanly, as `.tar.zst`. */
export function templateName(extensions: readonly string[]): string {
  return `pglite-${engineVersion}-${[...extensions].sort().join('-')}.tar.zst`
}

/** The archive for these extensions, unpacked from the package; undefined where the package came without it. */
export async function readTemplate(extensions: readonly string[]): Promise<Buffer | undefined> {
  try {
    const packed = await readFile(new URL(`../../template/${templateName(extensions)}`, import.meta.url))
    // In one go: the worker that asks has nothing else to do.
    return zstdDecompressSync(packed)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

interface Entry {
  readonly name: string
  readonly directory: boolean
  readonly content: Uint8Array
  /** The entry as it stands in the archive, with its header. */
  readonly packed: Uint8Array
}

const block = 512

/** Reads a ustar archive of plain files and directories: what our own build script writes. */
export function* readTar(archive: Uint8Array): Generator<Entry> {
  const text = (from: number, length: number) =>
    Buffer.from(archive.subarray(from, from + length))
      .toString('latin1')
      .replace(/\0.*$/s, '')
  for (let at = 0; at + block <= archive.length; ) {
    const name = text(at, 100)
    if (name === '') return
    const prefix = text(at + 345, 155)
    const size = Number.parseInt(text(at + 124, 12), 8)
    const type = text(at + 156, 1)
    const path = prefix === '' ? name : `${prefix}/${name}`
    if ((type !== '0' && type !== '5') || !Number.isSafeInteger(size) || path.split('/').includes('..'))
      throw new Error(`the template has an entry of type ${type || 'none'} that does not belong there`)
    const end = at + block + Math.ceil(size / block) * block
    yield {
      name: path,
      directory: type === '5',
      content: archive.subarray(at + block, at + block + size),
      packed: archive.subarray(at, end),
    }
    at = end
  }
}

/** Files of `template1` and `template0`: only who makes another database copies them. */
const spare = /^base\/[14]\//

/** The archive, in pieces, without the two databases that the embedded engine never opens: half of it. */
export function withoutSpareDatabases(archive: Uint8Array): Uint8Array[] {
  const kept = [...readTar(archive)].filter(({ name }) => !spare.test(name)).map(({ packed }) => packed)
  return [...kept, new Uint8Array(2 * block)]
}

/** How many files are written and flushed at once; one after another takes four times as long. */
const atOnce = 16

/**
 * Makes `directory` from the template: unpacked beside it, every file and folder flushed to the disk,
 * then renamed, so that after a crash it is there wholly or not at all.
 */
export async function unpackTemplate(archive: Uint8Array, directory: string): Promise<void> {
  const fresh = `${directory}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  const entries = [...readTar(archive)]
  const folders = entries.filter((entry) => entry.directory)
  for (const { name } of folders) await mkdir(join(fresh, name), { recursive: true, mode: 0o700 })
  await inParallel(
    entries.filter((entry) => !entry.directory),
    async ({ name, content }) => {
      const file = await open(join(fresh, name), 'wx', 0o600)
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
    },
  )
  await inParallel([...folders.map(({ name }) => join(fresh, name)), fresh], flushFolder)
  await rename(fresh, directory)
  await flushFolder(dirname(directory))
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Whether a database cluster stands in `directory`. */
export async function hasCluster(directory: string): Promise<boolean> {
  try {
    await stat(join(directory, 'PG_VERSION'))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw new Error(`cannot look into ${basename(directory)}`, { cause: error })
  }
}
