import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Peer } from '@openspine/platform/doors'
import { admit } from './admission.ts'
import { Call, type Said, type Surroundings } from './call.ts'
import { checks } from './checks.ts'
import { proxyConfig } from './config.ts'
import { explainProxyRecord, explainProxyRequest } from './explain.ts'
import { proxyRecord } from './record.ts'
import { endpointReader } from './target.ts'
import {
  asRead,
  bearer,
  consumerAsid,
  credentials,
  interaction,
  providerAsid,
  TestAgreements,
  TestDirectory,
  traceId,
} from './testing.ts'
import { throttle } from './throttle.ts'

const now = Date.parse('2026-06-01T12:00:00Z')
const endpoint = 'https://gp.example.test/A20047/STU3/1/gpconnect'

const peer: Peer = {
  state: 'valid',
  authority: '',
  authoritySerial: 'AA',
  fqdn: 'consumer.example.test',
  names: ['consumer.example.test'],
  serial: '0A',
  issuer: 'CN=Issuing',
  notBefore: now - 1000,
  notAfter: now + 1_000_000,
}

interface Case {
  peer?: Peer
  said?: Partial<Omit<Said, 'authorization'>> & { authorization?: string }
  config?: Partial<ReturnType<typeof proxyConfig.parse>>
  change?: (directory: TestDirectory, agreements: TestAgreements) => void
  now?: number
  before?: number
}

function world(about: Case) {
  const directory = new TestDirectory()
  directory.systems.set(consumerAsid, {
    asid: consumerAsid,
    odsCode: 'X26',
    partyKey: 'X26-123456',
    interactions: new Set([interaction]),
    fqdns: new Set(['consumer.example.test']),
  })
  directory.systems.set(providerAsid, {
    asid: providerAsid,
    odsCode: 'A20047',
    partyKey: 'A20047-123457',
    interactions: new Set([interaction]),
    fqdns: new Set(),
  })
  directory.handlers.push({
    cpaId: 'S000000000001',
    odsCode: 'A20047',
    partyKey: 'A20047-123457',
    interaction,
    endpoints: [endpoint],
    fqdn: 'gp.example.test',
  })
  const agreements = new TestAgreements()
  about.change?.(directory, agreements)
  const config = { ...proxyConfig.parse({}), ...about.config }
  const allow = throttle(config)
  const around: Surroundings = {
    config,
    directory,
    agreements,
    now: about.now ?? now,
    peerNow: (one) => one,
    readEndpoint: endpointReader(),
    allow,
  }
  const said: Said = {
    method: 'GET',
    requestTarget: `/${endpoint}/Patient`,
    traceId,
    from: consumerAsid,
    to: providerAsid,
    interaction,
    contentType: undefined,
    ...about.said,
    authorization:
      about.said !== undefined && 'authorization' in about.said && about.said.authorization === undefined
        ? undefined
        : credentials(about.said?.authorization ?? bearer({ iat: now / 1000, exp: now / 1000 + 300 })),
  }
  const connection = { address: '192.0.2.7', peer: about.peer ?? peer, subject: 'CN=consumer.example.test' }
  for (let i = 0; i < (about.before ?? 0); i++) admit(new Call(connection, said), around)
  const call = new Call(connection, said)
  return { call, around, directory, said, connection }
}

const invalid = (reason: string): Peer => ({ ...peer, state: 'invalid', reason })
const without = (directory: TestDirectory, asid: string, change: object) =>
  directory.systems.set(asid, {
    ...(directory.systems.get(asid) as NonNullable<ReturnType<TestDirectory['accreditedSystem']>>),
    ...change,
  })

