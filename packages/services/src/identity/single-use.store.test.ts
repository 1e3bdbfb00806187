import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform } from '@openspine/platform/testing'
import { sql } from 'kysely'
import { digestOf } from './sealed.ts'
import { singleUse } from './store.ts'
import {
  answered,
  assertion,
  assertionForm,
  callbackUrl,
  clientId,
  idToken,
  keySet,
  providerPair,
  secret,
  testIdentity,
  tokensInMemory,
} from './testing.ts'

forEachStore((open) => {
  test('an assertion gives one token, a code one answer, whoever asks at once and ever after', async (t) => {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00Z')
    const shared = await testPlatform({ store, clock, environment: 'int' })
    t.after(async () => {
      await shared.close()
      await store.close()
    })
    const tokens = tokensInMemory(clock.now)
    let nonce = ''
    const fetch = async ({ url }: { url: string }) =>
      url.endsWith('/access_token')
        ? answered(JSON.stringify({ id_token: idToken(clock.now(), { nonce, sid: 's1' }), access_token: 'external' }))
        : answered(keySet(providerPair.publicKey, 'idp-1', 'RS256'))
    // The services of two processes on one store.
    const make = () =>
      testIdentity(
        { after: (close) => t.after(close) },
        { platform: { ...shared, metrics: makeMetrics() }, fetch, tokens },
      )
    const first = await make()
    const second = await make()

    const form = assertionForm(assertion(clock.now(), { jti: 'once' }))
    const told = await Promise.all(Array.from({ length: 24 }, (_, at) => (at % 2 ? first : second).post(form)))
    assert.deepEqual(told.map(({ status }) => status).sort(), [200, ...Array.from({ length: 23 }, () => 400)])
    assert.ok(
      told.every(
        ({ status, body }) =>
          status === 200 || body['error_description'] === "Non-unique 'jti' claim in client_assertion JWT",
      ),
    )
    await sql`
      insert into identity.assertion (digest, expires_at)
      select 'other ' || number, ${clock.now() + 300_000} from generate_series(1, 5000) number`.execute(store.db)
    const third = await make()
    for (const each of [first, second, third]) assert.equal((await each.post(form)).status, 400)

    const signIn = async () => {
      const query = new URLSearchParams({
        client_id: clientId,
        redirect_uri: callbackUrl,
        response_type: 'code',
        state: 'of the app',
      })
      const sent = new URL(String((await first.get(`/oauth2/authorize?${query}`)).headers['location']))
      nonce = sent.searchParams.get('nonce') ?? ''
      const back = `/oauth2/callback?code=x&state=${sent.searchParams.get('state')}`
      const returned = await Promise.all([first.get(back), second.get(back)])
      assert.deepEqual(returned.map(({ status }) => status).sort(), [302, 400], 'a state is used once')
      const location = returned.find(({ status }) => status === 302)?.headers['location']
      return new URL(String(location)).searchParams.get('code') ?? assert.fail()
    }
    const redeem = (code: string) => ({
      grant_type: 'authorization_code',
      client_id: clientId,
      client_secret: secret,
      redirect_uri: callbackUrl,
      code,
    })
    const code = await signIn()
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, at) => (at % 2 ? first : second).post(redeem(code))),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 15 }, () => 400)])
    assert.equal(tokens.families.at(-1)?.revoked, true, 'a second use ends what the first gave, even at once')

    const other = await signIn()
    const good = await second.post(redeem(other))
    assert.equal(good.status, 200, good.text)
    const access = good.body['access_token'] ?? ''
    assert.equal((await tokens.tokens.verify(access)).state, 'valid')
    clock.advance(3_600_000)
    const restarted = await make()
    assert.equal((await restarted.post(redeem(other))).body['error'], 'invalid_grant')
    assert.equal(tokens.families.at(-1)?.revoked, true, 'a second use ends what the first gave, an hour later')

    const { rows } = await store.pool.query('select * from identity.code')
    const told2 = JSON.stringify([rows, await shared.audit.find({ limit: 200 })])
    for (const kept of [code, other, access, 'external', clientId, secret])
      assert.ok(!told2.includes(kept), 'no secret is readable in the store or the audit')

    const once = singleUse(store)
    assert.equal(await once.sweep(clock.now()), 1_000, 'expired rows go, a bounded number at a time')
    for (let more = 1; more > 0; ) more = await once.sweep(clock.now())
    assert.equal(await once.seen(digestOf(JSON.stringify([clientId, 'once']))), false)
  })
})
