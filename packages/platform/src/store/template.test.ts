import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { initialise, openCluster, openMemoryCluster } from './cluster.ts'
import { DiskProbe, hookFsync } from './durable.ts'
import { extensions } from './extensions.ts'
import { engineVersion, hasCluster, readTar, readTemplate, unpackTemplate, withoutSpareDatabases } from './template.ts'

test('the template belongs to the engine that is installed', async () => {
  const manifest = new URL('../package.json', import.meta.resolve('@electric-sql/pglite'))
  const { version } = JSON.parse(await readFile(fileURLToPath(manifest), 'utf8'))
  assert.equal(version, engineVersion)
  const archive = await readTemplate(Object.keys(extensions))
  assert.ok(archive, 'run: node packages/platform/scripts/build-template.ts')
  const names = [...readTar(archive)].map(({ name }) => name)
  assert.ok(names.includes('PG_VERSION') && names.includes('global/pg_control'))
  assert.ok(!names.includes('postmaster.pid'))
  assert.equal(await readTemplate(['no-such-extension']), undefined)
})

test('without a template a cluster is made, and what a crash left half unpacked is thrown away', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'openspine-template-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const directory = join(root, 'cluster')
  await mkdir(join(`${directory}.new`, 'half'), { recursive: true })
  await unpackTemplate(await initialise(), directory)
  assert.equal(await hasCluster(directory), true)
  await assert.rejects(stat(`${directory}.new`))
  await assert.rejects(stat(join(directory, 'half')))
  assert.equal((await stat(directory)).mode & 0o777, 0o700)

  const probe = new DiskProbe()
  const { db } = await openCluster(directory, probe)
  const { rows } = await db.query(
    `select similarity('smith', 'smyth') > 0.3 as trigram, soundex('smith') = soundex('smyth') as sound, unaccent('Zoë') as plain`,
  )
  assert.deepEqual(rows, [{ trigram: true, sound: true, plain: 'Zoe' }])
  assert.ok(probe.flushes > 0)
  await db.close()
})

test('a database in memory does without the databases that only copies are made of', async () => {
  const archive = await readTemplate(Object.keys(extensions))
  assert.ok(archive)
  const rest = Buffer.concat(withoutSpareDatabases(archive))
  const without = (names: readonly string[]) => names.filter((name) => !/^base\/[14]\//.test(name))
  const names = (of: Uint8Array) => [...readTar(of)].map(({ name }) => name)
  assert.deepEqual(names(rest), without(names(archive)))
  assert.ok(rest.length < 0.6 * archive.length)

  const { db } = await openMemoryCluster()
  await db.exec('create table kept (id integer); insert into kept values (1), (2); delete from kept where id = 1')
  await db.exec('vacuum (analyze)')
  await db.exec('checkpoint')
  assert.deepEqual((await db.query('select id from kept')).rows, [{ id: 2 }])
  await db.close()
})

test('the engine is refused when the place for fsync is missing', () => {
  const flush = () => {}
  assert.throws(() => hookFsync({}, flush), /no place for fsync/)
  assert.throws(() => hookFsync({ NODEFS: {} }, flush), /no place for fsync/)
  assert.throws(() => hookFsync({ NODEFS: { stream_ops: { open: flush } } }, flush), /no place for fsync/)
})

test('an fsync that fails is an input/output error to the engine, never a success', () => {
  const operations: { open: () => void; write: () => void; fsync?: (file: { nfd?: number }) => number } = {
    open() {},
    write() {},
  }
  const flushed: number[] = []
  hookFsync({ NODEFS: { stream_ops: operations } }, (descriptor) => {
    if (descriptor === 13) throw new Error('the disk is gone')
    flushed.push(descriptor)
  })
  assert.equal(operations.fsync?.({ nfd: 7 }), 0)
  assert.equal(operations.fsync?.({ nfd: 13 }), 29)
  assert.equal(operations.fsync?.({}), 29)
  assert.deepEqual(flushed, [7])
})

test('an archive that would write elsewhere is refused', () => {
  const block = Buffer.alloc(1024)
  block.write('../outside')
  block.write('00000000000', 124)
  block.write('0', 156)
  assert.throws(() => [...readTar(block)], /does not belong/)
})
