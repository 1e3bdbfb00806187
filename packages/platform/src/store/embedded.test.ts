import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import type { PoolClient } from 'pg'
import { silentLog } from '../testing/testing.ts'
import { DiskProbe } from './durable.ts'
import { type EmbeddedOptions, openEmbedded, openMemory } from './embedded.ts'
import { message, messageType } from './frames.ts'
import { maintain } from './maintain.ts'
import type { Store } from './store.ts'

const log = silentLog()

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'openspine-store-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return join(path, 'store')
}

function open(directory: string, more: Partial<EmbeddedOptions> = {}): Promise<Store> {
  return openEmbedded({ directory, attach: false, poolSize: 8, log, ...more })
}

test('every commit reaches the disk, and an fsync that fails is never acknowledged', async (t) => {
  const directory = await folder(t)
  const probe = new DiskProbe()
  const store = await open(directory, { probe })
  t.after(() => store.close())
  await store.pool.query('create table row (id int primary key)')

  const before = probe.flushes
  for (let id = 0; id < 20; id += 1) await store.pool.query('insert into row values ($1)', [id])
  assert.ok(probe.flushes - before >= 20, `${probe.flushes - before} flushes for 20 commits`)

  probe.failing = true
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => store.pool.query('insert into row values ($1)', [100 + index])),
  )
  probe.failing = false
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']))

  // The engine is opened again beneath the same store.
  const { rows } = await until(() => store.pool.query<{ id: number }>('select id from row where id < 100 order by id'))
  assert.deepEqual(
    rows.map(({ id }) => id),
    Array.from({ length: 20 }, (_, id) => id),
  )
  await store.pool.query('insert into row values (200)')
  await store.close()

  const again = await open(directory)
  t.after(() => again.close())
  assert.deepEqual((await again.pool.query('select count(*) from row where id < 100 or id = 200')).rows, [
    { count: 21 },
  ])
})

/** Asks again while the store is being opened again. */
async function until<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isSpineError(error)) throw error
    }
  }
}

test('a second opener is refused and told who has the store; files of another version are refused', async (t) => {
  const directory = await folder(t)
  const store = await open(directory)
  t.after(() => store.close())
  await assert.rejects(open(directory), (error) => {
    assert.ok(isSpineError(error))
    assert.equal(error.code, 'STORE_IN_USE')
    assert.match(error.message, new RegExp(`process ${process.pid} `))
    return true
  })
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  assert.equal((await stat(join(directory, '.s.PGSQL.5432'))).mode & 0o777, 0o600)
  await store.close()
  assert.ok(!existsSync(join(directory, 'lock')))

  const file = join(directory, 'cluster', 'PG_VERSION')
  const version = await readFile(file)
  await writeFile(file, '17\n')
  await assert.rejects(open(directory), { code: 'STORE_VERSION' })
  await writeFile(file, version)

  // The lock of a killed container: nobody there can be asked, but nobody touches it either.
  const lock = join(directory, 'lock')
  await writeFile(
    lock,
    JSON.stringify({ pid: 1, start: '1', boot: '', host: 'elsewhere', socket: '/nowhere', id: 'x' }),
  )
  const almostStale = new Date(Date.now() - 29_000)
  await utimes(lock, almostStale, almostStale)
  await (await open(directory)).close()

  await writeFile(
    lock,
    JSON.stringify({ pid: 1, start: '1', boot: '', host: 'elsewhere', socket: '/nowhere', id: 'x' }),
  )
  const touch = setInterval(() => void utimes(lock, new Date(), new Date()), 200)
  await assert.rejects(open(directory), { code: 'STORE_IN_USE', message: /process 1 on elsewhere/ })
  clearInterval(touch)
})

describe('one session for many', () => {
  let store: Store
  before(async () => {
    store = await openMemory({ poolSize: 4, log, idleTransactionMs: 100 })
  })
  after(() => store.close())

  test('an idle transaction cannot hold the house', async () => {
    await store.pool.query('create table row (id int)')
    const idle = await store.pool.connect()
    const ended = once(idle, 'error')
    await idle.query('begin')
    await idle.query('insert into row values (1)')
    assert.deepEqual((await store.pool.query('select count(*) from row')).rows, [{ count: 0 }])
    const [error] = await ended
    assert.equal(error.code, '25P03')
    await assert.rejects(idle.query('commit'))
    idle.release(true)
    await store.pool.query('insert into row values (2)')
  })

  test('maintenance gives back the room of deleted rows', async () => {
    await store.pool.query('create table "Busy" (id int)')
    await store.pool.query('insert into "Busy" select generate_series(1, 20000)')
    await store.pool.query('delete from "Busy"')
    await store.pool.query('select pg_stat_force_next_flush()')
    const size = async () => (await store.pool.query(`select pg_relation_size('"Busy"') as size`)).rows[0].size
    assert.ok((await size()) > 500_000)
    assert.deepEqual(await maintain(store.pool), ['"public"."Busy"'])
    assert.equal(await size(), 0)
    await store.pool.query('select pg_stat_force_next_flush()')
    assert.deepEqual(await maintain(store.pool), [])
  })

  test('a COPY that nobody feeds is an error, not the end of the engine', async () => {
    await store.pool.query('create table fed (id int)')
    await assert.rejects(store.pool.query('copy fed from stdin'))
    await assert.rejects(store.pool.query('select 1; copy fed from stdin'), { code: '57014' })
    await assert.rejects(store.pool.query({ text: 'copy fed from stdin', queryMode: 'extended' } as never), {
      code: '57014',
    })
    assert.deepEqual((await store.pool.query('select 1 as stdin, 2 as copy')).rows, [{ stdin: 1, copy: 2 }])
  })
})

