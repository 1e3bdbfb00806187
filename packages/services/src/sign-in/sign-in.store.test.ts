import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import { sealingWith } from '@openspine/platform/sealing'
import { forEachStore, manualClock } from '@openspine/platform/testing'
import { keyRing } from './keys.ts'
import { migrations } from './migrations.ts'
import { digestOf, recordAdapter } from './records.ts'
import { signInStore } from './store.ts'

const sealing = sealingWith('the sealing key of the test', systemRandom)

forEachStore((open) => {
  const made = async (close: (fn: () => Promise<void>) => void) => {
    const store = await open()
    close(() => store.close())
    await store.migrate('sign_in', migrations)
    const clock = manualClock('2026-11-25T12:00:00Z')
    const rows = signInStore(store, sealing)
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
    const ring = () => keyRing({ rows, clock, sealing, keyDays: 90, noticeMs: 86_400_000 })
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
    await one.rotate(false)
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

  test('private keys are sealed in the store, those that stood there in clear too', async (t) => {
    const { rows, clock, store } = await made((close) => t.after(close))
    const ring = (by = sealing) => keyRing({ rows, clock, sealing: by, keyDays: 90, noticeMs: 86_400_000 })
    const one = ring()
    await one.refresh()
    const kept = async () => (await rows.keys()).map(({ pem }) => pem)
    assert.ok((await kept()).every((pem) => sealing.isSealed(pem) && !pem.includes('PRIVATE')))
    const [first] = await rows.keys()
    const clear = sealing.open(first?.pem ?? '', `sign_in.signing_key ${first?.kid}`)
    assert.match(clear, /BEGIN PRIVATE KEY/)
    await store.pool.query('update sign_in.signing_key set pem = $1 where kid = $2', [clear, first?.kid])
    const two = ring()
    await two.refresh()
    assert.ok((await kept()).every((pem) => sealing.isSealed(pem)))
    assert.deepEqual(two.of('cis2').set(), one.of('cis2').set())
    await assert.rejects(ring(sealingWith('another key', systemRandom)).refresh(), { code: 'STORE_SEALED' })
  })

  test('payloads are sealed in the store, each for its own row, and old ones in clear are read and sealed', async (t) => {
    const { rows, store } = await made((close) => t.after(close))
    const account = { issuer: 'nhs-login', model: 'Account', id: 'one' }
    const payload = { nhsNumber: '9990548609' }
    await rows.put({ ...account, payload })
    const kept = async () => {
      const found = await store.pool.query('select id, payload::text as payload from sign_in.record order by id')
      return found.rows as { id: string; payload: string }[]
    }
    assert.ok((await kept()).every((row) => row.payload.startsWith('"sealed:') && !row.payload.includes('9990548609')))
    assert.deepEqual((await rows.find(account))?.payload, payload)

    await store.pool.query('insert into sign_in.record (issuer, model, id, payload) values ($1, $2, $3, $4)', [
      'nhs-login',
      'Account',
      'two',
      payload,
    ])
    assert.deepEqual((await rows.find({ ...account, id: 'two' }))?.payload, payload)
    assert.deepEqual([await rows.sealOld(10), await rows.sealOld(10)], [1, 0])
    assert.ok((await kept()).every((row) => !row.payload.includes('9990548609')))
    assert.deepEqual((await rows.find({ ...account, id: 'two' }))?.payload, payload)

    await store.pool.query(
      "update sign_in.record set payload = (select payload from sign_in.record where id = 'one') where id = 'two'",
    )
    await assert.rejects(rows.find({ ...account, id: 'two' }), { code: 'STORE_SEALED' })
    const stranger = signInStore(store, sealingWith('another key', systemRandom))
    await assert.rejects(stranger.find(account), { code: 'STORE_SEALED' })
  })

  test('keys that are rotated soon sign within seconds, once another process can show them', async (t) => {
    const { rows, clock } = await made((close) => t.after(close))
    const ring = () => keyRing({ rows, clock, sealing, keyDays: 90, noticeMs: 86_400_000 })
    const [one, two] = [ring(), ring()]
    await one.refresh()
    await two.refresh()
    const first = one.of('cis2').active('RS256').kid
    await one.rotate(true)
    assert.equal(one.of('cis2').active('RS256').kid, first)
    await two.reload()
    clock.advance(3_000)
    const second = one.of('cis2').active('RS256').kid
    assert.notEqual(second, first)
    assert.ok(
      two
        .of('cis2')
        .all()
        .some(({ kid }) => kid === second),
    )
    const states = new Map(two.shown().map(({ kid, state }) => [kid, state]))
    assert.deepEqual([states.get(first), states.get(second)], ['retiring', 'active'])
  })
})
