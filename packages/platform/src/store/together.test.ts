import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from './together.ts'

test('what comes while one statement is under way goes into the next, in order and never more than allowed', async () => {
  const batches: number[][] = []
  const release: (() => void)[] = []
  const double = together(async (items: readonly number[]) => {
    batches.push([...items])
    await new Promise<void>((resolve) => release.push(resolve))
    return items.map((item) => item * 2)
  }, 3)
  const first = [double(1), double(2)]
  await new Promise(setImmediate)
  const later = [3, 4, 5, 6].map(double)
  assert.deepEqual(batches, [[1, 2]], 'one at a time')
  while (release.length > 0) {
    release.shift()?.()
    await new Promise(setImmediate)
  }
  assert.deepEqual(await Promise.all([...first, ...later]), [2, 4, 6, 8, 10, 12])
  assert.deepEqual(batches, [[1, 2], [3, 4, 5], [6]])
  const again = double(7)
  await new Promise(setImmediate)
  release.shift()?.()
  assert.equal(await again, 14, 'it begins anew after it was idle')
})

test('nobody fails for the item of another, and everybody when the store is away', async () => {
  let tries = 0
  const insert = together(async (items: readonly string[]) => {
    await Promise.resolve()
    tries++
    if (items.includes('bad')) throw Object.assign(new Error('a bad row'), { code: '22021' })
    if (items.includes('away')) throw Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' })
    return items
  }, 10)
  const told = async (...items: string[]) =>
    (await Promise.allSettled(items.map(insert))).map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
    )
  assert.deepEqual(await told('a', 'bad', 'b'), ['a', 'a bad row', 'b'])
  assert.equal(tries, 4)
  assert.deepEqual(await told('a', 'away'), ['no connection', 'no connection'])
  assert.equal(tries, 5)
})
