import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { refusals } from './refusals-testing.ts'
import { eprProduct, readyProduct, startApi, type TestApi } from './testing.ts'

let api: TestApi
/** Paths of prepared products, by what was prepared. */
const at: Record<string, string> = {}

before(async () => {
  api = await startApi()
  const team = await api.call('POST', '/ProductTeam', { name: 'Plain', ods_code: 'A99968', keys: [] })
  const product = await api.call('POST', `/ProductTeam/${team.json.id}/Product`, { name: 'Plain' })
  at['team'] = `/ProductTeam/${team.json.id}`
  at['product'] = `${at['team']}/Product/${product.json.id}`
  at['plain'] = `/ProductTeamEpr/${team.json.id}/ProductEpr/${product.json.id}/dev`
  const bare = await eprProduct(api)
  at['eprTeam'] = `/ProductTeamEpr/${bare.team.id}`
  at['teamId'] = bare.team.id
  at['bare'] = bare.path
  at['ready'] = (await readyProduct(api)).path
  at['whole'] = (await readyProduct(api, { handler: true })).path
})
after(() => api?.close())

describe('every refusal, in the words of the dialect', () => {
  for (const [says, method, path, body, status, ...errors] of refusals(at)) {
    test(says, async () => {
      const answer = await api.call(method, path(), body)
      assert.equal(answer.status, status, answer.body.slice(0, 500))
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.deepEqual(Object.keys(answer.json), ['errors'])
      assert.deepEqual(
        answer.json.errors.map(({ code }: { code: string }) => code),
        errors.map(([code]) => code),
        answer.body.slice(0, 500),
      )
      for (const [place, [, message]] of errors.entries()) {
        if (typeof message === 'string') assert.equal(answer.json.errors[place].message, message)
        else assert.match(answer.json.errors[place].message, message)
      }
    })
  }

  test('a refused creation leaves nothing in the directory, and its endpoint withdrawn', async () => {
    const found = await api.contract.endpoints.find({})
    assert.deepEqual(
      found.filter(({ state }) => state !== 'approved' && state !== 'withdrawn'),
      [],
    )
    const { length } = found.filter(({ state }) => state === 'withdrawn')
    assert.ok(length >= 4, String(length))
    assert.equal(api.directory.service.contract.snapshot().accreditedSystems({}).length, 0)
  })
})
