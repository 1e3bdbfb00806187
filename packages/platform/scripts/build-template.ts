/**
 * Builds `template/pglite-<version>-<extensions>.tar.zst`, from which the embedded store starts in
 * well under a second: an empty cluster with our extensions, shut down cleanly. Run it after every
 * change of PGlite's version or of `extensions.ts`, and commit the file:
 *
 *   node packages/platform/scripts/build-template.ts
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { extensions } from '../src/store/extensions.ts'
import { templateName } from '../src/store/template.ts'

const names = Object.keys(extensions)
const work = mkdtempSync(join(tmpdir(), 'openspine-template-'))
try {
  const cluster = join(work, 'cluster')
  const db = await PGlite.create(cluster, {
    extensions,
    // Small segments: a quarter of the download, and checkpoints recycle less.
    initDbStartParams: ['--wal-segsize=1'],
    // PGlite's own, with the disk's guarantees: the shutdown checkpoint must be whole.
    startParams: PGlite.defaultStartParams.filter((flag) => flag !== '-F'),
  })
  for (const name of names) await db.exec(`create extension ${name} with schema public`)
  await db.exec('vacuum (freeze, analyze)')
  await db.exec('checkpoint')
  await db.close()

  const archive = tar(cluster)
  const packed = zstdCompressSync(archive, {
    params: { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 25 },
  })
  const folder = new URL('../template/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const old of readdirSync(folder)) if (old.endsWith('.tar.zst')) rmSync(new URL(old, folder))
  writeFileSync(new URL(templateName(names), folder), packed)
  console.log(`${templateName(names)}: ${packed.length} bytes, ${archive.length} unpacked`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function tar(folder: string): Buffer {
  const parts: Buffer[] = []
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    if (name === 'postmaster.pid' || name === 'postmaster.opts') continue
    const content = entry.isDirectory() ? Buffer.alloc(0) : readFileSync(path)
    if (!entry.isDirectory() && !statSync(path).isFile()) throw new Error(`${name} is neither file nor folder`)
    parts.push(
      header(name, entry.isDirectory(), content.length),
      content,
      Buffer.alloc((512 - (content.length % 512)) % 512),
    )
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

function header(name: string, directory: boolean, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long for ustar`)
  const block = Buffer.alloc(512)
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  block.write(name, 0)
  octal(directory ? 0o700 : 0o600, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        ', 148)
  block.write(directory ? '5' : '0', 156)
  block.write('ustar\x0000', 257, 'latin1')
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return block
}
