import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { signedJwtToken } from '@openspine/client'
import { publicJwk } from '@openspine/standards/jose'
import { startSpine } from 'openspine'

interface Refusal {
  readonly status: number
  readonly traceId: string
}

test('an application gets a token by signed JWT, over TLS, for its registered key', async (t) => {
  const spine = await startSpine({ overrides: { profile: 'strict' } })
  t.after(() => spine.stop())
  const { gateway, identity } = spine.contracts
  const { application, key } = await gateway.create('Ward App', 'tester')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const keySet = JSON.stringify({ keys: [publicJwk(publicKey, { kid: 'test-1', alg: 'RS512' })] })
  await gateway.change(application.id, { publicKeys: { keySet } }, 'tester')
  const ca = [...spine.platform.trust.material().ca]
  const tokenUrl = `${spine.urls['api']}/oauth2/token`
  const token = signedJwtToken({ tokenUrl, clientId: key.secret, key: privateKey, kid: 'test-1', tls: { ca } })

  const refused = await token().then(assert.fail, (error: Error & { code: string; outcome: Refusal }) => error)
  assert.deepEqual([refused.code, refused.outcome.status], ['CLIENT_REFUSED', 401])
  assert.match((await identity.refusal(refused.outcome.traceId))?.cause ?? '', /No approved subscription/)
  const product = gateway.products().find(({ scopes }) => scopes.some((scope) => scope.includes(':app:level3:')))
  assert.ok(product)
  await gateway.subscribe(application.id, product.name, 'tester')
  await gateway.decide(application.id, product.name, 'approved', 'tester')
  const verdict = await gateway.verify(await token())
  assert.ok(verdict.state === 'valid')
  assert.equal(verdict.grant.application, application.id)
  assert.equal(await gateway.revokeTokens(application.id, 'tester'), 1)
})
