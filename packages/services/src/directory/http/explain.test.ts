import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemOf, sendProblem } from '@openspine/platform/doors'
import { SpineError } from '@openspine/standards/error'
import Fastify from 'fastify'
import { samples, startDirectory, structured } from '../testing.ts'
import { explainFace } from './explain.ts'

test('the face answers JSON, and problems to questions that are none', async (t) => {
  const running = await startDirectory()
  t.after(() => running.close())
  const { contract } = running.service
  await contract.apply(samples, 'tester')
  const app = Fastify()
  t.after(() => app.close())
  app.setErrorHandler((error, request, reply) => sendProblem(reply, problemOf(error, request.id)))
  await app.register(explainFace(contract))
  const ask = async (query: Record<string, string> | string) => {
    const answer = await app.inject({
      url: `/directory/explain?${typeof query === 'string' ? query : new URLSearchParams(query)}`,
    })
    return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.json() }
  }
  const found = await ask({ filter: '(nhsIDCode=YES)', base: 'ou=services, o=nhs', scope: 'one' })
  assert.equal(found.status, 200)
  assert.match(String(found.type), /^application\/json/)
  assert.equal(found.body.found, 2)
  assert.equal((await ask({ organization: 'A99968', interaction: structured })).body.endpoint.found, 1)
  for (const [query, detail] of [
    ['', /Give a filter/],
    ['scope=sub', /filter is missing/],
    ['filter=(o=x)&scope=all', /no scope all/],
    ['filter=(o=x', /cannot be read/],
    ['filter=(o=x)&organization=X26', /not some of both/],
    ['filter=(o=x)&filter=(o=y)', /given once/],
    ['organization=', /no value/],
    ['organisation=X26', /no parameter organisation/],
    [`organization=${'X'.repeat(9000)}`, /longer/],
  ] as const) {
    const refused = await ask(query)
    assert.deepEqual([refused.status, refused.type], [400, 'application/problem+json'], query)
    assert.match(refused.body.detail, detail)
  }
})

test('whoever may not ask is refused before anything is worked out', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  app.setErrorHandler((error, request, reply) => sendProblem(reply, problemOf(error, request.id)))
  const never = () => Promise.reject(new Error('worked out'))
  await app.register(
    explainFace({
      explain: never,
      explainLookup: never,
      admit() {
        throw new SpineError('DOOR_KEY', { status: 401 }, { explanation: 'An API key is missing.' })
      },
    }),
  )
  assert.equal((await app.inject({ url: '/directory/explain?filter=(o=x)' })).statusCode, 401)
})
