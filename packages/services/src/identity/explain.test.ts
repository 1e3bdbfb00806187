import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it, test } from 'node:test'
import type { KeptRefusal } from '../gateway/contract.ts'
import { applicationScope, assertionChecks } from './checks/assertion.ts'
import { authorizeChecks, codeChecks, refreshChecks } from './checks/client.ts'
import { logoutChecks } from './checks/logout.ts'
import { subjectChecks } from './checks/subject-token.ts'
import { likelyCauses } from './explain.ts'
import { assertion, assertionForm, client, clientId, testIdentity } from './testing.ts'

test('a refusal is explained by its id, and to the application, with what is usually behind it', async (t) => {
  const noted: { readonly application: string; readonly refusal: KeptRefusal }[] = []
  const at = await testIdentity(t, {
    activity: { used: () => {}, noteRefusal: (application, refusal) => void noted.push({ application, refusal }) },
  })
  const told = await at.post(assertionForm(assertion(at.clock.now(), { aud: 'https://api.example/oauth2/token' })))
  const id = told.body['message_id'] ?? ''
  const { contract } = at.service
  const explained = await contract.refusal(id)
  assert.deepEqual(
    [explained?.messageId, explained?.endpoint, explained?.check, explained?.clause, explained?.status],
    [id, '/oauth2/token', 'aud', '2.6 #22', 401],
  )
  assert.match(explained?.cause ?? '', /must be exactly https:\/\/int\.api\.example\/oauth2\/token here/)
  assert.match(explained?.likely[0] ?? '', /another environment/)
  assert.deepEqual([explained?.application, explained?.name], [client.application, client.name])
  assert.ok(!JSON.stringify(explained).includes(clientId))
  assert.equal(await contract.refusal('rrt-unknown'), undefined)

  await at.post(assertionForm(assertion(at.clock.now(), { iss: 'nobody', sub: 'nobody' })))
  assert.equal(noted.length, 1, 'what was refused to nobody known is told to nobody')
  assert.equal(noted[0]?.application, client.application)
  assert.match(
    noted[0]?.refusal.explanation ?? '',
    /must be exactly .* Likely: aud is the token URL of another env.* Or: /,
  )
})

it('every likely cause belongs to a check that there is', () => {
  const lists = [
    assertionChecks,
    [applicationScope],
    authorizeChecks,
    codeChecks,
    refreshChecks,
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
    'owner active',
    'jti not used meanwhile',
  ])
})
