import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { PoolClient } from 'pg'
import { forEachStore } from '../testing/testing.ts'
import type { Store } from './open.ts'

forEachStore((open) => {
  let store: Store
  before(async () => {
    store = await open()
    await store.pool.query('create schema try')
  })
  after(() => store.close())

  test('migrates every service in a schema of its own, once, in order', async () => {
    const ran: string[] = []
    const steps = {
      '002-widen': {
        up: async (db: Store['db']) => {
          ran.push('002')
          await db.schema.withSchema('mesh').alterTable('letter').addColumn('size', 'int8').execute()
        },
      },
      '001-letter': {
        up: async (db: Store['db']) => {
          ran.push('001')
          await db.schema.withSchema('mesh').createTable('letter').addColumn('id', 'text').execute()
        },
      },
    }
    await Promise.all([
      store.migrate('mesh', steps),
      store.migrate('mesh', steps),
      store.migrate('events', { '1': { up: (db) => db.schema.withSchema('events').createTable('e').execute() } }),
    ])
    await store.migrate('mesh', steps)
    assert.deepEqual(ran, ['001', '002'])
    await store.db.withSchema('mesh').insertInto('letter').values({ id: 'a', size: 5 }).execute()
    assert.deepEqual(await store.db.withSchema('mesh').selectFrom('letter').selectAll().execute(), [
      { id: 'a', size: 5 },
    ])
  })

  test('a failing migration changes nothing and says which step it was', async () => {
    const steps = {
      '1-good': { up: (db: Store['db']) => db.schema.withSchema('bad').createTable('half').execute() },
      '2-bad': {
        up: async (db: Store['db']) => {
          await sql`insert into bad.nowhere values (1)`.execute(db)
        },
      },
    }
    await assert.rejects(store.migrate('bad', steps), (error) => {
      assert.ok(isSpineError(error))
      assert.equal(error.code, 'STORE_MIGRATION_FAILED')
      assert.match(error.message, /2-bad/)
      assert.match(error.detail ?? '', /nowhere/)
      return true
    })
    const { rows } = await store.pool.query(`select to_regclass('bad.half') as half`)
    assert.deepEqual(rows, [{ half: null }])
  })

  test('errors carry SQLSTATE, constraint and table', async () => {
    await store.pool.query('create table try.one (id text constraint only_one primary key)')
    await store.pool.query(`insert into try.one values ('a')`)
    await assert.rejects(store.pool.query(`insert into try.one values ($1)`, ['a']), {
      code: '23505',
      constraint: 'only_one',
      schema: 'try',
      table: 'one',
    })
    await assert.rejects(store.pool.query('select nonsense'), { code: '42703' })
    await assert.rejects(store.pool.query('selec'), { code: '42601' })
    assert.equal((await store.pool.query('select 1 as fine')).rows[0].fine, 1)
  })

  test('savepoints keep what came before an error', async () => {
    await store.pool.query('create table try.saved (id int primary key)')
    await store.db.transaction().execute(async (trx) => {
      await sql`insert into try.saved values (1)`.execute(trx)
      await sql`savepoint here`.execute(trx)
      await assert.rejects(sql`insert into try.saved values (1)`.execute(trx), { code: '23505' })
      await sql`rollback to savepoint here`.execute(trx)
      await sql`insert into try.saved values (2)`.execute(trx)
    })
    assert.deepEqual((await store.pool.query('select id from try.saved order by id')).rows, [{ id: 1 }, { id: 2 }])
  })

  test('serializable transactions lose no update', async () => {
    await store.pool.query('create table try.sum (value int8)')
    await store.pool.query('insert into try.sum values (0)')
    const add = async (): Promise<void> => {
      try {
        await store.db
          .transaction()
          .setIsolationLevel('serializable')
          .execute(async (trx) => {
            const { rows } = await sql<{ value: number; level: string }>`
              select value, current_setting('transaction_isolation') as level from try.sum`.execute(trx)
            assert.equal(rows[0]?.level, 'serializable')
            await sql`update try.sum set value = ${(rows[0]?.value ?? 0) + 1}`.execute(trx)
          })
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === '40001') return add()
        throw error
      }
    }
    await Promise.all(Array.from({ length: 8 }, add))
    assert.deepEqual((await store.pool.query('select value from try.sum')).rows, [{ value: 8 }])
    const { rows } = await store.pool.query(`select current_setting('transaction_isolation') as level`)
    assert.deepEqual(rows, [{ level: 'read committed' }])
  })

  test('a client that vanishes in a transaction leaves nothing behind', async () => {
    await store.pool.query('create table try.gone (id int)')
    const client: PoolClient & { connection?: { stream: { destroy(): void } } } = await store.pool.connect()
    client.on('error', () => {})
    await client.query('begin')
    await client.query('insert into try.gone values (1)')
    client.connection?.stream.destroy()
    client.release(true)
    // PostgreSQL notices on its own time; the table is locked until then.
    await store.pool.query('alter table try.gone add column late int')
    assert.deepEqual((await store.pool.query('select count(*) from try.gone')).rows, [{ count: 0 }])
  })

  test('values arrive as the same JavaScript types', async () => {
    const { rows } = await store.pool.query({
      text: `select 9007199254740991::int8 as safe, 9007199254740993::int8 as beyond, array[1, null, 9007199254740993]::int8[] as many,
               1.50::numeric as exact, '\\x00ff'::bytea as bytes, '{"a": [1, "é"]}'::jsonb as document,
               array['a', null, '"\\'] as texts, date '1980-02-29' as born, array[date '1980-02-29'] as days,
               timestamptz '2026-01-02 03:04:05.678+00' as at, true as yes, null as nothing, $1::text as given, $2::jsonb as object`,
      values: ['naïve \u{1f3e5}', { deep: [true] }],
    })
    assert.deepEqual(rows[0], {
      safe: 9007199254740991,
      beyond: '9007199254740993',
      many: [1, null, '9007199254740993'],
      exact: '1.50',
      bytes: Buffer.from([0, 255]),
      document: { a: [1, 'é'] },
      texts: ['a', null, '"\\'],
      born: '1980-02-29',
      days: ['1980-02-29'],
      at: new Date('2026-01-02T03:04:05.678Z'),
      yes: true,
      nothing: null,
      given: 'naïve \u{1f3e5}',
      object: { deep: [true] },
    })
  })

  test('loads rows of every kind, and says no to a key that exists', async () => {
    await store.pool.query(
      `create table try.load (id int8 primary key, name text not null, document jsonb, given text[], bytes bytea, born date, at timestamptz default '2020-01-01Z')`,
    )
    const into = {
      schema: 'try',
      table: 'load',
      columns: [
        { name: 'id', type: 'int8' },
        { name: 'name', type: 'text' },
        { name: 'document', type: 'jsonb' },
        { name: 'given', type: 'text[]' },
        { name: 'bytes', type: 'bytea' },
        { name: 'born', type: 'date' },
      ],
    } as const
    const row = (id: number) => [
      id,
      `a\tb\\N\n${id}`,
      { id, text: '"\\\n' },
      ['x', null, '{",\\ }', ''],
      Buffer.from([0, id & 255]),
      '1980-02-29',
    ]
    async function* rows() {
      for (let id = 0; id < 2_500; id += 1) yield row(id)
    }
    assert.equal(await store.load(into, rows()), 2_500)
    await assert.rejects(store.load(into, [row(7)]), { code: '23505' })
    assert.equal(await store.load({ ...into, ignoreExisting: true }, [row(7), row(9_000), row(9_000)]), 1)
    assert.equal(await store.load(into, []), 0)
    assert.deepEqual((await store.pool.query('select * from try.load where id = 9000')).rows, [
      {
        id: 9_000,
        name: 'a\tb\\N\n9000',
        document: { id: 9_000, text: '"\\\n' },
        given: ['x', null, '{",\\ }', ''],
        bytes: Buffer.from([0, 9_000 & 255]),
        born: '1980-02-29',
        at: new Date('2020-01-01T00:00:00Z'),
      },
    ])
    await assert.rejects(store.load(into, [[1, 'short']]), RangeError)
    await assert.rejects(store.load({ ...into, columns: [{ name: 'id', type: 'int8); drop' }] }, []), TypeError)
    async function* broken() {
      yield row(10_000)
      throw new Error('no more rows')
    }
    await assert.rejects(store.load(into, broken()), { message: 'no more rows' })
    assert.deepEqual((await store.pool.query('select count(*) from try.load')).rows, [{ count: 2_501 }])
  })

  test('a load tells the planner of a table that has grown, and not again for a few rows more', async () => {
    await store.pool.query('create schema if not exists try')
    await store.pool.query('drop table if exists try.growing')
    await store.pool.query('create table try.growing (id integer)')
    const into = { schema: 'try', table: 'growing', columns: [{ name: 'id', type: 'integer' }] }
    const told = async (rows: number) => {
      await store.load(
        into,
        Array.from({ length: rows }, (_, id) => [id]),
      )
      const { rows: found } = await store.pool.query<{ reltuples: number }>(
        "select reltuples from pg_class where oid = 'try.growing'::regclass",
      )
      return Number(found[0]?.reltuples)
    }
    assert.equal(await told(8_000), 8_000)
    assert.equal(await told(1_200), 8_000)
    assert.equal(await told(500), 9_700)
    await store.pool.query('drop table try.growing')
  })

  test('loads any text unchanged', async () => {
    await store.pool.query('create table try.any (id int8 primary key, one text, many text[])')
    const columns = [
      { name: 'id', type: 'int8' },
      { name: 'one', type: 'text' },
      { name: 'many', type: 'text[]' },
    ]
    // PostgreSQL's text knows every character but NUL.
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\0', ''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, fc.array(fc.option(text), { maxLength: 4 })), { maxLength: 20 }),
        async (values) => {
          await store.pool.query('delete from try.any')
          const rows = values.map(([one, many], id) => [id, one, many])
          assert.equal(await store.load({ schema: 'try', table: 'any', columns }, rows), rows.length)
          const { rows: read } = await store.pool.query({ text: 'select * from try.any order by id', rowMode: 'array' })
          assert.deepEqual(read, rows)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('announcements wake whoever listens, until they stop', async () => {
    let woken = Promise.withResolvers<void>()
    const stop = store.onAnnounced('directory/snapshot', () => woken.resolve())
    store.announce('directory/snapshot')
    await woken.promise
    stop()
    woken = Promise.withResolvers()
    const other = Promise.withResolvers<void>()
    const stopOther = store.onAnnounced('other', () => other.resolve())
    store.announce('directory/snapshot')
    store.announce('other')
    await other.promise
    stopOther()
    assert.equal(await Promise.race([woken.promise.then(() => 'woken'), 'quiet']), 'quiet')
  })

  test('listeners are called every second all the same', async () => {
    const called = Promise.withResolvers<void>()
    const stop = store.onAnnounced('nobody-announces', called.resolve)
    await called.promise
    stop()
  })
})