/** Each check failing once at least: name, status, text, and words that the explanation must hold. */
const cases: readonly (readonly [check: string, status: number, text: string, says: RegExp, about: Case])[] = [
  [
    'certificate-present',
    496,
    'A client certificate is required',
    /without a client certificate/,
    { peer: { state: 'none' } },
  ],
  ['certificate-valid', 495, 'The client certificate is not valid', /ended at/, { peer: invalid('CERT_HAS_EXPIRED') }],
  [
    'certificate-valid',
    495,
    'The client certificate is not valid',
    /begins at/,
    { peer: invalid('CERT_NOT_YET_VALID') },
  ],
  ['certificate-valid', 495, 'The client certificate is not valid', /revoked/, { peer: invalid('CERT_REVOKED') }],
  [
    'certificate-valid',
    495,
    'The client certificate is not valid',
    /issued by this environment/,
    { peer: invalid('SELF_SIGNED_CERT_IN_CHAIN') },
  ],
  ['verb', 405, '405: Method Not Allowed', /TRACE is not relayed/, { said: { method: 'TRACE' } }],
  [
    'target',
    400,
    'The target URL is missing or malformed',
    /does not hold the URL/,
    { said: { requestTarget: '/metadata' } },
  ],
  [
    'trace-id',
    400,
    'The header Ssp-TraceID is missing or malformed',
    /sent no Ssp-TraceID/,
    { said: { traceId: undefined } },
  ],
  ['trace-id', 400, 'The header Ssp-TraceID is missing or malformed', /malformed/, { said: { traceId: 'not-a-guid' } }],
  ['sender-id', 400, 'The header Ssp-From is missing or malformed', /no Ssp-From/, { said: { from: undefined } }],
  ['sender-id', 400, 'The header Ssp-From is missing or malformed', /malformed/, { said: { from: '20000000000' } }],
  ['receiver-id', 400, 'The header Ssp-To is missing or malformed', /no Ssp-To/, { said: { to: '' } }],
  [
    'interaction-id',
    400,
    'The header Ssp-InteractionID is missing or malformed',
    /urn:nhs/,
    { said: { interaction: 'search:patient' } },
  ],
  [
    'authorization',
    400,
    'The header Authorization is missing or malformed',
    /Bearer/,
    { said: { authorization: 'Basic dTpw' } },
  ],
  [
    'content-type',
    415,
    'Unsupported_Media_Type',
    /contentTypes/,
    { said: { contentType: 'text/plain; charset=utf-8' }, config: { contentTypes: ['application/fhir+json'] } },
  ],
  [
    'sender-known',
    403,
    'ASID_CHECK_FAILED_MESSAGESENDER_200000000009',
    /no accredited system/,
    { said: { from: '200000000009' } },
  ],
  [
    'sender-certificate',
    495,
    `The client certificate does not belong to the sender ${consumerAsid}`,
    /names other\.example\.test, but consumer\.example\.test is registered/,
    { peer: { ...peer, fqdn: 'other.example.test', names: ['other.example.test'] } },
  ],
  [
    'sender-certificate',
    495,
    `The client certificate does not belong to the sender ${consumerAsid}`,
    /No FQDN is registered/,
    { change: (directory) => without(directory, consumerAsid, { fqdns: new Set() }) },
  ],
  [
    'sender-certificate',
    495,
    `The client certificate does not belong to the sender ${consumerAsid}`,
    /names/,
    { config: { certificateName: 'subject' }, peer: { ...peer, fqdn: 'other.example.test' } },
  ],
  [
    'sender-interaction',
    403,
    `ASID_CHECK_FAILED_MESSAGESENDER_${consumerAsid}`,
    /does not list/,
    { change: (directory) => without(directory, consumerAsid, { interactions: new Set() }) },
  ],
  [
    'sender-interaction',
    403,
    `ASID_CHECK_FAILED_MESSAGESENDER_${consumerAsid}`,
    /spelt correctly/,
    { said: { interaction: `${interaction}x` } },
  ],
  [
    'receiver-interaction',
    403,
    'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_200000000009',
    /no accredited system/,
    { said: { to: '200000000009' } },
  ],
  [
    'receiver-interaction',
    403,
    `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${providerAsid}`,
    /does not list/,
    { change: (directory) => without(directory, providerAsid, { interactions: new Set() }) },
  ],
  [
    'receiver-interaction',
    403,
    `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${providerAsid}`,
    /A20047-123457/,
    { change: (directory) => directory.handlers.splice(0) },
  ],
  [
    'endpoint',
    400,
    `ENDPOINT_${endpoint}_CPAID_S000000000001_VARIES_FROM_TARGETURL_${endpoint}-evil/Patient`,
    /character by character/,
    { said: { requestTarget: `/${endpoint}-evil/Patient` } },
  ],
  [
    'endpoint',
    400,
    `ENDPOINT_ftp://x_CPAID_S000000000001_VARIES_FROM_TARGETURL_${endpoint}/Patient`,
    /not an https URL/,
    {
      change: ({ handlers }) =>
        handlers.splice(0, 1, { ...(handlers[0] as (typeof handlers)[0]), endpoints: ['ftp://x'] }),
    },
  ],
  [
    'sharing-agreement',
    403,
    `FOT_CHECK_FAILED_MESSAGESENDER_${consumerAsid}_MESSAGERECEIVER_${providerAsid}`,
    /X26 .* A20047/,
    { change: (_, agreements) => agreements.agreed.splice(0) },
  ],
  [
    'token',
    400,
    'The token in the Authorization header cannot be read',
    /three parts/,
    { said: { authorization: 'Bearer abc' } },
  ],
  [
    'token',
    400,
    'The token in the Authorization header cannot be read',
    /expired/,
    { config: { token: 'validate' }, now: now + 400_000 },
  ],
  ['limits', 429, 'Too many requests', /passed its limit of 2/, { config: { limitPerSender: 2 }, before: 2 }],
  ['limits', 429, 'Too many requests', /for the receiver/, { config: { limitPerPair: 1 }, before: 1 }],
  [
    'limits',
    503,
    'The provider has too many requests',
    /All senders together/,
    { config: { limitPerProvider: 1 }, before: 1 },
  ],
]

