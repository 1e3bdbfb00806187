import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import { sealingWith } from '@openspine/platform/sealing'
import type { Store } from '@openspine/platform/store'
import { forEachStore, manualClock, silentLog, within } from '@openspine/platform/testing'
import type { Grant, IssuedToken } from '../clients.ts'
import { migrations } from '../migrations.ts'
import { tokenStore } from './store.ts'
import { type TokenKeeper, tokenDigest, tokenKeeper } from './tokens.ts'

const application = '0b7a5a38-6a0f-4d0a-9f1e-2f2f3a9d1c01'
const key = '0b7a5a38-6a0f-4d0a-9f1e-2f2f3a9d1c02'
const grant: Grant = {
  application,
  key,
  products: ['hello-world-test'],
  scopes: ['urn:nhsd:apim:user-nhs-cis2:aal3:hello-world'],
  type: 'user',
  grantType: 'authorization_code',
  level: 'aal3',
  provider: 'nhs-cis2',
  user: '656005750104',
  session: 's-1',
}
const twelveHours = 43_200_000
const lifetimes = { access: 600_000, refresh: twelveHours, refreshValidity: twelveHours }

const sealing = sealingWith('the sealing key of the test', systemRandom)

forEachStore((open) => {
  async function world(t: { after(work: () => Promise<void>): void }, remembered = 1000) {
    const store = await open()
    await store.migrate('gateway', migrations)
    const clock = manualClock('2026-11-25T12:00:00Z')
    const keepers: TokenKeeper[] = []
    t.after(async () => {
      for (const keeper of keepers) await keeper.stop()
      await store.close()
    })
    const keeper = async (over: Store = store) => {
      const made = tokenKeeper({ store: over, clock, random: systemRandom, log: silentLog(), sealing, remembered })
      keepers.push(made)
      await made.start()
      return made
    }
    return { store, clock, keeper }
  }
  const issued = (answer: IssuedToken | string): IssuedToken => {
    if (typeof answer === 'string') assert.fail(answer)
    return answer
  }

  test('a token is known to every process, only as a digest, until it expires', async (t) => {
    const { store, clock, keeper } = await world(t)
    const [one, other] = [await keeper(), await keeper()]
    const token = await one.issue(grant, lifetimes)
    assert.match(token.accessToken, /^[\w-]{43}$/)
    assert.deepEqual(
      [token.refreshCount, token.accessExpiresAt - clock.now(), (token.refreshExpiresAt ?? 0) - clock.now()],
      [0, 600_000, twelveHours],
    )
    for (const each of [one, other])
      assert.deepEqual(await each.verify(token.accessToken), {
        state: 'valid',
        grant,
        expiresAt: token.accessExpiresAt,
      })
    for (const table of ['token_family', 'access_token', 'refresh_token']) {
      const { rows } = await store.pool.query(`select * from gateway.${table}`)
      assert.equal(rows.length, 1)
      assert.ok(
        !JSON.stringify(rows).includes(token.accessToken) && !JSON.stringify(rows).includes(token.refreshToken ?? '-'),
      )
    }
    for (const wrong of ['', 'x', `${token.accessToken}x`, token.refreshToken ?? '', 'A'.repeat(43)])
      assert.deepEqual(await one.verify(wrong), { state: 'unknown' })
    clock.advance(600_000)
    assert.deepEqual(await one.verify(token.accessToken), { state: 'expired' })
    assert.deepEqual(await other.verify(token.accessToken), { state: 'expired' })
    const app = await one.issue({ ...grant, session: 's-2' }, { access: 1000 })
    assert.equal(app.refreshToken, undefined)
  })

  test('a refresh token is used once: of sixteen at once one succeeds, and the reuse revokes the family', async (t) => {
    const { keeper } = await world(t)
    const [one, other] = [await keeper(), await keeper()]
    const first = await one.issue(grant, lifetimes)
    const refreshToken = first.refreshToken ?? ''
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? one : other).refresh(refreshToken, { key, lifetimes })),
    )
    const won = answers.filter((answer) => typeof answer !== 'string')
    assert.equal(won.length, 1)
    assert.deepEqual(new Set(answers.filter((answer) => typeof answer === 'string')), new Set(['reused']))
    const second = issued(won[0] ?? 'none')
    assert.equal(second.refreshCount, 1)
    for (const token of [first.accessToken, second.accessToken])
      await within(1000, 'the family is revoked everywhere', async () => (await one.verify(token)).state === 'unknown')
    assert.equal(await one.refresh(second.refreshToken ?? '', { key, lifetimes }), 'unknown')
  })

  test('what a grant says of a person is not readable in the store; what stood there before is understood', async (t) => {
    const { store, keeper } = await world(t)
    const one = await keeper()
    const { accessToken } = await one.issue({ ...grant, user: '9990548609' }, lifetimes)
    const facts = async () => String((await store.pool.query('select facts from gateway.token_family')).rows[0].facts)
    assert.match(await facts(), /^sealed:/)
    await store.pool.query(`update gateway.token_family set facts = $1`, [
      JSON.stringify({ ...grant, user: '9990548617' }),
    ])
    const verdict = await (await keeper()).verify(accessToken)
    assert.equal(verdict.state === 'valid' && verdict.grant.user, '9990548617')
    await store.pool.query(`update gateway.token_family set facts = $1`, [sealing.seal('{}', 'another purpose')])
    await assert.rejects((await keeper()).verify(accessToken), { code: 'STORE_SEALED' })
  })

  test('tokens of the identity provider are read with our tokens alone', async (t) => {
    const { store, keeper } = await world(t)
    const [one, other] = [await keeper(), await keeper()]
    const secrets = { idToken: 'e30.e30.external', externalAccessToken: 'external-access-token' }
    const first = await one.issue({ ...grant, ...secrets }, lifetimes)
    const grantOf = async (by: TokenKeeper, token: IssuedToken) => {
      const verdict = await by.verify(token.accessToken)
      return verdict.state === 'valid' ? verdict.grant : verdict.state
    }
    assert.deepEqual(await grantOf(other, first), { ...grant, ...secrets })
    const second = issued(await other.refresh(first.refreshToken ?? '', { key, lifetimes }))
    assert.deepEqual(await grantOf(one, second), { ...grant, ...secrets })
    for (const table of ['token_family', 'access_token', 'refresh_token'])
      assert.ok(
        !/external/.test(JSON.stringify((await store.pool.query(`select * from gateway.${table}`)).rows)),
        table,
      )
    await store.pool.query(`update gateway.access_token set sealed = null, digest = 'x' where digest = $1`, [
      tokenDigest(second.accessToken),
    ])
    await store.pool.query(`update gateway.access_token set digest = $1 where digest = $2`, [
      tokenDigest(second.accessToken),
      tokenDigest(first.accessToken),
    ])
    await assert.rejects((await keeper()).verify(second.accessToken), 'a copy that another token sealed')
  })

  test('a refresh chain ends with the validity of its first issue', async (t) => {
    const { clock, keeper } = await world(t)
    const one = await keeper()
    const first = await one.issue(grant, lifetimes)
    assert.equal(await one.refresh('A'.repeat(43), { key, lifetimes }), 'unknown')
    assert.equal(
      await one.refresh(first.refreshToken ?? '', { key: application, lifetimes }),
      'unknown',
      'another client',
    )
    clock.advance(twelveHours - 1000)
    const second = issued(await one.refresh(first.refreshToken ?? '', { key, lifetimes }))
    assert.equal((second.refreshExpiresAt ?? 0) - clock.now(), 1000, 'what is left of twelve hours')
    assert.equal((await one.verify(second.accessToken)).state, 'valid')
    clock.advance(1000)
    assert.equal(await one.refresh(second.refreshToken ?? '', { key, lifetimes }), 'expired')
    const third = await one.issue(grant, lifetimes)
    clock.advance(2000)
    const shorter = { ...lifetimes, refreshValidity: 2000 }
    assert.equal(await one.refresh(third.refreshToken ?? '', { key, lifetimes: shorter }), 'expired')
  })

  test('a revocation is seen by every process within a second', async (t) => {
    const { keeper } = await world(t)
    const [one, other] = [await keeper(), await keeper()]
    const tokens: IssuedToken[] = []
    for (const session of ['s-1', 's-1', 's-2', 's-3']) tokens.push(await one.issue({ ...grant, session }, lifetimes))
    const [a, b, c, d] = tokens as [IssuedToken, IssuedToken, IssuedToken, IssuedToken]
    const state = async (by: TokenKeeper, { accessToken }: IssuedToken) => (await by.verify(accessToken)).state
    for (const token of tokens) assert.equal(await state(other, token), 'valid')
    assert.equal(await one.revokeSession('nhs-login', 's-1'), 0)
    assert.equal(await one.revokeSession('nhs-cis2', 's-1'), 2)
    assert.deepEqual([await state(one, a), await state(one, b), await state(one, c)], ['unknown', 'unknown', 'valid'])
    await within(1000, 'the session elsewhere', async () => (await state(other, a)) === 'unknown')
    assert.equal(await state(other, b), 'unknown')
    assert.equal(await state(other, c), 'valid')
    const renewed = issued(await one.refresh(c.refreshToken ?? '', { key, lifetimes }))
    assert.equal(await one.revoke(c.accessToken), true)
    assert.equal(await one.revoke(c.accessToken), false)
    assert.equal(await state(one, renewed), 'unknown', 'what was refreshed from it dies too')
    assert.equal(await one.revokeApplication(application), 1)
    await within(1000, 'the application elsewhere', async () => (await state(other, d)) === 'unknown')
    assert.equal(await state(await keeper(), d), 'unknown', 'and to a process that starts later')
  })

  test('a flood of invented tokens costs a few questions, and memory stays bounded', async (t) => {
    const { store, keeper } = await world(t, 100)
    let questions = 0
    const counting: Store = {
      ...store,
      db: new Proxy(store.db, {
        get(target, name) {
          if (name === 'getExecutor') questions++
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }
    const one = await keeper(counting)
    const good = await one.issue(grant, lifetimes)
    questions = 0
    const invented = Array.from({ length: 5000 }, () => systemRandom.bytes(32).toString('base64url'))
    const verdicts = await Promise.all([...invented, good.accessToken].map((token) => one.verify(token)))
    assert.ok(questions > 0 && questions <= 15, `${questions} questions`)
    assert.deepEqual(verdicts.pop()?.state, 'valid')
    assert.ok(verdicts.every(({ state }) => state === 'unknown'))
    questions = 0
    assert.equal((await one.verify(good.accessToken)).state, 'valid')
    assert.equal((await one.verify(invented.at(-1) ?? '')).state, 'unknown')
    assert.equal(questions, 0, 'both are remembered')
  })

  test('what expired is removed, in portions', async (t) => {
    const { store, clock, keeper } = await world(t)
    const one = await keeper()
    for (let n = 0; n < 3; n++) await one.issue(grant, { access: 1000 })
    const kept = await one.issue(grant, lifetimes)
    const rows = tokenStore(store, sealing)
    clock.advance(2000)
    assert.equal(await rows.clean(clock.now(), 2), 4)
    assert.equal(await rows.clean(clock.now(), 2), 2)
    assert.equal(await rows.clean(clock.now(), 2), 0)
    assert.equal((await rows.find([tokenDigest(kept.accessToken)])).found.size, 1)
  })
})
