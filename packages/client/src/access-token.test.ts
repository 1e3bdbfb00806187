import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { readSignedToken, verifies } from '@openspine/standards/jose'
import { signedJwtToken, tokenExchange } from './access-token.ts'

test('a token by signed JWT: asked for once, kept until shortly before its end, numbers as text or not', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const seen: { readonly type: string | undefined; readonly form: URLSearchParams }[] = []
  let answer: { readonly status: number; readonly body: object } = { status: 200, body: {} }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      seen.push({ type: request.headers['content-type'], form: new URLSearchParams(body) })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth2/token`
  let now = Date.parse('2026-11-25T12:00:00Z')
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const token = signedJwtToken({ tokenUrl, clientId: 'abc', key, kid: 'test-1', now: () => now })

  answer = { status: 200, body: { access_token: 'one', expires_in: '599', token_type: 'Bearer' } }
  assert.deepEqual(await Promise.all([token(), token(), token()]), ['one', 'one', 'one'])
  assert.equal(seen.length, 1)
  assert.equal(seen[0]?.type, 'application/x-www-form-urlencoded')
  const reading = readSignedToken(seen[0]?.form.get('client_assertion') ?? '')
  assert.ok(reading.ok && verifies(reading.token, publicKey, ['RS512']))
  assert.deepEqual(reading.token.header, { alg: 'RS512', typ: 'JWT', kid: 'test-1' })
  const { jti, ...claims } = reading.token.claims
  assert.equal(typeof jti, 'string')
  assert.deepEqual(claims, { iss: 'abc', sub: 'abc', aud: tokenUrl, exp: now / 1000 + 300 })

  now += 568_000
  assert.equal(await token(), 'one')
  now += 2_000
  answer = { status: 200, body: { access_token: 'two', expires_in: 599 } }
  assert.equal(await token(), 'two')
  assert.equal(await token(), 'two')
  assert.equal(seen.length, 2)

  now += 600_000
  const said = {
    error: 'public_key error',
    error_description: 'JWT signature verification failed',
    message_id: 'rrt-1',
  }
  answer = { status: 401, body: said }
  await assert.rejects(token(), { code: 'CLIENT_REFUSED', message: /JWT signature verification failed.*rrt-1/ })
  answer = { status: 200, body: { access_token: 'three', expires_in: '599' } }
  assert.equal(await token(), 'three', 'a refusal is not remembered')

  answer = {
    status: 200,
    body: { access_token: 'four', expires_in: '599', refresh_token: 'again', refresh_token_expires_in: '43199' },
  }
  const exchange = tokenExchange({ tokenUrl, clientId: 'abc', key, kid: 'test-1', now: () => now })
  assert.deepEqual(await exchange('an ID token'), {
    accessToken: 'four',
    until: now + 599_000,
    refreshToken: 'again',
    refreshUntil: now + 43_199_000,
  })
  const asked = seen.at(-1)?.form
  assert.deepEqual(
    ['grant_type', 'subject_token_type', 'subject_token'].map((name) => asked?.get(name)),
    ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:token-type:id_token', 'an ID token'],
  )
  assert.ok(readSignedToken(asked?.get('client_assertion') ?? '').ok)
})
