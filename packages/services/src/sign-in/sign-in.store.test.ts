import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore, manualClock } from '@openspine/platform/testing'
import { keyRing } from './keys.ts'
import { migrations } from './migrations.ts'
import { digestOf, recordAdapter } from './records.ts'
import { signInStore } from './store.ts'

forEachStore((open) => {
  const made = async (close: (fn: () => Promise<void>) => void) => {
    const store = await open()
    close(() => store.close())
    await store.migrate('sign_in', migrations)
    const clock = manualClock('2026-11-25T12:00:00Z')
    const rows = signInStore(store)
    const adapter = recordAdapter({ issuer: 'cis2', rows, clock, client: async () => undefined })
    return { store, clock, rows, adapter }
  }

  test('of many at once one consumes a code and one uses an assertion', async (t) => {
    const { adapter, clock, store } = await made((close) => t.after(close))
    const codes = adapter('AuthorizationCode')
    await codes.upsert('the-code', { jti: 'the-code', grantId: 'g', accountId: 'a', kind: 'AuthorizationCode' }, 60)
    const consumed = await Promise.allSettled(Array.from({ length: 24 }, () => codes.consume('the-code')))
    assert.equal(consumed.filter(({ status }) => status === 'fulfilled').length, 1)
    clock.advance(5_000)
    assert.equal(typeof (await codes.find('the-code'))?.consumed, 'number')

    const replay = adapter('ReplayDetection')
    const use = () => replay.upsert('the-assertion', { jti: 'the-assertion', iss: 'app' }, 60)
    const used = await Promise.allSettled(Array.from({ length: 24 }, use))
    assert.equal(used.filter(({ status }) => status === 'fulfilled').length, 1)
    clock.advance(61_000)
    await use()

    const { rows } = await store.pool.query('select id, payload::text as payload from sign_in.record')
    for (const { id, payload } of rows as { id: string; payload: string }[])
      assert.equal(/the-code|the-assertion/.test(id + payload), false, 'no bearer value is stored')
  })

  test('what has expired is not found, what was revoked by grant is gone, and a session is found by its uid', async (t) => {
    const { adapter, clock, rows } = await made((close) => t.after(close))
    const tokens = adapter('AccessToken')
    await tokens.upsert('one', { jti: 'one', grantId: 'g1' }, 10)
    await tokens.upsert('two', { jti: 'two', grantId: 'g2' }, 60)
    assert.equal((await tokens.find('one'))?.jti, 'one')
    await tokens.revokeByGrantId('g2')
    assert.equal(await tokens.find('two'), undefined)
    clock.advance(10_000)
    assert.equal(await tokens.find('one'), undefined)
    await rows.prune(clock.now())
    assert.equal(await rows.find({ issuer: 'cis2', model: 'AccessToken', id: digestOf('one') }), undefined)

    const sessions = adapter('Session')
    await sessions.upsert('sid', { jti: 'sid', uid: 'u', accountId: '555000000001' }, 60)
    assert.equal((await sessions.findByUid('u'))?.jti, 'sid')
    const told: string[] = []
    const end = () => rows.endSession('cis2', 'u', async ({ account }) => void told.push(account ?? ''))
    const ended = await Promise.all([end(), end(), end()])
    assert.equal(ended.filter((each) => each !== undefined).length, 1)
    assert.deepEqual(told, ['555000000001'])
  })

  test('keys are the same in every process, follow one another, and leave when nobody needs them', async (t) => {
    const { rows, clock } = await made((close) => t.after(close))
    const ring = () => keyRing({ rows, clock, keyDays: 90, noticeMs: 86_400_000 })
    const [one, two] = [ring(), ring()]
    await Promise.all([one.refresh(), two.refresh()])
    const first = one.of('cis2').active('RS256').kid
    assert.equal(two.of('cis2').active('RS256').kid, first)
    assert.deepEqual(
      one
        .of('cis2')
        .all()
        .map(({ algorithm }) => algorithm),
      ['RS256', 'RS512'],
    )
    await one.rotate()
    assert.equal(one.of('cis2').active('RS256').kid, first, 'published, and not yet signing')
    assert.equal(one.of('cis2').set().keys.length, 4)
    clock.advance(86_400_000)
    await two.refresh()
    const second = two.of('cis2').active('RS256').kid
    assert.notEqual(second, first)
    assert.ok(
      two
        .of('cis2')
        .all()
        .some(({ kid }) => kid === first),
      'still published',
    )
    clock.advance(86_400_001)
    await two.refresh()
    assert.deepEqual(
      two
        .of('nhs-login')
        .all()
        .map(({ kid }) => kid),
      [two.of('nhs-login').active('RS512').kid],
    )
    assert.equal(
      two
        .of('cis2')
        .all()
        .some(({ kid }) => kid === first),
      false,
    )
    clock.advance(88 * 86_400_000)
    await two.refresh()
    assert.equal(two.of('cis2').set().keys.length, 4, 'the next ones are published before they are due')
  })
})
