import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { forEachStore } from '../testing/testing.ts'
import type { Store } from './open.ts'

forEachStore((open) => {
  let store: Store
  before(async () => {
    store = await open()
  })
  after(() => store.close())

  test('migrates and answers', async () => {
    await store.migrate('mesh', {
      '001': { up: async (db) => db.schema.withSchema('mesh').createTable('letter').addColumn('id', 'int8').execute() },
    })
    await store.migrate('mesh', {
      '001': { up: async () => assert.fail('twice') },
    })
    await store.db.withSchema('mesh').insertInto('letter').values({ id: 5 }).execute()
    assert.deepEqual((await sql`select id, count(*) over () n from mesh.letter`.execute(store.db)).rows, [
      { id: 5, n: 1 },
    ])
  })

  test('loads', async () => {
    await sql`create table mesh.load (id int8 primary key, t text, j jsonb, a text[], b bytea)`.execute(store.db)
    const into = {
      schema: 'mesh',
      table: 'load',
      columns: [
        { name: 'id', type: 'int8' },
        { name: 't', type: 'text' },
        { name: 'j', type: 'jsonb' },
        { name: 'a', type: 'text[]' },
        { name: 'b', type: 'bytea' },
      ],
    }
    const rows = Array.from({ length: 2500 }, (_, i) => [
      i,
      `a\tb\\n\n${i}`,
      { x: [i, '"\\'] },
      ['x', null, '{",\\'],
      Buffer.from([0, 1, i & 255]),
    ])
    assert.equal(await store.load(into, rows), 2500)
    await assert.rejects(store.load(into, rows), { code: '23505' })
    assert.equal(
      await store.load({ ...into, ignoreExisting: true }, [...rows.slice(0, 10), [9999, null, null, null, null]]),
      1,
    )
    assert.deepEqual((await sql`select * from mesh.load where id = 7`.execute(store.db)).rows, [
      { id: 7, t: 'a\tb\\n\n7', j: { x: [7, '"\\'] }, a: ['x', null, '{",\\'], b: Buffer.from([0, 1, 7]) },
    ])
  })

  test('announces', async () => {
    const woken = Promise.withResolvers<void>()
    const stop = store.onAnnounced('topic', woken.resolve)
    store.announce('topic')
    await woken.promise
    stop()
  })
})
