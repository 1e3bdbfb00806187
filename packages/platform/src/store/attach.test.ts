import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { systemClock as clock } from '../clock.ts'
import { silentLog, skipWithout } from '../testing/testing.ts'
import { message, messageType, query, startup } from './frames.ts'
import { openStore, type Store } from './open.ts'

const log = silentLog()
const run = promisify(execFile)

let root = ''
let directory = ''
let owner: Store

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'openspine-attach-'))
  directory = join(root, 'store')
  owner = await openStore({ directory, log, clock })
  await owner.pool.query('create table person (id int primary key, name text)')
})
after(async () => {
  await owner.close()
  await rm(root, { recursive: true, force: true })
})

/** The owner still answers. */
async function ownerWell(): Promise<void> {
  assert.deepEqual((await owner.pool.query('select 1 as well')).rows, [{ well: 1 }])
}

test('another opener attaches, loads, and sees what the owner sees', async () => {
  const attached = await openStore({ directory, attach: true, log, clock })
  assert.equal(attached.kind, 'attached')
  const into = {
    schema: 'public',
    table: 'person',
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'name', type: 'text' },
    ],
  }
  assert.equal(
    await attached.load(
      into,
      Array.from({ length: 1_500 }, (_, id) => [id, `Invented ${id}`]),
    ),
    1_500,
  )
  await attached.migrate('mesh', { '1': { up: (db) => db.schema.withSchema('mesh').createTable('letter').execute() } })
  await assert.rejects(attached.pool.query(`insert into person values (1, 'again')`), { code: '23505' })
  assert.deepEqual((await owner.pool.query('select count(*) from person')).rows, [{ count: 1_500 }])
  await attached.close()
})

test('announcements go both ways at once', async () => {
  const [one, two] = await Promise.all([1, 2].map(() => openStore({ directory, attach: true, log, clock })))
  assert.ok(one && two)
  // A first round may come by the poll, while the connections are being made.
  const heard = async (from: Store, to: readonly Store[], topic: string) => {
    const all = to.map(async (store) => {
      const woken = Promise.withResolvers<void>()
      const stop = store.onAnnounced(topic, woken.resolve)
      await woken.promise
      stop()
    })
    const started = performance.now()
    from.announce(topic)
    await Promise.all(all)
    return performance.now() - started
  }
  await heard(one, [two, owner], 'first')
  const fastest = async (from: Store, to: readonly Store[], topic: string) => {
    const times: number[] = []
    for (let round = 0; round < 5; round += 1) times.push(await heard(from, to, topic))
    return Math.min(...times)
  }
  assert.ok((await fastest(one, [two, owner], "it's up; 100% Łódź")) < 500)
  assert.ok((await fastest(owner, [one, two], 'down')) < 500)
  await Promise.all([one.close(), two.close()])
})

test('psql works while the owner runs, as whatever user it comes', async (t) => {
  if (skipWithout(t, 'psql')) return
  const psql = async (...more: string[]) => {
    const { stdout } = await run('psql', [
      '-X',
      '-h',
      directory,
      '-U',
      'nobody',
      '-d',
      'nowhere',
      '-v',
      'ON_ERROR_STOP=1',
      '-At',
      ...more,
    ])
    return stdout.trim()
  }
  assert.equal(await psql('-c', 'select count(*) from person where id < 10'), '10')
  const rows = join(root, 'rows.csv')
  await writeFile(rows, '5001,One\n5002,"Two, too"\n')
  assert.equal(await psql('-c', `\\copy person from '${rows}' with (format csv)`), 'COPY 2')
  assert.equal(
    await psql('-c', `\\copy (select name from person where id > 5000 order by id) to stdout`),
    'One\nTwo, too',
  )
  await assert.rejects(psql('-c', `\\copy nobody from '${rows}'`), /relation "nobody" does not exist/)
  await assert.rejects(psql('-c', `\\copy person from '${rows}' with (format csv)`), /duplicate key/)
  // What a client sets for itself does not stay behind for the others.
  await psql('-c', 'set search_path = mesh; prepare p as select 1; create temporary table person (id int); begin')
  assert.deepEqual((await owner.pool.query('select count(*) from person where id > 5000')).rows, [{ count: 2 }])
  await ownerWell()
})

/** Sends these bytes on a connection of their own; answers everything that came back until it ended. */
async function talk(...said: Uint8Array[]): Promise<Buffer> {
  const socket = connect(join(directory, '.s.PGSQL.5432'))
  const heard: Buffer[] = []
  socket.on('data', (chunk: Buffer) => heard.push(chunk))
  for (const bytes of said) socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(heard)
}

const terminate = message(messageType.terminate)

test('encryption is declined, and the start-up packet is replaced', async () => {
  const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
  const answer = await talk(sslRequest, startup(), query('select current_user'), terminate)
  assert.equal(String.fromCharCode(answer[0] ?? 0), 'N')
  assert.match(answer.toString('latin1'), /server_version\x0018/)
  assert.match(answer.toString('latin1'), /postgres\0?C/)
})

test('a cancel request is ignored', async () => {
  const cancel = Buffer.from([0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 1])
  assert.equal((await talk(cancel)).length, 0)
  await ownerWell()
})

test('nonsense ends the connection that brought it, and nothing else', async () => {
  assert.equal((await talk(Buffer.from('GET / HTTP/1.1\r\nhost: spine\r\n\r\n'))).length, 0)
  assert.equal((await talk(Buffer.from([0, 0, 0, 0]))).length, 0)
  for (const nonsense of [
    message(0x79, 'unknown type'),
    Buffer.from([messageType.query, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([messageType.query, 0, 0, 0, 1]),
  ])
    assert.match((await talk(startup(), nonsense)).toString('latin1'), /SFATAL\0VFATAL\0C08P01/)
  await ownerWell()
})

test('a client that leaves in the middle of a transaction, a message or a COPY leaves nothing behind', async () => {
  for (const said of [
    query('begin; insert into person values (7001)'),
    query('insert into person values (7002)').subarray(0, 20),
    Buffer.concat([query('copy person from stdin'), message(messageType.copyData, Buffer.from('7003\tx\n'))]),
  ]) {
    const socket = connect(join(directory, '.s.PGSQL.5432'))
    socket.write(startup())
    await once(socket, 'data')
    socket.write(said)
    if (said.at(-1) === 0) await once(socket, 'data')
    socket.destroy()
    await once(socket, 'close')
  }
  assert.deepEqual((await owner.pool.query('select count(*) from person where id > 7000')).rows, [{ count: 0 }])
})

test('a folder with a very long name is reached all the same', async () => {
  const deep = join(root, 'x'.repeat(60), 'y'.repeat(60))
  const first = await openStore({ directory: deep, attach: true, log, clock })
  const second = await openStore({ directory: deep, attach: true, log, clock })
  assert.deepEqual([first.kind, second.kind], ['embedded', 'attached'])
  assert.deepEqual((await second.pool.query('select 1 as one')).rows, [{ one: 1 }])
  const lock = JSON.parse(await readFile(join(deep, 'lock'), 'utf8'))
  await second.close()
  await first.close()
  assert.equal(existsSync(dirname(lock.socket)), false)
  assert.equal(existsSync(join(deep, 'cluster')), true)
})
