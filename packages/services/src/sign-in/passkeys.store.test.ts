import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import { sealingWith } from '@openspine/platform/sealing'
import type { Store } from '@openspine/platform/store'
import { forEachStore, manualClock } from '@openspine/platform/testing'
import { migrations } from './migrations.ts'
import { registrationChecks, signInChecks } from './passkey-checks.ts'
import { type Spoilt, softAuthenticator } from './passkey-testing.ts'
import { type ChallengePlace, makePasskeys } from './passkeys.ts'
import { signInStore } from './store.ts'

const origin = 'https://staff.example.org'
const rpId = 'staff.example.org'
const worker = { id: '555000000002', account: '555000000002', displayName: 'Oona Onerole' }
const registering: ChallengePlace = { purpose: 'register', person: worker.id, within: 'a sign-on' }
const signingIn: ChallengePlace = { purpose: 'sign-in', person: worker.id, within: 'an interaction' }

forEachStore((open) => {
  let store: Store
  before(async () => {
    store = await open()
    await store.migrate('sign_in', migrations)
  })
  after(() => store?.close())

  /** With nothing registered. */
  const made = async () => {
    const clock = manualClock('2026-11-25T12:00:00Z')
    const audit: { readonly event: string; readonly facts: Readonly<Record<string, unknown>> }[] = []
    const rows = signInStore(store, sealingWith('the sealing key of the test', systemRandom))
    for (const { credential } of await rows.passkeysOf(worker.id)) await rows.removePasskey(worker.id, credential)
    const passkeys = makePasskeys({
      rows,
      clock,
      random: systemRandom,
      name: 'cis2',
      // The port of the scheme belongs to the issuer, and to no origin.
      issuer: `${origin}:443/openam/oidc`,
      record: async (event, facts) => void audit.push({ event, facts }),
    })
    const authenticator = softAuthenticator({ rpId, origin })
    return { clock, rows, passkeys, authenticator, audit }
  }
  type Made = Awaited<ReturnType<typeof made>>
  const registered = async ({ passkeys, authenticator }: Made, place = registering) => {
    const options = await passkeys.creationOptions(place.within, worker)
    assert.equal(await passkeys.register(place, 'Ward laptop', authenticator.create(options)), undefined)
  }

  test('a passkey is registered once and signs in time after time', async () => {
    const all = await made()
    const { passkeys, authenticator, clock, audit } = all
    const options = await passkeys.creationOptions(registering.within, worker)
    assert.deepEqual(options['rp'], { id: rpId, name: 'Sign-in for staff' })
    assert.equal((options['authenticatorSelection'] as { userVerification: string }).userVerification, 'required')
    await registered(all)
    const [kept] = await passkeys.of(worker.id)
    assert.deepEqual(
      [kept?.credential, kept?.name, kept?.transports, kept?.backedUp, kept?.key.algorithm, kept?.usedAt],
      [authenticator.id, 'Ward laptop', ['internal'], false, -7, undefined],
    )
    for (let times = 0; times < 3; times++) {
      clock.advance(60_000)
      const asked = await passkeys.requestOptions(signingIn)
      assert.deepEqual(asked['allowCredentials'], [
        { type: 'public-key', id: authenticator.id, transports: ['internal'] },
      ])
      assert.equal(await passkeys.prove(signingIn, authenticator.get(asked)), undefined)
    }
    assert.equal((await passkeys.of(worker.id))[0]?.usedAt, clock.now())

    const again = await passkeys.register(
      registering,
      'Again',
      authenticator.create(await passkeys.creationOptions(registering.within, worker)),
    )
    assert.deepEqual([again?.check, again?.text], ['new', 'This passkey is registered already.'])
    await passkeys.remove('555000000003', authenticator.id)
    assert.equal((await passkeys.of(worker.id)).length, 1, 'nobody removes that of another')
    await passkeys.remove(worker.id, authenticator.id)
    assert.deepEqual(await passkeys.of(worker.id), [])
    assert.deepEqual(
      audit.map(({ event }) => event),
      ['sign_in.passkey.registered', 'sign_in.passkey.refused', 'sign_in.passkey.removed'],
    )
  })

  test('each check of signing in refuses what it is about', async () => {
    const all = await made()
    const { passkeys, authenticator, audit } = all
    await registered(all)
    const stranger = softAuthenticator({ rpId, origin })
    const refusedBy = async (spoilt: Spoilt, by = authenticator) => {
      const asked = await passkeys.requestOptions(signingIn)
      return (await passkeys.prove(signingIn, by.get(asked, spoilt)))?.check
    }
    const spoiled: Readonly<Record<string, Spoilt>> = {
      type: { type: 'webauthn.create' },
      challenge: { challenge: 'AAAA' },
      origin: { origin: `${origin}.evil.example` },
      'relying party': { rpId: 'evil.example' },
      'user present': { flags: 0b0000_0100 },
      'user verified': { flags: 0b0000_0001 },
      'backup flags': { flags: 0b0001_0101 },
      'user handle': { userHandle: Buffer.from('somebody else').toString('base64url') },
      signature: { signature: Buffer.alloc(70, 1) },
    }
    for (const [check, spoilt] of Object.entries(spoiled)) assert.equal(await refusedBy(spoilt), check)
    assert.equal(await refusedBy({ crossOrigin: true }), 'origin')
    assert.equal(await refusedBy({}, stranger), 'owner')
    for (const [check, change] of [
      ['client data', { clientDataJSON: 'AAAA' }],
      ['authenticator data', { authenticatorData: 'AAAA' }],
    ] as const) {
      const answer = JSON.parse(authenticator.get(await passkeys.requestOptions(signingIn)))
      const text = JSON.stringify({ ...answer, response: { ...answer.response, ...change } })
      assert.equal((await passkeys.prove(signingIn, text))?.check, check)
    }
    const seen = new Set(audit.map(({ facts }) => facts['check']))
    assert.deepEqual(
      signInChecks.map(({ name }) => name).filter((name) => !seen.has(name)),
      [],
      'every check failed once',
    )
    for (const text of ['', 'null', '[]', '{"rawId":"?"}', '{'.repeat(10_000)])
      assert.equal((await passkeys.prove(signingIn, text))?.check, 'answer')
    assert.equal(await refusedBy({}), undefined, 'and what is not spoilt still signs in')
  })

  test('each check of registering refuses what it is about, and nothing is kept', async () => {
    const { passkeys, authenticator } = await made()
    const spoiled: Readonly<Record<string, Spoilt>> = {
      type: { type: 'webauthn.get' },
      challenge: { challenge: 'AAAA' },
      origin: { origin: 'http://staff.example.org' },
      'relying party': { rpId: 'example.org' },
      'user verified': { flags: 0b0000_0001 },
      'user present': { flags: 0b0000_0100 },
      'backup flags': { flags: 0b0001_0101 },
      attestation: { statement: true },
      'credential id': { rawId: 'AAAA' },
    }
    const known = registrationChecks.map(({ name }) => name)
    for (const [check, spoilt] of Object.entries(spoiled)) {
      assert.ok(known.includes(check), check)
      const options = await passkeys.creationOptions(registering.within, worker)
      assert.equal((await passkeys.register(registering, 'x', authenticator.create(options, spoilt)))?.check, check)
    }
    const answer = JSON.parse(authenticator.create(await passkeys.creationOptions(registering.within, worker)))
    const noKey = { ...answer, response: { ...answer.response, attestationObject: 'oWNmbXRkbm9uZQ' } }
    assert.equal((await passkeys.register(registering, 'x', JSON.stringify(noKey)))?.check, 'authenticator data')
    assert.deepEqual(await passkeys.of(worker.id), [])
  })

  test('a challenge is answered once, by whom it was made for, where it was made, within five minutes', async () => {
    const all = await made()
    const { passkeys, authenticator, clock, audit } = all
    await registered(all)
    const answer = authenticator.get(await passkeys.requestOptions(signingIn))
    const many = await Promise.all(Array.from({ length: 12 }, () => passkeys.prove(signingIn, answer)))
    assert.equal(many.filter((each) => each === undefined).length, 1, 'of many at once one succeeds')
    assert.equal((await passkeys.prove(signingIn, answer))?.check, 'challenge')
    assert.equal(audit.at(-1)?.facts['cause'], 'the challenge is used before')

    const elsewhere = authenticator.get(await passkeys.requestOptions({ ...signingIn, within: 'another interaction' }))
    assert.equal((await passkeys.prove(signingIn, elsewhere))?.check, 'challenge')
    const other = await passkeys.requestOptions({ ...signingIn, purpose: 'register' })
    assert.equal((await passkeys.prove(signingIn, authenticator.get(other)))?.check, 'challenge')
    assert.equal(audit.at(-1)?.facts['cause'], 'the challenge is of another sign-in')

    const late = authenticator.get(await passkeys.requestOptions(signingIn))
    clock.advance(5 * 60_000)
    assert.equal((await passkeys.prove(signingIn, late))?.check, 'challenge')
    assert.equal(audit.at(-1)?.facts['cause'], 'the challenge is expired')
  })

  test('a passkey of somebody else signs nobody else in', async () => {
    const all = await made()
    const { passkeys, authenticator } = all
    await registered(all)
    const other = { ...signingIn, person: '555000000003' }
    const refusal = await passkeys.prove(other, authenticator.get(await passkeys.requestOptions(other)))
    assert.equal(refusal?.check, 'owner')
    assert.equal(refusal?.cause, 'the credential is of another person')
  })

  test('a counter that goes back or stands still is refused; one that does not count is not', async () => {
    const all = await made()
    const { passkeys, authenticator } = all
    await registered(all)
    const withCounter = async (counter: number) =>
      (await passkeys.prove(signingIn, authenticator.get(await passkeys.requestOptions(signingIn), { counter })))?.check
    assert.equal(await withCounter(10), undefined)
    assert.equal(await withCounter(10), 'counter')
    assert.equal(await withCounter(9), 'counter')
    assert.equal(await withCounter(0), 'counter')
    assert.equal(await withCounter(11), undefined)

    const uncounted = await made()
    const options = await uncounted.passkeys.creationOptions(registering.within, worker)
    await uncounted.passkeys.register(registering, 'x', uncounted.authenticator.create(options, { counter: 0 }))
    for (let times = 0; times < 2; times++) {
      const asked = await uncounted.passkeys.requestOptions(signingIn)
      const answer = uncounted.authenticator.get(asked, { counter: 0 })
      assert.equal(await uncounted.passkeys.prove(signingIn, answer), undefined)
    }
  })
})
