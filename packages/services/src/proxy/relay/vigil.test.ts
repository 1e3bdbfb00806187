import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Vigil } from './vigil.ts'

/** A vigil of 1 ms, whose clock moves a tenth of that with each look. */
function watched(ms = 1) {
  let now = 0
  let next: (() => void) | undefined
  let looks = 0
  const vigil = new Vigil(
    ms,
    () => now,
    (look) => {
      assert.equal(next, undefined, 'one watch at a time')
      next = look
    },
  )
  return {
    vigil,
    /** Looks until the watch ends; how often. */
    watch(during?: () => void): number {
      looks = 0
      for (; next !== undefined; looks++) {
        const look = next
        next = undefined
        now += ms / 10
        if (looks === 3) during?.()
        look()
      }
      return looks
    },
  }
}

describe('a vigil', () => {
  it('looks for its time and no longer, and for longer when something else begins to be waited for', () => {
    const { vigil, watch } = watched()
    vigil.begin()
    const alone = watch()
    assert.ok(alone >= 9 && alone <= 11, String(alone))
    const again = watched()
    again.vigil.begin()
    const longer = again.watch(() => again.vigil.begin())
    assert.ok(longer >= 12 && longer <= 15, String(longer))
  })

  it('is kept each time while things come', () => {
    const { vigil, watch } = watched()
    for (let i = 0; i < 100; i++) {
      vigil.begin()
      assert.ok(watch(() => vigil.came()) > 0)
    }
  })

  it('is kept more and more seldom while nothing comes, never less than once in a thousand times', () => {
    const { vigil, watch } = watched()
    const kept: number[] = []
    for (let i = 0; i < 10_000; i++) {
      vigil.begin()
      if (watch() > 0) kept.push(i)
    }
    assert.deepEqual(kept.slice(0, 6), [0, 2, 5, 10, 19, 36])
    const gaps = kept.slice(1).map((at, i) => at - (kept[i] as number))
    assert.equal(Math.max(...gaps), 1025)
  })

  it('is kept again as soon as one has brought something', () => {
    const { vigil, watch } = watched()
    for (let i = 0; i < 1000; i++) {
      vigil.begin()
      watch()
    }
    let waited = 0
    for (; watch(() => vigil.came()) === 0; waited++) vigil.begin()
    assert.ok(waited <= 1025)
    vigil.begin()
    assert.ok(watch() > 0)
  })

  it('may be switched off', () => {
    const { vigil, watch } = watched(0)
    vigil.begin()
    assert.equal(watch(), 0)
  })
})
