import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import { numbers, retrieving, searching, sent, startScr } from './testing.ts'

const tally = (statuses: readonly number[]) =>
  Object.fromEntries(
    [...new Set(statuses)].sort().map((status) => [status, statuses.filter((each) => each === status).length]),
  )

forEachStore((open) => {
  test('of uploads at once each counts once, and nothing is lost', async (t) => {
    const store = await open()
    const scr = await startScr({ store, config: { replaces: 'latest' } })
    t.after(async () => {
      await scr.close()
      await store.close()
    })
    const { one, other } = numbers
    const many = async (work: (place: number) => { body: object; headers?: Record<string, string> }) => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, place) =>
          scr.ask({ method: 'POST', url: '/Bundle', headers: {}, ...work(place) }),
        ),
      )
      return tally(answers.map(({ status }) => status))
    }
    const id = randomUUID().toUpperCase()
    // The same summary, each time as another request; then others, of which one may replace it.
    assert.deepEqual(await many(() => ({ body: sent.summary(one, { id }) })), { 201: 1, 400: 19 })
    assert.deepEqual(await many(() => ({ body: sent.summary(one, { replaces: id }) })), { 201: 1, 400: 19 })
    const [latest] = await scr.contract.history(one)
    const key = { 'x-request-id': randomUUID() }
    const replacing = sent.summary(one, { replaces: latest?.id ?? '' })
    assert.deepEqual(await many(() => ({ body: replacing, headers: key })), { 201: 20 })
    const history = await scr.contract.history(one)
    assert.deepEqual(
      history.map(({ version }) => version),
      [3, 2, 1],
    )
    assert.ok(history.every(({ uploaded }, at) => at === 0 || uploaded.at < (history[at - 1]?.uploaded.at ?? 0)))

    const decided = await Promise.all(
      ['Yes', 'No', 'Ask', 'No'].map((code) =>
        scr.ask({ method: 'POST', url: '/$setPermission', body: sent.permission(other, code) }),
      ),
    )
    assert.deepEqual(tally(decided.map(({ status }) => status)), { 201: 4 })
    assert.equal((await scr.contract.permissions(other)).length, 4)
    const counted = async () => (await store.pool.query('select 1 from "summary-care-record".request')).rowCount
    assert.equal(await counted(), 7, 'what was refused is not kept as done')
  })

  test('summaries, permissions and alerts follow a merge', async (t) => {
    const store = await open()
    const scr = await startScr({ store, config: { replaces: 'latest' } })
    t.after(async () => {
      await scr.close()
      await store.close()
    })
    const { one, other } = numbers
    const post = async (url: string, body: object, status = 201) =>
      assert.equal((await scr.ask({ method: 'POST', url, body })).status, status)
    const [first, second, third] = [1, 2, 3].map(() => randomUUID().toUpperCase()) as [string, string, string]
    await post('/Bundle', sent.summary(one, { id: first }))
    scr.clock.advance(1000)
    await post('/Bundle', sent.summary(other, { id: second }))
    await post('/AuditEvent', sent.alert(other))
    scr.people.merge(other, one)
    for (const nhsNumber of [one, other]) {
      const { entry } = (await scr.ask({ url: searching(nhsNumber) })).json()
      assert.equal(entry[0].resource.masterIdentifier.value, second)
      assert.equal(entry[1].resource.identifier[0].value, one)
      const { text } = await scr.ask({ url: retrieving(nhsNumber, second) })
      assert.ok(text.includes(one) && !text.includes(other), 'the document is told of the retained number')
    }
    assert.equal((await scr.contract.alerts({ nhsNumber: one, limit: 10 })).length, 1)
    await post('/Bundle', sent.summary(other), 403)
    await post('/Bundle', sent.summary(one, { replaces: first }), 400)
    await post('/Bundle', sent.summary(one, { id: second, replaces: second }), 400)
    await post('/Bundle', sent.summary(one, { id: third, replaces: second }))
    assert.deepEqual(
      (await scr.contract.history(other)).map(({ nhsNumber, id }) => [nhsNumber, id]),
      [
        [one, third],
        [other, second],
        [one, first],
      ],
    )
  })
})
