/**
 * Keys are changed while tokens are asked for: those with which the identity provider signs ID tokens, and those of an
 * application that publishes its set at a URL. Nothing that was signed rightly is refused.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { readSignedToken } from '@openspine/standards/jose'
import { loadSandbox, startSpine } from 'openspine'
import { applicationKey, browser, clientAssertion, credentials, exchange, webClient } from './token-client.ts'

const redirectUri = 'https://app.example.test/signed-in'
const party = { clientId: '100000000009.apps.national', secret: 'a secret of the test, long enough' }

/** Waits until it holds, as long as a busy machine may need. */
async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 90_000; !holds() && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(holds(), 'it did not come to that in time')
}

test('keys are rotated under load without one failed verification', { timeout: 280_000 }, async (t) => {
  const spine = await startSpine()
  t.after(() => spine.stop())
  await loadSandbox(spine)
  const origin = String(spine.urls['api'])
  const url = `${origin}/oauth2/token`
  const web = webClient(readFileSync(spine.platform.trust.files.bundle, 'utf8'))
  t.after(() => web.close())

  const [old, fresh] = [applicationKey('old'), applicationKey('fresh')]
  let published = old.keySet
  const keyServer = createServer((_request, response) => response.end(published)).listen(0, '127.0.0.1')
  t.after(() => keyServer.close())
  await new Promise((resolve) => keyServer.once('listening', resolve))
  const { gateway, signIn } = spine.contracts
  const { application, key } = await gateway.create('Rotates', 'test')
  const jwks = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/jwks`
  await gateway.change(application.id, { publicKeys: { url: jwks } }, 'test')
  for (const { name } of gateway.products()) await gateway.decide(application.id, name, 'approved', 'test')
  await signIn.register({ issuer: 'cis2', ...party, name: 'Rotates', redirectUris: [redirectUri] })

  let signing = old
  const assertion = () => clientAssertion({ clientId: key.secret, audience: url }, signing)
  const given = new Map<string, number>()
  const failures: string[] = []
  const count = (what: string, status: number, text: string) => {
    given.set(what, (given.get(what) ?? 0) + 1)
    if (status !== 200) failures.push(`${what}: ${status} ${text}`)
  }
  let ended = false

  const asApplication = async () => {
    while (!ended) {
      const { kid } = signing
      const answer = await web.post(url, credentials(assertion()))
      count(`client ${kid}`, answer.status, answer.text)
    }
  }
  const asPerson = async () => {
    while (!ended) {
      const go = browser(web, origin)
      const query = new URLSearchParams({
        client_id: party.clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid',
        state: 'some-state',
      })
      const page = await go(`${signIn.issuers.cis2.authorize}?${query}`)
      const back = await go(page.url, { person: '555100000001', authenticator: 'AAL3_FIDO2', answer: 'yes' })
      const redeemed = await web.post(signIn.issuers.cis2.token, {
        grant_type: 'authorization_code',
        code: new URL(back.url).searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        client_id: party.clientId,
        client_secret: party.secret,
      })
      const idToken = String(redeemed.json['id_token'])
      const reading = readSignedToken(idToken)
      const kid = reading.ok ? reading.token.header['kid'] : reading.fault
      const exchanged = await web.post(url, exchange(assertion(), idToken))
      count(`provider ${kid}`, exchanged.status, exchanged.text)
    }
  }
  const kidOf = async () =>
    (await signIn.signingKeys()).findLast(
      ({ issuer, algorithm, state }) => issuer === 'cis2' && algorithm === 'RS256' && state === 'active',
    )?.kid ?? assert.fail('no key signs')

  const first = await kidOf()
  const workers = [...Array.from({ length: 4 }, asApplication), ...Array.from({ length: 3 }, asPerson)]
  try {
    await until(() => (given.get('client old') ?? 0) >= 20 && (given.get(`provider ${first}`) ?? 0) >= 3)
    // The application: both keys in its set, then it signs with the new one, at once.
    const both = [old, fresh].flatMap(({ keySet }) => (JSON.parse(keySet) as { keys: unknown[] }).keys)
    published = JSON.stringify({ keys: both })
    signing = fresh
    await signIn.rotateKeys({ soon: true })
    await until(() => [...given.keys()].filter((what) => what.startsWith('provider')).length > 1)
    const second = await kidOf()
    assert.notEqual(second, first)
    await until(() => (given.get('client fresh') ?? 0) >= 20 && (given.get(`provider ${second}`) ?? 0) >= 5)
  } finally {
    ended = true
    await Promise.all(workers)
  }
  assert.deepEqual(failures, [])
  const states = new Map((await signIn.signingKeys()).map(({ kid, state }) => [kid, state]))
  assert.equal(states.get(first), 'retiring', 'what the old key signed is still verified')
})
