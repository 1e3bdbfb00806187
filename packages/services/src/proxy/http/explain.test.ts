import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemOf, sendProblem } from '@openspine/platform/doors'
import Fastify from 'fastify'
import { checks } from '../checks.ts'
import { explainFace } from './explain.ts'

const trace = '09a01679-2564-0fb4-5129-aecc81ea2706'
const facts = {
  ending: 'refused',
  status: 403,
  verb: 'GET',
  target: 'https://gp.example.test/A20047/STU3/1/gpconnect/metadata',
  from: '200000000001',
  to: '200000000002',
  interaction: 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1',
  senderOds: 'X26',
  senderPartyKey: 'X26-123456',
  receiverOds: 'A20047',
  receiverPartyKey: 'A20047-123457',
  cpaId: 'S000000000001',
  subject: 'CN=consumer.example.test',
  serial: '01',
  issuer: 'CN=ca',
  bytesIn: 0,
  bytesOut: 0,
  totalMs: 1,
  token: { sub: 'u-17', reason_for_request: 'directcare', scope: 'patient/*.read', record: ['system|9990548609'] },
  check: 'sharing-agreement',
  clause: 'SSP §2.6 row 11',
  said: 'FOT_CHECK_FAILED_MESSAGESENDER_200000000001_MESSAGERECEIVER_200000000002',
  explanation: 'No data sharing agreement permits it.',
  compared: { fromOdsCode: 'X26', toOdsCode: 'A20047' },
}

function face(explain: 'open' | 'closed', asked: unknown[] = []) {
  const app = Fastify()
  app.setErrorHandler((error, request, reply) => sendProblem(reply, problemOf(error, request.id)))
  app.register(
    explainFace({
      explain,
      audit: {
        async find(query) {
          asked.push(query)
          const stored = { chain: 'c', hash: '', event: 'proxy.request', trace }
          if (query.trace !== trace) return []
          return [
            { ...stored, seq: 2, at: 2000, facts },
            { ...stored, seq: 1, at: 1000, facts: { damaged: 'x' } },
          ]
        },
      },
    }),
  )
  return app
}

test('tells of every request with the trace: each check, the entries used, the verdict', async (t) => {
  const app = face('open')
  t.after(() => app.close())
  const answer = await app.inject({ url: `/proxy/explain/${trace}` })
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { requests } = answer.json()
  assert.deepEqual(
    requests.map(({ at }: { at: string }) => at),
    ['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:02.000Z'],
  )
  const [, told] = requests
  assert.deepEqual(
    told.checks.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict]),
    checks.map(({ name }) => [
      name,
      name === 'sharing-agreement' ? 'failed' : name === 'token' || name === 'limits' ? 'not reached' : 'passed',
    ]),
  )
  assert.deepEqual(told.directory, [
    'uniqueIdentifier=200000000001,ou=Services,o=nhs',
    'uniqueIdentifier=200000000002,ou=Services,o=nhs',
    'uniqueIdentifier=S000000000001,ou=Services,o=nhs',
  ])
  assert.deepEqual(told.cause, {
    check: 'sharing-agreement',
    clause: 'SSP §2.6 row 11',
    explanation: 'No data sharing agreement permits it.',
    compared: { fromOdsCode: 'X26', toOdsCode: 'A20047' },
  })
  assert.match(told.verdict, /provider never saw it/)
  assert.equal(told.status, 403)
  assert.ok(!answer.body.includes('9990548609'), 'whose record it is about is not told over the network')
})

test('knows nothing of other traces, and is not asked in vain', async (t) => {
  const asked: unknown[] = []
  const app = face('open', asked)
  t.after(() => app.close())
  const unknown = await app.inject({ url: '/proxy/explain/nothing' })
  assert.deepEqual([unknown.statusCode, unknown.headers['content-type']], [404, 'application/problem+json'])
  assert.equal(asked.length, 1)
  assert.equal((await app.inject({ url: `/proxy/explain/${'x'.repeat(201)}` })).statusCode >= 400, true)
  assert.equal(asked.length, 1)
})

test('says nothing where it is closed', async (t) => {
  const asked: unknown[] = []
  const app = face('closed', asked)
  t.after(() => app.close())
  const answer = await app.inject({ url: `/proxy/explain/${trace}` })
  assert.deepEqual([answer.statusCode, answer.headers['content-type']], [403, 'application/problem+json'])
  assert.match(answer.json().detail, /openspine explain/)
  assert.deepEqual(asked, [])
})
