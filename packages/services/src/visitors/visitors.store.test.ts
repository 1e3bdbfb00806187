import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import type { StatusChange } from './contract.ts'
import { migrations } from './migrations.ts'
import { statusStore } from './store.ts'

const change = (effectiveAt: number, category: StatusChange['category'] = 'A'): StatusChange => ({
  nhsNumber: '9990548609',
  basic: 'N',
  category,
  source: 'home-office',
  effectiveAt,
})

forEachStore((open) => {
  test('decisions that arrive together each get a version of their own', async (t) => {
    const store = await open()
    t.after(() => store.close())
    await store.migrate('visitors', migrations)
    const statuses = statusStore(store)
    const about = (place: number) => ({
      id: `b7c5d1f0-0000-4000-8000-${String(place).padStart(12, '0')}`,
      at: place,
      by: 'test',
    })
    const added = await Promise.all(
      Array.from({ length: 20 }, (_, place) => statuses.add(change(1000 + place), about(place))),
    )
    assert.equal(added.filter((each) => each).length, 20)
    const all = await statuses.all(['9990548609'])
    assert.deepEqual(
      all.map(({ version }) => version),
      Array.from({ length: 20 }, (_, place) => place + 1),
    )
    assert.equal(new Set(all.map(({ id }) => id)).size, 1)
    assert.equal((await statuses.current(['9990548609']))?.effectiveAt, 1019)
    assert.equal(await statuses.add(change(1019), about(99)), false)
    // Of two of one moment, the one that was told last.
    assert.equal(await statuses.add(change(1019, 'B'), about(99)), true)
    assert.equal((await statuses.current(['9990548609']))?.category, 'B')
    assert.equal(await statuses.people(), 1)
    // Of a person with two numbers the latest effect counts, under whichever it was told.
    const merged = '9990548862'
    assert.equal(await statuses.add({ ...change(2000, 'F'), nhsNumber: merged }, about(1)), true)
    assert.equal((await statuses.current(['9990548609', merged]))?.category, 'F')
    assert.equal(await statuses.add(change(3000, 'E'), about(200)), true)
    assert.equal((await statuses.current(['9990548609', merged]))?.category, 'E')
    assert.equal((await statuses.all([merged, '9990548609'])).length, 23)
    assert.equal(await statuses.current(['9990548617']), undefined)
  })
})
