/** Whose word the platform takes for who somebody is: that of providers that are configured, or that answer here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signToken } from '@openspine/standards/jose'
import { startSpine } from 'openspine'
import { applicationKey, clientAssertion, exchange, webClient } from './token-client.ts'

const cases = [
  { profile: 'strict', answers: 'sandbox', trusted: false },
  { profile: 'sandbox', answers: 'never', trusted: false },
  { profile: 'strict', answers: 'always', trusted: true },
] as const

for (const { profile, answers, trusted } of cases)
  test(`in the profile ${profile}, with signIn.answers ${answers}, the own providers are ${trusted ? '' : 'not '}trusted`, async (t) => {
    const spine = await startSpine({ overrides: { profile, 'signIn.answers': answers } })
    t.after(() => spine.stop())
    const { gateway, identity } = spine.contracts
    const { application, key } = await gateway.create('Exchange', 'tester')
    const own = applicationKey('test-1')
    await gateway.change(application.id, { publicKeys: { keySet: own.keySet } }, 'tester')
    const web = webClient(spine.platform.trust.material().ca.join('\n'))
    t.after(() => web.close())
    const audience = `${spine.urls['api']}/oauth2/token`
    const issuer = spine.contracts.signIn.issuers.cis2.issuer
    const idToken = signToken(
      { iss: issuer, aud: 'x', exp: Math.floor(Date.now() / 1000) + 60 },
      { key: own.key, algorithm: 'RS256', header: { kid: 'none' } },
    )
    const assertion = clientAssertion({ clientId: key.secret, audience }, own)
    const refused = await web.post(audience, exchange(assertion, idToken))
    const told = await identity.refusal(String(refused.json['message_id']))
    if (trusted) {
      assert.notEqual(told?.check, 'issuer trusted', refused.text)
      assert.match(told?.check ?? '', /^(provider's keys obtainable|kid of the subject token known)$/)
    } else {
      assert.equal(refused.json['error_description'], "Missing or non-matching 'iss' claim in subject_token JWT")
      assert.match(told?.cause ?? '', /no identity provider is configured here/)
    }
  })