/** Runs a prepared COPY behind the multiplexer's back, which ends the engine as a fault of its own would. */
async function endEngine(store: Store): Promise<void> {
  const client: PoolClient & { connection?: { stream: { write(bytes: Buffer): void } } } = await store.pool.connect()
  const ended = once(client, 'error')
  const none = Buffer.alloc(2)
  client.connection?.stream.write(
    Buffer.concat([
      message(messageType.parse, 'fatal', 'copy fed from stdin', none),
      message(messageType.sync),
      message(messageType.bind, '', 'fatal', none, none, none),
      message(messageType.execute, '', 0),
      message(messageType.sync),
    ]),
  )
  await ended
  client.release(true)
}

test('when the engine ends, callers hear of it at once and the store comes back', async (t) => {
  const store = await open(await folder(t))
  t.after(() => store.close())
  await store.pool.query('create table fed (id int); insert into fed values (1)')
  const waiting = await store.pool.connect()
  waiting.on('error', () => {})
  await waiting.query('begin; insert into fed values (2)')
  await waiting.query('commit')
  const ending = endEngine(store)
  const failing = Promise.allSettled([1, 2, 3].map(() => store.pool.query('select count(*) from fed')))
  await ending
  for (const outcome of await failing)
    assert.ok(outcome.status === 'fulfilled' || isSpineError(outcome.reason), String(outcome))
  await assert.rejects(waiting.query('select 1'))
  waiting.release(true)
  assert.deepEqual((await until(() => store.pool.query('select count(*) from fed'))).rows, [{ count: 2 }])
})

test('a store in memory whose engine has ended says so, and never comes back empty', async () => {
  const store = await openMemory({ poolSize: 2, log })
  await store.pool.query('create table fed (id int)')
  await endEngine(store)
  await assert.rejects(store.pool.query('select 1'), { code: 'STORE_ENGINE_FAILED', message: /in memory/ })
  await assert.rejects(store.pool.query('select 1'), { code: 'STORE_ENGINE_FAILED' })
  await store.close()
  await store.close()
})

const opener = `
import { openStore } from ${JSON.stringify(new URL('./open.ts', import.meta.url).href)}
import { makeLog } from ${JSON.stringify(new URL('../log.ts', import.meta.url).href)}
import { systemClock as clock } from ${JSON.stringify(new URL('../clock.ts', import.meta.url).href)}
const log = makeLog({ level: 'silent', environment: 'test' })
`

function child(script: string) {
  return spawn(process.execPath, ['--input-type=module', '--eval', opener + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('kill -9 loses nothing acknowledged and leaves no half transaction', async (t) => {
  const directory = await folder(t)
  const acknowledged: string[] = []
  for (let round = 0; round < 2; round += 1) {
    const writer = child(`
      const store = await openStore({ directory: ${JSON.stringify(directory)}, log, clock })
      await store.pool.query('create table if not exists state (id text primary key); create table if not exists message (id text primary key)')
      const work = async (worker) => {
        for (let n = 0; ; n += 1) {
          const id = '${round}/' + worker + '/' + n
          await store.db.transaction().execute(async (trx) => {
            await trx.insertInto('state').values({ id }).execute()
            await trx.insertInto('message').values({ id }).execute()
          })
          process.stdout.write(id + '\\n')
        }
      }
      await Promise.all([0, 1, 2, 3].map(work))
    `)
    let said = ''
    let target = 40 + 30 * round
    writer.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (target > 0 && said.split('\n').length > target) {
        target = 0
        writer.kill('SIGKILL')
      }
    })
    await once(writer, 'close')
    assert.equal(writer.signalCode, 'SIGKILL')
    acknowledged.push(...said.split('\n').slice(0, -1))
  }
  const store = await open(directory)
  t.after(() => store.close())
  const ids = async (table: string) =>
    new Set((await store.pool.query<{ id: string }>(`select id from ${table}`)).rows.map(({ id }) => id))
  const [state, sent] = [await ids('state'), await ids('message')]
  assert.ok(acknowledged.length > 100)
  assert.deepEqual(
    acknowledged.filter((id) => !state.has(id)),
    [],
  )
  assert.deepEqual(state, sent)
})

test('a closed store leaves nothing that keeps the process alive', async (t) => {
  const directory = await folder(t)
  const process = child(`
    for (const where of [{ memory: true }, { directory: ${JSON.stringify(directory)} }]) {
      const store = await openStore({ ...where, log, clock })
      store.onAnnounced('x', () => {})
      await store.pool.query('select 1')
      const attached = where.memory ? undefined : await openStore({ ...where, attach: true, log, clock })
      attached?.announce('x')
      await attached?.close()
      await store.close()
    }
  `)
  // What keeps it alive keeps it so for ever.
  const late = setTimeout(() => process.kill('SIGKILL'), 90_000)
  const [code] = await once(process, 'close')
  clearTimeout(late)
  assert.equal(code, 0)
})
