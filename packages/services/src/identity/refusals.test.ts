import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { applicationScope, assertionChecks } from './checks/assertion.ts'
import { authorizeChecks, codeChecks, ownerChecks, refreshChecks } from './checks/client.ts'
import { logoutChecks } from './checks/logout.ts'
import { subjectChecks } from './checks/subject-token.ts'
import { likelyCauses } from './explain.ts'
import { assertion, assertionForm, client, clientId, secret, type TestIdentity, testIdentity } from './testing.ts'

const basic = (id: string, word: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${word}`).toString('base64')}`,
})

describe('what was refused to an application', () => {
  let at: TestIdentity
  let refused: string
  const closers: (() => Promise<void>)[] = []
  after(async () => {
    for (const close of closers) await close()
  })
  before(async () => {
    at = await testIdentity({ after: (close) => void closers.push(close) })
    at.known.set('another', { ...client, application: '0b5f4f0e-0000-4000-8000-00000000000b', name: 'Another' })
    const told = await at.post(assertionForm(assertion(at.clock.now(), { aud: 'https://api.example/oauth2/token' })))
    refused = told.body['message_id'] ?? ''
    await at.post(assertionForm(assertion(at.clock.now(), { iss: 'nobody', sub: 'nobody' })))
  })

  it('is told to the application by id, with the check, the cause and what is usually behind it', async () => {
    const told = await at.get(`/oauth2/refusals/${refused}`, basic(clientId, secret))
    assert.equal(told.status, 200, told.text)
    const body: Record<string, unknown> = told.body
    assert.deepEqual(
      [body['message_id'], body['endpoint'], body['check'], body['clause'], body['status']],
      [refused, '/oauth2/token', 'aud', '2.6 #22', 401],
    )
    assert.match(String(body['cause']), /must be exactly https:\/\/int\.api\.example\/oauth2\/token here/)
    assert.match(String((body['likely_causes'] as string[])[0]), /another environment/)
    assert.equal(body['application_id'], client.application)
    assert.equal(told.headers['cache-control'], 'no-store')
    for (const kept of [clientId, secret]) assert.ok(!told.text.includes(kept))
  })

  it('is listed, its own alone', async () => {
    const own = await at.get('/oauth2/refusals', basic(clientId, secret))
    const { refusals } = own.body as unknown as { refusals: readonly { message_id: string }[] }
    assert.deepEqual(
      refusals.map(({ message_id }) => message_id),
      [refused],
    )
    const others = await at.get('/oauth2/refusals', basic('another', secret))
    assert.deepEqual(others.body, { refusals: [] })
  })

  it('is told to nobody else', async () => {
    for (const [headers, status, error] of [
      [{}, 401, 'invalid_request'],
      [basic(clientId, 'wrong'), 401, 'invalid_client'],
      [basic('nobody', secret), 401, 'invalid_client'],
      [{ authorization: 'Basic %%%' }, 401, 'invalid_request'],
      [basic('another', secret), 404, 'invalid_request'],
    ] as const) {
      const told = await at.get(`/oauth2/refusals/${refused}`, headers)
      assert.deepEqual([told.status, told.body['error']], [status, error])
      assert.ok(!told.text.includes('must be exactly'), told.text)
      if (status === 401) assert.match(String(told.headers['www-authenticate']), /^Basic /)
    }
  })

  it('is an addition: nationally there is no such address', async (t) => {
    const national = await testIdentity(t, { config: { compat: 'national' } })
    const told = await national.get('/oauth2/refusals', basic(clientId, secret))
    assert.deepEqual([told.status, told.body['error_description']], [404, 'Not Found'])
  })
})

it('every likely cause belongs to a check that there is', () => {
  const lists = [
    assertionChecks,
    [applicationScope],
    authorizeChecks,
    codeChecks,
    refreshChecks,
    ownerChecks,
    subjectChecks,
    logoutChecks,
  ]
  const listed = new Set(lists.flatMap((list) => list.map(({ name }) => name)))
  const written = ['token.ts', 'sign-in.ts', 'session.ts', 'http/routes.ts']
    .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
    .join('\n')
  for (const name of Object.keys(likelyCauses))
    assert.ok(listed.has(name) || written.includes(`'${name}'`) || written.includes(`"${name}"`), name)
  const unexplained = assertionChecks.map(({ name }) => name).filter((name) => !(name in likelyCauses))
  assert.deepEqual(unexplained, [
    'grant type of the exchange',
    'exp present',
    'jti present',
    'jti a string',
    'jti not used meanwhile',
  ])
})
