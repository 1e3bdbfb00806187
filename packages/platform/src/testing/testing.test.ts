import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { manualClock, testPlatform } from './testing.ts'

test('a whole platform stands up, works and leaves nothing behind', async () => {
  const clock = manualClock('2026-01-02T03:04:05Z')
  const platform = await testPlatform({ clock, profile: 'strict' })
  assert.equal(platform.profile, 'strict')
  assert.equal(platform.clock.now(), Date.parse('2026-01-02T03:04:05Z'))
  assert.equal(platform.store.kind, 'memory')
  const issued = await platform.trust.issue({ fqdn: 'gp.example.test' })
  assert.equal(issued.fqdn, 'gp.example.test')
  await platform.audit.append({ event: 'test.event', at: clock.now(), facts: {} })
  assert.equal((await platform.audit.find({ event: 'test.event', limit: 1 })).length, 1)
  const done = Promise.withResolvers<unknown>()
  const work = platform.jobs.work({
    queue: 'test',
    run: async (job) => done.resolve(job.body),
  })
  await platform.jobs.enqueue('test', { say: 'hello' })
  assert.deepEqual(await done.promise, { say: 'hello' })
  await work.stop()
  await platform.close()
  assert.equal(existsSync(platform.dataDir), false)
})

test('what is given is used, and stays its giver’s to close', async () => {
  const first = await testPlatform()
  const second = await testPlatform({ store: first.store, trust: first.trust, audit: first.audit, jobs: first.jobs })
  assert.equal(second.store, first.store)
  await second.close()
  await first.store.pool.query('select 1')
  await first.close()
})