describe('admission', () => {
  it('lets a good request through, and keeps what it found', () => {
    const { call, around } = world({})
    assert.equal(admit(call, around), undefined)
    assert.equal(call.sender?.odsCode, 'X26')
    assert.equal(call.receiver?.odsCode, 'A20047')
    assert.equal(call.endpoint?.authority, 'gp.example.test')
    assert.equal(call.provider?.cpaId, 'S000000000001')
    assert.equal(call.agreement?.id, 'agreement-1')
    assert.deepEqual(JSON.parse(String(call.token)).practitioner, {
      id: 'u-17',
      ids: ['https://fhir.nhs.uk/Id/sds-user-id|111222333444'],
      name: 'Dr Claire Jones',
    })
  })

  for (const [name, status, text, says, about] of cases)
    it(`${name}: ${status} ${text}`, () => {
      const { call, around } = world(about)
      const refusal = admit(call, around)
      assert.equal(refusal?.check, name)
      assert.equal(refusal?.status, status)
      assert.equal(refusal?.text, text)
      assert.match(refusal?.explanation ?? '', says)
      assert.ok(refusal?.clause.startsWith('SSP §2'))
      // The record tells the same story in words.
      const ended = {
        ending: 'refused',
        status,
        bytesIn: 0,
        bytesOut: 0,
        totalMs: 1,
        firstByteMs: undefined,
        providerMs: undefined,
      } as const
      const record = asRead(proxyRecord('node', now, call, ended, refusal))
      const lines = explainProxyRecord(record).join('\n')
      const verdicts = explainProxyRequest(record).checks.map(({ verdict }) => verdict)
      const place = checks.findIndex((check) => check.name === refusal.check)
      assert.deepEqual(
        verdicts,
        checks.map((_, at) => (at < place ? 'passed' : at === place ? 'failed' : 'not reached')),
      )
      assert.match(lines, says)
      assert.ok(lines.includes(name))
      assert.ok(!lines.includes('eyJ'), 'the token itself is not shown')
    })

  it('every check fails once above, with a status and text that it declares', () => {
    for (const check of checks) {
      const failing = cases.filter(([name]) => name === check.name)
      assert.ok(failing.length > 0, check.name)
      for (const declared of check.failures) {
        const pattern = new RegExp(
          `^${declared.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/<[^>]+>/g, '.*')}$`,
        )
        assert.ok(
          failing.some(([, status, text]) => status === declared.status && pattern.test(text)),
          `${check.name} ${declared.text}`,
        )
      }
      for (const [, status] of failing) assert.ok(check.failures.some((declared) => declared.status === status))
    }
  })

  it('stands in the order of the specification', () => {
    assert.deepEqual(
      checks.map(({ name }) => name),
      [
        'certificate-present',
        'certificate-valid',
        'verb',
        'target',
        'trace-id',
        'sender-id',
        'receiver-id',
        'interaction-id',
        'authorization',
        'content-type',
        'sender-known',
        'sender-certificate',
        'sender-interaction',
        'receiver-interaction',
        'endpoint',
        'sharing-agreement',
        'token',
        'limits',
      ],
    )
  })

  it('finds and refuses the same after another request of the connection as without it', () => {
    const ways: Case[] = [
      { said: { requestTarget: `/${endpoint}/Patient/9990000018` } },
      { said: { traceId: traceId.replace('0', '1') } },
    ]
    const alone = [...ways, ...cases.filter(([name]) => name !== 'limits').map(([, , , , about]) => about)]
    let compared = 0
    for (const one of alone)
      for (const other of alone) {
        const about = { ...one, ...other, said: { ...one.said, ...other.said } }
        const { around, said, connection } = world(about)
        const good = new Call(connection, world({ ...about, said: {} }).said)
        if (admit(good, around) !== undefined) continue
        const first = new Call(connection, said)
        const after = new Call(connection, said)
        const refusal = admit(first, around)
        assert.deepEqual(admit(after, around, good), refusal)
        assert.deepEqual(after, first)
        compared++
      }
    assert.ok(compared > 250, String(compared))
  })

  it('looks again when the directory has another snapshot', () => {
    const { call, around, directory, said, connection } = world({})
    assert.equal(admit(call, around), undefined)
    assert.equal(admit(new Call(connection, said), around, call), undefined)
    directory.systems.delete(consumerAsid)
    const changed = admit(new Call(connection, said), { ...around, directory: directory.snapshot() }, call)
    assert.equal(changed?.check, 'sender-known')
  })

  it('reports the first failure when several would fail', () => {
    const { call, around } = world({ said: { method: 'TRACE', traceId: undefined, requestTarget: '/' } })
    assert.equal(admit(call, around)?.check, 'verb')
  })

  it('accepts the registered name among the alternative names, and a system without one where the operator says so', () => {
    const named = world({
      peer: { ...peer, fqdn: 'other.example.test', names: ['other.example.test', 'consumer.example.test'] },
    })
    assert.equal(admit(named.call, named.around), undefined)
    const lax = world({
      config: { certificateName: 'when-registered' },
      change: (directory) => without(directory, consumerAsid, { fqdns: new Set() }),
    })
    assert.equal(admit(lax.call, lax.around), undefined)
    const strict = world({
      config: { certificateName: 'when-registered' },
      peer: { ...peer, fqdn: 'x.example.test', names: ['x.example.test'] },
    })
    assert.equal(admit(strict.call, strict.around)?.check, 'sender-certificate')
  })

  it('takes any of several registered endpoints', () => {
    const { call, around } = world({
      said: { requestTarget: '/https://gp.example.test/second/x' },
      change: ({ handlers }) =>
        handlers.push({
          ...(handlers[0] as (typeof handlers)[0]),
          endpoints: ['https://gp.example.test/first', 'https://gp.example.test/second/'],
        }),
    })
    assert.equal(admit(call, around), undefined)
    assert.equal(call.endpoint?.value, 'https://gp.example.test/second/')
  })

  it('lets unreadable tokens pass where the operator only logs them', () => {
    const { call, around } = world({ said: { authorization: 'Bearer abc' }, config: { token: 'log' } })
    assert.equal(admit(call, around), undefined)
    assert.match(call.tokenFault ?? '', /three parts/)
  })

  it('keeps the claims of a refused request too, whichever check refused it', () => {
    const refused = world({ said: { from: '200000000009' } })
    assert.equal(admit(refused.call, refused.around)?.check, 'sender-known')
    assert.equal(JSON.parse(String(refused.call.token)).sub, 'u-17')
    const spoilt = world({ said: { from: '200000000009', authorization: 'Bearer abc' } })
    assert.equal(admit(spoilt.call, spoilt.around)?.check, 'sender-known')
    assert.match(spoilt.call.tokenFault ?? '', /three parts/)
  })

  it('opens a new window for the limits', () => {
    const { call, around } = world({ config: { limitPerSender: 1 }, before: 1 })
    assert.equal(admit(call, around)?.status, 429)
    assert.deepEqual(call.allowance, { allowed: false, passed: 'sender', limit: 1, remaining: 0, reset: 60 })
    assert.equal(admit(call, { ...around, now: now + 60_000 }), undefined)
    assert.deepEqual(call.allowance, { allowed: true, limit: 1, remaining: 0, reset: 60 })
  })
})

describe('explanations', () => {
  it('never throw, whatever stands in the record', () => {
    for (const facts of [{}, { compared: null }, { compared: [1] }, { status: {}, token: 'x', verb: 7 }])
      assert.ok(explainProxyRecord({ at: Number.NaN, facts }).length > 0)
  })
})
